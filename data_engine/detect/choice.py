"""Which detector was asked for, and what it reads: AU files, pictures and clips, or samples.

choice = choose("pyfeat", columns=None, noise=None)
choice.kinds                        # ("AU file", "media", "samples"): its own files, and what its door measures
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from data_engine.detect.files import KINDS, Kind
from data_engine.detectors import IN_PROCESS
from data_engine.detectors.doors import DOORS, Door
from data_engine.sources import DIALECTS
from data_engine.sources.columns import read_map, user_dialect
from data_engine.sources.layout import Dialect

if TYPE_CHECKING:
    from data_engine.detectors.oracle import Noise

AUTO, CSV, ORACLE = "auto", "csv", "oracle"
DEFAULT = "tiny"
"""Who looks at pictures and clips where nobody else is asked to."""
DETECTORS = tuple(dict.fromkeys((AUTO, *IN_PROCESS, ORACLE, *DIALECTS, *DOORS, CSV)))


@dataclass(frozen=True)
class Choice:
    """The detector of a run."""

    name: str
    kinds: tuple[Kind, ...]
    dialect: Dialect | None = None
    """Of all AU files; None recognises each by its content."""
    in_process: str | None = None
    """The detector that looks at media in this process."""
    door: Door | None = None
    """The detector that looks at media in a process of its own."""
    noise: Noise | None = None
    """What the oracle gets wrong."""


def choose(name: str, columns: str | None, noise: str | None) -> Choice:
    """Return the choice that the options make. Raises ConfigError for a column map or a noise that cannot be read."""
    if name == AUTO:
        return Choice(name, KINDS, in_process=DEFAULT)
    if name in IN_PROCESS:
        return Choice(name, ("media", "samples"), in_process=name)
    if name == ORACLE:
        from data_engine.detectors.oracle import parse_noise

        return Choice(name, ("samples",), noise=parse_noise(noise or ""))
    if columns is not None:
        return Choice(name, ("AU file",), dialect=user_dialect(read_map(columns)))
    door = DOORS.get(name)
    dialect = DIALECTS[name if door is None else door.dialect]
    return Choice(name, KINDS if door else ("AU file",), dialect=dialect, door=door)
