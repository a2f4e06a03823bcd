"""The command `emollm export`: samples with explanations in, a folder for a trainer out."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from data_engine.exports.export import Export
from data_engine.exports.formats import FORMATS, Format
from data_engine.exports.media import FOLDERS
from data_engine.exports.turns import Wording
from emollm.answers import STYLES
from emollm.cards.origin import read_manifest
from emollm.errors import ConfigError
from emollm.prompts import num_variants
from emollm.records import Sample, read_records
from emollm.stage import add_stage_arguments, track, unknown_split

EPILOG = """examples:
  emollm export cot.jsonl -o train --format messages
  emollm export cot.jsonl -o train --format sharegpt --style think --label-only 0.75 --split train
  emollm export cot.jsonl -o pairs --format preference

Paths in the files are relative to the folder: run the trainer there, or name the folder as its image root
(LLaMA-Factory: dataset_dir; LLaVA: image_folder). README.md in the folder is its data card."""

ALWAYS = ("README.md", "rejected.jsonl", "manifest.json")
OWN_FILES = sorted({*ALWAYS, *(file for format_ in FORMATS.values() for file in format_.files)})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    arguments = build_parser().parse_args(argv)
    folder: Path = arguments.output
    format_ = FORMATS[arguments.format]
    wording = _wording(arguments, format_)
    _check_split(arguments.samples, arguments.split)
    shown = {"format": arguments.format, "split": arguments.split, "limit": arguments.limit, **wording._asdict()}
    export = Export(
        folder,
        arguments.samples,
        arguments.media_root or arguments.samples.parent,
        format_,
        wording,
        {**shown, "licence": arguments.licence},
    )
    earlier = read_manifest(folder / "manifest.json")
    again = all(earlier.get(key) == value for key, value in export.identity().items())
    if again and earlier["status"] == "done" and not arguments.overwrite:
        print(f"{folder}: is done already; --overwrite starts again", file=sys.stderr)
        return 0
    _prepare(folder, is_ours=earlier.get("stage") == "export", replace=again or arguments.overwrite)
    with export:
        format_.write(track(export.rows(), "export"), folder)
    print(export.summary(), file=sys.stderr)
    return 1 if export.rejected["malformed"] or not export.num_rows else 0


def build_parser() -> argparse.ArgumentParser:
    """Return the options of `emollm export`."""
    parser = argparse.ArgumentParser(
        prog="emollm export",
        description="Write training files for other trainers, and a data card.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("samples", type=Path, help="cot.jsonl from `emollm generate`")
    add_stage_arguments(parser, output="DIR")
    parser.add_argument("--format", choices=sorted(FORMATS), required=True, help="which trainer's files to write")
    parser.add_argument(
        "--style",
        choices=STYLES,
        help="answer style (default: sections); labels: the whole of an open-vocabulary list",
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
    parser.add_argument(
        "--license",
        "--licence",
        dest="licence",
        metavar="NAME",
        help="licence for the data card, such as cc-by-nc-4.0 (default: the one that all samples state, if any)",
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


def _wording(arguments: argparse.Namespace, format_: Format) -> Wording:
    """Return how questions and answers are worded. Raises ConfigError for what the format has no choice of."""
    name, style, variant = arguments.format, arguments.style, arguments.prompt_variant
    if format_.style is not None and style not in (None, format_.style):
        raise ConfigError(f"--style: '{name}' has answers of one form; leave the option out")
    if format_.style is not None and arguments.label_only:
        raise ConfigError(f"--label-only: '{name}' holds no bare answers; leave the option out")
    if not format_.asks and variant is not None:
        raise ConfigError(f"--prompt-variant: '{name}' holds no questions; leave the option out")
    wording = Wording(format_.style or style or "sections", arguments.label_only, variant, arguments.seed)
    styles = [wording.style, *(["label", "labels"] if wording.label_only else [])]
    top = min(num_variants(style) for style in styles) - 1
    if variant is not None and not 0 <= variant <= top:
        raise ConfigError(f"--prompt-variant: there is no wording {variant}; use 0 to {top}, or leave it out")
    return wording


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
        for name in FOLDERS.values():
            shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
