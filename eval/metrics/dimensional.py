"""Valence and arousal: how well the numbers that a model states follow those of the annotators.

CCC is the score of the ABAW challenges (Kollias et al.), where every sample has an answer. A model that answers only
where it is easy has a CCC of its own choice; so beside it stands the one in which every missing answer is 0, the
neutral point, and how many answers there are. RMSE, correlation and sign agreement (SAGR) as for AffectNet
(Mollahosseini et al. 2017, IEEE TAC 10:18).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence

import numpy as np

from emollm.answers import parse
from emollm.records import Prediction
from eval.metrics.agreement import NUM_SUMS, ccc, pair_sums, pearson, rmse
from eval.metrics.counts import Array, ratio
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

AXES = ("valence", "arousal")
ABAW = "Lin 1989; Kollias et al., ABAW"
AFFECTNET = "Mollahosseini et al. 2017, AffectNet, IEEE TAC 10:18"

_NAMES = {"valence": "valence|效价|愉悦度", "arousal": "arousal|唤醒度|唤醒"}
_FILLER = r"(?:[\s\"'*_:=：~≈(]|\b(?:is|was|of|at|about|around|approximately|score|level|value|rating)\b){0,8}"
# No part of a range, a date, a share or a mark out of ten is a value.
_NO_VALUE = r"\w|[,.]\d|\s?[/%]|\s?out of|\s?(?:to|[-\u2013~])\s?[-+\u2212\d]"
_NUMBER = rf"(?P<value>[-+\u2212]?(?:\d++(?:\.\d*+)?|\.\d++))(?!{_NO_VALUE})"
_STATED = {
    axis: re.compile(
        rf"(?<![A-Za-z])(?:{name})[\"'*_]{{0,3}}\s?(?:\([^()\n]{{0,60}}\))?{_FILLER}{_NUMBER}", re.IGNORECASE
    )
    for axis, name in _NAMES.items()
}


def measure(cases: Sequence[Case], _: Context) -> Measured:
    """Keep gold and stated valence, gold and stated arousal."""
    lines: list[Line | None] = []
    for case in cases:
        gold = [getattr(case.sample, axis) for axis in AXES]
        if gold == [None, None]:
            lines.append(None)
            continue
        stated = [read_axis(case.prediction, axis) for axis in AXES]
        lines.append((gold[0], stated[0], gold[1], stated[1]))
    return Measured(lines, notices=_notices(lines))


def _notices(lines: Sequence[Line | None]) -> list[str]:
    """Say how many samples of each axis have gold and no answer."""
    notices = []
    for axis, place in zip(AXES, (0, 2), strict=True):
        known = [line for line in lines if line is not None and line[place] is not None]
        if silent := sum(line[place + 1] is None for line in known):
            notices.append(f"{silent:,} of {len(known):,} answers state no {axis} from −1 to 1")
    return notices


def read_axis(prediction: Prediction | None, axis: str) -> float | None:
    """Return what a prediction gives an axis, in its field or last in its words ("valence: -0.4").

    None: nothing is given, or nothing from -1 to 1.
    """
    if prediction is None:
        return None
    value = getattr(prediction, axis)
    if value is None:
        for found in _STATED[axis].finditer(parse(prediction.completion).text):
            value = float(found["value"].replace("\u2212", "-"))
    return value if value is not None and math.isfinite(value) and -1.0 <= value <= 1.0 else None


def sums(lines: Array) -> Array:
    """Return of both axes the sums of its pairs, whether it has gold, whether signs agree, and the sums of its pairs
    with 0 for what is not stated: (n, 2, 16)."""
    axes = []
    for gold, stated in (lines[:, :2].T, lines[:, 2:].T):
        agrees = np.sign(gold) == np.sign(stated)  # False where one is not known
        counts = np.stack([~np.isnan(gold), agrees], axis=-1)
        axes.append(np.concatenate([pair_sums(stated, gold), counts, pair_sums(np.nan_to_num(stated), gold)], axis=-1))
    return np.stack(axes, axis=1)


_STATED_ONLY, _GOLD, _SIGN, _ALL = slice(NUM_SUMS), NUM_SUMS, NUM_SUMS + 1, slice(NUM_SUMS + 2, None)


def _each(function: Callable[[Array], Array], place: int, block: slice = _STATED_ONLY) -> Callable[[Array], Array]:
    """Return a function of the pairs of one axis."""
    return lambda sums: function(sums[..., place, block])


def _of_axis(place: int, axis: str) -> dict[str, FamilyMetric]:
    """Return the metrics of one axis beside its CCC."""
    stated = f"{axis}, where one is stated"
    return {
        f"rmse_{axis}": FamilyMetric(
            f"RMSE {axis}", f"Root of the mean squared difference of stated and gold {stated}.", _each(rmse, place),
            better="lower", unit="number", source=AFFECTNET, is_detail=True,
        ),
        f"pearson_{axis}": FamilyMetric(
            f"Correlation {axis}", f"Pearson correlation of stated and gold {stated}.", _each(pearson, place),
            unit="number", source=AFFECTNET, is_detail=True,
        ),
        f"sagr_{axis}": FamilyMetric(
            f"Sign agreement {axis}", f"Stated values with the sign of gold / stated: {stated}.",
            lambda sums: ratio(sums[..., place, _SIGN], sums[..., place, 0]), source=AFFECTNET, is_detail=True,
        ),
    }  # fmt: skip


FAMILY = Family(
    name="dimensional",
    title="Valence and arousal",
    about="Numbers that the model states, compared with the annotators'.",
    measure=measure,
    sums=sums,
    metrics={
        "ccc_valence": FamilyMetric(
            "CCC valence", "Concordance of stated and gold valence, where one is stated.", _each(ccc, 0),
            unit="number", source=ABAW,
        ),
        "ccc_arousal": FamilyMetric(
            "CCC arousal", "Concordance of stated and gold arousal, where one is stated.", _each(ccc, 1),
            unit="number", source=ABAW,
        ),
        "ccc": FamilyMetric(
            "CCC", "Mean of the concordances of valence and arousal.",
            lambda sums: ccc(sums[..., _STATED_ONLY]).mean(axis=-1), unit="number", source=ABAW, is_headline=True,
        ),
        "ccc_all": FamilyMetric(
            "CCC, missing answers as 0", "Mean of the concordances of valence and arousal, each answer that states no "
            "number counted as 0, the neutral point.",
            lambda sums: ccc(sums[..., _ALL]).mean(axis=-1), unit="number", is_headline=True,
        ),
        "dimensional_coverage": FamilyMetric(
            "Valence and arousal stated", "Numbers from −1 to 1 that could be read / numbers that have gold.",
            lambda sums: ratio(sums[..., 0].sum(axis=-1), sums[..., _GOLD].sum(axis=-1)),
        ),
        **_of_axis(0, "valence"),
        **_of_axis(1, "arousal"),
    },
)  # fmt: skip
