"""Detection: the files of a run in the order in which they are read, and who reads which.

    detection = Detection(out, options, labeller, prosody, choice)
    for sample in detection.samples(files): ...

AU files come first: a picture or clip that one of them speaks of is not looked at again. Then pictures and clips, by
the detector of this process or by a door; then the samples of an earlier run, measured anew.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from data_engine.detect.choice import Choice
from data_engine.detect.files import KINDS, Input, printable
from data_engine.detect.gathering import NOT_IN_TABLE, Gathering
from data_engine.detect.labelling import Labeller
from data_engine.detect.onlooker import Onlooker
from data_engine.detect.prosody import Prosody
from data_engine.detect.remeasure import Remeasure
from data_engine.detect.resuming import Done, done_files
from data_engine.detectors import FaceDetector
from data_engine.media.batches import CHUNK
from data_engine.sources.media import VIDEOS
from data_engine.sources.source import is_other_text
from emollm.errors import SourceError
from emollm.records import Detector, Sample
from emollm.stage import Output, track


class Detection:
    """One run over AU files, media and samples."""

    def __init__(
        self,
        out: Output,
        options: argparse.Namespace,
        labeller: Labeller,
        prosody: Prosody,
        choice: Choice,
        loaded: FaceDetector | None = None,
        settled: Mapping[str, Done] | None = None,
    ) -> None:
        """`settled` are the files, by name, of which an earlier run has no sample and needs none."""
        self.out = out
        self.settled = settled or {}
        self.choice = choice
        self.gathering = Gathering(out, options, labeller, prosody, choice.dialect)
        self.onlooker = Onlooker(out, options, choice, loaded)
        self.remeasure = Remeasure(self.gathering, self.onlooker, choice, options)
        self._limit: int | None = options.limit
        self._num_skipped = 0
        """Samples of an earlier run whose files were not opened again."""

    def is_enough(self, num: int) -> bool:
        """Tell whether so many samples, with those of an earlier run, are as many as `--limit` asks for."""
        return self._limit is not None and num + self._num_skipped + self.remeasure.num_skipped >= self._limit

    def refuse(self, sample: Sample) -> None:
        """Keep aside a sample whose id is taken: `anna/1.jpg` and the second person of `anna.jpg`."""
        self.gathering.fail(sample.id, "id_again", f"{sample.id}: two samples have this id; rename a file", sample)

    def samples(self, files: Sequence[Input]) -> Iterator[Sample]:
        """Yield the samples of all files; a file that cannot be read is reported and the next one is read."""
        files = [file for file in files if self._can_be_told(file)]
        au_files, media, samples = ([file for file in files if file.kind == kind] for kind in KINDS)
        for file in track(au_files, "detect", total=len(au_files)) if au_files else ():
            yield from self._au_file(file, lenient=bool(media) and file.folder is not None)
        unknown = [file for file in media if not self.gathering.is_known(file)]
        self.out.count("media known from AU files", len(media) - len(unknown))
        if unknown:
            yield from self._by_door(unknown) if self.choice.door is not None else self._looked_at(unknown)
        for file in samples:
            yield from self.remeasure.samples(file.path)

    def _can_be_told(self, file: Input) -> bool:
        problem = file.cannot_be_told
        if problem:
            shown = printable(str(file.path))
            self.gathering.fail(printable(file.name), "bad_name", f"{shown}: {problem}")
        return not problem

    def _au_file(self, file: Input, *, lenient: bool) -> Iterator[Sample]:
        try:
            yield from self.gathering.au_file(file)
        except SourceError as error:
            if lenient and is_other_text(file.path):
                print(f"warning: {error}", file=sys.stderr)
                self.out.reject(file.name, "no_au_file", str(error))
            else:
                self.gathering.fail(file.name, "unreadable_file", str(error))

    def _looked_at(self, files: Sequence[Input]) -> Iterator[Sample]:
        detector = self.onlooker.detector.detector
        files = [file for file in files if self.gathering.claim(file)]
        done = self._done(files, detector)
        todo = [file for file in files if file.told not in done]
        if files and not todo:
            print(f"{self.out.path}: all {len(files):,} pictures and clips are done", file=sys.stderr)
        films = sum(file.path.suffix.lower() in VIDEOS for file in todo)
        num_chunks = films + (len(todo) - films) // CHUNK
        tracked = track(todo, "detect", total=len(todo)) if todo else ()
        rest = iter(files)
        for file, seen in self.onlooker.looks(tracked, lambda file: file.path, num_chunks):
            # In their order, so that what is kept aside stands in the order of the files.
            self._skip(iter(rest.__next__, file), done)
            yield from self.gathering.seen(file, seen, detector)
        self._skip(rest, done)

    def _done(self, files: Sequence[Input], detector: Detector) -> dict[str, Done]:
        """Return what an earlier run has finished of these files, by what records tell of them."""
        if not self.out.counts["resumed"]:
            return {}
        written = done_files(self.out.path, detector)
        found = {}
        for file in files:
            done = written.get(file.told) or self.settled.get(file.name)
            if done is not None and done.is_whole(keep_all=self.gathering.keep_all):
                found[file.told] = done
        return found

    def _skip(self, files: Iterable[Input], done: Mapping[str, Done]) -> None:
        for file in files:
            self._num_skipped += done[file.told].num_samples
            self.gathering.skip(file, done[file.told])

    def _by_door(self, media: Sequence[Input]) -> Iterator[Sample]:
        files = [file for file in media if self.gathering.claim(file)]
        by_path = {str(file.path.absolute()): file for file in files}
        missing = dict(by_path)
        for run in self.onlooker.runs([file.path for file in files]):
            for table in run.files:
                yield from self.gathering.door_table(table, by_path, missing)
            for path, reason, detail in run.failed:
                if missing.pop(str(path), None) is not None:
                    self.gathering.not_measured(by_path[str(path)].name, reason, detail)
        for file in missing.values():
            self.gathering.not_measured(file.name, *NOT_IN_TABLE)
