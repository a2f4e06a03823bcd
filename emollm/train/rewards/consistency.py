"""Consistency: does the answer follow from the reasoning before it?

None of these looks at the gold, so each pays also what is consistently wrong: give them less weight than the label.
"""

from __future__ import annotations

from emollm.train.rewards.heard import Heard
from emollm.wheel import sample_f1, sample_jaccard

WEIGHED = 1
"""How many emotions besides those of the answer sound reasoning may weigh: "surprise would fit next best"."""


def same_labels(heard: Heard) -> float | None:
    """Return |T ∩ A| / |T ∪ A| of the emotions that the reasoning names and those of the answer, 0 to 1.

    One that the reasoning weighs besides is not counted; what it denies is not named, and reasoning that names none
    speaks for neutral. 0 where there is no reasoning or no answer, or several for one; None where no reasoning was
    asked for. A sentence that names the answer earns all of it, as gold does: others have to pay for what is true.
    """
    if not heard.asks_for_thought:
        return None
    if not heard.thought or not heard.answered:
        return 0.0
    thought = heard.thought_labels or {"neutral"}
    besides = max(0, len(thought - heard.answered) - WEIGHED)
    return len(thought & heard.answered) / (len(heard.answered) + besides)


def same_categories(heard: Heard) -> float | None:
    """Return |T ∩ A| / |T ∪ A| on the emotion wheels, for open labels: `alignment` in the style of AffectGPT-R1.

    None also where no wheel knows the gold, as for neutral: there, all that this could pay for is wrong.
    """
    wheels = heard.need_wheels()
    if not heard.asks_for_thought or (heard.gold_words and sample_f1((), heard.gold_words, wheels) is None):
        return None
    if not heard.asks_for_list and heard.answer.label is None:
        return 0.0
    return sample_jaccard(heard.thought_words(heard.answer_words), heard.answer_words, wheels)
