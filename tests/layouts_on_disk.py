"""Data sets of the right shape, a few rows each, made by the tests of `emollm import`; and one run of it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from data_engine.layouts.door import main
from emollm.records import Sample, read_records


def picture(path: Path, seed: int | str | None = None, size: tuple[int, int] = (8, 8)) -> Path:
    """Noise that follows from the seed, or from the path: no two are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(list(str(seed if seed is not None else path).encode()))
    pixels = noise.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, quality=95)
    return path


def pictures(folder: Path, *names: str) -> None:
    for name in names:
        picture(folder / name)


def photos(root: Path) -> Path:
    """Five pictures in folders of splits and words."""
    pictures(root, "train/happy/1.jpg", "train/sad/2.jpg", "train/sad/3.jpg", "test/happy/4.jpg", "test/sad/5.jpg")
    return root


def text(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def clip(path: Path, content: str | None = None) -> Path:
    """What stands for a video: it is not decoded here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((content or str(path)).encode())
    return path


def xlsx(path: Path, rows: Sequence[Sequence[str | float]], shared: bool = True) -> Path:
    """An Excel file as Excel writes it: strings in a table of their own (or in the cells), blank cells left out."""
    strings: list[str] = []

    def cell(value: str | float, at: int, row: int) -> str:
        place = f'r="{chr(ord("A") + at)}{row}"'
        if not isinstance(value, str):
            return f"<c {place}><v>{value}</v></c>"
        if not shared:
            return f'<c {place} t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        strings.append(value)
        return f'<c {place} t="s"><v>{len(strings) - 1}</v></c>'

    lines = [
        f'<row r="{number}">'
        + "".join(cell(value, at, number) for at, value in enumerate(row) if value != "")
        + "</row>"
        for number, row in enumerate(rows, start=1)
    ]
    main_ns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {main_ns}><sheetData>{''.join(lines)}</sheetData></worksheet>"
        )
        items = "".join(f"<si><t>{escape(value)}</t></si>" for value in strings)
        archive.writestr("xl/sharedStrings.xml", f"<sst {main_ns}>{items}</sst>")
    return path


class Run:
    """One run of `emollm import`: its exit code, its samples, what it kept aside, and what it said."""

    def __init__(self, root: Path, *arguments: str | Path, output: Path | None = None) -> None:
        self.path = output or root.parent / "out" / "samples.jsonl"
        self.code = main([str(root), "-o", str(self.path), "--workers", "1", *map(str, arguments)])

    @property
    def samples(self) -> list[Sample]:
        return list(read_records(self.path, Sample))

    @property
    def by_id(self) -> dict[str, Sample]:
        return {sample.id: sample for sample in self.samples}

    @property
    def rejected(self) -> list[dict[str, Any]]:
        path = self.path.with_name(f"{self.path.stem}.rejected.jsonl")
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    @property
    def reasons(self) -> dict[str, str]:
        return {line["id"]: line["reason"] for line in self.rejected}

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path.with_name(f"{self.path.stem}.manifest.json").read_text("utf-8"))
        return found

    @property
    def told(self) -> list[tuple[str, str | None, str | None, str]]:
        """Id, split, label and the name of the file, of each sample."""
        return [
            (sample.id, sample.split, sample.label, Path(sample.media.path).name if sample.media else "")
            for sample in self.samples
        ]


def media_exist(run: Run, root: Path) -> bool:
    """Every sample names a file under the root."""
    return all(sample.media is not None and (root / sample.media.path).is_file() for sample in run.samples)


def pixel_row(values: Iterable[int]) -> str:
    return " ".join(map(str, values))
