"""The clips of the MER challenges 2023-2026, and MERR, which annotates clips of the first.

Words are the labels: angry, happy, neutral, sad, surprise, worried (MER), with contempt, doubt and fear (MERR).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from data_engine.layouts.clips import Clips
from data_engine.layouts.dataset import Aside, DataSet, Form, Found, Mark, Row, Rows
from data_engine.layouts.root import Root
from data_engine.layouts.tables import decimal, table
from data_engine.sources.head import read_head
from data_engine.sources.merr import merr_rows, strange_names
from emollm.errors import SourceError
from emollm.records import AU, AU_RANGE, AUKind, Detector, Face

MER_LISTS = (
    *("train-label.csv", "test1-label.csv", "test2-label.csv", "test3-label.csv"),  # 2023
    *("label-disdim.csv", "reference-semi.csv"),  # 2024
    *("track1_train_disdim.csv", "track1_test_dis.csv"),  # 2025
    "track1_train.csv",  # 2026
)
MER_OPEN_LISTS = ("track2_train_human.csv", "track2_train_ovmerd.csv", "track2_train_mercaptionplus.csv")
"""Open vocabulary, the one written by people first: it is kept where a clip is in two of them."""
SUBTITLES = ("subtitle_chieng.csv", "transcription-engchi-polish.csv", "transcription_en_all.csv")
_PACKED = ("label-6way.npz", "track1_label_6way.npz")


def _mer(root: Root) -> Mark | None:
    files = [path for name in (*MER_LISTS, *MER_OPEN_LISTS) if (path := root.find(name)) is not None]
    if files:
        return Mark(files[0].parent, ", ".join(path.name for path in files), tuple(files))
    packed = root.find(*_PACKED)
    if packed is not None:
        raise SourceError(f"{packed}: holds pickled Python objects and is not opened; give the .csv it was made from")
    return None


def _mer_rows(found: Found) -> Rows:
    """name,discrete[,valence] for the six emotions, name,openset for open labels; clips by their names.

    A clip that is in both has `label` and `labels`. File names and columns: the READMEs of MER2025 and MER2026 and the
    loaders of MERTools. [unverified: the scale of valence, which is therefore noted as it is written]
    Subtitles become `text`, the English ones where there are two: about 30 MB for the 132,171 of MER2026.
    """
    clips, said = Clips(found.root), subtitles(found.root)
    open_words = dict(_open_lists(found))
    labelled: set[str] = set()
    for path in found.files:
        is_open = path.name in MER_OPEN_LISTS
        split = "test" if "test" in path.name or path.name.startswith("reference") else "train"
        for line, row in table(path, ("name", "openset") if is_open else ("name", "discrete")):
            name = row["name"]
            if is_open and name in labelled:
                continue  # its open labels were told with its label, or by the list before
            labelled.add(name)
            fields: dict[str, Any] = {"split": split, "text": said.get(name), "labels": open_words.get(name)}
            if is_open:
                fields["label_set"] = "open"
            note = {"valence": value} if (value := decimal(row.get("valence"), -100.0, 100.0)) is not None else {}
            yield Row(path, line, name, clips.at(name), row.get("discrete"), fields, note)


def _open_lists(found: Found) -> Mapping[str, list[str]]:
    """The open labels of each clip: `happy, relieved`, with or without brackets and quotes."""
    words_of: dict[str, list[str]] = {}
    for path in found.files:
        for _, row in table(path, ("name", "openset")) if path.name in MER_OPEN_LISTS else ():
            words = [word.strip(" '\"[]") for word in re.split(r"[,;，、]", row.get("openset", ""))]
            words_of.setdefault(row["name"], [word for word in dict.fromkeys(words) if word])
    return words_of


def subtitles(root: Root) -> dict[str, str]:
    """Return what is said in each clip, in English where both languages are there."""
    path = root.find(*SUBTITLES)
    said: dict[str, str] = {}
    for _, row in table(path, ("name",)) if path else ():
        text = next((row[key] for key in ("english", "sentence", "chinese") if row.get(key)), "")
        if text:
            said[row["name"]] = text
    return said


MER = DataSet(
    "mer",
    "MER2023 to MER2026",
    "mer6",
    (Form("train-label.csv, label-disdim.csv, track1_train*.csv or track2_train_*.csv", _mer, _mer_rows),),
    licence="end-user licence agreement, for non-commercial research",
    source="https://github.com/zeroQiaoba/MERTools; Lian et al. 2023-2026",
)


MERR_FILES = ("MERR_fine_grained.json", "MERR_coarse_grained.json")


def _merr(root: Root) -> Mark | None:
    path = root.find(*MERR_FILES)
    return Mark(path.parent, str(path.relative_to(root.path)), (path,)) if path else None


def _merr_rows(found: Found) -> Rows:
    """One object keyed by clip: `pseu_emotion`, `peak_AU_list` (OpenFace intensities), `peak_index`, a caption.

    Labels are words. AUs are those of the peak frame; what is not listed was not measured. Columns: the data and the
    README of Emotion-LLaMA. The file is read whole (the coarse one is some tens of MB).
    """
    [path] = found.files
    clips, said = Clips(found.root), subtitles(found.root)
    head = read_head(path)
    for name, told in head.data.items() if isinstance(head.data, dict) else ():
        if not isinstance(told, dict):
            yield Aside(str(path), name, "unreadable_row", f"is {told!r:.60}, not what MERR tells of a clip")
    for row in merr_rows(head):
        name = str(row["clip"])
        listed = {column: value for column, value in row.items() if "=" in column}
        aus = {column[:4]: au for column, value in listed.items() if (au := _au(column, value)) is not None}
        faults = [
            f"{column[:4]} is '{value}', off its scale" for column, value in listed.items() if column[:4] not in aus
        ]
        faults += [f"'{strange}' is no action unit" for strange in strange_names(head.data[name])]
        if faults:
            yield Aside(str(path), name, "unreadable_au", "; ".join(faults))
        face = Face(frame=row.get("frame"), aus=aus, detector=Detector(name="openface")) if aus else None
        caption = head.data[name].get("smp_reason_caption") or head.data[name].get("caption")
        fields = {"faces": [face] if face else None, "text": said.get(name) or row.get("text")}
        note = {"caption": str(caption)} if caption else {}
        yield Row(path, None, name, clips.at(name), row.get("pseu_emotion"), fields, note)


def _au(column: str, value: object) -> AU | None:
    """One AU of an unfolded row, `AU12=intensity`; None for values off the scale."""
    kind: AUKind = "presence" if column.endswith("presence") else "intensity"
    number = decimal(str(value), 0.0, AU_RANGE[kind])
    return None if number is None else AU(value=number, kind=kind)


MERR = DataSet(
    "merr",
    "MERR",
    "merr9",
    (Form("MERR_fine_grained.json or MERR_coarse_grained.json", _merr, _merr_rows),),
    licence="annotations: see Emotion-LLaMA; clips: agreement of MER2023, non-commercial research",
    source="https://github.com/ZebangCheng/Emotion-LLaMA; Cheng et al. 2024",
)
