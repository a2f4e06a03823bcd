"""FEA-20K's lines, as Facial-R1 trains on them.

    {"id": …, "dataset": …, "image": "images/a.png", "question": …, "AUs": ["AU6", "AU12"], "labels": ["happiness"],
     "description": "<think>…</think>\\n<answer>happiness</answer>", "meta_info": {…}}

Source: RobitsG/Facial-R1, `open_r1/grpo_jsonl.py` and `configs/config.json`. The trainer adds the labels and the form
of the answer to the question itself, and looks up shares of AUs and labels under the name of the file: `config.json`
has them. It wants a list in `AUs`; which AUs were measured at all stands in `meta_info`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from data_engine.exports.aus import shown_aus
from data_engine.exports.files import json_lines
from data_engine.exports.turns import Refusal, Row, Wording, kind_of, turns, variant_of
from emollm.cards.origin import source_of
from emollm.facs import EXPRESSIVE, prose
from emollm.files import write_json
from emollm.prompts import language_of, wordings
from emollm.records import Sample
from emollm.scoring import main_face

FILE = "data.jsonl"

NOTES = (
    "`AUs` is empty where nothing is present, and where nothing was measured: `meta_info.measured_AUs` tells them "
    "apart. Texts here may deny an AU and weigh one reading against another; the prompt of the authors asks for "
    "neither.",
)


def fea_turns(sample: Sample, wording: Wording) -> Iterator[Row | Refusal]:
    """Yield the example with the bare question; what the person says is no part of this format."""
    for one in turns(sample, wording):
        if isinstance(one, Row):
            pool = wordings(wording.style, kind_of(sample), language_of(sample))
            one = one._replace(question=pool[variant_of(sample, wording, wording.style) % len(pool)])
        yield one


def write_fea20k(rows: Iterable[Row], folder: Path) -> None:
    """Write the lines, and the shares of AUs and labels in them."""
    num_rows = 0
    labels: Counter[str] = Counter()
    aus: Counter[str] = Counter()
    with json_lines(folder / FILE) as file:
        for row in rows:
            shown = [prose(code) for code in shown_aus(row.sample)]
            file.write(_line(row, shown))
            num_rows += 1
            labels[row.label] += 1
            aus.update(shown)
    write_json(folder / "config.json", {FILE: {"AUs": _shares(aus, num_rows), "emotions": _shares(labels, num_rows)}})


def _line(row: Row, shown: list[str]) -> dict[str, object]:
    sample, face = row.sample, main_face(row.sample)
    measured = sorted(code for code in (face.aus or {} if face is not None else {}) if code in EXPRESSIVE)
    told = {
        "measured_AUs": [prose(code) for code in measured],
        "label_set": sample.label_set,
        "split": sample.split,
        "subject": sample.subject,
    }
    return {
        "id": row.id,
        "dataset": source_of(sample) or "unknown",
        "image": row.media,
        "question": row.question,
        "AUs": shown,
        "labels": [row.label],
        "description": row.answer,
        "meta_info": told,
    }


def _shares(counts: Counter[str], total: int) -> dict[str, float]:
    """Return shares of the rows, four digits as in the file of the authors."""
    return {name: round(number / total, 4) for name, number in sorted(counts.items())}
