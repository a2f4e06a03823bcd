"""How a face is seen: pose, gaze, light, framing, camera and what is before it, drawn at random.

spec = FaceSpec(identity=3, aus={"AU12": 4.0}, **view("normal", np.random.default_rng(0)))
"""

from __future__ import annotations

from typing import Any

import numpy as np

from data_engine.faces.spec import OCCLUDERS

DIFFICULTIES = ("studio", "easy", "normal", "hard")
MAX_OCCLUDER = 1_000_000
"""Seeds of what is before the face lie below."""
BACKDROPS = 2000
"""So many scenes there are; `studio.backdrop` keeps all that it has drawn in memory."""
OCCLUDED_SHARE = {"easy": 0.0, "normal": 0.08, "hard": 0.5}
"""How many faces have something before them."""


def view(difficulty: str, rng: np.random.Generator) -> dict[str, Any]:
    """Draw how a face is seen: pose, gaze, light, framing, camera, occluder; fields of FaceSpec.

    studio: as in a laboratory's data set, see `studio`. easy: nearly frontal and centred, nothing before the face.
    normal: yaw with a standard deviation of 11°, 8 % with a mask, a hand … hard: yaw of 26–40° to either side, half of
    them with something before the face.
    """
    if difficulty == "studio":
        return studio(rng)
    calm = 0.3 if difficulty == "easy" else 1.0
    yaw = rng.choice([-1, 1]) * rng.uniform(0.45, 0.70) if difficulty == "hard" else calm * rng.normal(0, 0.196)
    occluder = str(rng.choice(OCCLUDERS)) if rng.random() < OCCLUDED_SHARE[difficulty] else None
    return {
        "yaw": _short(yaw),
        "pitch": _short(calm * rng.normal(0, 0.12)),
        "roll": _short(calm * rng.normal(0, 0.10)),
        "gaze": (_short(calm * rng.normal(0, 0.35)), _short(calm * rng.normal(0, 0.25))),
        **light(calm, rng),
        "occluder": occluder,
        "occluder_seed": int(rng.integers(MAX_OCCLUDER)) if occluder else 0,
        "zoom": _short(1.05 + calm * rng.uniform(-0.10, 0.10)),
        "shift": (_short(calm * rng.normal(0, 0.04)), _short(calm * rng.normal(0, 0.04))),
        **lens(calm, rng),
        "backdrop": int(rng.integers(BACKDROPS)),
    }


def studio(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a view as in a laboratory: frontal, softly lit, before a plain wall; the face fills the picture."""
    return {
        "yaw": _short(rng.normal(0, 0.04)),
        "pitch": _short(rng.normal(0, 0.03)),
        "roll": _short(rng.normal(0, 0.02)),
        "light": (_short(rng.normal(0, 0.2)), -0.4, 0.8),
        "ambient": 0.6,
        "fill": 0.4,
        "hardness": 0.2,
        "zoom": _short(rng.uniform(1.45, 1.55)),
        "shift": (_short(rng.normal(0, 0.01)), _short(rng.normal(-0.21, 0.01))),
    }


def light(calm: float, rng: np.random.Generator) -> dict[str, Any]:
    """Draw the light: mostly from above and before, one in six from the side; soft to hard."""
    from_side = rng.random() < 0.16
    across = rng.choice([-1, 1]) * rng.uniform(0.9, 2.2) if from_side else rng.normal(0, 0.6)
    return {
        "light": (_short(across), _short(rng.normal(-0.4, 0.35)), 0.8),
        "ambient": _short(rng.uniform(0.32, 0.68)),
        "fill": _short(rng.uniform(0, 0.6)),
        "rim": _short(rng.uniform(0.2, 1.0) if rng.random() < 0.2 else 0.0),
        "hardness": _short(rng.beta(1.4, 1.8)),
        "tint": tuple(_short(1 + calm * rng.normal(0, 0.05)) for _ in range(3)),
    }


def lens(calm: float, rng: np.random.Generator) -> dict[str, Any]:
    """Draw the camera: exposure, colours, sharpness, noise; one picture in twelve is black and white."""
    return {
        "exposure": _short(calm * rng.normal(0, 0.3)),
        "contrast": _short(1 + calm * rng.normal(0, 0.10)),
        "saturation": 0.0 if calm == 1 and rng.random() < 0.08 else _short(1 + calm * rng.normal(-0.10, 0.15)),
        "blur": _short(calm * 0.025 * rng.beta(1, 1.8)) if rng.random() < 0.35 else 0.0,
        "sensor_noise": _short(calm * 0.03 * rng.beta(1, 2)),
    }


def _short(value: float) -> float:
    """Round to what a record shows, so that the record draws the same picture again."""
    return round(float(value), 4)
