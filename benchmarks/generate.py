"""How fast `emollm generate` writes, with every check on, and how much memory it takes.

Example:

    python benchmarks/generate.py [N]          N made-up samples, default 10,000; each row is one run of the command
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from emollm.records import AU, Face, Sample, encode

AUS = [f"AU{number:02d}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)]
PATTERNS = {
    "happiness": ("AU06", "AU12", "AU25"),
    "sadness": ("AU01", "AU04", "AU15"),
    "surprise": ("AU01", "AU02", "AU05", "AU26"),
    "fear": ("AU01", "AU02", "AU04", "AU05", "AU20", "AU25"),
    "disgust": ("AU09", "AU10", "AU17"),
    "anger": ("AU04", "AU05", "AU07", "AU23"),
    "neutral": (),
}


def made_up(number: int) -> Sample:
    """Return a sample with the pattern of its label and up to three other action units."""
    rng = random.Random(number)
    label = rng.choice(list(PATTERNS))
    present = {*PATTERNS[label], *rng.sample(AUS, rng.randint(0, 3))}
    values = {au: rng.uniform(1, 5) if au in present else rng.uniform(0, 0.4) for au in AUS}
    aus = {au: AU(value=round(value, 2), kind="intensity") for au, value in values.items()}
    return Sample(id=f"{number:08d}", label_set="basic7", label=label, faces=[Face(aus=aus)])


def run(samples: Path, folder: Path, workers: int) -> tuple[float, float, int]:
    """Run the command once; return its seconds, its CPU seconds with all workers, and its peak memory in MiB."""
    command = [sys.executable, "-m", "data_engine.generate", str(samples), "-o", str(folder / f"cot{workers}.jsonl")]
    started = time.perf_counter()
    process = subprocess.Popen([*command, "--workers", str(workers)], stderr=subprocess.PIPE, text=True)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(process.stderr.read() if process.stderr else "the command failed")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024


def main() -> None:
    """Print one row for each number of samples and workers."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'samples':>9} {'workers':>8} {'seconds':>8} {'samples/s':>10} {'a CPU s':>8} {'MiB':>5}")
    for size, workers in ((count // 10, 1), (count, 1), (count, 2)):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            samples = Path(folder) / "samples.jsonl"
            with samples.open("wb") as file:
                file.writelines(encode(made_up(number)) + b"\n" for number in range(size))
            seconds, cpu_seconds, memory = run(samples, Path(folder), workers)
        print(
            f"{size:>9,} {workers:>8} {seconds:>8.2f} {size / seconds:>10,.0f} {size / cpu_seconds:>8,.0f} {memory:>5}"
        )


if __name__ == "__main__":
    main()
