"""What a model is made of: how many weights each part has and trains, and how its layers are built.

    anatomy = dissect(config, parts, lora)

Counted on a model without numbers, with the adapter that the training itself would add: the counts are exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from emollm.train.lora import PARTS, Lora, Parts, freeze, is_adapter, is_kept_aside, part_of, peft_config
from emollm.vlm.bases import build_without_weights


class Stack(NamedTuple):
    """A pile of equal transformer layers: of the vision tower, or of the language model."""

    layers: int
    width: int
    queries: int
    """Width of all query heads together."""
    keys: int
    """Width of all key heads together; the value heads are as wide."""
    inner: int
    """Width inside the feed-forward block."""
    gated: bool
    """Two matrices go into the feed-forward block, and their product comes out of it."""
    normed_heads: bool = False
    """Queries and keys have a norm of their own."""


class Part(NamedTuple):
    """The weights of the vision tower, the projector or the language model."""

    parameters: int = 0
    trained: int = 0
    """Those of them that are trained whole."""
    matrices: int = 0
    """Those that every token of the part is multiplied with: no embeddings, no output layer."""
    adapter: int = 0
    adapted_inputs: int = 0
    """Widths of the inputs of all adapted layers together; each keeps its input for the backward pass."""


class Anatomy(NamedTuple):
    """A model, cut up."""

    vision: Part
    projector: Part
    language: Part
    vision_stack: Stack
    language_stack: Stack
    vocabulary: int
    head: int
    """Weights of the output layer, whether they are those of the embeddings or not."""
    quantisable: int
    """Weights that `quantization: nf4` stores in four bits: the matrices of the language model's layers."""
    kept_aside: int
    """Copies of modules that are trained whole beside an adapter."""

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by their names."""
        return dict(zip(PARTS, (self.vision, self.projector, self.language), strict=True))

    def total(self, field: str) -> int:
        """Add up one number over the parts."""
        return sum(getattr(part, field) for part in self.parts.values())


def dissect(config: Any, parts: Parts, lora: Lora | None = None, adapter: Any = None) -> Anatomy:
    """Return what a model of this configuration is made of when its parts are trained so.

    `adapter` is the configuration of an adapter that is there already, in PEFT's words, and goes on learning.
    """
    from torch.nn import Embedding

    model = build_without_weights(config)
    head = model.get_output_embeddings().weight
    no_matrix = {id(head)} | {id(module.weight) for module in model.modules() if isinstance(module, Embedding)}
    freeze(model, parts)
    if adapter is None and lora is not None:
        adapter = peft_config(lora, parts, model)
    if adapter is not None:
        from peft import get_peft_model

        model = get_peft_model(model, adapter, low_cpu_mem_usage=True)
    counts = {part: dict.fromkeys(Part._fields, 0) for part in PARTS}
    quantisable = kept_aside = 0
    for name, parameter in model.named_parameters():
        part, size = counts[part_of(name)], parameter.numel()
        if is_kept_aside(name):
            kept_aside += size
        elif is_adapter(name):
            part["adapter"] += size
            part["adapted_inputs"] += parameter.shape[1] if "lora_A" in name else 0
        else:
            part["parameters"] += size
            part["trained"] += size if parameter.requires_grad else 0
            is_matrix = parameter.dim() > 1 and id(parameter) not in no_matrix
            part["matrices"] += size if is_matrix else 0
            quantisable += size if is_matrix and part_of(name) == "language" else 0
    return Anatomy(
        **{name: Part(**numbers) for name, numbers in counts.items()},
        vision_stack=_vision_stack(config.vision_config, model),
        language_stack=_language_stack(config.get_text_config()),
        vocabulary=head.shape[0],
        head=head.numel(),
        quantisable=quantisable,
        kept_aside=kept_aside,
    )


def _language_stack(config: Any) -> Stack:
    heads = config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    keys = (getattr(config, "num_key_value_heads", None) or heads) * size
    normed = config.model_type.startswith(("qwen3", "gemma3"))
    return Stack(
        config.num_hidden_layers, config.hidden_size, heads * size, keys, config.intermediate_size, True, normed
    )


def _vision_stack(config: Any, model: Any) -> Stack:
    layers = getattr(config, "depth", None) or config.num_hidden_layers
    gated = any("gate_proj" in name for name, _ in model.named_modules() if part_of(name) == "vision")
    width = config.hidden_size
    return Stack(layers, width, width, width, config.intermediate_size, gated)
