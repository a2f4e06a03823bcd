"""Samples measured anew: what they say of themselves stays, their faces and events are those of another detector.

    for sample in Remeasure(gathering, onlooker, choice, options).samples(path): ...

This is how a detector is scored on rendered faces, and how a model is trained on what a detector says of them. The
faces and events that a sample had are kept in its provenance, as `detect.truth` (or `oracle.truth`).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from data_engine.clips.reading import Clip
from data_engine.clips.samples import Person, clip_samples, persons
from data_engine.detect.choice import Choice
from data_engine.detect.files import Input
from data_engine.detect.gathering import DAMAGED, NOT_IN_TABLE, Gathering, named_by, tell, why_none
from data_engine.detect.onlooker import Onlooker
from data_engine.detect.resuming import damaged_clips
from data_engine.media.batches import CHUNK
from data_engine.media.looking import Seen
from data_engine.sources.source import Source
from emollm.errors import RecordError, SourceError
from emollm.records import Box, Event, Face, Media, Sample, media_path, read_records
from emollm.stage import track

NOT_OF_A_SAMPLE = ("person", "people", "file")
"""What `provenance.detect` tells of a person or of a file; a sample has all its people and names its media itself."""

MEASURED = ("soft", "valence", "arousal")
"""What a detector of emotions says. It goes to the provenance: in these fields the sample may have the truth."""


class Known(NamedTuple):
    """A sample and where its picture or clip lies."""

    sample: Sample
    path: Path


class Remeasure:
    """Measures the samples of earlier runs."""

    def __init__(self, gathering: Gathering, onlooker: Onlooker, choice: Choice, options: argparse.Namespace) -> None:
        self.gathering = gathering
        self.out = gathering.out
        self.onlooker = onlooker
        self.choice = choice
        self.options = options
        self.num_skipped = 0
        """Samples that an earlier run wrote."""

    def samples(self, path: Path) -> Iterator[Sample]:
        """Yield the samples of a file as the detector of this run sees them."""
        todo = track(self._not_done(path), "detect")
        if self.choice.noise is not None:
            yield from self._disturbed(todo)
            return
        root = self.options.media_root or path.parent
        if root.resolve() != self.out.path.parent.resolve():
            print(f"picture paths start at {root}: later stages need --media-root", file=sys.stderr)
        known = self._with_media(todo, root)
        num_chunks = count_lines(path) // CHUNK
        yield from self._by_door(list(known)) if self.choice.door else self._looked_at(known, num_chunks)

    def _not_done(self, path: Path) -> Iterator[Sample]:
        damaged = damaged_clips(self.out.path) if self.out.counts["resumed"] else {}
        for sample in read_records(path, Sample, bad=self.out.bad):
            if self.out.is_done(sample.id):
                self.num_skipped += 1
                if _may_be_heard(sample):
                    self.gathering.prosody.skip(_names(sample))
                if sample.id in damaged:
                    self.gathering.fail(sample.id, DAMAGED, f"{sample.id}: {damaged[sample.id]}", sample)
            else:
                yield sample

    def _disturbed(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        from data_engine.detectors.oracle import disturb

        assert self.choice.noise is not None
        for sample in samples:
            try:
                yield self._with_prosody(sample, disturb(sample, self.choice.noise, self.options.seed), None)
            except SourceError as error:
                self.gathering.fail(sample.id, "no_truth", str(error), sample)

    def _with_media(self, samples: Iterable[Sample], root: Path) -> Iterator[Known]:
        for sample in samples:
            try:
                path = media_path(sample, root)
            except RecordError as error:
                self.gathering.fail(sample.id, "leads_out", str(error), sample)
                continue
            if path is None:
                self.gathering.fail(sample.id, "no_media", f"{sample.id}: has no picture or clip to look at", sample)
            else:
                yield Known(sample, path)

    def _looked_at(self, known: Iterable[Known], num_chunks: int) -> Iterator[Sample]:
        detector = self.onlooker.detector.detector
        for item, seen in self.onlooker.looks(known, lambda item: item.path, num_chunks):
            for source, clip, people in self.gathering.look(seen, item.sample.id, detector, item.sample):
                yield from self._one(item, source, clip, people, seen)

    def _by_door(self, known: Sequence[Known]) -> Iterator[Sample]:
        by_path: dict[str, list[Known]] = {}
        seen: set[str] = set()
        for item in known:
            by_path.setdefault(str(item.path.absolute()), []).append(item)
        for run in self.onlooker.runs([item.path for item in known]):
            for table in run.files:
                for source, clip in self.gathering.clips_of(Input(table, table.stem)):
                    seen.add(named_by(clip))
                    for item in by_path.get(named_by(clip), ()):
                        yield from self._one(item, source, clip, persons(clip, keep_all=False), None)
            for path, reason, detail in run.failed:
                seen.add(str(path))
                for item in by_path.get(str(path), ()):
                    self.gathering.not_measured(item.sample.id, reason, detail, item.sample)
        for missing in by_path.keys() - seen:
            for item in by_path[missing]:
                self.gathering.not_measured(item.sample.id, *NOT_IN_TABLE, item.sample)

    def _one(
        self, item: Known, source: Source, clip: Clip, people: list[Person], seen: Seen | None
    ) -> Iterator[Sample]:
        """Yield the sample with the people of its clip, or keep it aside where there is nobody."""
        sample = item.sample
        found = list(clip_samples(source, clip, sample.id, people, keep_all=False))
        if not found:
            self.out.reject(sample.id, *why_none(people[0], "frames", seen), sample)
            return
        found = whose(sample, found)
        if not found:
            self.out.reject(sample.id, "person_not_found", "nobody is where the face of this sample was", sample)
            return
        if seen is not None:
            for person in found:
                tell(person, seen, "")
        yield self._with_prosody(sample, remeasured(sample, found, seen.sha256 if seen else None), item.path)

    def _with_prosody(self, before: Sample, sample: Sample, path: Path | None) -> Sample:
        """Return a sample that was measured anew with the prosody of its clip, which lies at `path`."""
        if _may_be_heard(before):
            num_people = max(told_people(before), len({face.face for face in sample.faces or ()}))
            self.gathering.prosody.give(sample, _names(before), path, num_people)
        return sample


def _may_be_heard(sample: Sample) -> bool:
    """Tell whether a sample is of a clip, or of the main person in it."""
    return detected(sample).get("person") != "other"


def _names(sample: Sample) -> list[str]:
    """What a clip is called, its own name first: `anna` where the sample is of one of its people, `anna/0`."""
    name = sample.id.rpartition("/")[0] if told_people(sample) > 1 else sample.id
    return [name] if sample.media is None else [name, sample.media.path]


def whose(sample: Sample, people: list[Sample]) -> list[Sample]:
    """Return the people that a sample is about: all, but where it stands for one of several, the one in its box.

    A data set that gives a box (`import.boxed`) means the face in it, whoever else is in the picture.

    In a clip people move, and the two peaks may be far apart in time: there it is whoever is nearest.
    """
    box = box_of(sample)
    if box is None or (told_people(sample) < 2 and not is_boxed(sample)):
        return people
    near = {place: likeness(box, other) for place, person in enumerate(people) if (other := box_of(person)) is not None}
    best = max(near, key=near.__getitem__, default=None)
    moves = sample.media is not None and sample.media.kind == "video"
    return [people[best]] if best is not None and (moves or near[best] > 0.0) else []


def told_people(sample: Sample) -> int:
    """How many people were found where this sample is about one of them."""
    return int(detected(sample).get("people", 1))


def detected(sample: Sample) -> dict[str, Any]:
    """What an earlier `detect` tells of a sample."""
    return (sample.provenance or {}).get("detect") or {}


def is_boxed(sample: Sample) -> bool:
    """Tell whether the box of a sample is its data set's own."""
    return bool(((sample.provenance or {}).get("import") or {}).get("boxed"))


