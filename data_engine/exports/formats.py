"""Formats: what each family of trainers reads, and who writes it.

`FORMATS` maps a name to its `Format`: a function `rows(sample, wording)` that makes examples of a sample, and a
function `write(rows, folder)` that streams them into files. Paths of media in a row are relative to the folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from data_engine.exports.chats import write_llava, write_messages, write_sharegpt
from data_engine.exports.expllm import NOTES as EXPLLM_NOTES
from data_engine.exports.expllm import expllm_turns, write_expllm
from data_engine.exports.fea20k import NOTES as FEA20K_NOTES
from data_engine.exports.fea20k import fea_turns, write_fea20k
from data_engine.exports.mer_caption import NOTES as MER_CAPTION_NOTES
from data_engine.exports.mer_caption import caption_rows, write_mer_caption
from data_engine.exports.merr import NOTES as MERR_NOTES
from data_engine.exports.merr import merr_rows, write_merr
from data_engine.exports.parquet import write_parquet
from data_engine.exports.preference import NOTES as PREFERENCE_NOTES
from data_engine.exports.preference import pairs, write_preference
from data_engine.exports.turns import Refusal, Row, Wording, turns
from emollm.records import MediaKind, Sample

PICTURES: tuple[MediaKind, ...] = ("image",)
PICTURES_AND_CLIPS: tuple[MediaKind, ...] = ("image", "video")


class Format(NamedTuple):
    """One format of training files."""

    write: Callable[[Iterable[Row], Path], None]
    about: str
    """Who reads it, in a sentence."""
    files: Mapping[str, str]
    """File to what is in it."""
    shown: Mapping[str, str]
    """The files that the Hugging Face Hub can show, by the name of their part."""
    rows: Callable[[Sample, Wording], Iterator[Row | Refusal]] = turns
    kinds: tuple[MediaKind, ...] = PICTURES
    style: str | None = None
    """The one answer style that the format has; None leaves it to the user."""
    asks: bool = True
    """Whether it holds questions."""
    by_name: bool = False
    """Whether files name a picture or clip by its path without suffix: no blanks, and none twice."""
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader of the files has to know."""


FORMATS: dict[str, Format] = {
    "messages": Format(
        write_messages,
        "TRL, ms-swift and axolotl read it.",
        {
            "data.jsonl": "a line for each picture: `messages` with content blocks, `images`, `label`",
            "clips.jsonl": "a line for each clip, with `videos`",
        },
        {"default": "data.jsonl", "clips": "clips.jsonl"},
        kinds=PICTURES_AND_CLIPS,
    ),
    "sharegpt": Format(
        write_sharegpt,
        "LLaMA-Factory reads it: set `dataset_dir` to this folder.",
        {
            "data.json": "pictures: `conversations` and `images`; the data set `emollm`",
            "clips.json": "clips: `conversations` and `videos`; the data set `emollm_clips`",
            "dataset_info.json": "what LLaMA-Factory has to know of both",
        },
        {"default": "data.json", "clips": "clips.json"},
        kinds=PICTURES_AND_CLIPS,
        tags=("llama-factory",),
    ),
    "llava": Format(
        write_llava,
        "LLaVA, VLM-R1 and Qwen's fine-tuning scripts read it: this folder is the image folder.",
        {"data.json": "`image` and `conversations`"},
        {"default": "data.json"},
    ),
    "parquet": Format(
        write_parquet,
        "`datasets`, EasyR1 and verl read it.",
        {"data.parquet": "`messages`, and `images` with the bytes of the files inside"},
        {"default": "data.parquet"},
    ),
    "expllm": Format(
        write_expllm,
        "ExpLLM's trainer reads it, run from this folder with `train.txt`.",
        {
            "description.json": "`file_name`, `emo`, `au` (24 values, 0 to 1) and `description`",
            "label.json": "`file_name` and `emo`",
            "train.txt": "the published mixture: three bare labels to one explanation",
        },
        {"default": "description.json", "labels": "label.json"},
        rows=expllm_turns,
        style="sections",
        asks=False,
        notes=EXPLLM_NOTES,
    ),
    "fea20k": Format(
        write_fea20k,
        "Facial-R1 reads it; put `config.json` into its `configs/`.",
        {
            "data.jsonl": "`id`, `dataset`, `image`, `question`, `AUs`, `labels`, `description`, `meta_info`",
            "config.json": "shares of AUs and labels, which the trainer looks up by the name of the file",
        },
        {"default": "data.jsonl"},
        rows=fea_turns,
        style="think",
        notes=FEA20K_NOTES,
    ),
    "mer-caption": Format(
        write_mer_caption,
        "AffectGPT and the MER challenges read it: `mercaption.csv` stands for both of their tables.",
        {
            "mercaption.csv": "`name`, `openset` (a list of words) and `reason`",
            "subtitle_chieng.csv": "`name`, `chinese`, `english`: what is said",
        },
        {"default": "mercaption.csv", "subtitles": "subtitle_chieng.csv"},
        rows=caption_rows,
        kinds=PICTURES_AND_CLIPS,
        style="labels",
        asks=False,
        by_name=True,
        notes=MER_CAPTION_NOTES,
    ),
    "merr": Format(
        write_merr,
        "Emotion-LLaMA reads it, and `emollm detect`.",
        {
            "MERR_coarse_grained.txt": "name, number of frames, emotion, value",
            "MERR_coarse_grained.json": "AUs, peak and `caption`: what is seen",
            "MERR_fine_grained.txt": "name, number of frames, emotion, value",
            "MERR_fine_grained.json": "AUs, peak and `smp_reason_caption`: the whole text",
            "transcription_en_all.csv": "`name` and `sentence`, where anything is said",
        },
        {},
        rows=merr_rows,
        kinds=PICTURES_AND_CLIPS,
        style="sections",
        asks=False,
        by_name=True,
        notes=MERR_NOTES,
    ),
    "preference": Format(
        write_preference,
        "TRL's DPO trainer reads `data.jsonl`, LLaMA-Factory's `data.json`.",
        {
            "data.jsonl": "pictures: `prompt`, `chosen`, `rejected`, `images`, and the `problems` of the worse text",
            "clips.jsonl": "clips: the same with `videos`",
            "data.json": "pictures, for LLaMA-Factory: `conversations`, `chosen`, `rejected`, `images`",
            "clips.json": "clips, for LLaMA-Factory: the same with `videos`",
            "dataset_info.json": "what LLaMA-Factory has to know",
        },
        {"default": "data.jsonl", "clips": "clips.jsonl"},
        rows=pairs,
        kinds=PICTURES_AND_CLIPS,
        style="prose",
        tags=("preference", "dpo", "trl", "llama-factory"),
        notes=PREFERENCE_NOTES,
    ),
}
