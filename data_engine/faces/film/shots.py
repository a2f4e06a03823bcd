"""One shot: a picture or a clip of a scene, before it is drawn.

shot.frames()       # its pixels, frame by frame
shot.faces()        # the truth at its peak, the lead first
shot.events()       # every event of everybody in it
shot_of(sample)     # the shot of a rendered sample again, from its provenance
spec_of(sample)     # the spec of a picture of one person
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np

from data_engine.faces.film.encoding import CLIP_FORMATS, frame_times
from data_engine.faces.film.motion import Motion
from data_engine.faces.film.scenes import Scene, face_id
from data_engine.faces.spec import FaceSpec
from data_engine.faces.studio.developing import Pixels
from emollm.errors import ConfigError
from emollm.records import Event, Face, Sample

T = TypeVar("T")


@dataclass(frozen=True)
class Shot:
    """A scene and when it is seen. A picture is a single frame, and ends when it begins."""

    scene: Scene
    size: int
    """Height in pixels."""
    times: tuple[float, ...] = (0.0,)
    """When each frame is shown, in seconds."""
    end_s: float = 0.0
    lead: int = 0
    """Place, from the left, of the person whom the label is about."""

    @property
    def is_clip(self) -> bool:
        """Tell a clip from a picture."""
        return self.end_s > 0

    def frames(self) -> Iterator[Pixels]:
        """Draw frame by frame: (size, width, 3) uint8."""
        return (self.scene.draw(time_s, self.size) for time_s in self.times)

    def peak(self) -> int:
        """Return the first frame in which the lead shows most; one in which nobody blinks, if there is any."""
        shown = self.scene.people[self.lead].rises(self.times)
        blinking = np.any([motion.is_blinking(self.times) for motion in self.scene.people], axis=0)
        if not blinking.all():
            shown[blinking] = -1.0
        return int(np.argmax(shown >= shown.max() - 1e-6))

    def faces(self) -> list[Face]:
        """Return what is known of every face at the peak: the lead first, then the others, the nearest first."""
        frame = self.peak()
        faces = self.scene.faces(self.times[frame], self.size)
        if self.is_clip:
            for face in faces:
                face.frame, face.time_s = frame, self.times[frame]
        seats = self.scene.seats
        order = sorted(range(len(faces)), key=lambda place: (place != self.lead, -seats[place].unit if seats else 0))
        return [faces[place] for place in order]

    def events(self) -> list[Event]:
        """Return the events of everybody in the clip, in order of onset."""
        people = enumerate(self.scene.people)
        found = [event for place, motion in people for event in motion.events(self.times, self.end_s, face_id(place))]
        return sorted(found, key=lambda event: (event.onset_s, event.face, event.au))


def spec_of(sample: Sample) -> FaceSpec:
    """Return the spec of a rendered picture of one person. Raises ConfigError for other samples."""
    known = _known(sample)
    if "spec" not in known:
        raise ConfigError(f"{sample.id}: is no picture of one person; `shot_of` draws it again")
    return _read(sample, "spec", FaceSpec)


def shot_of(sample: Sample) -> Shot:
    """Return the shot that a sample was rendered from. Raises ConfigError for samples that were not."""
    known, size = _known(sample), _read(sample, "size", int)
    if "spec" in known:
        return Shot(Scene((Motion(spec_of(sample)),)), size)
    scene, lead = _read(sample, "scene", Scene), int(_read(sample, "lead", str))
    if "fps" not in known:
        return Shot(scene, size, lead=lead)
    suffix = sample.media.path.rpartition(".")[2] if sample.media else ""
    if suffix not in CLIP_FORMATS:
        raise ConfigError(f"{sample.id}: media.path: a rendered clip is {', '.join(CLIP_FORMATS)}, not '{suffix}'")
    times, end_s = frame_times(_read(sample, "seconds", float), _read(sample, "fps", float), suffix)
    return Shot(scene, size, tuple(times), end_s, lead)


def _known(sample: Sample) -> dict[str, Any]:
    """What `plan` wrote down to draw the sample again."""
    known: dict[str, Any] | None = (sample.provenance or {}).get("faces")
    if known is None:
        raise ConfigError(f"{sample.id}: was not rendered; its provenance has no 'faces'")
    return known


def _read(sample: Sample, name: str, kind: type[T]) -> T:
    try:
        return msgspec.convert(_known(sample)[name], kind)
    except (KeyError, msgspec.ValidationError) as problem:
        raise ConfigError(f"{sample.id}: provenance.faces.{name}: {problem}") from None
