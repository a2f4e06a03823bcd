"""Light on the relief: a main light that casts shadows, a fill from the other side, a rim from behind, the sky.

What varies slowly, the cast shadows and the dimness of hollows, is worked out on a coarse grid of fixed spacing.
"""

from __future__ import annotations

import math

import numpy as np

from data_engine.faces.curves import Field, bump, clamp, power24, smoothstep
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.surface import Head, coarse_step
from data_engine.faces.studio.texture import box_blur, enlarge

REACH = (0.05, 0.09, 0.14, 0.20, 0.28, 0.38, 0.52)
"""How far towards the light something may stand that casts a shadow, in face units."""
MIRROR = 0.35
"""How much of `gloss` is the broad shine of skin; the rest is the sharp highlight."""


def illuminate(head: Head, spec: FaceSpec, radius: float) -> None:
    """Fill `shade` and `gloss` from the slope of ball and relief together. `radius` is the ball's, in face units."""
    face = head.surface
    depth = head.ball_z * radius + 0.9 * face.relief * face.front
    step = coarse_step(face.pixel)
    bone = skull(face.lateral[::step, ::step], face.y[::step, ::step]) * face.front[::step, ::step]
    coarse = depth[::step, ::step] + bone
    lit = 1 - (0.35 + 0.5 * spec.hardness) * cast_shadow(coarse, step * face.pixel, spec)
    hollow = clamp((box_blur(coarse, 2) - coarse) / 0.05 - 0.15, 0, 1)
    fields = enlarge(np.stack([lit, hollow, bone]), depth.shape, step=step)
    depth += fields[2]
    shade, gloss = light_on(depth, face.pixel, spec, fields[0])
    shade *= 1 - (0.34 - 0.12 * spec.hardness) * fields[1]
    face.shade[...], face.gloss[...] = shade, gloss * fields[0]


def skull(lateral: Field, y: Field) -> Field:
    """Return how far bone stands out of the ball: forehead, cheekbones and jaw; temples and cheeks are hollow."""
    forehead = 0.045 * bump((lateral - 0.22) / 0.30, (y + 0.70) / 0.24)
    cheekbone = 0.038 * bump((lateral - 0.62 - 0.5 * (0.08 - y)) / 0.20, (y - 0.08) / 0.10)
    jaw = 0.045 * bump((lateral - 0.66 + 0.55 * clamp(y - 0.5, 0, 0.5)) / 0.12, (y - 0.62) / 0.22)
    temple = 0.045 * bump((lateral - 0.74) / 0.13, (y + 0.36) / 0.20)
    cheek = 0.035 * bump((lateral - 0.56) / 0.15, (y - 0.40) / 0.17)
    form: Field = forehead + cheekbone + jaw - temple - cheek
    return form


def light_direction(spec: FaceSpec) -> tuple[float, float, float]:
    """Return `FaceSpec.light` at length 1."""
    x, y, z = spec.light
    length = math.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


def meter(spec: FaceSpec) -> float:
    """Return the factor by which a camera on automatic brightens a face that is lit so."""
    front = max(0.0, light_direction(spec)[2])
    bright = spec.ambient + (1 - spec.ambient) * 1.25 * front + 0.5 * (1 - spec.ambient) * spec.fill
    return float(bright**-0.7)


def light_on(depth: Field, pixel: float, spec: FaceSpec, lit: Field | float = 1.0) -> tuple[Field, Field]:
    """Return how bright a surface is, about 1 in full light, and how much it mirrors the light, 0–1.

    `lit` is how much of the main light reaches each place, 0–1.
    """
    down, across = slopes(depth, pixel)
    length = 1 / np.sqrt(1 + across * across + down * down)
    light = _unit(np.array(spec.light, np.float32))
    wrap = 0.45 - 0.35 * spec.hardness
    main = clamp((_facing(light, across, down) * length + wrap) / (1 + wrap)) * lit
    sky = 0.90 - 0.22 * down * length
    shade = spec.ambient * sky + (1 - spec.ambient) * 1.25 * main
    if spec.fill > 0:
        other = _unit(np.array([-light[0], 0.4 * light[1], max(light[2], 0.35)], np.float32))
        shade += (0.6 * (1 - spec.ambient) * spec.fill) * clamp(_facing(other, across, down) * length)
    if spec.rim > 0:
        turned = 1 - length
        away = clamp(-across * (1.0 if light[0] < 0 else -1.0) * length + 0.1)
        shade += (2.2 * spec.rim) * (turned * turned * away)
    shade *= meter(spec)
    halfway = _unit(light + np.array([0, 0, 1], np.float32))
    mirrored = clamp(_facing(halfway, across, down) * length)
    broad = mirrored * mirrored
    return shade, (1 - MIRROR) * power24(mirrored) + MIRROR * (broad * broad) ** 2


def round_light(across: Field, down: Field, out: Field, spec: FaceSpec) -> Field:
    """Return how bright a round form is whose normals are (across, down, out)."""
    x, y, z = (float(part) for part in _unit(np.array(spec.light, np.float32)))
    main = clamp((across * x + down * y + out * z + 0.3) / 1.3)
    bright: Field = spec.ambient * (0.9 - 0.2 * down) + (1 - spec.ambient) * 1.25 * main
    return (bright + 1.6 * spec.rim * (1 - out) ** 2) * meter(spec)


def cast_shadow(depth: Field, grid: float, spec: FaceSpec) -> Field:
    """Return how deep each place lies in the shadow of what stands between it and the main light, 0–1.

    `depth` is a coarse height field with `grid` face units from point to point.
    """
    across, down, up = (float(part) for part in _unit(np.array(spec.light, np.float32)))
    level = math.hypot(across, down)
    if level < 0.12:
        return np.zeros_like(depth)
    soft = 0.035 + 0.10 * (1 - spec.hardness)
    above = np.zeros_like(depth)
    height, width = depth.shape
    for reach in REACH:
        right, low = round(reach * across / level / grid), round(reach * down / level / grid)
        if abs(right) >= width or abs(low) >= height:
            break
        here, there = _overlap(height, low), _overlap(height, -low)
        left_here, left_there = _overlap(width, right), _overlap(width, -right)
        rise = math.hypot(right, low) * grid * max(up, 0.12) / level
        over = depth[there, left_there] - depth[here, left_here] - rise
        place = above[here, left_here]
        np.maximum(place, over, out=place)
    return smoothstep(box_blur(above, 1) / soft)


def _overlap(length: int, offset: int) -> slice:
    """The places of a side whose neighbour at this offset is inside too."""
    return slice(max(0, -offset), length - max(0, offset))


def slopes(depth: Field, pixel: float) -> tuple[Field, Field]:
    """Return how steeply the surface rises downwards and to the right, at most 3 either way."""
    return clamp(_slope(depth, pixel), -3, 3), clamp(_slope(depth.T, pixel).T, -3, 3)


def _slope(depth: Field, pixel: float) -> Field:
    """Central differences along the first axis."""
    slope = np.empty_like(depth)
    np.subtract(depth[2:], depth[:-2], out=slope[1:-1])
    slope[1:-1] *= 0.5 / pixel
    slope[0], slope[-1] = (depth[1] - depth[0]) / pixel, (depth[-1] - depth[-2]) / pixel
    return slope


def _facing(direction: Field, across: Field, down: Field) -> Field:
    """The dot product of a direction with the surface's normal (−across, −down, 1), not yet of unit length."""
    x, y, z = (float(part) for part in direction)
    return z - across * x - down * y


def _unit(vector: Field) -> Field:
    unit: Field = vector / float(np.linalg.norm(vector))
    return unit