def box_of(sample: Sample) -> Box | None:
    """The box of a sample's first face."""
    return sample.faces[0].box if sample.faces else None


def likeness(one: Box, other: Box) -> float:
    """Intersection over union of two boxes; of boxes apart, how far their middles are apart in pixels, below 0."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width > 0.0 and height > 0.0:
        return width * height / (one[2] * one[3] + other[2] * other[3] - width * height)
    middles = [(box[0] + box[2] / 2.0, box[1] + box[3] / 2.0) for box in (one, other)]
    return -math.dist(*middles)


def count_lines(path: Path) -> int:
    """Return how many lines a file has."""
    with path.open("rb") as file:
        return sum(1 for _ in file)


def remeasured(sample: Sample, people: Sequence[Sample], sha256: str | None) -> Sample:
    """Return the sample with the faces and events of `people`: one sample a person, the main person first."""
    faces: list[Face] = [face for person in people for face in person.faces or ()]
    events: list[Event] | None = None
    if any(person.events is not None for person in people):
        events = [event for person in people for event in person.events or ()]
    told = dict((people[0].provenance or {})["detect"])
    for key in NOT_OF_A_SAMPLE:
        told.pop(key, None)
    if told_people(sample) > 1:
        told |= {key: value for key, value in detected(sample).items() if key in ("person", "people")}
    told |= {name: value for name in MEASURED if (value := getattr(people[0], name)) is not None}
    told["truth"] = truth_of(sample)
    media = sample.media
    if media is not None and media.sha256 is None:
        media = Media(kind=media.kind, path=media.path, sha256=sha256)
    provenance = (sample.provenance or {}) | {"detect": told}
    return msgspec.structs.replace(sample, media=media, faces=faces, events=events, provenance=provenance)


def truth_of(sample: Sample) -> dict[str, Any]:
    """Return the faces and events that the sample had; the first ones where it is measured for the second time."""
    for stage in ("detect", "oracle"):
        earlier = ((sample.provenance or {}).get(stage) or {}).get("truth")
        if earlier is not None:
            return dict(earlier)
    told = {"faces": sample.faces, "events": sample.events}
    return {key: msgspec.to_builtins(value) for key, value in told.items() if value is not None}
