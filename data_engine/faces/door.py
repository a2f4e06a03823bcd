"""The command `emollm faces`: render faces with exact action units, landmarks and labels.

Example:

    emollm faces runs/faces --num 2000 --labels basic7 --split train=0.8,test=0.2
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from data_engine.faces.album import fill_album
from data_engine.faces.plan import DIFFICULTIES, MAX_IDENTITY, MAX_SIZE, MIN_SIZE, Plan
from emollm.errors import ConfigError, did_you_mean
from emollm.facs import COMPOUNDS
from emollm.labels import LABEL_SETS, canonical
from emollm.stage import Output, positive

EXAMPLES = """examples:
  emollm faces runs/faces --num 2000 --labels basic7 --split train=0.8,test=0.2
  emollm faces runs/hard --num 500 --difficulty hard --identities 9000:9500
  emollm faces runs/fear --num 20 --emotion fear --size 224
"""


def parser() -> argparse.ArgumentParser:
    """Return the options of `emollm faces`."""
    parser = argparse.ArgumentParser(
        prog="emollm faces",
        description="Render faces with exact action units. Without a choice of emotion: a mixture of all expressions.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dir", type=Path, metavar="DIR", help="folder for images/, samples.jsonl and sheet.png")
    parser.add_argument("--num", type=positive, required=True, metavar="N", help="number of pictures")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--labels", metavar="SET", help="draw the labels of a set in turn: basic7, basic8, du22 …")
    what.add_argument("--emotion", metavar="WORD", help="draw one basic emotion, contempt or neutral")
    what.add_argument("--compound", metavar="NAME", help="draw one compound emotion: 'happily surprised' …")
    parser.add_argument("--size", type=_size, default=112, metavar="PX", help="width and height (default: 112)")
    parser.add_argument("--difficulty", choices=DIFFICULTIES, default="normal", help="pose, light and occlusion")
    parser.add_argument("--identities", type=_range, default=(0, 2000), metavar="A:B", help="people (default: 0:2000)")
    parser.add_argument("--split", type=_shares, default={}, metavar="NAME=SHARE,…", help="splits that share nobody")
    parser.add_argument("--format", choices=("png", "jpg"), default="png", help="png is exact (default)")
    parser.add_argument("--seed", type=_seed, default=0, help="everything random follows from it (default: 0)")
    parser.add_argument("--workers", type=positive, default=os.cpu_count() or 1, metavar="N", help="default: all cores")
    parser.add_argument("--overwrite", action="store_true", help="start again; the default goes on where it stopped")
    return parser


def _size(text: str) -> int:
    if not text.isdecimal() or not MIN_SIZE <= int(text) <= MAX_SIZE:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of pixels from {MIN_SIZE} to {MAX_SIZE}")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from 0 on")
    return int(text)


def _range(text: str) -> tuple[int, int]:
    first, _, stop = text.partition(":")
    if not (first.isdecimal() and stop.isdecimal()) or int(stop) > MAX_IDENTITY:
        raise argparse.ArgumentTypeError(f"'{text}' is no range such as 0:2000; people go up to {MAX_IDENTITY}")
    return int(first), int(stop)


def _shares(text: str) -> dict[str, float]:
    shares = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            raise argparse.ArgumentTypeError(f"'{part}' is no share such as train=0.8") from None
    return shares


def plan_from(options: argparse.Namespace) -> Plan:
    """Turn the command's options into a plan. Raises ConfigError."""
    label_set, label = _what(options)
    return Plan(
        seed=options.seed,
        size=options.size,
        difficulty=options.difficulty,
        label_set=label_set,
        label=label,
        identities=options.identities,
        splits=options.split,
        suffix=options.format,
    )


def _what(options: argparse.Namespace) -> tuple[str | None, str | None]:
    """Return the label set and the one label, as far as they are asked for."""
    if options.emotion:
        label = canonical(options.emotion, "basic8")
        if label is None:
            known = LABEL_SETS["basic8"].labels
            hint = did_you_mean(options.emotion, known) or f"; one of {', '.join(known)}"
            raise ConfigError(f"--emotion: '{options.emotion}' cannot be drawn{hint}")
        return ("basic7" if label in LABEL_SETS["basic7"].labels else "basic8"), label
    if options.compound:
        label = canonical(options.compound, "du22")
        if label is None:
            hint = did_you_mean(options.compound, COMPOUNDS) or f"; one of {', '.join(COMPOUNDS)}"
            raise ConfigError(f"--compound: '{options.compound}' cannot be drawn{hint}")
        return "du22", label
    return options.labels, None


def main(argv: Sequence[str] | None = None) -> int:
    """Run `emollm faces` and return the exit code."""
    options = parser().parse_args(argv)
    plan = plan_from(options)
    samples = options.dir / "samples.jsonl"
    with Output(samples, stage="faces", options=asdict(plan), overwrite=options.overwrite) as output:
        fill_album(output, plan, options.num, options.workers)
    return output.exit_code


if __name__ == "__main__":
    sys.exit(main())
