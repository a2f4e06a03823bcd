"""One run of `emollm detect` and a tiny table for it, shared by the tests of the door and of the rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from data_engine.detect import main
from emollm.records import Sample, read_records

AU_FILES = Path(__file__).parent / "data" / "au"
HEADER = "frame,timestamp,confidence,success,AU06_r,AU12_r\n"


def table(path: Path, rows: str = "1,0.0,0.98,1,0.5,2.0\n", header: str = HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + rows, "utf-8")
    return path


class Run:
    """One run of the door: its exit code, its samples and what it kept aside."""

    def __init__(self, folder: Path, *arguments: str | Path) -> None:
        self.path = folder / "out" / "samples.jsonl"
        self.code = main([*map(str, arguments), "-o", str(self.path)])

    @property
    def samples(self) -> list[Sample]:
        return list(read_records(self.path, Sample))

    @property
    def ids(self) -> list[str]:
        return [sample.id for sample in self.samples]

    @property
    def rejected(self) -> list[dict[str, Any]]:
        path = self.path.with_name("samples.rejected.jsonl")
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path.with_name("samples.manifest.json").read_text("utf-8"))
        return found
