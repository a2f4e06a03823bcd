"""emollm turns faces into explained emotion: action units, verified reasoning, a trained model, a score.

The words of the task live here and import only the standard library and msgspec:
`records`, `facs`, `labels`, `claims`, `answers`, `scoring`, `prompts`, `errors`.
"""

__version__ = "0.1.0"
