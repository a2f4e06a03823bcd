"""The command `emollm faces`: render faces with exact action units, landmarks, events and labels.

Example:

    emollm faces runs/faces --num 2000 --labels basic7 --split train=0.8,test=0.2
    emollm faces runs/clips --num 200 --labels basic7 --video --seconds 4
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from data_engine.faces.album import fill_album
from data_engine.faces.film.encoding import CLIP_FORMATS, PICTURE_FORMATS
from data_engine.faces.film.scenes import MOST
from data_engine.faces.plan import MAX_IDENTITY, MAX_SIZE, MIN_SIZE, Plan
from data_engine.faces.views import DIFFICULTIES
from emollm.errors import ConfigError, did_you_mean
from emollm.facs import COMPOUNDS
from emollm.labels import LABEL_SETS, canonical
from emollm.stage import Output, positive

EXAMPLES = """examples:
  emollm faces runs/faces --num 2000 --labels basic7 --split train=0.8,test=0.2
  emollm faces runs/hard --num 500 --difficulty hard --identities 9000:9500
  emollm faces runs/fear --num 20 --emotion fear --size 224 --masks
  emollm faces runs/clips --num 200 --labels basic7 --video --seconds 4 --fps 25
  emollm faces runs/groups --num 50 --labels basic7 --video --people 3         one of three people shows the label
  emollm faces runs/films --num 20 --compound 'happily surprised' --video --format mp4 --size 224"""

ALONE_SIZE, GROUP_SIZE = 112, 224
"""Default height of a picture of one person, and of several."""


def parser() -> argparse.ArgumentParser:
    """Return the options of `emollm faces`."""
    parser = argparse.ArgumentParser(
        prog="emollm faces",
        description="Render faces with exact action units. Without a choice of emotion: a mixture of all expressions.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dir", type=Path, metavar="DIR", help="folder for images/ or clips/, samples.jsonl, sheet.png")
    parser.add_argument("--num", type=positive, required=True, metavar="N", help="number of pictures or clips")
    _add_what(parser)
    _add_who(parser.add_argument_group("who is shown"))
    _add_how(parser.add_argument_group("how it is drawn and written"))
    run = parser.add_argument_group("the run")
    run.add_argument("--seed", type=_seed, default=0, help="everything random follows from it (default: 0)")
    run.add_argument("--workers", type=positive, default=os.cpu_count() or 1, metavar="N", help="default: all cores")
    run.add_argument("--sheet", type=positive, default=40, metavar="N", help="samples on sheet.png (default: 40)")
    run.add_argument("--overwrite", action="store_true", help="start again; the default goes on where it stopped")
    return parser


def _add_what(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is shown."""
    group = parser.add_argument_group("what is shown")
    what = group.add_mutually_exclusive_group()
    what.add_argument("--labels", metavar="SET", help="the labels of a set in turn: basic7, basic8, du22 …")
    what.add_argument("--emotion", metavar="WORD", help="one basic emotion, contempt or neutral")
    what.add_argument("--compound", metavar="NAME", help="one compound emotion: 'happily surprised' …")
    group.add_argument("--video", action="store_true", help="clips with the onset, apex and offset of every AU")
    group.add_argument("--seconds", type=float, metavar="S", help=f"length of a clip (default: {Plan.seconds:g})")
    group.add_argument("--fps", type=float, metavar="F", help=f"frames per second of a clip (default: {Plan.fps:g})")


def _add_who(group: argparse._ArgumentGroup) -> None:
    """Add the options that say who is shown."""
    several = f"people in each, 1 to {MOST} (default: 1); the label is that of the nearest, in a clip of who moves"
    group.add_argument("--people", type=positive, default=1, metavar="K", help=several)
    seeds = "draw persons A to B - 1; every number is somebody else (default: 0:2000)"
    group.add_argument("--identities", type=_range, default=(0, 2000), metavar="A:B", help=seeds)
    splits = "name splits, of which no two share a person: train=0.8,test=0.2"
    group.add_argument("--split", type=_shares, default={}, metavar="NAME=SHARE,…", help=splits)


def _add_how(group: argparse._ArgumentGroup) -> None:
    """Add the options that say how it is drawn and written."""
    size = f"height in pixels, and width for one person (default: {ALONE_SIZE}, for several people {GROUP_SIZE})"
    group.add_argument("--size", type=_size, metavar="PX", help=size)
    views = (
        "studio: frontal, close, evenly lit; easy: frontal; normal: turned a little; hard: turned by 26 to 40 degrees, "
        "half of the faces covered partly"
    )
    group.add_argument("--difficulty", choices=DIFFICULTIES, default="normal", help=f"{views} (default: normal)")
    formats = (
        "pictures: png (exact, the default), jpg or webp; clips: webp (the default), gif, or mp4 (needs emollm[video])"
    )
    group.add_argument("--format", choices=dict.fromkeys((*PICTURE_FORMATS, *CLIP_FORMATS)), help=formats)
    group.add_argument("--masks", action="store_true", help="write the pixels on which each AU shows to masks/")


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
    if not options.video and (options.seconds is not None or options.fps is not None):
        raise ConfigError("--seconds and --fps are about clips; add --video")
    return Plan(
        seed=options.seed,
        size=options.size or (ALONE_SIZE if options.people == 1 else GROUP_SIZE),
        difficulty=options.difficulty,
        label_set=label_set,
        label=label,
        identities=options.identities,
        splits=options.split,
        suffix=options.format or ("webp" if options.video else "png"),
        video=options.video,
        seconds=Plan.seconds if options.seconds is None else options.seconds,
        fps=Plan.fps if options.fps is None else options.fps,
        people=options.people,
        masks=options.masks,
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
        fill_album(output, plan, options.num, options.workers, options.sheet)
    return output.exit_code


if __name__ == "__main__":
    sys.exit(main())
