"""Skin: its tone, blush, freckles and beard, before any light falls on it."""

from __future__ import annotations

from data_engine.faces.curves import Field, bump, clamp, smoothstep
from data_engine.faces.identity import Identity
from data_engine.faces.surface import Head, Surface
from data_engine.faces.texture import noise

FRECKLED = 0.15
"""Below this, freckles are not seen."""
STUBBLED = 0.1


def paint_skin(head: Head, person: Identity, size: int) -> None:
    """Give the whole face the colour of its skin, with what grows and folds in it."""
    face = head.surface
    blotches = noise(person.texture_seed, 24, size, head.rows, head.columns)
    tone = 1 + 0.035 * blotches + 0.020 * face.grain
    red = 0.10 * (
        bump((face.lateral - 0.45) / 0.22, (face.y - 0.15) / 0.16) + 0.6 * bump(face.x / 0.12, (face.y - 0.2) / 0.1)
    )
    if person.skin.mean() < 0.45:
        red *= 0.6
    face.colour[...] = person.skin[:, None, None] * tone
    face.colour[0] *= 1 + 0.35 * red
    face.colour[1:] *= 1 - 0.55 * red
    if person.freckles > FRECKLED:
        spots = noise(person.texture_seed + 3, min(size, 90), size, head.rows, head.columns) > 1.25
        around_nose = bump((face.lateral - 0.3) / 0.35, (face.y - 0.1) / 0.2)
        face.colour[...] *= 1 - 0.35 * person.freckles * spots * around_nose
    if person.beard > 0 or person.stubble > STUBBLED:
        _grow_beard(face.window(top=0.10, bottom=1.5), person)
    face.colour[...] *= 1 - 0.52 * clamp(face.crease, 0, 1.2) * face.front


def _grow_beard(face: Surface, person: Identity) -> None:
    """Mix the hair's colour into jaw, upper lip and chin."""
    density = max(0.85 * person.beard, 0.35 * person.stubble)
    hairs = clamp(_beard_area(face, person.mouth_y) * face.front * density * (1 + 0.25 * face.grain), 0, 0.95)
    face.cover(hairs, person.hair)


def _beard_area(face: Surface, mouth_y: float) -> Field:
    """Where a beard grows, 0–1: along the jaw, over the upper lip, on the chin."""
    x, y = face.lateral, face.y
    jaw = smoothstep((y - 0.30 - 0.35 * clamp(0.55 - x)) / 0.10) * smoothstep((x + 0.62 * (y > 0.45) - 0.30) / 0.1)
    moustache: Field = smoothstep((y - mouth_y + 0.155) / 0.03) * smoothstep((mouth_y - 0.02 - y) / 0.04) * (x < 0.34)
    return clamp(jaw + moustache + smoothstep((y - mouth_y - 0.17) / 0.06))
