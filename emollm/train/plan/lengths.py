"""Lengths: how many rows there are, and how many tokens the mean and the longest of them have.

    lengths = measure(stage, options, config)

Where the training file and the model's processor are there, rows are encoded as in training. Without the processor,
characters are counted and the picture's tokens follow from its size; without the file, published lengths are assumed.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ModelError
from emollm.prompts import ask
from emollm.records import Sample
from emollm.train.longest import longest, text_of
from emollm.train.pairs import Choosing, find_pairs, rows_of
from emollm.train.plan.compute import Row
from emollm.train.questions import Asking, make_questions
from emollm.train.refused import of_split
from emollm.train.rows import BARE, TEXT_ALONE, Mixture, make_rows
from emollm.train.rows import Row as TrainRow

NUM_MEASURED = 24
"""Rows drawn for the mean; as many of the longest are measured besides."""
CHARS_PER_TOKEN = 4.0
TEMPLATE = 30
"""Tokens that a chat template adds: roles, ends of turns, a system line."""
ANSWER = (160, 200)
"""Tokens of the mean and the longest explanation where there is no file: ExpLLM's have 117 and 146 words."""
LABEL = 4


class Lengths(NamedTuple):
    """The rows of a training and their lengths, and where they are known from; of pairs, both answers are measured."""

    rows: int | None
    mean: Row
    longest: Row
    origin: str


def measure(stage: str, options: Mapping[str, Any], config: Any) -> Lengths:
    """Return the lengths of the rows that this recipe learns from."""
    path = Path(options["train_file"])
    processor = _processor(options, config)
    if not path.is_file():
        at_most = _assumed(stage, options, config, longest=True)
        origin = f"there is no {path} yet; pictures of {_side(options)} x {_side(options)} assumed"
        return Lengths(None, _assumed(stage, options, config), at_most, origin)
    rows = ROWS[stage](options, config)
    chosen = random.Random(0).sample(rows, min(NUM_MEASURED, len(rows)))
    if processor is None:
        chosen += heapq.nlargest(NUM_MEASURED, rows, key=lambda row: _counted(row, options, config).tokens)
        measured = [_counted(row, options, config) for row in chosen]
        origin = f"{path}, {CHARS_PER_TOKEN:g} characters a token: the processor of {options['model']} is not here"
    else:
        chosen += longest(processor, rows, text_of, number=NUM_MEASURED)
        measured = [_encoded(row, processor, config) for row in chosen]
        origin = f"{path}, measured on {len(chosen)} rows"
    if stage == "grpo":
        measured = [_with_completion(row, options["max_completion_length"]) for row in measured]
    drawn = measured[:NUM_MEASURED] or [_assumed(stage, options, config)]
    mean = Row(*(sum(column) / len(drawn) for column in zip(*drawn, strict=True)))
    return Lengths(
        len(rows) // (2 if stage == "dpo" else 1), mean, Row(*map(max, zip(*(measured or drawn), strict=True))), origin
    )


def _rows(options: Mapping[str, Any], config: Any) -> list[TrainRow]:
    mixture = Mixture(options["styles"], options["label_set"], seed=options["seed"])
    return make_rows(_samples(options), _root(options), mixture, config.model_type in TEXT_ALONE)[0]


def _questions(options: Mapping[str, Any], _config: Any) -> list[TrainRow]:
    """Return the questions of GRPO as rows whose answer is still to come."""
    asking = Asking(options["style"], options["label_set"], options["seed"], options["language"])
    asked, _ = make_questions(_samples(options), _root(options), asking)
    return [TrainRow(one.id, one.picture, asking.style, one.question, "") for one, _ in asked]


def _pairs(options: Mapping[str, Any], _config: Any) -> list[TrainRow]:
    """Return the rows of DPO's pairs, two of each."""
    completions = None if options["completions"] is None else Path(options["completions"])
    choosing = Choosing(options["margin"], options["style"], options["label_set"], options["language"])
    return rows_of(find_pairs(Path(options["train_file"]), _root(options), completions, choosing)[0])


ROWS = {"sft": _rows, "grpo": _questions, "dpo": _pairs}
"""What each stage learns from."""


def _samples(options: Mapping[str, Any]) -> Iterator[Sample]:
    return of_split(Path(options["train_file"]), options["split"])


def _root(options: Mapping[str, Any]) -> Path:
    return Path(options["media_root"] or Path(options["train_file"]).parent)


def _processor(options: Mapping[str, Any], config: Any) -> Any:
    """Return the processor of the base as training sets it up, or None where it is not on this machine."""
    from emollm.vlm.load import read_processor
    from emollm.vlm.processors import set_max_pixels

    try:
        processor = read_processor(str(options["model"]), config.model_type, is_local=True)
    except ModelError:
        return None
    if options.get("max_pixels"):
        set_max_pixels(processor, options["max_pixels"])
    return processor


