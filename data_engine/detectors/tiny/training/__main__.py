"""Train the tiny detector from rendered faces alone, and examine it.

python -m data_engine.detectors.tiny.training --out weights.safetensors --seed 0
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from data_engine.detectors.tiny.detector import TinyDetector
from data_engine.detectors.tiny.finder import Finder
from data_engine.detectors.tiny.layers import Array, Net
from data_engine.detectors.tiny.nets import ACTIONS_SIDE, AUS, FINDER, PRESENT
from data_engine.detectors.tiny.training.actions import split, teach_actions
from data_engine.detectors.tiny.training.course import Course
from data_engine.detectors.tiny.training.crowds import draw_crowds
from data_engine.detectors.tiny.training.drawing import Lessons, Lot, draw_lessons
from data_engine.detectors.tiny.training.elsewhere import draw_elsewhere
from data_engine.detectors.tiny.training.examination import SETS, describe, examine, f1
from data_engine.detectors.tiny.training.finder import teach_finder
from data_engine.detectors.tiny.training.lures import find_lures
from data_engine.detectors.tiny.training.points import placed, teach_points
from data_engine.detectors.tiny.training.torch_nets import TorchNet, folded
from data_engine.detectors.tiny.training.views import aligned, look
from data_engine.detectors.tiny.weights import write_weights
from emollm import __version__
from emollm.stage import positive


class Profile(NamedTuple):
    """How much of everything."""

    faces: int
    """Renders that points and actions learn from; a second lot, seen from farther away, is for the finder."""
    far_faces: int
    others: int
    crowds: int
    actions_epochs: int
    points_epochs: int
    finder_epochs: int
    examined: int
    """Faces of each exam."""


PROFILES = {
    "full": Profile(110_000, 10_000, 12_000, 20_000, 12, 5, 7, 1_000),
    "small": Profile(2_000, 1_000, 1_000, 2_000, 6, 6, 5, 100),
}
VALIDATION = 3_000
LURING = 5_000
"""Pictures of each kind that may lure the finder."""
VALIDATED = (900_000, 1_000_000)
LEARNED = (0, 900_000)
"""People of the lessons, and those on whom the thresholds are chosen."""


def main(argv: Sequence[str] | None = None) -> int:
    """Train, examine, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the safetensors file to write")
    parser.add_argument("--profile", choices=PROFILES, default="full", help="how much of everything (default: full)")
    parser.add_argument("--seed", type=int, default=0, help="everything random follows from it (default: 0)")
    parser.add_argument("--threads", type=positive, default=torch.get_num_threads(), help="default: all cores")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    profile, started = PROFILES[options.profile], time.monotonic()
    weights, told = train(profile, options.seed, options.threads)
    told |= {"version": __version__, "profile": options.profile, "seed": options.seed}
    write_weights(options.out, weights, told)
    detector = TinyDetector.load(options.out)
    for kind in SETS:
        print(describe(kind, examine(detector, kind, profile.examined)))
    print(
        f"{options.out}: {options.out.stat().st_size / 1e6:.2f} MB in {(time.monotonic() - started) / 60:.1f} minutes"
    )
    return 0


def train(profile: Profile, seed: int, workers: int) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the weights of the three nets, and what is to be told with them."""
    near = draw_lessons(Lot(seed, profile.faces, LEARNED), workers)
    far = draw_lessons(Lot(seed + 1, profile.far_faces, LEARNED, zooms=(0.2, 0.9), shift=1.0), workers)
    others = draw_elsewhere(seed + 2, profile.others, workers)
    crowds = draw_crowds(seed + 3, far, others, profile.crowds)
    weights = folded(teach_finder(crowds, Course(profile.finder_epochs, batch_size=64, seed=seed)), "finder")
    lures = find_lures(Finder(Net(FINDER, weights, "finder")), others[:LURING], _first(far, LURING), workers)
    points = teach_points(near, others, lures, Course(profile.points_epochs, seed=seed))
    weights |= folded(points, "points")
    actions = teach_actions(placed(points, near, seed), Course(profile.actions_epochs, seed=seed))
    weights |= folded(actions, "actions")
    unseen = draw_lessons(Lot(seed + 4, VALIDATION, VALIDATED), workers)
    thresholds = choose_thresholds(actions, placed(points, unseen, seed))
    return weights, {"thresholds": thresholds, "lessons": profile._asdict()}


def _first(lessons: Lessons, num: int) -> Lessons:
    fields: list[NDArray[Any]] = [field[:num] for field in lessons]
    return Lessons(*fields)


def choose_thresholds(net: TorchNet, lessons: Lessons) -> dict[str, float]:
    """Return for each AU the probability of occurrence with the best F1 on people no lesson has shown."""
    chances = occurrence(net, lessons).max(axis=2)
    truth = lessons.aus.max(axis=2) >= PRESENT
    steps = np.arange(0.1, 0.9, 0.02)
    marks = [[_smoothed_f1(truth[:, k], chances[:, k], step) for step in steps] for k in range(len(AUS))]
    return {code: round(float(steps[np.argmax(row)]), 3) for code, row in zip(AUS, marks, strict=True)}


def _smoothed_f1(truth: NDArray[np.bool_], chances: Array, step: float) -> float:
    return sum(f1(truth, chances >= step + shift) for shift in (-0.04, -0.02, 0.0, 0.02, 0.04))


def occurrence(net: TorchNet, lessons: Lessons) -> Array:
    """Return the probability of each AU in faces cropped by the landmarks of the lessons, (N, AUs, 2)."""
    pictures, points = torch.from_numpy(lessons.pictures), torch.from_numpy(lessons.points)
    pairs = zip(pictures.split(256), points.split(256), strict=True)
    with torch.inference_mode():
        outputs = [net(look(some, aligned(where), ACTIONS_SIDE)) for some, where in pairs]
    chances: Array = torch.sigmoid(split(torch.cat(outputs)).occurs).numpy()
    return chances


if __name__ == "__main__":
    sys.exit(main())
