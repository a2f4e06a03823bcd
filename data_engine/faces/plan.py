"""The plan of a set of faces: who and what is drawn, in which splits, how difficult.

    plan = Plan(label_set="basic7", splits={"train": 0.8, "test": 0.2})
    spec, sample = plan.draw(0)                 # a picture of one person
    shot, sample = plan.shot(0)                 # what the plan asks for: a picture or a clip, one person or several

Picture `index` depends on the plan and the index alone, on however many cores it is drawn.

Several people: the label, the subject, the groups and the first of `faces` are those of one of them, the lead. In a
clip the lead alone shows an expression, wherever he or she sits, and the others rest; in a picture the lead sits
nearest and the others show expressions of their own. `provenance` says who leads, and everybody's label.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from data_engine.faces.expressions import EXPRESSIBLE, AUs, express, mixture
from data_engine.faces.film.acting import perform, rest
from data_engine.faces.film.encoding import CLIP_FORMATS, PICTURE_FORMATS, frame_times
from data_engine.faces.film.motion import Motion
from data_engine.faces.film.scenes import MOST, WIDTHS, Scene, beside_others, draw_seats, same_picture
from data_engine.faces.film.shots import Shot
from data_engine.faces.person.identity import groups, identity
from data_engine.faces.spec import FaceSpec
from data_engine.faces.truth import truth
from data_engine.faces.views import DIFFICULTIES, view
from data_engine.faces.visibility import hidden_regions, visibility_codes
from emollm.errors import ConfigError, did_you_mean
from emollm.labels import LABEL_SETS
from emollm.records import Face, Media, Sample

MIN_SIZE, MAX_SIZE = 16, 2048
"""Pixels a side. A picture of 2048 takes some seconds and half a gigabyte of memory; both grow with the area."""
MAX_IDENTITY = 2**32
MAX_REFUSED = 20
"""People asked to the studio before one comes whose face is covered."""
SECONDS, FPS = (0.5, 120.0), (2.0, 60.0)
"""Shortest and longest clip; fewest and most frames per second. A GIF shows 50 at most."""
MAX_CLIP = 400_000_000
"""Pixels of all frames of a clip: 1.2 GB, and as much again while it is written."""


@dataclass(frozen=True)
class Plan:
    """All options that decide what is drawn."""

    seed: int = 0
    size: int = 112
    difficulty: str = "normal"
    label_set: str | None = None
    """Whose labels to draw, in turn; None draws a mixture of all expressions, without labels."""
    label: str | None = None
    """Draw this one label of the set only."""
    identities: tuple[int, int] = (0, 2000)
    """First identity and the one after the last."""
    splits: Mapping[str, float] = field(default_factory=dict)
    """Split name to its share. Each split has identities of its own."""
    suffix: str = "png"
    video: bool = False
    """Draw clips; what follows is about them."""
    seconds: float = 3.0
    fps: float = 15.0
    people: int = 1
    """How many people are in each picture or clip. The picture is `size` high, and wider than high for several."""
    masks: bool = False
    """Write for each picture which pixels each AU shows on; for a clip, at its peak."""

    def __post_init__(self) -> None:
        problems = [*self._about_labels(), *self._about_people(), *self._about_files()]
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            problems.append(f"size is {self.size}; {MIN_SIZE} to {MAX_SIZE} pixels")
        if self.seed < 0:
            problems.append(f"seed is {self.seed}; 0 or more")
        if self.difficulty not in DIFFICULTIES:
            hint = did_you_mean(self.difficulty, DIFFICULTIES) or f"; one of {', '.join(DIFFICULTIES)}"
            problems.append(f"difficulty '{self.difficulty}' is unknown{hint}")
        if problems:
            raise ConfigError("faces: " + "; ".join(problems))

    def _about_labels(self) -> list[str]:
        if self.label_set is None:
            return [] if self.label is None else [f"label '{self.label}' needs the label set that it is of"]
        if self.label_set not in LABEL_SETS:
            return [f"label set '{self.label_set}' is unknown{did_you_mean(self.label_set, LABEL_SETS)}"]
        known = LABEL_SETS[self.label_set].labels
        if self.label is not None and self.label not in known:
            return [f"label '{self.label}' is not of '{self.label_set}'{did_you_mean(self.label, known)}"]
        unknown = [label for label in self.labels if label not in EXPRESSIBLE]
        if unknown or not self.labels:
            return [f"label set '{self.label_set}' has labels that cannot be drawn: {', '.join(unknown) or 'any word'}"]
        return []

    def _about_people(self) -> list[str]:
        first, stop = self.identities
        if not 0 <= first < stop <= MAX_IDENTITY:
            return [f"identities {first}:{stop} are none; use FIRST:STOP such as 0:2000"]
        if self.people not in WIDTHS:
            return [f"people is {self.people}; 1 to {MOST} fit into a picture"]
        if not self.splits:
            few = stop - first < self.people
            return [f"{stop - first} identities are too few for {self.people} people in a picture"] if few else []
        if any(share <= 0 for share in self.splits.values()) or not math.isclose(sum(self.splits.values()), 1.0):
            return [f"split shares {', '.join(map(str, self.splits.values()))} must be above 0 and sum to 1"]
        if any(high - low < self.people for low, high in self.split_identities().values()):
            each = f" of {self.people} people a picture" if self.people > 1 else ""
            return [f"{stop - first} identities are too few for {len(self.splits)} splits{each}"]
        return []

    def _about_files(self) -> Iterator[str]:
        formats = CLIP_FORMATS if self.video else PICTURE_FORMATS
        if self.suffix not in formats:
            yield f"a {'clip' if self.video else 'picture'} is no {self.suffix}; {', '.join(formats)}"
        if not SECONDS[0] <= self.seconds <= SECONDS[1]:
            yield f"a clip of {self.seconds:g} seconds; {SECONDS[0]:g} to {SECONDS[1]:g}"
        if not FPS[0] <= self.fps <= (50 if self.suffix == "gif" else FPS[1]):
            yield f"{self.fps:g} frames per second; {FPS[0]:g} to {FPS[1]:g}, a gif to 50"
        if self.video and self.seconds * self.fps * WIDTHS.get(self.people, 1) * self.size**2 > MAX_CLIP:
            yield f"a clip of {self.seconds * self.fps:.0f} frames {self.size} pixels high is too large for memory"
        if self.suffix == "mp4" and self.size % 2:
            yield f"size is {self.size}; mp4 needs an even number"
        if self.masks and self.people > 1:
            yield "masks are of pictures of one person"

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that are drawn in turn."""
        if self.label is not None:
            return (self.label,)
        return LABEL_SETS[self.label_set].labels if self.label_set else ()

    def split_identities(self) -> dict[str, tuple[int, int]]:
        """Return each split's own range of identities; the ranges do not overlap."""
        first, stop = self.identities
        shares = [*self.splits.values()]
        edges = [first + round(sum(shares[:place]) * (stop - first)) for place in range(len(shares))]
        return {name: (edge, end) for name, edge, end in zip(self.splits, edges, [*edges[1:], stop], strict=False)}

    def draw(self, index: int) -> tuple[FaceSpec, Sample]:
        """Return picture `index` of a plan of pictures of one person, and its record."""
        spec, split, label = self._lead(index)
        faces = [truth(spec, self.size)]
        return spec, self._sample(index, spec, split, label, faces, {"spec": asdict(spec), "size": self.size})

    def shot(self, index: int) -> tuple[Shot, Sample]:
        """Return picture or clip `index`, as the plan asks for, and its record."""
        if not self.video and self.people == 1:
            spec, sample = self.draw(index)
            return Shot(Scene((Motion(spec),)), self.size), sample
        lead, split, label = self._lead(index)
        shot, labels = self._cast(lead, split, label, np.random.default_rng([self.seed, index, 1]))
        known: dict[str, Any] = {"scene": asdict(shot.scene), "size": self.size, "lead": str(shot.lead)}
        if self.video:
            known |= {"seconds": self.seconds, "fps": self.fps}
        if self.people > 1 and self.label_set:
            known["labels"] = labels
        sample = self._sample(index, lead, split, label, shot.faces(), known)
        sample.events = shot.events() if self.video else None
        return shot, sample

    def _lead(self, index: int) -> tuple[FaceSpec, str | None, str | None]:
        """Draw who leads picture `index` and how he or she is seen, the split, the label."""
        rng = np.random.default_rng([self.seed, index])
        split, (first, stop) = self._split(rng)
        person = self._person(first, stop, rng)
        label = self.labels[index % len(self.labels)] if self.labels else None
        spec = FaceSpec(identity=person, aus=self._express(label, rng), seed=index, **view(self.difficulty, rng))
        return spec, split, label

    def _person(self, first: int, stop: int, rng: np.random.Generator) -> int:
        """Draw who it is; in the studio nobody whose hair or cap hides a part of the face, if there is anybody else."""
        person = int(rng.integers(first, stop))
        for _ in range(MAX_REFUSED if self.difficulty == "studio" else 0):
            if not hidden_regions(FaceSpec(identity=person), self.size):
                break
            person = int(rng.integers(first, stop))
        return person

    def _express(self, label: str | None, rng: np.random.Generator) -> AUs:
        return express(label, rng, typical=self.difficulty in ("studio", "easy")) if label else mixture(rng)

    def _cast(
        self, lead: FaceSpec, split: str | None, label: str | None, rng: np.random.Generator
    ) -> tuple[Shot, dict[str, str | None]]:
        """Draw who else is there, who sits where, and what everybody does. Returns face id to label, too."""
        lead = beside_others(lead) if self.people > 1 else lead
        people = [(perform(lead, self.seconds, rng) if self.video else Motion(lead), label)]
        seats = draw_seats(self.people, rng) if self.people > 1 else ()
        nearest = max(range(len(seats)), key=lambda place: seats[place].unit, default=0)
        place = int(rng.integers(self.people)) if self.video else nearest
        taken = {lead.identity}
        while len(people) < self.people:
            other = int(rng.integers(*(self.split_identities()[split] if split else self.identities)))
            if other not in taken:
                taken.add(other)
                people.append(self._other(other, lead, rng))
        people.insert(place, people.pop(0))
        times, end_s = frame_times(self.seconds, self.fps, self.suffix) if self.video else ((0.0,), 0.0)
        scene = Scene(tuple(motion for motion, _ in people), WIDTHS[self.people], seats)
        return Shot(scene, self.size, tuple(times), end_s, place), {str(n): word for n, (_, word) in enumerate(people)}

    def _other(self, person: int, lead: FaceSpec, rng: np.random.Generator) -> tuple[Motion, str | None]:
        """Draw somebody else of a picture or clip, with a label."""
        label = "neutral" if self.video else str(rng.choice(self.labels)) if self.labels else None
        spec = FaceSpec(identity=person, aus=self._express(label, rng), **view(self.difficulty, rng))
        spec = beside_others(same_picture(spec, lead))
        return (rest(spec, self.seconds, rng) if self.video else Motion(spec)), label

    def _split(self, rng: np.random.Generator) -> tuple[str | None, tuple[int, int]]:
        if not self.splits:
            return None, self.identities
        name = list(self.splits)[int(rng.choice(len(self.splits), p=list(self.splits.values())))]
        return name, self.split_identities()[name]

    def sample_id(self, index: int) -> str:
        """Return the id of picture or clip `index`."""
        kind, people = "clip" if self.video else "face", str(self.people) if self.people > 1 else ""
        return f"{kind}{people}-{self.seed}-{index:06d}"

    def media_path(self, index: int) -> str:
        """Return where picture or clip `index` lies, relative to the records."""
        return f"{'clips' if self.video else 'images'}/{self.sample_id(index)}.{self.suffix}"

    def mask_path(self, index: int) -> str:
        """Return where the AU masks of picture `index` lie, relative to the records."""
        return f"masks/{self.sample_id(index)}.png"

    def _sample(
        self,
        index: int,
        lead: FaceSpec,
        split: str | None,
        label: str | None,
        faces: list[Face],
        known: dict[str, Any],
    ) -> Sample:
        if self.masks:
            known["masks"] = self.mask_path(index)
        if self.people == 1 and (codes := visibility_codes(lead, self.size, faces[0].hidden)):
            known["visibility"] = codes
        return Sample(
            id=self.sample_id(index),
            media=Media(kind="video" if self.video else "image", path=self.media_path(index)),
            subject=f"id{lead.identity:04d}",
            split=split,
            groups=groups(identity(lead.identity)),
            faces=faces,
            label_set=self.label_set,
            label=label,
            provenance={"faces": known},
        )
