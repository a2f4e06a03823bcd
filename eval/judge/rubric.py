"""Rubrics: judge families of the field that rate an explanation on scales, each a file in `rubrics/`.

    {"name": "fea", "title": "FEA-20K agreement", "source": "Facial-R1 …", "scale": [1, 10],
     "questions": [{"name": "agreement", "title": "Agreement with gold", "question": "How far does …?"}]}

A new rubric is a file; its numbers are `NAME_QUESTION`, in the family NAME of `--metrics`. One call asks all questions
of a rubric, shows gold, transcript and explanation as data, and is answered with one typed number for each.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path

import msgspec

from eval.judge.asking import Judge, Judged, Subject
from eval.judge.mode import SENTENCE, TEXT, Mode, Number, schema, silent, tell_transcript
from eval.judge.reading import read_ratings
from eval.judge.wording import as_data

FOLDER = Path(__file__).parent / "rubrics"


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One scale of a rubric."""

    name: str
    title: str
    question: str
    """What the judge is asked."""


class Rubric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of `rubrics/`."""

    name: str
    title: str
    source: str
    scale: tuple[int, int]
    questions: tuple[Question, ...]
    about: str = ""


def read_rubrics(folder: Path = FOLDER) -> list[Rubric]:
    """Return the rubrics by name."""
    return [msgspec.json.decode(path.read_bytes(), type=Rubric) for path in sorted(folder.glob("*.json"))]


def mode_of(rubric: Rubric) -> Mode:
    """Return the mode that rates on a rubric's scales."""
    low, high = rubric.scale
    numbers = {
        f"{rubric.name}_{one.name}": Number(
            one.title, f"{one.question} {low} to {high}; mean over samples.", low, high, 1, low,
            source=rubric.source, is_headline=True,
        )
        for one in rubric.questions
    }  # fmt: skip
    typical = json.dumps({"because": SENTENCE, **{one.name: high for one in rubric.questions}})
    return Mode(
        numbers, partial(judge_by_rubric, rubric), ("rule", "again", "rubric", "transcript"), "en", {"rubric": typical}
    )


async def judge_by_rubric(rubric: Rubric, judge: Judge, subject: Subject) -> Judged:
    """Get a number on each scale."""
    samples = judge.settings.samples
    if subject.is_silent:
        return silent(mode_of(rubric), samples)
    names = [one.name for one in rubric.questions]
    low, high = rubric.scale
    number = {"type": "integer", "enum": list(range(low, high + 1))}
    verdicts = await asyncio.gather(
        *(
            judge.ask(
                "rubric",
                lambda text: read_ratings(text, names, low, high),
                index=index,
                schema=schema(because=TEXT, **dict.fromkeys(names, number)),
                gold=as_data(subject.gold),
                transcript=tell_transcript(judge, subject),
                prediction=as_data(subject.said or ""),
                questions="\n".join(f"{one.name}: {one.question}" for one in rubric.questions),
                scale=f"{low}, {high}",
                form=json.dumps({"because": "…", **dict.fromkeys(names, f"{low}|…|{high}")}, ensure_ascii=False),
            )
            for index in range(samples)
        )
    )
    votes = {f"{rubric.name}_{name}": [None if one is None else one[name] for one in verdicts] for name in names}
    return Judged(votes, samples, sum(one is not None for one in verdicts), detail={"ratings": verdicts})
