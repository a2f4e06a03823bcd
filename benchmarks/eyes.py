"""How well and how fast the tiny detector reads rendered faces of people it has never seen.

    python benchmarks/eyes.py                   # 1,000 faces of each kind, about five minutes
    python benchmarks/eyes.py --num 100 --speed-only

Faces are drawn as `emollm faces` draws them, and read end to end from pixels: finder, landmarks, action units. Speeds
are faces per CPU-second on one core; where torch is installed, the nets run there as well, and the ratio is printed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from data_engine.detectors.tiny import TinyDetector
from data_engine.detectors.tiny.nets import ACTIONS, ACTIONS_SIDE
from data_engine.faces import render
from data_engine.faces.plan import Plan

FACES, ROUNDS = 64, 5


def per_second(run: Callable[[], object], num: int) -> float:
    """Return the best of some rounds, in faces per CPU-second."""
    run()
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return num / best


def show_speed(detector: TinyDetector) -> None:
    """Print the speed of the actions net alone, and of everything from pixels to records."""
    crops = [*np.random.default_rng(0).standard_normal((FACES, ACTIONS_SIDE, ACTIONS_SIDE), dtype=np.float32)]
    alone = per_second(lambda: detector.measure(crops), FACES)
    print(f"actions net, numpy            {alone:8.0f} faces/s")
    theirs = torch_speed()
    if theirs:
        print(f"actions net, torch            {theirs:8.0f} faces/s   ratio {alone / theirs:.2f}")
    for size in (112, 320):
        pictures = [render(Plan().draw(index)[0], size) for index in range(FACES)]
        whole = per_second(partial(detector.detect, pictures), FACES)
        print(f"pixels to records, {size:>4} px    {whole:8.0f} faces/s")


def torch_speed() -> float | None:
    """Return the speed of the same net in torch, or None where torch is not installed."""
    try:
        import torch
    except ImportError:
        return None
    from data_engine.detectors.tiny.training.torch_nets import TorchNet

    torch.set_num_threads(1)
    net = TorchNet(ACTIONS).eval().to(memory_format=torch.channels_last)
    crops = torch.randn(FACES, 1, ACTIONS_SIDE, ACTIONS_SIDE).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        return per_second(lambda: net(crops), FACES)


def show_marks(detector: TinyDetector, num: int) -> None:
    """Print how well faces are read: as usual, turned, and occluded."""
    from data_engine.detectors.tiny.training.examination import SETS, describe, examine

    for kind in SETS:
        print(describe(kind, examine(detector, kind, num)))


def main() -> None:
    """Print speeds and marks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num", type=int, default=1000, metavar="N", help="faces of each kind (default: 1000)")
    parser.add_argument("--speed-only", action="store_true", help="no marks")
    options = parser.parse_args()
    detector = TinyDetector.load()
    show_speed(detector)
    if not options.speed_only:
        show_marks(detector, options.num)


if __name__ == "__main__":
    main()
