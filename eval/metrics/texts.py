"""The two texts that metrics of reasoning compare: the gold description, and what a prediction explains.

gold_text(sample)               # observations, interpretation and conclusion
explanation(case.score.answer)  # the thought, the sections, or all that was said
"""

from __future__ import annotations

from emollm.answers import Answer
from emollm.records import Sample


def gold_text(sample: Sample) -> str:
    """Return the gold description as one text; empty where there is none."""
    reasoning = sample.reasoning
    parts = (reasoning.observations, reasoning.interpretation, reasoning.conclusion) if reasoning else ()
    return "\n".join(part.strip() for part in parts if part.strip())


def explanation(answer: Answer) -> str:
    """Return what an answer explains: the thought, the bodies of the sections, or all of it where it has no parts."""
    if answer.think is not None:
        return answer.think
    sections = (answer.observations, answer.interpretation, answer.conclusion)
    return "\n".join(part for part in sections if part) or answer.answer or ""
