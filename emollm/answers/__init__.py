"""The answer: what a model is taught to write, and how any text is read back.

    render("think", "sadness", reasoning)           the text a model learns
    parse(completion, "basic7").label               "sadness", or None

Rewards, evaluation, export and chat all read completions here. `parse` takes any string, never raises, and takes time
linear in its length. Where a model goes on with turns of its own making, or repeats the question, only its first own
turn is its answer: `Answer.text`, from which all is read and scored. `words` has the labels of an open list as they are
written.

    sections       **Key Observations**: … **Overall Emotional Interpretation**: … **Conclusion**: … (three lines)
    think          <think>…</think><answer>…</answer>
    context        <context>…</context><think>…</think><answer>…</answer>
    label          the bare label
    labels         a comma-separated list of labels
    observations   what can be seen and nothing else: prose without a label
"""

from emollm.answers.abstention import abstains
from emollm.answers.parser import Answer, parse
from emollm.answers.renderer import HEADINGS, STYLES, render

__all__ = ["HEADINGS", "STYLES", "Answer", "abstains", "parse", "render"]
