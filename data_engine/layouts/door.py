"""`emollm import`: a data set as it lies on disk into samples.jsonl, with its labels, splits, subjects and AUs.

    emollm import RAF-DB -o samples.jsonl
    emollm detect samples.jsonl -o seen.jsonl           the AUs of each picture, where the data set has none

The data set is recognised by its files. What it lacks is kept aside with its reason; what two splits share is reported.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

import msgspec

from data_engine.layouts import DATA_SETS, Known, Root, recognise, require
from data_engine.layouts.building import Building
from data_engine.layouts.dataset import ALL_FOLDS, Aside, Row, Wanted
from data_engine.layouts.folders import FOLDERS
from data_engine.layouts.looking import Look, look_at
from data_engine.layouts.near_copies import Copies
from data_engine.layouts.report import Pair, Report
from data_engine.sources.labels import check_label_set
from emollm.errors import ConfigError, SourceError
from emollm.records import Sample, encode
from emollm.stage import Output, add_stage_arguments, positive, track, unknown_split

AUTO = "auto"
TABLES = (".csv", ".xlsx", ".txt", ".lst", ".json")
NOT_RESOLVED = ("limit", "overwrite", "explain", "workers")
"""Options that may change when a run goes on: its result does not."""

EPILOG = f"""examples:
  emollm import RAF-DB -o samples.jsonl                           recognised by its files
  emollm import RAF-DB --explain                                  what it is, and why
  emollm import DFEW -o dfew.jsonl --fold 5                       one fold of those that come in folds
  emollm import DFEW -o dfew.jsonl --fold all                     what is tested in each: for the mean over folds
  emollm import AffectNet -o affectnet.jsonl --label-set affectnet7 --split val
  emollm import photos/ -o samples.jsonl --drop-duplicates        folders named after labels, copies kept aside
  emollm detect samples.jsonl -o seen.jsonl                       then: AUs, where the data set has none

layouts: {", ".join(DATA_SETS)}

