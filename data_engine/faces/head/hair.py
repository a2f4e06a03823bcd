"""Hair: what falls behind the head, the locks before the shoulders, and what lies on the head and over the face.

One shell around the skull bears all of it. The shell's outline lies in the picture; where it opens for the face is
said in places on the face, so that the hair turns with the head.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from data_engine.faces.curves import Field, Mask, clamp, coverage, ridge, smoothstep
from data_engine.faces.person.haircuts import Haircut
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.shading import round_light
from data_engine.faces.studio.surface import Head, blend, bounds, coarse_step
from data_engine.faces.studio.texture import atlas, enlarge, texels

SKULL = (0.0, -0.02, -0.28)
"""Middle of the skull's back on the ball of the face; it moves when the head turns."""
CROWN_Y = -0.15
"""Height of the shell's middle over the head's."""
SHADOW = 0.13
"""How far the hair's shadow reaches down the face, in face units."""
LOWEST_FRINGE = -0.30
"""No fringe hangs lower than this, over the eyes."""
OVERHANG = 1.09
"""How far the hair on the head reaches over its outline, in squared head radii."""
VEIL = Haircut(
    "veil", top=0.08, side=0.07, ends_y=4.0, widening=0.5, inner=0.84, in_front=True, covers_ears=True,
    hairline_y=-0.74, temples=0.0, fuzz=0.004, shine=0.02, wave=0.3,
)  # fmt: skip
"""A headscarf is drawn as hair of cloth."""
HOOD = dataclasses.replace(VEIL, name="hood", top=0.20, side=0.16, inner=0.95, hairline_y=-0.92)


def head_cover(person: Identity) -> Haircut:
    """Return what covers the head: the haircut, or the scarf or hood that hides it."""
    covers = {"hijab": VEIL, "hood": HOOD}.get(person.wardrobe.headwear or "")
    if covers is None:
        return person.cut
    return dataclasses.replace(covers, hairline_y=covers.hairline_y + 0.25 * (person.wardrobe.headwear_y + 0.67))


