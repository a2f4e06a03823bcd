"""A mode of the judge: what is asked about one explanation, and the numbers that its verdicts give."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from eval.judge.asking import Judge, Judged, Subject
from eval.judge.wording import as_data


class Number(NamedTuple):
    """A number that votes are counted in."""

    title: str
    definition: str
    low: float
    high: float
    step: float | None = None
    """Between the values that a vote can have; None: any share."""
    silent: float | None = 0.0
    """What a model has that said nothing; None: nothing can be said."""
    better: Literal["higher", "lower", ""] = "higher"
    source: str = ""
    is_headline: bool = False


class Mode(NamedTuple):
    """A way of judging."""

    numbers: Mapping[str, Number]
    """The first one is what human scores are compared with, unless they name another."""
    judge: Callable[[Judge, Subject], Coroutine[Any, Any, Judged]]
    prompts: tuple[str, ...]
    language: str
    """Of the prompts, where none is asked for."""
    typical: Mapping[str, str]
    """Prompt to an answer of usual length, from which the cost of a run is estimated."""


def silent(mode: Mode, samples: int) -> Judged:
    """Return what a model has that said nothing; every verdict would be the same."""
    return Judged({name: [number.silent] * samples for name, number in mode.numbers.items()})


def tell_transcript(judge: Judge, subject: Subject) -> str:
    """Return what the person said as part of a prompt; empty where it is not known."""
    text = subject.transcript
    return judge.prompts.fill("transcript", transcript=as_data(text)) + "\n" if text and text.strip() else ""


# --- schemas ----------------------------------------------------------------------------------------------------------

TEXT = {"type": "string"}
"""A schema of any text."""


def schema(**properties: object) -> str:
    """Return a strict JSON schema of an object, as canonical JSON."""
    whole = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False)


def one_of(words: Sequence[str]) -> dict[str, Any]:
    """Return the schema of one of some words."""
    return {"type": "string", "enum": list(words)}


SENTENCE = "The clues named on both sides agree but for one that the prediction leaves out."
"""Of the usual length, where the cost of a run is estimated."""
