"""Consistency: does the answer follow from the reasoning before it?

None of these looks at the gold, so each pays also what is consistently wrong: give them less weight than the label.
"""

from __future__ import annotations

import re

from emollm.train.rewards.heard import Heard
from emollm.wheel import sample_f1, sample_jaccard

WEIGHED = 1
"""How many emotions besides those of the answer sound reasoning may weigh: "surprise would fit next best"."""

_SIGNS = r"\b(?:action units?|movements?|muscles?|signs?|patterns?)\b"
_GRANTS = re.compile(
    rf"{_SIGNS}[^.;]{{0,40}}\b(?:not|cannot|elsewhere|open)\b|\b(?:against|beyond|not by|no)\b[^.;]{{0,40}}{_SIGNS}",
    re.IGNORECASE,
)
"""What a conclusion says that goes beyond the reasoning: "although the action units alone do not show it"."""


def same_labels(heard: Heard) -> float | None:
    """Return |T ∩ A| / (|A| + others) of the emotions T that the reasoning names and those A of the answer, 0 to 1.

    Others are those of T that are not in A, but for one, which reasoning may weigh if it ends with the answer. What it
    denies is not named, and reasoning that names none speaks for neutral. The conclusion of sections is their answer
    and their end, and adds nothing to T, unless it grants that the movements do not show what it says.

    0 where there is no reasoning or no answer, or several for one; None where no reasoning was asked for. A sentence
    that names the answer earns all of it, as gold does: others have to pay for what is true.
    """
    if not heard.asks_for_thought:
        return None
    if not heard.thought or not heard.answered:
        return 0.0
    conclusion = heard.answer.conclusion if heard.answer.style == "sections" else None
    named = heard.thought_labels
    if conclusion and _GRANTS.search(conclusion):
        named |= heard.answered
    named = named or frozenset({"neutral"})
    ends_with_it = bool(conclusion) or heard.last_thought in heard.answered
    others = len(named - heard.answered) - (WEIGHED if ends_with_it else 0)
    return len(named & heard.answered) / (len(heard.answered) + max(0, others))


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
