"""Questions: what a policy is asked about each sample, and the check before the first step that they fit the model.

asked, refused = make_questions(samples, root, Asking("think", "basic7", seed=0))
check_questions(processor, [question for question, _ in asked], max_new_tokens=256, max_tokens=32768)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ConfigError, ModelError, SourceError
from emollm.pictures import check_sample_picture, is_clip, of_clip, open_picture
from emollm.prompts import Language, ask, language_of, num_variants
from emollm.records import Sample, media_path
from emollm.train.collate import num_image_tokens
from emollm.train.longest import longest
from emollm.train.refused import BAD_PICTURE, CLIP, Refused
from emollm.train.rows import draw
from emollm.vlm.turns import ask_about, encode_prompts


class Question(NamedTuple):
    """One question about one picture."""

    id: str
    picture: str
    variant: int
    """Which of the wordings was drawn."""
    question: str


class Asking(NamedTuple):
    """How samples are asked about."""

    style: str
    label_set: str | None = None
    """The choices in the question; each sample's own unless given."""
    seed: int = 0
    language: Language | None = None
    """Of question and answer; that of each sample's explanation unless given."""


def make_questions(
    samples: Iterable[Sample], root: Path, asking: Asking
) -> tuple[list[tuple[Question, Sample]], Refused]:
    """Return a question for each sample, and which samples were refused for which reason.

    The wording depends on the seed and the id alone.
    """
    asked: list[tuple[Question, Sample]] = []
    refused = Refused()
    for sample in samples:
        if is_clip(sample):
            refused.add(sample.id, CLIP, of_clip(sample))
            continue
        path = media_path(sample, root)
        if path is None:
            refused.add(sample.id, "no_picture")
            continue
        try:
            check_sample_picture(sample, root)
        except SourceError as error:
            refused.add(sample.id, BAD_PICTURE, str(error))
            continue
        asked.append((_question(sample, path, asking), sample))
    return asked, refused


def _question(sample: Sample, path: Path, asking: Asking) -> Question:
    variant = draw(asking.seed, sample.id, asking.style) % num_variants(asking.style)
    language = asking.language or language_of(sample)
    text = ask(asking.style, asking.label_set or sample.label_set, variant, sample.text, language=language)
    return Question(sample.id, str(path), variant, text)


def check_questions(
    processor: Any, questions: Sequence[Question], max_new_tokens: int, max_tokens: int | None = None
) -> None:
    """Encode the longest questions. Raises ConfigError that names the one that leaves no room for its answer."""
    room = None if max_tokens is None else max_tokens - max_new_tokens
    for question in longest(processor, questions, lambda question: question.question, room):
        where = f"sample '{question.id}' ({question.picture})"
        turn = ask_about(open_picture(Path(question.picture)), question.question)
        try:
            inputs = encode_prompts(processor, [turn])
        except (ValueError, RuntimeError, IndexError) as error:
            raise ConfigError(f"{where}: cannot be encoded: {' '.join(str(error).split())}") from None
        if num_image_tokens(processor, inputs) == 0:
            raise ModelError(f"{where}: the picture gives no tokens; the chat template drops it")
        num_tokens = inputs["input_ids"].shape[1] + max_new_tokens
        if max_tokens is not None and num_tokens > max_tokens:
            raise ConfigError(
                f"{where}: {num_tokens} tokens with max_completion_length, but the model reads {max_tokens}; "
                "lower max_completion_length or max_pixels"
            )
