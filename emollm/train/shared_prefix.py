"""GRPO's update with every prompt, and its pictures, computed once a group: the same numbers in less time.

    class Trainer(SharedPrefix, GRPOTrainer): ...        TRL's options keep their meaning

TRL repeats the prompt, and the encoding of its pictures, before each of the G completions of a group. `SharedPrefix`
computes log-probabilities and entropies on the layout of `emollm.train.prefix_layout` instead, and keeps the rows of a
group in one micro-batch. Log-probabilities and gradients are those of TRL's layout up to rounding; dropout alone
differs: it is drawn once for a shared prompt. Where an architecture does not lend itself to it, or a batch gains
nothing, TRL's layout is used.

One forward stands for one of TRL's, so that collective operations stay in step on many GPUs, and computes no more
tokens: `per_device_train_batch_size` bounds the memory of both. Let it be a multiple of `num_generations`; otherwise
groups come in parts, and each part computes the prompt.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from emollm.train.prefix_layout import Layout, Rows, arrange, find_groups, take
from emollm.train.processes import is_first_process

if TYPE_CHECKING:
    from torch import Tensor
    from trl import GRPOTrainer
else:
    GRPOTrainer = object  # mixed in later; importing it here would cost seconds

MROPE = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")
"""Architectures with multimodal rotary positions: time, height, width (Wang et al. 2024, arXiv:2409.12191)."""

ROPE = ("idefics3", "smolvlm", "llava", "llava_onevision", "internvl")
"""Architectures that number pictures as text: one position a token."""

TEXT = ("llama", "mistral", "qwen2", "qwen3", "qwen2_vl_text", "qwen2_5_vl_text", "qwen3_vl_text")
"""Language models of these, whose tokens see all that came before them and nothing after."""

COUNTS = ("num_images", "num_tiles")
"""How many pictures and tiles each row has: TRL slices by it, models do not take it."""

PICTURES = ("pixel_values", "image_grid_thw", "pixel_attention_mask", "image_sizes", *COUNTS)
"""Fields of a batch that belong to the pictures of its rows, in TRL's names."""

TYPES = "mm_token_type_ids"
"""The field that says which tokens stand for pictures."""


class SharedPrefix(GRPOTrainer):  # type: ignore[misc]
    """To the left of GRPOTrainer: log-probabilities with shared prompts, groups kept together."""

    _has_said_why = False
    _buffered_inputs: Any

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: Tensor,
        attention_mask: Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        compute_aux_loss: bool = False,
        **fields: Any,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return the log-probability of every completion token (B, C), their entropies (B, C) if asked for, and None.

        Arguments and results are TRL's: in chunks of `batch_size` rows; 0 where a completion is masked.
        """
        import torch

        plain = super()._get_per_token_logps_and_entropies
        bare = unwrapped(self.accelerator, model)
        why = "the auxiliary loss counts every token" if compute_aux_loss else unshareable(bare, fields)
        if why is not None:
            self._say_once(why)
            whole = (model, input_ids, attention_mask, logits_to_keep, batch_size, compute_entropy, compute_aux_loss)
            return plain(*whole, **fields)  # type: ignore[no-any-return]
        batch = to_rows(input_ids, attention_mask, logits_to_keep, fields)
        size = batch_size or len(input_ids)
        parts = []
        for start in range(0, len(input_ids), size):
            rows = batch.take(range(start, min(start + size, len(input_ids))))
            layout = shared_layout(bare, rows)
            if layout is not None:
                with self.accelerator.autocast():
                    parts.append(score(model, bare, rows, layout))
            else:
                tokens = (rows.input_ids, rows.attention_mask, logits_to_keep)
                inputs = merged(rows.pictures) | {TYPES: rows.token_types}
                parts.append(plain(model, *tokens, compute_entropy=compute_entropy, **inputs)[:2])
        logps, entropies = zip(*parts, strict=True)
        return torch.cat(logps), torch.cat(entropies) if compute_entropy else None, None

    def _prepare_inputs(self, generation_batch: Any) -> Any:
        """Return the next micro-batch as TRL does, but of whole groups: completions that are apart share nothing."""
        if not self.model.training:
            return super()._prepare_inputs(generation_batch)
        from trl.trainer.utils import split_pixel_values_by_grid, split_tensor_dict, unsplit_pixel_values_by_grid

        steps = self.args.steps_per_generation
        if self._step % (steps * self.num_iterations) == 0 or self._buffered_inputs is None:
            batch = split_pixel_values_by_grid(self._generate_and_score_completions(generation_batch))
            parts = split_tensor_dict(shuffle_groups(batch), steps)
            self._buffered_inputs = [unsplit_pixel_values_by_grid(part) for part in parts]
        return self._buffered_inputs[self._step % steps]

    def _say_once(self, why: str) -> None:
        if not self._has_said_why and is_first_process():
            print(f"prompts are computed once a completion, not once a group: {why}", file=sys.stderr)
        self._has_said_why = True


def unwrapped(accelerator: Any, model: Any) -> Any:
    """Return the model as transformers loaded it: without what trains it in parallel, and without PEFT's wrapper."""
    model = accelerator.unwrap_model(model)
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def unshareable(model: Any, fields: Mapping[str, Any]) -> str | None:
    """Return why an unwrapped model, given these fields of a batch, cannot share prompts; None where it can."""
    config = model.config
    text = config.get_text_config()
    if config.model_type not in (*MROPE, *ROPE) or text.model_type not in TEXT:
        return f"{config.model_type} on {text.model_type} is not among the architectures that are tested with it"
    if text._attn_implementation not in ("sdpa", "eager"):
        return f"attention '{text._attn_implementation}' takes no mask of ours; set attn_implementation to sdpa"
    windows = set(getattr(text, "layer_types", None) or ()) - {"full_attention"}
    if windows or (getattr(text, "sliding_window", None) and getattr(text, "use_sliding_window", True)):
        return f"layers of {text.model_type} see a window only"
    strange = [name for name, value in fields.items() if value is not None and name not in (*PICTURES, TYPES)]
    return f"{', '.join(strange)} is not known here" if strange else None


