"""`emollm detect`: AU files of any detector into samples.jsonl, one sample a person, at the peak of the expression.

    emollm detect openface/ -o samples.jsonl --labels labels.csv --label-set dfew7

What cannot be used is kept aside with its reason; a file that cannot be read ends the run with exit code 1, after
the others have been read.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from data_engine.clips.reading import Clip, read_clips
from data_engine.clips.samples import Namer, Person, clip_samples, persons
from data_engine.files import Input, Source, find_files, open_source
from data_engine.labelling import NUM_SHOWN, Labeller
from data_engine.sources import DIALECTS
from data_engine.sources.columns import map_file, read_map, user_dialect
from data_engine.sources.head import SUFFIXES
from data_engine.sources.labels import check_label_set
from data_engine.sources.layout import Dialect
from data_engine.sources.media import find_media
from emollm.errors import SourceError
from emollm.records import Sample
from emollm.stage import Output, add_stage_arguments, track

NOT_RESOLVED = ("inputs", "limit", "overwrite", "explain")
"""Options that may change when a run goes on: its result does not."""

EPILOG = """examples:
  emollm detect openface/ -o samples.jsonl --labels labels.csv --label-set dfew7
  emollm detect fex.csv -o samples.jsonl --frames all
  emollm detect au/ --explain
  emollm detect smiles.csv -o samples.jsonl --detector csv --columns AU12=smile,id=file,kind=probability,scale=0-100
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the door and return the exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.output is None and not options.explain:
        parser.error("-o is missing: name the file to write, such as -o samples.jsonl")
    if (options.detector == "csv") != (options.columns is not None):
        parser.error("--detector csv and --columns go together")
    if not 0.0 <= options.min_confidence <= 1.0:
        parser.error(f"--min-confidence {options.min_confidence:g} is outside 0 to 1")
    check_label_set(options.label_set)
    dialect = _asked_dialect(options.detector, options.columns)
    files = find_files(options.inputs, {path for path in (options.labels, map_file(options.columns)) if path})
    return explain(files, dialect) if options.explain else detect(files, dialect, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emollm detect",
        description="Read AU files of any detector into samples.jsonl.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs", nargs="+", type=Path, metavar="INPUT", help=f"AU files, or folders of them ({' '.join(SUFFIXES)})"
    )
    add_stage_arguments(parser, required=False)
    parser.add_argument(
        "--detector",
        choices=("auto", *DIALECTS, "csv"),
        default="auto",
        help="whose files they are (default: auto, by their content)",
    )
    parser.add_argument("--columns", metavar="MAP", help="for csv: AU12=column,…,kind=…, or a JSON file of the same")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="names and labels: a table, JSON or JSON Lines")
    parser.add_argument("--label-pattern", metavar="REGEX", help="the label in the file's name, as (?P<label>…)")
    parser.add_argument("--label-set", metavar="NAME", help="the set of the labels, such as basic7 or dfew7")
    parser.add_argument(
        "--frames",
        choices=("peak", "all"),
        default="peak",
        help="one sample a person at the peak of the expression (default), or one a usable row",
    )
    parser.add_argument(
        "--min-confidence",
        type=float,
        default=0.75,
        metavar="P",
        help="rows below it are not used, where the file has a confidence, 0 to 1 (default: 0.75)",
    )
    parser.add_argument(
        "--media-root", type=Path, metavar="DIR", help="where the pictures and clips lie (default: the folder of -o)"
    )
    parser.add_argument("--explain", action="store_true", help="say which dialect each file is in and why, then stop")
    return parser


def explain(files: Sequence[Input], dialect: Dialect | None) -> int:
    """Print the dialect of each file and the reason. Returns 1 when one is not recognised."""
    code = 0
    for file in files:
        try:
            source, reason = open_source(file, dialect)
        except SourceError as error:
            print(f"error: {error}", file=sys.stderr)
            code = 1
        else:
            print(f"{file.path}: {source.dialect.name}: {reason}")
    return code


def _asked_dialect(name: str, columns: str | None) -> Dialect | None:
    if columns is not None:
        return user_dialect(read_map(columns))
    return DIALECTS.get(name)


def detect(files: Sequence[Input], dialect: Dialect | None, options: argparse.Namespace) -> int:
    """Read the files into the output and return the exit code."""
    if len(files) == 1:
        open_source(files[0], dialect)  # a single file that cannot be read leaves no empty output behind
    labeller = Labeller(options.labels, options.label_pattern, options.label_set)
    resolved = {key: value for key, value in vars(options).items() if key not in NOT_RESOLVED}
    inputs = [file.path for file in files] + [path for path in (options.labels, map_file(options.columns)) if path]
    with Output(options.output, stage="detect", options=resolved, inputs=inputs, overwrite=options.overwrite) as out:
        run = Run(out, options, labeller, dialect)
        samples = run.samples(track(files, "detect", total=len(files)))
        for sample in islice(samples, options.limit):
            if not out.is_done(sample.id):
                out.write(sample)
        out.note("limit", options.limit)
        if options.limit is None:
            labeller.report(out)
    return out.exit_code


