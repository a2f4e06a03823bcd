"""Longest: which rows have the most tokens, whatever makes them long, without opening a picture.

    hardest = longest(processor, rows, text_of, max_tokens=2048)

A text is at most as many tokens as bytes, and the tokens of a picture follow from its size, which stands in its header:
only texts for which that leaves a doubt are encoded.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

from emollm.pictures import picture_size
from emollm.train.rows import Row
from emollm.vlm.turns import ask_about, neutralise, prompt_text

NUM_CHECKED = 8
"""Rows that are encoded whole before a training starts: those with the most tokens."""
AT_ONCE = 1024
"""Texts that are encoded together."""


class Asked(Protocol):
    """A question about a picture, or about none."""

    @property
    def picture(self) -> str | None:
        """The file of the picture."""


T = TypeVar("T", bound=Asked)


def longest(
    processor: Any,
    rows: Sequence[T],
    text_of: Callable[[T], str],
    max_tokens: int | None = None,
    number: int = NUM_CHECKED,
) -> list[T]:
    """Return the rows with the most tokens, the longest first.

    Exact where it matters: among rows that might have more than `max_tokens`, with pictures of a family whose processor
    tells their tokens by the size alone; else by the bounds. Raises SourceError for a picture that cannot be read.
    """
    of_pictures = picture_tokens(processor, rows)
    bounds = [len(text_of(row).encode()) + of_pictures.get(row.picture, 0) for row in rows]
    places: Sequence[int] = range(len(rows))
    if max_tokens is not None:
        room = max_tokens - len(prompt_text(processor, ask_about(None, "")).encode())
        in_doubt = [place for place in places if bounds[place] > room]
        counted = count_tokens(processor, (text_of(rows[place]) for place in in_doubt))
        for place, count in zip(in_doubt, counted, strict=True):
            bounds[place] = count + of_pictures.get(rows[place].picture, 0)
        places = in_doubt or places
    return [rows[place] for place in heapq.nlargest(number, places, key=lambda place: bounds[place])]


def text_of(row: Row) -> str:
    """Return what of a row becomes tokens, but for its picture."""
    return f"{row.question}\n{row.answer}"


def picture_tokens(processor: Any, rows: Sequence[Asked]) -> dict[str | None, int]:
    """Return the tokens of each picture, by its file; of none where the processor does not tell."""
    count = getattr(processor, "_get_num_multimodal_tokens", None)
    if count is None:
        return {}
    sizes = {row.picture: picture_size(Path(row.picture)) for row in rows if row.picture is not None}
    of_sizes = {
        (width, height): count(image_sizes=[(height, width)])["num_image_tokens"][0]
        for width, height in set(sizes.values())
    }
    return {picture: of_sizes[size] for picture, size in sizes.items()}


def count_tokens(processor: Any, texts: Iterator[str]) -> Iterator[int]:
    """Yield how many tokens each text has, without those of a chat template."""
    while batch := [neutralise(text, processor) for text in islice(texts, AT_ONCE)]:
        yield from map(len, processor.tokenizer(batch, add_special_tokens=False)["input_ids"])
