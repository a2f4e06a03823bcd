"""What one picture shows: who, doing what, seen how.

    spec = FaceSpec(identity=61, aus={"AU06": 3.0, "AU12": (4.0, 1.0)}, yaw=0.2)

Signs and units of all fields are said here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from data_engine.faces.actions import DRAWN_CODES, FULL, Actions, Intensity
from data_engine.faces.codes import FOLDED, fold_codes
from data_engine.faces.person.identity import identity
from emollm.errors import ConfigError, did_you_mean
from emollm.facs import au_name

OCCLUDERS = ("mask", "sunglasses", "hand", "hair", "scarf", "thing", "censor")
WITHOUT_SIDES = ("AU25", "AU26", "AU27")
"""The parting of the lips and the jaw move both sides alike."""

SHARE, FACTOR, ANY = (0.0, 1.0), (0.0, math.inf), (-math.inf, math.inf)
RANGES = {
    "yaw": (-math.pi / 2, math.pi / 2), "pitch": (-math.pi / 2, math.pi / 2), "roll": (-math.pi, math.pi),
    "gaze": (-2.0, 2.0), "light": ANY, "ambient": SHARE, "fill": SHARE, "rim": SHARE, "hardness": SHARE,
    "exposure": ANY, "contrast": FACTOR, "saturation": FACTOR, "blur": FACTOR, "zoom": FACTOR, "shift": ANY,
    "sensor_noise": FACTOR, "tint": FACTOR,
}  # fmt: skip
"""What the numbers of a FaceSpec may be. Infinite ones and NaN may not."""
LENGTHS = {"gaze": 2, "light": 3, "shift": 2, "tint": 3}
SEEDS = ("identity", "occluder_seed", "backdrop", "seed")


@dataclass(frozen=True)
class FaceSpec:
    """One picture of one person. Two equal specs give the same picture, pixel for pixel."""

    identity: int = 0
    """Seed of the person, 0 or more; see `person.identity`."""
    aus: Mapping[str, Intensity] = field(default_factory=dict)
    """AU code to FACS intensity 0–5, or to (left, right) by the subject's own sides. Missing AUs are 0.

    Head and eye codes, blink and wink are taken too: they move to `yaw`, `pitch`, `roll`, `gaze` and AU43, see `codes`.
    """
    yaw: float = 0.0
    """Radians; positive turns to the subject's left, which is the right of the image. Good to ±0.75."""
    pitch: float = 0.0
    """Radians; positive looks up. Good to ±0.4."""
    roll: float = 0.0
    """Radians; positive tilts to the subject's left, clockwise in the image. Good to any angle."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """Towards the subject's left, and down: −1 … 1 is as far as eyes go, ±2 as far as they are drawn."""
    light: tuple[float, float, float] = (-0.4, -0.5, 0.75)
    """Where the light comes from: image right, image down, towards the viewer. Any length."""
    ambient: float = 0.45
    """Share of the light that comes from everywhere, 0–1."""
    occluder: str | None = None
    """One of OCCLUDERS. Glasses belong to the person."""
    occluder_seed: int = 0
    """Which mask, hand … it is, its colours and its exact place; see `occluders`. 0 or more."""
    fill: float = 0.15
    """Strength of a second, soft light from the other side, 0–1 of the main one."""
    rim: float = 0.0
    """Strength of a light from behind that catches the outlines, 0–1."""
    hardness: float = 0.4
    """0 is an overcast sky, 1 the bare sun: how sharp and deep shadows are."""
    exposure: float = 0.0
    """Stops that the camera is off: −1 is half as bright, 1 twice as bright."""
    contrast: float = 1.0
    """Factor on the distance from middle grey; 1 is usual."""
    saturation: float = 1.0
    """Factor on the colours' distance from grey; 0 is a black and white picture."""
    blur: float = 0.0
    """How far the lens spreads a point, in face units; 0 is sharp. Never more than 2.3 pixels."""
    backdrop: int | None = None
    """Seed of the scene behind the person, 0 or more; None is a plain wall."""
    zoom: float = 1.0
    """Above 0; 1 shows the head with a little room around it."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Offset of the head to the image right and down, in face units (the picture is 2.72 of them wide at zoom 1)."""
    sensor_noise: float = 0.0
    """Standard deviation of the camera's noise; pixels are 0–1."""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Colour of the light: factors for red, green, blue."""
    seed: int = 0
    """Seed of the sensor noise, 0 or more; nothing else in a picture is random."""

    def __post_init__(self) -> None:
        if problems := [*_about_aus(self.aus)]:
            raise ConfigError("; ".join(problems))
        if not FOLDED.isdisjoint(self.aus):
            self._fold()
        if problems := [*_about_numbers(self), *_about_occluder(self)]:
            raise ConfigError("; ".join(problems))

    def _fold(self) -> None:
        """Move head and eye codes, blink and wink to the fields that draw them."""
        aus, fields = fold_codes(self.aus, self)
        for name, value in {"aus": aus, **fields}.items():
            object.__setattr__(self, name, value)

    def actions(self) -> Actions:
        """Return the AUs on the scale inside, each side apart, as far as this person moves by them."""
        return Actions.of(self.aus, identity(self.identity).gains, self.gaze[1])


def _about_aus(aus: Mapping[str, Any]) -> Iterator[str]:
    """Say what is wrong with the AUs."""
    for code, value in aus.items():
        sides = value if isinstance(value, tuple) else (value,)
        if code not in DRAWN_CODES and code not in FOLDED:
            name = au_name(code)
            hint = f"; did you mean '{name}'?" if name in DRAWN_CODES else did_you_mean(code, DRAWN_CODES)
            yield f"aus: '{code}' is not drawn{hint}"
        elif len(sides) != (2 if sides is value else 1) or not all(map(_is_number, sides)):
            yield f"aus: {code} is {value!r}; give a number, or (left, right)"
        elif not all(0.0 <= side <= FULL for side in sides):
            yield f"aus: {code} is {value!r}; intensities run from 0 to 5"
        elif code in WITHOUT_SIDES and sides is value and value[0] != value[1]:
            yield f"aus: {code} has no sides; give one intensity, not {value}"


def _about_numbers(spec: FaceSpec) -> Iterator[str]:
    """Say which fields are no numbers, or numbers that nothing can be drawn with."""
    for name, (low, high) in RANGES.items():
        value, length = getattr(spec, name), LENGTHS.get(name)
        parts = value if length and isinstance(value, tuple) else (value,)
        if len(parts) != (length or 1) or not all(map(_is_number, parts)):
            yield f"{name}: {value!r} is not {f'{length} numbers' if length else 'a number'}"
        elif not all(math.isfinite(part) for part in parts):
            yield f"{name}: {value!r} is not finite"
        elif not all(low <= part <= high for part in parts):
            yield f"{name}: {value!r} is not {f'within {low:.4g} to {high:.4g}' if high < math.inf else '0 or more'}"
    for name in SEEDS:
        value = getattr(spec, name)
        if not (isinstance(value, Integral) and int(value) >= 0) and not (name == "backdrop" and value is None):
            yield f"{name}: {value!r} is not a whole number from 0 on"
    if spec.light == (0, 0, 0):
        yield "light: (0, 0, 0) is no direction"
    if not spec.zoom:
        yield "zoom: 0 shows nothing"


def _is_number(value: object) -> bool:
    return isinstance(value, (float, int, Real))  # the last is numpy's numbers, and slow


def _about_occluder(spec: FaceSpec) -> Iterator[str]:
    if spec.occluder is not None and spec.occluder not in OCCLUDERS:
        hint = did_you_mean(str(spec.occluder), OCCLUDERS) or f"; one of {', '.join(OCCLUDERS)}"
        yield f"occluder: {spec.occluder!r} is unknown{hint}"
