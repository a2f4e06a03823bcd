"""The gallery of a run: what was seen in each picture and clip, drawn over it, for people to look at.

    check_place(Path("gallery.png"), options.output, options.inputs)
    show(Path("gallery.png"), out, Pictures(files, options.output.parent, options.media_root))

It is drawn from what is written, so that a run that went on shows the samples of the earlier ones too: a clip at its
peak, then the pictures in which there was nobody to be used.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from data_engine.detect.files import Input
from data_engine.detect.labelling import NUM_SHOWN
from data_engine.detectors.gallery import Exhibit, hang, tile
from data_engine.media.frames import Frame, Pace
from data_engine.media.opening import open_media
from emollm.errors import ConfigError, EmoLLMError, SourceError
from emollm.files import in_one_step
from emollm.pictures import as_source_error
from emollm.records import Face, Sample, media_path, read_records
from emollm.stage import Output

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_TILES, COLUMNS = 48, 4
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
SOFTWARE, OURS = 0x0131, "emollm detect --gallery"
"""The Exif tag, and what stands there: only a picture that we drew is drawn again."""
SAME_MOMENT_S = 0.005
"""Times are told to hundredths of a second."""
NOBODY = {
    "no_face": "no face found",
    "small_face": "faces too small",
    "no_usable_row": "no usable face",
    "seen_too_briefly": "seen too briefly",
}
"""Reasons why a picture gave no sample, as the gallery says them."""


class Shown(NamedTuple):
    """One tile to be: a sample with its face, or a picture that gave none."""

    sample: Sample
    nobody: str = ""

    @property
    def face(self) -> Face | None:
        """The face to draw, the largest or the one seen longest."""
        return None if self.nobody or not self.sample.faces else self.sample.faces[0]


class Pictures:
    """Finds the picture or clip of a sample again."""

    def __init__(self, files: Sequence[Input], folder: Path, media_root: Path | None) -> None:
        """`folder` is that of the output, where paths start unless there is a `media_root`."""
        beside = [file.path.parent for file in files if file.kind == "samples"]
        self._roots = dict.fromkeys([media_root] if media_root else [*beside, folder])
        media = [file for file in files if file.kind == "media"]
        self.by_name = {file.name: file for file in media}
        self._by_told = {file.told: file.path for file in reversed(media)}

    def is_named(self, sample: Sample) -> bool:
        """Tell whether there should be a picture; rows of an AU file may come without."""
        return sample.media is not None or _told_file(sample) in self._by_told

    def frame(self, sample: Sample, face: Face | None) -> Frame:
        """Return the frame in which the face was seen. Raises EmoLLMError where it cannot be read."""
        digest = sample.media.sha256 if sample.media else None
        for path in self._places(sample):
            recording = open_media(path, Pace())
            if digest in (None, recording.sha256):
                return _moment(recording.frames, face)
        named = sample.media.path if sample.media else _told_file(sample)
        raise SourceError(f"{sample.id}: {named} is not there, or is not what was measured")

    def _places(self, sample: Sample) -> Iterator[Path]:
        """Where the picture may lie: among the inputs of this run, or under a root."""
        given = self._by_told.get(_told_file(sample))
        paths = chain([given], (media_path(sample, root) for root in self._roots))
        return (path for path in paths if path is not None and path.is_file())


def check_place(place: Path, output: Path, inputs: Sequence[Path]) -> None:
    """Raise ConfigError where no gallery can be written, or where it would do harm."""
    here, problem = place.resolve(), ""
    folder = next((given for given in inputs if given.is_dir() and here.is_relative_to(given.resolve())), None)
    if place.suffix.lower() not in FORMATS:
        problem = f"is no kind of picture that can be written; name it {' or '.join(FORMATS)}"
    elif place.is_dir():
        problem = "is a folder; name a file"
    elif folder is not None:
        problem = f"lies in the input folder {folder}, and the next run would take it for a photo; name a place outside"
    elif here in {path.resolve() for path in (output, *inputs)}:
        problem = "is an input or the output of this run; name another file"
    elif place.exists() and not _is_ours(place):
        problem = "is there already, and is no gallery of emollm; name another file"
    if not problem:
        problem = _cannot_hold(place.parent)
    if problem:
        raise ConfigError(f"--gallery {place}: {problem}")


def _cannot_hold(folder: Path) -> str:
    """Make the folder; return why not, where it cannot be made or nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"its folder cannot be made: {error.strerror}; name another place"
    return "" if os.access(folder, os.W_OK) else "its folder cannot be written to; name another place"


