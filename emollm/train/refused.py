"""Refused: what a training leaves out, and why. Nothing is dropped in silence.

refused = Refused()
refused.add(sample.id, "bad_picture", "faces/7.png: no such file; …")
refused.tell(train_file, run.directory)         # a line or two, and rejected.jsonl in the run folder
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from emollm.files import in_one_step
from emollm.train.processes import is_first_process
from emollm.train.run import REJECTED

BAD_PICTURE = "bad_picture"
"""The reason for a picture that is missing, broken, or another than before."""
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
