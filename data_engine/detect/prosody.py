"""The prosody of samples: from a file of features, or measured from the sound of each clip.

    prosody = Prosody(Path("voices.csv"))       # or Prosody(Path("audio")), or Prosody(None), which gives nothing
    prosody.give(sample, ["clips/0001.mp4"], path)
    prosody.report(out, is_whole=True)

It goes into `provenance.prosody`, which `emollm generate` tells its teachers; where words were measured, the numbers
behind them go into `provenance.sound`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data_engine.detect.labelling import NUM_SHOWN, say_left
from data_engine.sources.features import read_features
from data_engine.sources.media import VIDEOS
from emollm.errors import MissingExtraError, SourceError
from emollm.records import Sample
from emollm.stage import Output

AUDIO = Path("audio")
DIGITS = 3
UNREADABLE = "clips whose sound cannot be read"

Told = dict[str, dict[str, Any]]
"""What goes into the provenance of a sample."""


class Prosody:
    """Finds the prosody of clips, and counts those that have none."""

    def __init__(self, asked: Path | None) -> None:
        """Raises SourceError for a file that cannot be read, MissingExtraError where no sound can be."""
        self.listens = asked == AUDIO
        self._features = None if asked is None or self.listens else read_features(asked)
        self._without: dict[str, None] = {}
        self._counts: Counter[str] = Counter()
        self._last: tuple[str, Told] = ("", {})
        """The clip that was measured last: with `--frames all` it has many samples."""
        if self.listens:
            _require_sound()

    def give(self, sample: Sample, names: Sequence[str], path: Path | None, num_people: int = 1) -> None:
        """Give a sample the prosody of its clip, whose own name stands first, and which lies at `path` if it is here.

        A voice in a clip of several people could be anybody's: it is not measured.
        """
        told: Told = {}
        if self._features is not None:
            told = self._found(names)
        elif self.listens and path is not None and _is_clip(sample, path):
            if self._last[0] != names[0]:
                self._last = names[0], self._measured(path, num_people)
            told = self._last[1]
        if told:
            sample.provenance = (sample.provenance or {}) | told

    def skip(self, names: Sequence[str]) -> None:
        """Take a clip as dealt with that an earlier run has written."""
        self._found(names)

    def report(self, out: Output, *, is_whole: bool) -> None:
        """Say how many clips have no voice and why; after a whole run, which features and clips found no partner."""
        if self._features is not None and is_whole:
            say_left(out, "prosody_without_clip", self._features.unmatched, "clips with features are not here")
            say_left(out, "clips_without_prosody", list(self._without), "clips have no features")
        for what, num in self._counts.items():
            out.count(what, num)

    def _found(self, names: Sequence[str]) -> Told:
        features = self._features.find(*names) if self._features is not None else None
        if features is None:
            self._without[names[0]] = None
            return {}
        return {"prosody": dict(features)}

    def _measured(self, path: Path, num_people: int) -> Told:
        """Measure a clip, or count why it cannot be."""
        from data_engine.media.sound import open_sound
        from data_engine.prosody.contours import contours_of
        from data_engine.prosody.measures import measure
        from data_engine.prosody.words import words_for

        if num_people > 1:
            return self._none("clips of several people, not listened to")
        try:
            sound = open_sound(path)
            measures = measure(contours_of(sound)) if sound is not None else None
        except SourceError as error:
            if self._counts[UNREADABLE] < NUM_SHOWN:
                print(f"warning: {error}", file=sys.stderr)
            return self._none(UNREADABLE)
        if measures is None:
            return self._none("clips without sound" if sound is None else "clips without a voice")
        numbers = {name: round(value, DIGITS) for name, value in measures._asdict().items() if value is not None}
        return {"prosody": words_for(measures), "sound": numbers}

    def _none(self, why: str) -> Told:
        self._counts[why] += 1
        return {}


def _is_clip(sample: Sample, path: Path) -> bool:
    return path.suffix.lower() in VIDEOS if sample.media is None else sample.media.kind == "video"


def _require_sound() -> None:
    try:
        import av  # noqa: F401
    except ImportError:
        raise MissingExtraError("--prosody audio", "video") from None
