"""A worker's run: another interpreter, started with a list of files, watched, and ended with us.

    found = run_worker(door, python, paths, "image", into, flags, progress=None, silence_s=600)

What it wrote counts however it ended: files that it did not reach are returned with the reason. Beside its table lie
the list it was given and a log of all that the tool said.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from data_engine.detectors.door import Door
from emollm.errors import SourceError
from emollm.records import MediaKind

WORKERS = Path(__file__).parent / "workers"
CANNOT_IMPORT = 3
"""Exit code of a worker whose tool is not installed; see `workers/worker_protocol.py`."""
NUM_KEPT = 40
"""Last lines of the tool that are looked through for a reason."""
POLL_S = 0.5
GRACE_S = 5.0
"""How long a worker may take to end once it is asked to."""

Progress = Callable[[int, int], None]
"""Called with how many files are done, and of how many."""

_PROGRESS = re.compile(r"progress (\d+)/\d+\s*$")

HINTS = (
    (
        r"torchvision::nms|libtorchcodec|torchcodec|lib(?:torch_)?cuda|libcudart|libnv",
        "torch, torchvision and torchcodec are builds for different CUDA versions; install all three from one index: "
        "pip install torch torchvision torchcodec --index-url https://download.pytorch.org/whl/cpu",
    ),
    (
        r"LocalEntryNotFoundError|OfflineModeIsEnabled|HF_HUB_OFFLINE|outgoing traffic",
        "its weights are not on this machine and HF_HUB_OFFLINE is set or the network is away; "
        "run it once with the network",
    ),
    (r"CUDA out of memory|OutOfMemoryError", "its batches do not fit the GPU; use batch-size=1 or device=cpu"),
    (r"unrecognized arguments|invalid choice|invalid (?:int|float) value", "correct the option"),
)
"""What a tool says, and what helps against it."""


class Failed(NamedTuple):
    """A file that was not measured."""

    path: Path
    reason: str
    """`unreadable_media`, `no_face`, or `not_reached` where the tool broke before it."""
    detail: str


class DoorRun(NamedTuple):
    """What came of a run: the tables, and the files that are in none of them."""

    files: list[Path]
    failed: list[Failed]


def run_worker(
    door: Door,
    python: Path,
    paths: list[Path],
    kind: MediaKind,
    into: Path,
    flags: list[str],
    progress: Progress | None,
    silence_s: float,
) -> DoorRun:
    """Run a worker over files of one kind. Raises SourceError where it ends before it measured any."""
    table = into / f"{door.name}.{kind}.csv"
    errors = table.with_name(f"{table.name}.errors.jsonl")
    listed, log = table.with_suffix(".list.txt"), table.with_suffix(".log")
    for old in (table, errors, log):
        old.unlink(missing_ok=True)
    # As JSON, because a path may hold line breaks and bytes that are no text.
    listed.write_text("".join(f"{json.dumps(str(path.absolute()))}\n" for path in paths), encoding="utf-8")
    command = [str(python), str(WORKERS / door.worker), "--in", str(listed), "--out", str(table), "--kind", kind]
    command.append("--end-with-stdin")
    watched = _Watched(len(paths), progress, log)
    ended = watched.run([*command, *flags], silence_s)
    failed = list(_failures(errors))
    if ended:
        message = _what_broke(door, python, ended, watched, log)
        if not watched.done:
            raise SourceError(message)
        failed += [Failed(path, "not_reached", message) for path in paths[watched.done :]]
    return DoorRun([table] if table.exists() and table.stat().st_size else [], failed)


class _Watched:
    """A child process: its lines logged, its progress passed on, its end waited for."""

    def __init__(self, num: int, progress: Progress | None, log: Path) -> None:
        self.done = 0
        self.code: int | None = None
        self.last: deque[str] = deque(maxlen=NUM_KEPT)
        self._num, self._progress, self._log = num, progress, log

    def run(self, command: list[str], silence_s: float) -> str:
        """Return how the child broke, in words, or an empty string where it did what it should."""
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
        with self._log.open("w", encoding="utf-8", buffering=1) as log, _child(command, environment) as child:
            for line in _lines(child, silence_s):
                if line is None:
                    return f"said nothing for {silence_s:g} s and was ended"
                self._heed(line)
                log.write(line)
            self.code = child.wait()
        if self.code == 0:
            return ""
        return f"was ended by signal {-self.code}" if self.code < 0 else f"ended with code {self.code}"

    def _heed(self, line: str) -> None:
        match = _PROGRESS.search(line)
        if match is None:
            self.last.append(line.strip())
            return
        self.done = int(match[1])
        if self._progress is not None:
            self._progress(self.done, self._num)


@contextlib.contextmanager
def _child(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A child in a process group of its own, ended with all its children however the block is left.

    Its stdin is a pipe that nothing is written to: where this process is killed, the pipe breaks and the worker ends.
    """
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        _end(child)


def _end(child: subprocess.Popen[str]) -> None:
    """Ask a child that still runs to end, and make it; then what it started."""
    if child.poll() is None:
        _signal(child, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_S)
    _signal(child, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _signal(child: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signal the whole group of a child, which may be gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, number)
        else:
            child.terminate()


def _lines(child: subprocess.Popen[str], silence_s: float) -> Iterator[str | None]:
    """Yield the lines of a child until it ends; None, as the last, where it was silent for too long."""
    heard: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_listen, args=(child, heard), daemon=True).start()
    since = time.monotonic()
    while True:
        try:
            line = heard.get(timeout=min(POLL_S, silence_s))
        except queue.Empty:
            # A child of the child may hold the pipe open: the end of the child itself counts as well.
            if child.poll() is not None:
                return
            if time.monotonic() - since >= silence_s:
                yield None
                return
            continue
        if line is None:
            return
        since = time.monotonic()
        yield line


def _listen(child: subprocess.Popen[str], heard: queue.Queue[str | None]) -> None:
    assert child.stdout is not None
    with contextlib.suppress(ValueError):  # closed by `_end`
        for line in child.stdout:
            heard.put(line)
    heard.put(None)


def _failures(errors: Path) -> Iterator[Failed]:
    """What the worker set aside; a line torn by its death is left to `not_reached`."""
    if not errors.exists():
        return
    for line in errors.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            told = json.loads(line)
            yield Failed(Path(told["path"]), told["reason"], told["detail"])


def _what_broke(door: Door, python: Path, ended: str, watched: _Watched, log: Path) -> str:
    """One line: what broke, in the tool's own words, and what helps."""
    said = [line for line in watched.last if line]
    last = said[-1] if said else "it said nothing"
    if watched.code == CANNOT_IMPORT:
        return f"{door.name}: {python} cannot import it ({last}); in that environment: {door.install}"
    hints = [hint for pattern, hint in HINTS if any(re.search(pattern, line) for line in said)]
    what = f"{door.name}: {door.tool} {ended} ({last[:300]})"
    return f"{what}; {hints[0] if hints else f'all it said is in {log}'}"