def _encoded(row: TrainRow, processor: Any, config: Any) -> Row:
    """Measure a row as the collator encodes it."""
    from emollm.train.collate import Collator, encodable
    from emollm.vlm.turns import IGNORED

    batch = Collator(processor)([encodable(row)])
    ids = batch["input_ids"]
    image = int((ids == processor.tokenizer.convert_tokens_to_ids(processor.image_token)).sum())
    return Row(ids.shape[1], int((batch["labels"] != IGNORED).sum()), image, _patches(batch, image, config))


def _patches(batch: Mapping[str, Any], image: int, config: Any) -> int:
    """Return how many patches the vision tower is given."""
    if "image_grid_thw" in batch:
        return int(batch["image_grid_thw"].prod(-1).sum())
    size = getattr(config.vision_config, "patch_size", 0)
    patch = size[0] if isinstance(size, list | tuple) else size
    pixels = batch.get("pixel_values")
    return int(pixels[..., 0, :, :].numel() // patch**2) if patch and pixels is not None else image


def _counted(row: TrainRow, options: Mapping[str, Any], config: Any) -> Row:
    """Measure a row without a processor: by its characters, and by the size of its picture."""
    from PIL import Image

    image, patches = 0, 0
    if row.picture is not None:
        with Image.open(row.picture) as picture:
            image, patches = picture_tokens(config, (picture.height, picture.width), options.get("max_pixels"))
    answer = len(row.answer) / CHARS_PER_TOKEN
    return Row(TEMPLATE + len(row.question) / CHARS_PER_TOKEN + image + answer, answer, image, patches)


def _assumed(stage: str, options: Mapping[str, Any], config: Any, longest: bool = False) -> Row:
    """Return the lengths of a row where there is no file: published answers, pictures as large as they may be."""
    side = _side(options)
    image, patches = picture_tokens(config, (side, side), options.get("max_pixels"))
    label_set = options["label_set"] or "basic7"
    if stage == "grpo":
        shares, texts = [1.0], [(len(ask(options["style"], label_set)), options["max_completion_length"])]
    elif stage == "dpo":
        shares, texts = [1.0], [(len(ask(options["style"], label_set)), ANSWER[longest])]
    else:
        styles = {style: share for style, share in options["styles"].items() if share}
        shares = list(styles.values())
        texts = [(len(ask(s, label_set)), LABEL if s in BARE else ANSWER[longest]) for s in styles]
    if longest:
        shares = [float(text == max(texts, key=sum)) for text in texts]
    question = sum(share * text[0] for share, text in zip(shares, texts, strict=True)) / sum(shares)
    answer = sum(share * text[1] for share, text in zip(shares, texts, strict=True)) / sum(shares)
    return Row(TEMPLATE + question / CHARS_PER_TOKEN + image + answer, answer, image, patches)


def _side(options: Mapping[str, Any]) -> int:
    return int((options["max_pixels"] or 448**2) ** 0.5)


def _with_completion(row: Row, length: int) -> Row:
    return row._replace(tokens=row.tokens - row.answer + length, answer=length)


def picture_tokens(config: Any, size: tuple[int, int], max_pixels: int | None = None) -> tuple[int, int]:
    """Return the tokens and the patches of a picture of (height, width) pixels, by the rule of the base's processor.

    Qwen-VL cuts a picture of any size; LLaVA-OneVision adds tiles of it, of which the padding is not counted out here.
    Others show one picture of a fixed size, and tiles, which some add, are not counted: their processor knows.
    """
    vision = config.vision_config
    patch = vision.patch_size[0] if isinstance(vision.patch_size, list | tuple) else vision.patch_size
    if hasattr(vision, "spatial_merge_size"):
        from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import smart_resize

        smallest, largest = (65_536, 16_777_216) if config.model_type == "qwen3_vl" else (3_136, 12_845_056)
        largest = max_pixels or largest
        unit = patch * vision.spatial_merge_size
        height, width = smart_resize(*size, factor=unit, min_pixels=min(smallest, largest), max_pixels=largest)
        return height * width // unit**2, height * width // patch**2
    side = vision.image_size[0] if isinstance(vision.image_size, list | tuple) else vision.image_size
    grid = side // patch
    if hasattr(config, "image_grid_pinpoints"):
        from transformers.image_processing_utils import select_best_resolution

        height, width = select_best_resolution(size, config.image_grid_pinpoints)
        tiles = height * width // side**2
        return grid**2 * (1 + tiles) + grid * height // side, grid**2 * (1 + tiles)
    if hasattr(config, "mm_tokens_per_image"):
        return config.mm_tokens_per_image, grid**2
    shrink = getattr(config, "downsample_ratio", 1.0) / getattr(config, "scale_factor", 1)
    return int(grid**2 * shrink**2), grid**2
