"""How many samples a second of CPU time the emotion-wheel metric takes, in bulk and as a reward.

    python benchmarks/wheel.py [--wheel wheel.json] [--samples 20000] [--runs 5]

Samples hold two to eight gold words and one to six predicted ones, drawn from the forms of the tables; one predicted
word in ten is in no table. Without --wheel, tables of the size of the published ones are made up. `plain` looks every
word up in the tables again, sorting as the published rule says: what the metric costs without preparation.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from emollm.wheel import VARIANTS, WHEELS, Shares, Wheels, read_wheels, sample_f1, score_lists

Pair = tuple[list[str], list[str]]


def made_up_wheels(seed: int = 0) -> Wheels:
    """Return tables of the published size: 7,400 forms, 1,255 base labels, 253 wheel words, six categories a wheel."""
    draw = random.Random(seed)
    words = [f"wheel word {number}" for number in range(253)]
    labels = [f"label {number}" for number in range(1255)]
    forms = {f"form {number}": draw.sample(labels, draw.choice((1, 1, 1, 2, 3))) for number in range(7400)}
    synonyms = {label: draw.sample(words, draw.choice((1, 1, 2, 3))) for label in labels}
    wheels = {
        wheel: {
            f"level{level}": {word: f"category {draw.randrange(6 * level**2)}" for word in draw.sample(words, 110)}
            for level in (1, 2)
        }
        for wheel in WHEELS
    }
    return Wheels(forms, synonyms, wheels)


def make_pairs(wheels: Wheels, num: int, seed: int = 0) -> list[Pair]:
    """Return predicted and gold words of samples."""
    draw, forms = random.Random(seed), list(wheels.forms)
    words = [*forms, *(f"unknown {number}" for number in range(len(forms) // 9))]
    return [(draw.choices(words, k=draw.randint(1, 6)), draw.choices(forms, k=draw.randint(2, 8))) for _ in range(num)]


def plain(pair: Pair, wheels: Wheels) -> int:
    """Compare two lists without preparation."""
    num_both = 0
    for variant in VARIANTS:
        said, there = ({wheels.category(word, variant) for word in words} - {None} for words in pair)
        num_both += len(said & there)
    return num_both


def rates(work: Callable[[], object], num: int, runs: int) -> list[float]:
    """Return samples a second of each run, in process CPU time."""
    found = []
    for _ in range(runs):
        start = time.process_time()
        work()
        found.append(num / (time.process_time() - start))
    return found


def main() -> None:
    """Print samples a second, and milliseconds a sample."""
    parser = argparse.ArgumentParser(description="Measure the emotion-wheel metric.")
    parser.add_argument("--wheel", type=lambda text: read_wheels(Path(text)))
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    wheels: Wheels = options.wheel or made_up_wheels()
    shares, pairs = Shares(wheels), make_pairs(wheels, options.samples)
    few = pairs[: len(pairs) // 20]
    works: dict[str, tuple[Callable[[], object], int]] = {
        "12 variants, plain": (lambda: [plain(pair, wheels) for pair in few], len(few)),
        "12 variants": (lambda: score_lists(pairs, wheels), len(pairs)),
        "12 variants, corrected": (lambda: score_lists(pairs, shares), len(pairs)),
        "reward": (lambda: [sample_f1(said, gold, wheels) for said, gold in pairs], len(pairs)),
        "reward, corrected": (lambda: [sample_f1(said, gold, shares) for said, gold in pairs], len(pairs)),
    }
    print(f"{'on one core':24s}{'samples/s':>11s}{'best':>11s}{'ms/sample':>11s}")
    for name, (work, num) in works.items():
        work()  # tables are prepared once
        found = rates(work, num, options.runs)
        median = statistics.median(found)
        print(f"{name:24s}{median:11,.0f}{max(found):11,.0f}{1000 / median:11.4f}")


if __name__ == "__main__":
    main()
