"""Films whose AUs people coded frame by frame: DISFA and BP4D.

Each frame that lies there as a picture is a sample, with the AUs as they were coded: DISFA intensities 0-5, BP4D
presence, and intensities for five AUs. A film without pictures of its frames becomes one sample with `events`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from data_engine.layouts.dataset import Aside, DataSet, Form, Found, Mark, Row, Rows
from data_engine.layouts.root import Root, by_number, children
from data_engine.layouts.tables import lines, number
from data_engine.sources.media import VIDEOS
from emollm.facs import PROTOCOL_AUS, THRESHOLDS, au_name
from emollm.records import AU, AU_RANGE, Detector, Event, Face

Coded = dict[str, AU]
"""AU name → what was coded in one frame."""


def runs(frames: Sequence[int], coded: Sequence[Coded], frame_rate: float) -> list[Event]:
    """Return the events of a film: for each AU, every unbroken run of frames in which it is coded as present.

    Onset and offset are the first and the last frame, the apex is the first one of the strongest; frame 1 is at 0 s.
    Frames that were not coded end a run.
    """
    events = []
    for au in sorted({name for one in coded for name in one}):
        run: list[tuple[int, float]] = []
        for frame, one in zip([*frames, -1], [*coded, {}], strict=True):
            value = one.get(au)
            is_there = value is not None and value.value >= THRESHOLDS[value.kind]
            if run and (not is_there or frame != run[-1][0] + 1):
                apex, peak = max(run, key=lambda item: item[1])
                seconds = [(at - 1) / frame_rate for at in (run[0][0], apex, run[-1][0])]
                events.append(Event(au=au, onset_s=seconds[0], apex_s=seconds[1], offset_s=seconds[2], peak=peak))
                run = []
            if is_there and value is not None:
                run.append((frame, value.value))
    return sorted(events, key=lambda event: (event.onset_s, event.au))


def fold_split(parts: Sequence[Sequence[str]], subject: str, fold: int) -> str | None:
    """Return the split of a subject: fold 1 tests on the last part, fold 3 on the first."""
    tested = parts[len(parts) - fold]
    return "test" if subject in tested else "train" if any(subject in part for part in parts) else None


DISFA_AUS = tuple(int(au[2:]) for au in PROTOCOL_AUS["disfa12"])
DISFA_FPS = 20.0
DISFA_PARTS = tuple(
    tuple(f"SN{subject:03d}" for subject in part)
    for part in (
        (2, 10, 1, 26, 27, 32, 30, 9, 16),
        (13, 18, 11, 28, 12, 6, 31, 21, 24),
        (3, 29, 23, 25, 8, 5, 7, 17, 4),
    )
)
"""The three subject-exclusive folds that papers report on, as public code has them (ME-GraphAU and those after it)."""
DISFA_CODERS = Detector(name="FACS coders", version="DISFA")
_SUBJECT = re.compile(r"SN\d{3}")


def _disfa(root: Root) -> Mark | None:
    folder = root.holder("ActionUnit_Labels") or root.holder("ActionUnitLabels")
    if folder is None:
        return None
    labels = next(child for child in children(folder) if child.name.replace("_", "") == "ActionUnitLabels")
    subjects = [child.name for child in children(labels) if _SUBJECT.fullmatch(child.name)]
    return Mark(labels, f"{labels.name} of {len(subjects)} subjects") if subjects else None


def _disfa_rows(found: Found) -> Rows:
    """ActionUnit_Labels/SN001/SN001_au12.txt: `frame,intensity` a line, 0-5, 12 AUs, 20 frames a second.

    Files and scale: Mavadati et al. 2013. Frames are numbered from 1; pictures are found by the last number in their
    names, in a folder with the subject in its name, and are one off where they begin with 0. [unverified: no pictures
    come with DISFA, everybody extracts them] Without pictures, the film of the left camera is the sample.
    """
    for folder in children(found.folder):
        subject = folder.name
        if not _SUBJECT.fullmatch(subject):
            continue
        fields = {"subject": subject, "split": fold_split(DISFA_PARTS, subject, found.wanted.fold)}
        frames, coded, bad = _disfa_frames(folder)
        yield from bad
        pictures = _disfa_pictures(found.root, subject)
        if pictures:
            first = 1 - min(1, min(pictures))
            for frame, aus in zip(frames, coded, strict=True):
                face = Face(frame=frame, time_s=(frame - 1) / DISFA_FPS, aus=aus, detector=DISFA_CODERS)
                media = pictures.get(frame - first)
                yield Row(folder, None, f"{subject}/{frame:05d}", media, None, fields | {"faces": [face]})
        elif frames:
            media = _disfa_film(found.root, subject)
            yield Row(folder, None, subject, media, None, fields | _as_film(frames, coded, DISFA_FPS, DISFA_CODERS))


def _as_film(frames: list[int], coded: list[Coded], frame_rate: float, coders: Detector) -> dict[str, Any]:
    """The fields of a film that is one sample: its strongest frame and its events."""
    at = max(range(len(frames)), key=lambda place: sum(au.value for au in coded[place].values()))
    face = Face(frame=frames[at], time_s=(frames[at] - 1) / frame_rate, aus=coded[at], detector=coders)
    return {"faces": [face], "events": runs(frames, coded, frame_rate)}


def _disfa_frames(folder: Path) -> tuple[list[int], list[Coded], list[Aside]]:
    """The frames of a subject with the AUs that were coded in each, and the lines that cannot be read."""
    by_frame: dict[int, Coded] = {}
    bad = []
    for au in DISFA_AUS:
        path = folder / f"{folder.name}_au{au}.txt"
        if not path.is_file():
            bad.append(Aside(str(path), f"{folder.name}/{path.stem}", "missing_labels", "there is no such file"))
            continue
        for line, text in lines(path):
            frame, value = (number(cell) for cell in [*text.split(","), ""][:2])
            if frame is None or value is None or not 0 <= value <= AU_RANGE["intensity"]:
                name, detail = f"{folder.name}/{path.stem}#{line}", f"'{text}' is no frame with 0 to 5"
                bad.append(Aside(f"{path}:{line}", name, "unreadable_row", detail))
            else:
                by_frame.setdefault(frame, {})[f"AU{au:02d}"] = AU(value=value, kind="intensity")
    frames = sorted(by_frame)
    return frames, [by_frame[frame] for frame in frames], bad


def _disfa_pictures(root: Root, subject: str) -> dict[int, Path]:
    folders = (folder for folder in root.folders if subject in folder.name)
    return next((found for folder in folders if (found := by_number(folder))), {})


def _disfa_film(root: Root, subject: str) -> Path | None:
    films = [path for suffix in VIDEOS for path in root.find_all(f"*{subject}*{suffix}")]
    return next((path for path in films if "left" in str(path).lower()), next(iter(films), None))


DISFA = DataSet(
    "disfa",
    "DISFA",
    None,
    (Form("ActionUnit_Labels/SN001/SN001_au1.txt", _disfa, _disfa_rows),),
    licence="on request, for non-commercial research",
    source="http://mohammadmahoor.com/disfa/; Mavadati et al. 2013",
    num_folds=len(DISFA_PARTS),
)


BP4D_PARTS = tuple(
    tuple(part.split())
    for part in (
        "F001 M007 F018 F008 F002 M004 F010 F009 M012 M001 F016 M014 F023 M008",
        "M011 F003 M010 M002 F005 F022 M018 M017 F013 M016 F020 F011 M013 M005",
        "F007 F015 F006 F019 M006 M009 F012 M003 F004 F021 F017 M015 F014",
    )
)
"""As for DISFA."""
NOT_CODED = 9
BP4D_CODERS = Detector(name="FACS coders", version="BP4D")
_TASK = re.compile(r"([FM]\d{3})_(T\d)")
GENDER = {"F": "female", "M": "male"}


def _bp4d(root: Root) -> Mark | None:
    folder = root.holder("AU_OCC")
    found = next(iter(sorted((folder / "AU_OCC").glob("[FM]*_T*.csv"))), None) if folder else None
    return Mark(folder, f"AU_OCC/{found.name} …") if folder and found else None


def _bp4d_rows(found: Found) -> Rows:
    """AU_OCC/F001_T1.csv: a header of AU numbers, then frame and 0, 1 or 9 (not coded); pictures F001/T1/0001.jpg.

    AU_INT/AU06/F001_T1_AU06.csv has intensities 0-5 for AUs 6, 10, 12, 14 and 17, which are taken instead of presence.
    Files and codes: Zhang et al. 2014 and public loaders. Pictures are found by the number of the frame. [unverified:
    in BP4D+, pictures are said to be numbered from 0, one below the frames: a folder that begins with 0 is read so]
    """
    for path in sorted((found.folder / "AU_OCC").glob("*.csv")):
        match = _TASK.fullmatch(path.stem)
        if match is None:
            yield Aside(str(path), path.stem, "unreadable_row", "is not named subject_task, such as F001_T1.csv")
            continue
        subject, task = match.groups()
        holder = found.root.holder(f"{subject}/{task}")
        pictures = by_number(holder / subject / task) if holder else {}
        first = 1 - min(1, min(pictures, default=1))
        fields = {
            "subject": subject,
            "split": fold_split(BP4D_PARTS, subject, found.wanted.fold),
            "groups": {"gender": GENDER[subject[0]], "task": task},
        }
        intensities, bad = _bp4d_intensities(found.folder, path.stem)
        yield from bad
        for line, frame, aus, faults in _bp4d_frames(path, intensities):
            if faults:
                yield Aside(f"{path}:{line}", f"{subject}/{task}#{line}", "unreadable_row", "; ".join(faults))
            if frame is None:
                continue
            face = Face(frame=frame, aus=aus, detector=BP4D_CODERS)
            media = pictures.get(frame - first)
            yield Row(path, line, f"{subject}/{task}/{frame:04d}", media, None, fields | {"faces": [face]})


def _bp4d_frames(
    path: Path, intensities: Mapping[str, Mapping[int, float]]
) -> Iterator[tuple[int, int | None, Coded, list[str]]]:
    """Yield line, frame, AUs and faults of each coded frame of a task; a cell that is at fault gives no AU."""
    header: list[str] = []
    for line, text in lines(path):
        cells = [cell.strip() for cell in text.rstrip(", \t").split(",")]
        if not header:
            header = cells
            continue
        frame = number(cells[0])
        faults = ["has no number of a frame"] if frame is None else []
        if len(cells) != len(header):
            faults.append(f"has {len(cells)} cells, not {len(header)}")
        aus = {}
        for column, cell in zip(header[1:], cells[1:], strict=False):
            name, value = au_name(column if column.upper().startswith("AU") else f"AU{column}"), number(cell)
            if name is not None and value in (0, 1):
                aus[name] = AU(value=value, kind="presence")
            elif name is not None and value != NOT_CODED:
                faults.append(f"{name} is '{cell}', not 0, 1 or {NOT_CODED}")
        for name, by_frame in intensities.items():
            if frame is not None and frame in by_frame:
                aus[name] = AU(value=by_frame[frame], kind="intensity")
        yield line, frame, dict(sorted(aus.items())), faults


def _bp4d_intensities(folder: Path, stem: str) -> tuple[dict[str, dict[int, float]], list[Aside]]:
    """Return the intensities of a task, by AU and frame, and the lines of AU_INT that cannot be read."""
    intensities: dict[str, dict[int, float]] = {}
    bad = []
    for part in children(folder / "AU_INT"):
        path = part / f"{stem}_{part.name}.csv"
        by_frame = intensities.setdefault(f"AU{number(part.name[2:]) or 0:02d}", {})
        for line, text in lines(path) if path.is_file() else ():
            frame, value = (number(cell) for cell in [*text.split(","), ""][:2])
            if frame is not None and value is not None and 0 <= value <= AU_RANGE["intensity"]:
                by_frame[frame] = value
            elif frame is None or value != NOT_CODED:
                detail = f"'{text}' is no frame with 0 to 5 or {NOT_CODED}"
                bad.append(Aside(f"{path}:{line}", f"{path.stem}#{line}", "unreadable_row", detail))
    return intensities, bad


BP4D = DataSet(
    "bp4d",
    "BP4D",
    None,
    (Form("AUCoding/AU_OCC/F001_T1.csv", _bp4d, _bp4d_rows),),
    licence="licence agreement with Binghamton University, for research",
    source="http://www.cs.binghamton.edu/~lijun/Research/3DFE/3DFE_Analysis.html; Zhang et al. 2014",
    num_folds=len(BP4D_PARTS),
)
