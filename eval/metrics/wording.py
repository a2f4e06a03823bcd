"""Wording: ROUGE and CIDEr between explanation and gold description, and REGE, which adds what was recognised.

ROUGE-1, -2 and -L F as reported on FEA-20K (Facial-R1): see `rouge`. CIDEr as reported on DFEC (FaceTrack-MM): see
`cider`; the gold of the run tells what is rare, for its resamples too. REGE is FABA's (EmoLA, Li et al. 2024, ECCV):
the recognition score, accuracy of the label or macro F1 of the AUs, plus ROUGE-L, both in percent: 64.5 + 31.7 = 96.2.
Its labels are read by our reader, not by keywords; its AUs are FABA's twenty, those that occur in gold.

It measures wording: gold that the same pipeline wrote as the training data rewards its style.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import isnan

import numpy as np

from emollm.facs import PROTOCOL_AUS
from emollm.scoring import SampleScore
from eval.metrics.cider import Cider, plain_words
from eval.metrics.counts import Array, mean_known, ratio
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured
from eval.metrics.rouge import overlap, words_of
from eval.metrics.texts import explanation, gold_text

ROUGE = "Lin 2004, ROUGE; Facial-R1 / FEA-20K, by the definitions of rouge-score 0.1.2"
CIDER = "Vedantam et al. 2015, CIDEr-D, by the definitions of pycocoevalcap 1.2"
REGE = "Li et al. 2024, EmoLA / FABA-Bench, ECCV"

AUS = PROTOCOL_AUS["faba"]
FATES = ("hit", "false alarm", "miss")
"""What can become of an AU that is named or present, counted from 1; 0 is neither, None is not measured."""

_NUM_SCORES = 4


def measure(cases: Sequence[Case], _: Context) -> Measured:
    """Keep the four scores of samples with a gold description, whether the label is right, and the fate of each AU."""
    lines: list[Line | None] = []
    num_chinese = 0
    golds = [gold_text(case.sample) for case in cases]
    cider = Cider(plain_words(text) for text in golds if text)
    for case, text in zip(cases, golds, strict=True):
        gold = words_of(text)
        if not gold:
            lines.append(None)
            continue
        num_chinese += any(word >= "\u4e00" for word in gold)
        said = explanation(case.score.answer)
        rarity = cider.score(plain_words(text), plain_words(said))
        scores = (*overlap(gold, words_of(said)), None if isnan(rarity) else rarity)
        correct = case.score.correct
        lines.append((*scores, None if correct is None else float(correct), *fates(case.score)))
    told = f"ROUGE: {num_chinese:,} gold descriptions hold Chinese, each character a word; rouge-score would drop it"
    return Measured(lines, notices=[told] if num_chinese else ())


def fates(score: SampleScore) -> tuple[float | None, ...]:
    """Return what became of each AU of FABA."""
    counts, measured = score.au_counts, score.au_measured
    if counts is None or measured is None:
        return (None,) * len(AUS)
    found = {
        au: 1.0 + count.index(1) if 1 in (count := (one.tp, one.fp, one.fn)) else 0.0 for au, one in counts.items()
    }
    return tuple(found.get(au, 0.0) if au in measured else None for au in AUS)


# --- what adds up -----------------------------------------------------------------------------------------------------


def sums(lines: Array) -> Array:
    """Return (n, 10 + 3 A): samples and the four scores, then of samples with a label their number, right ones and
    ROUGE-L, and of samples with measured AUs number and ROUGE-L; then the fates of each AU."""
    scores, correct, aus = lines[:, :_NUM_SCORES], lines[:, _NUM_SCORES], lines[:, _NUM_SCORES + 1 :]
    longest, has_label, has_aus = scores[:, 2], ~np.isnan(correct), ~np.isnan(aus).all(axis=1)
    columns = [
        np.ones(len(lines)), *scores.T,
        has_label, np.where(has_label, correct, 0.0), np.where(has_label, longest, 0.0),
        has_aus, np.where(has_aus, longest, 0.0),
    ]  # fmt: skip
    became = np.stack([aus == 1.0 + i for i in range(len(FATES))], axis=-1).reshape(len(lines), -1)
    return np.concatenate([np.stack(columns, axis=-1), became], axis=1)


_AUS_FROM = 10


def mean_score(place: int, sums: Array) -> Array:
    """Return the mean of one of the four scores."""
    return ratio(sums[..., 1 + place], sums[..., 0])


def rege_label(sums: Array) -> Array:
    """Return 100 · (accuracy + ROUGE-L) over samples with a gold label."""
    return 100 * ratio(sums[..., 6] + sums[..., 7], sums[..., 5])


def rege_au(sums: Array) -> Array:
    """Return 100 · (macro F1 over the AUs that occur in gold + ROUGE-L) over samples with measured AUs."""
    fates = sums[..., _AUS_FROM:].reshape(*sums.shape[:-1], len(AUS), len(FATES))
    hits, alarms, misses = np.moveaxis(fates, -1, 0)
    f1 = np.where(hits + misses > 0, ratio(2 * hits, 2 * hits + alarms + misses), np.nan)
    return 100 * (mean_known(f1) + ratio(sums[..., 9], sums[..., 8]))


def has(columns: slice) -> Callable[[Array], Array]:
    """Return which lines (n,) have a number in one of these columns, 0 or 1."""
    return lambda lines: np.asarray(~np.isnan(lines[:, columns]).all(axis=1), dtype=np.float64)


FAMILY = Family(
    name="wording",
    title="Wording: ROUGE, CIDEr and REGE",
    about="Words that the explanation shares with the gold description. It measures style as much as truth.",
    measure=measure,
    sums=sums,
    metrics={
        "rouge_1": FamilyMetric(
            "ROUGE-1", "F of the words that explanation and gold description share; mean over samples.",
            partial(mean_score, 0), source=ROUGE,
        ),
        "rouge_2": FamilyMetric(
            "ROUGE-2", "F of the pairs of neighbouring words that both share; mean over samples.",
            partial(mean_score, 1), source=ROUGE,
        ),
        "rouge_l": FamilyMetric(
            "ROUGE-L", "F of the longest common subsequence of words; mean over samples.", partial(mean_score, 2),
            source=ROUGE, is_headline=True,
        ),
        "cider": FamilyMetric(
            "CIDEr", "Shared runs of 1 to 4 words, the rare ones weighing most; 0 to 10, mean over samples.",
            partial(mean_score, 3), unit="number", source=CIDER, is_detail=True,
        ),
        "rege": FamilyMetric(
            "REGE", "Accuracy + ROUGE-L, both in percent, over samples with a gold label and description.", rege_label,
            unit="number", source=REGE, counts_in=has(slice(_NUM_SCORES, _NUM_SCORES + 1)),
        ),
        "rege_au": FamilyMetric(
            "REGE of AUs", "Macro F1 over the AUs of FABA that occur in gold + ROUGE-L, both in percent.", rege_au,
            unit="number", source=REGE, counts_in=has(slice(_NUM_SCORES + 1, None)),
        ),
    },
)  # fmt: skip