def to_rows(input_ids: Tensor, attention_mask: Tensor, num_completion: int, fields: Mapping[str, Any]) -> Rows:
    """Return the rows of a batch, each with its own pictures."""
    from trl.trainer.utils import split_pixel_values_by_grid

    pictures = split_pixel_values_by_grid(pictures_of(fields))
    return Rows(input_ids, attention_mask.long(), num_completion, pictures, fields.get(TYPES))


def pictures_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return those fields of a batch that belong to pictures."""
    return {name: fields[name] for name in PICTURES if fields.get(name) is not None}


def merged(pictures: dict[str, Any]) -> dict[str, Any]:
    """Return the pictures of rows in the form that models take, with COUNTS; nothing where no row has any."""
    from trl.trainer.utils import unsplit_pixel_values_by_grid

    return dict(unsplit_pixel_values_by_grid(pictures)) if any(pictures.get("num_images", ())) else {}


def model_inputs(pictures: dict[str, Any]) -> dict[str, Any]:
    """Return what a model takes of the pictures of rows."""
    return {name: value for name, value in merged(pictures).items() if name not in COUNTS}


def prompt_groups(input_ids: Tensor, attention_mask: Tensor, pictures: dict[str, Any]) -> list[list[int]]:
    """Return the numbers of the rows with the same prompt and pictures. Prompts (B, P) are padded on the left."""
    pairs = zip(input_ids.tolist(), attention_mask.sum(1).tolist(), strict=True)
    return find_groups([tuple(ids[len(ids) - length :]) for ids, length in pairs], pictures)


def shuffle_groups(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Shuffle the rows of a generation batch as TRL does, and then put those of a group behind its first.

    As many random numbers are drawn as by TRL's shuffle, so that what is sampled later does not depend on it.
    """
    import torch

    order = torch.randperm(len(batch["prompt_ids"])).tolist()
    groups = prompt_groups(batch["prompt_ids"], batch["prompt_mask"], pictures_of(batch))
    number = {row: at for at, rows in enumerate(groups) for row in rows}
    first: dict[int, int] = {}
    for at, row in enumerate(order):
        first.setdefault(number[row], at)
    order.sort(key=lambda row: first[number[row]])
    is_row = {name: isinstance(values, list) or getattr(values, "ndim", 0) > 0 for name, values in batch.items()}
    return {name: take(values, order) if is_row[name] else values for name, values in batch.items()}


