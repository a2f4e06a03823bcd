"""Pictures with one label each: RAF-DB, AffectNet, ExpW, SFEW.

Every adapter says its label order and where that is written; what could not be checked is marked [unverified].
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from data_engine.layouts.dataset import Aside, DataSet, Form, Found, Mark, Row, Rows
from data_engine.layouts.folders import SPLITS, are_labels, everything_in, label_folders, labelled
from data_engine.layouts.numbered import numbered, numbered_rows
from data_engine.layouts.root import Root, children, files_in, is_there
from data_engine.layouts.tables import decimal, lines, number, table
from emollm.records import Face

RAFDB_LISTS = ("EmoLabel/list_patition_label.txt", "EmoLabel/list_partition_label.txt", "list_patition_label.txt")
"""The first is spelled as the authors ship it."""
RAFDB_NAMES = ("train_[0-9][0-9][0-9][0-9][0-9]*", "test_[0-9][0-9][0-9][0-9]*")
NUM_BASIC = 7
COMPOUND_SHARE = 0.2
"""From this share of numbers above 7 on, a list is the compound partition, 4 of whose 11 classes they are."""
GENDERS = ("male", "female", "unsure")
RACES = ("Caucasian", "African-American", "Asian")
AGES = ("0-3", "4-19", "20-39", "40-69", "70+")


def _rafdb_list(root: Root, *, basic: bool) -> Mark | None:
    """Both partitions of RAF-DB have the same names of files; the numbers of most rows tell them apart."""
    for path in root.find_all(*RAFDB_LISTS):
        numbers = [one for _, text in lines(path) if (one := number(text.split()[-1]))]
        higher = sum(one > NUM_BASIC for one in numbers)
        if numbers and (higher < COMPOUND_SHARE * len(numbers)) == basic:
            folder = path.parent.parent if path.parent.name == "EmoLabel" else path.parent
            why = f"{path.relative_to(root.path)} with numbers up to {max(numbers)}"
            why += f", above {NUM_BASIC} in {higher:,} of {len(numbers):,} rows" if basic and higher else ""
            return Mark(folder, why, (path,))
    return None


def _rafdb_rows(found: Found) -> Rows:
    """`train_00001.jpg 5` a line; pictures in Image/aligned (100 x 100) and Image/original.

    Basic: 1 surprise, 2 fear, 3 disgust, 4 happiness, 5 sadness, 6 anger, 7 neutral, as the README that comes with the
    data says. Compound: 1 happily surprised, 2 happily disgusted, 3 sadly fearful, 4 sadly angry, 5 sadly surprised,
    6 sadly disgusted, 7 fearfully angry, 8 fearfully surprised, 9 angrily surprised, 10 angrily disgusted,
    11 disgustedly surprised, as `emollm.labels` has it. Gender, race and age are those of Annotation/manual.
    """
    [path] = found.files
    for line, text in lines(path):
        cells = text.split()
        if len(cells) < 2:
            yield Aside(f"{path}:{line}", cells[0], "unreadable_row", "has no number after the name")
            continue
        stem = cells[0].rpartition(".")[0] or cells[0]
        places = [found.folder / f"Image/aligned/{stem}_aligned.jpg", found.folder / f"Image/original/{stem}.jpg"]
        media = next(
            (place for place in (reversed(places) if found.wanted.whole else places) if is_there(place)), places[0]
        )
        fields = {"split": stem.partition("_")[0], "groups": _rafdb_groups(found.folder, stem)}
        yield Row(path, line, stem, media, cells[-1], fields)


def _rafdb_groups(folder: Path, stem: str) -> dict[str, str] | None:
    """What Annotation/manual says of the person: five landmarks, then gender, race and age, a line each."""
    path = folder / f"Annotation/manual/{stem}_manu_attri.txt"
    if not is_there(path):
        return None
    values = [number(text) for _, text in lines(path)][-3:]
    names = zip(("gender", "race", "age"), (GENDERS, RACES, AGES), values, strict=False)
    return {name: words[at] for name, words, at in names if at is not None and 0 <= at < len(words)} or None


RAFDB = DataSet(
    "rafdb",
    "RAF-DB, basic partition",
    "rafdb7",
    (
        Form(f"{RAFDB_LISTS[0]} with numbers 1-7", lambda root: _rafdb_list(root, basic=True), _rafdb_rows),
        Form("train/1/train_*.jpg, test/1/test_*.jpg", numbered("rafdb7", *RAFDB_NAMES), numbered_rows),
        Form("folders train/1 to train/7", numbered("rafdb7"), numbered_rows, by_name=True),
    ),
    licence="on request, for non-commercial research and education; the authors do not own the pictures",
    source="http://www.whdeng.cn/RAF/model1.html; Li, Deng and Du 2017",
    published={"train": 12271, "test": 3068},
)
RAFDB_COMPOUND = DataSet(
    "rafdb_compound",
    "RAF-DB, compound partition",
    "rafdb_compound11",
    (Form(f"{RAFDB_LISTS[0]} with numbers 1-11", lambda root: _rafdb_list(root, basic=False), _rafdb_rows),),
    licence=RAFDB.licence,
    source=RAFDB.source,
)


AFFECTNET_LISTS = {"training.csv": "train", "validation.csv": "val"}
AFFECTNET_SETS = {"train_set": "train", "val_set": "val"}
NO_EXPRESSION = {"8": "none", "9": "uncertain", "10": "no face"}


def _affectnet_lists(root: Root) -> Mark | None:
    files = root.find_all(*AFFECTNET_LISTS)
    files = [file for file in files if "subdirectory_filepath" in next(iter(lines(file)), (0, ""))[1].lower()]
    if not files:
        return None
    folder = files[0].parent.parent if files[0].parent.name == "Manually_Annotated_file_lists" else files[0].parent
    return Mark(folder, f"{files[0].relative_to(root.path)} with subDirectory_filePath", tuple(files))


def _affectnet_rows(found: Found) -> Rows:
    """training.csv and validation.csv; pictures in Manually_Annotated_Images, each face with its box.

    0 neutral, 1 happiness, 2 sadness, 3 surprise, 4 fear, 5 disgust, 6 anger, 7 contempt; 8 none, 9 uncertain and
    10 no face are kept aside. Order and columns: Mollahosseini, Hasani and Mahoor 2019, table 2, and the README of the
    data. Seven classes: `--label-set affectnet7`. Valence and arousal are -2 where they are not known.
    """
    holders = ("Manually_Annotated/Manually_Annotated_Images", "Manually_Annotated_Images", "Manually_Annotated")
    pictures = next((found.folder / name for name in holders if (found.folder / name).is_dir()), found.folder)
    for path in found.files:
        for line, row in table(path, ("subDirectory_filePath", "expression")):
            name, word = row["subdirectoryfilepath"], row.get("expression", "")
            if word in NO_EXPRESSION:
                yield Aside(f"{path}:{line}", name, "no_expression", f"labelled {word}, {NO_EXPRESSION[word]}")
                continue
            fields: dict[str, Any] = {
                "split": AFFECTNET_LISTS[path.name],
                "valence": decimal(row.get("valence"), -1.0, 1.0),
                "arousal": decimal(row.get("arousal"), -1.0, 1.0),
            }
            x, y, width, height = (decimal(row.get(f"face{side}"), 0.0, 1e6) for side in ("x", "y", "width", "height"))
            if x is not None and y is not None and width and height:
                fields["faces"] = [Face(box=(x, y, width, height))]
            yield Row(path, line, name, pictures / name, word, fields)


def _affectnet_npy(root: Root) -> Mark | None:
    folder = root.holder("val_set/annotations") or root.holder("train_set/annotations")
    return Mark(folder, "train_set and val_set with annotations/") if folder else None


def _affectnet_npy_rows(found: Found) -> Rows:
    """The release of 2021: {train,val}_set/images/N.jpg with annotations/N_exp.npy, N_val.npy, N_aro.npy.

    The same order, without 8 to 10.
    """
    for name, split in AFFECTNET_SETS.items():
        annotations = found.folder / name / "annotations"
        for picture in files_in(found.folder / name / "images"):
            told = {what: _npy(annotations / f"{picture.stem}_{what}.npy") for what in ("exp", "val", "aro")}
            row_id = f"{split}/{picture.stem}"
            if told["exp"] is None:
                yield Aside(str(picture), row_id, "unreadable_row", f"annotations/{picture.stem}_exp.npy: no number")
                continue
            fields = {
                "split": split,
                "valence": decimal(told["val"], -1.0, 1.0),
                "arousal": decimal(told["aro"], -1.0, 1.0),
            }
            yield Row(picture, None, row_id, picture, str(number(told["exp"])), fields)


def _npy(path: Path) -> str | None:
    """The one value of a .npy file, number or text. Files of pickled objects are not opened."""
    try:
        return str(np.load(path, allow_pickle=False).reshape(-1)[0])
    except (OSError, ValueError, IndexError, EOFError):
        return None


AFFECTNET = DataSet(
    "affectnet",
    "AffectNet",
    "affectnet8",
    (
        Form("training.csv with subDirectory_filePath", _affectnet_lists, _affectnet_rows),
        Form("train_set/annotations/*_exp.npy", _affectnet_npy, _affectnet_npy_rows),
        Form("folders train/0 to train/7", numbered("affectnet8"), numbered_rows, by_name=True),
    ),
    licence="on request, for non-commercial research",
    source="http://mohammadmahoor.com/affectnet/; Mollahosseini, Hasani and Mahoor 2019",
    published={"train": 287651, "val": 4000},
)


def _expw(root: Root) -> Mark | None:
    path = root.find("label/label.lst", "label.lst")
    if path is None:
        return None
    return Mark(path.parent.parent if path.parent.name == "label" else path.parent, path.name, (path,))


def _expw_rows(found: Found) -> Rows:
    """`name face_id top left right bottom confidence label` a line; pictures in image/origin. No splits are given.

    0 angry, 1 disgust, 2 fear, 3 happy, 4 sad, 5 surprise, 6 neutral: the README of the data (Zhang et al. 2018).
    """
    holder = next((name for name in ("image/origin", "origin", "image") if (found.folder / name).is_dir()), ".")
    [path] = found.files
    for line, text in lines(path):
        name, *rest = text.split()
        values = [decimal(cell, -1e6, 1e6) for cell in rest]
        if len(values) != 7 or any(value is None for value in values[:5]):
            yield Aside(f"{path}:{line}", name, "unreadable_row", f"has {len(rest) + 1} cells that fit, not 8")
            continue
        face, top, left, right, bottom = (value or 0.0 for value in values[:5])
        box = (left, top, right - left, bottom - top)
        stem = name.rpartition(".")[0] or name
        faces = [Face(face=f"{face:g}", box=box)] if min(box[2:]) > 0.0 else None
        yield Row(path, line, f"{stem}/{face:g}", found.folder / holder / name, rest[-1], {"faces": faces})


EXPW = DataSet(
    "expw",
    "ExpW, Expression in-the-Wild",
    "fer7",
    (Form("label/label.lst", _expw, _expw_rows),),
    licence="on request, for non-commercial research",
    source="http://mmlab.ie.cuhk.edu.hk/projects/socialrelation/; Zhang, Luo, Loy and Tang 2018",
    published={"all": 91793},
)


_SFEW_FOLDER = re.compile(r"(train|val|test)(_aligned_faces.*)?", re.IGNORECASE)
_FILM_FRAME = re.compile(r".+_\d{6,9}_\d{8}\.\w+")
"""`Airheads_000519240_00000005.png`: film, time and frame."""


def _sfew(root: Root) -> Mark | None:
    for folder in root.folders:
        for child in children(folder):
            names = label_folders(child)
            first = next(everything_in(child / names[0]), None) if are_labels(names) else None
            if _SFEW_FOLDER.fullmatch(child.name) and first and _FILM_FRAME.fullmatch(first.name):
                is_inside = child.name.lower().startswith(f"{folder.name.lower()}_")
                return Mark(folder.parent if is_inside else folder, f"film frames such as {first.name}")
    return None


def _sfew_rows(found: Found) -> Rows:
    """Folders of words (Angry … Surprise) in Train and Val, or in Train_Aligned_Faces …; those of Test are not public.

    The words are the labels, so there is no order to know. `--whole` takes the whole frames instead of aligned faces.
    """
    named = [child for folder in (found.folder, *children(found.folder)) for child in children(folder)]
    named = [folder for folder in named if _SFEW_FOLDER.fullmatch(folder.name) and next(everything_in(folder), None)]
    parents = {folder.parent for folder in named}
    named = [folder for folder in named if folder not in parents]
    aligned = [folder for folder in named if "aligned" in folder.name.lower()]
    whole = [folder for folder in named if folder not in aligned]
    for folder in (whole or aligned) if found.wanted.whole else (aligned or whole):
        split = SPLITS[folder.name.lower().partition("_")[0]]
        pictures: list[tuple[Path, str | None]] = [(item.path, item.word) for item in labelled(folder)]
        for path, word in pictures or [(path, None) for path in files_in(folder)]:
            name = path.relative_to(found.folder).as_posix()
            yield Row(path, None, name, path, word, {"split": split}, {"recording": path.name.rsplit("_", 2)[0]})


SFEW = DataSet(
    "sfew",
    "SFEW 2.0",
    "basic7",
    (Form("Train/Angry/*_000519240_00000005.png (film, time, frame)", _sfew, _sfew_rows),),
    licence="on request, for non-commercial research",
    source="https://users.cecs.anu.edu.au/~few_group/AFEW.html; Dhall, Goecke, Lucey and Gedeon 2011",
)
