"""Codes that are not drawn by themselves: head (AU51–56), eyes (AU61–64), blink (AU45) and wink (AU46).

    FaceSpec(aus={"AU51": 3.0, "AU64": 2.0, "AU46": (5.0, 0.0)})    # turned left, looking down, left eye winking
    head_and_eye_codes(spec)                                        # {"AU51": 3.0, "AU64": 2.0}

A head code runs straight from 0 over 1 at 6° to 5 at 45°; an eye code of 5 is as far as the eye goes. A blink and a
wink look like closed eyes, AU43, in one picture, and become that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from data_engine.faces.actions import FULL, Intensity

LEAST = 1.0
"""A head or an eye that is off by less is not scored."""
DEGREES = (0.0, 6.0, 45.0)
INTENSITIES = (0.0, LEAST, FULL)
"""Head codes: intensity at these angles, straight between them."""


class _Axis(NamedTuple):
    """A field of FaceSpec, and the codes of its positive and its negative direction."""

    name: str
    plus: str
    minus: str


HEAD = (_Axis("yaw", "AU51", "AU52"), _Axis("pitch", "AU53", "AU54"), _Axis("roll", "AU55", "AU56"))
GAZE = (_Axis("gaze", "AU61", "AU62"), _Axis("gaze", "AU64", "AU63"))
EYES_CLOSED, BLINK, WINK = "AU43", "AU45", "AU46"
FOLDED = frozenset({BLINK, WINK, *(code for axis in (*HEAD, *GAZE) for code in axis[1:])})
"""Codes that `fold_codes` takes."""


class Posed(Protocol):
    """What has a pose and a gaze: a FaceSpec."""

    @property
    def yaw(self) -> float: ...  # noqa: D102
    @property
    def pitch(self) -> float: ...  # noqa: D102
    @property
    def roll(self) -> float: ...  # noqa: D102
    @property
    def gaze(self) -> tuple[float, float]: ...  # noqa: D102


def head_angle(intensity: float) -> float:
    """Return the angle in radians of a head code's intensity 0–5."""
    return math.radians(_straight(intensity, INTENSITIES, DEGREES))


def head_intensity(radians: float) -> float:
    """Return the intensity 0–5 of a head code at an angle; the inverse of `head_angle`, 5 from 45° on."""
    return _straight(math.degrees(radians), DEGREES, INTENSITIES)


def _straight(value: float, places: tuple[float, ...], heights: tuple[float, ...]) -> float:
    """Read the broken line through (places, heights) at a value, level at its ends."""
    for start, stop, low, high in zip(places, places[1:], heights, heights[1:], strict=False):
        if value <= stop:
            return low + (high - low) * max(0.0, value - start) / (stop - start)
    return heights[-1]


def head_and_eye_codes(spec: Posed) -> dict[str, float]:
    """Return the head and eye codes that a pose and a gaze show, with intensities 1–5."""
    codes: dict[str, float] = {}
    for axis in HEAD:
        angle = getattr(spec, axis.name)
        codes[axis.plus if angle > 0 else axis.minus] = head_intensity(abs(angle))
    for axis, off in zip(GAZE, spec.gaze, strict=True):
        codes[axis.plus if off > 0 else axis.minus] = min(FULL, FULL * abs(off))
    return {code: round(value, 3) for code, value in codes.items() if round(value, 3) >= LEAST}


def fold_codes(aus: Mapping[str, Intensity], pose: Posed) -> tuple[dict[str, Intensity], dict[str, Any]]:
    """Take the codes of `FOLDED` out of `aus`. Returns the AUs that are left and the fields of FaceSpec that change.

    Head and eye codes add to the pose and the gaze given; a code with two sides counts by the stronger one.
    """
    drawn = {code: value for code, value in aus.items() if code not in FOLDED}
    for code in (BLINK, WINK):
        if code in aus:
            drawn[EYES_CLOSED] = _stronger(drawn.get(EYES_CLOSED, 0.0), aus[code])
    fields: dict[str, Any] = {}
    for axis in HEAD:
        if axis.plus in aus or axis.minus in aus:
            turn = head_angle(_strength(aus, axis.plus)) - head_angle(_strength(aus, axis.minus))
            fields[axis.name] = getattr(pose, axis.name) + turn
    if any(axis.plus in aus or axis.minus in aus for axis in GAZE):
        fields["gaze"] = tuple(
            min(1.0, max(-1.0, off + (_strength(aus, axis.plus) - _strength(aus, axis.minus)) / FULL))
            for axis, off in zip(GAZE, pose.gaze, strict=True)
        )
    return drawn, fields


def _strength(aus: Mapping[str, Intensity], code: str) -> float:
    value = aus.get(code, 0.0)
    return max(value) if isinstance(value, tuple) else value


def _stronger(first: Intensity, second: Intensity) -> Intensity:
    """Return the stronger one on each side."""
    if not isinstance(first, tuple) and not isinstance(second, tuple):
        return max(first, second)
    one, two = (value if isinstance(value, tuple) else (value, value) for value in (first, second))
    return max(one[0], two[0]), max(one[1], two[1])
