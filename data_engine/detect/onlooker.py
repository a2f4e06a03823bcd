"""Who looks at the pictures and clips of a run: a detector of this process, or a door to another one.

onlooker = Onlooker(out, options, choice)
for file, seen in onlooker.looks(files, lambda file: file.path, num_chunks=len(files)): ...
for run in onlooker.runs(paths): ...
"""

from __future__ import annotations

import argparse
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import msgspec

from data_engine.detect.by_door import forget, measured
from data_engine.detect.choice import DEFAULT, Choice
from data_engine.detectors import FaceDetector, load_detector
from data_engine.detectors.doors import DoorRun
from data_engine.media.batches import look_at_all
from data_engine.media.frames import Pace
from data_engine.media.looking import Look, Seen
from emollm.stage import Output, beside

T = TypeVar("T")


def load_chosen(choice: Choice) -> FaceDetector:
    """Load the detector that looks at media in this process."""
    return load_detector(choice.in_process or DEFAULT)


class Onlooker:
    """Looks at media by the detector that was chosen."""

    def __init__(
        self, out: Output, options: argparse.Namespace, choice: Choice, loaded: FaceDetector | None = None
    ) -> None:
        self._out = out
        self._loaded = loaded
        self._options = options
        self._choice = choice
        self._has_forgotten = False
        self._how = Look(Pace(options.fps, options.stride), options.max_faces, options.min_face)

    @cached_property
    def detector(self) -> FaceDetector:
        """The detector of this process. The manifest remembers which it is."""
        detector = self._loaded or load_chosen(self._choice)
        self._out.note("detector", msgspec.to_builtins(detector.detector))
        return detector

    def looks(self, items: Iterable[T], path_of: Callable[[T], Path], num_chunks: int) -> Iterator[tuple[T, Seen]]:
        """Yield each item with what is seen in its file, in their order; no more processes here than chunks."""
        waiting: deque[T] = deque()

        def paths() -> Iterator[Path]:
            for item in items:
                waiting.append(item)
                yield path_of(item)

        workers, ray = self._options.workers, self._options.ray
        if ray is None:
            workers = min(workers or os.cpu_count() or 1, num_chunks)
        load = partial(load_detector, self._choice.in_process or DEFAULT)
        for seen in look_at_all(paths(), self.detector, load, self._how, workers, ray):
            yield waiting.popleft(), seen

    def runs(self, paths: Sequence[Path]) -> Iterator[DoorRun]:
        """Yield the runs of the door over these files; they are kept beside the output."""
        door, options = self._choice.door, self._options
        assert door is not None
        folder = beside(self._out.path, door.name)
        if options.overwrite and not self._has_forgotten:
            forget(folder)
            self._has_forgotten = True
        self._out.note("detector", {"name": door.name, "tool": door.tool, "settings": self.settings})
        yield from measured(door, paths, folder, options.python, self.settings, at_once=options.limit)

    @cached_property
    def settings(self) -> dict[str, str]:
        """The options of the door: those given by `--set`, and our own ones that it knows."""
        door, options = self._choice.door, self._options
        assert door is not None
        ours = {"stride": options.stride, "max-faces": options.max_faces}
        known = {name: str(value) for name, value in ours.items() if value is not None and name in door.options}
        return known | dict(options.set or ())
