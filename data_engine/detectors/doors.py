"""Doors to other people's detectors: what each is, how it is set up, what its weights are.

    result = run_door(DOORS["pyfeat"], photos, into=Path("work"), python=Path("feat-env/bin/python"))
    result.files                        # Fex tables, which the dialect `pyfeat` reads

A detector runs in a process and an environment of its own: the option `python`, or EMOLLM_PYFEAT_PYTHON, or this
interpreter. A worker script writes the tool's own file format; `data_engine.sources` reads it. See `run`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from data_engine.detectors.door import Door
from data_engine.detectors.run import DoorRun, Progress, run_worker
from data_engine.sources.media import VIDEOS
from emollm.errors import ConfigError, SourceError, did_you_mean
from emollm.records import MediaKind

__all__ = ["DOORS", "Door", "DoorRun", "describe", "kind_of", "run_door"]

KINDS: tuple[MediaKind, ...] = ("image", "video")
SILENCE_S = 1800.0
"""A worker that says nothing for so long hangs. Loading weights over a slow line is the longest silence there is."""


_EMOTIONS = (
    "Weights trained on AffectNet and VGGFace2, whose terms allow research only; the code is Apache-2.0. They measure "
    "emotions, no AUs, and want pictures cut to the face (or faces=mtcnn, which needs facenet-pytorch)."
)

DOORS: dict[str, Door] = {
    door.name: door
    for door in (
        Door(
            "pyfeat",
            "py-feat 2.1.5",
            "pyfeat",
            "pyfeat_worker.py",
            "pip install py-feat==2.1.5",
            "Downloads weights from the Hugging Face Hub (py-feat): those of v2 are for non-commercial research, those "
            "of model=v1 are MIT but grant no rights of the data they were trained on. AU values are probabilities.",
            ("model", "device", "threshold", "batch-size", "stride"),
        ),
        Door(
            "mediapipe",
            "mediapipe 1.2.2",
            "mediapipe",
            "mediapipe_worker.py",
            "pip install mediapipe==1.2.2",
            "Needs the file face_landmarker.task (model=PATH), Apache-2.0, which it does not download itself. "
            "Blendshapes are read as AU intensities; cheek, nose and eye-wide channels count only where they move.",
            ("model", "max-faces", "threshold", "stride"),
        ),
        Door(
            "libreface",
            "libreface 0.2.0",
            "libreface",
            "libreface_worker.py",
            "pip install libreface==0.2.0 (Python 3.9 or 3.10: it pins torch 2.0.0)",
            "Downloads weights from Google Drive; the USC licence allows research by non-profit organisations. "
            "It measures one face a picture.",
            ("device", "weights", "batch-size"),
        ),
        Door(
            "openface3",
            "openface-test 0.1.26",
            "openface3",
            "openface3_worker.py",
            "pip install openface-test==0.1.26 && openface download (Python 3.10 or 3.11: it pins numpy 1.26.4)",
            "Weights come from the Hugging Face Hub (nutPace/openface_weights): academic, non-commercial, not to be "
            "passed on. Eight AUs, as probabilities.",
            ("device", "weights", "threshold", "stride"),
        ),
        Door(
            "emotieff",
            "emotiefflib 1.1.1",
            "emotions",
            "emotions_worker.py",
            "pip install emotiefflib==1.1.1",
            f"Downloads weights from GitHub. {_EMOTIONS}",
            ("model", "device", "engine", "faces", "stride"),
        ),
        Door(
            "hsemotion",
            "hsemotion-onnx 0.3.1",
            "emotions",
            "emotions_worker.py",
            "pip install hsemotion-onnx==0.3.1 onnx onnxruntime opencv-python",
            f"Downloads weights from GitHub. {_EMOTIONS}",
            ("model", "faces", "stride"),
            settings=("--engine", "hsemotion"),
        ),
    )
}


def describe(door: Door) -> str:
    """Return what a user should know before running a door, in a few lines."""
    return (
        f"{door.name}: {door.tool}, in an environment of its own (--python or {door.variable})\n"
        f"  set up: {door.install}\n"
        f"  weights: {door.weights}\n"
        f"  options: {', '.join(door.options)}"
    )


def kind_of(path: Path) -> MediaKind:
    """Whether a file is a picture or a clip, by its suffix."""
    return "video" if path.suffix.lower() in VIDEOS else "image"


def run_door(
    door: Door,
    media: list[Path],
    into: Path,
    python: Path | None = None,
    options: Mapping[str, str] | None = None,
    *,
    progress: Progress | None = None,
    silence_s: float = SILENCE_S,
) -> DoorRun:
    """Measure pictures and clips with another detector and return its files, which lie in `into`.

    Pictures and clips are measured by one process each, into `<door>.image.csv` and `<door>.video.csv`, whose rows
    name their file. Files that could not be measured are returned with the reason.
    Raises SourceError where the tool does not run at all, ConfigError for an option it does not have.
    """
    flags = [*door.settings, *_flags(door, options or {})]
    interpreter = _interpreter(door, python)
    into.mkdir(parents=True, exist_ok=True)
    result = DoorRun([], [])
    for kind in KINDS:
        paths = [path for path in media if kind_of(path) == kind]
        if paths:
            found = run_worker(door, interpreter, paths, kind, into, flags, progress, silence_s)
            result.files.extend(found.files)
            result.failed.extend(found.failed)
    return result


def _flags(door: Door, options: Mapping[str, str]) -> list[str]:
    """The options as arguments of the worker. Raises ConfigError for one it does not have."""
    flags = []
    for name, value in options.items():
        if name not in door.options:
            known = ", ".join(door.options)
            raise ConfigError(f"{door.name}: has no option '{name}'{did_you_mean(name, door.options)}; it has {known}")
        flags.append(f"--{name}={value}")
    return flags


def _interpreter(door: Door, python: Path | None) -> Path:
    """The interpreter of the other environment; a folder is taken as a virtual environment."""
    named = python or Path(os.environ.get(door.variable) or sys.executable)
    places = [named / "bin" / "python", named / "Scripts" / "python.exe"] if named.is_dir() else [named]
    if named.name == str(named) and not named.exists():  # a word, as `python3.10`, is looked for where the shell looks
        places.append(Path(shutil.which(named) or named))
    for place in places:
        if place.is_file() and os.access(place, os.X_OK):
            return place
    where = f"--python or {door.variable}"
    raise SourceError(f"{door.name}: '{named}' is no Python; name that of the environment with {door.tool}: {where}")
