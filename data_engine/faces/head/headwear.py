"""Caps, beanies, hats and headbands over the hair. Headscarves and hoods are drawn as hair, see `hair`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from data_engine.faces.curves import Field, Mask, clamp, coverage, ridge, smoothstep
from data_engine.faces.head.hair import CROWN_Y, SKULL
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.shading import round_light
from data_engine.faces.studio.surface import Head, blend
from data_engine.faces.studio.texture import atlas, texels

STANDS_OFF = {"cap": 0.09, "beanie": 0.12, "hat": 0.12, "headband": 0.06}
"""How far each stands off the skull, as a share of its radius."""
BRIMMED = ("cap", "hat")
BAND = 0.16
"""Height of a headband, in face units."""


class Fit(NamedTuple):
    """How a piece of headwear lies over some places of the upright head."""

    across: Field
    """Distance from the middle of its round form, in its radii; `down` likewise."""
    down: Field
    round2: Field
    """Square of both distances, that below the middle left out."""
    edge_y: Field
    """Height of its lower edge, in face units: a level ring around the head that tips with it."""


def fit(camera: Camera, kind: str, u: Field, v: Field) -> Fit:
    """Put headwear of this kind over places (u, v) on the upright head."""
    person = camera.person
    wide, high = person.head_half_width, person.head_half_height
    middle = camera.rotation @ np.array(SKULL, np.float32) * wide
    tip = -0.60 * float(np.sin(camera.spec.pitch))
    across = (u - float(middle[0])) / (wide * (1 + STANDS_OFF[kind]))
    down = (v - float(middle[1]) - CROWN_Y) / (high * (1.04 + STANDS_OFF[kind]) + CROWN_Y)
    from_front = across - np.float32(np.sin(camera.spec.yaw)) * 0.6
    edge_y = (
        person.wardrobe.headwear_y + tip + 0.10 * (1 - clamp(from_front * from_front)) - 0.05 + 0.14 * across * across
    )
    return Fit(across, down, across * across + np.minimum(down, 0) ** 2, edge_y)


def covers(camera: Camera, u: Field, v: Field) -> Mask:
    """Tell which places (u, v) on the upright head lie under headwear or its brim."""
    kind = camera.person.wardrobe.headwear
    if kind not in STANDS_OFF:
        return np.zeros(u.shape, np.bool_)
    worn = fit(camera, kind, u, v)
    covered: Mask = _crown(camera, kind, worn, v) > 0.5
    if kind in BRIMMED:
        covered |= _brim(camera, kind, worn, u, v)[0] > 0.5
    return covered


def paint_headwear(picture: Field, head: Head, camera: Camera, u: Field, v: Field) -> None:
    """Paint what is worn on the head over a whole picture whose pixels lie at (u, v) on the upright head."""
    person, kind = camera.person, camera.person.wardrobe.headwear
    if kind not in STANDS_OFF:
        return
    stop = int(np.searchsorted(v.min(axis=1) > person.wardrobe.headwear_y + 0.7, True))
    u, v = u[:stop], v[:stop]
    worn = fit(camera, kind, u, v)
    out = np.sqrt(np.maximum(1 - worn.round2, 0.03))
    light = round_light(worn.across, clamp(worn.down, -1, 0.2), out, camera.spec)
    weave = atlas("cloth").take(texels(worn.across, worn.down, 90, person.texture_seed))
    light = light * (1 + 0.04 * weave)
    if kind == "beanie":
        light = light * (1 + 0.10 * np.sin(worn.across * 70)) * (1 - 0.25 * ridge((v - worn.edge_y + 0.22) / 0.02))
    colour = person.wardrobe.headwear_colour[:, None, None]
    _shade_forehead(picture[:, :stop], head, v, worn.edge_y, 0.34 if kind in BRIMMED else 0.10)
    blend(picture[:, :stop], _crown(camera, kind, worn, v), colour * light)
    if kind in BRIMMED:
        brim, height = _brim(camera, kind, worn, u, v)
        blend(picture[:, :stop], brim, colour * (0.62 + 0.30 * height))


def _crown(camera: Camera, kind: str, worn: Fit, v: Field) -> Field:
    """Coverage by all but the brim, 0–1."""
    soft = 2.4 * camera.pixel
    inside = coverage((1 - np.sqrt(worn.round2)) * camera.person.head_half_width, soft)
    above = coverage(worn.edge_y - v, soft)
    if kind == "headband":
        above = above * coverage(v - worn.edge_y + BAND, soft)
    return inside * above


def _brim(camera: Camera, kind: str, worn: Fit, u: Field, v: Field) -> tuple[Field, Field]:
    """Coverage by the brim, and how far up on it a place lies, both 0–1; a cap's stands forwards only."""
    spec, wide, is_cap = camera.spec, camera.person.head_half_width, kind == "cap"
    x = u - (0.75 * wide * float(np.sin(spec.yaw)) if is_cap else 0)
    half = wide * (0.80 if is_cap else 1.55)
    drop = 0.14 + 0.35 * max(-0.2, -float(np.sin(spec.pitch)))
    lens = drop * clamp(1 - (x / half) ** 2)
    below = np.minimum(worn.edge_y + 0.5 * lens - v, v - worn.edge_y + (0.5 if is_cap else 0.35) * lens + 0.01)
    brim = coverage(np.minimum(below, (half - np.abs(x)) * 0.5), 2.4 * camera.pixel)
    return brim, clamp((worn.edge_y - v) / drop + 0.5)


def _shade_forehead(picture: Field, head: Head, v: Field, edge_y: Field, reach: float) -> None:
    """Darken the face down to `reach` below the edge; a brim throws a longer shadow."""
    columns = head.columns
    rows = slice(head.rows.start, min(head.rows.stop, v.shape[0]))
    if rows.stop <= rows.start:
        return
    shadow = smoothstep(1 - (v - edge_y)[rows, columns] / reach)
    picture[:, rows, columns] *= 1 - 0.32 * shadow * head.inside[: rows.stop - rows.start]
