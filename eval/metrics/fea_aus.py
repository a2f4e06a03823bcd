"""Action units as codes in the text, counted by the published rule of FEA-20K, beside what the text claims.

The rule of Facial-R1 (its public scorer, `eval_utils.py`): every `AU` followed by digits in the think part, or in the
whole text without one, is named, and compared letter by letter with gold codes such as AU6. Per-AU F1 and recall, micro
F1, and subset accuracy, the share of samples whose sets are equal; the macro mean is over action units that gold has.

Its defects: "no AU12" names AU12, `AU06` is not AU6, and a code that gold never has costs nothing. The same numbers
from the claims (`fea_claims_…`) have none of the first two, on the same action units: those of `--aus`, else those
that gold has in some sample. The main metrics (`au_macro_f1`) count every measured action unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from emollm.facs import present, prose
from eval.metrics.counts import Array, mean_known, ratio
from eval.metrics.family import Case, Context, Each, Family, FamilyMetric, Line, Measured

MENTIONS, DENIED, PADDED, OUTSIDE = range(4)
NUM_RATES = 4
"""Before the AUs: codes in the think part, those that the text denies, that begin with 0, and that are of no use."""
GOLD, CODES, CLAIMS = range(3)
"""Of each AU: whether gold has it, the rule reads it, the claims say so."""

SOURCE = "Facial-R1 (FEA-20K), eval_utils.py"

_THINK = re.compile(r"<think>(.*?)</think>", re.DOTALL)
_CODE = re.compile(r"AU\d+")


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep how codes are written, and of each AU whether it is in gold, in the codes, and in the claims."""
    gold = [_gold(case, context) for case in cases]
    aus = context.aus or tuple(sorted({au for there in gold for au in there or ()}))
    lines: list[Line | None] = []
    for case, there in zip(cases, gold, strict=True):
        if there is None:
            lines.append(None)
            continue
        found = mentions(case)
        named = {code for code, _ in found}
        codes = [prose(au) in named for au in aus]
        claimed = set(case.score.aus_pred or ())
        denied = sum(_is_denied(case, place) for _, place in found)
        padded = sum(code.startswith("AU0") for code, _ in found)
        outside = sum(code not in map(prose, aus) for code, _ in found)
        cells = ((float(au in there), float(code), float(au in claimed)) for au, code in zip(aus, codes, strict=True))
        lines.append((len(found), denied, padded, outside, *(value for cell in cells for value in cell)))
    if not aus:
        return Measured([None] * len(cases))
    return Measured(lines, {"aus": list(aus)}, notices=_notices(lines), parts=aus)


def _gold(case: Case, context: Context) -> set[str] | None:
    if case.score.face is None or case.score.au_measured is None:
        return None
    return set(present(case.score.face, context.thresholds))


def mentions(case: Case) -> list[tuple[str, int]]:
    """Return every code that the rule reads, as it is written, and where in the completion."""
    said = case.prediction.completion if case.prediction else ""
    think = _THINK.search(said)
    start, end = think.span(1) if think else (0, len(said))
    return [(found[0], found.start()) for found in _CODE.finditer(said, start, end)]


def _is_denied(case: Case, place: int) -> bool:
    """Tell whether a claim covers this place and says that something is not there."""
    claims = (one.claim for one in case.score.check.checked) if case.score.check else ()
    covering = [claim for claim in claims if claim.start <= place < claim.end]
    return bool(covering) and not any(claim.present for claim in covering)


def _notices(lines: Sequence[Line | None]) -> list[str]:
    """Say how much of the numbers is owed to how codes are written."""
    rates = np.array([line[:NUM_RATES] for line in lines if line is not None], dtype=np.float64)
    written, denied, padded, _ = (int(n) for n in rates.sum(axis=0)) if len(rates) else (0, 0, 0, 0)
    silent = int((rates[:, MENTIONS] == 0).sum()) if len(rates) else 0
    found = []
    if silent:
        found.append(f"{silent:,} of {len(rates):,} answers write no AU code: the published rule reads nothing in them")
    if denied or padded:
        found.append(f'of {written:,} AU codes {denied:,} are denied ("no AU12") and {padded:,} begin with 0 (AU06)')
    return found


