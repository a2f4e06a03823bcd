"""Cross-validation: the mean over folds of the numbers of a closed set, each sample's fold being `groups["fold"]`.

    emollm import DFEW -o dfew.jsonl --fold all         every sample once, with the fold that tests it

DFEW and others are published as the mean of WAR and UAR over five folds (Jiang et al. 2020, ACM MM). That is not the
number of all samples together: folds differ in size, and the recall of a rare label differs between folds. Each fold's
own numbers, with intervals, stand under the groups of the results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from emollm.labels import LABEL_SETS
from eval.intervals import Cells
from eval.metrics import confusion
from eval.metrics.counts import Array, mean_known
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

GROUP = "fold"
SOURCE = "Jiang et al. 2020, DFEW, ACM MM"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep the number of the fold, of the gold and of the answered label, and how many folds and labels there are."""
    known = [case for case in cases if case.score.label_gold is not None]
    names = sorted({fold for case in known if (fold := _fold(case)) is not None}, key=lambda name: (len(name), name))
    folds = {name: i for i, name in enumerate(names)}
    listed = LABEL_SETS[context.label_set].labels if context.label_set is not None else ()
    labels = {label: i for i, label in enumerate(listed or sorted({case.score.label_gold or "" for case in known}))}
    lines: list[Line | None] = []
    for case in cases:
        place, gold = folds.get(_fold(case) or ""), labels.get(case.score.label_gold or "")
        said = labels.get(case.score.label_pred or "")
        lines.append(None if place is None or gold is None else (place, gold, said, len(folds), len(labels)))
    notices = []
    if outside := sum(_fold(case) is None for case in known):
        notices.append(f"{outside:,} of {len(known):,} samples with a gold label name no fold and count in none")
    if len(names) == 1:
        notices.append(f"only fold {names[0]} is here: the number of one fold is not a mean over folds")
    return Measured(lines, pins={"folds": names}, notices=notices if names else ())


def _fold(case: Case) -> str | None:
    return (case.sample.groups or {}).get(GROUP)


def sums(lines: Array) -> Cells:
    """Return where each sample stands in the confusion matrices of all folds: (folds, K, K + 1)."""
    num_folds, num_labels = (int(lines[0, column]) for column in (3, 4))
    place, shape = confusion.cells(lines[:, 1], lines[:, 2], num_labels)
    return Cells(lines[:, 0].astype(np.intp) * math.prod(shape) + place, (num_folds, *shape))


def over_folds(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Return the mean over folds of a function of confusion matrices; a fold without a sample is left out."""
    return lambda sums: mean_known(function(sums))


def spread(values: Array) -> Array:
    """Return the standard deviation over the last axis of what is known; NaN for less than two values."""
    known = (~np.isnan(values)).sum(axis=-1)
    squares = mean_known((values - mean_known(values)[..., None]) ** 2)
    return np.where(known > 1, np.sqrt(squares * known / np.maximum(known - 1, 1)), np.nan)


FAMILY = Family(
    name="folds",
    title="Cross-validation",
    about="Means over the folds that the samples name; each fold by itself stands under the groups.",
    measure=measure,
    sums=sums,
    metrics={
        "fold_mean_war": FamilyMetric(
            "WAR, mean over folds", "Mean over folds of right answers / samples with a gold label.",
            over_folds(confusion.accuracy), source=SOURCE, is_headline=True,
        ),
        "fold_mean_uar": FamilyMetric(
            "UAR, mean over folds", "Mean over folds of the mean recall of the labels in the fold's gold.",
            over_folds(confusion.uar), source=SOURCE, is_headline=True,
        ),
        "fold_mean_macro_f1": FamilyMetric(
            "Macro F1, mean over folds", "Mean over folds of the mean F1 of the labels in the fold's gold.",
            over_folds(confusion.macro_f1), is_detail=True,
        ),
        "fold_mean_weighted_f1": FamilyMetric(
            "Weighted F1, mean over folds", "Mean over folds of the F1 weighted by the labels in the fold's gold.",
            over_folds(confusion.weighted_f1), is_detail=True,
        ),
        "fold_sd_war": FamilyMetric(
            "WAR, spread over folds", "Standard deviation of the folds' WAR (n − 1).",
            lambda sums: spread(confusion.accuracy(sums)), better="", is_detail=True,
        ),
        "fold_sd_uar": FamilyMetric(
            "UAR, spread over folds", "Standard deviation of the folds' UAR (n − 1).",
            lambda sums: spread(confusion.uar(sums)), better="", is_detail=True,
        ),
    },
)  # fmt: skip
