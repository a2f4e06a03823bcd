"""Building: the rows of a data set become samples; what cannot be used is kept aside with its reason.

    for sample in Building(out, known, wanted, media_root).samples(): ...

A sample's media must be there and lie under the media root, its label must be one of the data set's; both are checked
here, for all data sets alike. Pictures are not opened: that is `looking.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from stat import S_ISDIR, S_ISLNK
from typing import Any

from data_engine.layouts import Known
from data_engine.layouts.dataset import RESULTS, Aside, Row, Wanted
from data_engine.layouts.root import files_in
from data_engine.sources.labels import read_label
from data_engine.sources.media import VIDEOS, path_under
from emollm.errors import SourceError
from emollm.files import in_one_step
from emollm.labels import canonical
from emollm.records import Box, Media, Sample
from emollm.stage import Output

MAX_ID = 512
"""Characters of a record's id."""
MIDDLE = "the picture in the middle of the clip stands for it"


class Building:
    """One data set on its way to samples."""

    def __init__(self, out: Output, known: Known, wanted: Wanted, media_root: Path) -> None:
        self._out = out
        self._known = known
        self._wanted = wanted
        self._media_root = media_root
        self._ids: set[str] = set()

    def samples(self) -> Iterator[Sample]:
        """Yield the samples of the data set in its own order."""
        for row in self._known.rows(self._wanted):
            if isinstance(row, Row) and self._wanted.split not in (None, row.fields.get("split")):
                continue
            found = self._sample(row) if isinstance(row, Row) else row
            if isinstance(found, Sample):
                yield found
            else:
                self.keep_aside(found)

    def keep_aside(self, aside: Aside, sample: Sample | None = None) -> None:
        """Keep a row aside; say the first of each fault, and end with exit code 1 where somebody can mend it."""
        aside = Aside(*map(printable, aside))
        is_named = aside.id in aside.where or aside.id in aside.detail
        told = ": ".join(part for part in (aside.where, "" if is_named else aside.id, aside.detail) if part)
        if aside.reason not in RESULTS:
            self._out.fail(aside.id, aside.reason, told, sample)
        else:
            self._out.reject(aside.id, aside.reason, told, sample)

    def seen(self, sample: Sample, sha256: str | None, size: tuple[int, int] | None) -> Sample:
        """Return the sample with what was seen of its picture: the digest, and no box that lies outside of it."""
        if sample.media is not None:
            sample.media.sha256 = sha256
        box = sample.faces[0].box if sample.faces else None
        if box is not None and size is not None and not _is_inside(box, size):
            self._out.count("boxes outside of their picture left out")
            sample.faces = None
            (sample.provenance or {})["import"].pop("boxed", None)
        return sample

    def _sample(self, row: Row) -> Sample | Aside:
        if not row.id or not _is_text(row.id) or len(row.id) > MAX_ID:
            return _aside(
                row, "bad_name", f"its name is empty, no UTF-8, or longer than {MAX_ID} characters; rename it"
            )
        own = row.fields.get("label_set") or self._known.data_set.label_set
        label = self._label(row, own)
        if isinstance(label, Aside):
            return label
        media = self._media(row)
        if isinstance(media, Aside):
            return media
        if row.id in self._ids:
            return _aside(row, "id_again", "is there twice")
        label_set = self._wanted.label_set or own if label is not None else own
        fields = row.fields | {"label": label, "label_set": label_set if label or row.fields.get("labels") else None}
        if label_set != own:
            fields["soft"] = None  # a distribution over the data set's own labels
        try:
            sample = Sample(id=row.id, media=media, provenance={"import": self._told(row)}, **fields)
        except ValueError as error:
            return _aside(row, "unreadable_row", str(error))
        self._ids.add(row.id)
        if "aus_not_read" in row.note:
            self._out.count("samples whose AUs cannot be read")
        return sample

    def _label(self, row: Row, own: str | None) -> str | Aside | None:
        """The label of a row in the set that is wanted; None where the data set gives none."""
        if row.word is None:
            return None
        if not row.word:
            return _aside(row, "no_label", "has no label")
        try:
            label = read_label(row.word, own)
        except SourceError as error:
            return _aside(row, "unknown_label", str(error))
        wanted = self._wanted.label_set
        found = label if wanted in (None, own) else canonical(label, wanted)
        return found or _aside(row, "not_in_label_set", f"'{label}' is none of {wanted}")

    def _told(self, row: Row) -> dict[str, Any]:
        """What provenance says of a row: where it is from, the label as written, and the licence."""
        data_set = self._known.data_set
        top = self._known.root.path
        file = row.file.relative_to(top).as_posix() if row.file.is_relative_to(top) else row.file.name
        told: dict[str, Any] = {"layout": data_set.name, "file": file}
        told |= {} if row.line is None else {"line": row.line}
        told |= {} if row.word is None else {"word": row.word}
        if row.fields.get("faces") and row.fields["faces"][0].box is not None:
            told["boxed"] = True
        return told | row.note | {"licence": data_set.licence, "source": data_set.source}

    def _media(self, row: Row) -> Media | Aside:
        """The media of a row, with its path under the media root."""
        path = row.media
        if path is None:
            return _aside(row, "missing_media", "no picture or clip of this name lies below the root")
        if row.pixels is not None:
            _write_picture(path, row.pixels)
        mode = _mode(path)
        if mode is not None and S_ISDIR(mode):
            pictures = files_in(path)
            row.note = row.note | {"stands_for": MIDDLE, "pictures": len(pictures)}
            if not pictures:
                return _aside(row, "missing_media", f"{path} holds no picture")
            self._out.count("clips shown by their middle picture")
            path = pictures[len(pictures) // 2]
            mode = _mode(path)
        if mode is None:
            return _aside(row, "missing_media", f"{path} is not there")
        inside = self._inside(path, is_link=S_ISLNK(mode))
        if inside is None:
            return _aside(row, "leads_out", f"{path} does not lie under {self._media_root}")
        try:
            return Media(kind="video" if path.suffix.lower() in VIDEOS else "image", path=inside)
        except ValueError as error:
            return _aside(row, "bad_name", f"{error}; rename it")

    def _inside(self, path: Path, *, is_link: bool) -> str | None:
        """The path under the media root. A file that is a link is followed; of others, only their folder is."""
        if is_link:
            return path_under(path, self._media_root)
        folder = _folder_under(str(path.parent), self._media_root)
        return None if folder is None else f"{folder}{path.name}"


def _is_inside(box: Box, size: tuple[int, int]) -> bool:
    """Tell whether the middle of a box lies in its picture: boxes of other copies of a picture do not fit it."""
    return all(0.0 <= start + length / 2.0 < whole for start, length, whole in zip(box[:2], box[2:], size, strict=True))


def _aside(row: Row, reason: str, detail: str) -> Aside:
    return Aside(row.where, row.id, reason, detail)


def printable(name: str) -> str:
    """Return text with bytes that are no UTF-8 written as `\\xff`: no record holds them."""
    return name if _is_text(name) else os.fsencode(name).decode("utf-8", "backslashreplace")


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _mode(path: Path) -> int | None:
    """The mode of a file or folder: that of the link where a file is one, that of the folder where a link leads to one.

    None where there is nothing, a link that leads nowhere included.
    """
    try:
        mode = path.lstat().st_mode
        there = path.stat().st_mode if S_ISLNK(mode) else mode
    except (OSError, ValueError):
        return None
    return there if S_ISDIR(there) else mode


@lru_cache(maxsize=1024)
def _folder_under(folder: str, root: Path) -> str | None:
    resolved, top = Path(folder).resolve(), root.resolve()
    if not resolved.is_relative_to(top):
        return None
    inside = resolved.relative_to(top).as_posix()
    return "" if inside == "." else f"{inside}/"


def _write_picture(path: Path, pixels: bytes) -> None:
    """Write a square grey picture, in one step."""
    from PIL import Image

    side = round(len(pixels) ** 0.5)
    path.parent.mkdir(parents=True, exist_ok=True)
    with in_one_step(path) as part:
        Image.frombytes("L", (side, side), pixels).save(part, "PNG")
