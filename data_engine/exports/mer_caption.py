"""MER-Caption's tables: open-vocabulary labels and descriptions, as AffectGPT and the MER challenges read them.

    mercaption.csv        name,openset,reason             clip-1,"['happy', 'proud']",The lip corners …
    subtitle_chieng.csv   name,chinese,english

Source: zeroQiaoba/MERTools, MER2025 track 2 and 3. There labels (`track2_train_mercaptionplus.csv`) and descriptions
(`track3_train_mercaptionplus.csv`) are two tables; readers look columns up by name, so this one table serves as both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from data_engine.exports.files import csv_table
from data_engine.exports.merr import clip_name
from data_engine.exports.turns import Refusal, Row, Wording, prose
from emollm.records import Sample

NOTES = (
    "Their readers look for `NAME.mp4`, and for sound and cropped faces that are not here. The descriptions tell of "
    "the face alone; those of MER-Caption also of the voice and the scene.",
)

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_QUOTES = str.maketrans({"'": "’", '"': "”", ",": " "})
"""The reader splits the list at quotes and commas, also at those inside a word."""


def caption_rows(sample: Sample, _: Wording) -> Iterator[Row | Refusal]:
    """Yield one row with the list of labels, or the one label as a list."""
    words = words_of(sample)
    if not words:
        yield Refusal("no_labels")
    elif sample.reasoning is None:
        yield Refusal("no_reasoning")
    else:
        yield Row(sample, "", prose(sample.reasoning), ", ".join(words))


def words_of(sample: Sample) -> list[str]:
    """Return the list of labels, or the one label as a list."""
    return list(sample.labels or ([sample.label] if sample.label else []))


def openset(words: Iterable[str]) -> str:
    """Return labels as the table has them: a Python list of words in single quotes."""
    return "[" + ", ".join(f"'{' '.join(word.translate(_QUOTES).split())}'" for word in words) + "]"


def write_mer_caption(rows: Iterable[Row], folder: Path) -> None:
    """Write the table and the subtitles; the reader wants a line for every clip, said or not."""
    with (
        csv_table(folder / "mercaption.csv", ("name", "openset", "reason")) as captions,
        csv_table(folder / "subtitle_chieng.csv", ("name", "chinese", "english")) as subtitles,
    ):
        for row in rows:
            name = clip_name(row)
            text = " ".join((row.sample.text or "").split())
            captions.write((name, openset(words_of(row.sample)), row.answer))
            subtitles.write((name, text, "") if _CHINESE.search(text) else (name, "", text))