def sums(lines: Array) -> Array:
    """Return hits, false alarms and misses of each AU by codes and by claims, then rates: (n, 6 A + 7)."""
    cells = lines[:, NUM_RATES:].reshape(len(lines), -1, 3)
    gold = cells[..., GOLD]
    counts = [
        np.stack([gold * named, (1 - gold) * named, gold * (1 - named)], axis=-1).reshape(len(lines), -1)
        for named in (cells[..., CODES], cells[..., CLAIMS])
    ]
    equal = [(cells[..., GOLD] == cells[..., by]).all(axis=-1)[:, None] for by in (CODES, CLAIMS)]
    return np.concatenate([lines[:, :NUM_RATES], np.ones((len(lines), 1)), *equal, *counts], axis=-1)


_N, _HEAD = NUM_RATES, NUM_RATES + 3


def _counts(sums: Array, by: int) -> Array:
    """Return hits, false alarms and misses of each AU (..., A, 3), read by codes or by claims."""
    return sums[..., _HEAD:].reshape(*sums.shape[:-1], 2, -1, 3)[..., by - CODES, :, :]


def _f1(counts: Array) -> Array:
    """Return F1 (...,); 0 where nothing is there nor named, as scikit-learn with zero_division=0."""
    hits, false_alarms, misses = np.moveaxis(counts, -1, 0)
    return np.nan_to_num(ratio(2 * hits, 2 * hits + false_alarms + misses))


def micro_f1(sums: Array, by: int) -> Array:
    """Return the F1 of all AUs together (...,)."""
    return _f1(_counts(sums, by).sum(axis=-2))


def each_f1(sums: Array, by: int) -> Array:
    """Return the F1 of each AU (..., A), NaN for one that gold never has."""
    counts = _counts(sums, by)
    return np.where(_has_gold(counts), _f1(counts), np.nan)


def each_recall(sums: Array, by: int) -> Array:
    """Return the recall of each AU (..., A), NaN for one that gold never has."""
    counts = _counts(sums, by)
    return ratio(counts[..., 0], counts[..., 0] + counts[..., 2])


def _has_gold(counts: Array) -> Array:
    return np.asarray(counts[..., 0] + counts[..., 2] > 0)


def _all(lines: Array) -> Array:
    return np.ones((len(lines), (lines.shape[1] - NUM_RATES) // 3))


def _macro(title: str, text: str, each: Callable[[Array], Array], source: str, *, is_headline: bool) -> FamilyMetric:
    return FamilyMetric(
        title, f"{text} Mean over the action units that gold has.", lambda sums: mean_known(each(sums)), source=source,
        is_headline=is_headline, each=Each(each, _all),
    )  # fmt: skip


def _read(by: int, prefix: str, how: str, source: str) -> dict[str, FamilyMetric]:
    """Return the metrics of one way of reading the text."""
    f1, recall = partial(each_f1, by=by), partial(each_recall, by=by)
    return {
        f"{prefix}_macro_f1": _macro(f"AU macro F1 ({how})", "F1 of named and present.", f1, source, is_headline=True),
        f"{prefix}_macro_recall": _macro(f"AU macro recall ({how})", "Recall.", recall, source, is_headline=False),
        f"{prefix}_micro_f1": FamilyMetric(
            f"AU micro F1 ({how})", "F1 of all action units together.", partial(micro_f1, by=by), source=source,
            is_headline=True,
        ),
        f"{prefix}_subset_accuracy": FamilyMetric(
            f"AU sets equal ({how})", "Samples in which exactly the present action units are named / samples.",
            lambda sums: ratio(sums[..., _N + by], sums[..., _N]), source=source,
        ),
    }  # fmt: skip


def _rate(title: str, text: str, column: int) -> FamilyMetric:
    return FamilyMetric(
        title, text, lambda sums: ratio(sums[..., column], sums[..., MENTIONS]), better="",
        counts_in=lambda lines: lines[:, MENTIONS],
    )  # fmt: skip


FAMILY = Family(
    name="fea_aus",
    title="Action units as written (FEA-20K)",
    about="AU codes in the text by the published rule, beside what the text claims, on the same action units.",
    measure=measure,
    sums=sums,
    is_asked_for=True,
    metrics={
        **_read(CODES, "fea_au", "codes, legacy", SOURCE),
        **_read(CLAIMS, "fea_claims", "claims", "the same on claims; ours"),
        "fea_denied_rate": _rate(
            "AU codes denied", "AU codes that the text denies (“no AU12”) / AU codes.", DENIED
        ),
        "fea_padded_rate": _rate(
            "AU codes with a 0", "AU codes such as AU06, which the rule does not know / AU codes.", PADDED
        ),
        "fea_outside_rate": _rate(
            "AU codes outside", "AU codes that are none of the compared action units, and so cost nothing / AU codes.",
            OUTSIDE,
        ),
    },
)  # fmt: skip
