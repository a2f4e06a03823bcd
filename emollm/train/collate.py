"""From rows to tensors, and the check before the first step that they fit the model.

Example:

    collate = Collator(processor)
    batch = collate(rows)          # input_ids (B, T), labels (B, T), pixels
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emollm.errors import ConfigError, EmoLLMError, ModelError
from emollm.pictures import open_picture
from emollm.train.rows import Row
from emollm.vlm.turns import IGNORED, ask_about, encode_answers

NUM_CHECKED = 8
"""Rows that are encoded before the training starts: those with the longest answers."""


class Collator:
    """Turns rows into a batch. Holds the processor, so that workers of the data loader can be given it."""

    def __init__(self, processor: Any) -> None:
        self.processor = processor

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Open the pictures and encode questions and answers."""
        turns = [ask_about(open_picture(Path(row["images"][0])), row["question"]) for row in rows]
        return encode_answers(self.processor, turns, [row["answer"] for row in rows])


def check_rows(processor: Any, rows: Sequence[Row], max_tokens: int | None = None) -> None:
    """Encode the longest rows one by one. Raises ConfigError that names the row which does not fit.

    A row fits when the picture has tokens, the answer carries a loss, and the model reads that many tokens.
    """
    longest = heapq.nlargest(NUM_CHECKED, rows, key=lambda row: len(row.question) + len(row.answer))
    for row in longest:
        where = f"row '{row.id}' ({row.style}, {row.picture})"
        try:
            batch = Collator(processor)([{**row._asdict(), "images": [row.picture]}])
        except EmoLLMError:
            raise
        except (ValueError, RuntimeError, IndexError) as error:
            raise ConfigError(f"{where}: cannot be encoded: {' '.join(str(error).split())}") from None
        num_tokens = batch["input_ids"].shape[1]
        if not (batch["labels"] != IGNORED).any():
            raise ConfigError(f"{where}: the answer is empty, so there is nothing to learn")
        if num_image_tokens(processor, batch) == 0:
            raise ModelError(f"{where}: the picture gives no tokens; the chat template drops it")
        if max_tokens is not None and num_tokens > max_tokens:
            raise ConfigError(
                f"{where}: {num_tokens} tokens, but the model reads {max_tokens}; lower max_pixels or shorten the text"
            )


def num_image_tokens(processor: Any, batch: Mapping[str, Any]) -> int:
    """Return how many tokens of an encoded batch stand for pictures."""
    image_id = processor.tokenizer.convert_tokens_to_ids(processor.image_token)
    return int((batch["input_ids"] == image_id).sum())