def shared_layout(model: Any, rows: Rows) -> Layout | None:
    """Return the layout in which these rows share prompts, or None where TRL's is the better or the only one."""
    start = rows.num_prompt
    change = rows.attention_mask.diff(dim=1)
    is_padded_outside = not (change[:, : start - 1] < 0).any() and not (change[:, start:] > 0).any()
    # The last token of a prompt is repeated, and a completion brings no pictures along.
    images = (rows.input_ids == model.config.image_token_id) & (rows.attention_mask > 0)
    if not is_padded_outside or images[:, start - 1 :].any():
        return None
    groups = prompt_groups(rows.input_ids[:, :start], rows.attention_mask[:, :start], rows.pictures)
    return arrange(rows, groups, even_width(model.config.get_text_config()))


def even_width(text: Any) -> float:
    """Return the row length at which attention over whole rows costs as much as the weights of a layer.

    A layer of n weights takes 2n operations a token; attention takes 4 · heads · head_dim a token and token seen.
    """
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    queries = text.num_attention_heads * head
    keys = (getattr(text, "num_key_value_heads", None) or text.num_attention_heads) * head
    num_weights = text.hidden_size * (2 * queries + 2 * keys + 3 * text.intermediate_size)
    return float(num_weights / (2 * queries))


def score(model: Any, bare: Any, rows: Rows, layout: Layout) -> tuple[Tensor, Tensor | None]:
    """Return log-probabilities and entropies (B, C) of the completions; the latter as far as the head computes them.

    `model` may be wrapped, and is what is called; `bare` is what it wraps, with the head of TRL's `add_fused_lm_head`.
    """
    predicting, predicted = layout.scored()
    place = positions(bare, rows).flatten(1)[:, layout.source]  # (1 or 4, R, L)
    inputs = model_inputs({name: take(values, layout.first_rows) for name, values in rows.pictures.items()})
    if rows.token_types is not None:
        inputs[TYPES] = rows.token_types.flatten()[layout.source]
    with states_at(bare.base_model, predicting):
        outputs = model(
            input_ids=rows.input_ids.flatten()[layout.source],
            attention_mask=layout.mask(attention_dtype(bare)),
            position_ids=place if len(place) > 1 else place[0],
            shift_labels=rows.input_ids.flatten()[predicted][None],
            fused_lm_head=True,
            **inputs,
        )

    def in_place(values: Tensor) -> Tensor:
        flat = values.new_zeros(rows.input_ids.numel()).index_copy(0, predicted, values[0])
        return flat.view(rows.input_ids.shape)[:, rows.num_prompt :]

    return in_place(outputs.log_probs), None if outputs.entropy is None else in_place(outputs.entropy)


def positions(model: Any, rows: Rows) -> Tensor:
    """Return the positions that the model gives the tokens of the plain layout.

    (1, B, P + C); or (4, B, P + C) for multimodal ones: the place in the text, then time, height and width.
    """
    import torch

    place = (rows.attention_mask.cumsum(1) - 1).clamp(min=0)[None]
    if model.config.model_type not in MROPE:
        return place
    grids = model_inputs(rows.pictures).get("image_grid_thw")
    if grids is None:
        return place.expand(4, -1, -1)
    seen, _ = model.base_model.get_rope_index(
        rows.input_ids,
        mm_token_type_ids=rows.token_types,
        image_grid_thw=grids,
        attention_mask=rows.attention_mask,
    )
    return torch.cat([place, seen])


@contextmanager
def states_at(backbone: Any, places: Tensor) -> Iterator[None]:
    """Within the block, the backbone returns its hidden states at these places alone, (1, N, width), for the head."""

    def keep(_module: Any, _inputs: Any, output: Any) -> Any:
        output.last_hidden_state = output.last_hidden_state.flatten(0, 1).index_select(0, places)[None]
        return output

    handle = backbone.register_forward_hook(keep)
    try:
        yield
    finally:
        handle.remove()


def attention_dtype(model: Any) -> Any:
    """Return the precision in which attention is computed here: autocast's, or that of the embeddings."""
    import torch

    device = model.device.type
    if torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return model.get_input_embeddings().weight.dtype
