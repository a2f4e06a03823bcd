"""One export under way: yields rows, keeps what is refused, counts both, and writes card and manifest at the end.

    with Export(folder, samples, media_root, FORMATS["messages"], Wording(), options) as export:
        export.format.write(export.rows(), folder)

One sample is in memory at a time; what grows are the ids, the names and the counts.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Self

from data_engine.exports.card.counts import Counts
from data_engine.exports.card.facts import Facts
from data_engine.exports.card.page import write_card
from data_engine.exports.card.refused import read_refused
from data_engine.exports.formats import Format
from data_engine.exports.media import FOLDERS, Placed, place
from data_engine.exports.turns import Refusal, Row, Wording
from emollm.cards.origin import lineage
from emollm.files import write_json
from emollm.prompts import prompt_hash
from emollm.records import BadLine, Sample, read_records
from emollm.stage import new_manifest


class Export:
    """The state of an export: where it goes, what it has written, and what it has left out."""

    def __init__(
        self,
        folder: Path,
        samples: Path,
        media_root: Path,
        format_: Format,
        wording: Wording,
        options: Mapping[str, Any],
    ) -> None:
        self.folder, self.samples, self.media_root = folder, samples, media_root
        self.format, self.wording, self.options = format_, wording, options
        self.num_rows = 0
        self.labels: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self.counts = Counts()
        self._names: set[str] = set()
        self._manifest = new_manifest("export", options, [samples]) | {"prompt_hash": prompt_hash()}

    def identity(self) -> dict[str, Any]:
        """Return what makes two exports the same: a rerun with equal values has nothing to do."""
        return {key: self._manifest[key] for key in ("stage", "options", "prompt_hash", "inputs")}

    def __enter__(self) -> Self:
        self._write_manifest("running")
        self._rejects = (self.folder / "rejected.jsonl").open("w", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._rejects.close()
        if not self.rejected:
            (self.folder / "rejected.jsonl").unlink()
        if kind is None:
            self._write_card()
        self._write_manifest("done" if kind is None else "stopped")

    def _write_manifest(self, status: str) -> None:
        counts = {
            "rows": self.num_rows,
            "samples": self.counts.num_samples,
            "labels": dict(self.labels),
            "rejected": dict(self.rejected),
        }
        write_json(self.folder / "manifest.json", {**self._manifest, "status": status, "counts": counts})

    def _write_card(self) -> None:
        digest = self._manifest["inputs"][self.samples.name]["sha256"]
        steps = lineage(self.samples, digest, [self.media_root])
        self._manifest["lineage"] = [
            {"file": step.name, "sha256": step.sha256, "stage": step.manifest.get("stage")} for step in steps
        ]
        files = (*self.format.files, *FOLDERS.values(), "rejected.jsonl", "manifest.json")
        facts = Facts(
            title=self.folder.resolve().name,
            format_name=self.options["format"],
            format=self.format,
            options=self.options,
            counts=self.counts,
            num_rows=self.num_rows,
            left_out=self.rejected,
            problems=self.problems,
            refused=read_refused(self.samples, self.options["split"]),
            steps=steps,
            written=tuple(name for name in files if (self.folder / name).exists()),
            licence=self.options["licence"],
        )
        write_card(self.folder, facts)

    def rows(self) -> Iterator[Row]:
        """Yield the examples of every sample that has all it needs."""
        split, limit = self.options["split"], self.options["limit"]
        for sample in islice(read_records(self.samples, Sample, bad=self._bad), limit):
            if split is None or sample.split == split:
                self.counts.read(sample)
                yield from self._rows_of(sample)

    def _rows_of(self, sample: Sample) -> Iterator[Row]:
        rows = []
        for one in self.format.rows(sample, self.wording):
            if isinstance(one, Row):
                rows.append(one)
            else:
                self._reject(sample.id, one)
        if not rows:
            return
        placed = self._place(sample)
        if isinstance(placed, Refusal):
            self._reject(sample.id, placed)
            return
        self.counts.add(sample)
        for row in rows:
            self.num_rows += 1
            self.labels[row.label] += 1
            self.problems.update({problem.partition(":")[0].strip() for problem in row.problems})
            yield row._replace(media=placed.path, frames=placed.frames)

    def _place(self, sample: Sample) -> Placed | Refusal:
        """Bring picture or clip into the folder, under a name of its own where the format goes by names."""
        if not self.format.by_name or sample.media is None:
            return place(sample, self.media_root, self.folder, self.format.kinds)
        path = re.sub(r"\s+", "_", sample.media.path)
        name = str(PurePosixPath(path).with_suffix(""))
        if name in self._names:
            return Refusal("name_taken", f"another sample is called {name}, and the format tells them apart by names")
        placed = place(sample, self.media_root, self.folder, self.format.kinds, path)
        if isinstance(placed, Placed):
            self._names.add(name)
        return placed

    def _bad(self, line: BadLine) -> None:
        print(f"error: {line}", file=sys.stderr)
        self._reject(None, Refusal("malformed", str(line)))

    def _reject(self, sample_id: str | None, refusal: Refusal) -> None:
        self.rejected[refusal.reason] += 1
        entry = {"id": sample_id, "reason": refusal.reason, "detail": refusal.detail}
        self._rejects.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def summary(self) -> str:
        """Return one line: how many rows, and what was left out why."""
        line = f"{self.folder}: {self.num_rows:,} rows"
        if self.rejected:
            reasons = ", ".join(f"{reason} {n:,}" for reason, n in self.rejected.most_common())
            line += f"; {sum(self.rejected.values()):,} left out, listed in rejected.jsonl ({reasons})"
        return line
