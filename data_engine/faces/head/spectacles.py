"""Spectacles: rims of several shapes, thin or thick, with clear or faintly tinted lenses that sometimes mirror."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_engine.faces.curves import Field, clamp, coverage, ridge, smoothstep
from data_engine.faces.person.identity import Identity
from data_engine.faces.person.streams import SPECTACLES
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.surface import Head, blend, bounds

SHAPES = {
    "round": (1.0, 1.0, 2),
    "oval": (1.15, 0.78, 2),
    "square": (1.12, 0.88, 4),
    "narrow": (1.18, 0.62, 4),
    "large": (1.25, 1.10, 4),
}
"""Shape to half width and half height in its radius, and to the power of its outline: 2 is an ellipse, 4 squarer."""
COLOURS = np.array(
    [
        (0.06, 0.06, 0.07),
        (0.25, 0.14, 0.08),
        (0.62, 0.50, 0.28),
        (0.62, 0.63, 0.66),
        (0.45, 0.08, 0.10),
        (0.12, 0.18, 0.35),
    ],
    np.float32,
)
"""Black, tortoise, gold, silver, red, blue."""
LOWER = 0.03
"""How far the lenses' middle lies below the eyes, in face units."""


@dataclass(frozen=True, eq=False)
class Spectacles:
    """One pair. Lengths are in face units."""

    half_width: float
    half_height: float
    power: int
    thickness: float
    half_rim: bool
    """Whether the lower rim is missing."""
    colour: Field
    tint: float
    """How much the lenses darken, 0–1."""
    glare: float
    """How strongly they mirror, 0–1."""


def spectacles(person: Identity) -> Spectacles:
    """Return the spectacles of a person who wears any."""
    rng = np.random.default_rng([person.seed, SPECTACLES])
    wide, high, power = SHAPES[str(rng.choice([*SHAPES], p=(0.18, 0.18, 0.36, 0.14, 0.14)))]
    return Spectacles(
        half_width=min(wide * person.glasses_radius, person.eye_x - 0.07),
        half_height=high * person.glasses_radius,
        power=power,
        thickness=float(rng.choice([0.007, 0.012, 0.018, 0.026], p=(0.25, 0.3, 0.3, 0.15)) * rng.uniform(0.8, 1.2)),
        half_rim=bool(rng.random() < 0.15),
        colour=COLOURS[rng.choice(len(COLOURS), p=(0.48, 0.18, 0.1, 0.14, 0.05, 0.05))],
        tint=float(rng.uniform(0.1, 0.35) if rng.random() < 0.15 else rng.uniform(0, 0.05)),
        glare=float(rng.uniform(0.15, 0.6) if rng.random() < 0.3 else 0.0),
    )


def paint_spectacles(picture: Field, head: Head, person: Identity, spec: FaceSpec) -> None:
    """Paint lenses, rims, bridge and temples, and their shadow on the skin, over a picture of the head's rectangle."""
    face, pair = head.surface, spectacles(person)
    rows, columns = bounds((face.y > person.eye_y - 0.45) & (face.y < person.eye_y + 0.45))
    picture, visible = picture[:, rows, columns], (face.front * head.inside)[rows, columns]
    x, lateral = face.x[rows, columns], face.lateral[rows, columns]
    across, down = lateral - person.eye_x - 0.01, face.y[rows, columns] - person.eye_y - LOWER
    thick = max(pair.thickness, 0.45 * face.pixel)
    outside = _outside(pair, across, down)
    rim = ridge(outside / thick) * ((down < 0.15 * pair.half_height) if pair.half_rim else 1.0)
    bar = down + 0.35 * pair.half_height
    bridge = ridge((bar + 2.0 * x * x) / thick) * (across < -0.97 * pair.half_width)
    temple = ridge(bar / (1.1 * thick)) * (across > 1.02 * pair.half_width)
    frame = clamp(np.maximum(rim, bridge) + temple)
    shadow = ridge(_outside(pair, across, down - 0.035) / 0.03) * 0.16 * (1 + spec.hardness)
    picture *= 1 - shadow * visible
    lens = coverage(-outside, face.edge) * visible
    if pair.tint > 0.05:
        blend(picture, pair.tint * lens, pair.colour)
    if pair.glare:
        streak = smoothstep(0.5 - np.abs(across + 0.6 * down + 0.5 * spec.yaw * np.sign(x) - 0.05) / 0.12)
        blend(picture, pair.glare * streak * lens, np.full(3, 0.95, np.float32))
    gloss = 0.25 * face.shade[rows, columns]
    blend(picture, 0.93 * frame * visible, pair.colour[:, None, None] * (0.8 + gloss))


def _outside(pair: Spectacles, across: Field, down: Field) -> Field:
    """Signed distance out of a lens, in face units."""
    a, d = across / pair.half_width, down / pair.half_height
    a, d = a * a, d * d
    radius = np.sqrt(a + d) if pair.power == 2 else np.sqrt(np.sqrt(a * a + d * d))
    distance: Field = (radius - 1) * min(pair.half_width, pair.half_height)
    return distance
