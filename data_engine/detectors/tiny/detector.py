"""The tiny detector: faces found, landmarks placed, action units measured, on numpy alone.

detector = TinyDetector.load()
for face in detector.detect([pixels])[0]:
    face.box, face.aus["AU12"].value
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from data_engine.detectors.protocol import Pixels
from data_engine.detectors.tiny.crops import MARGIN, PASSES, Grey, Square, aligned, eye_line, place, square_around
from data_engine.detectors.tiny.finder import WITHIN, Candidate, Finder, best_of, within
from data_engine.detectors.tiny.layers import Array, Net
from data_engine.detectors.tiny.nets import ACTIONS, ACTIONS_SIDE, FINDER, NUM_POINTS, POINTS, POINTS_SIDE
from data_engine.detectors.tiny.reading import Scales, faces_read
from data_engine.detectors.tiny.weights import SHIPPED, fingerprint, read_weights
from emollm import __version__
from emollm.records import Detector, Face

MIN_CONFIDENCE = 0.7
"""Chosen on renders: there it finds all faces that nothing covers and 95 % of the others, and a false one in about one
of a hundred pictures of other things."""


class Found(NamedTuple):
    """A face with its landmarks."""

    points: Array
    """(68, 2) pixels of the picture."""
    pose: tuple[float, float, float]
    """Yaw, pitch, roll in radians."""
    confidence: float


class TinyDetector:
    """Our own detector: three small nets that have only ever seen rendered faces."""

    def __init__(self, weights: Mapping[str, Array], told: Mapping[str, Any], detector: Detector) -> None:
        self.detector = detector
        self.finder = Finder(Net(FINDER, weights, "finder"))
        self.points_net = Net(POINTS, weights, "points")
        self.actions_net = Net(ACTIONS, weights, "actions")
        self.scales = Scales.of(told)
        self.min_confidence = MIN_CONFIDENCE

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Self:
        """Load the weights that are shipped, or others. Raises SourceError."""
        weights, told = read_weights(path)
        return cls(
            weights, told, Detector(name="tiny", version=__version__, weights=f"sha256:{fingerprint(path)[:16]}")
        )

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Face]]:
        """Return the faces of each picture, largest first."""
        greys = [Grey(pixels) for pixels in pictures]
        found = self.find(greys)
        crops = [
            grey.cut(aligned(face.points), ACTIONS_SIDE)
            for grey, faces in zip(greys, found, strict=True)
            for face in faces
        ]
        outputs = self.measure(crops)
        rows = iter(outputs)
        return [
            faces_read([(face, next(rows)) for face in faces], self.scales, self.detector, (grey.width, grey.height))
            for grey, faces in zip(greys, found, strict=True)
        ]

    def measure(self, crops: Sequence[Array]) -> Array:
        """Return the outputs of the actions net for aligned faces, (N, ACTION_OUTPUTS)."""
        if not crops:
            return np.zeros((0, ACTIONS[-1].outputs), np.float32)
        return self.actions_net(np.stack(crops)[..., None])

    def find(self, greys: Sequence[Grey]) -> list[list[Found]]:
        """Return the faces of each picture with their landmarks, largest first."""
        candidates = [self.finder.find(grey) for grey in greys]
        flat = [(grey, candidate) for grey, some in zip(greys, candidates, strict=True) for candidate in some]
        placed = iter(self._place([grey for grey, _ in flat], [candidate for _, candidate in flat]))
        return [self._best([next(placed) for _ in some]) for some in candidates]

    def _place(self, greys: Sequence[Grey], candidates: Sequence[Candidate]) -> list[Found]:
        """Place the landmarks of each candidate, first in its square, then in the upright square around them."""
        squares = [candidate.square for candidate in candidates]
        found: list[Found] = []
        for _ in range(PASSES if squares else 0):
            found = self.points_in(greys, squares)
            squares = [square_around(face.points, eye_line(face.points)) for face in found]
        pairs = zip(found, candidates, strict=True)
        return [face._replace(confidence=math.sqrt(face.confidence * candidate.score)) for face, candidate in pairs]

    def points_in(self, greys: Sequence[Grey], squares: Sequence[Square]) -> list[Found]:
        """Return what the points net sees in each square; its confidence is that of the net alone."""
        placements = [square.wider(MARGIN).placement() for square in squares]
        crops = [grey.cut(placement, POINTS_SIDE) for grey, placement in zip(greys, placements, strict=True)]
        outputs = self.points_net(np.stack(crops)[..., None])
        found = []
        for square, placement, row in zip(squares, placements, outputs, strict=True):
            places = row[: 2 * NUM_POINTS].reshape(NUM_POINTS, 2) + 0.5
            yaw, pitch, roll, score = row[2 * NUM_POINTS :].tolist()
            found.append(Found(place(placement, places), (yaw, pitch, roll + square.turn), _share(score)))
        return found

    def _best(self, faces: list[Found]) -> list[Found]:
        """Keep one of each group of faces that overlap, and none that is no face."""
        sure = sorted((f for f in faces if f.confidence >= self.min_confidence), key=lambda face: -face.confidence)
        ranked = [Candidate(square_around(face.points), float(rank)) for rank, face in enumerate(sure)]
        kept = best_of(ranked, within, WITHIN)
        chosen = [(candidate.square.side, sure[int(candidate.score)]) for candidate in kept]
        return [face for _, face in sorted(chosen, key=lambda pair: -pair[0])]


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