class Hair:
    """The shell of hair or cloth of one picture."""

    def __init__(self, camera: Camera, u: Field, v: Field) -> None:
        self.camera, self.person, self.cut = camera, camera.person, head_cover(camera.person)
        self.is_cloth = self.cut.name in ("veil", "hood")
        self.is_bald = self.cut.density == 0
        wide, high = self.person.head_half_width, self.person.head_half_height
        self.middle = camera.rotation @ np.array(SKULL, np.float32) * wide
        self.radius = wide * (1 + self.cut.side)
        self.height = high * (1 + self.cut.top) + CROWN_Y
        step = coarse_step(camera.pixel)
        distance = self._shell(u[::step, ::step], v[::step, ::step])
        self.rows, self.columns = (slice(s.start * step, s.stop * step) for s in bounds(distance > -0.12))
        self.u, self.v = u[self.rows, self.columns], v[self.rows, self.columns]
        self.pattern = self._pattern()
        rows, columns = slice(self.rows.start // step, None), slice(self.columns.start // step, None)
        outside = enlarge(distance[rows, columns], self.u.shape, step=step) if self.u.size else self.u
        self.outside = outside + (0.3 * self.cut.fuzz) * clamp(self.pattern, -1.5, 1.5)
        self.soft = max(2.0 * camera.pixel, 0.045 + 0.9 * self.cut.fuzz) if not self.is_cloth else 2 * camera.pixel
        self.cover = coverage(self.outside, self.soft)
        self.light, self.shine = self._light()

    def _shell(self, u: Field, v: Field) -> Field:
        """Signed distance into the shell's outline, in face units; locks that stand off move it outwards."""
        cut = self.cut
        across, down = u - float(self.middle[0]), v - float(self.middle[1] + CROWN_Y)
        below = clamp(down, 0, 1.6)
        wide = self.radius * (1 + cut.widening * below)
        if cut.wave:
            wide = wide + 0.045 * cut.wave * np.sin(7 * v + 9 * cut.parting_x) * smoothstep(below * 2)
        up = np.minimum(down, 0) / self.height
        distance = (1 - np.sqrt((across / wide) ** 2 + up * up)) * self.radius
        if cut.bun:
            knot = np.sqrt(across * across + (down + self.height + 0.4 * cut.bun) ** 2)
            distance = np.maximum(distance, cut.bun - knot)
        round_ = 0.5 * across * across if cut.ends_y < 1 else 0.0
        ends: Field = np.minimum(distance, 0.6 * (cut.ends_y + 0.05 * np.sin(5 * u + 8 * cut.parting_x) - round_ - v))
        locks = atlas("curls").take(texels(across, v, 40 if cut.curl else 26, self.person.texture_seed + 1))
        return ends + 0.7 * cut.fuzz * locks

    def _pattern(self) -> Field:
        """Strands that run from the parting downwards, or curls, or the folds of cloth; about standard normal."""
        cut, seed = self.cut, self.person.texture_seed
        across = self.u - float(self.middle[0]) - 0.35 * cut.parting_x * self.radius
        drop = np.maximum(0.55 * self.radius - (self.v - CROWN_Y), 0.28)
        angle = across / np.sqrt(across * across + drop * drop)
        if cut.wave:
            angle = angle + 0.035 * cut.wave * np.sin(8 * self.v + 3 * angle)
        if self.is_cloth:
            return atlas("locks").take(texels(angle, 0.4 * self.v, 70, seed))
        strands = atlas("strands").take(texels(angle, 0.5 * self.v, 110, seed))
        if not cut.curl:
            return strands
        curls = atlas("curls").take(texels(self.u, self.v, 75, seed))
        return (1 - cut.curl) * strands + cut.curl * 1.1 * curls

    def _light(self) -> tuple[Field, Field]:
        """How bright each place is, and how much it shines, from the shell's own round form."""
        step = coarse_step(self.camera.pixel)
        across = (self.u[::step, ::step] - float(self.middle[0])) / self.radius
        down = (self.v[::step, ::step] - float(self.middle[1] + CROWN_Y)) / self.height
        up = clamp(down, -1, 0.25)
        out = np.sqrt(np.maximum(1 - across * across - up * up, 0.04))
        light = round_light(across, up, out, self.camera.spec)
        light *= 1 - 0.30 * smoothstep(down / 1.4)
        band = ridge((np.sqrt(across * across + up * up) - 0.62) / 0.20) * clamp(light)
        fields = enlarge(np.stack([light, band]), self.u.shape, step=step)
        relief = 0.11 if self.is_cloth else 0.19 - 0.12 * float(self.person.hair.mean())
        self.bare = fields[0]
        bright = fields[0] * (1 + relief * clamp(self.pattern, -2.5, 2.5))
        return bright, self.cut.shine * fields[1] * clamp(0.55 + 0.35 * self.pattern, 0, 1.4)

    def colour(self, window: tuple[slice, slice] | None = None, dim: Field | float = 1.0) -> Field:
        """Return the lit colour (3, H, W) of the shell or of a window of it."""
        light, shine = (self.light, self.shine) if window is None else (self.light[window], self.shine[window])
        own = self.person.wardrobe.headwear_colour if self.is_cloth else self.person.hair
        if self.is_bald:
            skull: Field = self.person.skin[:, None, None] * (0.9 * self.bare[window or ...] * dim)
            return skull
        painted: Field = own[:, None, None] * (light * dim) + shine * dim * (0.5 + 0.5 * own[:, None, None])
        return painted

    def paint_behind(self, picture: Field) -> None:
        """Paint the whole shell; head, neck and shoulders are painted over it."""
        if not self.u.size:
            return
        dim = 1 - 0.35 * smoothstep((self.v - 0.1) / 0.5)
        colour = self.colour(dim=dim)
        if 0 < self.cut.density < 1:
            colour = self.cut.density * colour + (1 - self.cut.density) * self.person.skin[:, None, None] * (
                self.bare * dim
            )
        blend(picture[:, self.rows, self.columns], self.cover, colour)

    def paint_before_shoulders(self, picture: Field) -> None:
        """Paint the locks that hang before the shoulders, or the scarf around the neck."""
        if not self.cut.in_front or self.cut.ends_y < 1 or not self.u.size:
            return
        low = int(np.searchsorted(self.v.max(axis=1), 0.3))
        window = slice(low, None), slice(None)
        u, v = self.u[window], self.v[window]
        hanging = coverage(np.abs(u) - self._inner(v) * 0.86 + 0.02 * self.pattern[window], self.soft + 0.02)
        if self.is_cloth:
            hanging = np.maximum(hanging, smoothstep((v - 0.8) / 0.1))
        mask = hanging * self.cover[window]
        rows = slice(self.rows.start + low, self.rows.stop)
        blend(picture[:, rows, self.columns], mask, self.colour(window))

    def paint_on(self, picture: Field, head: Head) -> None:
        """Paint the hair that lies on the head over a whole picture, and its shadow on the face."""
        if self.is_bald or not self.u.size:
            return
        rows, columns = _common(self.rows, head.rows), _common(self.columns, head.columns)
        if rows.stop <= rows.start or columns.stop <= columns.start:
            return
        own = _within(rows, self.rows), _within(columns, self.columns)
        of_head = _within(rows, head.rows), _within(columns, head.columns)
        distance = self._over_face(head, of_head, self.pattern[own])
        place = picture[:, rows, columns]
        depth = clamp(1 + distance / SHADOW) * head.inside[of_head] * head.surface.front[of_head]
        place *= 1 - (0.22 + 0.22 * self.camera.spec.hardness) * depth * depth * self.cut.density
        fade = 0.16 if self.cut.density < 1 else max(0.07, 1.5 * head.surface.edge)
        near = clamp((OVERHANG - head.radius2[of_head]) * 12)
        blend(place, coverage(distance, fade) * self.cover[own] * near * self.cut.density, self.colour(own))

    def _inner(self, v: Field) -> Field:
        """How far from the midline the locks at the sides hang at each height."""
        cut = self.cut
        swing = 0.03 * (1 + cut.wave) * np.sin(4.5 * v + 6 * cut.parting_x)
        inner: Field = self.person.head_half_width * (cut.inner + swing)
        return inner

    def _over_face(self, head: Head, window: tuple[slice, slice], pattern: Field) -> Field:
        """Signed distance into the hair from where it opens for the face, in face units."""
        cut, wide = self.cut, self.person.head_half_width
        x, y, facing = head.surface.x[window], head.surface.y[window], head.facing[window]
        lateral = np.abs(x)
        distance = hairline(cut, x, lateral) - y
        if cut.inner < 1.5:
            distance = np.maximum(distance, lateral - self._inner(y))
            behind = np.minimum((0.06 - facing) * wide, np.abs(head.u[window]) - 0.55 * wide)
            distance = np.maximum(distance, behind)
        else:
            sideburn = np.minimum((0.34 - facing) * wide, cut.sideburn_y + 0.5 * (0.3 - facing) - y)
            distance = np.maximum(distance, sideburn)
            behind = np.minimum((-0.12 - facing) * wide, cut.ends_y - y)
            distance = np.maximum(distance, behind)
        if cut.fringe_y is not None:
            teeth = atlas("locks").take(texels(x + 0.1 * y, np.zeros_like(y), 60, self.person.texture_seed))
            fringe = fringe_edge(cut, x) - y + 0.05 * cut.fringe_gaps * clamp(teeth + 0.5 * pattern, -2, 2)
            distance = np.maximum(distance, np.minimum(fringe, 0.85 * wide - lateral))
        if self.is_cloth:
            distance = np.maximum(distance, head.v[window] - 0.93 * self.person.head_half_height)
        ragged = 0.004 if self.is_cloth else 0.014 + 0.25 * cut.fuzz
        ragged_edge: Field = distance + ragged * pattern
        return ragged_edge


def hairline(cut: Haircut, x: Field, lateral: Field) -> Field:
    """Return the height of the hairline over each place across the face, in face units."""
    temples = clamp((lateral - 0.30) / 0.5) ** 1.5
    round_ = (0.62 - 0.45 * cut.temples) * temples
    corner = -0.16 * cut.temples * ridge((lateral - 0.42) / 0.16)
    line: Field = cut.hairline_y + round_ + corner + cut.peak * ridge(x / 0.12)
    return line


def fringe_edge(cut: Haircut, x: Field) -> Field:
    """Return the height of the fringe's lower edge over each place across the face, without its uneven ends."""
    edge: Field = (cut.fringe_y or 0.0) + cut.fringe_slant * (x - cut.parting_x) - 0.25 * x * x
    return clamp(edge, -2, LOWEST_FRINGE)


def covers(person: Identity, x: Field, y: Field) -> Mask:
    """Tell which places on the face lie under the person's own hair, scarf or hood."""
    cut = head_cover(person)
    covered: Mask = (hairline(cut, x, np.abs(x)) > y) | (np.abs(x) > person.head_half_width * cut.inner)
    if cut.fringe_y is not None:
        covered |= fringe_edge(cut, x) > y
    return covered & (cut.density > 0.5)


def _common(one: slice, other: slice) -> slice:
    return slice(max(one.start, other.start), min(one.stop, other.stop))


def _within(inner: slice, outer: slice) -> slice:
    """The same rows or columns, counted from the start of the outer ones."""
    return slice(inner.start - outer.start, inner.stop - outer.start)
