"""What the outputs of the actions net mean, as records.

An AU's intensity and its occurrence are two outputs; a threshold on the occurrence was chosen for each AU on rendered
faces. The record has one number, so the two agree in it: what occurs has an intensity of at least 1 (trace), what does
not occur has less. Where they disagree the occurrence decides, and the surer it is the farther from 1 the number lies.
Of two AUs that FACS never scores together the surer one occurs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from data_engine.detectors.tiny.layers import Array
from data_engine.detectors.tiny.nets import AUS, HIDDEN, HIDEABLE, PRESENT, REGION_OF_AU, split_actions
from data_engine.faces.actions import FULL
from data_engine.faces.spec import WITHOUT_SIDES
from emollm.facs import EXCLUSIONS
from emollm.records import AU, Box, Detector, Face

if TYPE_CHECKING:
    from data_engine.detectors.tiny.detector import Found

ALMOST = 0.95
"""Largest intensity of what does not occur."""
BEYOND = 0.3
"""How far above PRESENT what surely occurs is at least."""
ASYMMETRIC = 1.0
"""Sides that differ by less than this intensity are not told apart: renders of symmetric faces differ by as much."""
EITHER = [
    (AUS.index(first.au), AUS.index(second.au))
    for first, second in EXCLUSIONS
    if {first.au, second.au} <= set(AUS) and first[1:] == second[1:] == ("", "")
]
"""Places of the AUs, two each, that cannot be scored together at any strength: AU26 and AU27, AU5 and AU43 …"""
FOREHEAD = 0.45
"""Height of the forehead over the brows, in heights from brows to chin."""

Numbers = NDArray[np.floating[Any]]


class Scales(NamedTuple):
    """How outputs become numbers, per AU."""

    thresholds: Array
    """(AUs,) from which probability on an AU occurs."""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Take them from what is told with the weights."""
        return cls(np.array([told["thresholds"][code] for code in AUS], np.float32))


class Reading(NamedTuple):
    """The outputs of the net in their units, (N, AUs or regions, 2) left and right."""

    intensity: Numbers
    """0–5, in agreement with the occurrence."""
    occurs: Numbers
    """Probability 0–1."""
    hidden: Numbers
    """Share of the region, 0–1."""


def read(outputs: Array, scales: Scales) -> Reading:
    """Turn outputs (N, ACTION_OUTPUTS) into numbers in their units."""
    shares = 1 / (1 + np.exp(-np.clip(outputs, -30, 30)))
    strength, occurs, hidden = split_actions(shares)
    intensity = FULL * strength
    threshold = scales.thresholds[:, None]
    shows = hidden[:, REGION_OF_AU] < HIDDEN
    surplus = decided(np.where(shows, (occurs - threshold) / (1 - threshold), -1))
    at_least = PRESENT + BEYOND * surplus
    at_most = ALMOST * np.minimum(occurs / threshold, 1)
    agreed = np.where(surplus >= 0, np.maximum(intensity, at_least), np.minimum(intensity, at_most))
    return Reading(agreed, occurs, hidden)


def decided(surplus: Numbers) -> Numbers:
    """Let of each pair that excludes each other the surer AU occur; `surplus` (N, AUs, 2) is at least 0 for what does.

    Each side decides for itself, so that one eye may be shut and the other wide open; what has no sides counts with the
    surer one.
    """
    surplus = surplus.copy()
    for first, second in EITHER:
        one, other = surplus[:, first], surplus[:, second]
        if {AUS[first], AUS[second]} & set(WITHOUT_SIDES):
            one, other = (np.repeat(side.max(axis=1, keepdims=True), 2, axis=1) for side in (one, other))
        both = (one >= 0) & (other >= 0)
        surplus[:, first][both & (one < other)] = -1
        surplus[:, second][both & (one >= other)] = -1
    return surplus


def faces_read(
    found: Sequence[tuple[Found, Array]], scales: Scales, detector: Detector, size: tuple[int, int]
) -> list[Face]:
    """Return the records of the faces of one picture of size (width, height)."""
    if not found:
        return []
    reading = read(np.stack([outputs for _, outputs in found]), scales)
    rows = zip(found, reading.intensity.tolist(), (reading.hidden >= HIDDEN).tolist(), strict=True)
    return [
        Face(
            face=str(number),
            box=box_around(face.points, size),
            confidence=round(face.confidence, 4),
            aus=_aus(intensities, hidden),
            hidden=[region for region, sides in zip(HIDEABLE, hidden, strict=True) if all(sides)],
            pose=(round(face.pose[0], 3), round(face.pose[1], 3), round(face.pose[2], 3)),
            landmarks=[(round(x, 1), round(y, 1)) for x, y in face.points.tolist()],
            detector=detector,
        )
        for number, ((face, _), intensities, hidden) in enumerate(rows)
    ]


def _aus(intensities: list[list[float]], hidden: list[list[bool]]) -> dict[str, AU]:
    """The AUs that can be seen; of an AU that shows on one side only, that side."""
    aus: dict[str, AU] = {}
    for code, (left, right), region in zip(AUS, intensities, REGION_OF_AU, strict=True):
        left_hidden, right_hidden = hidden[region]
        if not (left_hidden and right_hidden):
            aus[code] = _au(code, None if left_hidden else left, None if right_hidden else right)
    return aus


def _au(code: str, left: float | None, right: float | None) -> AU:
    """One AU; sides only where they differ enough to be told."""
    if left is None or right is None:
        seen = left if left is not None else right
        assert seen is not None
        return AU(value=round(seen, 3), kind="intensity")
    stronger, weaker = max(left, right), min(left, right)
    is_uneven = stronger >= PRESENT and stronger - weaker >= ASYMMETRIC
    if code in WITHOUT_SIDES or not is_uneven:
        least = PRESENT + (stronger - PRESENT) / 4 if stronger >= PRESENT else 0.0
        return AU(value=round(max((left + right) / 2, least), 3), kind="intensity")
    return AU(value=round(stronger, 3), kind="intensity", left=round(left, 3), right=round(right, 3))


def box_around(points: Array, size: tuple[int, int]) -> Box:
    """Return the box of the head, from the landmarks and what a forehead adds to them, inside the picture."""
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    top -= FOREHEAD * (bottom - top)
    width, height = size
    left, right = max(0.0, left), min(width - 1.0, right)
    top, bottom = max(0.0, top), min(height - 1.0, bottom)
    return round(left, 1), round(top, 1), round(max(0.0, right - left), 1), round(max(0.0, bottom - top), 1)
