"""Samples from clips: ids, faces and provenance.

    people = persons(clip, keep_all=False)
    for sample in clip_samples(source, clip, Namer().name(source, clip), people, keep_all=False):
        ...

Ids are the clip's name, `clip/person` where a clip holds several people, and `clip#000012` for single rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

from data_engine.clips.events import RULE as EVENT_RULE
from data_engine.clips.linking import Key, is_one_image_a_row
from data_engine.clips.peak import RULE, SCORE_RULE
from data_engine.clips.reading import Clip
from data_engine.clips.tracks import Moment, Track
from data_engine.sources.joining import stem_of
from data_engine.sources.layout import Layout
from data_engine.sources.source import Source
from emollm.errors import SourceError
from emollm.records import AU, Event, Face, Region, Sample

MAX_NAME, MAX_PERSON = 400, 64
"""Characters of an id; together with a row number they stay below what a record allows."""
NO_EVENTS = "not looked for: the rows have no times, or are fewer than 3"
MIN_FRAMES, MIN_CLIP_FRAMES = 3, 10
"""In a clip of 10 frames or more, whoever is seen in fewer than 3 has hardly been seen: somebody who passes, or a thing
that was taken for a face. The people of files that name them are people, however briefly."""
MAX_FOLDERS = 2
"""So many folders may tell clips of the same name apart; more would carry someone's home folder into the data."""
REGIONS: tuple[Region, ...] = get_args(Region)
DIGITS = 6
"""Decimals of a probability."""
LARGEST = 2.0**53
"""Frame numbers and the like beyond it, and NaN, are taken as not known."""


class Namer:
    """Gives every clip of a run a name of its own, the shortest that is free."""

    def __init__(self) -> None:
        self._owner: dict[str, tuple[Path, Key]] = {}

    def name(self, source: Source, clip: Clip) -> str:
        """Return the clip's name. Raises SourceError where its rows are scattered or it is there twice."""
        owner = (source.head.path, clip.key)
        for name in _names(source, clip):
            before = self._owner.setdefault(name, owner)
            if before is owner:
                return name
            if before == owner:
                raise SourceError(f"{source.head.path}: rows of '{name}' do not stand together; sort the file by clip")
        raise SourceError(f"{source.head.path}: '{name}' was read already, from {before[0]}; give their common folder")


def _names(source: Source, clip: Clip) -> list[str]:
    """Names for a clip, the shortest first; never an absolute path."""
    told = clip.texts.get("clip") or clip.texts.get("media") or ""
    if is_one_image_a_row(source.layout):
        numbered = f"{source.name}#{clip.key[0].decode()}"
        return [source.name, numbered] if len(source.head.items) == 1 else [numbered]
    if not told:
        return [source.name]
    parts = [part for part in told.replace("\\", "/").split("/") if part not in ("", ".", "..") and part[-1] != ":"]
    stem = stem_of(parts[-1]) if parts else source.name
    longer = ["/".join([*parts[-length:-1], stem]) for length in range(2, min(len(parts), MAX_FOLDERS + 1) + 1)]
    names = [stem, *longer, f"{source.name}/{stem}"]
    return [name[-MAX_NAME:] for name in dict.fromkeys(names)]


class Person(NamedTuple):
    """One person of a clip, with the moments that become samples, and what happens along the clip."""

    name: str
    track: Track
    moments: list[Moment]
    events: list[Event] | None
    too_few_of: int | None = None
    """The frames of the clip, for somebody who was seen in too few of them and so has no moments."""


def persons(clip: Clip, *, keep_all: bool) -> list[Person]:
    """Return the people of a clip with their moments, the main person (most usable rows) first."""
    found = []
    for name, track in clip.tracks.items():
        if clip.num_frames >= MIN_CLIP_FRAMES and 0 < track.counts["usable"] < MIN_FRAMES:
            found.append(Person(name, track, [], None, too_few_of=clip.num_frames))
            continue
        peak = None if keep_all else track.peak()
        moments = list(track.moments()) if keep_all else [peak] if peak else []
        found.append(Person(name, track, moments, None if keep_all else track.timeline.events(name)))
    return sorted(found, key=lambda person: -person.track.counts["usable"])


def clip_samples(source: Source, clip: Clip, name: str, people: list[Person], *, keep_all: bool) -> Iterator[Sample]:
    """Yield a sample for each moment of each person; no labels and no media yet."""
    num_people = sum(bool(person.moments) for person in people)
    for rank, person in enumerate(people):
        base = name if num_people == 1 else f"{name}/{person.name[:MAX_PERSON]}"
        for moment in person.moments:
            face = face_of(moment, person.name, source.layout)
            number = moment.row if face.frame is None else face.frame
            sample = Sample(
                id=f"{base}#{number:06d}" if keep_all and not is_one_image_a_row(source.layout) else base,
                text=clip.texts.get("text"),
                faces=[face],
                events=person.events,
                provenance={"detect": _provenance(source, person, moment, rank, num_people, keep_all)},
            )
            if source.layout.scores:
                _set_emotion(sample, moment, source.layout)
            yield sample


