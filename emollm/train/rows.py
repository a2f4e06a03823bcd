"""Rows: what a sample teaches, as one question and one answer per answer style.

    rows, refused = make_rows(samples, root, Mixture({"label": 3, "sections": 1}))

A mixture says how many rows each style gets from a sample: ExpLLM's published mixture is three bare labels to one
explanation. A fraction takes that share of the samples, always the same ones.

A sample without a picture, as a file of AUs gives them, is asked about in words: what was measured stands in the
question. A clip is not, as its explanation tells what happened when.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from emollm.answers import STYLES, render
from emollm.errors import ConfigError, SourceError, did_you_mean
from emollm.labels import canonical, check_label_set
from emollm.pictures import check_sample_picture, is_clip, of_clip
from emollm.prompts import ask, language_of, measured_aus, num_variants
from emollm.records import Sample, media_path
from emollm.scoring import main_face
from emollm.train.refused import BAD_PICTURE, CLIP, Refused

BARE = ("label", "labels")
"""Styles that need no reasoning."""
UNNAMED = "observations"
"""The style that needs no label."""
TEXT_ALONE = (
    "qwen2_vl",
    "qwen2_5_vl",
    "qwen3_vl",
    "idefics3",
    "smolvlm",
    "llava",
    "llava_onevision",
    "internvl",
    "gemma3",
)
"""Model types that read rows without a picture, and batches of both. PaliGemma's processor wants one in each."""


class Row(NamedTuple):
    """One question about one picture, or about what was measured in it, and the answer to learn."""

    id: str
    picture: str | None
    style: str
    question: str
    answer: str

    @property
    def images(self) -> list[str]:
        """The picture as a list of one or none, which is the form in which TRL's data sets have pictures."""
        return [] if self.picture is None else [self.picture]


class Mixture(NamedTuple):
    """How many rows a sample gives in each style, in which label set, and in which order they are seen."""

    styles: Mapping[str, float]
    label_set: str | None = None
    label_first: bool = False
    """All bare labels come before the first explanation, as `LabelsFirst` wants it; otherwise they are shuffled in."""
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


def make_rows(
    samples: Iterable[Sample], root: Path, mixture: Mixture, takes_text: bool = True
) -> tuple[list[Row], Refused]:
    """Return the rows in the order of training, and which samples were refused for which reason.

    Order and choices depend on the seed and the ids alone. Without `takes_text`, each row needs a picture.
    """
    rows: list[Row] = []
    refused = Refused()
    for sample in samples:
        if is_clip(sample):
            refused.add(sample.id, CLIP, of_clip(sample))
            continue
        if reason := _why_not(sample, mixture, takes_text):
            refused.add(sample.id, reason)
            continue
        try:
            check_sample_picture(sample, root)
        except SourceError as error:
            refused.add(sample.id, BAD_PICTURE, str(error))
            continue
        rows += _rows_of(sample, root, mixture)
    rows.sort(key=lambda row: row.id)
    random.Random(mixture.seed).shuffle(rows)
    if mixture.label_first:
        rows.sort(key=lambda row: row.style not in BARE)
    return rows, refused


def _why_not(sample: Sample, mixture: Mixture, takes_text: bool) -> str | None:
    """Return why a sample cannot teach anything, whatever its picture is, in one word."""
    if not _is_shown(sample) and (sample.media is not None or sample.events or _measured(sample) is None):
        return "no_picture"
    if not _is_shown(sample) and not takes_text:
        return "model_needs_picture"
    is_named = _label(sample, mixture) is not None or (sample.labels and "labels" in mixture.styles)
    if not is_named and UNNAMED not in mixture.styles:
        return "no_label"
    if sample.reasoning is None and not (is_named and any(style in BARE for style in mixture.styles)):
        return "no_reasoning"
    return None


def _is_shown(sample: Sample) -> bool:
    return sample.media is not None and sample.media.kind == "image"


def _measured(sample: Sample) -> str | None:
    """Return the AUs of the face that the sample is about, in words."""
    face = main_face(sample)
    return None if face is None else measured_aus(face)


def _label(sample: Sample, mixture: Mixture) -> str | None:
    """Return the sample's label in the words of the label set; None where the set has no such word."""
    if sample.label is None:
        return None
    label_set = mixture.label_set or sample.label_set
    check_label_set(label_set, f"sample '{sample.id}': label_set")
    return canonical(sample.label, label_set) if label_set else sample.label


def _rows_of(sample: Sample, root: Path, mixture: Mixture) -> list[Row]:
    rows = []
    path = media_path(sample, root)
    about: dict[str, Any] = {"language": language_of(sample)}
    if path is None:
        about |= {"kind": None, "measured": _measured(sample)}
    for style, share in mixture.styles.items():
        answer = _answer(sample, style, mixture)
        if answer is None:
            continue
        for copy in range(_copies(sample.id, style, share, mixture.seed)):
            variant = draw(mixture.seed, sample.id, style, copy) % num_variants(style)
            question = ask(style, mixture.label_set or sample.label_set, variant, sample.text, **about)
            rows.append(Row(sample.id, None if path is None else str(path), style, question, answer))
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
