"""The types of the record: `Sample`, `Prediction` and what they hold.

`None` means not known; empty means known to be empty. Unknown fields are refused.
"""

from __future__ import annotations

import math
import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import msgspec

from emollm.errors import RecordError

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
Box = tuple[float, float, float, float]
Point = tuple[float, float]
Pose = tuple[float, float, float]
"""Yaw, pitch and roll of the head in radians: positive turns to the subject's left, looks up, and tilts to the
subject's left (clockwise in the image)."""
AUKind = Literal["intensity", "probability", "presence"]
MediaKind = Literal["image", "video"]
Region = Literal["brows", "eyes", "nose", "cheeks", "mouth", "chin", "jaw", "neck", "head", "shoulders", "face"]

AU_RANGE: dict[str, float] = {"intensity": 5.0, "probability": 1.0, "presence": 1.0}
"""Largest value of each kind; the smallest is 0. Intensity is the FACS 0-5 scale (A = 1 … E = 5)."""

ROUNDING = 0.005
"""How far an AU's value may lie from its stronger side: files round to two digits."""

_AU_NAME = re.compile(r"AU\d\d")


class Record(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Base of all records: strict about fields, silent about what is not known."""


class Keyed(Record):
    """A line of a file, told apart from the others by its id."""

    id: Id


class Media(Record):
    """The picture or clip. `path` is relative to the media root (the folder of the JSONL file unless another is named)
    and never leaves it."""

    kind: MediaKind
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
        top, left, right = AU_RANGE[self.kind], self.left, self.right
        for value in (self.value, left, right):
            if value is not None and not 0.0 <= value <= top:
                raise ValueError(f"{self.kind} {value!r} is outside 0 to {top:g}")
        if left is not None and right is not None and abs(self.value - max(left, right)) > ROUNDING:
            raise ValueError(f"value {self.value:g} is not the stronger of left {left:g} and right {right:g}")


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
    hidden: list[Region] | None = None
    """Regions of the face that cannot be seen."""
    pose: Pose | None = None
    landmarks: list[Point] | None = None
    """The 68 points of dlib, x and y in pixels."""
    detector: Detector | None = None

    def __post_init__(self) -> None:
        if self.confidence is not None and not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence {self.confidence!r} is outside 0 to 1")
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

    def __post_init__(self) -> None:
        if not self.onset_s <= self.apex_s <= self.offset_s:
            times = f"onset_s {self.onset_s:g}, apex_s {self.apex_s:g} and offset_s {self.offset_s:g}"
            raise ValueError(f"{times} do not follow one another")


class Reasoning(Record):
    """The three sections of an explanation."""

    observations: str
    interpretation: str
    conclusion: str


class Sample(Keyed):
    """What is known about one face, image or clip."""

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
        check_unit_square(self)
        if self.label is not None and not self.label.strip():
            raise ValueError("label is blank; leave it out where it is not known")
        for label, share in (self.soft or {}).items():
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"soft: {label} {share!r} is outside 0 to 1")
        if self.soft is not None and not math.isclose(sum(self.soft.values()), 1.0, abs_tol=1e-3):
            raise ValueError(f"soft sums to {sum(self.soft.values()):.4g}, not to 1")


class Prediction(Keyed):
    """What a model said about a sample, verbatim, and how it was asked."""

    completion: str
    model: str
    prompt: str | None = None
    style: str | None = None
    """The answer style that was asked for; see `answers.STYLES`."""
    sampling: dict[str, Any] | None = None
    seconds: float | None = None
    scores: dict[str, float] | None = None
    """How likely the model holds each label, 0 to 1."""
    valence: float | None = None
    arousal: float | None = None

    def __post_init__(self) -> None:
        check_unit_square(self)
        if self.scores is not None and not all(0.0 <= score <= 1.0 for score in self.scores.values()):
            raise ValueError("scores has a value outside 0 to 1")


def check_unit_square(record: Sample | Prediction) -> None:
    """Raise ValueError for a valence or an arousal outside -1 to 1."""
    for name in ("valence", "arousal"):
        value = getattr(record, name)
        if value is not None and not -1.0 <= value <= 1.0:
            raise ValueError(f"{name} {value!r} is outside -1 to 1")


def media_path(sample: Sample, root: Path) -> Path | None:
    """Return where the sample's picture lies under `root`, refusing links that lead out of it."""
    if sample.media is None:
        return None
    path = root / sample.media.path
    if not path.resolve().is_relative_to(root.resolve()):
        raise RecordError(f"{sample.id}: media.path '{sample.media.path}' leads out of {root}")
    return path