def _set_emotion(sample: Sample, moment: Moment, layout: Layout) -> None:
    """The scores of a row as a distribution over the seven or eight basic emotions, with valence and arousal."""
    numbers = moment.numbers.tolist()
    scores = {label: numbers[place] for label, place in zip(layout.scores, layout.score_places, strict=True)}
    known = {label: score for label, score in scores.items() if score == score}  # NaN is not equal to itself
    total = sum(known.values())
    if total > 0.0:
        sample.label_set = "basic8" if "contempt" in layout.scores else "basic7"
        sample.soft = {label: round(score / total, DIGITS) for label, score in known.items()}
    for name in ("valence", "arousal"):
        place = layout.place(name)
        if place is not None and numbers[place] == numbers[place]:
            # Regressions overshoot their scale a little.
            setattr(sample, name, min(max(round(numbers[place], DIGITS), -1.0), 1.0))


def face_of(moment: Moment, person: str, layout: Layout) -> Face:
    """The row as a face. An empty cell is an AU that was not measured."""
    numbers = moment.numbers.tolist()
    told = {role: numbers[len(layout.channels) + place] for place, role in enumerate(layout.number_roles)}
    known = {role: value for role, value in told.items() if abs(value) < LARGEST}
    box = tuple(known[role] for role in ("x", "y", "width", "height") if role in known)
    return Face(
        face=person,
        frame=int(known["frame"]) if "frame" in known else None,
        time_s=known.get("time_s"),
        box=(box[0], box[1], box[2], box[3]) if len(box) == 4 else None,
        confidence=known.get("confidence"),
        aus=_aus(numbers, layout) if layout.channels else None,
        hidden=_regions(int(known["hidden"])) if "hidden" in known else None,
        pose=(known["yaw"], known["pitch"], known["roll"]) if {"yaw", "pitch", "roll"} <= known.keys() else None,
        detector=layout.detector,
    )


def _regions(mask: int) -> list[Region]:
    """The regions of a bit mask, the first region of the record in its lowest bit."""
    return [region for place, region in enumerate(REGIONS) if mask >> place & 1]


def _aus(numbers: list[float], layout: Layout) -> dict[str, AU]:
    """The AUs of a row in order; where several columns tell of one AU, the strongest is its value."""
    aus: dict[str, AU] = {}
    for name, kind, places in layout.by_au:
        if len(places) == 1:  # nearly all of them
            value = numbers[places[0]]
            if value == value:
                aus[name] = AU(value=value, kind=kind)
            continue
        known = [place for place in places if numbers[place] == numbers[place]]  # NaN is not equal to itself
        if known:
            au = aus[name] = AU(value=max([numbers[place] for place in known]), kind=kind)
            _set_sides(au, known, numbers, layout)
    return aus


def _set_sides(au: AU, places: list[int], numbers: list[float], layout: Layout) -> None:
    for place in places:
        side = layout.channels[place].side
        if side is not None:
            setattr(au, side, numbers[place])


def _provenance(
    source: Source, person: Person, moment: Moment, rank: int, num_people: int, keep_all: bool
) -> dict[str, Any]:
    counts = person.track.counts
    peak_rule = SCORE_RULE if source.layout.scores else RULE
    rule = "every usable row" if keep_all else peak_rule if counts["usable"] > 1 else "the only usable row"
    told: dict[str, Any] = {
        "file": source.head.path.name,
        "dialect": source.dialect.name,
        "rule": rule,
        "row": moment.row,
        "rows": {reason: num for reason, num in counts.items() if num},
        "person": "main" if rank == 0 else "other",
    }
    if num_people > 1:
        told["people"] = num_people
    if source.layout.confidence_top != 1.0:
        told["confidence_top"] = source.layout.confidence_top
    if moment.score is not None and counts["usable"] > 1:
        told["score"] = round(moment.score, 4)
        told["events"] = EVENT_RULE if person.events is not None else NO_EVENTS
        timeline = person.track.timeline
        told |= {"span_s": [round(time, 3) for time in timeline.span_s]} if timeline.span_s else {}
        told |= {"frame_rate": round(timeline.frame_rate, 3)} if timeline.is_by_frame and timeline.frame_rate else {}
    return told
