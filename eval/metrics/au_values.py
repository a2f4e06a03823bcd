"""The values that a detector gives action units, against those of gold: intensities, and how well they rank.

Intensities (FACS, 0 to 5) are compared where both sides have one; a probability is no intensity and is only ranked.
Each metric is a mean over action units, as published for DISFA (Mavadati et al. 2013) and FERA 2015 (Valstar et al.
2015, FG): ICC(3,1) of Shrout and Fleiss (1979, Psychological Bulletin 86:420), MAE, RMSE, Pearson correlation, CCC.
AUC is the chance that a face with the action unit has the higher value (Hanley and McNeil 1982, Radiology 143:29),
half where the two are equal. Whether the action units are right at a threshold (F1) is among the main metrics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from emollm.facs import is_present, prose
from emollm.records import AUKind
from eval.detections import counted_aus, detected_face
from eval.metrics.agreement import NUM_SUMS, ccc, icc, mae, moments, pair_sums, pearson, rmse
from eval.metrics.counts import Array, mean_known, ratio
from eval.metrics.family import Case, Context, Each, Family, FamilyMetric, Line, Measured
from eval.metrics.ranked import auc

WIDTH = 5
PRESENT, FOUND, SCORE, GOLD, VALUE = range(WIDTH)
"""Of each AU: whether gold has it, whether the detector gave a number, that number where it ranks, and both
intensities."""

KNOWN, MEASURED, AUC = NUM_SUMS, NUM_SUMS + 1, NUM_SUMS + 2
"""Behind the sums of the pairs: gold values, those with a detected one, and the AUC."""

SHROUT = "Shrout and Fleiss 1979, Psychological Bulletin 86:420"
HANLEY = "Hanley and McNeil 1982, Radiology 143:29"
HEADLINES = ("ICC(3,1)", "Intensity error (MAE)")
FERA = "Valstar et al. 2015, FERA, FG"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep of each AU whether gold has it, what the detector gave, and both intensities where there are two."""
    aus = context.aus or ()
    kinds = {au: _usual_kind(cases, au) for au in aus}
    lines: list[Line | None] = []
    for case in cases:
        counted = counted_aus(case, context)
        cells = (_cell(case, au, kinds[au], context) if au in counted else (None,) * WIDTH for au in aus)
        lines.append(tuple(value for cell in cells for value in cell) if counted else None)
    pins = {"aus": list(aus), "thresholds": dict(context.thresholds)}
    return Measured(lines, pins, notices=_notices(cases, kinds), parts=aus)


def _usual_kind(cases: Sequence[Case], au: str) -> AUKind | None:
    """Return the kind that the detector gives an AU most often: values of another do not rank with these."""
    faces = (face for case in cases if case.detected is not None for face in case.detected.faces or ())
    kinds = Counter(face.aus[au].kind for face in faces if face.aus is not None and au in face.aus)
    return kinds.most_common(1)[0][0] if kinds else None


def _cell(case: Case, au: str, kind: AUKind | None, context: Context) -> Line:
    face = detected_face(case)
    gold = (case.score.face.aus or {})[au] if case.score.face else None
    found = (face.aus or {}).get(au) if face else None
    there = float(gold is not None and is_present(gold, context.thresholds))
    if gold is None or found is None:
        return (there, 0.0, None, None, None)
    score = found.value if found.kind == kind != "presence" else None
    both = gold.kind == found.kind == "intensity"
    return (there, 1.0, score, gold.value if both else None, found.value if both else None)


def _notices(cases: Sequence[Case], kinds: dict[str, AUKind | None]) -> list[str]:
    """Say what is not compared, and why."""
    found, unlike = [], {"probability": "probabilities", "presence": "presences"}
    for kind, name in unlike.items():
        if aus := [prose(au) for au, usual in kinds.items() if usual == kind]:
            ranked = "; they are ranked only" if kind == "probability" else ""
            found.append(f"the detector gives {name}, which are no intensities{ranked}: {', '.join(aus)}")
    faces = [face for case in cases if (face := detected_face(case)) is not None]
    odd = sum((face.aus or {})[au].kind != kinds[au] for face in faces for au in kinds if au in (face.aus or {}))
    if odd:
        found.append(f"values of another kind than the detector usually gives that action unit: {odd:,} are not ranked")
    return found


