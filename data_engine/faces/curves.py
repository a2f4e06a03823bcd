"""Soft shapes: every feature of the face is a band between two curves, a bump or a ridge.

All functions take and return float32 arrays or plain floats, and work in face units (see `projection`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating[Any]]
"""One number for every pixel of a window, shape (H, W); always float32, which numpy's types cannot follow."""

Mask = NDArray[np.bool_]

Value = float | Field
"""A number for the whole face, or one for every pixel where the two sides differ."""


def smoothstep(x: Field) -> Field:
    """Rise from 0 at x ≤ 0 to 1 at x ≥ 1 with level ends: x²(3 − 2x)."""
    x = clamp(x)
    return x * x * (3 - 2 * x)


def clamp(x: Field, low: float = 0.0, high: float = 1.0) -> Field:
    """Keep x between low and high."""
    inside: Field = np.minimum(np.maximum(x, low), high)
    return inside


def coverage(inside: Field, softness: float) -> Field:
    """Turn a signed distance (positive inside) into coverage 0–1 with an edge `softness` wide."""
    return clamp(inside / softness + 0.5)


def bump(across: Field, down: Field) -> Field:
    """A round hill: exp(−across² − down²), both distances already divided by the hill's radii."""
    height: Field = np.exp(-(across * across + down * down))
    return height


def ridge(distance: Field) -> Field:
    """A wall along a line: exp(−distance²), the distance already divided by the wall's half width."""
    height: Field = np.exp(-(distance * distance))
    return height


def plateau(distance: Field) -> Field:
    """Flat in the middle, steep at the sides: exp(−distance⁴)."""
    square = distance * distance
    height: Field = np.exp(-(square * square))
    return height


def between(x: Field, start: float, rise: float, stop: Value, fall: float) -> Field:
    """1 between start and stop, rising over `rise` after start, falling over `fall` before stop."""
    return smoothstep((x - start) / rise) * smoothstep((stop - x) / fall)


def power24(x: Field) -> Field:
    """x²⁴ by squaring, many times faster than the general power."""
    x8 = (x * x) ** 2
    x8 = x8 * x8
    return x8 * x8 * x8


def dome(height: Field, roundness: float = 0.0) -> Field:
    """Bulge an arch 0–1: height^¾, or rounder towards height^½. By roots, many times faster than the general power."""
    root = np.sqrt(height)
    slim: Field = root * np.sqrt(root)
    return slim + (root - slim) * roundness if roundness else slim


def limit(value: Value, low: float = 0.0, high: float = 1.0) -> Value:
    """Keep a number, or a field of numbers, between low and high; a plain float stays one."""
    return clamp(value, low, high) if isinstance(value, np.ndarray) else min(max(value, low), high)


def used(*values: Value) -> bool:
    """Tell whether any of the values is above 0 anywhere."""
    return any(isinstance(value, np.ndarray) or value > 0 for value in values)
