"""Looking: a detector over the frames of many files, in batches across them.

    for seen in look(paths, detector, Look(max_faces=3)):
        seen.table, seen.problem            # rows of what was found, or why the file cannot be read

A broken file costs its own rows and no others. What a file held is kept as numbers, about 1 KB a face and frame.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_engine.detectors import FaceDetector
from data_engine.media.frames import Frame, Pace
from data_engine.media.opening import open_media
from data_engine.media.rows import CLIP, Table, row_of, scaled
from emollm.errors import EmoLLMError, MissingExtraError
from emollm.records import Face, MediaKind

BATCH_FRAMES = 32
BATCH_PIXELS = 8_000_000
"""Frames are given to the detector together up to so many, or so many pixels (24 MB)."""

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Look:
    """How media are looked at."""

    pace: Pace = field(default_factory=Pace)
    max_faces: int | None = None
    min_face: float = 0.0
    """Pixels of the file; faces whose box has a shorter side below it are left out and counted."""


class Problem(NamedTuple):
    """Why a file cannot be read, or not to its end."""

    reason: str
    message: str


@dataclass
class Seen:
    """What was found in one file."""

    path: Path
    kind: MediaKind = "image"
    sha256: str | None = None
    rows: list[list[float]] = field(default_factory=list)
    landmarks: list[Points | None] = field(default_factory=list)
    """Those of each row of a still, in pixels of the file."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Faces that were found and not taken, by the reason."""
    problem: Problem | None = None

    @property
    def table(self) -> Table:
        """The rows as one table."""
        numbers = np.array(self.rows, dtype=np.float64).reshape(-1, len(CLIP.numbers))
        return Table(numbers, is_still=self.kind == "image")


def look(paths: Sequence[Path], detector: FaceDetector, how: Look) -> list[Seen]:
    """Return what is in each file, in their order. Files that cannot be read have a `problem`."""
    found = [Seen(path) for path in paths]
    for batch in _batches(_frames(found, how.pace)):
        faces = detector.detect([frame.pixels for _, frame in batch])
        for (seen, frame), here in zip(batch, faces, strict=True):
            _add(seen, frame, here, how)
    return found


def _frames(files: Iterable[Seen], pace: Pace) -> Iterator[tuple[Seen, Frame]]:
    """Yield the frames of the files one after the other; what goes wrong is noted and the next file is opened."""
    for seen in files:
        try:
            recording = open_media(seen.path, pace)
            seen.kind, seen.sha256 = recording.kind, recording.sha256
            for frame in recording.frames:
                yield seen, frame
        except EmoLLMError as error:
            missing = isinstance(error, MissingExtraError)
            message = f"{seen.path}: {error}" if missing else str(error)
            seen.problem = Problem("not_installed" if missing else "unreadable_file", message)


def _batches(frames: Iterable[tuple[Seen, Frame]]) -> Iterator[list[tuple[Seen, Frame]]]:
    batch: list[tuple[Seen, Frame]] = []
    pixels = 0
    for seen, frame in frames:
        batch.append((seen, frame))
        pixels += frame.pixels.shape[0] * frame.pixels.shape[1]
        if len(batch) >= BATCH_FRAMES or pixels >= BATCH_PIXELS:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch


def _add(seen: Seen, frame: Frame, faces: list[Face], how: Look) -> None:
    """Write down the faces of one frame, or that there was none."""
    taken = [face for face in faces if _side(face) * frame.scale >= how.min_face]
    seen.left_out["too_small"] += len(faces) - len(taken)
    if how.max_faces is not None and len(taken) > how.max_faces:
        seen.left_out["beyond_max_faces"] += len(taken) - how.max_faces
        del taken[how.max_faces :]
    for face in taken:
        seen.rows.append(row_of(frame, face))
        if seen.kind == "image":
            seen.landmarks.append(_landmarks(face, frame.scale))
    if not taken:
        seen.rows.append(row_of(frame, None))
        seen.landmarks.append(None)


def _side(face: Face) -> float:
    return min(face.box[2:]) if face.box is not None else float("inf")


def _landmarks(face: Face, scale: float) -> Points | None:
    if face.landmarks is None:
        return None
    return [(x, y) for x, y in (scaled(point, scale) for point in face.landmarks)]
