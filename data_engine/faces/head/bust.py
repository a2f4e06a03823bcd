"""The bust: the neck with its tendons and the chin's shadow, shoulders and clothes."""

from __future__ import annotations

import math

import numpy as np

from data_engine.faces.curves import Field, clamp, coverage, ridge, smoothstep
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.backdrop import bounce
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.shading import light_direction, meter
from data_engine.faces.studio.surface import blend, bounds
from data_engine.faces.studio.texture import atlas, texels

NOTCH_Y = 1.52
"""Height of the hollow between the collarbones, in face units."""


def paint_bust(picture: Field, camera: Camera, across: Field, down: Field) -> None:
    """Paint neck and clothes. The neck follows the head's turn a little, the shoulders do not."""
    top = int(np.searchsorted(down[:, 0], 0.0))
    if top >= camera.size:
        return
    below = picture[:, top:]
    low = down[top:]
    # Clothes cover all that is wider than a neck, but not always.
    wide = 9.0 if camera.person.wardrobe.garment == "off the shoulder" else 1.1
    _, columns = bounds(np.abs(across) < wide)
    _paint_neck(below[..., columns], camera, across[:, columns], low)
    top = int(np.searchsorted(low[:, 0], 0.98))
    if top < len(low):
        _paint_clothes(below[:, top:], camera, across, low[top:])


def _half_width(person: Identity, y: Field) -> Field:
    """Half the width of neck and shoulders at each height: the neck, then the slope of the trapezius."""
    slope = clamp(y - 1.02, 0, 2)
    half: Field = person.neck_width * person.head_half_width + 0.9 * slope * slope + 1.9 * clamp(y - 1.36, 0, 1) ** 1.3
    return half


def _paint_neck(picture: Field, camera: Camera, across: Field, y: Field) -> None:
    person, spec = camera.person, camera.spec
    lean = math.sin(spec.roll) * -0.3
    turn = math.sin(spec.yaw)
    off = across + (0.36 * turn - lean) * clamp(1.6 - y)
    half = _half_width(person, y) + 0.10 * abs(turn) * clamp(1.3 - y)
    cover = coverage(np.minimum(half - np.abs(off), 0.4 * (y - 0.12)), 2.4 * camera.pixel)
    side = clamp(off / half, -1, 1)
    light_x, light_y, light_z = light_direction(spec)
    main = clamp((side * light_x + np.sqrt(1 - side * side + 0.02) * light_z + 0.25) / 1.25)
    tendon = ridge((np.abs(off + 0.12 * turn) - 0.09 - 0.32 * clamp(NOTCH_Y - y)) / 0.06)
    throat = ridge(off / 0.10)
    form = 1 + 0.10 * tendon * smoothstep((y - 1.0) / 0.3) - 0.08 * throat * smoothstep((y - 1.2) / 0.2)
    # The jaw's shadow falls away from the light.
    edge = person.head_half_height - 0.55 * off * off / person.head_half_width + 0.16 + 0.30 * max(-light_y, 0.0)
    shadow = smoothstep((edge - y + 0.35 * light_x * off) / (0.10 + 0.22 * (1 - spec.hardness)))
    shadow = shadow * (1 - abs(turn) * smoothstep(0.3 - side * math.copysign(0.9, turn)))
    shade = spec.ambient * 0.85 + (1 - spec.ambient) * 1.15 * main * (1 - 0.75 * shadow)
    shade = np.maximum(shade * form * (1 - 0.22 * shadow), 0.36) * meter(spec)
    dark = clamp(1 - shade)
    grain = 1 + 0.03 * atlas("blotches").take(texels(off, y + 0 * off, 150, person.texture_seed))
    blend(picture, cover, person.skin[:, None, None] * (shade * grain + 0.5 * bounce(spec)[:, None, None] * dark))


def _paint_clothes(picture: Field, camera: Camera, across: Field, y: Field) -> None:
    person, garment = camera.person, camera.person.wardrobe.garment
    cover = coverage(
        np.minimum(_half_width(person, y) + 0.05 - np.abs(across), _opening(person, across, y)), 2.4 * camera.pixel
    )
    light_x, _, _ = light_direction(camera.spec)
    folds = atlas("locks").take(texels(across + 0.3 * y, 0.5 * y + 0 * across, 60, person.texture_seed + 7))
    lit = (0.80 + 0.22 * np.tanh(2 * light_x * across) + 0.06 * folds - 0.10 * clamp(y - 1.2)) * meter(camera.spec)
    colour = cloth(person, across, y) * lit
    blend(picture, cover, colour)
    if garment == "collar":
        off = np.abs(across)
        flap = np.minimum(off - 0.10 - 0.45 * (y - 1.12), 0.52 + 0.05 * y - off)
        flap = coverage(np.minimum(flap, np.minimum(y - 1.06 - 0.05 * off, 1.46 - 0.25 * off - y)), 2.4 * camera.pixel)
        light = np.clip(person.wardrobe.cloth * 1.15 + 0.05, 0, 1).astype(np.float32)
        blend(picture, flap, light[:, None, None] * (lit + 0.05))


def _opening(person: Identity, across: Field, y: Field) -> Field:
    """Signed distance below the neckline."""
    garment = person.wardrobe.garment
    off = np.abs(across)
    neck = person.neck_width * person.head_half_width
    if garment == "turtleneck":
        return y - 1.10 - 0.10 * (1 - (off / neck) ** 2)
    if garment == "v-neck":
        return y - 1.72 + 1.15 * off
    if garment == "collar":
        return y - 1.48 + 0.9 * off
    if garment == "off the shoulder":
        return y - 1.75 + 0.10 * off
    if garment == "hood":
        return y - 1.34 + 0.55 * off
    return y - 1.36 + 0.5 * clamp(off - 0.1) ** 1.3


def cloth(person: Identity, across: Field, y: Field) -> Field:
    """Return the colours of the clothes, (3, H, W), without light."""
    wear = person.wardrobe
    weave = atlas("cloth").take(texels(across + 0 * y, y + 0 * across, 90, person.texture_seed + 5))
    base: Field = wear.cloth[:, None, None] * (1 + 0.06 * weave)
    if wear.pattern == "plain":
        return base
    if wear.pattern == "knit":
        return base * (1 + 0.12 * np.sin(across * 60) * np.sin(y * 48))
    lines: Field = coverage(np.sin(y * 34 + 0 * across), 0.8)
    if wear.pattern == "checks":
        lines = 0.5 * lines + 0.5 * coverage(np.sin(across * 30 + 0 * y), 0.8)
    elif wear.pattern == "dots":
        lines = coverage(np.sin(y * 40) * np.sin(across * 40) - 0.5, 0.5)
    mixed: Field = base + lines * (wear.cloth_two[:, None, None] - base)
    return mixed
