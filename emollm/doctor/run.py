"""Run folders: did the training end, did it learn, and can it go on?

list(check_run(Path("runs/sft")))
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emollm.cards.origin import Step, read_manifest
from emollm.doctor.finding import Finding, error, fine, warning
from emollm.errors import EmoLLMError
from emollm.files import fingerprint
from emollm.train import STAGES
from emollm.train.checkpoints import checkpoints, what_is_wrong
from emollm.train.consolidate import LATEST
from emollm.vlm.weights import read_weights

QUIET_S = 600.0
"""Seconds without a line in the log after which a training that says it runs was probably killed."""


def is_run(folder: Path) -> bool:
    """Tell whether a folder is one of `emollm train`."""
    return read_manifest(folder / "manifest.json").get("stage") in STAGES


def check_run(folder: Path) -> Iterator[Finding]:
    """Yield what is wrong with the run in a folder."""
    run = Step(folder.name, "", read_manifest(folder / "manifest.json"))
    log = list(_log(folder / "train_log.jsonl"))
    is_done = run.manifest.get("status") == "done"
    yield _status(folder, run, log)
    if is_done and run.stage != "base" and not any(folder.glob("*.safetensors")) and not (folder / LATEST).exists():
        yield error(folder, "is done, but holds no weights", "look for them in the newest checkpoint, or train again")
    yield from _loss(folder, log)
    yield from _checkpoints(folder, is_done)
    yield from _inputs(folder, run, is_done)


def _status(folder: Path, run: Step, log: Sequence[Mapping[str, Any]]) -> Finding:
    status, what = run.manifest.get("status"), f"`train {run.stage}`"
    again = f"emollm train {run.stage} --config … goes on from the newest checkpoint"
    if status == "done":
        return fine(folder, f"{what} is done, {run.manifest.get('steps', 'its')} steps")
    if status == "failed":
        return error(folder, f"{what} failed: {run.manifest.get('reason', 'no reason is told')}", again)
    if status == "stopped":
        return warning(folder, f"{what} was stopped at step {run.manifest.get('steps', 'not told')}", again)
    newest = max((path.stat().st_mtime for path in folder.iterdir()), default=0.0)
    step = log[-1].get("step") if log else 0
    if time.time() - newest > QUIET_S:
        return error(
            folder, f"{what} was killed after step {step}: its manifest says '{status}', and nothing moves", again
        )
    return warning(folder, f"{what} runs, at step {step}", "wait for it")


def _log(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # torn by a crash; a resumed run writes it again
            if isinstance(entry, dict):
                yield entry


def _loss(folder: Path, log: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield whether the loss, the gradients or the reward stopped being numbers, and whether the loss came down."""
    for key in ("loss", "grad_norm", "reward"):
        wrong = [line for line in log if isinstance(line.get(key), float) and not math.isfinite(line[key])]
        if wrong:
            told = f"{key} is {wrong[0][key]} from step {wrong[0].get('step')} on"
            yield error(folder, told, "lower learning_rate, or set max_grad_norm; train again with --overwrite")
    losses = [line["loss"] for line in log if isinstance(line.get("loss"), float) and math.isfinite(line["loss"])]
    is_reward = any("reward" in line for line in log)
    quarter = len(losses) // 4
    if not quarter or is_reward:  # the loss of a policy gradient says nothing by itself
        return
    first, last = sum(losses[:quarter]) / quarter, sum(losses[-quarter:]) / quarter
    told = f"loss {first:.3g} in the first quarter, {last:.3g} in the last"
    yield (
        fine(folder, told)
        if last < first
        else warning(folder, told, "it does not come down: check learning_rate, rows")
    )


def _checkpoints(folder: Path, is_done: bool) -> Iterator[Finding]:
    """Yield whether a rerun could go on, and from where."""
    found = checkpoints(folder)
    torn = {path: problem for path in found if (problem := why_torn(path))}
    whole = [path for path in found if path not in torn]
    for path, problem in torn.items():
        todo = f"remove it{f', and {whole[-1].name} is gone on from' if whole else ''}"
        yield (warning if is_done else error)(folder, f"{path.name} is not whole: {problem}", todo)
    if whole:
        yield fine(folder, f"{whole[-1].name} is whole{'' if is_done else ': a rerun goes on from there'}")
    elif not is_done:
        yield warning(folder, "no whole checkpoint: a rerun begins at step 0", "set save_steps lower")


def why_torn(checkpoint: Path) -> str:
    """Return what is wrong with a checkpoint, its weights too; nothing where it is whole."""
    if problem := what_is_wrong(checkpoint):
        return problem
    try:
        read_weights(checkpoint)
    except EmoLLMError as unread:
        return str(unread)
    return ""


def _inputs(folder: Path, run: Step, is_done: bool) -> Iterator[Finding]:
    """Yield whether what the run read is still what it was: a rerun refuses other files."""
    said = warning if is_done else error
    for file in (value for key, value in run.options.items() if key.endswith("_file") and isinstance(value, str)):
        path, earlier = Path(file), run.inputs.get(Path(file).name)
        if not path.is_file():
            yield said(folder, f"{file} is not there any more", "give it back its place: a rerun and the card need it")
        elif earlier is not None and fingerprint(path) != earlier:
            yield said(folder, f"{file} has changed since", "a rerun would be another run: use another output_dir")
    for key in ("model", "adapter"):
        value = run.options.get(key)
        is_path = isinstance(value, str) and (value.startswith((".", "~", "/")) or value.count("/") > 1)
        if is_path and not Path(str(value)).is_dir():
            yield said(folder, f"{key} {value} is not there any more", "give it back its place")
