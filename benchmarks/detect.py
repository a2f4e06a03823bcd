"""How fast `emollm detect` reads AU files, beside Python's own csv reader, and whether its memory stays constant.

    python benchmarks/detect.py --rows 100000

Prints rows per second (median of the runs) for OpenFace's 431 columns, for a table of AUs alone and for a table of
many short clips, and the peak memory at a quarter of the rows and at all of them.
"""

from __future__ import annotations

import argparse
import csv
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from data_engine.detect.door import main as detect

AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
NUM_LANDMARKS = 392

MEMORY = """
import resource, sys
from data_engine.detect.door import main
main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def write_openface(path: Path, num_rows: int, num_landmarks: int = NUM_LANDMARKS, rows_per_clip: int = 0) -> None:
    """Write an OpenFace-like table of random numbers; the landmarks repeat, the AUs do not."""
    rng = random.Random(0)
    header = ["frame", "timestamp", "confidence", "success", *(f"x_{place}" for place in range(num_landmarks))]
    header += [f"AU{au:02d}_r" for au in AUS] + [f"AU{au:02d}_c" for au in (*AUS, 28)]
    middle = "".join(f",{rng.uniform(-300, 600):.6f}" for _ in range(num_landmarks))
    with path.open("w") as file:
        file.write(", ".join(["clip", *header] if rows_per_clip else header) + "\n")
        for row in range(num_rows):
            clip = f"{row // rows_per_clip:06d}," if rows_per_clip else ""
            aus = ",".join(f"{rng.random() * 5:.4f}" for _ in AUS) + ",0" * (len(AUS) + 1)
            file.write(f"{clip}{row + 1},{row / 30:.3f},0.98,1{middle},{aus}\n")


def read_with_csv(path: Path) -> None:
    """Split every row and do nothing with it."""
    with path.open(newline="") as file:
        for _ in csv.reader(file):
            pass


def rows_per_second(work: Callable[[], object], num_rows: int, repeat: int) -> float:
    """Return the median over the runs, in CPU time, so that other programs on the machine count less."""
    rates = []
    for _ in range(repeat):
        started = time.process_time()
        work()
        rates.append(num_rows / (time.process_time() - started))
    return statistics.median(rates)


def quietly(path: Path, output: Path, *options: str) -> None:
    """Run the door without its summary line."""
    with redirect_stderr(StringIO()):
        detect([str(path), "-o", str(output), "--overwrite", *options])


def peak_memory(path: Path, output: Path) -> int:
    """Return the largest resident memory of a run, in MiB, in a process of its own."""
    command = [sys.executable, "-c", MEMORY, str(path), "-o", str(output), "--overwrite"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table, output = Path(folder, "table.csv"), Path(folder, "samples.jsonl")
        cases = (
            ("431 columns, one clip, peak", NUM_LANDMARKS, 0, ()),
            ("431 columns, one clip, all frames", NUM_LANDMARKS, 0, ("--frames", "all")),
            ("40 columns, one clip, peak", 0, 0, ()),
            ("40 columns, clips of 60 rows, peak", 0, 60, ()),
            ("40 columns, one image a row", 0, 1, ()),
        )
        print(f"{options.rows:,} rows, median of {options.repeat} runs, rows per CPU second\n")
        for name, num_landmarks, rows_per_clip, flags in cases:
            write_openface(table, options.rows, num_landmarks, rows_per_clip)
            ours = rows_per_second(lambda flags=flags: quietly(table, output, *flags), options.rows, options.repeat)
            plain = rows_per_second(lambda: read_with_csv(table), options.rows, options.repeat)
            print(f"{name:36} {ours:>10,.0f}   csv.reader alone {plain:>10,.0f}   ratio {ours / plain:.2f}")
        print()
        for num_rows in (options.rows // 4, options.rows):
            write_openface(table, num_rows)
            print(f"peak memory at {num_rows:>9,} rows: {peak_memory(table, output)} MiB")


if __name__ == "__main__":
    main()
