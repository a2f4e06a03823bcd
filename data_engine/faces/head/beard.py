"""Beards: where they grow, how dense they are, and how their edges thin out."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import Field, bump, clamp, coverage, smoothstep
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.surface import Surface, blend
from data_engine.faces.studio.texture import atlas, texels

STUBBLED = 0.1
"""Below this, stubble is not seen."""
LONG = 0.45
"""Above this, a beard hangs below the chin."""


def grow_beard(face: Surface, person: Identity) -> None:
    """Mix the hair's colour into jaw, upper lip and chin."""
    if person.beard <= 0 and person.stubble <= STUBBLED:
        return
    face = face.window(top=0.0, bottom=1.6)
    if not face.x.size:
        return
    rough = 1 + 0.45 * face.grain
    shadow = 0.42 * person.stubble * area(face, "full", person.mouth_y) * (0.8 + 0.2 * rough)
    if person.beard > 0:
        dense = area(face, person.beard_shape, person.mouth_y) * (0.25 + person.beard)
        dense = smoothstep(1.5 * dense - 0.35 + 0.20 * face.grain * (1 - dense)) * (0.62 + 0.33 * person.beard)
        shadow = clamp(shadow + dense, 0, 0.95)
    face.cover(shadow * clamp(4 * face.front), person.hair * 0.9 + 0.02)
    face.colour[...] *= 1 + 0.20 * shadow * (rough - 1)


def paint_long_beard(picture: Field, camera: Camera, u: Field, v: Field) -> None:
    """Paint what of a long beard hangs below the chin; the head is painted over it."""
    person = camera.person
    if person.beard < 0.5 or person.beard_length < LONG or person.beard_shape not in ("full", "goatee"):
        return
    chin = camera.ball_to_pixels(*camera.rotation[:2] @ np.array([[0.0], [0.8], [0.6]], np.float32))[0]
    column, row = np.clip(chin, 0, camera.size - 1).astype(int)
    across, down = u - float(u[row, column]), v - float(v[row, column])
    wide = (0.52 if person.beard_shape == "full" else 0.22) * person.head_half_width
    long = 0.30 + 0.45 * person.beard_length
    strands = atlas("strands").take(texels(across, 0.5 * down, 80, person.texture_seed))
    inside = 1 - np.sqrt((across / wide) ** 2 + (down / long) ** 2) + 0.05 * strands
    colour = person.hair[:, None, None] * (0.62 + 0.12 * strands) + 0.02
    blend(picture, coverage(inside * wide, 0.10) * (0.6 + 0.35 * person.beard), colour)


def area(face: Surface, shape: str, mouth_y: float) -> Field:
    """Return how thickly a beard of this shape grows, 0–1, soft over a tenth of the face."""
    x, y = face.lateral, face.y
    below = y - mouth_y
    chin = bump(x / 0.30, (below - 0.27) / 0.20)
    moustache = bump(clamp(x - 0.10) / 0.13, (below + 0.095 - 0.10 * x) / 0.055)
    if shape == "moustache":
        return clamp(1.3 * moustache)
    if shape == "chin":
        return clamp(1.25 * chin)
    if shape == "goatee":
        ring = bump((x - 0.33) / 0.07, (below - 0.05) / 0.16)
        return clamp(1.2 * (chin + moustache + ring))
    # The upper edge falls from the sideburns towards the moustache.
    edge = (
        0.10 + 0.36 * smoothstep((0.72 - x) / 0.36) if shape == "full" else 0.12 + 0.66 * smoothstep((0.80 - x) / 0.42)
    )
    jaw = smoothstep((y - edge) / 0.20) * smoothstep((x - 0.16) / 0.20)
    patch = 1 - 0.5 * bump((x - 0.12) / 0.10, (below - 0.13) / 0.06)  # bare beside the tuft under the lip
    return clamp(jaw + (chin + moustache if shape == "full" else chin) * patch)