class Run:
    """One run over many files: what is found goes out, what cannot be used is kept aside."""

    def __init__(self, out: Output, options: argparse.Namespace, labeller: Labeller, dialect: Dialect | None) -> None:
        self.out = out
        self.keep_all = options.frames == "all"
        self.min_confidence: float = options.min_confidence
        self.media_root: Path = options.media_root or options.output.parent
        self.labeller = labeller
        self.dialect = dialect
        self.namer = Namer()

    def samples(self, files: Iterator[Input]) -> Iterator[Sample]:
        """Yield the samples of all files; a file that cannot be read is reported and the next one is read."""
        for file in files:
            try:
                yield from self._file(file)
            except SourceError as error:
                self._fail(file.name, "unreadable_file", str(error))

    def _file(self, file: Input) -> Iterator[Sample]:
        source, _ = open_source(file, self.dialect)
        bad = BadRows(self.out, source)
        for clip in read_clips(source, min_confidence=self.min_confidence, keep_all=self.keep_all, bad=bad):
            yield from self._clip(source, clip)
        bad.close()

    def _clip(self, source: Source, clip: Clip) -> Iterator[Sample]:
        try:
            name = self.namer.name(source, clip)
        except SourceError as error:
            self._fail(source.name, "clip_again", str(error))
            return
        people = persons(clip, keep_all=self.keep_all)
        self._count(name, people)
        named = clip.texts.get("media") or clip.texts.get("clip") or ""
        media = find_media(named, source.head.path, self.media_root, moving=_moves(people))
        found = self.labeller.label(source, clip, name)
        for sample in clip_samples(source, clip, name, people, keep_all=self.keep_all):
            sample.media = media
            told = (sample.provenance or {})["detect"]
            if told["person"] == "main" and found.problem:
                self._fail(sample.id, "unknown_label", f"{source.head.path}: {sample.id}: {found.problem}", sample)
                continue
            if told["person"] == "main" and found.label is not None:
                sample.label, sample.label_set = found.label, self.labeller.label_set
                told["label_from"] = found.where
            yield sample

    def _count(self, name: str, people: list[Person]) -> None:
        """Count rows by what they were good for, and keep aside who has no usable row."""
        total: Counter[str] = Counter()
        for person in people:
            total.update(person.track.counts)
            if not person.moments:
                who = name if len(people) == 1 else f"{name}/{person.name}"
                detail = ", ".join(f"{num} rows {reason}" for reason, num in person.track.counts.items())
                self.out.reject(who, "no_usable_row", detail)
        self.out.count("rows", sum(total.values()))
        for reason, num in total.items():
            if reason != "usable":
                self.out.count(f"rows {reason}", num)

    def _fail(self, name: str, reason: str, message: str, sample: Sample | None = None) -> None:
        """Keep aside what the user can mend, say so, and end with exit code 1."""
        if self.out.rejected[reason] < NUM_SHOWN:
            print(f"error: {message}", file=sys.stderr)
        elif self.out.rejected[reason] == NUM_SHOWN:
            print(f"error: more of this kind ({reason}) in {self.out.rejected_path.name}", file=sys.stderr)
        self.out.reject(name, reason, message, sample)
        self.out.exit_code = 1


def _moves(people: list[Person]) -> bool:
    return max(sum(person.track.counts.values()) for person in people) > 1


class BadRows:
    """Rows of one file that cannot be read: the first few are shown, all are kept aside."""

    def __init__(self, out: Output, source: Source) -> None:
        self._out = out
        self._source = source
        self._num = 0

    def __call__(self, row: int, reason: str, detail: str) -> None:
        """Report one row, counted from 0 after the header."""
        head = self._source.head
        self._num += 1
        where = f"{head.path}:{head.skip_lines + row + 1}" if head.is_table else f"{head.path}: object {row + 1}"
        if self._num <= NUM_SHOWN:
            print(f"error: {where}: {detail}; the row is kept aside", file=sys.stderr)
        self._out.reject(f"{self._source.name}#{row:06d}", reason, f"{where}: {detail}")
        self._out.exit_code = 1

    def close(self) -> None:
        """Say how many more there were."""
        if self._num > NUM_SHOWN:
            more = self._num - NUM_SHOWN
            print(f"error: {self._source.head.path}: {more:,} more such rows are kept aside", file=sys.stderr)
