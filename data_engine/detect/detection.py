"""Detection: the files of a run in the order in which they are read, and who reads which.

    detection = Detection(out, options, labeller, choice)
    for sample in detection.samples(files): ...

AU files come first: a picture or clip that one of them speaks of is not looked at again. Then pictures and clips, by
the detector of this process or by a door; then the samples of an earlier run, measured anew.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from data_engine.detect.choice import Choice
from data_engine.detect.files import KINDS, Input, is_other_text
from data_engine.detect.gathering import Gathering
from data_engine.detect.labelling import Labeller
from data_engine.detect.onlooker import Onlooker
from data_engine.detect.remeasure import Remeasure
from data_engine.detectors import FaceDetector
from data_engine.media.batches import CHUNK
from data_engine.sources.media import VIDEOS
from emollm.errors import SourceError
from emollm.records import Sample, read_records
from emollm.stage import Output, track


class Detection:
    """One run over AU files, media and samples."""

    def __init__(
        self,
        out: Output,
        options: argparse.Namespace,
        labeller: Labeller,
        choice: Choice,
        loaded: FaceDetector | None = None,
    ) -> None:
        self.out = out
        self.choice = choice
        self.gathering = Gathering(out, options, labeller, choice.dialect)
        self.onlooker = Onlooker(out, options, choice, loaded)
        self.remeasure = Remeasure(self.gathering, self.onlooker, choice, options)
        self._num_skipped = 0

    @property
    def num_skipped(self) -> int:
        """Samples of an earlier run whose files were not opened again."""
        return self._num_skipped + self.remeasure.num_skipped

    def samples(self, files: Sequence[Input]) -> Iterator[Sample]:
        """Yield the samples of all files; a file that cannot be read is reported and the next one is read."""
        au_files, media, samples = ([file for file in files if file.kind == kind] for kind in KINDS)
        for file in track(au_files, "detect", total=len(au_files)) if au_files else ():
            yield from self._au_file(file, lenient=bool(media) and file.folder is not None)
        unknown = [file for file in media if not self.gathering.is_known(file)]
        self.out.count("media known from AU files", len(media) - len(unknown))
        if unknown:
            yield from self._by_door(unknown) if self.choice.door is not None else self._looked_at(unknown)
        for file in samples:
            yield from self.remeasure.samples(file.path)

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
        films = sum(file.path.suffix.lower() in VIDEOS for file in files)
        num_chunks = films + (len(files) - films) // CHUNK
        todo = self._to_do(track(files, "detect", total=len(files)))
        for file, seen in self.onlooker.looks(todo, lambda file: file.path, num_chunks):
            yield from self.gathering.seen(file, seen, detector)

    def _to_do(self, files: Iterable[Input]) -> Iterator[Input]:
        """Yield the files that an earlier run did not finish, each with its name claimed."""
        done = done_files(self.out)
        for file in files:
            if self.gathering.claim(file):
                if file.told in done:
                    self._num_skipped += done[file.told]
                else:
                    yield file

    def _by_door(self, media: Sequence[Input]) -> Iterator[Sample]:
        files = [file for file in media if self.gathering.claim(file)]
        by_path = {str(file.path.absolute()): file for file in files}
        for run in self.onlooker.runs([file.path for file in files]):
            for table in run.files:
                yield from self.gathering.door_table(table, by_path)
            for path, reason, detail in run.failed:
                if str(path) in by_path:
                    self.gathering.not_measured(by_path[str(path)].name, reason, detail)


def done_files(out: Output) -> Counter[str]:
    """Return the pictures and clips of an earlier run with the number of their samples, but for the last of them.

    The last one may have more samples than were written when that run was stopped.
    """
    done: Counter[str] = Counter()
    last = ""
    if out.counts["resumed"]:
        for sample in read_records(out.path, Sample):
            last = ((sample.provenance or {}).get("detect") or {}).get("file", "")
            done[last] += 1
    done.pop(last, None)
    return done
