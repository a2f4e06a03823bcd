"""Pain: the intensity that an explanation states against that of the measured face, on the scale of Prkachin and
Solomon (2008, Pain 139:267): PSPI = AU4 + max(AU6, AU7) + max(AU9, AU10) + AU43, 0 to 16.

Stated is what the text gives as its PSPI ("PSPI: 5"), or what follows from its claims: A to E are 1 to 5, an action
unit that is denied or never mentioned is 0. A claim without a strength ("lowered brows") says too little to add up, and
the answer counts as not stated. Of a detector it is the PSPI of the intensities that it measured. Asked for by
`--metrics pain`: every measured face has a PSPI, and few are of pain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from emollm.facs import LETTERS, THRESHOLDS, pspi
from emollm.records import Face
from eval.detections import detected_face
from eval.metrics.agreement import NUM_SUMS, ccc, mae, pair_sums, pearson, rmse
from eval.metrics.counts import Array, ratio
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

LIDS = "AU43"
PAIN_AUS = ("AU04", "AU06", "AU07", "AU09", "AU10", LIDS)
MOST = 16.0
SOURCE = "Prkachin and Solomon 2008, Pain 139:267"

_SAID = re.compile(
    r"\b(?:pspi|pain intensity)\b[\s\"'*_:=(]{0,6}(?:score |is |of ){0,2}(?P<value>\d++(?:\.\d*+)?)"
    r"(?!\w|[,.]\d|\s?%|\s?(?:to|[-\u2013])\s?\d)",
    re.IGNORECASE,
)


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep gold PSPI and the stated one, or the detected one."""
    lines: list[Line | None] = []
    for case in cases:
        gold = gold_pspi(case.score.face)
        stated = stated_pspi(case) if context.judged == "model" else gold_pspi(detected_face(case))
        lines.append(None if gold is None else (gold, stated))
    known = [line for line in lines if line is not None]
    silent = sum(line[1] is None for line in known)
    what = "answers state" if context.judged == "model" else "faces have"
    notices = [f"{silent:,} of {len(known):,} {what} no pain intensity"] if silent else []
    return Measured(lines, notices=notices)


def gold_pspi(face: Face | None) -> float | None:
    """Return the PSPI of a face; None unless intensities of all its terms but closed eyes were measured."""
    aus = (face.aus if face is not None else None) or {}
    levels = {code: aus[code].value for code in PAIN_AUS if code in aus and aus[code].kind == "intensity"}
    if LIDS in aus:
        levels[LIDS] = float(aus[LIDS].value >= THRESHOLDS[aus[LIDS].kind])
    return pspi(levels)


def stated_pspi(case: Case) -> float | None:
    """Return the PSPI that an answer states in a number from 0 to 16, or in claims of known strength; None: neither."""
    if numbers := [float(found["value"]) for found in _SAID.finditer(case.score.answer.text)]:
        return numbers[-1] if numbers[-1] <= MOST else None
    claims = [one.claim for one in case.score.check.checked] if case.score.check else []
    levels = dict.fromkeys(PAIN_AUS, 0.0)
    for claim in claims:
        code = claim.aus[0]
        if not claim.present or claim.region is not None or code not in levels:
            continue
        if code != LIDS and not claim.letters:
            return None
        levels[code] = max(levels[code], 1.0 if code == LIDS else _level(claim.letters))
    return pspi(levels) if claims else None


def _level(letters: str) -> float:
    """Return the middle of a span of FACS letters as a number, A = 1."""
    return sum(LETTERS.index(letter) + 1 for letter in letters) / len(letters)


def sums(lines: Array) -> Array:
    """Return the sums of the pairs, and 1 for each sample: (n, 8)."""
    gold, stated = lines.T
    return np.concatenate([pair_sums(stated, gold), np.ones((len(lines), 1))], axis=-1)


def _is_stated(lines: Array) -> Array:
    return np.asarray(~np.isnan(lines[:, 1]), dtype=np.float64)


FAMILY = Family(
    name="pain",
    title="Pain intensity",
    about="The pain intensity (PSPI, 0 to 16) that the explanation states, against that of the measured face.",
    measure=measure,
    sums=sums,
    is_asked_for=True,
    of=("model", "detector"),
    metrics={
        "pspi_mae": FamilyMetric(
            "PSPI error", "Mean absolute difference of stated and measured PSPI, where one is stated.",
            mae, better="lower", unit="number", source=SOURCE, is_headline=True, counts_in=_is_stated,
        ),
        "pspi_rmse": FamilyMetric(
            "PSPI RMSE", "Root of the mean squared difference of stated and measured PSPI, where one is stated.",
            rmse, better="lower", unit="number", source=SOURCE, counts_in=_is_stated, is_detail=True,
        ),
        "pspi_pearson": FamilyMetric(
            "PSPI correlation", "Pearson correlation of stated and measured PSPI, where one is stated.",
            pearson, unit="number", source=SOURCE, is_headline=True, counts_in=_is_stated,
        ),
        "pspi_ccc": FamilyMetric(
            "PSPI concordance", "CCC of stated and measured PSPI, where one is stated.",
            ccc, unit="number", source="Lin 1989, Biometrics 45:255", counts_in=_is_stated, is_detail=True,
        ),
        "pspi_coverage": FamilyMetric(
            "PSPI stated", "Answers that state a pain intensity / samples whose face gives one.",
            lambda sums: ratio(sums[..., 0], sums[..., NUM_SUMS]),
        ),
    },
)  # fmt: skip
