"""The record: everything between two stages is JSON Lines of `Sample` or `Prediction`, keyed by `id`.

    for sample in read_records(path, Sample):
        ...

A stage fills fields and keeps the rest. `None` means not known; empty means known to be empty.
Unknown fields are refused, and an error reads `file:line: field: what is wrong; did you mean …`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, cast

import msgspec

from emollm.errors import EmoLLMError, RecordError, did_you_mean

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
Box = tuple[float, float, float, float]
AUKind = Literal["intensity", "probability", "presence"]

AU_RANGE: dict[str, float] = {"intensity": 5.0, "probability": 1.0, "presence": 1.0}
"""Largest value of each kind; the smallest is 0. Intensity is the FACS 0-5 scale (A = 1 … E = 5)."""

_AU_NAME = re.compile(r"AU\d\d")


class Record(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base of all records: strict about fields, silent about what is not known."""


class Media(Record):
    """The picture or clip. `path` is relative to the media root (the folder of the JSONL file unless another is named)
    and never leaves it."""

    kind: Literal["image", "video"]
    path: str
    sha256: str | None = None

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.path).parts
        if not parts or parts[0] == "/" or ".." in parts or "\\" in self.path or "\0" in self.path:
            raise ValueError(f"path '{self.path}' must be relative, with '/' and without '..'")


class AU(Record):
    """One action unit. `left` and `right` are the subject's own sides, on the same scale as `value`.

    Where the sides differ, `value` is the stronger side. Kinds are never mixed or converted.
    """

    value: float
    kind: AUKind
    left: float | None = None
    right: float | None = None

    def __post_init__(self) -> None:
        top = AU_RANGE[self.kind]
        for value in (self.value, self.left, self.right):
            if value is not None and not 0.0 <= value <= top:
                raise ValueError(f"{self.kind} {value!r} is outside 0 to {top:g}")


class Detector(Record):
    """Who measured the AUs, precisely enough to find it again."""

    name: str
    version: str | None = None
    weights: str | None = None


class Face(Record):
    """One face at one moment. A missing AU was not measured; it is not absent."""

    face: str = "0"
    frame: int | None = None
    time_s: float | None = None
    box: Box | None = None
    """x, y, width, height in pixels."""
    confidence: float | None = None
    aus: dict[str, AU] | None = None
    hidden: list[str] | None = None
    """Regions of the face that cannot be seen; see `facs.REGIONS`."""
    detector: Detector | None = None

    def __post_init__(self) -> None:
        for name in self.aus or ():
            if not _AU_NAME.fullmatch(name):
                digits = re.sub(r"\D", "", name)
                hint = f"; did you mean 'AU{int(digits):02d}'?" if digits else ""
                raise ValueError(f"'{name}' is not an AU name such as 'AU04'{hint}")


class Event(Record):
    """The course of one AU in a clip: times in seconds, `peak` on the scale of the AU's kind."""

    au: str
    onset_s: float
    apex_s: float
    offset_s: float
    peak: float
    face: str = "0"


class Reasoning(Record):
    """The three sections of an explanation."""

    observations: str
    interpretation: str
    conclusion: str


class Sample(Record):
    """What is known about one face, image or clip."""

    id: Id
    media: Media | None = None
    subject: str | None = None
    split: str | None = None
    groups: dict[str, str] | None = None
    """Attributes for disaggregated reports, for example {"age": "60+"}."""
    text: str | None = None
    """Transcript or subtitle."""
    faces: list[Face] | None = None
    events: list[Event] | None = None
    label_set: str | None = None
    label: str | None = None
    labels: list[str] | None = None
    """Open vocabulary."""
    soft: dict[str, float] | None = None
    """A distribution over the label set; sums to 1."""
    valence: float | None = None
    arousal: float | None = None
    reasoning: Reasoning | None = None
    provenance: dict[str, dict[str, Any]] | None = None
    """Stage name to what that stage wants remembered."""

    def __post_init__(self) -> None:
        for name in ("valence", "arousal"):
            value = getattr(self, name)
            if value is not None and not -1.0 <= value <= 1.0:
                raise ValueError(f"{name} {value!r} is outside -1 to 1")
        if self.soft is not None and not math.isclose(sum(self.soft.values()), 1.0, abs_tol=1e-3):
            raise ValueError(f"soft sums to {sum(self.soft.values()):.4g}, not to 1")


