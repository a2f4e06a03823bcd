"""The three nets of the detector: their inputs, their layers, and what their outputs mean.

1. `FINDER` looks for faces in a whole picture, at several sizes.
2. `POINTS` finds the 68 landmarks and the pose in a square around a face, and tells whether it is one.
3. `ACTIONS` measures action units in the face laid upright by its landmarks, and what of it is hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, get_args

from data_engine.detectors.tiny.layers import Conv, Dense, Layers
from data_engine.faces.actions import DRAWN_CODES
from emollm.facs import THRESHOLDS, UNITS
from emollm.records import Region

if TYPE_CHECKING:
    from torch import Tensor

    from data_engine.detectors.tiny.layers import Array

T = TypeVar("T", "Array", "Tensor")

# --- Finder: grey picture → (h, w, 4) at a quarter of its size: score, log2 of the size, offset of the middle in cells.

FINDER_STRIDE = 4
FINDER_SIZE = 32.0
"""Size of a face, in pixels of the scaled picture, that the finder knows best; it is trained on half an octave around
and a little more. Size is the side of the square around the landmarks, see `crops.square_around`."""
FINDER: Layers = (
    Conv(1, 16, kernel=5, stride=2),
    Conv(16, 24, stride=2),
    Conv(24, 32),
    Conv(32, 32, is_residual=True),
    Conv(32, 32, is_residual=True),
    Conv(32, 48),
    Conv(48, 4, kernel=1, is_last=True),
)

# --- Points: grey square → 136 coordinates (0–1 of the square), yaw, pitch, roll (radians), score of being a face.

POINTS_SIDE = 64
NUM_POINTS = 68
POINTS: Layers = (
    Conv(1, 24, kernel=5, stride=2),  # 32
    Conv(24, 40, stride=2),  # 16
    Conv(40, 40, is_residual=True),
    Conv(40, 64, stride=2),  # 8
    Conv(64, 64, is_residual=True),
    Conv(64, 80, stride=2),  # 4
    Dense(4 * 4 * 80, 128),
    Dense(128, 2 * NUM_POINTS + 4, is_last=True),
)

# --- Actions: aligned grey face → per AU and side intensity and occurrence; per region and side hidden.

ACTIONS_SIDE = 88
AUS = DRAWN_CODES
HIDEABLE: tuple[Region, ...] = tuple(r for r in get_args(Region) if r not in ("neck", "head", "shoulders", "face"))
"""Regions whose hiding is measured."""
REGION_OF_AU = [HIDEABLE.index(region) for code in AUS for region in HIDEABLE if region == UNITS[code].region]
"""For each AU the place of its region in HIDEABLE."""
PRESENT = THRESHOLDS["intensity"]
"""Intensity from which on an AU occurs."""
HIDDEN = 0.6
"""From this hidden share of a region on, the region counts as hidden and its AUs are not asked for."""
ACTION_OUTPUTS = 2 * (len(AUS) + len(AUS) + len(HIDEABLE))
ACTIONS: Layers = (
    Conv(1, 24, kernel=5, stride=2),  # 44
    Conv(24, 48, stride=2),  # 22
    Conv(48, 48, is_residual=True),
    Conv(48, 48, is_residual=True),
    Conv(48, 88, stride=2),  # 11
    Conv(88, 88, is_residual=True),
    Conv(88, 88, is_residual=True),
    Conv(88, 112, stride=2),  # 6
    Conv(112, 40, kernel=1),
    Dense(6 * 6 * 40, 144),
    Dense(144, ACTION_OUTPUTS, is_last=True),
)


def split_actions(outputs: T) -> tuple[T, T, T]:
    """Take outputs (N, ACTION_OUTPUTS) apart: intensity and occurrence (N, AUs, 2), hidden (N, regions, 2)."""
    num, aus = len(outputs), len(AUS)
    return (
        outputs[:, : 2 * aus].reshape(num, aus, 2),
        outputs[:, 2 * aus : 4 * aus].reshape(num, aus, 2),
        outputs[:, 4 * aus :].reshape(num, len(HIDEABLE), 2),
    )


NETS: dict[str, Layers] = {"finder": FINDER, "points": POINTS, "actions": ACTIONS}
