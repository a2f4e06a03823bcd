"""ExpLLM's files: labels, and explanations with the 24 values of FEAFA.

    description.json   [{"file_name": "a.png", "emo": "Happiness", "au": [24 numbers], "description": "**Key …"}, …]
    label.json         [{"file_name": "a.png", "emo": "Happiness"}, …]
    train.txt          description.json,images,1 and label.json,images,3: the published mixture

Source: starhiking/ExpLLM-TMM, `datasets/facetask.py` and `data_list/`. The authors name no place of `au`; the order is
FEAFA's own, found again by measurement (`data_engine/sources/feafa.py`). Their trainer does not read `au` at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from data_engine.exports.files import json_array, text_lines
from data_engine.exports.media import FOLDERS
from data_engine.exports.turns import Refusal, Row, Wording, turns
from data_engine.sources.feafa import NUM_VALUES, PLACES
from emollm.records import AU, AU_RANGE, Sample
from emollm.scoring import main_face

MIXTURE = {"description.json": 1, "label.json": 3}
"""How often each file is read: three bare labels to one explanation."""

ALSO = ((8, "AU27", None),)
"""FEAFA does not part a stretched mouth from a dropped jaw."""

DIGITS = 4

NOTES = (
    "ExpLLM names no place of `au`; the order is FEAFA's. Left before right: 0–1 eyes close (AU43), 2–3 upper lids "
    "raise (AU5), 4–5 brows lower (AU4), 6–7 brows raise (the stronger of AU1 and AU2), 9–10 jaw moves sideways "
    "(AU30), 11–12 lip corners pull (AU12), 13–14 lip corners stretch (AU20). The others: 8 jaw drop (the stronger of "
    "AU26 and AU27), 15–16 upper and lower lip suck (both AU28), 17 jaw thrust (AU29), 18 upper lip raise (AU10), 19 "
    "lower lip depress (AU16), 20 chin raise (AU17), 21 lip pucker (AU18), 22 cheek puff (AU34), 23 nose wrinkle "
    "(AU9). AU6, 7, 14, 15, 23, 24 and 25 have no place.",
    "A value is a FACS intensity divided by 5. `null` was not measured, or not as an intensity. An AU that was "
    "measured without sides stands for both. Where no place has a value, `au` is left out.",
)


def expllm_turns(sample: Sample, wording: Wording) -> Iterator[Row | Refusal]:
    """Yield the explanation of a sample with one label; the format has no place for a list."""
    return turns(sample, wording) if sample.label else iter((Refusal("no_label"),))


def write_expllm(rows: Iterable[Row], folder: Path) -> None:
    """Write both files and the list of the mixture; run the trainer from the folder."""
    with json_array(folder / "description.json") as described, json_array(folder / "label.json") as labelled:
        for row in rows:
            name = row.media.removeprefix(f"{FOLDERS['image']}/")
            bare = {"file_name": name, "emo": row.label.capitalize()}
            face = main_face(row.sample)
            values = feafa_values(face.aus or {}) if face is not None else None
            labelled.write(bare)
            described.write({**bare, **({"au": values} if values else {}), "description": row.answer})
    with text_lines(folder / "train.txt") as train:
        for name, times in MIXTURE.items():
            train.write(f"{name},{FOLDERS['image']},{times}")


def feafa_values(aus: Mapping[str, AU]) -> list[float | None] | None:
    """Return the 24 values, 0 to 1 in FEAFA's order; None at a place that was not measured as an intensity.

    Where several AUs share a place, the stronger counts. An AU without sides is taken for both of them; but a jaw that
    moves sideways without a side gives no value, for its places mean directions. Returns None where no place has one.
    """
    values: list[float | None] = [None] * NUM_VALUES
    for place, code, side in (*PLACES, *ALSO):
        value = _strength(aus.get(code), code, side)
        if value is not None:
            values[place] = round(max(value, values[place] or 0.0), DIGITS)
    return values if any(value is not None for value in values) else None


def _strength(au: AU | None, code: str, side: str | None) -> float | None:
    """Return the intensity of an AU on a side, 0 to 1."""
    if au is None or au.kind != "intensity":
        return None
    value = {"left": au.left, "right": au.right}.get(side or "")
    if value is None:
        if code == "AU30" and au.value > 0.0:
            return None
        value = au.value
    return value / AU_RANGE["intensity"]
