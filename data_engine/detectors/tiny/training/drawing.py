"""The faces that the nets learn from, drawn on all cores: pictures with everything that is known about them.

lessons = draw_lessons(Lot(seed=0, num=1000, identities=(0, 100_000)))
lessons.pictures.shape      # (1000, 128, 128) uint8
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_engine.detectors.tiny.layers import Array
from data_engine.detectors.tiny.nets import AUS, HIDEABLE
from data_engine.detectors.tiny.training.camera import photograph
from data_engine.faces import FaceSpec, landmarks, render
from data_engine.faces.expressions import mixture
from data_engine.faces.spec import OCCLUDERS
from data_engine.faces.studio.projection import HALF_FRAME
from data_engine.faces.views import MAX_OCCLUDER, view
from data_engine.faces.visibility import hidden_sides
from data_engine.workers import spread
from emollm.stage import track

SIZE = 128
"""Pixels a side of a drawn picture."""
CHUNK = 64


class Lot(NamedTuple):
    """Which faces to draw. Equal lots give equal pictures, on however many cores."""

    seed: int
    num: int
    identities: tuple[int, int] = (0, 1_000_000)
    """First person and the one after the last. Tests use people from a million on."""
    hard_share: float = 0.35
    """How many have a turned head, half of these something before the face."""
    more_occluded: float = 0.2
    """How many of the others have something before the face, beside those that always do."""
    zooms: tuple[float, float] = (0.72, 1.15)
    shift: float = 0.05
    """How far the head is from the middle, at most, in halves of the picture."""


class Lessons(NamedTuple):
    """Pictures and their truth, N each."""

    pictures: NDArray[np.uint8]
    """(N, SIZE, SIZE) grey."""
    points: Array
    """(N, 68, 2) pixels."""
    poses: Array
    """(N, 3) radians."""
    aus: Array
    """(N, AUs, 2) intensities 0–5, left and right."""
    hidden: Array
    """(N, regions, 2) hidden share 0–1, left and right."""


def draw_lessons(lot: Lot, workers: int = os.cpu_count() or 1) -> Lessons:
    """Draw all faces of a lot."""
    chunks = [range(start, min(start + CHUNK, lot.num)) for start in range(0, lot.num, CHUNK)]
    parts = [*track(spread(partial(draw_chunk, lot), chunks, workers), "drawing", total=len(chunks))]
    return Lessons(*(np.concatenate(fields) for fields in zip(*parts, strict=True)))


def draw_chunk(lot: Lot, indices: Iterable[int]) -> Lessons:
    """Draw the faces of a lot with these indices."""
    rows = [_draw(lot, index) for index in indices]
    return Lessons(*(np.stack(fields) for fields in zip(*rows, strict=True)))


def _draw(lot: Lot, index: int) -> Lessons:
    """One face: a Lessons without the first dimension."""
    rng = np.random.default_rng([lot.seed, index])
    spec = draw_spec(lot, index, rng)
    picture = photograph(render(spec, SIZE), rng)
    shares = hidden_sides(spec, SIZE)
    return Lessons(
        pictures=picture,
        points=landmarks(spec, SIZE),
        poses=np.array([spec.yaw, spec.pitch, spec.roll], np.float32),
        aus=au_values(spec),
        hidden=np.array([shares.get(region, (0.0, 0.0)) for region in HIDEABLE], np.float32),
    )


def draw_spec(lot: Lot, index: int, rng: np.random.Generator) -> FaceSpec:
    """Draw who does what, and how it is seen."""
    seen = view("hard" if rng.random() < lot.hard_share else "normal", rng)
    if seen["occluder"] is None and rng.random() < lot.more_occluded:
        seen |= {"occluder": str(rng.choice(OCCLUDERS)), "occluder_seed": int(rng.integers(MAX_OCCLUDER))}
    zoom = float(rng.uniform(*lot.zooms))
    room = lot.shift * HALF_FRAME / zoom
    seen |= {"zoom": zoom, "shift": tuple((room * rng.uniform(-1, 1, 2)).tolist()), "sensor_noise": 0.0}
    person = int(rng.integers(*lot.identities))
    return FaceSpec(identity=person, aus=mixture(rng), seed=index, **seen)


def au_values(spec: FaceSpec) -> Array:
    """Return the intensities of a spec, (AUs, 2) 0–5, left and right."""
    values = [spec.aus.get(code, 0.0) for code in AUS]
    return np.array([value if isinstance(value, tuple) else (value, value) for value in values], np.float32)
