"""A stage: JSONL in, JSONL out, resumable, with everything that was refused kept beside the output.

    with Output(path, stage="generate", options=options, inputs=[samples]) as out:
        for sample in track(out.read(samples, Sample), "generate"):
            out.write(...)                       # or out.reject(sample.id, "no_aus")
    return out.exit_code

Beside `cot.jsonl` lie `cot.rejected.jsonl` (id, reason, detail, record) and `cot.manifest.json`
(options, versions, input hashes, counts). A rerun keeps what is done and does the rest.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import itertools
import json
import platform
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from emollm.errors import ConfigError, EmoLLMError
from emollm.files import fingerprint, has_only_grown, naming, write_json
from emollm.records import BadLine, Keyed, Prediction, R, Sample, encode, read_records, to_json
from emollm.records.ids import Ids

T = TypeVar("T")

MAX_PRINTED = 20
"""Malformed lines that are printed; all of them are counted and kept aside."""

NUM_SAID = 3
"""Faults of one reason that are printed."""

VERSIONED = (
    "emollm",
    "msgspec",
    "numpy",
    "pillow",
    "av",
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
)


def add_stage_arguments(parser: argparse.ArgumentParser, output: str = "FILE.jsonl", required: bool = True) -> None:
    """Add the options that every stage shares."""
    parser.add_argument("-o", "--output", type=Path, required=required, metavar=output, help="where the result goes")
    parser.add_argument("--overwrite", action="store_true", help="start again; the default keeps what is done")
    parser.add_argument("--limit", type=positive, metavar="N", help="stop after the first N samples")
    parser.add_argument("--seed", type=int, default=0, help="everything random follows from it (default: 0)")


def positive(text: str) -> int:
    """Read an option that counts something: 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return int(text)


def unknown_split(path: Path, split: str, splits: Mapping[str, int]) -> ConfigError:
    """Return the error for a split that no sample is in; it names those there are, with their sizes."""
    known = ", ".join(f"{name} {num:,}" for name, num in sorted(splits.items()))
    return ConfigError(f"--split: {path} has no sample of '{split}'; there are {known}")


