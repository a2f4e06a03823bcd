"""How long a verb's help takes: the median of runs of the whole process, beside a bare Python.

Example:

    python benchmarks/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "emollm --help": ["-m", "emollm.cli", "--help"],
    "emollm generate --help": ["-m", "emollm.cli", "generate", "--help"],
    "emollm score --help": ["-m", "emollm.cli", "score", "--help"],
    "emollm train sft --help": ["-m", "emollm.cli", "train", "sft", "--help"],
}


def seconds(arguments: list[str]) -> float:
    """Return the wall time of one run of Python with these arguments."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Print one line a command: median, fastest, and the ratio to a bare Python."""
    bare = 0.0
    for name, arguments in COMMANDS.items():
        times = [seconds(arguments) for _ in range(RUNS)]
        median = statistics.median(times)
        bare = bare or median
        print(f"{name:<26} median {median:.3f} s   fastest {min(times):.3f} s   {median / bare:.1f} x python")


if __name__ == "__main__":
    main()
