"""AU files of every detector: recognised by their content, with a reason, and laid out for `data_engine.clips.reading`.

    head = read_head(path)
    dialect, reason = recognise(head)
    layout = dialect.layout(head)

To add a dialect, write one module with a `Dialect` and add it to DIALECTS; see data_engine/README.md.
"""

from __future__ import annotations

from data_engine.sources.affectiva import AFFECTIVA
from data_engine.sources.emotions import EMOTIONS
from data_engine.sources.feafa import FEAFA
from data_engine.sources.head import Head, read_head
from data_engine.sources.layout import Dialect, Layout
from data_engine.sources.libreface import LIBREFACE
from data_engine.sources.mediapipe import MEDIAPIPE
from data_engine.sources.merr import MERFACTORY, MERR
from data_engine.sources.openface import OPENFACE
from data_engine.sources.openface3 import OPENFACE3
from data_engine.sources.pyfeat import PYFEAT
from emollm.errors import SourceError
from emollm.facs import au_name

__all__ = ["DIALECTS", "Dialect", "Head", "Layout", "read_head", "recognise", "require"]

# The first that recognises a file reads it; the dialects with the plainest marks come first.
DIALECTS = {
    dialect.name: dialect
    for dialect in (OPENFACE, OPENFACE3, PYFEAT, LIBREFACE, FEAFA, MERR, MERFACTORY, AFFECTIVA, MEDIAPIPE, EMOTIONS)
}


def recognise(head: Head) -> tuple[Dialect, str]:
    """Return the dialect of a file and the reason. Raises SourceError that names what was seen and what to do."""
    for dialect in DIALECTS.values():
        reason = dialect.recognises(head)
        if reason is not None:
            return dialect, reason
    raise SourceError(f"{head.path}: {_what_it_is(head)}")


def require(head: Head, dialect: Dialect) -> str:
    """Return why the file is of this dialect. Raises SourceError that names the one it looks like."""
    reason = dialect.recognises(head)
    if reason is not None:
        return reason
    for other in DIALECTS.values():
        why = other.recognises(head)
        if why is not None:
            raise SourceError(f"{head.path}: is no {dialect.name} file but {other.name} ({why}); use --detector auto")
    raise SourceError(f"{head.path}: is no {dialect.name} file: {_what_it_is(head)}")


def _what_it_is(head: Head) -> str:
    """One clause for a file that no dialect recognises; a near miss is named."""
    if not head.is_table:
        keys = ", ".join(list(head.items[0])[:12]) if head.items else type(head.data).__name__
        return f"JSON of no known AU dialect (seen: {keys}); dialects are {', '.join(DIALECTS)}"
    named = [column for column in head.columns if au_name(column) is not None]
    if named:
        return (
            f"has AU columns ({', '.join(named[:4])}) but neither OpenFace's AU12_r nor py-feat's FaceScore; "
            "say what they are: --detector csv --columns kind=intensity|probability|presence,scale=0-5,id=<column>"
        )
    seen = ", ".join(head.columns[:12]) + (f" … ({len(head.columns)} in all)" if len(head.columns) > 12 else "")
    return f"has no AU columns (columns seen: {seen}); for another table: --detector csv --columns AU12=<column>,kind=…"
