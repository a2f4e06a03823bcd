"""The command `emollm export`: samples with explanations in, a folder for a trainer out."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from data_engine.exports.formats import FORMATS
from data_engine.exports.pictures import FOLDER, place
from data_engine.exports.turns import Row, Wording, to_row
from emollm.answers import STYLES
from emollm.errors import ConfigError, RecordError
from emollm.prompts import num_variants, prompt_hash
from emollm.records import BadLine, Sample, read_records
from emollm.stage import add_stage_arguments, new_manifest, track, unknown_split, write_json

EPILOG = """examples:
  emollm export cot.jsonl -o train --format messages
  emollm export cot.jsonl -o train --format sharegpt --style think --label-only 0.75 --split train

Picture paths in the files are relative to the folder: run the trainer there, or name the folder as its image root
(LLaMA-Factory: dataset_dir; LLaVA: image_folder)."""

OWN_FILES = ("data.jsonl", "data.json", "data.parquet", "dataset_info.json", "rejected.jsonl", "manifest.json")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    arguments = build_parser().parse_args(argv)
    folder: Path = arguments.output
    wording = Wording(arguments.style, arguments.label_only, arguments.prompt_variant, arguments.seed)
    _check_variant(wording)
    _check_split(arguments.samples, arguments.split)
    shown = {"format": arguments.format, "split": arguments.split, "limit": arguments.limit, **wording._asdict()}
    media_root = arguments.media_root or arguments.samples.parent
    export = Export(folder, arguments.samples, media_root, wording, shown)
    earlier = _read_manifest(folder)
    again = all(earlier.get(key) == value for key, value in export.identity().items())
    if again and earlier["status"] == "done" and not arguments.overwrite:
        print(f"{folder}: is done already; --overwrite starts again", file=sys.stderr)
        return 0
    _prepare(folder, is_ours=earlier.get("stage") == "export", replace=again or arguments.overwrite)
    with export:
        rows = export.rows(arguments.split, arguments.limit)
        FORMATS[arguments.format](track(rows, "export"), folder)
    print(export.summary(), file=sys.stderr)
    return 1 if export.rejected["malformed"] or not export.num_rows else 0


def build_parser() -> argparse.ArgumentParser:
    """Return the options of `emollm export`."""
    parser = argparse.ArgumentParser(
        prog="emollm export",
        description="Write training files for TRL, ms-swift, LLaMA-Factory, LLaVA scripts and datasets.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("samples", type=Path, help="cot.jsonl from `emollm generate`")
    add_stage_arguments(parser, output="DIR")
    parser.add_argument("--format", choices=sorted(FORMATS), required=True, help="which trainer's files to write")
    parser.add_argument(
        "--style", choices=STYLES, default="sections", help="answer style; labels: the whole of an open-vocabulary list"
    )
    parser.add_argument(
        "--label-only",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help="share of the samples, 0 to 1, that are asked for the bare label instead (default: 0)",
    )
    parser.add_argument(
        "--prompt-variant",
        type=int,
        metavar="N",
        help="one wording of the question, counted from 0; the default draws one per sample",
    )
    parser.add_argument("--split", metavar="NAME", help="export this split alone")
    parser.add_argument(
        "--media-root", type=Path, metavar="DIR", help="where media paths start (default: the folder of the samples)"
    )
    return parser


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not between 0 and 1")
    return share


def _check_variant(wording: Wording) -> None:
    styles = [wording.style, *(["label", "labels"] if wording.label_only else [])]
    top = min(num_variants(style) for style in styles) - 1
    if wording.variant is not None and not 0 <= wording.variant <= top:
        raise ConfigError(f"--prompt-variant: there is no wording {wording.variant}; use 0 to {top}, or leave it out")


def _check_split(samples: Path, split: str | None) -> None:
    """Raise ConfigError for a split that no sample is in, and name those there are."""
    if split is None:
        return
    splits: Counter[str] = Counter()
    for sample in read_records(samples, Sample, bad=lambda _: None):
        if sample.split == split:
            return
        splits[sample.split or "(none)"] += 1
    if splits:
        raise unknown_split(samples, split, splits)


def _prepare(folder: Path, *, is_ours: bool, replace: bool) -> None:
    """Make the folder; `replace` removes an earlier export, but never a folder that is something else."""
    if folder.exists() and any(folder.iterdir()):
        if not is_ours:
            raise ConfigError(f"{folder}: is not empty and holds no export; use another -o")
        if not replace:
            raise ConfigError(f"{folder}: holds another export; use --overwrite to export again, or another -o")
        for name in OWN_FILES:
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / FOLDER, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def _read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an earlier export, or an empty one."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


class Export:
    """One export under way: yields rows, keeps what is refused, and counts both."""

    def __init__(
        self, folder: Path, samples: Path, media_root: Path, wording: Wording, options: Mapping[str, Any]
    ) -> None:
        self.folder, self.samples, self.media_root, self.wording = folder, samples, media_root, wording
        self.num_rows = 0
        self.labels: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
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
        self._write_manifest("done" if kind is None else "stopped")

    def _write_manifest(self, status: str) -> None:
        counts = {"rows": self.num_rows, "labels": dict(self.labels), "rejected": dict(self.rejected)}
        write_json(self.folder / "manifest.json", {**self._manifest, "status": status, "counts": counts})

    def rows(self, split: str | None, limit: int | None) -> Iterator[Row]:
        """Yield one row for each sample that has all it needs."""
        for sample in islice(read_records(self.samples, Sample, bad=self._bad), limit):
            if split is not None and sample.split != split:
                continue
            row = self._row(sample)
            if isinstance(row, str):
                self._reject(sample.id, row)
                continue
            self.num_rows += 1
            self.labels[row.label] += 1
            yield row

    def _row(self, sample: Sample) -> Row | str:
        row = to_row(sample, "", self.wording)
        if isinstance(row, str):
            return row
        try:
            image, reason = place(sample, self.media_root, self.folder)
        except RecordError:
            return "outside_media_root"
        return reason or row._replace(image=image)

    def _bad(self, line: BadLine) -> None:
        print(f"error: {line}", file=sys.stderr)
        self._reject(None, "malformed", str(line))

    def _reject(self, sample_id: str | None, reason: str, detail: str = "") -> None:
        self.rejected[reason] += 1
        entry = {"id": sample_id, "reason": reason, "detail": detail}
        self._rejects.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def summary(self) -> str:
        """Return one line: how many rows, and what was left out why."""
        line = f"{self.folder}: {self.num_rows:,} rows"
        if self.rejected:
            reasons = ", ".join(f"{reason} {n:,}" for reason, n in self.rejected.most_common())
            line += f"; {sum(self.rejected.values()):,} left out, listed in rejected.jsonl ({reasons})"
        return line
