"""Rows: what a sample teaches, as one question and one answer per answer style.

    rows, refused = make_rows(samples, root, Mixture({"label": 3, "sections": 1}))

A mixture says how many rows each style gets from a sample: ExpLLM's published mixture is three bare labels to one
explanation. A fraction takes that share of the samples, always the same ones.
"""

from __future__ import annotations

import hashlib
import random
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from emollm.answers import STYLES, render
from emollm.errors import ConfigError, SourceError, did_you_mean
from emollm.labels import canonical
from emollm.pictures import check_picture
from emollm.prompts import ask, num_variants
from emollm.records import Sample, media_path
from emollm.train.run import is_first_process

BARE = ("label", "labels")
"""Styles that need no reasoning."""
UNNAMED = "observations"
"""The style that needs no label."""


class Row(NamedTuple):
    """One question about one picture, and the answer to learn."""

    id: str
    picture: str
    style: str
    question: str
    answer: str


class Mixture(NamedTuple):
    """How many rows a sample gives in each style, in which label set, and in which order they are seen."""

    styles: Mapping[str, float]
    label_set: str | None = None
    label_first: bool = False
    """All bare labels come before the first explanation; otherwise the rows are shuffled together."""
    seed: int = 0


def check_styles(styles: Mapping[str, float]) -> None:
    """Raise ConfigError unless every style is known, no share is negative and one is positive."""
    for style, share in styles.items():
        if style not in STYLES:
            raise ConfigError(f"styles: '{style}' is not known{did_you_mean(style, STYLES)}; {', '.join(STYLES)}")
        if share < 0:
            raise ConfigError(f"styles.{style}: {share:g} is negative; give the number of rows per sample")
    if not any(styles.values()):
        raise ConfigError("styles: every share is 0; for example {label: 3, sections: 1}")


def make_rows(samples: Iterable[Sample], root: Path, mixture: Mixture) -> tuple[list[Row], Counter[str]]:
    """Return the rows in the order of training, and how many samples were refused for which reason.

    Order and choices depend on the seed and the ids alone.
    """
    rows: list[Row] = []
    refused: Counter[str] = Counter()
    for sample in samples:
        reason = _why_not(sample, root, mixture)
        if reason:
            refused[reason] += 1
            continue
        rows += _rows_of(sample, root, mixture)
    rows.sort(key=lambda row: row.id)
    random.Random(mixture.seed).shuffle(rows)
    if mixture.label_first:
        rows.sort(key=lambda row: row.style not in BARE)
    return rows, refused


def say_refused(path: Path, refused: Counter[str], what: str = "samples") -> None:
    """Say on stderr how many samples of a file were left out, and why."""
    if refused and is_first_process():
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in refused.most_common())
        print(f"{path}: {sum(refused.values()):,} {what} left out ({reasons})", file=sys.stderr)


def _why_not(sample: Sample, root: Path, mixture: Mixture) -> str | None:
    """Return why a sample cannot teach anything, in one word."""
    if sample.media is None or sample.media.kind != "image":
        return "no_picture"
    is_named = _label(sample, mixture) is not None or (sample.labels and "labels" in mixture.styles)
    if not is_named and UNNAMED not in mixture.styles:
        return "no_label"
    if sample.reasoning is None and not (is_named and any(style in BARE for style in mixture.styles)):
        return "no_reasoning"
    try:
        check_picture(_picture(sample, root))
    except SourceError:
        return "bad_picture"
    return None


def _picture(sample: Sample, root: Path) -> Path:
    path = media_path(sample, root)
    assert path is not None
    return path


def _label(sample: Sample, mixture: Mixture) -> str | None:
    """Return the sample's label in the words of the label set; None where the set has no such word."""
    if sample.label is None:
        return None
    label_set = mixture.label_set or sample.label_set
    return canonical(sample.label, label_set) if label_set else sample.label


def _rows_of(sample: Sample, root: Path, mixture: Mixture) -> list[Row]:
    rows = []
    picture = str(_picture(sample, root))
    for style, share in mixture.styles.items():
        answer = _answer(sample, style, mixture)
        if answer is None:
            continue
        for copy in range(_copies(sample.id, style, share, mixture.seed)):
            variant = draw(mixture.seed, sample.id, style, copy) % num_variants(style)
            question = ask(style, mixture.label_set or sample.label_set, variant, sample.text)
            rows.append(Row(sample.id, picture, style, question, answer))
    return rows


def _answer(sample: Sample, style: str, mixture: Mixture) -> str | None:
    """Return what the sample teaches in a style; None where it lacks what the style needs."""
    if style == "labels":
        return ", ".join(sample.labels) if sample.labels else None
    label = _label(sample, mixture)
    if label is None and style != UNNAMED:
        return None
    if style == "label":
        return render(style, label, None)
    return None if sample.reasoning is None else render(style, label, sample.reasoning, context=sample.text)


def _copies(sample_id: str, style: str, share: float, seed: int) -> int:
    """Round a share up for just that part of the samples which makes the mean come out right."""
    whole = int(share)
    chance = draw(seed, sample_id, style, "share") % 10_000 / 10_000
    return whole + (chance < share - whole)


def draw(*key: object) -> int:
    """Return a number from 0 to 2⁶⁴ - 1 that looks random and follows from the key alone."""
    digest = hashlib.sha256("\0".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:8], "big")
