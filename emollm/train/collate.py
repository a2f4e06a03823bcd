"""From rows to tensors, and the check before the first step that they fit the model.

Example:

    collate = Collator(processor)
    batch = collate(rows)          # input_ids (B, T), labels (B, T), pixels

A batch always shows a picture, if only a blank one that no token sees. Where weights are split over processes, all of
them take part whenever one is gathered: a process that left out the vision tower would let the others wait for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emollm.errors import ConfigError, EmoLLMError, ModelError, SourceError
from emollm.pictures import open_picture
from emollm.train.longest import longest, text_of
from emollm.train.rows import Row
from emollm.vlm.turns import IGNORED, ask_about, encode_answers, encode_prompts

if TYPE_CHECKING:
    from PIL.Image import Image

BLANK = (64, 64)
"""Pixels of the picture that stands in where a batch has none."""


class Collator:
    """Turns rows into a batch. Holds the processor, so that workers of the data loader can be given it."""

    def __init__(self, processor: Any) -> None:
        self.processor = processor

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Open the pictures and encode questions and answers."""
        pictures = [open_shown(row["id"], row["images"][0]) if row["images"] else None for row in rows]
        turns = [ask_about(picture, row["question"]) for picture, row in zip(pictures, rows, strict=True)]
        batch = encode_answers(self.processor, turns, [row["answer"] for row in rows])
        return batch if any(row["images"] for row in rows) else with_blank(self.processor, batch)


def open_shown(record_id: str, path: str) -> Image:
    """Open the picture of a sample. Raises SourceError that names both."""
    try:
        return open_picture(Path(path))
    except SourceError as error:
        raise SourceError(f"sample '{record_id}': {error}") from None


def with_blank(processor: Any, batch: Mapping[str, Any]) -> dict[str, Any]:
    """Add a blank picture to a batch that has none, in masked tokens (B, P) behind those of its first row.

    They carry no loss and no token attends to them, so that losses stay as they are, and the gradient that the blank
    picture gives is 0 for every weight of the vision tower, where it would be none.
    """
    import torch
    from PIL.Image import new

    blank = encode_prompts(processor, [ask_about(new("RGB", BLANK, "gray"), "?")])
    blank["labels"] = torch.full_like(blank["input_ids"], IGNORED)
    blank["attention_mask"].zero_()
    filler = {"labels": IGNORED, "input_ids": processor.tokenizer.pad_token_id}
    whole = {}
    for name, values in batch.items():
        tail = values.new_full((len(values), blank[name].shape[1]), filler.get(name, 0))
        tail[0] = blank[name][0]
        whole[name] = torch.cat([values, tail], 1)
    return blank | whole


def check_rows(processor: Any, rows: Sequence[Row], max_tokens: int | None = None) -> None:
    """Encode the longest rows one by one. Raises ConfigError that names the row which does not fit.

    A row fits when the picture has tokens, the answer carries a loss, and the model reads that many tokens.
    """
    shown, unseen = ([row for row in rows if bool(row.images) == has_picture] for has_picture in (True, False))
    for row in (row for some in (shown, unseen) for row in longest(processor, some, text_of, max_tokens)):
        where = f"row '{row.id}' ({row.style}, {row.picture or 'no picture'})"
        try:
            batch = Collator(processor)([encodable(row)])
        except EmoLLMError:
            raise
        except (ValueError, RuntimeError, IndexError) as error:
            raise ConfigError(f"{where}: cannot be encoded: {' '.join(str(error).split())}") from None
        num_tokens = batch["input_ids"].shape[1]
        if not (batch["labels"] != IGNORED).any():
            raise ConfigError(f"{where}: the answer is empty, so there is nothing to learn")
        if row.images and num_image_tokens(processor, batch) == 0:
            raise ModelError(f"{where}: the picture gives no tokens; the chat template drops it")
        if max_tokens is not None and num_tokens > max_tokens:
            raise ConfigError(
                f"{where}: {num_tokens} tokens, but the model reads {max_tokens}; lower max_pixels or shorten the text"
            )


def encodable(row: Row) -> dict[str, Any]:
    """Return a row as the data set gives it to the collator."""
    return {**row._asdict(), "images": row.images}


def num_image_tokens(processor: Any, batch: Mapping[str, Any]) -> int:
    """Return how many tokens of an encoded batch stand for pictures."""
    image_id = processor.tokenizer.convert_tokens_to_ids(processor.image_token)
    return int((batch["input_ids"] == image_id).sum())
