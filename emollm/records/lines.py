"""Lines: records in JSON Lines files, read one at a time, with errors that a person can act on.

    for sample in read_records(path, Sample):
        ...

An error reads `file:line: field: what is wrong; did you mean …`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast, get_args

import msgspec

from emollm.errors import EmoLLMError, RecordError, did_you_mean
from emollm.records.ids import Ids
from emollm.records.types import (
    AU,
    AUKind,
    Detector,
    Event,
    Face,
    Keyed,
    Media,
    MediaKind,
    Prediction,
    Reasoning,
    Record,
    Region,
    Sample,
)

R = TypeVar("R", bound=Keyed)


class BadLine(NamedTuple):
    """A line that is no record: where it is, why, and what it says."""

    path: Path
    line: int
    reason: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a line can make the decoder raise; RecursionError comes from brackets nested without end."""


def encode(record: Record) -> bytes:
    """Return the record as one JSON line, without the newline."""
    return msgspec.json.encode(record)


def decode(line: bytes | str, record_type: type[R]) -> R:
    """Parse one JSON line. Raises RecordError with `field: what is wrong`."""
    try:
        return msgspec.json.decode(line, type=record_type)
    except UNREADABLE as error:
        raise RecordError(_explain(error, line)) from None


def read_records(
    path: Path, record_type: type[R], bad: Callable[[BadLine], None] | None = None, ids: Ids | None = None
) -> Iterator[R]:
    """Yield the records of a JSONL file, one line in memory at a time.

    A malformed line or a repeated id goes to `bad`; without it, it raises RecordError. `ids` is filled on the way.
    """
    decoder = msgspec.json.Decoder(record_type)
    ids = Ids(path) if ids is None else ids
    for number, (offset, line) in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
            first = ids.put(record.id, number, offset)
            reason = "" if first is None else f"id: '{record.id}' is already on line {first}"
        except UNREADABLE as error:
            reason = _explain(error, line)
        if reason:
            problem = BadLine(path, number, reason, line.decode("utf-8", "replace").rstrip("\n"))
            if bad is None:
                raise RecordError(str(problem))
            bad(problem)
            continue
        yield record


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each line with the byte that it begins at."""
    offset = 0
    try:
        with path.open("rb") as file:
            for line in file:
                yield offset, line if offset else line.removeprefix(b"\xef\xbb\xbf")
                offset += len(line)
    except OSError as error:
        raise EmoLLMError(f"{path}: cannot be read: {error.strerror}") from None


_AT = re.compile(r" - at `\$\.?(?P<field>.*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*?)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>.*?)`")
_NO_WORD = re.compile(r"Invalid enum value '(?P<word>.*)'")
WORDS = (*get_args(AUKind), *get_args(MediaKind), *get_args(Region))


def _explain(error: Exception, line: bytes | str) -> str:
    """Turn a decoder's message into `field: what is wrong; did you mean …`."""
    if isinstance(error, RecursionError):
        return "nested too deeply to be a record; remove it"
    raw = line.encode() if isinstance(line, str) else line
    if isinstance(error, UnicodeDecodeError) or b"\0" in raw:
        return "not UTF-8; save the file as UTF-8"
    message = str(error)
    at = _AT.search(message)
    field, message = (at["field"], message[: at.start()]) if at else ("", message)
    if not isinstance(error, msgspec.ValidationError):
        what = "the line is cut off" if "truncated" in message and not raw.endswith(b"\n") else f"not JSON ({message})"
        return f"{what}; write it again or remove it"
    if "[...]" in field:
        field = _name_key(field, raw)
    unknown, missing, no_word = _UNKNOWN.match(message), _MISSING.match(message), _NO_WORD.match(message)
    inner = f"{field}." if field else ""
    if unknown:
        return f"{inner}{unknown['name']}: unknown field{did_you_mean(unknown['name'], _other_fields(unknown['name']))}"
    if missing:
        return f"{inner}{missing['name']}: required field is missing"
    if no_word:
        known = did_you_mean(no_word["word"].lower(), WORDS)
        return f"{field}: '{no_word['word']}' is not allowed here{known}"
    return f"{field or 'record'}: {message[0].lower()}{message[1:]}"


def _name_key(field: str, line: bytes) -> str:
    """Name the AU that the decoder calls `[...]`: the first one of that face that is no valid AU."""
    place = re.match(r"faces\[(\d+)\]\.aus\[\.\.\.\]", field)
    if place is None:
        return field
    aus = msgspec.json.decode(line)["faces"][int(place[1])]["aus"]
    for name, value in aus.items():
        try:
            msgspec.convert(value, AU)
        except msgspec.ValidationError:
            return field.replace("[...]", f".{name}", 1)
    return field


def _other_fields(name: str) -> set[str]:
    """All field names of the records but this one, for suggestions."""
    records = (Sample, Prediction, Media, Face, AU, Event, Reasoning, Detector)
    return {field for record in records for field in record.__struct_fields__} - {name}


def to_json(record: Record) -> dict[str, Any]:
    """Return the record as plain JSON values."""
    return cast(dict[str, Any], json.loads(encode(record)))
