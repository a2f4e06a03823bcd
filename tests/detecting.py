"""One run of `emollm detect`, a tiny table for it, and a small detector of its own, shared by the tests of the door."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from data_engine.detect.door import main
from data_engine.detectors import Pixels
from emollm.records import AU, Detector, Face, Sample, read_records

AU_FILES = Path(__file__).parent / "data" / "au"
HEADER = "frame,timestamp,confidence,success,AU06_r,AU12_r\n"


def table(path: Path, rows: str = "1,0.0,0.98,1,0.5,2.0\n", header: str = HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + rows, "utf-8")
    return path


class Run:
    """One run of the door: its exit code, its samples and what it kept aside."""

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        self.path = folder / "out" / "samples.jsonl"
        self.code = main([*map(str, arguments), "-o", str(self.path)])

    @property
    def samples(self) -> list[Sample]:
        return list(read_records(self.path, Sample))

    @property
    def ids(self) -> list[str]:
        return [sample.id for sample in self.samples]

    @property
    def rejected(self) -> list[dict[str, Any]]:
        path = self.path.with_name("samples.rejected.jsonl")
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path.with_name("samples.manifest.json").read_text("utf-8"))
        return found


class SquareDetector:
    """A detector of blue squares: AU12 by how red they are, AU04 by how green, the left half of AU12 half as strong.

    Confidence is the share of the box that is blue; a square as green as can be has its mouth hidden.
    """

    detector = Detector(name="squares", version="1", weights="none")

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Face]]:
        return [sorted(_squares(pixels), key=lambda face: -(face.box or (0, 0, 0, 0))[2]) for pixels in pictures]


def _squares(pixels: Pixels) -> Iterator[Face]:
    """The faces in runs of columns that hold something blue."""
    blue = pixels[:, :, 2] > 128
    edges = np.flatnonzero(np.diff(np.pad(blue.any(axis=0), 1).astype(int)))
    for left, right in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        rows = np.flatnonzero(blue[:, left:right].any(axis=1))
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        inside = pixels[top:bottom, left:right]
        red, green = (float(np.median(inside[:, :, channel])) / 51.0 for channel in (0, 1))
        aus = {"AU04": AU(value=green, kind="intensity")}
        if green < 5.0:
            aus["AU12"] = AU(value=red, kind="intensity", left=red / 2, right=red)
        yield Face(
            box=(left, top, right - left, bottom - top),
            confidence=float(blue[top:bottom, left:right].mean()),
            aus=aus,
            hidden=["mouth"] if green == 5.0 else [],
            pose=(0.1, 0.0, -0.2),
            landmarks=[(left + 0.5, top + 0.5)] * 68,
        )


def load_squares(_: str) -> SquareDetector:
    return SquareDetector()


class SlowDetector(SquareDetector):
    """The same, a hundredth of a second a picture: slow enough to be stopped."""

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Face]]:
        time.sleep(0.01 * len(pictures))
        return super().detect(pictures)


def load_slow(_: str) -> SlowDetector:
    return SlowDetector()


def picture(*squares: tuple[int, int, int, int], size: tuple[int, int] = (160, 120)) -> Image.Image:
    """A black picture with blue squares: (x, side, red, green)."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    for x, side, red, green in squares:
        pixels[20 : 20 + side, x : x + side] = (red, green, 255)
    return Image.fromarray(pixels)


def save(path: Path, *squares: tuple[int, int, int, int], size: tuple[int, int] = (160, 120)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(*squares, size=size).save(path)
    return path


SQUARE = (40, 60, 204, 51)
"""A face with AU12 at 4 and AU04 at 1."""


def use_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the detector of this process be the one of squares, which needs no weights."""
    monkeypatch.setattr("data_engine.detect.onlooker.load_detector", load_squares)


def run_media(folder: Path, *arguments: str | Path) -> Run:
    """A run whose media lie in `folder`."""
    folder.mkdir(exist_ok=True)
    return Run(folder, *arguments, "--media-root", folder)


def face_of(sample: Sample) -> Face:
    [face] = sample.faces or []
    return face


def values(sample: Sample) -> dict[str, float]:
    return {name: au.value for name, au in (face_of(sample).aus or {}).items()}


def detector_of(sample: Sample) -> str:
    detector = face_of(sample).detector
    assert detector is not None
    return detector.name
