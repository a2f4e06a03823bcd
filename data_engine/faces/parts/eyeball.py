"""The eyeball between the lids: sclera, tear duct, iris and pupil, and the shade of lid and lashes on them."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import Field, clamp, coverage, ridge, smoothstep
from data_engine.faces.person.identity import Identity
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.shading import light_direction
from data_engine.faces.studio.surface import Surface, blend

SCLERA = np.array([0.82, 0.78, 0.75], np.float32)
TEAR_DUCT = np.array([0.72, 0.46, 0.42], np.float32)
BLACK, GLINT = np.full(3, 0.02, np.float32), np.full(3, 0.95, np.float32)
PUPIL = 0.42
"""Radius of the pupil against the iris."""
TURN_X, TURN_Y = 0.085, 0.055
"""How far the iris moves at a gaze of 1, in face units."""
UPPER, LOWER = 0.091, 0.048
"""How far the lids of a usual eye lie over and under the line between its corners, in face units."""
COVERED = 0.020
"""How much of the iris a usual upper lid hides at rest, in face units."""


def eyeball(face: Surface, person: Identity, spec: FaceSpec, across: Field, below_lid: Field, over_lid: Field) -> Field:
    """Return the ball's colours, (3, H, W). `across` is −1 at the inner corner; the others distances to the lids."""
    shade = clamp(face.shade, 0.15, 1.15)
    lid_shadow = 1 - 0.50 * ridge(clamp(below_lid, 0, 1) / 0.030) - 0.22 * ridge(below_lid / 0.075)
    shadow = lid_shadow * (1 - 0.22 * clamp(np.abs(across), 0, 1) ** 3) * (1 - 0.12 * ridge(over_lid / 0.015))
    ball: Field = SCLERA[:, None, None] * (shade * shadow)
    blend(ball, smoothstep((-0.74 - across) / 0.16), TEAR_DUCT[:, None, None] * shade)

    radius = person.iris_share * person.eye_half_width
    gaze_x, gaze_y = spec.gaze
    middle_x = np.where(face.x > 0, np.float32(person.eye_x), np.float32(-person.eye_x)) + gaze_x * TURN_X
    off_x, off_y = face.x - middle_x, face.y - (iris_y(person) + gaze_y * TURN_Y)
    off = np.sqrt(off_x * off_x + off_y * off_y)
    limbus = 1 - 0.60 * ridge((off - radius) / (0.16 * radius))
    glow = 0.85 + 0.45 * clamp(off_y / radius, -1, 1) + 0.5 * clamp(off / radius)
    blend(ball, coverage(radius - off, face.edge), person.iris[:, None, None] * (glow * limbus * lid_shadow * shade))
    blend(ball, coverage(PUPIL * radius - off, face.edge), BLACK)
    light_x, light_y, _ = light_direction(spec)
    glint_x, glint_y = off_x - 0.45 * light_x * radius, off_y + (0.30 - 0.35 * light_y) * radius
    glint = coverage(0.18 * radius - np.sqrt(glint_x * glint_x + glint_y * glint_y), face.edge)
    blend(ball, 0.9 * glint, GLINT)
    return ball


def iris_y(person: Identity) -> float:
    """Return the height of the iris' middle at rest: between touching the lower lid and going under the upper one."""
    return person.eye_y + 0.5 * ((LOWER - UPPER) * person.eye_opening - COVERED)
