"""Patients: what a path is, and which checks belong to it.

    examine("runs/sft", Look())

Checks say what they find and never raise over what they look at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from emollm.doctor.finding import Finding, error, fine
from emollm.errors import EmoLLMError


class Look(NamedTuple):
    """How closely to look."""

    media_root: Path | None = None
    limit: int | None = None


def examine(target: str, look: Look) -> list[Finding]:
    """Return what is found at a path, or in a model of the hub that has been downloaded."""
    path = Path(target)
    try:
        if path.is_dir():
            return list(_directory(path, look))
        if path.is_file():
            return list(_file(path, look))
        return list(_name(target))
    except (EmoLLMError, OSError) as problem:
        return [error(target, str(problem), "mend it and look again")]


def _file(path: Path, look: Look) -> Iterator[Finding]:
    if path.suffix == ".jsonl":
        if _holds_predictions(path):
            from emollm.doctor.predictions import check_predictions

            yield from check_predictions(path, look.limit)
        else:
            from emollm.doctor.samples import check_samples

            yield from check_samples(path, look.media_root or path.parent, look.limit)
    elif path.suffix in (".yaml", ".yml"):
        from emollm.doctor.recipe import check_recipe

        yield from check_recipe(path)
    else:
        yield error(path, "is nothing that is known here", "name a .jsonl, a recipe .yaml, a model or a run folder")


def _directory(path: Path, look: Look) -> Iterator[Finding]:
    from emollm.doctor.run import check_run, is_run

    has_run = is_run(path)
    if has_run:
        yield from check_run(path)
    if any((path / name).exists() for name in ("config.json", "adapter_config.json")):
        from emollm.doctor.model import check_model

        yield from check_model(path)
    elif not has_run:
        files = sorted(file for file in path.glob("*.jsonl") if not file.name.endswith("rejected.jsonl"))
        for file in files:
            yield from _file(file, look)
        if not files:
            todo = "name a directory with a model (config.json), a run (manifest.json) or .jsonl files"
            yield error(path, "holds nothing that is known here", todo)


def _name(target: str) -> Iterator[Finding]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(target, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError, OSError):
        yield error(target, "no such file or directory, and no model of that name in the cache", "check the path")
        return
    yield fine(target, f"is in the cache: {folder}")
    from emollm.doctor.model import check_model

    yield from check_model(folder)


def _holds_predictions(path: Path) -> bool:
    """Tell predictions from samples by the first line that can be read."""
    with path.open("rb") as file:
        for line in file:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            return isinstance(record, dict) and "completion" in record
    return path.stem.startswith("predictions")
