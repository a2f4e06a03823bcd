"""The label of each clip: from a label file, from its name, or from the AU file itself, in this order.

    labeller = Labeller(Path("labels.csv"), pattern=None, label_set="dfew7")
    labeller.label(source, clip, "0001")        # Found("happiness", "labels.csv")

`data_engine.detect` gives it to the main person of the clip.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from data_engine.clips.reading import CLIP_ROLES, Clip
from data_engine.sources.joining import ByName
from data_engine.sources.labels import read_label, read_labels
from data_engine.sources.source import Source
from emollm.errors import ConfigError, SourceError
from emollm.stage import Output

NUM_SHOWN = 3


class Found(NamedTuple):
    """A clip's label; `problem` says why a word that was found is none."""

    label: str | None
    where: str = ""
    problem: str = ""


class Labeller:
    """Finds a clip's label: in the label file, in its name, or in the AU file itself, in this order."""

    def __init__(self, path: Path | None, pattern: str | None, label_set: str | None) -> None:
        self.label_set = label_set
        self._path = path
        self._labels: ByName[str] | None = read_labels(path, label_set) if path else None
        self._pattern = _compile(pattern) if pattern else None
        self._without: list[str] = []

    def label(self, source: Source, clip: Clip, name: str) -> Found:
        """Return the label and where it is from, or what is wrong with it."""
        word, where = self._word(source, clip, name)
        if word is None:
            self._without.append(name)
            return Found(None)
        try:
            return Found(read_label(word, self.label_set), where)
        except SourceError as error:
            return Found(None, where, str(error))

    def _word(self, source: Source, clip: Clip, name: str) -> tuple[str | None, str]:
        """The label as it is written, and where."""
        told = names_of(source, clip)
        if self._labels is not None and self._path is not None:
            word = self._labels.find(name, *told)
            if word is not None:
                return word, self._path.name
        matches = [self._pattern.search(text) for text in told] if self._pattern else []
        for match in matches:
            if match is not None and match["label"]:
                return match["label"], "name"
        return clip.texts.get("label"), source.head.path.name

    def report(self, out: Output) -> None:
        """Say which labels found no clip and which clips no label."""
        if self._labels is None and self._pattern is None:
            return
        say_left(out, "labels_without_clip", self._labels.unmatched if self._labels else [], "labels found no clip")
        say_left(out, "clips_without_label", self._without, "clips have no label")


def names_of(source: Source, clip: Clip) -> list[str]:
    """Return what a clip is called in its AU file, or where that calls it nothing, the name of the file."""
    told = [text for role in CLIP_ROLES if (text := clip.texts.get(role))]
    return told or [source.name + source.head.path.suffix]


def say_left(out: Output, key: str, names: Sequence[str], what: str) -> None:
    """Say, and remember in the manifest, how many names of two files have found no partner, and the first ones."""
    out.note(key, {"num": len(names), "first": names[:NUM_SHOWN]})
    if names:
        shown = ", ".join(names[:NUM_SHOWN]) + (" …" if len(names) > NUM_SHOWN else "")
        print(f"warning: {len(names):,} {what}: {shown}", file=sys.stderr)


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"--label-pattern: '{pattern}' is no regular expression ({error})") from None
    if "label" not in compiled.groupindex:
        raise ConfigError(f"--label-pattern: '{pattern}' has no group named label; write (?P<label>…)")
    return compiled