class Output:
    """One append-only JSONL output with its rejects, its counts and its manifest."""

    def __init__(
        self,
        path: Path,
        *,
        stage: str,
        options: Mapping[str, Any],
        inputs: Sequence[Path] = (),
        overwrite: bool = False,
        record_type: type[Keyed] | None = None,
    ) -> None:
        self.path = path
        self.record_type = record_type or (Prediction if stage == "predict" else Sample)
        self.rejected_path = rejects_beside(path)
        self.manifest_path = manifest_beside(path)
        self.counts: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.exit_code = 0
        self._started = time.monotonic()
        _check_places(path, inputs)
        self._manifest = new_manifest(stage, options, inputs)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._done = Ids(path) if overwrite else self._resume(inputs)
        self.counts["resumed"] = len(self._done)
        self._file = path.open("wb" if overwrite else "ab", buffering=0)
        self._rejects = self.rejected_path.open("wb", buffering=0)
        self._write_manifest()

    def _resume(self, inputs: Sequence[Path]) -> Ids:
        """Return the ids already written, after cutting off a line that a crash left unfinished."""
        if not self.path.exists() or not self.path.stat().st_size:
            return Ids(self.path)
        if not self.manifest_path.exists():
            raise ConfigError(
                f"{self.path}: is there already, and no {self.manifest_path.name} says how it was made; "
                "use another -o, or --overwrite"
            )
        before = json.loads(self.manifest_path.read_text(encoding="utf-8"))
        self._refuse_another_run(before)
        for source in inputs:
            earlier, now = before["inputs"].get(source.name), self._manifest["inputs"][source.name]
            if earlier and earlier != now and not has_only_grown(source, earlier):
                print(f"{source}: has changed; what is written stays (--overwrite starts again)", file=sys.stderr)
        _cut_torn_line(self.path)
        done = Ids(self.path)
        deque(read_records(self.path, self.record_type, ids=done), maxlen=0)
        return done

    def _refuse_another_run(self, before: Mapping[str, Any]) -> None:
        """Raise ConfigError where the earlier run was of another stage, with other options, or of other files."""
        was, now = before["options"], self._manifest["options"]
        differs = [f"{key} {was.get(key)!r} → {now[key]!r}" for key in now if was.get(key) != now[key]]
        if before["stage"] != self._manifest["stage"]:
            differs = [f"by emollm {before['stage']}"]
        elif before["inputs"] and not before["inputs"].keys() & self._manifest["inputs"].keys():
            differs = [f"from {', '.join(before['inputs'])}"]
        if differs:
            raise ConfigError(
                f"{self.path}: was made otherwise ({', '.join(differs)}); use --overwrite to start again, or another -o"
            )

    def is_done(self, record_id: str) -> bool:
        """Tell whether an earlier run has already written this id."""
        return record_id in self._done

    def read(self, path: Path, record_type: type[R], limit: int | None = None) -> Iterator[R]:
        """Yield the valid records of `path` that are not done yet; `limit` counts done ones too."""
        for record in itertools.islice(read_records(path, record_type, bad=self.bad), limit):
            if record.id not in self._done:
                yield record

    def bad(self, line: BadLine) -> None:
        """Report a malformed input line: say it once, keep it aside, end with exit code 1."""
        self.exit_code = 1
        self.rejected["malformed"] += 1
        if self.rejected["malformed"] <= MAX_PRINTED:
            print(f"error: {line}", file=sys.stderr)
        self._reject_line({"id": None, "reason": "malformed", "detail": str(line), "record": line.text})

    def write(self, record: Keyed) -> None:
        """Append one record."""
        _append(self._file, encode(record) + b"\n")
        self.counts["written"] += 1

    def reject(self, record_id: str, reason: str, detail: str = "", record: Sample | Prediction | None = None) -> None:
        """Keep aside what cannot be used. `reason` is one machine-readable word."""
        self.rejected[reason] += 1
        kept = None if record is None else to_json(record)
        self._reject_line({"id": record_id, "reason": reason, "detail": detail, "record": kept})

    def fail(self, record_id: str, reason: str, message: str, record: Sample | Prediction | None = None) -> None:
        """Keep aside what the user can mend, say so of the first ones of each reason, and end with exit code 1."""
        if self.rejected[reason] < NUM_SAID:
            print("error: " + message.replace("\n", "\\n"), file=sys.stderr)
        elif self.rejected[reason] == NUM_SAID:
            print(f"error: more of this kind ({reason}) in {self.rejected_path.name}", file=sys.stderr)
        self.reject(record_id, reason, message, record)
        self.exit_code = 1

    def _reject_line(self, entry: dict[str, Any]) -> None:
        _append(self._rejects, json.dumps(entry, ensure_ascii=False).encode() + b"\n")

    def count(self, name: str, n: int = 1) -> None:
        """Add to a named count of the manifest and of the summary."""
        self.counts[name] += n

    def note(self, key: str, value: object) -> None:
        """Remember something in the manifest."""
        self._manifest[key] = value

    def _write_manifest(self) -> None:
        self._manifest["counts"] = dict(self.counts)
        self._manifest["rejected"] = dict(self.rejected)
        self._manifest["seconds"] = round(time.monotonic() - self._started, 3)
        write_json(self.manifest_path, self._manifest)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()
        self._rejects.close()
        if not self.rejected:
            self.rejected_path.unlink()
        self._manifest["status"] = "done" if kind is None else "stopped"
        if kind is not None:
            self._manifest["stopped_by"] = kind.__name__
        self._write_manifest()
        if kind is None and not self.counts["written"] and not self.counts["resumed"] and self.rejected:
            self.exit_code = 1
        print(self.summary(), file=sys.stderr)

    def summary(self) -> str:
        """Return one line: what was written where, and what was kept aside why."""
        counts = ", ".join(f"{n:,} {name}" for name, n in self.counts.items() if n or name == "written")
        line = f"{self.path}: {counts or '0 written'}"
        if self.rejected:
            reasons = ", ".join(f"{reason} {n:,}" for reason, n in self.rejected.most_common())
            line += f"; {sum(self.rejected.values()):,} kept aside in {self.rejected_path.name} ({reasons})"
        return line


