"""Compound emotions ("sadly fearful"): the whole name, and the pair of basic emotions that it is made of.

C-EXPR is scored by the macro F1 of its seven compounds; frames that are none of them (`other`) are left out (Kollias
2023, CVPR: C-EXPR-DB; ABAW). A pair is scored as a set of two: an answer of one of the two emotions is half right,
and one that lists more than two loses precision.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emollm.answers import parse
from emollm.labels import COMPOUND_PARTS, LABEL_SETS
from emollm.scoring import set_f1
from eval.metrics import confusion
from eval.metrics.counts import Array, ratio
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

COMPOUNDS = {
    name: compounds
    for name, label_set in LABEL_SETS.items()
    if (compounds := tuple(label for label in label_set.labels if label in COMPOUND_PARTS))
}
"""Label set to the compounds in it."""
_EVERY = tuple(COMPOUND_PARTS)
SOURCE = "Kollias 2023, C-EXPR-DB, CVPR; ABAW"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep gold and answered compound, the F1 of the pair, both parts right, one part right."""
    compounds = COMPOUNDS.get(context.label_set or "", ())
    lines = [_line(case) if case.score.label_gold in compounds else None for case in cases]
    others = sum(line is None and case.score.label_gold is not None for case, line in zip(cases, lines, strict=True))
    notices = [f"no compound in gold of {others:,} of {len(cases):,} samples: left out"] if others and compounds else []
    return Measured(lines, notices=notices)


def _line(case: Case) -> Line:
    label, gold = case.score.label_pred, case.score.label_gold or ""
    said, parts = read_parts(case), COMPOUND_PARTS[gold]
    place = float(_EVERY.index(label)) if label in COMPOUND_PARTS else None
    return (
        float(_EVERY.index(gold)),
        place,
        set_f1(said, parts),
        float(said == parts),
        float(len(said & parts) > 0),
    )


def read_parts(case: Case) -> frozenset[str]:
    """Return the basic emotions that an answer names, by themselves or in a compound."""
    label = case.score.label_pred
    if label in COMPOUND_PARTS:
        return COMPOUND_PARTS[label]
    labels = parse(case.score.answer.text).labels
    return frozenset[str]().union(*(COMPOUND_PARTS.get(label, {label}) for label in labels))


def sums(lines: Array) -> Array:
    """Return the confusion over all compounds (12 × 13, flat), then the sums about pairs and the samples: (n, 160)."""
    matrices = confusion.one_hot(lines[:, 0], lines[:, 1], len(_EVERY)).reshape(len(lines), -1)
    return np.concatenate([matrices, lines[:, 2:], np.ones((len(lines), 1))], axis=-1)


def _matrix(sums: Array) -> Array:
    return sums[..., :-4].reshape(*sums.shape[:-1], len(_EVERY), len(_EVERY) + 1)


FAMILY = Family(
    name="compound",
    title="Compound emotions",
    about="The whole compound, and how much of the pair that makes it is right.",
    measure=measure,
    sums=sums,
    metrics={
        "compound_macro_f1": FamilyMetric(
            "Compound macro F1", "Mean F1 over the compounds that occur in gold; samples of no compound are left out.",
            lambda sums: confusion.macro_f1(_matrix(sums)), source=SOURCE, is_headline=True,
        ),
        "compound_pair_f1": FamilyMetric(
            "Pair F1", "Mean over samples of the F1 between the two emotions of gold and those named.",
            lambda sums: ratio(sums[..., -4], sums[..., -1]), is_headline=True,
        ),
        "compound_pair_accuracy": FamilyMetric(
            "Both emotions right", "Samples whose two emotions are named, and no other / samples of a compound.",
            lambda sums: ratio(sums[..., -3], sums[..., -1]),
        ),
        "compound_half_rate": FamilyMetric(
            "At least one emotion right", "Samples of which one emotion is named, or both / samples of a compound.",
            lambda sums: ratio(sums[..., -2], sums[..., -1]),
        ),
    },
)  # fmt: skip
