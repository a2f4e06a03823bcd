"""A door: all that is to be known of another detector to run it. `doors` lists them; all take pictures and clips."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Door:
    """Another detector: all that is to be known to run it."""

    name: str
    tool: str
    """What was read when the worker was written."""
    dialect: str
    """Of the file it writes; see `data_engine.sources`."""
    worker: str
    install: str
    """The command for the other environment."""
    weights: str
    """What it downloads, and under which licence: one or two sentences, shown to whoever runs it."""
    options: tuple[str, ...]
    """Options of the worker that a user may set."""
    settings: tuple[str, ...] = ()
    """Fixed arguments of the worker."""

    @property
    def variable(self) -> str:
        """The environment variable that names the other interpreter."""
        return f"EMOLLM_{self.name.upper()}_PYTHON"
