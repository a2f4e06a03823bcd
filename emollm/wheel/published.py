"""The published tables of the emotion wheels (format.csv, synonym.xlsx, wheel1.xlsx … wheel5.xlsx) as one mapping.

    tables = read_published(Path("MER2026_Track2/emotion_wheel"))
    json.dump(tables, file)                                         # what `read_wheels` reads

MER2025 and MER2026 differ in format.csv (7,386 and 7,356 forms), so a score belongs to the tables of one year. The
wheel_mapping.npz of MER2026 holds pickles, which run any code when they are opened; it is made of these files, and is
left alone.

- format.csv: `name`, a base label, and `format`, its other forms.
- synonym.xlsx: pairs of columns `word_runN`, `synonym_runN`: a wheel word, and base labels that mean it.
- wheelK.xlsx (or .csv): `level1`, `level2`, `level3`; an empty cell is as in the row above.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emollm.errors import SourceError
from emollm.wheel.tables import WHEELS
from emollm.xlsx import sheet_rows

LEVELS = ("level1", "level2", "level3")

Row = Mapping[str, str]


def read_published(folder: Path) -> dict[str, Any]:
    """Return `format_mapping`, `raw_mapping` and `wheel_map`. Raises SourceError, naming the file and line."""
    wheels = {wheel: _wheel(_find(folder, wheel)) for wheel in WHEELS}
    synonyms = _synonyms(_find(folder, "synonym"))
    forms = _forms(_find(folder, "format"), synonyms)
    on_wheels = {word for levels in wheels.values() for word in levels["level1"]}
    known = {word for meanings in synonyms.values() for word in meanings}
    if not known & on_wheels:
        raise SourceError(f"{folder}: no word of synonym.xlsx is on a wheel; give the folder as it was published")
    return {"format_mapping": forms, "raw_mapping": synonyms, "wheel_map": wheels}


def _find(folder: Path, name: str) -> Path:
    """Return the table of a name, Excel or CSV."""
    for suffix in (".xlsx", ".csv"):
        if (folder / (name + suffix)).is_file():
            return folder / (name + suffix)
    held = " (its .npz holds pickles, which are not opened)" if any(folder.glob("*.npz")) else ""
    raise SourceError(
        f"{folder}: has no {name}.xlsx or {name}.csv{held}; "
        "give the published folder with format.csv, synonym.xlsx and wheel1.xlsx to wheel5.xlsx"
    )


def _wheel(path: Path) -> dict[str, dict[str, str]]:
    """Read a wheel: every word of it to its category at both levels.

    At level 2, a level-1 word counts as the first of its level-2 words in the alphabet, and the last row wins.
    """
    tree: dict[str, dict[str, list[str]]] = {}
    above = dict.fromkeys(LEVELS, "")
    for _, row in _rows(path, LEVELS):
        above |= {level: word for level in LEVELS if (word := _plain(row[level]))}
        first, second, third = (above[level] for level in LEVELS)
        tree.setdefault(first, {}).setdefault(second, []).append(third)
    level1: dict[str, str] = {}
    level2: dict[str, str] = {}
    for first, branches in tree.items():
        level1 |= dict.fromkeys([first, *branches, *(word for words in branches.values() for word in words)], first)
        level2[first] = min(branches)
        for second, words in branches.items():
            level2 |= dict.fromkeys([second, *words], second)
    if not tree:
        raise SourceError(f"{path}: holds no words below {', '.join(LEVELS)}")
    return {"level1": level1, "level2": level2}


def _synonyms(path: Path) -> dict[str, list[str]]:
    """Read which wheel words a base label means, over all runs; a wheel word means itself."""
    found: dict[str, set[str]] = {}
    for _, row in _rows(path, ("word_run1", "synonym_run1")):
        for run in [column.removeprefix("word_") for column in row if column.startswith("word_")]:
            if word := _plain(row[f"word_{run}"]):
                for label in [word, *_words(row.get(f"synonym_{run}", ""))]:
                    found.setdefault(label, set()).add(word)
    return {label: sorted(words) for label, words in found.items()}


def _forms(path: Path, synonyms: Mapping[str, Any]) -> dict[str, list[str]]:
    """Read which base labels a form belongs to; a base label is a form of itself."""
    found: dict[str, set[str]] = {}
    for line, row in _rows(path, ("name", "format")):
        label = row["name"]
        if label not in synonyms:
            raise SourceError(f"{path}:{line}: name: '{label}' is not in synonym.xlsx; give tables of one year")
        for form in [label, *_words(row["format"])]:
            found.setdefault(form, set()).add(label)
    return {form: sorted(labels) for form, labels in found.items()}


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, Row]]:
    """Yield line and cells of each row by its column; columns that are missing raise SourceError."""
    rows = sheet_rows(path) if path.suffix == ".xlsx" else _csv_rows(path)
    _, columns = next(rows, (0, []))
    missing = [name for name in needed if name not in columns]
    if missing:
        raise SourceError(f"{path}: has no column {', '.join(missing)} (seen: {', '.join(columns) or 'nothing'})")
    for line, cells in rows:
        if any(cell.strip() for cell in cells):
            yield line, dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        yield from enumerate(csv.reader(io.StringIO(text)), start=1)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: is no readable table ({error}); save it as UTF-8") from None


def _plain(word: str) -> str:
    return word.strip().lower()


def _words(text: str) -> list[str]:
    """Split a cell at commas and quotes, as the published script does."""
    return [word for part in re.split(r"['\",]", text.removeprefix("[").removesuffix("]")) if (word := _plain(part))]
