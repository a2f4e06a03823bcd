"""Any other table: the user says which column holds what.

    --columns AU12=smile_score,id=file,scale=0-100,kind=probability
    --columns columns.json                   {"AU12": "smile_score", "id": "file", "scale": "0-100", …}

Keys: an AU (`AU12`, one side `AU12L` or `AU12R`), a role (ROLES below), `kind`, and `scale`, the lowest and the highest
value in the file. Without any AU key, the columns whose names are AU names are taken.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from data_engine.sources.head import Head
from data_engine.sources.layout import Channel, Dialect, Layout
from emollm.errors import ConfigError, SourceError, did_you_mean
from emollm.facs import au_name
from emollm.records import AU_RANGE, AUKind, Detector

ROLES = {
    "id": "clip",
    "file": "media",
    "person": "person",
    "frame": "frame",
    "time": "time_s",
    "confidence": "confidence",
    "success": "success",
    "label": "label",
    "text": "text",
}
KINDS = get_args(AUKind)
_AU = re.compile(r"(AU_?\d{1,2})([LR])?", re.IGNORECASE)
_SCALE = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(?:-|:)\s*(-?\d+(?:\.\d+)?)\s*")


def map_file(text: str | None) -> Path | None:
    """Return the file that `--columns` names, or None where it holds the columns itself."""
    return Path(text) if text is not None and text.endswith(".json") else None


def read_map(text: str) -> dict[str, str]:
    """Parse `--columns`: a JSON file, or `key=column` pairs. Raises ConfigError naming every accepted key."""
    path = map_file(text)
    if path is not None:
        entries = _read_json(path)
    else:
        pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
        entries = {key.strip(): value.strip() for key, _, value in pairs}
    for key, value in entries.items():
        if not _AU.fullmatch(key) and key not in (*ROLES, "kind", "scale"):
            known = ("AU12", "AU12L", *ROLES, "kind", "scale")
            raise ConfigError(f"--columns: unknown key '{key}'{did_you_mean(key, known)}; keys are {', '.join(known)}")
        if not value:
            raise ConfigError(f"--columns: '{key}' has no column; write {key}=<column>")
    return entries


def user_dialect(entries: dict[str, str]) -> Dialect:
    """Return the dialect that the user's column map describes."""

    def layout(head: Head) -> Layout:
        channels = tuple(_channels(head, entries))
        if not channels:
            raise SourceError(
                f"{head.path}: none of its columns is named after an AU; name them: --columns AU12=<column>"
            )
        roles = {ROLES[key]: _column(head, key, column) for key, column in entries.items() if key in ROLES}
        return Layout(Detector(name="csv"), channels, roles)

    def recognises(head: Head) -> str | None:
        return "as --columns says" if head.is_table else None

    return Dialect("csv", recognises, layout)


def _read_json(path: Path) -> dict[str, str]:
    try:
        entries: Any = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: must be a JSON object of strings ({error})") from None
    return dict(entries)


def _channels(head: Head, entries: dict[str, str]) -> list[Channel]:
    named = {key: column for key, column in entries.items() if _AU.fullmatch(key)}
    if not named:
        for column in head.columns:
            au = au_name(column)
            if au is not None:
                named.setdefault(au, column)
    kind, low, high = _scale(entries)
    channels = []
    for key, column in named.items():
        match = _AU.fullmatch(key)
        au = au_name(match[1]) if match else None
        if match is None or au is None:
            raise ConfigError(f"--columns: '{key}' is no AU; write AU12, AU12L or AU12R")
        sides: dict[str | None, Literal["left", "right"]] = {"L": "left", "R": "right"}
        side = sides.get(match[2].upper()) if match[2] else None
        channels.append(Channel(au, _column(head, key, column), kind, side, low, high))
    return channels


def _scale(entries: dict[str, str]) -> tuple[AUKind, float, float]:
    """The kind and the scale. They are never guessed from the values: a 1 can be all of them."""
    kind = entries.get("kind")
    for known in KINDS:
        if kind == known:
            match = _SCALE.fullmatch(entries.get("scale", f"0-{AU_RANGE[known]:g}"))
            if match is None or float(match[1]) >= float(match[2]):
                raise ConfigError(f"--columns: scale={entries['scale']} must be low-high, such as 0-5 or 0-100")
            return known, float(match[1]), float(match[2])
    what = f"kind={kind} is unknown" if kind else "kind is missing"
    raise ConfigError(
        f"--columns: {what}; say kind={'|'.join(KINDS)}, and scale=low-high where it is not the usual one"
    )


def _column(head: Head, key: str, column: str) -> str:
    if column not in head.columns:
        raise SourceError(
            f"{head.path}: has no column '{column}' for {key}{did_you_mean(column, head.columns)}; "
            f"columns seen: {', '.join(head.columns[:20])}"
        )
    return column