def _is_ours(path: Path) -> bool:
    from PIL import Image

    try:
        with as_source_error(path), Image.open(path) as picture:
            return bool(picture.getexif().get(SOFTWARE) == OURS)
    except SourceError:
        return False


def show(place: Path, out: Output, pictures: Pictures) -> None:
    """Draw what the output holds and what was kept aside, the first ones of many, and say how many these are."""
    num: Counter[str] = Counter()
    tiles: list[Image] = []
    for shown in chain(_samples(out), _nobodies(out, pictures)):
        what = "nobody" if shown.nobody else "samples"
        num[what] += 1
        if not pictures.is_named(shown.sample):
            num["without a picture"] += 1
        elif len(tiles) < MAX_TILES:
            try:
                tiles.append(tile(_exhibit(shown, pictures.frame(shown.sample, shown.face))))
                num[f"{what} shown"] += 1
            except EmoLLMError as error:
                num["unreadable"] += 1
                if num["unreadable"] <= NUM_SHOWN:
                    print(f"warning: {place.name}: {error}", file=sys.stderr)
    if tiles:
        _save(hang(tiles, min(COLUMNS, len(tiles))), place)
    print(f"{place}: {_summary(num)}", file=sys.stderr)


def _samples(out: Output) -> Iterator[Shown]:
    yield from map(Shown, read_records(out.path, Sample))


def _nobodies(out: Output, pictures: Pictures) -> Iterator[Shown]:
    """The pictures that gave no sample, as samples without a face."""
    if not out.rejected:
        return
    with out.rejected_path.open("rb") as lines:
        for told in map(json.loads, lines):
            if told["reason"] in NOBODY:
                file, what = pictures.by_name.get(told["id"]), NOBODY[told["reason"]]
                if told["record"] is not None:
                    yield Shown(msgspec.convert(told["record"], Sample), what)
                elif file is not None:
                    yield Shown(Sample(id=file.name, provenance={"detect": {"file": file.told}}), what)


def _exhibit(shown: Shown, frame: Frame) -> Exhibit:
    faces = [] if shown.face is None else [shown.face]
    moment = "" if frame.time_s is None else f"{frame.time_s:.2f} s"
    return Exhibit(shown.sample.id, frame.pixels, faces, frame.scale, shown.nobody or "no face", moment)


def _moment(frames: Iterator[Frame], face: Face | None) -> Frame:
    """Return the frame in which the face was seen: the last one up to its time; the first where nothing says when.

    Tools count frames from 0 or from 1, so their number is only asked where there is no time.
    """
    first = next(frames)
    if face is None or first.number is None or (face.time_s is None and face.frame is None):
        return first
    if face.time_s is None:
        return next((frame for frame in chain([first], frames) if (frame.number or 0) >= (face.frame or 0)), first)
    last = first
    for frame in frames:
        if (frame.time_s or 0.0) > face.time_s + SAME_MOMENT_S:
            break
        last = frame
    return last


def _told_file(sample: Sample) -> str:
    """The file as the run that measured it was given it; empty where nothing tells."""
    return str(((sample.provenance or {}).get("detect") or {}).get("file", ""))


def _save(picture: Image, place: Path) -> None:
    """Write the gallery in one step, with the mark by which it is known again."""
    exif = picture.getexif()
    exif[SOFTWARE] = OURS
    with in_one_step(place) as part:
        picture.save(part, format=FORMATS[place.suffix.lower()], exif=exif, quality=92)


def _summary(num: Counter[str]) -> str:
    if not num["samples shown"] + num["nobody shown"]:
        why = "AU files hold no pixels" if num["without a picture"] else "there is nothing that could be opened"
        return f"is not drawn, there are no pictures to show: {why}"
    line = f"shows {num['samples shown']:,} of {num['samples']:,} samples"
    if num["nobody"]:
        line += f" and {num['nobody shown']:,} of {num['nobody']:,} pictures without a usable face"
    if num["without a picture"]:
        line += f"; {num['without a picture']:,} have no picture"
    return line
