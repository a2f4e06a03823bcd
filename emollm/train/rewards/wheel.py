"""Emotion wheels: open labels against the gold ones, with a penalty for naming more than there are.

AffectGPT-R1 style: the wheel F1 of the answer times a penalty; the same of what the reasoning names (`dual`).
Where no wheel knows the gold, as for neutral, there is nothing to compare and all are None.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import log

from emollm.train.rewards.heard import Heard
from emollm.wheel import sample_f1


def wheel_f1(heard: Heard) -> float | None:
    """Return the wheel F1 of the answer's labels, 0 to 1. Names that no wheel knows cost nothing here."""
    return sample_f1(heard.answer_words, heard.gold_words, heard.need_wheels())


def penalised_f1(heard: Heard, penalty: str) -> float | None:
    """Return the wheel F1 of the answer times the penalty `p1`, `p2` or `p3` for its number of labels."""
    return _penalised(heard, heard.answer_words, penalty)


def thought_f1(heard: Heard) -> float | None:
    """Return the wheel F1 of the labels that the reasoning names, times p3; None where no reasoning was asked for."""
    if not heard.asks_for_thought:
        return None
    return _penalised(heard, heard.thought_words((*heard.answer_words, *heard.gold_words)), "p3")


def _penalised(heard: Heard, named: Sequence[str], penalty: str) -> float | None:
    f1 = sample_f1(named, heard.gold_words, heard.need_wheels())
    return None if f1 is None else f1 * length_penalty(len(named), len(heard.gold_words), penalty)


def length_penalty(num_named: int, num_gold: int, penalty: str) -> float:
    """Return what a list of labels keeps of its score, 0 to 1, when it is longer than the gold one; else 1.

        p1 = 1 / (named - gold + 1)     p2 = gold / named     p3 = ln(gold) / ln(named)

    The three of AffectGPT-R1. With one gold label p3 would be 0; there it is ln 2 / ln(named + 1).
    """
    if num_named <= num_gold:
        return 1.0
    if penalty == "p1":
        return 1 / (num_named - num_gold + 1)
    if penalty == "p2":
        return num_gold / num_named
    one = int(num_gold == 1)
    return log(num_gold + one) / log(num_named + one)


wheel_p1, wheel_p2, wheel_p3 = (partial(penalised_f1, penalty=penalty) for penalty in ("p1", "p2", "p3"))
