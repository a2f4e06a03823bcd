"""Preparing a model to be trained: loaded where the trainer can place it, and set to the size of pictures.

model, processor = prepare(recipe)
"""

from __future__ import annotations

from typing import Any, Protocol

from emollm.vlm.load import load_model
from emollm.vlm.processors import set_max_pixels


class Wanted(Protocol):
    """What a recipe says of the model it starts from."""

    model: str
    dtype: str
    max_pixels: int | None


def prepare(recipe: Wanted, adapter: str | None = None, quantization: str | None = None) -> tuple[Any, Any]:
    """Return the model, where the trainer can place it, and its processor.

    With `adapter`, that goes on learning; with `quantization`, the base is stored so, and only an adapter can learn.
    """
    model, processor = load_model(recipe.model, adapter, dtype=recipe.dtype, quantization=quantization, trainable=True)
    if recipe.max_pixels is not None:
        set_max_pixels(processor, recipe.max_pixels)
    return model, processor


def max_tokens(model: Any) -> int | None:
    """Return how many tokens the model reads, where it says so."""
    length: int | None = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return length
