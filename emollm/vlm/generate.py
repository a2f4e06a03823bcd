"""Let a model answer: batches padded on the left, image tokens never sampled, settings that can be written down.

Example:

    for completion in generate(model, processor, turns, Sampling(max_new_tokens=300)):
        print(completion.text)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from emollm.vlm.memory import memory_said
from emollm.vlm.turns import Turn, control_tokens, encode_prompts


class Sampling(NamedTuple):
    """How an answer is drawn. At temperature 0 the most likely token is taken, and the answer is always the same."""

    max_new_tokens: int = 400
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


GREEDY = Sampling()


class Completion(NamedTuple):
    """What the model said, and how many tokens it took. `finished` is False where it was cut off."""

    text: str
    num_tokens: int
    finished: bool


def generate(
    model: Any, processor: Any, turns: Sequence[Turn], sampling: Sampling = GREEDY, streamer: Any = None
) -> list[Completion]:
    """Return one completion a turn. A batch gives what its turns would give one by one (at temperature 0).

    `streamer` is a transformers streamer; it takes batches of one turn only. Raises ModelError where memory is full.
    """
    less = "lower the size of the batch, the number of new tokens or the size of the pictures, or take dtype bfloat16"
    with memory_said(f"{len(turns)} answer(s) of {sampling.max_new_tokens} tokens at once", less):
        return _generate(model, processor, turns, sampling, streamer)


def _generate(model: Any, processor: Any, turns: Sequence[Turn], sampling: Sampling, streamer: Any) -> list[Completion]:
    import torch

    inputs = {name: _to(value, model.device) for name, value in encode_prompts(processor, turns).items()}
    config = _generation_config(model, processor, sampling)
    if sampling.temperature > 0:
        torch.manual_seed(sampling.seed % 2**64)  # torch takes no larger numbers
    with torch.inference_mode():
        output = model.generate(**inputs, generation_config=config, streamer=streamer)
    return [_completion(row, processor, config) for row in output[:, inputs["input_ids"].shape[1] :].tolist()]


def _to(value: Any, device: Any) -> Any:
    return value.to(device) if hasattr(value, "to") else value


def _generation_config(model: Any, processor: Any, sampling: Sampling) -> Any:
    """Set everything that shapes an answer, so that no default saved with the model plays a part."""
    from transformers import GenerationConfig

    tokenizer = processor.tokenizer
    ends = end_ids(model, tokenizer)
    drawn = sampling.temperature > 0
    return GenerationConfig(
        max_new_tokens=sampling.max_new_tokens,
        do_sample=drawn,
        temperature=sampling.temperature if drawn else 1.0,
        top_p=sampling.top_p if drawn else 1.0,
        top_k=0 if drawn else 50,
        num_beams=1,
        repetition_penalty=1.0,
        suppress_tokens=never_sampled(processor, ends),
        eos_token_id=ends,
        pad_token_id=ends[0] if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
    )


def end_ids(model: Any, tokenizer: Any) -> list[int]:
    """Return every token that ends an answer: the tokenizer's, and those saved with the model."""
    saved = model.generation_config.eos_token_id
    ends = saved if isinstance(saved, list) else [saved]
    return sorted({token for token in (*ends, tokenizer.eos_token_id) if token is not None})


def never_sampled(processor: Any, ends: Sequence[int]) -> list[int] | None:
    """Return the control tokens that end nothing: a sampled image token would ask for a picture that is not there."""
    ids = {processor.tokenizer.convert_tokens_to_ids(token) for token in control_tokens(processor)}
    return sorted(token for token in ids if token is not None and token not in ends) or None


def _completion(row: list[int], processor: Any, config: Any) -> Completion:
    ends = set(config.eos_token_id)
    length = next((at for at, token in enumerate(row) if token in ends), len(row))
    text = processor.tokenizer.decode(row[:length], skip_special_tokens=True).strip()
    return Completion(text, length, length < len(row))
