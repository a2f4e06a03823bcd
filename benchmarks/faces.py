"""How fast faces are rendered on one core, in faces per CPU-second.

    python benchmarks/faces.py

Where the prototype lies beside the repository (`../shared/prototypes/render_faces.py`), it is measured in the same
run on the same faces and the ratio is printed.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from data_engine.faces import FaceSpec, render
from data_engine.faces.film.encoding import encode_picture
from data_engine.faces.plan import Plan

PROTOTYPE = Path(__file__).parents[2] / "shared" / "prototypes" / "render_faces.py"
SIZES = (64, 112, 224)
FACES = 60
ROUNDS = 3


def load_prototype() -> Any | None:
    """Return the prototype's module, or None where it is not there."""
    if not PROTOTYPE.exists():
        return None
    found = importlib.util.spec_from_file_location("render_faces", PROTOTYPE)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def faces_per_second(draw: Callable[[FaceSpec], object], specs: list[FaceSpec]) -> float:
    """Return the best of some rounds, in faces per CPU-second."""
    draw(specs[0])
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for spec in specs:
            draw(spec)
        best = min(best, time.process_time() - start)
    return len(specs) / best


def write(spec: FaceSpec, size: int) -> bytes:
    """Draw a spec and encode it as `emollm faces` does."""
    return encode_picture(render(spec, size), "png")


def draw_with(prototype: Any, spec: FaceSpec, size: int) -> None:
    """Draw a spec with the prototype, as it draws its training data."""
    aus = {int(code[2:]): np.divide(value, 5.0).tolist() for code, value in spec.aus.items()}
    prototype.render(
        aus,
        prototype.identity(spec.identity),
        yaw=spec.yaw,
        pitch=spec.pitch,
        roll=spec.roll,
        gaze=spec.gaze,
        light=spec.light,
        amb=spec.ambient,
        size=size,
        ss=1,
        occ=spec.occluder,
        zoom=spec.zoom,
        shift=spec.shift,
        sensor=spec.sensor_noise,
        rng=np.random.default_rng(spec.seed),
        tint=spec.tint,
    )


def main() -> None:
    """Print a table: faces per CPU-second at each size, alone and with the PNG, and the ratio to the prototype."""
    warnings.simplefilter("ignore", RuntimeWarning)  # the prototype's
    prototype = load_prototype()
    specs = [Plan().draw(index)[0] for index in range(FACES)]
    print("  px   render/s   render+png/s   prototype/s   ratio")
    for size in SIZES:
        ours = faces_per_second(partial(render, size=size), specs)
        written = faces_per_second(partial(write, size=size), specs)
        line = f"{size:>4}{ours:>11.0f}{written:>15.0f}"
        if prototype is not None:
            theirs = faces_per_second(partial(draw_with, prototype, size=size), specs)
            line += f"{theirs:>14.0f}{ours / theirs:>8.1f}"
        print(line)


if __name__ == "__main__":
    main()
