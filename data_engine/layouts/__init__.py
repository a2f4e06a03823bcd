"""Data sets that people have on disk: recognised by their files, with a reason, and read row by row.

    root = Root(Path("RAF-DB"))
    known = recognise(root)                  # Known(RAFDB, …, "EmoLabel/list_patition_label.txt with numbers up to 7")
    for row in known.rows(Wanted()): ...

To add a data set, write its forms into the module of its family and add it to DATA_SETS; see data_engine/README.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from data_engine.layouts.clips import BAH, CEXPR, DFEW, FERV39K, MAFW
from data_engine.layouts.coded import BP4D, DISFA
from data_engine.layouts.dataset import ALL_FOLDS, Aside, DataSet, Form, Found, Mark, Row, Rows, Wanted
from data_engine.layouts.fer import FER2013, FERPLUS
from data_engine.layouts.folders import FOLDERS, odd_folders
from data_engine.layouts.mer import MER, MERR
from data_engine.layouts.micro import CASME2, SAMM
from data_engine.layouts.numbered import ask
from data_engine.layouts.root import Root
from data_engine.layouts.stills import AFFECTNET, EXPW, RAFDB, RAFDB_COMPOUND, SFEW
from emollm.errors import ConfigError, SourceError, did_you_mean

__all__ = ["DATA_SETS", "Aside", "DataSet", "Form", "Known", "Mark", "Root", "Row", "Wanted", "recognise", "require"]

DATA_SETS = {
    data_set.name: data_set
    for data_set in (
        *(RAFDB, RAFDB_COMPOUND, AFFECTNET, FERPLUS, FER2013, EXPW, SFEW),
        *(DFEW, MAFW, FERV39K, MER, MERR, CEXPR, BAH),
        *(DISFA, BP4D, CASME2, SAMM),
        FOLDERS,
    )
}


TESTED = "test"
"""The split of what a fold is tested on. A sample is in one fold's test set, and in the training sets of the others."""


class Known(NamedTuple):
    """A recognised data set."""

    data_set: DataSet
    form: Form
    mark: Mark
    root: Root

    def rows(self, wanted: Wanted) -> Rows:
        """Yield what the data set says, row by row; of all folds, what is tested in each, and every fault once."""
        if wanted.fold != ALL_FOLDS:
            yield from self._rows(wanted)
            return
        told = set()
        for fold in range(1, self.data_set.num_folds + 1):
            for row in self._rows(replace(wanted, fold=fold, split=TESTED)):
                if isinstance(row, Row):
                    yield from [row] if row.fields.get("split") == TESTED else ()
                elif row not in told:
                    told.add(row)
                    yield row

    def _rows(self, wanted: Wanted) -> Rows:
        """Yield the rows of one fold; those that are tested in it name it in their groups."""
        for row in self.form.rows(Found(self.root, self.mark.folder, self.mark.files, wanted)):
            if self.data_set.num_folds and isinstance(row, Row) and row.fields.get("split") == TESTED:
                groups = {**row.fields.get("groups", {}), "fold": str(wanted.fold)}
                row.fields = {**row.fields, "groups": groups}
            yield row


def recognise(root: Root) -> Known:
    """Return the data set that lies under a root. Raises SourceError where none does, or more than one."""
    named = [data_set for data_set in DATA_SETS.values() if data_set is not FOLDERS]
    found = [known for data_set in named if (known := _known(root, data_set)) is not None]
    if not found and (plain := _known(root, FOLDERS)) is not None:
        return plain
    if not found and (asked := ask(root, DATA_SETS) or odd_folders(root)) is not None:
        raise SourceError(asked)
    if not found:
        sought = "; ".join(f"{name}: {data_set.forms[0].looked_for}" for name, data_set in DATA_SETS.items())
        raise SourceError(f"{root.path}: holds no data set that is known; looked for {sought}")
    if len(found) > 1:
        which = ", ".join(f"{known.data_set.name} ({known.mark.why})" for known in found)
        raise SourceError(f"{root.path}: holds more than one data set: {which}; say which with --layout")
    return found[0]


def require(root: Root, name: str) -> Known:
    """Return the data set of this name. Raises ConfigError for an unknown name, SourceError where it is not there."""
    if name not in DATA_SETS:
        known = ", ".join(DATA_SETS)
        raise ConfigError(f"--layout: '{name}' is unknown{did_you_mean(name, DATA_SETS)}; layouts are auto, {known}")
    data_set = DATA_SETS[name]
    found = _known(root, data_set, by_name=True)
    if found is None:
        sought = ", or ".join(form.looked_for for form in data_set.forms)
        raise SourceError(f"{root.path}: is no {data_set.title}; looked for {sought}")
    return found


def _known(root: Root, data_set: DataSet, *, by_name: bool = False) -> Known | None:
    for form in data_set.forms:
        mark = form.recognises(root) if by_name or not form.by_name else None
        if mark is not None:
            return Known(data_set, form, mark, root)
    return None