def ranks(lines: Array, weights: Array) -> Array:
    """Return of each AU the sums of its pairs, gold values, measured ones, and the AUC: (..., A, 10)."""
    cells = lines.reshape(len(lines), -1, WIDTH)
    known = ~np.isnan(cells[..., PRESENT])
    pairs = pair_sums(cells[..., VALUE], cells[..., GOLD])
    counts = np.stack([known, np.nan_to_num(cells[..., FOUND])], axis=-1)
    added = np.concatenate([pairs, counts], axis=-1)  # (n, A, 9)
    sums = (weights @ added.reshape(len(lines), -1)).reshape(*weights.shape[:-1], *added.shape[1:])
    areas = [auc(cell[:, SCORE], cell[:, PRESENT], weights) for cell in cells.swapaxes(0, 1)]
    return np.concatenate([sums, np.stack(areas, axis=-1)[..., None]], axis=-1)


def _varied(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Return a function of pairs that is 0 where only the detector's values are all one, NaN where gold's are."""
    return lambda pairs: np.where(moments(pairs).var_y > 0, np.nan_to_num(function(pairs)), np.nan)


def _of_pairs(
    title: str, text: str, function: Callable[[Array], Array], source: str, *, is_error: bool = False
) -> FamilyMetric:
    """Return a metric of pairs of intensities, as a mean over AUs and for each AU."""
    return FamilyMetric(
        title, f"{text} Mean over action units.", lambda sums: mean_known(function(sums[..., :NUM_SUMS])),
        better="lower" if is_error else "higher", unit="number", source=source, is_headline=title in HEADLINES,
        counts_in=lambda lines: _both(lines).max(axis=-1),
        each=Each(lambda sums: function(sums[..., :NUM_SUMS]), _both),
    )  # fmt: skip


def _both(lines: Array) -> Array:
    """Tell where both have an intensity (n, A)."""
    return _filled(lines, VALUE)


def _filled(lines: Array, column: int) -> Array:
    return np.asarray(~np.isnan(lines.reshape(len(lines), -1, WIDTH)[..., column]), dtype=np.float64)


FAMILY = Family(
    name="au_values",
    title="Action units: measured values",
    about="The values that the detector gives each action unit, against those of gold.",
    measure=measure,
    ranks=ranks,
    of=("detector",),
    metrics={
        "au_auc": FamilyMetric(
            "AUC",
            "How often a face with the action unit has a higher value than one without it; equal values count half. "
            "Mean over action units.",
            lambda sums: mean_known(sums[..., AUC]), source=HANLEY, is_headline=True,
            counts_in=lambda lines: _filled(lines, SCORE).max(axis=-1),
            each=Each(lambda sums: sums[..., AUC], lambda lines: _filled(lines, SCORE)),
        ),
        "au_icc": _of_pairs(
            "ICC(3,1)", "Consistency of detected and gold intensity; 0 for a detector whose values do not vary.",
            _varied(icc), SHROUT,
        ),
        "au_mae": _of_pairs(
            "Intensity error (MAE)", "Mean absolute difference of detected and gold intensity, 0 to 5.",
            mae, FERA, is_error=True,
        ),
        "au_rmse": _of_pairs(
            "Intensity RMSE", "Root of the mean squared difference of detected and gold intensity.",
            rmse, FERA, is_error=True,
        ),
        "au_pearson": _of_pairs(
            "Intensity correlation", "Pearson correlation of detected and gold intensity; 0 where only gold varies.",
            _varied(pearson), FERA,
        ),
        "au_ccc": _of_pairs(
            "Intensity CCC", "Concordance of detected and gold intensity.", ccc,
            "Lin 1989, Biometrics 45:255",
        ),
        "au_measured": FamilyMetric(
            "Action units measured", "Detected values / gold values; a picture without a face has none.",
            lambda sums: ratio(sums[..., MEASURED].sum(axis=-1), sums[..., KNOWN].sum(axis=-1)),
            each=Each(lambda sums: ratio(sums[..., MEASURED], sums[..., KNOWN]), lambda lines: _filled(lines, PRESENT)),
        ),
    },
)  # fmt: skip
