"""Micro-expressions in the three classes of the Micro-Expression Grand Challenge: negative, positive, surprise.

UF1 is the mean over classes of 2·TP / (2·TP + FP + FN), UAR the mean of their recall, both over the hits of all held
out subjects together (See et al. 2019, MEGC, FG). CASME II and SAMM name emotions: happiness is positive, surprise is
surprise, and anger, contempt, disgust, fear, repression and sadness are negative; what is `other` is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from emollm.answers import parse
from eval.intervals import Cells
from eval.metrics import confusion
from eval.metrics.counts import Array
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

DATA_SETS = ("casme7", "samm8")
"""The label sets that this is about."""
CLASSES = ("negative", "positive", "surprise")
CLASS = {
    "happiness": "positive",
    "surprise": "surprise",
    **dict.fromkeys(("anger", "contempt", "disgust", "fear", "repression", "sadness"), "negative"),
    **{name: name for name in CLASSES},
}
"""Emotion to its class; an answer may name the class itself."""
SOURCE = "See et al. 2019, MEGC 2019, FG"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep the class of gold and of the answer, None where it is none of the three."""
    lines: list[Line | None] = []
    num_others = 0
    for case in cases:
        # The two data sets together are scored with --label-set open, which keeps the words of both.
        is_micro = context.label_set in DATA_SETS or case.sample.label_set in DATA_SETS
        gold = _place(case.score.label_gold) if is_micro else None
        num_others += is_micro and gold is None and case.score.label_gold is not None
        lines.append(None if gold is None else (gold, _answered(case)))
    notices = [f"other in gold of {num_others:,} of {len(cases):,} samples: left out"] if num_others else []
    return Measured(lines, notices=notices)


def _place(label: str | None) -> float | None:
    kind = CLASS.get(label or "")
    return None if kind is None else float(CLASSES.index(kind))


def _answered(case: Case) -> float | None:
    if case.score.label_pred is not None or case.prediction is None:
        return _place(case.score.label_pred)
    return _place(parse(case.score.answer.text).label)


def sums(lines: Array) -> Cells:
    """Return where each sample stands in the confusion of the three classes: (3, 4)."""
    return confusion.cells(lines[:, 0], lines[:, 1], len(CLASSES))


FAMILY = Family(
    name="micro_expressions",
    title="Micro-expressions",
    about="Negative, positive or surprise, as the Micro-Expression Grand Challenge counts them.",
    measure=measure,
    sums=sums,
    metrics={
        "uf1": FamilyMetric(
            "UF1", "Mean F1 of the three classes.", confusion.macro_f1, source=SOURCE, is_headline=True
        ),
        "micro_uar": FamilyMetric(
            "UAR of three classes", "Mean recall of the three classes.", confusion.uar, source=SOURCE, is_headline=True
        ),
    },
)