A label set that is asked for (--label-set basic7) is what labels are told in; those that it lacks are kept aside. Every
picture is opened once: broken ones are kept aside, and near-copies in two splits are reported (--no-look leaves both
out). No picture is copied, but those that FER2013 holds as numbers.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the door and return the exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.output is None and not options.explain:
        parser.error("-o is missing: name the file to write, such as -o samples.jsonl")
    if options.drop_duplicates and not options.look:
        parser.error("--drop-duplicates and --no-look do not go together")
    check_label_set(options.label_set)
    root = Root(_folder(options.root))
    known = recognise(root) if options.layout == AUTO else require(root, options.layout)
    if options.explain:
        return explain(known)
    num_folds = known.data_set.num_folds
    if options.fold > max(1, num_folds) or (options.fold == ALL_FOLDS and not num_folds):
        raise ConfigError(f"--fold {options.fold or 'all'}: {known.data_set.title} has {num_folds or 'no'} folds")
    return bring_in(known, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emollm import",
        description="Read a data set as it lies on disk into samples.jsonl: labels, splits, subjects, AUs, provenance.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("root", type=Path, metavar="ROOT", help="the folder of the data set, or one above it")
    add_stage_arguments(parser, required=False)
    parser.add_argument("--layout", default=AUTO, metavar="NAME", help="which data set it is (default: auto)")
    parser.add_argument("--explain", action="store_true", help="say which data set it is and why, then stop")
    what = parser.add_argument_group("what becomes a sample")
    what.add_argument("--split", metavar="NAME", help="only this one: train, val or test")
    what.add_argument(
        "--fold",
        type=_fold,
        default=1,
        metavar="K",
        help="of data sets that come in folds: one, or `all` for what is tested in each (default: 1)",
    )
    what.add_argument("--label-set", metavar="NAME", help="tell labels in this set (default: the data set's own)")
    what.add_argument("--whole", action="store_true", help="whole pictures instead of cropped faces, where it has both")
    what.add_argument("--drop-duplicates", action="store_true", help="keep near-copies aside; the test set stays")
    media = parser.add_argument_group("pictures and clips")
    media.add_argument(
        "--media-root",
        type=Path,
        metavar="DIR",
        help="where picture paths start (default: the folder of -o if ROOT lies in it, else ROOT)",
    )
    media.add_argument("--no-look", dest="look", action="store_false", help="do not open the pictures")
    media.add_argument("--workers", type=positive, metavar="N", help="processes (default: all cores)")
    return parser


def _fold(text: str) -> int:
    return ALL_FOLDS if text == "all" else positive(text)


def _folder(path: Path) -> Path:
    """The folder of a data set, or that of its table."""
    if path.is_dir():
        return path
    if path.is_file() and path.suffix.lower() in TABLES:
        return path.parent
    raise SourceError(f"{path}: is no folder of a data set, and none of its tables ({' '.join(TABLES)})")


def explain(known: Known) -> int:
    """Print what the data set is and why."""
    data_set = known.data_set
    print(f"{known.mark.folder}: {data_set.name} ({data_set.title}): {known.mark.why}")
    labels = data_set.label_set or ("what the folders say" if data_set is FOLDERS else "none, but action units")
    print(f"labels: {labels}; licence: {data_set.licence}; source: {data_set.source}")
    return 0


def bring_in(known: Known, options: argparse.Namespace) -> int:
    """Read a data set into the output and return the exit code."""
    pictures = options.output.with_name(f"{options.output.stem}_pictures")
    wanted = Wanted(options.fold, options.whole, options.label_set, options.split, pictures)
    if wanted.split is not None:
        _check_split(known, wanted, wanted.split)
    media_root = _media_root(known, options)
    report = Report(known)
    with Output(
        options.output,
        stage="import",
        options={key: value for key, value in vars(options).items() if key not in NOT_RESOLVED}
        | {"layout": known.data_set.name},
        inputs=known.mark.files,
        overwrite=options.overwrite,
    ) as out:
        building = Building(out, known, wanted, media_root)
        taken = track(islice(building.samples(), options.limit), "import")
        for sample in _looked_at(taken, building, report, media_root, options) if options.look else taken:
            report.add(sample)
            if not out.is_done(sample.id):
                out.write(sample)
        report.note(out)
    print(report)
    if media_root.resolve() != options.output.parent.resolve():
        print(f"picture paths start at {media_root}: later stages need --media-root {media_root}", file=sys.stderr)
    return out.exit_code


def _check_split(known: Known, wanted: Wanted, split: str) -> None:
    """Raise ConfigError for a split that no row is in, before anything is written."""
    splits: Counter[str] = Counter()
    for row in known.rows(wanted):
        if isinstance(row, Row):
            if row.fields.get("split") == split:
                return
            splits[row.fields.get("split") or "none"] += 1
    raise unknown_split(known.root.path, split, splits)


def _media_root(known: Known, options: argparse.Namespace) -> Path:
    """Where picture paths start. Pictures that are written here lie beside the output."""
    if options.media_root is not None:
        if not options.media_root.is_dir():
            raise ConfigError(f"--media-root {options.media_root}: there is no such folder")
        return Path(options.media_root)
    here = Path(options.output).parent
    is_inside = known.root.path.resolve().is_relative_to(here.resolve())
    return here if is_inside or known.mark.writes_pictures else known.root.path


def _looked_at(
    samples: Iterator[Sample], building: Building, report: Report, media_root: Path, options: argparse.Namespace
) -> Iterator[Sample]:
    """Yield the samples whose pictures can be opened, without near-copies where they are dropped.

    All pictures are seen before the first sample goes on: until then the samples wait in a file without a name.
    """
    copies = Copies()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=options.output.parent) as spool:
        for sample, look in _looks(samples, media_root, options.workers):
            if look.problem:
                building.keep_aside(Aside("", sample.id, "unreadable_picture", look.problem), sample)
                continue
            copies.add(look.print, sample.split)
            spool.write(encode(building.seen(sample, look.sha256, look.size)) + b"\n")
        report.has_splits, report.drops = copies.has_splits, options.drop_duplicates
        pairs = _pairs(spool, copies)
        report.pairs = list(pairs.values())
        for place, sample in enumerate(_read(spool)):
            if place in pairs and options.drop_duplicates:
                detail = f"is a near-copy of {pairs[place].kept}"
                building.keep_aside(Aside("", sample.id, "near_copy", detail), sample)
            else:
                yield sample


def _looks(samples: Iterator[Sample], media_root: Path, workers: int | None) -> Iterator[tuple[Sample, Look]]:
    waiting: deque[Sample] = deque()

    def paths() -> Iterator[Path]:
        for sample in samples:
            assert sample.media is not None
            waiting.append(sample)
            yield media_root / sample.media.path

    for look in look_at(paths(), workers or os.cpu_count() or 1):
        yield waiting.popleft(), look


def _read(spool: IO[bytes]) -> Iterator[Sample]:
    decoder = msgspec.json.Decoder(Sample)
    spool.seek(0)
    return map(decoder.decode, spool)


def _pairs(spool: IO[bytes], copies: Copies) -> dict[int, Pair]:
    """The near-copies by their places, each with the name of the picture that stays."""
    of = {place: int(kept) for place, kept in enumerate(copies.of.tolist()) if kept >= 0}
    involved = of.keys() | set(of.values())
    told = {place: (sample.id, sample.label) for place, sample in enumerate(_read(spool)) if place in involved}
    return {place: Pair(told[place][0], told[kept][0], told[place][1] == told[kept][1]) for place, kept in of.items()}
