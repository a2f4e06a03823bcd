"""Recognising a file of another harness, and making predictions of what it tells.

harness = recognise(path)                       # None: a file of ours
predictions = read_told(harness, path, samples, bad=keep)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emollm.errors import EmoLLMError, SourceError
from emollm.records import BadLine, Prediction, Sample
from eval.handoff import inspect_logs, lmms, vlmevalkit
from eval.handoff.joining import join
from eval.handoff.told import Harness, Keep, Told, is_writable, writable

MAX_PEEK = 1 << 22
"""Bytes of the first line that are looked at."""


def recognise(path: Path) -> Harness | None:
    """Tell which harness wrote a file; None: a file of records, or nothing that is known.

    Raises SourceError for a pickle, which is never opened.
    """
    suffix = path.suffix.lower()
    if suffix in (".pkl", ".pickle"):
        raise SourceError(f"{path}: is a pickle, which can run anything and is not opened; set PRED_FORMAT=tsv")
    if suffix == ".eval":
        return inspect_logs.HARNESS
    if suffix in (".xlsx", ".tsv"):
        return vlmevalkit.HARNESS
    if suffix == ".json" and (found := _document(path)) is not None:
        return inspect_logs.HARNESS if inspect_logs.is_log(found) else vlmevalkit.HARNESS
    return lmms.HARNESS if lmms.is_line(_first_line(path)) else None


def _document(path: Path) -> Any:
    """Return a JSON document of a known shape; None for any other file, JSON Lines too."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if inspect_logs.is_log(found) or vlmevalkit.is_table(found) else None


def _first_line(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            line = next((line for line in iter(lambda: file.readline(MAX_PEEK), b"") if line.strip()), b"")
        return json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (OSError, ValueError, RecursionError):
        return None


def read_told(harness: Harness, path: Path, samples: Sequence[Sample], bad: Keep) -> Iterator[Prediction]:
    """Yield a prediction for each answer of the file, with the id of its sample where there is one.

    Later answers to a document are passed over, and one that the harness could not get is no prediction: both are
    counted on stderr. What cannot be read, and a second document about a sample, goes to `bad`.

    Raises EmoLLMError where the documents are only numbered and nothing proves whose numbers these are.
    """
    try:
        everything = list(harness.read(path, bad))
    except OSError as error:
        raise EmoLLMError(f"{path}: cannot be read: {error.strerror or error}") from None
    documents: dict[tuple[str, ...], Told] = {}
    for one in everything:
        documents.setdefault(one.document, one)
    told = list(documents.values())
    ids = join(harness, path, told, samples)
    print(f"{path.name}: {_count(harness, told, len(everything) - len(told))}", file=sys.stderr)
    lines: dict[str, int] = {}
    for one in told:
        name = ids.get(one.line)
        if problem := _problem(harness, name, one, lines):
            bad(BadLine(path, one.line, problem, writable(one.completion or "")))
        elif name and one.completion is not None:
            yield Prediction(id=name, completion=one.completion, model=writable(one.model))
        lines.setdefault(name or "", one.line)


def _problem(harness: Harness, name: str | None, one: Told, lines: Mapping[str, int]) -> str:
    """Say what keeps an answer from being a prediction; empty: nothing does."""
    if not name:
        return f"id: is missing, which other answers have; {harness.cure}"
    if name in lines:
        return f"id: '{writable(name)}' is already on line {lines[name]}"
    if not is_writable(name + (one.completion or "")):
        return "holds half of a character (a surrogate by itself), which no file can; write it again or remove it"
    return ""


def _count(harness: Harness, told: Sequence[Told], num_repeats: int) -> str:
    """Say how many answers there are, and which of them do not count."""
    failed = sum(one.completion is None for one in told)
    parts = [f"{len(told):,} documents answered with {harness.name}"]
    parts += [f"{failed:,} of them without success, which count as missing"] * (failed > 0)
    parts += [f"{num_repeats:,} later answers to the same, which are passed over"] * (num_repeats > 0)
    return "; ".join(parts)
