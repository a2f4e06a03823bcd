"""Clips with one label each: DFEW, MAFW, FERV39k, C-EXPR-DB, BAH.

Where a clip is there only as a folder of pictures, the picture in its middle stands for it; that is said and noted.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from data_engine.layouts.dataset import Aside, DataSet, Form, Found, Mark, Row, Rows
from data_engine.layouts.near_copies import KEPT_FIRST
from data_engine.layouts.root import Root, clips_by_number, is_there
from data_engine.layouts.tables import lines, number, table
from data_engine.sources.labels import read_label
from data_engine.sources.media import VIDEOS
from emollm.errors import SourceError
from emollm.labels import COMPOUND_PARTS, canonical

FOLDS = 5


MAX_TRIES = 50
"""So many names are looked for everywhere below the root; where none of them is found, the clips are not there."""


class Clips:
    """Finds clips by their names: videos, or else the folders of their pictures, in the folder that holds the first."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._holder: Path | None = None
        self._tries = 0

    def at(self, name: str) -> Path | None:
        """Return a clip by its name, with its suffix or without."""
        if self._holder is None and self._tries < MAX_TRIES:
            self._tries += 1
            holders = (self._root.holder(place) for place in _places(name))
            self._holder = next((holder for holder in holders if holder is not None), None)
        if self._holder is None:
            return None
        return next((path for place in _places(name) if is_there(path := self._holder / place)), None)


def _places(name: str) -> list[str]:
    """The name as it is, where it has the suffix of a video; else as a video of any kind, and as a folder."""
    has_suffix = name.lower().endswith(VIDEOS)
    return [name] if has_suffix else [*(f"{name}{suffix}" for suffix in VIDEOS), name]


def each_once(found: Found, listed: Callable[[str], Rows], splits: tuple[str, ...] = ("train", "test")) -> Rows:
    """Yield the rows of all splits. Of a clip in two of them the row of the test set stays, then that of validation."""
    held = {split: list(listed(split)) for split in splits if split in KEPT_FIRST}
    ranked = [row for split in KEPT_FIRST for row in held.get(split, ()) if isinstance(row, Row)]
    stays = {row.id: row for row in reversed(ranked)}
    for split in splits:
        for row in held[split] if split in held else listed(split):
            other = stays.get(row.id)
            if other is None or other.fields["split"] == split or isinstance(row, Aside):
                yield row
            elif found.wanted.split in (None, split):
                yield Aside(row.where, row.id, "id_again", f"is also in {other.where}, which stays")


def contradicted(row: Row, told: str, label_set: str) -> Row | Aside:
    """Return the row, or keep it aside where its path tells of another label than its line."""
    try:
        label, path_label = read_label(row.word or "", label_set), canonical(told, label_set)
    except SourceError:
        return row
    if path_label in (None, label):
        return row
    detail = f"its path says '{path_label}', its label '{row.word}' is '{label}'; mend one of the two"
    return Aside(row.where, row.id, "label_contradicts_path", detail)


DFEW_LISTS = {
    split: (f"EmoLabel_DataSplit/{split}(single-labeled)/set_%d.csv", f"EmoLabel_DataSplit/{split}/set_%d.csv")
    for split in ("train", "test")
}


def _dfew(root: Root) -> Mark | None:
    path = root.find(*(name % 1 for name in DFEW_LISTS["train"]))
    return Mark(path.parents[2], f"{path.relative_to(root.path)}", (path,)) if path else None


def _dfew_rows(found: Found) -> Rows:
    """video_name,label in five folds: 1 happy, 2 sad, 3 neutral, 4 angry, 5 surprise, 6 disgust, 7 fear.

    Order: the annotation of the data set (Jiang et al. 2020), and the public loaders that agree with it. Clips are
    found by their numbers, as videos anywhere below the root, or as folders 00001 … of Clip/clip_224x224_16f.
    """
    videos, folders = clips_by_number(found.root), Clips(found.root)

    def listed(split: str) -> Rows:
        names = DFEW_LISTS[split]
        path = found.root.find(*(name % found.wanted.fold for name in names)) or found.folder / (
            names[0] % found.wanted.fold
        )
        for line, row in table(path, ("video_name", "label")):
            at = number(row["videoname"].rpartition(".")[0] or row["videoname"])
            if at is None:
                yield Aside(f"{path}:{line}", row["videoname"], "unreadable_row", "video_name is no number")
                continue
            media = videos.get(at) if videos else folders.at(f"{at:05d}")
            yield Row(path, line, f"{at:05d}", media, row.get("label"), {"split": split})

    return each_once(found, listed)


DFEW = DataSet(
    "dfew",
    "DFEW, single labels",
    "dfew7",
    (Form(DFEW_LISTS["train"][0] % 1, _dfew, _dfew_rows),),
    licence="on request, for academic research",
    source="https://dfew-dataset.github.io; Jiang et al. 2020",
    num_folds=FOLDS,
)


MAFW_LISTS = "single/no_caption/set_%d/%s.txt"


def _mafw(root: Root) -> Mark | None:
    path = root.find(f"Train & Test Set/{MAFW_LISTS % (1, 'train')}", MAFW_LISTS % (1, "train"))
    return Mark(path.parents[1], str(path.relative_to(root.path)), (path,)) if path else None


def _mafw_rows(found: Found) -> Rows:
    """`00001.mp4 anger` a line in five folds, so there is no order to know; clips in data/clips (Liu et al. 2022)."""
    clips = Clips(found.root)

    def listed(split: str) -> Rows:
        path = found.folder / f"set_{found.wanted.fold}" / f"{split}.txt"
        for line, text in lines(path):
            name, _, word = text.strip().rpartition(" ")
            stem = name.rpartition(".")[0] or name
            yield Row(path, line, stem, clips.at(stem), word, {"split": split})

    return each_once(found, listed)


