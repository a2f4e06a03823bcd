"""How many verdicts a second `emollm score --metrics judge` gets, and what a stopped or repeated run pays twice.

Example:

    python benchmarks/judge.py [N]           N samples, 3 verdicts each; default 1,000; against a local stand-in

The stand-in is tests/stub_judge.py in its own process. A verdict is what one judge sample is: a typed answer in `v2`, a
score in `legacy`, a preference in `pairwise`. Everything is in the time: reading, prompts, HTTP, ledger, intervals.
`a CPU s` counts this process alone, so that other programs on the machine count less.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp  # noqa: F401 - so that no row pays for the import

from emollm.records import Prediction, Reasoning, Sample, encode
from eval.score import main as main_of_score

ROOT = Path(__file__).parents[1]
SAMPLES = 3
BAR = 500
VERDICTS = {"legacy": 2, "v2": 1, "pairwise": 2}
"""Mode to its verdicts on an explanation, each of which is asked for SAMPLES times."""


@contextmanager
def stand_in(**manners: Any) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Run the stand-in; yield its address and a function that fetches its counts."""
    command = [sys.executable, str(ROOT / "tests" / "stub_judge.py"), json.dumps(manners)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().strip()

    def counts() -> dict[str, Any]:
        with urllib.request.urlopen(url.replace("/v1", "/stats")) as response:
            told: dict[str, Any] = json.load(response)
        return told

    try:
        yield url, counts
    finally:
        process.kill()
        process.wait()


def write_inputs(folder: Path, num: int) -> None:
    """Write samples with gold descriptions, and the predictions of two models."""
    gold = "The brows are drawn together, the lips are pressed and the gaze drops; the voice is low, case {}."
    said = "<think>The man looks down with pressed lips, case {}.</think><answer>sadness</answer>"
    ids = [f"clip_{number}" for number in range(num)]
    samples = [
        Sample(
            id=one,
            subject=f"s{n // 5}",
            reasoning=Reasoning(observations=gold.format(n), interpretation="He is tense.", conclusion="He is sad."),
        )
        for n, one in enumerate(ids)
    ]
    models = {
        name: [Prediction(id=one, completion=f"{name}: {said.format(n)}", model=name) for n, one in enumerate(ids)]
        for name in ("ours", "other")
    }
    for name, records in {"samples": samples, **models}.items():
        (folder / f"{name}.jsonl").write_bytes(b"".join(encode(record) + b"\n" for record in records))


def options_of(folder: Path, url: str, mode: str) -> list[str]:
    """Return the options of a run."""
    options = ["--judge-against", str(folder / "other.jsonl")] if mode == "pairwise" else []
    return [
        *(str(folder / "ours.jsonl"), str(folder / "samples.jsonl")),
        *("-o", str(folder / mode), "--metrics", "judge", "--judge-model", "m", "--judge-base-url", url, "--no-report"),
        *("--judge-mode", mode, "--judge-samples", str(SAMPLES), "--judge-in-flight", "128"),
        *("--judge-ledger", str(folder / f"{mode}.ledger.jsonl"), "--num-resamples", "200", *options),
    ]


class Took(NamedTuple):
    """Seconds of a whole run: by the clock, and of this process alone, so that other programs count less."""

    wall: float
    cpu: float


def timed(folder: Path, url: str, mode: str) -> Took:
    """Score in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        main_of_score(options_of(folder, url, mode))
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


def speed(folder: Path, num: int) -> None:
    """Print verdicts a second of each mode, and what the same command asks for again."""
    print(f"{'mode':9} {'verdicts':>9} {'requests':>9} {'a second':>9} {'a CPU s':>8} {'of the bar':>11} {'again':>12}")
    for mode, each in VERDICTS.items():
        with stand_in() as (url, counts):
            took = timed(folder, url, mode)
            calls = counts()["calls"]
            once_more = timed(folder, url, mode)
            repaid = counts()["calls"] - calls
        verdicts = num * each * SAMPLES
        print(
            f"{mode:9} {verdicts:>9,} {calls:>9,} {verdicts / took.wall:>9,.0f} {verdicts / took.cpu:>8,.0f} "
            f"{verdicts / took.wall / BAR:>10.1f}x {repaid:>4} in {once_more.wall:.1f} s"
        )


def killed(folder: Path, num: int) -> None:
    """Print what is paid twice after kill -9 in the middle of a run."""
    expected = num * (1 + SAMPLES)
    with stand_in(latency_s=0.02) as (url, counts):
        run = [sys.executable, "-m", "emollm.cli", "score", *options_of(folder, url, "v2")]
        run[run.index("--judge-ledger") + 1] = str(folder / "killed.ledger.jsonl")
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(run, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while counts()["calls"] < expected // 2:
            time.sleep(0.005)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        process.wait()
        at_kill = counts()["calls"]
        subprocess.run(run, check=True, capture_output=True, env=environment)
        twice = counts()["calls"] - expected
    print(f"\nkill -9 after {at_kill:,} of {expected:,} answers, 128 in flight: {twice} paid twice")


def main() -> None:
    """Print the table."""
    num = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {num:,} samples, {SAMPLES} verdicts each\n")
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(Path(folder), num)
        speed(Path(folder), num)
        killed(Path(folder), num)


if __name__ == "__main__":
    main()
