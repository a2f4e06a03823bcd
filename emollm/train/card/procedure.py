"""Procedure: how a model was trained, from the manifest and the log of each training; the section of the card."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from emollm.cards.tables import bar, code, name, number_of, table
from emollm.train.card.facts import Facts, Training
from emollm.train.curves import draw, read_panels

MAX_POINTS = 10
"""Rows of a curve."""
CURVES = ("loss", "eval_loss", "eyes_error", "gaze_error", "reward", "kl", "rewards/margins", "rewards/accuracies")
"""What the table of a curve shows, as far as it was logged; `rewards/NAME/mean` is shown too."""
MAX_CURVES = 6
PATHS = ("model", "adapter", "train_file", "eval_file", "media_root", "output_dir", "wheel_mapping")
"""Options that name files: of these only the last part is shown, as the folders of a machine concern nobody."""
PACKAGES = ("emollm", "torch", "transformers", "trl", "peft", "accelerate", "deepspeed", "bitsandbytes")


def pictures(facts: Facts, stem: str) -> dict[str, str]:
    """Return the curves of every training whose log is here: SVG by the name of a file beside the card, STEM.md."""
    named = ((_picture(stem, number, training), training) for number, training in _in_order(facts))
    return {path: draw(training.log) for path, training in named if any(read_panels(training.log))}


def _in_order(facts: Facts) -> Iterator[tuple[int, Training]]:
    return enumerate(reversed(facts.trainings), start=1)


def _picture(stem: str, number: int, training: Training) -> str:
    stage = re.sub(r"\W", "", training.step.stage)
    return f"{stem}.{number}-{stage or 'training'}.svg"


def procedure(facts: Facts, stem: str) -> Iterator[str]:
    """Yield the section: each training from the first to the last with its picture beside the card, then the merge."""
    yield "## Training procedure"
    yield ""
    if not facts.trainings:
        yield "Not known: there is no manifest of a training beside the model."
        return
    for number, training in _in_order(facts):
        yield from _training(training, _picture(stem, number, training))
    if facts.merge:
        yield f"Then the adapter was merged into the base: {name(str(facts.merge.get('parity') or 'not checked'))}."
        yield ""


def _training(training: Training, picture: str) -> Iterator[str]:
    manifest, step = training.manifest, training.step
    yield f"### `train {step.stage}`"
    yield ""
    yield f"{_course(manifest)} {_place(manifest)}"
    yield ""
    options = ((code(key), name(shown(key, value))) for key, value in step.options.items() if value not in (None, {}))
    yield from table(("key of the recipe", "value"), options)
    if learnt := " ".join(_learnt(manifest)):
        yield ""
        yield learnt
    yield ""
    if any(read_panels(training.log)):
        yield f"![Curves of this training]({quote(picture)})"
        yield ""
    yield from curve(training.log)


def _course(manifest: Mapping[str, Any]) -> str:
    status = manifest.get("status")
    ended = {"done": "It was carried out to its end", "stopped": "It was stopped before its end"}.get(
        str(status), f"Its manifest says '{status}'"
    )
    steps = manifest.get("steps")
    loss = f", mean loss {manifest['loss']}" if "loss" in manifest else ""
    lasted = f", {number_of(int(steps), 'step')}" if steps else ""
    return f"{ended}{lasted}{loss}."


def _place(manifest: Mapping[str, Any]) -> str:
    versions = manifest.get("versions") or {}
    packages = ", ".join(f"{package} {versions[package]}" for package in PACKAGES if package in versions)
    processes = number_of(int(manifest.get("world_size") or 1), "process", "processes")
    prompts = code(str(manifest.get("prompts") or "not told"))
    return f"{processes}; {packages or 'versions not known'}; prompts {prompts}."


def _learnt(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Say of what it learnt, as the training counted it."""
    if isinstance(manifest.get("pairs"), int):
        yield f"{number_of(manifest['pairs'], 'pair')} of a better and a worse answer."
    for key, what in (("rows", "Rows by answer style"), ("refused", "Samples it left out")):
        counts = manifest.get(key)
        if isinstance(counts, dict):
            yield f"{what}: {', '.join(f'{name(str(kind))} {num:,}' for kind, num in counts.items()) or 'none'}."


def shown(key: str, value: object) -> str:
    """Return the value of an option as a card shows it."""
    if key in PATHS and isinstance(value, str) and (value.startswith(("/", "~", ".")) or value.count("/") > 1):
        return value.rstrip("/").rpartition("/")[2]
    if isinstance(value, dict):
        return ", ".join(f"{inner} {part}" for inner, part in value.items() if part is not None)
    return str(value)


def curve(log: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a table of what was logged: the first step, the last, and some between."""
    lines = [line for line in log if any(key in line for key in CURVES)]
    if not lines:
        yield "The log of this training is not here, so there is no curve."
        yield ""
        return
    keys = [key for key in CURVES if any(key in line for line in lines)]
    keys += sorted({key for line in lines for key in line if key.startswith("rewards/") and key.endswith("/mean")})
    keys = keys[:MAX_CURVES]
    count = min(MAX_POINTS, len(lines))
    points = [lines[round(at * (len(lines) - 1) / max(1, count - 1))] for at in range(count)]
    largest = max((_number(line, keys[0]) for line in lines), default=0.0)
    heads = ("step", *(key.removeprefix("rewards/").removesuffix("/mean") for key in keys), "")
    yield from table(
        heads,
        (
            (
                f"{int(_number(line, 'step')):,}",
                *(_cell(line.get(key)) for key in keys),
                bar(_number(line, keys[0]) / largest) if largest > 0 else "",
            )
            for line in points
        ),
        "r" * (len(keys) + 1),
    )
    yield ""


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "–"


def _number(line: Mapping[str, Any], key: str) -> float:
    value = line.get(key)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0
