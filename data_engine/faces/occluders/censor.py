"""What is laid over a picture afterwards: a bar, a block, coarse pixels, a blur, a line of text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data_engine.faces.curves import Field, clamp
from data_engine.faces.occluders.canvas import Patch, anchors, box, colour, seen_from_front, turned
from data_engine.faces.studio.projection import Camera

CENSORS = ("bar", "block", "pixels", "blur", "text")
PARTS = {"eyes": 0.95, "mouth": 0.55, "lower face": 0.95, "face": 1.15}
"""What is covered, and half the width that this takes, in face units."""
LINE = 64
"""Dots in a line of text."""
_GLYPHS = (
    "010101111101101",  # A
    "111100100100111",  # C
    "111100110100111",  # E
    "111010010010111",  # I
    "100100100100111",  # L
    "101111111101101",  # M
    "111101101101111",  # O
    "110101110101101",  # R
    "111100111001111",  # S
    "111010010010010",  # T
    "101101101101111",  # U
)
LETTERS = np.array([[int(dot) for dot in glyph] for glyph in _GLYPHS], np.float32).reshape(-1, 5, 3)


@dataclass(frozen=True, eq=False)
class Censor:
    """A rectangle over a part of the face, upright in the picture unless it is a bar."""

    kind: str
    middle: tuple[float, float]
    """(u, v) on the upright head."""
    half_width: float
    half_height: float
    tilt: float
    colour: Field
    cells: int
    """How many coarse pixels are side by side."""
    letters: Field
    """Text: where there is ink, (12, LINE) in 0–1."""
    worn: bool = False

    @classmethod
    def on(cls, camera: Camera, kind: str, rng: np.random.Generator) -> Censor:
        """Choose what is covered and how."""
        at = anchors(camera.person)
        part = {"bar": "eyes", "text": "lower face"}.get(kind) or str(rng.choice(list(PARTS)))
        low = at.lip_bottom + 0.08
        top, bottom = {
            "eyes": (at.eyes - 0.17, at.eyes + 0.17),
            "mouth": (at.nose_base + 0.02, low + 0.06),
            "lower face": (at.nose_tip, at.chin + 0.1),
            "face": (at.eyes - 0.75, at.chin + 0.1),
        }[part]
        if kind == "text":
            top, bottom = at.nose_base + 0.04, low + 0.12
        half_height = 0.5 * (bottom - top) * float(rng.uniform(1.0, 1.15))
        greys = np.full(3, rng.choice([0.02, 0.02, 0.95, 0.5]))
        return cls(
            kind=kind,
            middle=seen_from_front(camera, 0.0, 0.5 * (top + bottom)),
            half_width=PARTS[part] * float(rng.uniform(1.0, 1.15)) if kind != "text" else 2.0,
            half_height=half_height,
            tilt=0.0 if kind == "bar" else -camera.spec.roll,
            colour=(greys if rng.random() < 0.8 else rng.uniform(0, 1, 3)).astype(np.float32),
            cells=int(rng.integers(4, 8)),
            letters=_two_lines(rng),
        )

    def area(self, across: Field, down: Field) -> Field:
        """The rectangle."""
        return box(*self._upright(across, down), self.half_width, self.half_height)

    def _upright(self, u: Field, v: Field) -> tuple[Field, Field]:
        return turned(u - self.middle[0], v - self.middle[1], self.tilt)

    def colours(self, patch: Patch) -> Field:
        """One colour, letters on it, or what is below in coarse pixels or blurred."""
        right, low = self._upright(patch.across, patch.down)
        plain = np.broadcast_to(self.colour[:, None, None], (3, *right.shape))
        if self.kind in ("pixels", "blur"):
            return self._coarse(patch.picture, right, low)
        if self.kind == "text":
            ink = self._ink(right, low)
            return plain + ink * (colour(1, 1, 1) * float(self.colour.mean() < 0.5) - plain)
        return plain

    def _ink(self, right: Field, low: Field) -> Field:
        """The two lines of text over the bar; their dots are square."""
        dot = 2 * self.half_height / len(self.letters)
        row, column = low / dot + len(self.letters) / 2, right / dot + LINE / 2
        there = (np.abs(column - LINE / 2) < LINE / 2) & (np.abs(low) < self.half_height)
        ink: Field = self.letters[clamp(row, 0, 11).astype(np.intp), clamp(column, 0, LINE - 1).astype(np.intp)] * there
        return ink

    def _coarse(self, picture: Field, right: Field, low: Field) -> Field:
        """The mean colour of each coarse pixel; a blur goes smoothly from one to the next."""
        side = 2 * self.half_width / self.cells
        rows = int(np.ceil(2 * self.half_height / side))
        column, row = (
            clamp((right + self.half_width) / side, 0, self.cells - 0.01),
            clamp((low + self.half_height) / side, 0, rows - 0.01),
        )
        cell = row.astype(np.intp) * self.cells + column.astype(np.intp)
        within = (np.abs(right) < self.half_width) & (np.abs(low) < self.half_height)
        count = np.maximum(np.bincount(cell[within], minlength=rows * self.cells), 1)
        means = np.stack([np.bincount(cell[within], part[within], rows * self.cells) / count for part in picture])
        means = means.astype(np.float32)
        if self.kind == "pixels":
            return means[:, cell]
        return _smoothly(means.reshape(3, rows, self.cells), row - 0.5, column - 0.5)


def _two_lines(rng: np.random.Generator) -> Field:
    """Return two lines of words that mean nothing, five dots high each, with a margin: (12, LINE)."""
    ink = np.zeros((12, LINE), np.float32)
    for top in (1, 7):
        column = int(rng.integers(0, 12))
        while column + 3 <= LINE:
            if rng.random() < 0.82:
                ink[top : top + 5, column : column + 3] = LETTERS[rng.integers(len(LETTERS))]
            column += 4
    return ink


def _smoothly(grid: Field, row: Field, column: Field) -> Field:
    """Read a grid, (3, R, C), at fractional places, linearly in both directions."""
    rows, columns = grid.shape[1] - 1, grid.shape[2] - 1
    row, column = clamp(row, 0, rows), clamp(column, 0, columns)
    top, left = row.astype(np.intp), column.astype(np.intp)
    down, right = row - top, column - left
    below, beside = np.minimum(top + 1, rows), np.minimum(left + 1, columns)
    upper = grid[:, top, left] * (1 - right) + grid[:, top, beside] * right
    lower = grid[:, below, left] * (1 - right) + grid[:, below, beside] * right
    smooth: Field = upper * (1 - down) + lower * down
    return smooth
