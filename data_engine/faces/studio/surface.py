"""The visible face, pixel by pixel: where on the face each pixel lies, how high it is there, and what colour.

    mouth = surface.window(top=0.3, bottom=0.9, lateral=0.5)
    mouth.crease[...] += 0.2

A window shares its pixels with the whole, so each part of the face works on the few pixels that it can reach.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from data_engine.faces.actions import Actions, Sided
from data_engine.faces.curves import Field, Mask, clamp, smoothstep
from data_engine.faces.studio.projection import JAW_DROP, Camera
from data_engine.faces.studio.texture import Texels, atlas, texels

GRID = 0.042
"""Spacing of the coarse grid for what varies slowly, in face units."""
REACH = 1.10
"""Squared radius, in head radii, of what is worked out around the head."""
SPARSE = 3
"""A window is looked for on every third row and column."""
SKIN_DENSITY = 150.0
"""Texels of the skin's atlases to a face unit."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A rectangle of pixels around the head, or a window of it. All fields are (H, W); `colour` is (3, H, W)."""

    x: Field
    """Place on the face: positive on the subject's left, the right of the image."""
    y: Field
    """Place on the face: positive downwards."""
    lateral: Field
    """Distance from the midline, |x|."""
    front: Field
    """1 where the face looks forward, 0 on the back of the head."""
    relief: Field
    """Height above the ball, in face units."""
    crease: Field
    """Depth of folds and wrinkles: 0 none, 1 dark."""
    grain: Field
    """Fine noise of skin and hairs, about standard normal."""
    shade: Field
    """Light that falls on the place, about 1 in full light."""
    gloss: Field
    """Light that mirrors in the place, 0–1."""
    colour: Field
    pixel: float
    """Side of a pixel in face units."""
    actions: Actions
    au: Sided

    @property
    def edge(self) -> float:
        """Width of a soft edge, in face units: a little more than a pixel."""
        return 1.3 * self.pixel

    def window(self, top: float, bottom: float, lateral: float = 2.0) -> Surface:
        """Return a rectangle that holds the places with top < y < bottom and |x| < lateral, hardly any larger."""
        y = self.y[::SPARSE, ::SPARSE]
        inside = (y > top - SPARSE * self.pixel) & (y < bottom + SPARSE * self.pixel)
        if lateral < 1.0:
            inside &= self.lateral[::SPARSE, ::SPARSE] < lateral + SPARSE * self.pixel
        rows, columns = (slice(max(0, s.start * SPARSE - SPARSE + 1), s.stop * SPARSE) for s in bounds(inside))
        return self.cut(rows, columns)

    def cut(self, rows: slice, columns: slice) -> Surface:
        """Return a rectangle of this surface that shares its pixels."""
        parts = {name: getattr(self, name)[..., rows, columns] for name in PIXELS}
        au = {n: value[rows, columns] if isinstance(value, np.ndarray) else value for n, value in self.au.items()}
        return Surface(**parts, pixel=self.pixel, actions=self.actions, au=au)

    def cover(self, mask: Field, colour: Field) -> None:
        """Lay a colour, (3,) or (3, H, W), over the pixels as far as the mask 0–1 says."""
        blend(self.colour, mask, colour)


PIXELS = tuple(f.name for f in fields(Surface) if f.name not in ("pixel", "actions", "au"))
"""The fields of a surface that have a value for every pixel."""


def blend(picture: Field, mask: Field, colour: Field) -> None:
    """Lay a colour, (3,) or (3, H, W), over a (3, H, W) picture in place, as far as the mask (H, W) says."""
    over = (colour[:, None, None] if colour.ndim == 1 else colour) - picture
    over *= mask
    picture += over


def bounds(inside: Mask) -> tuple[slice, slice]:
    """Return the rows and columns of the smallest rectangle around the true pixels; empty slices if there are none."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


@dataclass(frozen=True, eq=False)
class Head:
    """The head as it lies in the picture, with the surface of its face."""

    rows: slice
    columns: slice
    u: Field
    """Coordinates of the upright head, in face units."""
    v: Field
    radius2: Field
    """Squared distance from the head's middle in head radii: below 1 is inside the outline."""
    ball_z: Field
    """Height of the unit ball towards the viewer."""
    facing: Field
    """Above 0 on the front half of the head, below 0 on its back."""
    inside: Field
    """Coverage by the head's outline."""
    texel: Texels
    """Which texel of the skin's atlases lies at each place; it moves with the face."""
    surface: Surface


def find_head(camera: Camera, actions: Actions, u: Field, v: Field) -> Head:
    """Cut the head out of a picture whose pixels lie at (u, v) on the upright head, and lay a bare face on it."""
    person = camera.person
    short, long = person.head_half_width * 1.02, person.head_half_height * (1 + JAW_DROP * camera.jaw_drop)
    rows, columns = bounds((u / short) ** 2 + (v / np.where(v > 0, long, person.head_half_height)) ** 2 < REACH)
    u, v = u[rows, columns], v[rows, columns]
    ball_x, ball_y = camera.on_ball(u, v)
    radius2 = ball_x * ball_x + ball_y * ball_y
    ball_z = np.sqrt(np.maximum(1 - radius2, 0))
    x, y, facing = camera.to_face(ball_x, ball_y, ball_z)
    texel = texels(x, y, SKIN_DENSITY, person.texture_seed)
    surface = Surface(
        x=x,
        y=y,
        lateral=np.abs(x),
        front=smoothstep((facing + 0.08) / 0.15),
        relief=np.zeros_like(x),
        crease=np.zeros_like(x),
        grain=atlas("pores").take(texel),
        shade=np.zeros_like(x),
        gloss=np.zeros_like(x),
        colour=np.zeros((3, *x.shape), np.float32),
        pixel=camera.pixel,
        actions=actions,
        au=actions.at(x),
    )
    radius = min(person.head_half_width, person.head_half_height)
    inside = clamp((1 - np.sqrt(radius2)) * (radius / surface.edge) + 0.5)
    # Behind the ears begin neck and skull, which others paint.
    inside *= 1 - smoothstep(-9 * facing - 0.1)
    return Head(rows, columns, u, v, radius2, ball_z, facing, inside, texel, surface)


def coarse_step(pixel: float) -> int:
    """Return every how many pixels, of this side in face units, what varies slowly is worked out."""
    return max(1, round(GRID / pixel))
