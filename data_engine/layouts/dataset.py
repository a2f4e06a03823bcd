"""A data set as people have it on disk: the forms it comes in, and what each of its rows says.

    EXPW = DataSet("expw", "Expression in-the-Wild", "fer7", forms=(Form("label/label.lst", recognise, rows),), …)

A form recognises its folder and yields a `Row` for each image or clip, or an `Aside` for one that cannot be used;
`building.py` makes samples of the rows. `data_engine.layouts` lists the data sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from data_engine.layouts.root import Root

RESULTS = ("no_expression", "no_majority", "not_a_face", "not_in_label_set", "near_copy")
"""Reasons that the data set or the user gives; all others are faults that somebody can mend, and end with exit 1."""


ALL_FOLDS = 0
"""In place of the number of a fold: what is tested in each."""


@dataclass(frozen=True)
class Wanted:
    """What the user asked for, as far as it decides which rows there are."""

    fold: int = 1
    """For data sets that come in folds: which one, from 1, or ALL_FOLDS."""
    whole: bool = False
    """Whole pictures instead of cropped faces, where a data set has both."""
    label_set: str | None = None
    """The set in which labels are wanted; None for the data set's own."""
    split: str | None = None
    """The only split that is wanted; None for all."""
    pictures: Path = Path()
    """Where pictures are written that the data set holds as numbers (FER2013)."""


class Mark(NamedTuple):
    """By what a data set was recognised."""

    folder: Path
    """Its own top folder: the root, or one below it."""
    why: str
    files: tuple[Path, ...] = ()
    """Its label files; the manifest holds their digests."""
    writes_pictures: bool = False
    """It holds pictures as numbers, which are written as files."""


class Found(NamedTuple):
    """A data set that is read: where it lies, and what is wanted of it."""

    root: Root
    folder: Path
    """As in its `Mark`, and so are its files."""
    files: tuple[Path, ...] = ()
    wanted: Wanted = Wanted()


@dataclass
class Row:
    """One image or clip, as the data set tells of it."""

    file: Path
    """The label file, or the picture itself where folders are the labels."""
    line: int | None
    id: str
    media: Path | None
    """The picture, the clip, or the folder with the pictures of a clip; None where none was found."""
    word: str | None = None
    """The label as it is written: a word, or the data set's number."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Further fields of the sample."""
    note: dict[str, Any] = field(default_factory=dict)
    """What else provenance should remember."""
    pixels: bytes | None = None
    """A square grey picture to be written to `media`, a byte a pixel."""

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return str(self.file) if self.line is None else f"{self.file}:{self.line}"


class Aside(NamedTuple):
    """A row that cannot be used, and why."""

    where: str
    """File and line; empty where the detail names the file."""
    id: str
    reason: str
    detail: str


Rows = Iterator[Row | Aside]


class Form(NamedTuple):
    """One layout in which a data set is found on disk."""

    looked_for: str
    """What tells it, in a few words."""
    recognises: Callable[[Root], Mark | None]
    rows: Callable[[Found], Rows]
    by_name: bool = False
    """Only for a user who names the data set: too little tells this form."""


@dataclass(frozen=True)
class DataSet:
    """One data set."""

    name: str
    title: str
    label_set: str | None
    """None where each row names its own, or labels are read from folders."""
    forms: tuple[Form, ...]
    licence: str
    source: str
    """Where the data set and its documentation are."""
    published: Mapping[str, int] = field(default_factory=dict)
    """Split → number of samples, as its authors say."""
    num_folds: int = 0
