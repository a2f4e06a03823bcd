"""MERR, the files that Emotion-LLaMA trains on and MER-Factory writes.

    MERR_coarse_grained.txt    clip-1 45 happy -10          name, frames, emotion, value
    MERR_coarse_grained.json   {"clip-1": {"AU_list": […], "visual_prior_list": […], …, "caption": what is seen}}
    MERR_fine_grained.txt, .json                            the same with the whole text as `smp_reason_caption`
    transcription_en_all.csv   name,sentence

Source: ZebangCheng/Emotion-LLaMA, `docs/dataset/configuration.md`; Lum1104/MER-Factory, `export.py`. A value of -10 is
what MERR has where there is no valence; the scale of the others is told nowhere, so we give none. Nothing here was
heard: `audio_prior_list` is empty. `peak_AU_intensities` is ours: MERR keeps the names alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Any

from data_engine.exports.aus import moved_aus, shown_aus
from data_engine.exports.files import csv_table, json_object, text_lines
from data_engine.exports.media import FOLDERS
from data_engine.exports.turns import Refusal, Row, Wording, missing, prose
from emollm.facs import UNITS
from emollm.labels import canonical
from emollm.records import Face, Sample
from emollm.scoring import main_face

EMOTIONS = {"anger": "angry", "happiness": "happy", "sadness": "sad"}
"""Labels that MERR spells otherwise; a reader stops at a word that is none of its nine."""

NOTES = (
    "Emotion-LLaMA looks for `NAME.mp4` or `NAME.avi`, and for features of face, film and sound that are not here. A "
    "value of -10 is MERR's own for none. `AU_list` holds what is present at the peak or in an event, `peak_AU_list` "
    "what is present at the peak; `peak_AU_intensities` is an addition of ours. `audio_prior_list` is empty: nothing "
    "was heard.",
)

NO_VALUE = -10
DIGITS = 3


def merr_rows(sample: Sample, _: Wording) -> Iterator[Row | Refusal]:
    """Yield one row with the label in MERR's words."""
    label = canonical(sample.label, "merr9") if sample.label else None
    if lack := missing(sample, "think"):
        yield lack
    elif label is None:
        yield Refusal("no_merr_label", f"'{sample.label}' is none of MERR's nine")
    elif sample.reasoning is not None:
        yield Row(sample, "", prose(sample.reasoning), EMOTIONS.get(label, label))


def write_merr(rows: Iterable[Row], folder: Path) -> None:
    """Write both pairs of files and the transcripts. A folder without any transcript has no file of them."""
    any_text = False
    transcripts = folder / "transcription_en_all.csv"
    with ExitStack() as stack:
        texts = [stack.enter_context(text_lines(folder / f"MERR_{grain}_grained.txt")) for grain in ("coarse", "fine")]
        coarse = stack.enter_context(json_object(folder / "MERR_coarse_grained.json"))
        fine = stack.enter_context(json_object(folder / "MERR_fine_grained.json"))
        sentences = stack.enter_context(csv_table(transcripts, ("name", "sentence")))
        for row in rows:
            name = clip_name(row)
            for text in texts:
                text.write(f"{name} {row.frames} {row.label} {NO_VALUE}")
            entry = _entry(row)
            coarse.write((name, {**entry, "caption": _caption(row.sample)}))
            fine.write((name, {**entry, "smp_reason_caption": row.answer}))
            sentences.write((name, entry["text"]))
            any_text = any_text or bool(entry["text"])
    if not any_text:
        transcripts.unlink(missing_ok=True)


def clip_name(row: Row) -> str:
    """Return what the files call a clip: its path without the folder of the kind and without the suffix."""
    return PurePosixPath(row.media).relative_to(FOLDERS[row.kind]).with_suffix("").as_posix()


def _entry(row: Row) -> dict[str, Any]:
    """Return what the coarse and the fine file share."""
    sample = row.sample
    peak = _peak(sample)
    shown = shown_aus(sample, peak) if peak is not None else {}
    return {
        "AU_list": moved_aus(sample),
        "visual_prior_list": [UNITS[code].name for code in shown],
        "audio_prior_list": "",
        "peak_index": str(peak.frame) if peak is not None and peak.frame is not None else "",
        "peak_AU_list": list(shown),
        "peak_AU_intensities": {code: round(au.value, DIGITS) for code, au in shown.items() if au.kind == "intensity"},
        "text": " ".join((sample.text or "").split()),
        "pseu_emotion": row.label,
    }


def _peak(sample: Sample) -> Face | None:
    """The moment that stands for the clip: the first of its main face."""
    main = main_face(sample)
    return next((face for face in sample.faces or () if main is not None and face.aus and face.face == main.face), None)


def _caption(sample: Sample) -> str:
    """What is seen and said, before any conclusion."""
    seen = " ".join(sample.reasoning.observations.split()) if sample.reasoning is not None else ""
    return f'{seen} The person says: "{" ".join(sample.text.split())}"' if sample.text else seen
