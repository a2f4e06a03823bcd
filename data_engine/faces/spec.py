"""What one picture shows: who, doing what, seen how.

    spec = FaceSpec(identity=61, aus={"AU06": 3.0, "AU12": (4.0, 1.0)}, yaw=0.2)

Signs and units of all fields are said here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from data_engine.faces.actions import DRAWN_CODES, FULL, Actions
from data_engine.faces.codes import FOLDED, fold_codes
from data_engine.faces.identity import identity
from emollm.errors import ConfigError, did_you_mean

OCCLUDERS = ("mask", "sunglasses", "hand", "hair", "scarf", "thing", "censor")
WITHOUT_SIDES = ("AU25", "AU26", "AU27")
"""The parting of the lips and the jaw move both sides alike."""


@dataclass(frozen=True)
class FaceSpec:
    """One picture of one person. Two equal specs give the same picture, pixel for pixel."""

    identity: int = 0
    """Seed of the person; see `identity.identity`."""
    aus: Mapping[str, float | tuple[float, float]] = field(default_factory=dict)
    """AU code to FACS intensity 0–5, or to (left, right) by the subject's own sides. Missing AUs are 0.

    Head and eye codes, blink and wink are taken too: they move to `yaw`, `pitch`, `roll`, `gaze` and AU43, see `codes`.
    """
    yaw: float = 0.0
    """Radians; positive turns to the subject's left, which is the right of the image. Good to ±0.75."""
    pitch: float = 0.0
    """Radians; positive looks up. Good to ±0.4."""
    roll: float = 0.0
    """Radians; positive tilts to the subject's left, clockwise in the image."""
    gaze: tuple[float, float] = (0.0, 0.0)
    """-1 … 1 each: towards the subject's left, and down."""
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
    """How far the lens spreads a point, in face units; 0 is sharp."""
    backdrop: int | None = None
    """Seed of the scene behind the person; None is a plain wall."""
    zoom: float = 1.0
    """1 shows the head with a little room around it."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Offset of the head to the image right and down, in face units (the picture is 2.72 of them wide at zoom 1)."""
    sensor_noise: float = 0.0
    """Standard deviation of the camera's noise; pixels are 0–1."""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Colour of the light: factors for red, green, blue."""
    seed: int = 0
    """Seed of the sensor noise; nothing else in a picture is random."""

    def __post_init__(self) -> None:
        for code, value in self.aus.items():
            if code not in DRAWN_CODES and code not in FOLDED:
                raise ConfigError(f"aus: '{code}' is not drawn{did_you_mean(code, DRAWN_CODES)}")
            for side in value if isinstance(value, tuple) else (value,):
                if not 0.0 <= side <= FULL:
                    raise ConfigError(f"aus: {code} is {side!r}; intensities run from 0 to 5")
            if code in WITHOUT_SIDES and isinstance(value, tuple) and value[0] != value[1]:
                raise ConfigError(f"aus: {code} has no sides; give one intensity, not {value}")
        if not FOLDED.isdisjoint(self.aus):
            self._fold()
        if not self.zoom > 0:
            raise ConfigError(f"zoom: {self.zoom!r} is not above 0")
        if not any(self.light):
            raise ConfigError("light: (0, 0, 0) is no direction")
        if self.occluder is not None and self.occluder not in OCCLUDERS:
            raise ConfigError(f"occluder: '{self.occluder}' is none of {', '.join(OCCLUDERS)}")
        if self.occluder_seed < 0:
            raise ConfigError(f"occluder_seed: {self.occluder_seed} is below 0")

    def _fold(self) -> None:
        """Move head and eye codes, blink and wink to the fields that draw them."""
        aus, fields = fold_codes(self.aus, self)
        for name, value in {"aus": aus, **fields}.items():
            object.__setattr__(self, name, value)

    def actions(self) -> Actions:
        """Return the AUs on the scale inside, each side apart, as far as this person moves by them."""
        return Actions.of(self.aus, identity(self.identity).gains, self.gaze[1])
