"""A checkpoint that DeepSpeed split over its processes, as one model again.

    if is_sharded(folder):
        model, processor = consolidate(folder)

ZeRO-3 leaves each process a part of every weight. With `zero3_save_16bit_model: true` a checkpoint holds a whole
model.safetensors as well, and there is nothing to put together; this is for those without.
"""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from emollm.errors import MissingExtraError, ModelError
from emollm.vlm.load import read_config, read_processor
from emollm.vlm.processors import import_transformers

LATEST = "latest"
"""The file in which DeepSpeed names the folder of the newest parts."""


def is_sharded(folder: Path) -> bool:
    """Tell whether a folder holds the parts of a model that DeepSpeed split, and no whole one."""
    return parts_of(folder) is not None and not any(folder.glob("*.safetensors"))


def parts_of(folder: Path) -> Path | None:
    """Return the folder of a checkpoint in which DeepSpeed's newest parts lie, or None where it wrote none."""
    path = folder / LATEST
    return folder / path.read_text(encoding="utf-8").strip() if path.is_file() else None


def consolidate(folder: Path) -> tuple[Any, Any]:
    """Return the model in float32 and its processor. Raises ModelError where parts are missing or do not fit."""
    transformers = import_transformers()
    config = read_config(str(folder))
    processor = read_processor(str(folder), config.model_type)
    weights = read_parts(folder)
    # Built from its configuration, the model knows nothing of the renaming that loading under ZeRO-3 leaves behind,
    # which would save weights under names that no other engine knows.
    model = transformers.AutoModelForImageTextToText.from_config(config, dtype="float32")
    missing, unexpected = model.load_state_dict(weights, strict=False)
    tied = set(model.all_tied_weights_keys)
    if lacking := sorted(set(missing) - tied):
        raise ModelError(
            f"{folder}: {len(lacking)} weights are missing, such as {lacking[0]}; copy the checkpoint again"
        )
    if unexpected:
        raise ModelError(f"{folder}: holds weights that config.json knows nothing of, such as {unexpected[0]}")
    model.tie_weights()
    with contextlib.suppress(OSError):
        model.generation_config = transformers.GenerationConfig.from_pretrained(str(folder))
    return model.eval(), processor


def read_parts(folder: Path) -> dict[str, Any]:
    """Put the weights together by DeepSpeed's own code, in float32, without running what a pickle may hold."""
    if find_spec("deepspeed") is None:
        raise MissingExtraError("putting a checkpoint of DeepSpeed together", "deepspeed")
    import_transformers()
    from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint

    parts = parts_of(folder)
    if parts is None:
        raise ModelError(f"{folder}: is no checkpoint that DeepSpeed split; it has no file '{LATEST}'")
    if not parts.is_dir():
        raise ModelError(f"{folder}: {LATEST} names {parts.name}, which is not there; copy the checkpoint again")
    try:
        with _only_weights(), _quiet():
            return dict(get_fp32_state_dict_from_zero_checkpoint(str(folder)))
    except pickle.UnpicklingError:
        raise ModelError(f"{parts}: holds more than weights, or is damaged; copy the checkpoint again") from None
    except (OSError, ValueError, RuntimeError, KeyError, EOFError) as error:
        raise ModelError(f"{parts}: cannot be put together: {' '.join(str(error).split())}") from None


@contextlib.contextmanager
def _only_weights() -> Iterator[None]:
    """Let torch read tensors and DeepSpeed's own few classes, and nothing else: its files are pickles."""
    import torch
    from deepspeed.runtime.fp16.loss_scaler import DynamicLossScaler, LossScaler
    from deepspeed.runtime.zero.config import ZeroStageEnum

    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"  # DeepSpeed itself asks for everything in the file
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        with torch.serialization.safe_globals([LossScaler, DynamicLossScaler, ZeroStageEnum]):
            yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep DeepSpeed's narration out of a command's results."""
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield
