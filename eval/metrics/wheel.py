"""Open vocabulary on emotion wheels: the published metric to its last digit, and beside it a corrected one.

Published (OV-MERD, Lian et al. 2024; the score of MER2025 track 2 and MER2026 track 2): per sample and variant, the
categories of the predicted and the gold words are two sets P and G. Precision |P ∩ G| / |P| and recall |P ∩ G| / |G|
are averaged over the samples whose G is not empty, 0 and 0 where P is empty; F is the harmonic mean of these two means.
The official score is the mean F of five variants, one a wheel, at level 1. See `emollm.wheel`.

Corrected: the same on `emollm.wheel.Shares`: neutral is a word like any other, words of no table cost precision, ties
are shared.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from textwrap import shorten

import numpy as np

from emollm.answers.words import label_words
from emollm.wheel import LEVEL1, VARIANTS, Shares, Wheels, lexicon, read_wheels
from eval.metrics.counts import Array
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured, to_array
from eval.metrics.overlaps import RULES, by_variant, counts_in, f_score, precision, recall, sums, to_line

SOURCE = "Lian et al. 2024, OV-MERD; MER2026 track 2"
OURS = "emollm: neutral and unknown words count, ties are shared"

MAX_SHOWN, MAX_CHARS = 5, 40
"""Unknown words that a notice shows, and how long each may be."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add --wheel."""
    parser.add_argument(
        "--wheel",
        type=lambda text: read_wheels(Path(text)),
        metavar="FILE",
        help="emotion-wheel tables that open labels are compared with, as `emollm wheel` writes them "
        "(default: emollm's own lexicon, not comparable with published numbers)",
    )


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep |P ∩ G|, |P| and |G| of each variant, by both rules."""
    counted = [case for case in cases if case.sample.labels is not None]
    if not counted:
        return Measured([None] * len(cases))
    wheels: Wheels = context.options.wheel or lexicon()
    shares = Shares(wheels)
    lines: list[Line | None] = []
    details: list[dict[str, list[str]] | None] = []
    for case in cases:
        gold, said = case.sample.labels, label_words(case.score.answer)
        if gold is None:
            lines.append(None)
            details.append(None)
            continue
        lines.append(
            to_line(wheels.overlaps(said.published, gold, VARIANTS), shares.overlaps(said.words, gold, VARIANTS))
        )
        details.append({"gold": gold, "said": list(said.words), "unknown": unknown(said.words, wheels)})
    known = to_array([line for line in lines if line is not None])
    notices = [about_tables(wheels), *skipped(known, wheels), *said_notices(counted, wheels)]
    return Measured(lines, pins(wheels), details, notices)


def unknown(words: Sequence[str], wheels: Wheels) -> list[str]:
    """Return the words that no table knows as they are written."""
    return [word for word in words if word.strip().lower() not in wheels.forms]


def pins(wheels: Wheels) -> dict[str, str]:
    """Return what numbers on these tables depend on."""
    return {"wheel": wheels.sha256}


def about_tables(wheels: Wheels) -> str:
    """Say which tables words are compared with."""
    if wheels is lexicon():
        return (
            "Open labels are compared in emollm's own lexicon, which has one wheel; "
            "for numbers comparable with published ones, give --wheel FILE."
        )
    return f"Open labels are compared in the tables of {wheels.name} (sha256 {wheels.sha256[:12]})."


def skipped(lines: Array, wheels: Wheels, variants: Sequence[str] = VARIANTS) -> list[str]:
    """Say how many samples (n, D) the published rule leaves out."""
    num_gold = by_variant(lines)[:, 0, [variants.index(one) for one in wheels.variants if one in variants], 2]
    left_out = np.sum(num_gold == 0, axis=0)  # a variant
    least, most = int(left_out.min()), int(left_out.max())
    if not most:
        return []
    span, by = (f"{most:,}", "") if least == most else (f"{least:,} to {most:,}", ", by variant")
    return [
        f"The published rule leaves out samples whose gold is in no table: {span} of {len(lines):,}{by}. "
        "The corrected one counts them, unless their gold is empty."
    ]


def said_notices(cases: Sequence[Case], wheels: Wheels) -> list[str]:
    """Say how many answers are missing, name nothing, or are prose, and which of their words no table knows."""
    said = [label_words(case.score.answer) for case in cases]
    missing = sum(case.prediction is None for case in cases)
    silent = sum(not one.words for one in said) - missing
    prose = sum(bool(one.words) and not one.is_list for one in said)
    strange = Counter(word for one in said for word in unknown(one.published, wheels))
    words, of_all = sum(len(one.published) for one in said), f"of {len(cases):,}"
    most = sorted(strange, key=lambda word: (-strange[word], word))[:MAX_SHOWN]
    shown = ", ".join(f"'{shorten(word, MAX_CHARS)}'" for word in most)
    counts = [
        (missing, f"Samples without a prediction, which have precision and recall 0: {missing:,} {of_all}."),
        (silent, f"Answers that name no label, which have precision and recall 0: {silent:,} {of_all}."),
        (prose, f"Answers in prose, of which only known emotion words are read: {prose:,} {of_all}."),
        (
            strange.total(),
            f"Predicted words that no table knows: {strange.total():,} of {words:,}, such as {shown}; they are free by "
            "the published rule, and cost precision by the corrected one.",
        ),
    ]
    return [text for count, text in counts if count]


PARTS: dict[str, tuple[str, Callable[..., Array], str]] = {
    "f": ("F", f_score, "harmonic mean of mean precision and mean recall"),
    "precision": ("precision", precision, "mean share of the predicted categories that are gold"),
    "recall": ("recall", recall, "mean share of the gold categories that are predicted"),
}


def _metrics() -> dict[str, FamilyMetric]:
    """Name the official score of both rules, then the mean of all variants, then each variant by itself."""
    official = [VARIANTS.index(variant) for variant in LEVEL1]
    found = {
        f"wheel_{rule}{part}": _metric(rule, part, "", official, "averaged over the level-1 categories of the wheels")
        for rule in RULES
        for part in PARTS
    }
    every = range(len(VARIANTS))
    found |= {
        f"wheel_{rule}mean_f": _metric(rule, "f", "mean of all variants", every, "averaged over all variants")
        for rule in RULES
    }
    for rule in RULES:
        for place, variant in enumerate(VARIANTS):
            for part in PARTS:
                found[f"wheel_{rule}{variant}_{part}"] = _metric(rule, part, variant, [place], f"in {variant}")
    return found


def _metric(rule: str, part: str, name: str, variants: Sequence[int], where: str) -> FamilyMetric:
    title, function, text = PARTS[part]
    place, notes = RULES.index(rule), ", ".join(filter(None, ["corrected" if rule else "", name]))
    return FamilyMetric(
        title=f"Wheel {title} ({notes})" if notes else f"Wheel {title}",
        definition=f"{text[0].upper()}{text[1:]}, {where}{' (ties shared, no word free)' if rule else ''}.",
        function=partial(function, rule=place, variants=variants),
        source=OURS if rule else SOURCE,
        is_headline=name == "" and part == "f",
        is_detail=name != "",
        counts_in=partial(counts_in, rule=place, variants=variants),
    )


FAMILY = Family(
    name="wheel",
    title="Open vocabulary on emotion wheels",
    about="Predicted and gold words are compared in the categories of emotion wheels, by the published rule and by one "
    "in which neutral counts, unknown words cost precision, and ties are shared.",
    measure=measure,
    sums=sums,
    metrics=_metrics(),
    add_arguments=add_arguments,
)
