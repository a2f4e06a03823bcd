"""Mistakes: what a library raises for a recipe that it cannot carry out, said in one line.

    with mistakes_said():
        trainer = make_trainer(...)

What a recipe may say is checked before anything is loaded, as far as we know it; this is for the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

from emollm.errors import ConfigError

LIBRARIES = ("transformers", "trl", "peft", "accelerate", "bitsandbytes", "deepspeed")
"""Whose arguments a recipe gives."""


@contextmanager
def mistakes_said() -> Iterator[None]:
    """Raise ConfigError, in one line, for what one of these libraries refuses; what our own code raises passes."""
    try:
        yield
    except (ValueError, TypeError, ImportError) as error:
        if (told := mistake(error)) is None:
            raise
        raise told from error


def mistake(error: Exception) -> ConfigError | None:
    """Return what was wrong with the recipe where one of these libraries raised the error, else None."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    library = str(frames[-1].f_globals.get("__name__", "")).partition(".")[0] if frames else ""
    if library not in LIBRARIES or not isinstance(error, ValueError | TypeError | ImportError):
        return None
    reason = " ".join(str(error).split())
    return ConfigError(f"the recipe does not hold together: {reason} ({library}, {frames[-1].f_code.co_name})")
