"""Turns: what is said to a model, and how it becomes tensors.

Training and generation encode a prompt with one function.

inputs = encode_prompts(processor, [ask_about(picture, "Which expression is this?")])
batch = encode_answers(processor, turns, answers)       # the same, with the answers and their labels
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from emollm.errors import ModelError

if TYPE_CHECKING:
    from PIL.Image import Image

IGNORED = -100
"""The label of a token that carries no loss."""
ANSWER_TYPE = {"PaliGemmaProcessor": 1}
"""The type of an answer's tokens, by processor; 0 elsewhere. PaliGemma reads tokens of type 0 both ways: an answer of
that type would see its own end."""


class Turn(NamedTuple):
    """A conversation up to the point where the model speaks: messages in the chat form of transformers."""

    messages: list[dict[str, Any]]
    pictures: tuple[Image, ...] = ()
    begun: str = ""
    """What the answer begins with; the model goes on from there."""


def ask_about(picture: Image | None, question: str) -> Turn:
    """Return a conversation with one question, and the picture before it."""
    content: list[dict[str, str]] = [{"type": "text", "text": question}]
    if picture is None:
        return Turn([{"role": "user", "content": content}])
    return Turn([{"role": "user", "content": [{"type": "image"}, *content]}], (picture,))


def encode_prompts(processor: Any, turns: Sequence[Turn]) -> dict[str, Any]:
    """Return the tensors that `model.generate` takes, padded on the left: ids (B, T), and pixels."""
    texts = [prompt_text(processor, turn) for turn in turns]
    pictures = [list(turn.pictures) for turn in turns]
    inputs = processor(
        text=texts,
        images=pictures if any(pictures) else None,
        padding=True,
        padding_side="left",
        add_special_tokens=False,
        return_tensors="pt",
    )
    return dict(inputs)


def prompt_text(processor: Any, turn: Turn) -> str:
    """Write the conversation in the model's chat template; control tokens that users typed become plain text."""
    messages = [_harmless(message, processor) for message in turn.messages]
    text: str = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text + neutralise(turn.begun, processor)


def _harmless(message: dict[str, Any], processor: Any) -> dict[str, Any]:
    content = message["content"]
    if isinstance(content, str):
        return {**message, "content": neutralise(content, processor)}
    parts = [{**part, "text": neutralise(part["text"], processor)} if "text" in part else part for part in content]
    return {**message, "content": parts}


def neutralise(text: str, processor: Any) -> str:
    """Break every control token of the model (`<|im_end|>`, `<image>`) in a text, so that it is read as letters."""
    for token in control_tokens(processor):
        if token in text:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text


def control_tokens(processor: Any) -> list[str]:
    """Return the special tokens of a model, image placeholders included."""
    tokenizer = processor.tokenizer
    added = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
    named = [getattr(processor, name, None) for name in ("image_token", "video_token")]
    return sorted({token for token in (*tokenizer.all_special_tokens, *added, *named) if token}, key=len, reverse=True)


def encode_answers(processor: Any, turns: Sequence[Turn], answers: Sequence[str]) -> dict[str, Any]:
    """Return a training batch: prompt and answer, padded on the right, with labels on the answer and its end alone.

    The prompt is encoded exactly as for generation, and nothing is ever cut off.
    """
    import torch

    prompts = encode_prompts(processor, turns)
    tokenizer = processor.tokenizer
    end = answer_end(processor)
    tails = [
        tokenizer(neutralise(answer, processor) + end, add_special_tokens=False)["input_ids"] for answer in answers
    ]
    kept = prompts["attention_mask"].bool()
    rows = {name: value for name, value in prompts.items() if _is_per_token(value, kept)}
    fill = {"input_ids": tokenizer.pad_token_id}
    answer_type = ANSWER_TYPE.get(type(processor).__name__, 0)
    batch = {name: value for name, value in prompts.items() if name not in rows}
    labels = []
    for name, values in rows.items():
        padded = []
        for row, keep, tail in zip(values, kept, tails, strict=True):
            said = {"input_ids": tail, "attention_mask": [1] * len(tail), "token_type_ids": [answer_type] * len(tail)}
            filler = said.get(name, [0] * len(tail))
            padded.append(torch.cat([row[keep], torch.tensor(filler, dtype=row.dtype)]))
            if name == "input_ids":
                labels.append(torch.tensor([IGNORED] * int(keep.sum()) + tail))
        batch[name] = torch.nn.utils.rnn.pad_sequence(padded, batch_first=True, padding_value=fill.get(name, 0))
    batch["labels"] = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=IGNORED)
    return batch


def _is_per_token(value: Any, mask: Any) -> bool:
    return hasattr(value, "shape") and tuple(value.shape) == tuple(mask.shape)


def answer_end(processor: Any) -> str:
    """Return what the chat template writes right after an answer, without the line break: the token that ends a turn.

    Raises ModelError where the template writes none: such a model would never learn to stop.
    """
    probe = "\u2063answer\u2063"
    turn = [{"role": "user", "content": [{"type": "text", "text": "?"}]}]
    reply = {"role": "assistant", "content": [{"type": "text", "text": probe}]}
    text: str = processor.apply_chat_template([*turn, reply], tokenize=False)
    end = text.rpartition(probe)[2].strip() or processor.tokenizer.eos_token or ""
    if not end:
        raise ModelError("the chat template ends an answer with no token; set tokenizer.eos_token")
    return end
