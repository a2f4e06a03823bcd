"""Hair: what falls behind the head, and the cap on it, in five styles."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import Field, clamp, coverage, ridge, smoothstep
from data_engine.faces.identity import BALD, BOB, CROPPED, LONG, SHORT, Identity
from data_engine.faces.projection import Camera
from data_engine.faces.surface import Head, blend
from data_engine.faces.texture import noise

VOLUME = {SHORT: 1.06, BOB: 1.09, LONG: 1.10, CROPPED: 1.025}
"""Size of the cap against the head."""
ENDS_Y = {BOB: 0.80, LONG: 1.6}
"""How far down long hair reaches, in face units."""


def paint_hair_behind(picture: Field, camera: Camera, u: Field, v: Field) -> None:
    """Paint the hair that falls behind head and neck."""
    person = camera.person
    if person.hair_style not in ENDS_Y:
        return
    is_bob = person.hair_style == BOB
    crown_v = np.minimum(v + 0.18, 0) * 0.86
    crown = 1.17 * person.head_half_width - np.sqrt(u * u + crown_v * crown_v)
    crown = coverage(crown, 5.2 * camera.pixel) * (v < (0.75 if is_bob else 1.5))
    half_width = 1.08 * person.head_half_width + 0.05 * np.sin(v * 4 + person.parting_x * 3)
    fall = coverage(np.minimum(half_width - np.abs(u), (0.85 if is_bob else 1.6) - v), 0.06) * (v > -0.2)
    strands = 0.85 + 0.20 * np.sin(u * 46 + 2 * noise(person.texture_seed + 9, 10, camera.size))
    blend(picture, np.maximum(crown, fall), person.hair[:, None, None] * (0.62 * strands))


def paint_hair(picture: Field, head: Head, camera: Camera) -> None:
    """Paint the cap of hair over a picture of the head's rectangle."""
    person = camera.person
    if person.hair_style == BALD:
        return
    face, texture = head.surface, person.texture_seed + 9
    waves = noise(texture, 10, camera.size, head.rows, head.columns)
    tufts = noise(texture, 14, camera.size, head.rows, head.columns)
    strands = 0.5 + 0.5 * np.sin(np.arctan2(head.u - 0.15 * person.parting_x, 0.35 - head.v) * 34 + waves * 2.6)
    light = (0.60 + 0.45 * clamp(face.shade, 0, 1.2)) * (1 + 0.10 * tufts) * (0.82 + 0.30 * strands)
    shine = 0.05 * (strands * strands) ** 2
    blend(picture, _cap(head, person, face.edge), person.hair[:, None, None] * light + shine)


def _cap(head: Head, person: Identity, edge: float) -> Field:
    """Coverage by the hair on the head: above the hairline in front, down to the neck behind."""
    face, style, (u, v) = head.surface, person.hair_style, (head.u, head.v)
    volume = VOLUME[style]
    across, down = u / (person.head_half_width * volume), v / (person.head_half_height * volume)
    outside = coverage((1 - np.sqrt(across * across + down * down)) * person.head_half_width, 3 * edge)
    softness = 0.10 if style == CROPPED else 0.05
    above = smoothstep((hairline(person, face.x, face.lateral) - face.y) / softness + 0.5)
    nape_y = 0.35 * (0.15 if style in (SHORT, CROPPED) else 0.9)
    behind = (head.radius2 >= 1) | (head.facing < 0)
    cap = np.where(behind, smoothstep((nape_y - v) / 0.25), above) * outside
    if style not in ENDS_Y:
        return cap
    inner = person.head_half_width * (0.86 - 0.06 * np.sin(v * 3))
    fall = coverage(np.minimum(np.abs(u) - inner, ENDS_Y[style] - v), 0.05)
    return np.maximum(cap, fall * outside)


def hairline(person: Identity, x: Field, lateral: Field) -> Field:
    """Return the height of the hairline over each place across the face, in face units."""
    temples = clamp((lateral - 0.35) / 0.5) ** 1.6
    line: Field = person.hairline_y + 0.50 * (0.55 if person.hair_style == CROPPED else 0.75) * temples
    if person.hair_style == BOB:
        return line + 0.14 * ridge((x - person.parting_x * 0.3) / 0.5)
    if person.hair_style == SHORT:
        waves: Field = np.abs(np.sin(x * 7 + person.parting_x * 5))
        return line + 0.036 * waves
    if person.hair_style == LONG:
        return line + 0.22 * clamp((np.abs(x - person.parting_x * 0.25) - 0.12) / 0.5)
    return line