class Prediction(Record):
    """What a model said about a sample, verbatim, and how it was asked."""

    id: Id
    completion: str
    model: str
    prompt: str | None = None
    style: str | None = None
    """The answer style that was asked for; see `answers.STYLES`."""
    sampling: dict[str, Any] | None = None
    seconds: float | None = None


R = TypeVar("R", Sample, Prediction)


class BadLine(NamedTuple):
    """A line that is no record: where it is, why, and what it says."""

    path: Path
    line: int
    reason: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


def encode(record: Record) -> bytes:
    """Return the record as one JSON line, without the newline."""
    return msgspec.json.encode(record)


def decode(line: bytes | str, record_type: type[R]) -> R:
    """Parse one JSON line. Raises RecordError with `field: what is wrong`."""
    try:
        return msgspec.json.decode(line, type=record_type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError(_explain(error, line, record_type)) from None


def read_records(path: Path, record_type: type[R], bad: Callable[[BadLine], None] | None = None) -> Iterator[R]:
    """Yield the records of a JSONL file, one line in memory at a time.

    A malformed line or a repeated id goes to `bad`; without it, it raises RecordError.
    """
    decoder = msgspec.json.Decoder(record_type)
    first_line: dict[str, int] = {}
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
            reason = f"id: '{record.id}' is already on line {first_line[record.id]}" if record.id in first_line else ""
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            reason = _explain(error, line, record_type)
        if reason:
            problem = BadLine(path, number, reason, line.decode("utf-8", "replace").rstrip("\n"))
            if bad is None:
                raise RecordError(str(problem))
            bad(problem)
            continue
        first_line[record.id] = number
        yield record


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file):
                yield line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
    except OSError as error:
        raise EmoLLMError(f"{path}: cannot be read: {error.strerror}") from None


_AT = re.compile(r" - at `\$\.?(?P<field>.*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*?)`")


def _explain(error: Exception, line: bytes | str, record_type: type) -> str:
    """Turn a decoder's message into `field: what is wrong; did you mean …`."""
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 (byte {error.start}); save the file as UTF-8"
    message = str(error)
    at = _AT.search(message)
    field, message = (at["field"], message[: at.start()]) if at else ("", message)
    unknown = _UNKNOWN.match(message)
    if unknown:
        name = unknown["name"]
        field = f"{field}.{name}" if field else name
        return f"{field}: unknown field{did_you_mean(name, _field_names(record_type) - {name})}"
    if not isinstance(error, msgspec.ValidationError):
        torn = not bytes(line, "utf-8").endswith(b"\n") if isinstance(line, str) else not line.endswith(b"\n")
        what = "the line is cut off" if torn and "truncated" in message else f"not JSON ({message})"
        return f"{what}; write it again or remove it"
    missing = re.match(r"Object missing required field `(.*?)`", message)
    if missing:
        return f"{field + '.' if field else ''}{missing[1]}: required field is missing"
    return f"{field or 'record'}: {message[0].lower()}{message[1:]}"


def _field_names(record_type: type) -> set[str]:
    """All field names of a record and the records inside it, for suggestions."""
    names: set[str] = set()
    for struct in (record_type, Media, Face, AU, Event, Reasoning, Detector):
        names |= set(cast(Any, struct).__struct_fields__)
    return names


def media_path(sample: Sample, root: Path) -> Path | None:
    """Return where the sample's picture lies under `root`, refusing links that lead out of it."""
    if sample.media is None:
        return None
    path = root / sample.media.path
    if not path.resolve().is_relative_to(root.resolve()):
        raise RecordError(f"{sample.id}: media.path '{sample.media.path}' leads out of {root}")
    return path


def to_json(record: Record) -> dict[str, Any]:
    """Return the record as plain JSON values."""
    return cast(dict[str, Any], json.loads(encode(record)))
