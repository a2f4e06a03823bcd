"""Gathering: rows of AU files and of media become samples; what cannot be used is kept aside with its reason.

    gathering = Gathering(out, options, labeller, prosody, dialect)
    for sample in gathering.au_file(file): ...
    for sample in gathering.seen(file, seen, detector): ...

`data_engine.detect` runs it. A picture or clip that an AU file speaks of is known then, and not looked at again.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data_engine.clips.events import MIN_ROWS
from data_engine.clips.reading import Clip, gather_clips, read_clips
from data_engine.clips.samples import Namer, Person, clip_samples, persons
from data_engine.detect.bad_rows import BadRows
from data_engine.detect.files import Input
from data_engine.detect.labelling import Labeller, names_of
from data_engine.detect.prosody import Prosody
from data_engine.detect.resuming import Done
from data_engine.detectors.doors import kind_of
from data_engine.media.looking import Seen
from data_engine.media.rows import blocks, media_source
from data_engine.sources.layout import Dialect
from data_engine.sources.media import find_media, path_under
from data_engine.sources.source import Source, open_source
from emollm.errors import SourceError
from emollm.files import sha256
from emollm.records import Detector, Media, MediaKind, Sample
from emollm.stage import Output

MIN_CONFIDENCE = {"AU file": 0.75, "media": 0.5}
"""Rows below it are not used. OpenFace's own tools cut at 0.75; our detector's 0.5 means as likely as not a face."""
DAMAGED = "damaged_clip"
NOT_IN_TABLE = ("not_in_table", "the detector said nothing of it that can be read; its name may be at fault")
"""What is said of a file that a door was given and that none of its tables tells of."""
NO_TIMES = "without events for lack of times"


class Gathering:
    """One run over many files."""

    def __init__(
        self,
        out: Output,
        options: argparse.Namespace,
        labeller: Labeller,
        prosody: Prosody,
        dialect: Dialect | None,
    ) -> None:
        self.out = out
        self.keep_all = options.frames == "all"
        self.min_confidence: float | None = options.min_confidence
        self.media_root: Path = options.media_root or options.output.parent
        self.labeller = labeller
        self.prosody = prosody
        self.dialect = dialect
        self.namer = Namer()
        self._known: set[Path] = set()
        """The pictures and clips that AU files speak of."""
        self._names: set[str] = set()
        """The names of the clips of AU files."""

    def au_file(self, file: Input) -> Iterator[Sample]:
        """Yield the samples of an AU file. Raises SourceError for one that cannot be read."""
        for source, clip in self.clips_of(file):
            yield from self._clip_of_file(source, clip)

    def door_table(self, path: Path, files: Mapping[str, Input], missing: dict[str, Input]) -> Iterator[Sample]:
        """Yield the samples of a table that a door wrote.

        `files` are those of this run by their paths; what the table tells of is taken out of `missing`.
        """
        for source, clip in self.clips_of(Input(path, path.stem)):
            file = missing.pop(named_by(clip), None)
            if file is None:
                if named_by(clip) not in files:
                    self.out.count("clips of a table that are none of the inputs")
                continue
            clip.texts = {"media": file.told}  # labels are found by our own name
            people = persons(clip, keep_all=self.keep_all)
            self._count(file.name, people, "frames")
            media = self._media(file, kind_of(file.path), sha256(file.path))
            for sample in self._samples(source, clip, file.name, people, media, file.path):
                told_of(sample)["file"] = file.told
                yield sample

    def clips_of(self, file: Input) -> Iterator[tuple[Source, Clip]]:
        """Yield the clips of an AU file. Raises SourceError for one that cannot be read."""
        source, _ = open_source(file.path, file.name, self.dialect)
        bad = BadRows(self.out, source)
        for clip in read_clips(source, min_confidence=self._cut("AU file"), keep_all=self.keep_all, bad=bad):
            yield source, clip
        bad.close()

    def not_measured(self, name: str, reason: str, detail: str, sample: Sample | None = None) -> None:
        """Keep aside what a door did not measure: without a face that is a result, else a failure."""
        if reason == "no_face":
            self.out.reject(name, reason, detail, sample)
        else:
            self.fail(name, reason, f"{name}: {detail}", sample)

    def _cut(self, kind: str) -> float:
        return MIN_CONFIDENCE[kind] if self.min_confidence is None else self.min_confidence

    def _clip_of_file(self, source: Source, clip: Clip) -> Iterator[Sample]:
        try:
            name = self.namer.name(source, clip)
        except SourceError as error:
            self.fail(source.name, "clip_again", str(error))
            return
        people = persons(clip, keep_all=self.keep_all)
        self._count(name, people, "rows")
        media = find_media(named_by(clip), source.head.path, self.media_root, moving=_moves(people))
        self._names.add(name)
        if media is not None:
            self._known.add((self.media_root / media.path).resolve())
        if media is None and self.prosody.listens and _moves(people):
            self.out.count("clips that are not here to be heard")
        path = self.media_root / media.path if media is not None else None
        yield from self._samples(source, clip, name, people, media, path)

    def is_known(self, file: Input) -> bool:
        """Tell whether an AU file of this run speaks of this picture or clip."""
        return file.name in self._names or (bool(self._known) and file.path.resolve() in self._known)

    def claim(self, file: Input) -> bool:
        """Take the name of a picture or clip; False, and a line, where it is taken or the file leads elsewhere."""
        leads = file.path.is_symlink() and file.path.exists()
        roots = (file.folder, self.media_root) if file.folder and leads else ()
        if roots and not any(path_under(file.path, root) for root in roots):
            message = f"{file.path}: leads out of {file.folder}; give the folder where the file itself lies"
            self.fail(file.name, "leads_out", message)
            return False
        try:
            self.namer.name(_unread(file), Clip((), {}))
        except SourceError as error:
            self.fail(file.name, "clip_again", str(error))
            return False
        return True

    def seen(self, file: Input, seen: Seen, detector: Detector) -> Iterator[Sample]:
        """Yield the samples of a picture or clip whose name was claimed."""
        for source, clip, people in self.look(seen, file.name, detector):
            aside = self._count(file.name, people, "frames", seen)
            media = self._media(file, seen.kind, seen.sha256)
            for place, sample in enumerate(self._samples(source, clip, file.name, people, media, file.path)):
                tell(sample, seen, file.told)
                if aside and not place:
                    told_of(sample)["aside"] = aside
                yield sample

    def skip(self, file: Input, done: Done) -> None:
        """Keep aside once more what an earlier run kept aside of a file that is not opened again."""
        if done.problem:
            self.fail(file.name, DAMAGED, f"{file.path}: {done.problem}")
        for name, reason, detail in done.aside:
            self.out.reject(name, reason, detail)
        source, clip = _unread(file), Clip((), {})
        self.labeller.label(source, clip, file.name)
        self.prosody.skip([file.name, *names_of(source, clip)])

    def look(
        self, seen: Seen, name: str, detector: Detector, sample: Sample | None = None
    ) -> Iterator[tuple[Source, Clip, list[Person]]]:
        """Yield the one clip that a recording is, or keep aside why it cannot be read; a damaged clip does both."""
        self._count_left_out(seen)
        if seen.problem is not None:
            self.fail(name, DAMAGED if seen.rows else seen.problem.reason, seen.problem.message, sample)
        if not seen.rows:
            return
        table = seen.table
        source = media_source(seen.path, name, table.is_still, detector)
        bad = BadRows(self.out, source)
        cut = self._cut("media")
        for clip in gather_clips(blocks(table), source.layout, min_confidence=cut, keep_all=self.keep_all, bad=bad):
            yield source, clip, persons(clip, keep_all=self.keep_all)
        bad.close()

    def _media(self, file: Input, kind: MediaKind, digest: str | None) -> Media | None:
        path = path_under(file.path, self.media_root)
        if path is not None:
            return Media(kind=kind, path=path, sha256=digest)
        if not self.out.counts["outside media root"]:
            print(
                f"warning: {file.path} does not lie under {self.media_root}, so its sample names no picture; "
                "say where they lie: --media-root DIR",
                file=sys.stderr,
            )
        self.out.count("outside media root")
        return None

    def _samples(
        self, source: Source, clip: Clip, name: str, people: list[Person], media: Media | None, path: Path | None
    ) -> Iterator[Sample]:
        """Yield the samples of one clip, whose file lies at `path`, with their media, labels and prosody."""
        found = self.labeller.label(source, clip, name)
        for sample in clip_samples(source, clip, name, people, keep_all=self.keep_all):
            sample.media = media
            told = told_of(sample)
            if told["person"] == "main" and found.problem:
                self.fail(sample.id, "unknown_label", f"{source.head.path}: {sample.id}: {found.problem}", sample)
                continue
            if told["person"] == "main" and found.label is not None:
                if sample.soft is not None and sample.label_set != self.labeller.label_set:
                    told["soft"], sample.soft = sample.soft, None  # measured over another set than the label's
                sample.label, sample.label_set = found.label, self.labeller.label_set
                told["label_from"] = found.where
            if told["person"] == "main" and not (self.prosody.listens and self.out.is_done(sample.id)):
                self.prosody.give(sample, [name, *names_of(source, clip)], path, told.get("people", 1))
            yield sample

    def _count(self, name: str, people: list[Person], what: str, seen: Seen | None = None) -> list[list[str]]:
        """Count rows by what they were good for; keep aside who has no usable row, and return who that is and why."""
        total: Counter[str] = Counter()
        aside = []
        for person in people:
            total.update(person.track.counts)
            if not person.moments:
                who = name if len(people) == 1 else f"{name}/{person.name}"
                reason, detail = why_none(person, what, seen)
                self.out.reject(who, reason, detail)
                aside.append([who, reason, detail])
            elif is_without_times(person):
                self.out.count(NO_TIMES)
        self.out.count(what, sum(total.values()))
        for reason, num in total.items():
            if reason != "usable":
                self.out.count(f"{what} {reason}", num)
        return aside

    def _count_left_out(self, seen: Seen) -> None:
        for reason, num in seen.left_out.items():
            if num:
                self.out.count(f"faces {reason}", num)

    def fail(self, name: str, reason: str, message: str, sample: Sample | None = None) -> None:
        """Keep aside what the user can mend, say so, and end with exit code 1."""
        self.out.fail(name, reason, message, sample)


def why_none(person: Person, what: str, seen: Seen | None = None) -> tuple[str, str]:
    """Return why nothing of a person can be used: the reason and the counts."""
    counts = person.track.counts
    if person.too_few_of is not None:
        return "seen_too_briefly", f"in {counts['usable']} of {person.too_few_of:,} frames"
    detail = ", ".join(f"{num} {what} {reason}" for reason, num in counts.items())
    if what != "frames" or set(counts) != {"no_face"}:
        return "no_usable_row", detail
    if seen is not None and seen.left_out["too_small"]:
        return "small_face", f"{seen.left_out['too_small']} faces too small"
    return "no_face", detail


def named_by(clip: Clip) -> str:
    """Return the picture or clip that a file names, or an empty string."""
    return clip.texts.get("media") or clip.texts.get("clip") or ""


def _moves(people: list[Person]) -> bool:
    return max(sum(person.track.counts.values()) for person in people) > 1


def is_without_times(person: Person) -> bool:
    """Tell whether somebody's events were not looked for although there are rows enough."""
    return person.events is None and person.moments[0].score is not None and person.track.counts["usable"] >= MIN_ROWS


def told_of(sample: Sample) -> dict[str, Any]:
    """Return what a sample of this run tells of how it was measured."""
    told: dict[str, Any] = (sample.provenance or {})["detect"]
    return told


def _unread(file: Input) -> Source:
    """What stands for a picture or clip before it is opened."""
    return media_source(file.path, file.name, True, Detector(name=""))


def tell(sample: Sample, seen: Seen, file: str) -> None:
    """Say what only a detector in this process knows: landmarks, and sides only where they differ."""
    told = told_of(sample)
    told["file"] = file
    if seen.problem is not None:
        told["problem"] = seen.problem.message.removeprefix(f"{seen.path}: ")
    [face] = sample.faces or []
    for au in (face.aus or {}).values():
        if au.left == au.right:
            au.left = au.right = None
    if seen.kind == "image":
        face.landmarks = seen.landmarks[told["row"]]
