"""Files of features: how people sound, clip by clip, as a model of voices or a person tells it.

    features = read_features(Path("voices.csv"))
    features.find("0001.mp4")               # {"pitch": "rising", "calmness": 0.7}

A table has a column that names the clips, as label files have it, and one a feature: a word, or a number from 0 to 1. A
JSON list or JSON Lines of `{"name": …, "pitch": …}` does, too. An empty cell, or NaN, is a feature that is not known.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from data_engine.sources.head import JSON_SUFFIXES, read_head
from data_engine.sources.joining import ID_COLUMNS, LABEL_COLUMNS, ByName, place_of, table_rows
from emollm.errors import SourceError

Feature = str | float
Features = dict[str, Feature]
NUM_SHOWN = 40
"""Characters of a value that a message shows."""
WHAT_TO_WRITE = "write a number from 0 to 1, or a word such as high"


class Entry(NamedTuple):
    """One clip and its features, as they are written, and where."""

    where: str
    name: str
    told: dict[str, Any]


def read_features(path: Path) -> ByName[Features]:
    """Read a file of features. Raises SourceError that names the place of a value that is none, or a name told twice.

    A column of labels is no feature of a voice: it is left out, and said.
    """
    found: dict[str, tuple[str, Features]] = {}
    for where, told, cells in _json_entries(path) if path.suffix.lower() in JSON_SUFFIXES else _table_entries(path):
        features = {name: value for name, cell in cells.items() if (value := _value(where, name, cell)) is not None}
        name = told.replace("\\", "/")
        if features and not name:
            raise SourceError(f"{where}: the features have no name of a clip")
        if features and found.setdefault(name, (where, features))[1] != features:
            raise SourceError(f"{where}: '{name}' was told otherwise at {found[name][0]}; keep one, such as the mean")
    return ByName({name: features for name, (_, features) in found.items()})


def _table_entries(path: Path) -> Iterator[Entry]:
    (_, header), *rows = table_rows(path, "feature")
    names = [name.strip() for name in header]
    id_name = _name_column(path, names)
    for line, row in rows:
        if len(row) != len(names):
            raise SourceError(f"{path}:{line}: has {len(row)} cells, and the header {len(names)}; write it again")
        cells = dict(zip(names, row, strict=True))
        yield Entry(f"{path}:{line}", cells[id_name].strip(), _features_of(cells))


def _json_entries(path: Path) -> Iterator[Entry]:
    head = read_head(path)
    for line, reason in head.bad_lines:
        raise SourceError(f"{path}:{line}: {reason}; write it again or remove it")
    id_name = _name_column(path, list(dict.fromkeys(key for item in head.items for key in item)))
    for number, item in enumerate(head.items, start=1):
        name = item.get(id_name)
        yield Entry(f"{path}: object {number}", "" if name is None else str(name).strip(), _features_of(item))


def _name_column(path: Path, names: list[str]) -> str:
    """Return the column that names the clips, and say which others are no features."""
    if again := next((name for place, name in enumerate(names) if name and name in names[:place]), None):
        raise SourceError(f"{path}: two columns are called '{again}'; rename one")
    place = place_of(names, ID_COLUMNS)
    features = _features_of(dict.fromkeys(names))
    if place is None or not features:
        missing = "no column that names the clips" if place is None else "no column of a feature"
        raise SourceError(
            f"{path}: {missing} (seen: {', '.join(names[:12]) or 'no objects'}); "
            f"it takes one of {'|'.join(ID_COLUMNS[:6])}, and one a feature"
        )
    if labels := [name for name in names if name.lower() in LABEL_COLUMNS]:
        print(f"{path}: '{labels[0]}' is a label and no feature; it is left out (--labels reads it)", file=sys.stderr)
    return names[place]


def _features_of(cells: dict[str, Any]) -> dict[str, Any]:
    """The cells without names and labels; a column without a name numbers the rows."""
    no_features = {"", *ID_COLUMNS, *LABEL_COLUMNS}
    return {name.strip(): cell for name, cell in cells.items() if name.strip().lower() not in no_features}


def _value(where: str, name: str, cell: Any) -> Feature | None:
    """Return a word, or a number from 0 to 1; None where there is nothing."""
    written = str(cell).strip()[:NUM_SHOWN]
    if isinstance(cell, str):
        cell = cell.strip()
        try:
            cell = float(cell)
        except ValueError:
            return cell or None
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise SourceError(f"{where}:{name}: '{written}' is no feature; {WHAT_TO_WRITE}")
    if not 0.0 <= cell <= 1.0:
        raise SourceError(f"{where}:{name}: {written} is outside 0 to 1; {WHAT_TO_WRITE}")
    return float(cell)
