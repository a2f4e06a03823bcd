"""Errors a user can mend: one line that says where, what is wrong, and what to do.

    EmoLLMError            caught once, in the command line: `error: …`, exit code 1, no traceback
    ├── RecordError        a line of a JSONL file is not a valid record
    ├── SourceError        an AU file, a label file or a picture cannot be used
    ├── ConfigError        a recipe or an option is wrong; lists every problem at once
    ├── ModelError         a model, an adapter or a processor cannot be loaded or does not fit
    ├── TrainingError      a training that has begun cannot go on; what it had reached stays
    └── MissingExtraError  an optional dependency is not installed; names the pip command

Anything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EmoLLMError(Exception):
    """Base of every error whose message is meant for the user."""


class RecordError(EmoLLMError):
    """A record is malformed. The message reads `file:line: field: what is wrong`."""


class SourceError(EmoLLMError):
    """An input file is of no known kind, or lacks what is needed from it."""


class ConfigError(EmoLLMError):
    """An option or a recipe key is unknown or has a value that cannot work."""


class ModelError(EmoLLMError):
    """A model directory or hub name cannot be used as it is."""


class TrainingError(EmoLLMError):
    """A training that has begun cannot go on. The last checkpoint stays, and the message says from where to go on."""


class MissingExtraError(EmoLLMError):
    """A feature needs packages that are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs packages that are not installed; run: pip install 'emollm[{extra}]'")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the closest known word, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
