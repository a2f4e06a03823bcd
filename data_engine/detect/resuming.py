"""Going on: which pictures and clips an earlier run has finished, and what it kept aside of them.

    done = done_files(out.path, detector)
    done["anna.png"].is_whole           # all of its samples were written

What a clip lost (people who were seen too briefly, a damaged end) is told by its first sample, so that it can be
kept aside again without opening the clip.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_engine.clips.tracks import OUT_OF_RANGE, STATES
from emollm.errors import ConfigError
from emollm.records import Detector, Sample, read_records
from emollm.stage import rejects_beside

SETTLED = ("no_face", "small_face", "no_usable_row", "seen_too_briefly")
"""Reasons that are results, not failures."""


@dataclass
class Done:
    """What was written of one picture or clip."""

    num_samples: int = 0
    num_people: int = 0
    num_rows: dict[str, int] = field(default_factory=dict)
    """Person to the number of samples that every usable row would give."""
    aside: list[list[str]] = field(default_factory=list)
    """Id, reason and detail of the people that gave no sample."""
    problem: str = ""
    """What is wrong with a clip that could be read in part."""
    is_clean: bool = True
    """No row was out of range."""

    def add(self, told: dict[str, Any], person: str) -> None:
        """Count a sample by what `provenance.detect` tells."""
        self.num_samples += 1
        self.num_people = told.get("people", 1)
        self.num_rows[person] = told["rows"].get("usable", 0)
        self.aside += told.get("aside", ())
        self.problem = told.get("problem", self.problem)
        self.is_clean &= STATES[OUT_OF_RANGE] not in told["rows"]

    def is_whole(self, *, keep_all: bool) -> bool:
        """Tell whether no sample is missing; `keep_all` is for runs that write one a usable row."""
        is_there = len(self.num_rows) == self.num_people
        expected = sum(self.num_rows.values()) if keep_all else self.num_people
        return is_there and self.is_clean and self.num_samples == expected


def done_files(path: Path, detector: Detector) -> dict[str, Done]:
    """Return what an output holds of each file that was looked at, by the file's path under its input folder.

    Raises ConfigError where another version of the detector, or other weights, measured it.
    """
    found: dict[str, Done] = {}
    for sample in read_records(path, Sample):
        told = (sample.provenance or {}).get("detect") or {}
        if told.get("dialect") == detector.name and "file" in told and sample.faces:
            face = sample.faces[0]
            _refuse_another(path, face.detector, detector)
            found.setdefault(told["file"], Done()).add(told, face.face)
    return found


def damaged_clips(path: Path) -> dict[str, str]:
    """Return the samples of an output, by their ids, whose clips could be read in part, and what is wrong with them."""
    told = ((sample.id, (sample.provenance or {}).get("detect") or {}) for sample in read_records(path, Sample))
    return {name: detect["problem"] for name, detect in told if "problem" in detect}


def settled_files(output: Path) -> dict[str, Done]:
    """Return the files, by name, that an earlier run kept aside for what they show: nobody, or nobody to be used.

    Those that could not be read are not among them: they may have been mended.
    """
    path = rejects_beside(output)
    if not path.exists() or not output.exists():
        return {}
    found = {}
    with path.open("rb") as lines:
        for line in lines:
            with suppress(ValueError, KeyError, TypeError):  # a line that a crash cut off
                told = json.loads(line)
                if told["reason"] in SETTLED:
                    found[told["id"]] = Done(aside=[[told["id"], told["reason"], told["detail"]]])
    return found


def _refuse_another(path: Path, before: Detector | None, now: Detector) -> None:
    if before is not None and before != now:
        was, is_now = (f"{one.name} {one.version} ({one.weights})" for one in (before, now))
        raise ConfigError(
            f"{path}: was measured by {was}, and this is {is_now}; use --overwrite to start again, or another -o"
        )