def _check_places(path: Path, inputs: Sequence[Path]) -> None:
    """Raise EmoLLMError for an input that is not there, and for an output that would destroy something."""
    for source in inputs:
        if not source.is_file():
            raise EmoLLMError(f"{source}: {'is a folder, not a file' if source.is_dir() else 'there is no such file'}")
        if source.resolve() in places_of(path):
            raise ConfigError(f"-o {path}: would write over {source}, which is an input of this run; name another file")
    if path.exists() and not path.is_file():
        raise ConfigError(f"-o {path}: is no ordinary file; name another")


def _append(file: FileIO, line: bytes) -> None:
    """Write a whole line: a disk that fills up takes the beginning of one, and says so only when asked for the rest."""
    with naming(Path(str(file.name))):
        while line:
            line = line[file.write(line) :]


def _cut_torn_line(path: Path) -> None:
    """Remove an unfinished last line, which only a crash can leave."""
    with path.open("rb+") as file:
        end = size = file.seek(0, 2)
        block = 1 << 16
        while end > 0:
            start = max(0, end - block)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            print(f"{path}: the last line was cut off and is written again", file=sys.stderr)
            file.truncate(end)


def new_manifest(stage: str, options: Mapping[str, Any], inputs: Sequence[Path]) -> dict[str, Any]:
    """Return what every manifest begins with, in plain JSON values: a later run can be compared with it."""
    return {
        "stage": stage,
        "status": "running",
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "options": {key: _plain(value) for key, value in options.items()},
        "versions": versions(),
        "inputs": {source.name: fingerprint(source) for source in inputs},
    }


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change a result."""
    found = {"python": platform.python_version()}
    for name in VERSIONED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def beside(path: Path, name: str) -> Path:
    """Return the file of this name that belongs to an output: `cot.manifest.json` to `cot.jsonl`.

    No two outputs share one: to `cot.txt` belongs `cot.txt.manifest.json`.
    """
    return path.with_name(f"{path.name.removesuffix('.jsonl')}.{name}")


def rejects_beside(path: Path) -> Path:
    """Return where a stage that wrote this output kept aside what it refused."""
    return beside(path, "rejected.jsonl")


def manifest_beside(path: Path) -> Path:
    """Return where a stage that wrote this output says how."""
    return beside(path, "manifest.json")


def places_of(path: Path) -> tuple[Path, ...]:
    """Return the files that a stage with this output writes, resolved: another file of a run must be none of them."""
    return path.resolve(), rejects_beside(path).resolve(), manifest_beside(path).resolve()


def _plain(value: object) -> object:
    """An option as JSON: paths by name, so that a moved folder does not look like another run."""
    if isinstance(value, Path):
        return value.name
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


LOG_EVERY_S = 30.0
"""How often progress is written where stderr is no terminal, such as the log of a cluster."""


def track(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Yield the items with a progress bar on stderr, or a line now and then where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield from _track_in_log(items, label, total)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total)
        pending, shown = 0, time.monotonic()
        for item in items:
            yield item
            pending += 1
            if time.monotonic() - shown > 0.1:
                progress.update(task, advance=pending)
                pending, shown = 0, time.monotonic()
        progress.update(task, advance=pending)


def _track_in_log(items: Iterable[T], label: str, total: int | None) -> Iterator[T]:
    logged = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - logged > LOG_EVERY_S:
            print(f"{label}: {number:,}" + (f" of {total:,}" if total else ""), file=sys.stderr)
            logged = time.monotonic()
