"""The plan of a set of faces: who and what is drawn, in which splits, how difficult.

    plan = Plan(label_set="basic7", splits={"train": 0.8, "test": 0.2})
    spec, sample = plan.draw(0)

Picture `index` depends on the plan and the index alone, on however many cores it is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
import numpy as np

from data_engine.faces.expressions import EXPRESSIBLE, express, mixture
from data_engine.faces.identity import groups, identity
from data_engine.faces.landmarks import landmarks
from data_engine.faces.spec import OCCLUDERS, FaceSpec
from data_engine.faces.truth import truth
from emollm.errors import ConfigError, did_you_mean
from emollm.labels import LABEL_SETS
from emollm.records import Media, Sample

DIFFICULTIES = ("easy", "normal", "hard")
MIN_SIZE, MAX_SIZE = 16, 2048
"""Pixels a side. A picture of 2048 takes some seconds and half a gigabyte of memory; both grow with the area."""
MAX_IDENTITY = 2**32
OCCLUDED_SHARE = {"easy": 0.0, "normal": 0.08, "hard": 0.5}


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

    def __post_init__(self) -> None:
        problems = [*self._about_labels(), *self._about_people()]
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            problems.append(f"size is {self.size}; {MIN_SIZE} to {MAX_SIZE} pixels")
        if self.seed < 0:
            problems.append(f"seed is {self.seed}; 0 or more")
        if self.difficulty not in DIFFICULTIES:
            problems.append(f"difficulty '{self.difficulty}' is none of {', '.join(DIFFICULTIES)}")
        if problems:
            raise ConfigError("faces: " + "; ".join(problems))

    def _about_labels(self) -> list[str]:
        if self.label_set is None:
            return []
        if self.label_set not in LABEL_SETS:
            return [f"label set '{self.label_set}' is unknown{did_you_mean(self.label_set, LABEL_SETS)}"]
        unknown = [label for label in self.labels if label not in EXPRESSIBLE]
        if unknown or not self.labels:
            return [f"label set '{self.label_set}' has labels that cannot be drawn: {', '.join(unknown) or 'any word'}"]
        return []

    def _about_people(self) -> list[str]:
        first, stop = self.identities
        if not 0 <= first < stop <= MAX_IDENTITY:
            return [f"identities {first}:{stop} are none; use FIRST:STOP such as 0:2000"]
        if not self.splits:
            return []
        if any(share <= 0 for share in self.splits.values()) or not math.isclose(sum(self.splits.values()), 1.0):
            return [f"split shares {', '.join(map(str, self.splits.values()))} must be above 0 and sum to 1"]
        if any(low == high for low, high in self.split_identities().values()):
            return [f"{stop - first} identities are too few for {len(self.splits)} splits"]
        return []

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
        """Return what picture `index` shows and its record. Depends on the plan and the index alone."""
        rng = np.random.default_rng([self.seed, index])
        split, (first, stop) = self._split(rng)
        person = int(rng.integers(first, stop))
        label = self.labels[index % len(self.labels)] if self.labels else None
        aus = express(label, rng, typical=self.difficulty == "easy") if label else mixture(rng)
        spec = FaceSpec(identity=person, aus=aus, seed=index, **view(self.difficulty, rng))
        return spec, self._sample(index, spec, split, label)

    def _split(self, rng: np.random.Generator) -> tuple[str | None, tuple[int, int]]:
        if not self.splits:
            return None, self.identities
        name = list(self.splits)[int(rng.choice(len(self.splits), p=list(self.splits.values())))]
        return name, self.split_identities()[name]

    def sample_id(self, index: int) -> str:
        """Return the id of picture `index`."""
        return f"face-{self.seed}-{index:06d}"

    def media_path(self, index: int) -> str:
        """Return where picture `index` lies, relative to the records."""
        return f"images/{self.sample_id(index)}.{self.suffix}"

    def _sample(self, index: int, spec: FaceSpec, split: str | None, label: str | None) -> Sample:
        return Sample(
            id=self.sample_id(index),
            media=Media(kind="image", path=self.media_path(index)),
            subject=f"id{spec.identity:04d}",
            split=split,
            groups=groups(identity(spec.identity)),
            faces=[truth(spec, self.size)],
            label_set=self.label_set,
            label=label,
            provenance={"faces": provenance(spec, self.size)},
        )


def provenance(spec: FaceSpec, size: int) -> dict[str, Any]:
    """Return what is needed to draw the picture again, and its landmarks in pixels."""
    points = landmarks(spec, size)
    return {"spec": asdict(spec), "size": size, "landmarks": [[round(x, 1), round(y, 1)] for x, y in points.tolist()]}


def spec_of(sample: Sample) -> FaceSpec:
    """Return the spec of a rendered sample, the inverse of `provenance`. Raises ConfigError for other samples."""
    known = (sample.provenance or {}).get("faces")
    if known is None:
        raise ConfigError(f"{sample.id}: was not rendered; its provenance has no 'faces'")
    return msgspec.convert(known["spec"], FaceSpec)


def view(difficulty: str, rng: np.random.Generator) -> dict[str, Any]:
    """Draw how a face is seen: pose, gaze, light, framing, camera, occluder; fields of FaceSpec.

    easy: nearly frontal and centred, nothing before the face. normal: yaw with a standard deviation of 11°, 8 % with
    a mask, sunglasses or a hand. hard: yaw of 26–40° to either side, half of them with something before the face.
    """
    calm = 0.3 if difficulty == "easy" else 1.0
    yaw = rng.choice([-1, 1]) * rng.uniform(0.45, 0.70) if difficulty == "hard" else calm * rng.normal(0, 0.196)
    occluder = str(rng.choice(OCCLUDERS)) if rng.random() < OCCLUDED_SHARE[difficulty] else None
    return {
        "yaw": _short(yaw),
        "pitch": _short(calm * rng.normal(0, 0.12)),
        "roll": _short(calm * rng.normal(0, 0.10)),
        "gaze": (_short(calm * rng.normal(0, 0.35)), _short(calm * rng.normal(0, 0.25))),
        "light": (_short(rng.normal(0, 0.6)), _short(rng.normal(-0.35, 0.35)), 0.8),
        "ambient": _short(rng.uniform(0.3, 0.6)),
        "occluder": occluder,
        "zoom": _short(1.05 + calm * rng.uniform(-0.10, 0.10)),
        "shift": (_short(calm * rng.normal(0, 0.04)), _short(calm * rng.normal(0, 0.04))),
        "sensor_noise": _short(calm * rng.uniform(0, 0.03)),
        "tint": (_tint(calm, rng), _tint(calm, rng), _tint(calm, rng)),
    }


def _tint(calm: float, rng: np.random.Generator) -> float:
    return _short(1 + calm * rng.uniform(-0.15, 0.10))


def _short(value: float) -> float:
    """Round to what a record shows, so that the record draws the same picture again."""
    return round(float(value), 4)
