"""Distributions: the scores of a prediction as probabilities of the labels.

    read_scores({"Happy": 0.6, "sad": 0.2}, "rafdb7")    # happiness 0.6, sadness 0.2, and 0.04 for each of the others

Scores are asked for as 0 to 1 and need not add up to 1. Forms of one label are added. What is left to 1 belongs to the
labels of the set that got no score, in equal parts; where none is left out, or the scores are more than 1, they are
divided by their sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from textwrap import shorten

from emollm.labels import LABEL_SETS, canonical

FLOOR = 2.0**-52
"""The least probability in a logarithm: what gold was given none costs 36 nats, not infinitely many."""

MAX_SHOWN = 5
"""Words outside the label set that a notice shows."""

_ROUNDING = 1e-3
"""How far scores may add up beside 1: files round to a few digits."""


def read_scores(scores: Mapping[str, float] | None, label_set: str | None) -> dict[str, float] | None:
    """Return a probability for each label that adds up to 1; None where nothing above 0 is said of any.

    A word that is no label of the set keeps its share under its own name: what is said of it is said of no label.
    """
    listed = LABEL_SETS[label_set].labels if label_set is not None else ()
    found: dict[str, float] = {}
    for word, score in (scores or {}).items():
        label = canonical(word, label_set) or word.strip().lower()
        found[label] = found.get(label, 0.0) + score
    total = sum(found.values())
    if not 0.0 < total < math.inf:
        return None
    others = [label for label in listed if label not in found]
    if others and total < 1.0 - _ROUNDING:
        return found | dict.fromkeys(others, (1.0 - total) / len(others))
    return {label: score / total for label, score in found.items()} | dict.fromkeys(others, 0.0)


def outside(distributions: Iterable[Mapping[str, float] | None], label_set: str | None, what: str) -> list[str]:
    """Say in how many distributions a word that is no label of the set has a share: what is said of it is lost."""
    if label_set is None or not LABEL_SETS[label_set].labels:
        return []
    known = [one for one in distributions if one is not None]
    strange = [[word for word, share in one.items() if share and canonical(word, label_set) is None] for one in known]
    words, num = sorted({word for found in strange for word in found}), sum(map(bool, strange))
    shown = ", ".join(f"'{shorten(word, 40)}'" for word in words[:MAX_SHOWN])
    where = f"in {num:,} of {len(known):,} samples"
    return [f"{what} for words that are no label of {label_set}, such as {shown}, {where}"] if num else []


def top(distribution: Mapping[str, float]) -> list[str]:
    """Return the labels with the highest probability: several where they tie."""
    highest = max(distribution.values())
    return [label for label, share in distribution.items() if share == highest]


def cross_entropy(gold: Mapping[str, float], given: Mapping[str, float]) -> float:
    """Return −Σ g · ln p in nats, p at least `FLOOR`."""
    return -sum(share * math.log(max(given.get(label, 0.0), FLOOR)) for label, share in gold.items() if share > 0)


def entropy(shares: Iterable[float]) -> float:
    """Return −Σ p · ln p in nats."""
    return -sum(share * math.log(share) for share in shares if share > 0)


def js_divergence(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Return the Jensen–Shannon divergence in bits, 0 (the same) to 1 (nothing in common). Lin 1991, IEEE TIT 37:145.

    The square root is the distance that scipy.spatial.distance.jensenshannon(base=2) gives.
    """
    middle = [(first.get(label, 0.0) + second.get(label, 0.0)) / 2.0 for label in {**first, **second}]
    divergence = entropy(middle) - (entropy(first.values()) + entropy(second.values())) / 2.0
    return max(0.0, divergence / math.log(2.0))
