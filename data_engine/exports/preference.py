"""Preference pairs: the text that passed every check, and one that a check refused, for the same face.

    data.jsonl          {"prompt": [...], "chosen": [...], "rejected": [...], "images": [...], "problems": [...]}; TRL
    data.json           {"conversations": [...], "chosen": {...}, "rejected": {...}, "images": [...]}; LLaMA-Factory
    dataset_info.json   with "ranking": true

The refused texts are those in `provenance.generate.attempts`, whatever teacher wrote them. A pair compares like with
like, so that a model learns what holds of the face and not which form was kept: a refused text in sections or tags
stands against the kept one in that form, refused observations against the kept observations, plain prose against prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from data_engine.exports.chats import (
    COLUMNS,
    asked,
    said,
    turn_asked,
    turn_said,
    write_dataset_info,
)
from data_engine.exports.files import by_kind, json_array, json_lines
from data_engine.exports.turns import Refusal, Row, Wording, context, missing, prose, question_about, reserved_in
from emollm.answers import parse, render
from emollm.cards.origin import generated
from emollm.records import Reasoning, Sample

STAGES = {None: "", "describe": "observations", "write": "", "refine": "", "repair": ""}
"""Stages of a teacher whose refused text is wrong about the face: the observations alone, or the whole explanation.

A description that was refused because it was read as another label (`infer`) may be true: it is not the worse text."""

NOTES = (
    "The better text passed every check; the worse one was written for the same face and refused, for the reasons in "
    "`problems`. Both of a pair have the same form: whole texts, or observations alone. Nobody judged the pairs.",
)

MAX_CHARACTERS = 10_000
"""A longer text is no explanation that went wrong."""

_CONTROL = re.compile(r"<\|[^|<>\n]{1,40}\|>")
"""Control tokens of chat templates: in a text they would end the turn of the model that learns from it."""

_CUT = re.compile(r"… \([\d,]+ characters\)$")
"""How `generate` ends a text that it kept no more than the beginning of."""

_NO_PROSE = re.compile(r"\s*(?:[{\[<]|```)")
"""JSON, HTML or code in place of sentences."""


class Attempt(NamedTuple):
    """A refused text, which one it was, and why it was refused."""

    number: int
    text: str
    stage: str | None
    problems: tuple[str, ...]


def pairs(sample: Sample, wording: Wording) -> Iterator[Row | Refusal]:
    """Yield a row for every refused attempt of the sample that can be compared with its text."""
    if sample.reasoning is None:
        yield Refusal("no_reasoning")
        return
    attempts = list(_attempts(generated(sample).get("attempts")))
    if not attempts:
        yield Refusal("no_attempts")
        return
    seen: set[str] = set()
    for attempt in attempts:
        if isinstance(attempt, Attempt) and attempt.text in seen:
            continue
        one = _pair(sample, sample.reasoning, attempt, wording) if isinstance(attempt, Attempt) else attempt
        if isinstance(one, Row):
            seen.add(one.rejected)
        yield one


def _attempts(told: object) -> Iterator[Attempt | Refusal]:
    """Read what a teacher remembered, which may be anything."""
    for number, entry in enumerate(told if isinstance(told, list) else (), start=1):
        text = entry.get("text") if isinstance(entry, dict) else None
        if not isinstance(text, str) or not text.strip():
            yield Refusal("no_attempt_text", f"attempt {number} has no text")
            continue
        stage, problems = entry.get("stage"), entry.get("problems")
        listed = tuple(str(problem) for problem in problems) if isinstance(problems, list) else ()
        yield Attempt(number, text.strip(), None if stage is None else str(stage), listed)


def _pair(sample: Sample, kept: Reasoning, attempt: Attempt, wording: Wording) -> Row | Refusal:
    """Put an attempt beside the kept text in the same form, or say why that cannot be."""
    where = f"attempt {attempt.number}"
    style = _style(attempt)
    if isinstance(style, Refusal):
        return style._replace(detail=f"{where}: {style.detail}")
    lack = missing(sample, style) if style in ("think", "context") else None
    if lack:
        return lack._replace(detail=where)
    chosen = _chosen(sample, kept, style)
    if " ".join(chosen.split()) == " ".join(attempt.text.split()):
        return Refusal("same_text", f"{where} is the text that was kept")
    question = question_about(sample, style, wording)
    row = Row(sample, question, chosen, sample.label or ", ".join(sample.labels or ()))
    row = row._replace(rejected=attempt.text, attempt=attempt.number, problems=attempt.problems)
    return reserved_in(question, chosen, attempt.text) or row


def _style(attempt: Attempt) -> str | Refusal:
    """Return the form of a refused text, as `emollm.prompts` calls it."""
    if attempt.stage not in STAGES:
        return Refusal("other_stage", f"a text of the stage '{attempt.stage}' need not be wrong about the face")
    if len(attempt.text) > MAX_CHARACTERS or _CUT.search(attempt.text):
        return Refusal("too_long", "a teacher that did not stop")
    if control := _CONTROL.search(attempt.text):
        return Refusal("control_token", f"the text holds {control[0]}")
    if STAGES[attempt.stage]:
        style = STAGES[attempt.stage]
    else:
        found = parse(attempt.text).style
        style = found if found in ("sections", "think", "context") else "prose"
    if style in ("prose", "observations") and _NO_PROSE.match(attempt.text):
        return Refusal("no_prose", "the text is markup or data")
    return style


def _chosen(sample: Sample, kept: Reasoning, style: str) -> str:
    """Return the kept text in a form."""
    if style == "observations":
        return " ".join(kept.observations.split())
    if style == "prose":
        return prose(kept)
    return render(style, sample.label or "", kept, context(sample))


def write_preference(rows: Iterable[Row], folder: Path) -> None:
    """Write both forms of every pair; pictures and clips apart."""
    with by_kind(folder, json_lines, ".jsonl") as for_trl, by_kind(folder, json_array, ".json") as for_llama_factory:
        for row in rows:
            media = {COLUMNS[row.kind]: [row.media]}
            for_trl[row.kind].write({**_told(row), **_trl(row), **media})
            for_llama_factory[row.kind].write({**_told(row), **_ranking(row), **media})
    columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"}
    write_dataset_info(folder, for_llama_factory, columns, ranking=True)


def _told(row: Row) -> dict[str, Any]:
    return {"id": row.id, "label": row.label, "attempt": row.attempt, "problems": list(row.problems)}


def _trl(row: Row) -> dict[str, Any]:
    return {"prompt": [asked(row)], "chosen": [said(row.answer)], "rejected": [said(row.rejected)]}


def _ranking(row: Row) -> dict[str, Any]:
    return {
        "conversations": [turn_asked(row)],
        "chosen": turn_said(row.answer),
        "rejected": turn_said(row.rejected),
    }
