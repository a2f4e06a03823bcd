"""FER2013 and FERPlus: the pictures of one challenge, with its labels or with ten votes each.

The pictures come as numbers in fer2013.csv: they are written as PNG files, byte for byte, beside the output.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data_engine.layouts.dataset import Aside, DataSet, Form, Found, Mark, Row, Rows
from data_engine.layouts.folders import are_labels, everything_in, label_folders, labelled
from data_engine.layouts.numbered import numbered
from data_engine.layouts.root import Root
from data_engine.layouts.tables import number, table
from emollm.labels import LABEL_SETS

USAGES = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
"""The public test was the leaderboard's; FERPlus and most papers validate on it."""
FER_TABLES = ("fer2013.csv", "icml_face_data.csv", "fer2013/fer2013.csv")
FER_NAMES = tuple(f"{usage}_[0-9]*" for usage in USAGES)
FER_COLUMNS = ("emotion", "pixels", "Usage")
FERPLUS_FOLDERS = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}
SIDE = 48
"""Pixels."""


def pixels_of(text: str) -> bytes | None:
    """Return 48 x 48 numbers as bytes, None where they are not as many, or none of 0 to 255."""
    try:
        values = bytes(map(int, text.split()))
    except ValueError:
        return None
    return values if len(values) == SIDE * SIDE else None


def _fer_table(root: Root) -> Mark | None:
    path = root.find(*FER_TABLES)
    return Mark(path.parent, f"{path.name} with pixels", (path,), writes_pictures=True) if path else None


def _fer_rows(found: Found) -> Rows:
    """emotion,pixels,Usage: 0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral.

    Order and splits: the description of the challenge (ICML 2013, Goodfellow et al.). The name is the number of the
    row, as in FERPlus: fer0000000.
    """
    [path] = found.files
    for at, (line, row) in enumerate(table(path, FER_COLUMNS)):
        name, split = f"fer{at:07d}", USAGES.get(row.get("usage", ""))
        pixels = pixels_of(row.get("pixels", ""))
        if pixels is None or split is None:
            what = "pixels are not 48 x 48 numbers of 0 to 255" if split else f"Usage is '{row.get('usage', '')}'"
            yield Aside(f"{path}:{line}", name, "unreadable_row", what)
        else:
            media = found.wanted.pictures / split / f"{name}.png"
            yield Row(path, line, name, media, row["emotion"], {"split": split}, pixels=pixels)


def _fer_folders(root: Root) -> Mark | None:
    for folder in root.folders:
        names = label_folders(folder)
        labels = [child for child in root.folders if child.name in names] if are_labels(names) else []
        first = next((path for child in labels for path in everything_in(child)), None)
        if first is not None and first.name.partition("_")[0] in USAGES:
            return Mark(folder, f"{len(names)} label folders with pictures such as {first.name}")
    return None


def _fer_folder_rows(found: Found) -> Rows:
    """Kaggle's copies: train/angry/Training_3908.jpg, or train/0 to train/6 in the order of the table.

    Their test folder holds both tests, which the names tell apart. [unverified: whose numbers a copy has]
    """
    for item in labelled(found.folder):
        name = item.path.relative_to(found.folder).as_posix()
        split = USAGES.get(item.path.name.partition("_")[0], item.split)
        yield Row(item.path, None, name, item.path, item.word, {"split": split})


FER2013 = DataSet(
    "fer2013",
    "FER2013",
    "fer7",
    (
        Form("fer2013.csv with emotion,pixels,Usage", _fer_table, _fer_rows),
        Form("train/angry/Training_*.jpg", _fer_folders, _fer_folder_rows),
        Form("train/0/Training_*.jpg", numbered("fer7", *FER_NAMES), _fer_folder_rows),
        Form("folders train/0 to train/6", numbered("fer7"), _fer_folder_rows, by_name=True),
    ),
    licence="terms of the ICML 2013 challenge; pictures found by a search engine",
    source="Challenges in Representation Learning, ICML 2013; Goodfellow et al. 2013",
    published={"train": 28709, "val": 3589, "test": 3589},
)


FERPLUS_LABELS = LABEL_SETS["ferplus8"].labels
FERPLUS_COLUMNS = (*FERPLUS_LABELS, "unknown", "NF")


def _ferplus(root: Root) -> Mark | None:
    path = root.find("fer2013new.csv")
    if path is None:
        return None
    holder = root.holder(FERPLUS_FOLDERS["PrivateTest"])
    pixels = root.find(*FER_TABLES)
    if holder is not None:
        return Mark(holder, "fer2013new.csv and FER2013Test/", (path,))
    if pixels is None:
        return None
    return Mark(path.parent, f"fer2013new.csv and {pixels.name}", (path, pixels), writes_pictures=True)


def _ferplus_rows(found: Found) -> Rows:
    """Ten votes over neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF (no face).

    The rule of the authors' `majority` (github.com/microsoft/FERPlus, src/ferplus.py; Barsoum et al. 2016): single
    votes do not count, the label needs more than half of the rest; where nothing has that, or unknown or NF has it,
    the row is kept aside. `soft` are the votes for the eight emotions that are left, as shares.
    """
    path, *more = found.files
    pictures = _fer_pixels(more[0]) if more else None
    for at, (line, row) in enumerate(table(path, ("Usage", "Image name", *FERPLUS_COLUMNS))):
        pixels = next(pictures, None) if pictures else None
        name = row["imagename"].rpartition(".")[0] or f"fer{at:07d}"
        where, usage = f"{path}:{line}", row["usage"]
        votes = [number(row.get(column.lower(), "")) for column in FERPLUS_COLUMNS]
        counted = [vote for vote in votes if vote is not None]
        if len(counted) != len(votes) or usage not in USAGES or (pictures and pixels is None):
            yield Aside(where, name, "unreadable_row", "votes, Usage or pixels are missing")
            continue
        label, reason = majority(counted)
        if label is None:
            yield Aside(where, name, reason, f"votes {' '.join(map(str, counted))}")
            continue
        split = USAGES[usage]
        folder = found.wanted.pictures / split if pictures else found.folder / FERPLUS_FOLDERS[usage]
        fields = {"split": split, "soft": shares(counted)}
        yield Row(path, line, name, folder / f"{name}.png", label, fields, {"votes": counted}, pixels)


def _fer_pixels(path: Path) -> Iterator[bytes | None]:
    for _, row in table(path, FER_COLUMNS):
        yield pixels_of(row.get("pixels", ""))


def majority(votes: list[int]) -> tuple[str | None, str]:
    """Return the label that ten votes give, or None and why."""
    kept = [vote if vote > 1 else 0 for vote in votes]
    top = max(kept)
    if 2 * top <= sum(kept):
        return None, "no_majority"
    winner = FERPLUS_COLUMNS[kept.index(top)]
    if winner in FERPLUS_LABELS:
        return winner, ""
    return None, "not_a_face" if winner == "NF" else "no_majority"


def shares(votes: list[int]) -> dict[str, float]:
    """Return the votes for emotions, without single ones, as a distribution."""
    kept = {label: vote for label, vote in zip(FERPLUS_LABELS, votes, strict=False) if vote > 1}
    return {label: round(vote / sum(kept.values()), 6) for label, vote in kept.items()}


FERPLUS = DataSet(
    "ferplus",
    "FERPlus",
    "ferplus8",
    (Form("fer2013new.csv beside fer2013.csv or FER2013Train/", _ferplus, _ferplus_rows),),
    licence="labels: MIT; pictures: as FER2013",
    source="https://github.com/microsoft/FERPlus; Barsoum, Zhang, Canton Ferrer and Zhang 2016",
)