MAFW = DataSet(
    "mafw",
    "MAFW, single labels",
    "mafw11",
    (Form(f"Train & Test Set/{MAFW_LISTS % (1, 'train')}", _mafw, _mafw_rows),),
    licence="on request, for non-commercial research",
    source="https://mafw-database.github.io/MAFW/; Liu et al. 2022",
    num_folds=FOLDS,
)


def _ferv39k(root: Root) -> Mark | None:
    path = root.find("4_setups/All_scenes/train_All.csv", "All_scenes/train_All.csv")
    return Mark(path.parent, str(path.relative_to(root.path)), (path,)) if path else None


def _ferv39k_rows(found: Found) -> Rows:
    """`Action/Happy/0267 Happy` a line, words, so there is no order to know (Wang et al. 2022).

    Clips are videos in 0_7_LabelClips, or folders of face pictures in 2_ClipsforFaceCrop.
    """
    clips = Clips(found.root)

    def listed(split: str) -> Rows:
        path = found.folder / f"{split}_All.csv"
        for line, text in lines(path):
            name, _, word = text.replace(",", " ").strip().rpartition(" ")
            fields = {"split": split, "groups": {"scene": name.partition("/")[0]}}
            row = Row(path, line, name, clips.at(name), word, fields)
            yield contradicted(row, name.rpartition("/")[0].rpartition("/")[2], "basic7")

    return each_once(found, listed)


FERV39K = DataSet(
    "ferv39k",
    "FERV39k",
    "basic7",
    (Form("4_setups/All_scenes/train_All.csv", _ferv39k, _ferv39k_rows),),
    licence="on request, for non-commercial research",
    source="https://wangyanckxx.github.io/Proj_CVPR2022_FERV39k.html; Wang et al. 2022",
)


def _cexpr(root: Root) -> Mark | None:
    for folder in root.folders:
        path = folder / "split-0" / "train.txt"
        first = next(iter(lines(path)), (0, ""))[1] if path.is_file() else ""
        words = first.partition("/")[0].replace("-", " ").lower()
        if words in COMPOUND_PARTS or words == "other":
            return Mark(folder, f"{path.relative_to(root.path)} with {first}", (path,))
    return None


def _cexpr_rows(found: Found) -> Rows:
    """`Sadly-Fearful/24_Sadly-Fearful_0,5` a line: a trimmed clip, the number of its film first, and its label.

    0 fearfully, 1 happily, 2 sadly, 3 disgustedly and 4 angrily surprised, 5 sadly fearful, 6 sadly angry, 7 other:
    the order of the columns of the annotation (Kollias 2023), and the folds of Richet et al. 2024 that are read here.
    [unverified: where the trimmed clips lie; they are looked for by their names]
    """
    folder, clips = found.folder / f"split-{found.wanted.fold - 1}", Clips(found.root)

    def listed(split: str) -> Rows:
        path = folder / f"{split}.txt"
        for line, text in lines(path) if path.is_file() else ():
            name, _, word = text.strip().rpartition(",")
            film = name.rpartition("/")[2].partition("_")[0]
            row = Row(path, line, name, clips.at(name), word, {"split": split}, {"recording": film})
            yield contradicted(row, name.partition("/")[0], "cexpr7")

    return each_once(found, listed, ("train", "val", "test"))


CEXPR = DataSet(
    "cexpr",
    "C-EXPR-DB",
    "cexpr7",
    (Form("folds/split-0/train.txt with Sadly-Fearful/24_Sadly-Fearful_0,5", _cexpr, _cexpr_rows),),
    licence="on request, for non-commercial research",
    source="Kollias 2023; folds: https://github.com/nicolas-richet/feature-vs-text-compound-emotion",
    num_folds=FOLDS,
)


def _bah(root: Root) -> Mark | None:
    names = (f"{top}BAH_DB/split-0/train.txt" for top in ("dataset-splits/video-level/", "video-level/", "folds/", ""))
    for path in root.find_all(*names, "split-0/train.txt", "train.txt"):
        if next(iter(lines(path)), (0, ""))[1].startswith("Videos/"):
            return Mark(path.parent, str(path.relative_to(root.path)), (path,))
    return None


def _bah_rows(found: Found) -> Rows:
    """`Videos/82777/Visite_1/….mp4,1,what is said` a line: the participant, 1 for ambivalence or hesitancy, the words.

    Columns: the video-level splits at github.com/sbelharbi/bah-dataset. The second part of a path is taken to be the
    participant. Releases differ (1,118 and 1,427 videos): keep note of yours.
    """
    clips = Clips(found.root)

    def listed(split: str) -> Rows:
        path = found.folder / f"{split}.txt"
        for line, text in lines(path) if path.is_file() else ():
            name, _, rest = text.partition(",")
            word, _, said = rest.partition(",")
            parts = name.split("/")
            fields = {"split": split, "subject": parts[1] if len(parts) > 2 else None, "text": said.strip() or None}
            yield Row(path, line, name.removeprefix("Videos/"), clips.at(name), word, fields)

    return each_once(found, listed, ("train", "val", "test"))


BAH = DataSet(
    "bah",
    "BAH, videos",
    "bah2",
    (Form("split-0/train.txt with Videos/…,0 or 1,transcript", _bah, _bah_rows),),
    licence="on request (end-user licence agreement), for research",
    source="https://github.com/sbelharbi/bah-dataset; González-González et al. 2025",
)
