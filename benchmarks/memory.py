"""How much memory `emollm generate --teacher rules` takes for more and more samples: written anew, and gone over again.

Example:

    python benchmarks/memory.py [N ...]        numbers of made-up samples, default 10000 100000; 1000000 takes minutes

`write` is a run from the beginning, `resume` the same command once more, when all is done. What grows is what is
remembered of every sample, its id; the last column is that growth in bytes a sample, against the row before.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from generate import made_up, run

from emollm.records import encode

SIZES = (10_000, 100_000)
MIB = 1 << 20


def measure(num: int, folder: Path) -> tuple[float, float]:
    """Return the peak resident memory in MiB of a run over so many samples, and of going over it again."""
    samples = folder / "samples.jsonl"
    with samples.open("wb") as file:
        file.writelines(encode(made_up(number)) + b"\n" for number in range(num))
    (_, _, first), (_, _, again) = (run(samples, folder, workers=1) for _ in range(2))
    return first, again


def main() -> None:
    """Print one row for each number of samples."""
    sizes = sorted(int(text) for text in sys.argv[1:]) or SIZES
    print(f"{'samples':>11} {'write MiB':>10} {'resume MiB':>11} {'bytes a sample':>15} {'resume':>7}")
    before: tuple[int, float, float] | None = None
    for num in sizes:
        with tempfile.TemporaryDirectory() as folder:
            first, again = measure(num, Path(folder))
        grown = ("", "")
        if before is not None and num > before[0]:
            more = num - before[0]
            grown = (f"{(first - before[1]) * MIB / more:.0f}", f"{(again - before[2]) * MIB / more:.0f}")
        print(f"{num:>11,} {first:>10.0f} {again:>11.0f} {grown[0]:>15} {grown[1]:>7}", flush=True)
        before = (num, first, again)


if __name__ == "__main__":
    main()
