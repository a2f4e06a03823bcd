"""Refused: what a training leaves out, and why. Nothing is dropped in silence.

samples = of_split(train_file, "train")
refused = Refused()
refused.add(sample.id, "bad_picture", "faces/7.png: no such file; …")
refused.tell(train_file, run.directory)         # a line or two, and rejected.jsonl in the run folder
raise nothing_left(train_file, "train", refused)
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from emollm.errors import SourceError
from emollm.files import in_one_step
from emollm.records import Sample, read_records
from emollm.train.processes import is_first_process
from emollm.train.run import REJECTED

BAD_PICTURE = "bad_picture"
"""The reason for a picture that is missing, broken, or another than before."""
CLIP = "clip"
"""The reason for what moves: a text about a clip tells when something happened, which no single picture shows."""
NUM_NAMED = 3
"""Samples that are named on stderr; all of them are in rejected.jsonl."""


class Refused(Counter[str]):
    """How many samples were refused for which reason, in one word; and which they were."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, str]] = []

    def add(self, record_id: str, reason: str, detail: str = "") -> None:
        """Refuse a sample. A detail tells what the user can mend."""
        self[reason] += 1
        self.entries.append({"id": record_id, "reason": reason, "detail": detail})

    def line(self, path: Path, what: str = "samples") -> str:
        """Return how many were left out and why."""
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in self.most_common())
        return f"{path}: {self.total():,} {what} left out ({reasons})"

    def tell(self, path: Path, directory: Path, what: str = "samples") -> None:
        """Say how many samples of a file were left out and why, name the first that can be mended, and keep all."""
        kept = directory / REJECTED
        if not is_first_process():
            return
        if not self.entries:
            kept.unlink(missing_ok=True)  # of an earlier start
            return
        lines = (json.dumps(entry, ensure_ascii=False) + "\n" for entry in self.entries)
        with in_one_step(kept) as part:
            part.write_text("".join(lines), encoding="utf-8")
        print(f"{self.line(path, what)}; see {kept}", file=sys.stderr)
        for entry in [entry for entry in self.entries if entry["detail"]][:NUM_NAMED]:
            print(f"  {entry['id']}: {entry['detail']}", file=sys.stderr)


def of_split(path: Path, split: str | None) -> Iterator[Sample]:
    """Yield the samples of a split, or all of them without one."""
    return (sample for sample in read_records(path, Sample) if split in (None, sample.split))


def nothing_left(path: Path, split: str | None, refused: Refused | None = None, key: str = "split") -> SourceError:
    """Return the error for a file of which no sample can be used: all were refused, or none is of the split.

    `key` is that of the recipe which names the split.
    """
    if refused:
        return SourceError(f"{refused.line(path)}; none is left to learn from")
    splits = Counter("(none)" if sample.split is None else f"'{sample.split}'" for sample in read_records(path, Sample))
    if not splits:
        return SourceError(f"{path}: holds no sample; give a file that `emollm generate` or `emollm faces` wrote")
    known = ", ".join(f"{name} {count:,}" for name, count in sorted(splits.items()))
    return SourceError(f"{path}: no sample of split '{split}'; there are {known}; set {key} to one, or to null for all")
