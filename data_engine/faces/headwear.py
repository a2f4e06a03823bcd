"""Caps, beanies, hats and headbands over the hair. Headscarves and hoods are drawn as hair, see `hair`."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import Field, clamp, coverage, ridge, smoothstep
from data_engine.faces.hair import CROWN_Y, SKULL
from data_engine.faces.projection import Camera
from data_engine.faces.shading import round_light
from data_engine.faces.surface import Head, blend
from data_engine.faces.texture import atlas, texels

STANDS_OFF = {"cap": 0.09, "beanie": 0.12, "hat": 0.12, "headband": 0.06}
"""How far each stands off the skull, as a share of its radius."""


def paint_headwear(picture: Field, head: Head, camera: Camera, u: Field, v: Field) -> None:
    """Paint what is worn on the head over a whole picture whose pixels lie at (u, v) on the upright head."""
    person, kind = camera.person, camera.person.wardrobe.headwear
    if kind not in STANDS_OFF:
        return
    wide, high = person.head_half_width, person.head_half_height
    middle = camera.rotation @ np.array(SKULL, np.float32) * wide
    # The lower edge is a level ring around the head; it tips with the head.
    tip = -0.60 * float(np.sin(camera.spec.pitch))
    stop = int(np.searchsorted(v.min(axis=1) > person.wardrobe.headwear_y + 0.7, True))
    u, v = u[:stop], v[:stop]
    across = (u - float(middle[0])) / (wide * (1 + STANDS_OFF[kind]))
    down = (v - float(middle[1]) - CROWN_Y) / (high * (1.04 + STANDS_OFF[kind]) + CROWN_Y)
    round2 = across * across + np.minimum(down, 0) ** 2
    inside = coverage((1 - np.sqrt(round2)) * wide, 2.4 * camera.pixel)
    from_front = across - np.float32(np.sin(camera.spec.yaw)) * 0.6
    edge_y = (
        person.wardrobe.headwear_y + tip + 0.10 * (1 - clamp(from_front * from_front)) - 0.05 + 0.14 * across * across
    )
    above = coverage(edge_y - v, 2.4 * camera.pixel)
    if kind == "headband":
        above = above * coverage(v - edge_y + 0.16, 2.4 * camera.pixel)
    out = np.sqrt(np.maximum(1 - round2, 0.03))
    light = round_light(across, clamp(down, -1, 0.2), out, camera.spec)
    weave = atlas("cloth").take(texels(across, down, 90, person.texture_seed))
    light = light * (1 + 0.04 * weave)
    if kind == "beanie":
        light = light * (1 + 0.10 * np.sin(across * 70)) * (1 - 0.25 * ridge((v - edge_y + 0.22) / 0.02))
    colour = person.wardrobe.headwear_colour[:, None, None]
    _shade_forehead(picture[:, :stop], head, v, edge_y, kind)
    blend(picture[:, :stop], inside * above, colour * light)
    if kind in ("cap", "hat"):
        _paint_brim(picture[:, :stop], camera, u, v, edge_y, colour)


def _shade_forehead(picture: Field, head: Head, v: Field, edge_y: Field, kind: str) -> None:
    """Darken the face below the edge; a brim throws a longer shadow."""
    reach = 0.34 if kind in ("cap", "hat") else 0.10
    columns = head.columns
    rows = slice(head.rows.start, min(head.rows.stop, v.shape[0]))
    if rows.stop <= rows.start:
        return
    shadow = smoothstep(1 - (v - edge_y)[rows, columns] / reach)
    picture[:, rows, columns] *= 1 - 0.32 * shadow * head.inside[: rows.stop - rows.start]


def _paint_brim(picture: Field, camera: Camera, u: Field, v: Field, edge_y: Field, colour: Field) -> None:
    """The peak of a cap stands out forwards; the brim of a hat all around."""
    person, spec = camera.person, camera.spec
    wide = person.head_half_width
    is_cap = person.wardrobe.headwear == "cap"
    x = u - (0.75 * wide * float(np.sin(spec.yaw)) if is_cap else 0)
    half = wide * (0.80 if is_cap else 1.55)
    drop = 0.14 + 0.35 * max(-0.2, -float(np.sin(spec.pitch)))
    lens = drop * clamp(1 - (x / half) ** 2)
    below = np.minimum(edge_y + 0.5 * lens - v, v - edge_y + (0.5 if is_cap else 0.35) * lens + 0.01)
    brim = coverage(np.minimum(below, (half - np.abs(x)) * 0.5), 2.4 * camera.pixel)
    blend(picture, brim, colour * (0.62 + 0.30 * clamp((edge_y - v) / drop + 0.5)))
