"""Micro-expressions with onset, apex and offset: CASME II and SAMM.

The AUs of a row are those that were coded, by side where a side is written; each becomes an event of the clip. The
sample shows the apex: as a video where there is one, else as the picture of that frame.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from data_engine.layouts.clips import Clips
from data_engine.layouts.dataset import Aside, DataSet, Form, Found, Mark, Row, Rows
from data_engine.layouts.root import Root, by_number, is_there
from data_engine.layouts.tables import number, table
from emollm.facs import LETTERS, read_codes
from emollm.records import AU, Detector, Event, Face

FPS = 200.0
"""Of both data sets."""


class Span(NamedTuple):
    """The numbers of the frames in which a micro-expression begins, is strongest, and is gone."""

    onset: int
    apex: int
    offset: int
    is_apex_coded: bool
    """False where none was coded, or one outside of onset and offset: then the apex is their middle."""


def span_of(onset: str | None, apex: str | None, offset: str | None) -> Span | None:
    """Read three frames as they are written; None without onset or offset, or where they are the wrong way round."""
    first, top, last = number(onset), number(apex), number(offset)
    if first is None or last is None or first > last:
        return None
    is_coded = top is not None and first <= top <= last
    return Span(first, top if top is not None and is_coded else (first + last) // 2, last, is_coded)


def coded_aus(text: str) -> dict[str, AU] | None:
    """Return the AUs of a row, `4+L10` or `12A`; None where a part of it is no code, such as `?`.

    Without a letter for its strength an AU is present. L and R mean that side alone.
    """
    aus: dict[str, AU] = {}
    codes = read_codes(text.replace(" ", ""))
    for code in codes:
        value = float(LETTERS.index(code.letter) + 1) if code.letter else 1.0
        au = AU(value=value, kind="intensity" if code.letter else "presence")
        before = aus.get(code.au)
        if code.side is not None:
            sides = {"left": 0.0, "right": 0.0, code.side: value}
            if before is not None and before.kind == au.kind and before.left is not None:
                sides = {side: max(sides[side], getattr(before, side)) for side in sides}
            au = AU(value=max(sides.values()), kind=au.kind, **sides)
        aus[code.au] = au
    return aus if codes else None


def events_of(aus: dict[str, AU], span: Span, first: int) -> list[Event]:
    """Return one event an AU; frame number `first` is at 0 s."""
    onset, apex, offset = ((frame - first) / FPS for frame in span[:3])
    return [Event(au=au, onset_s=onset, apex_s=apex, offset_s=offset, peak=aus[au].value) for au in sorted(aus)]


def micro_row(
    path: Path, line: int, name: str, row: dict[str, str], frames: dict[int, Path], film: Path | None, first: int | None
) -> Row | Aside:
    """Make the row of one micro-expression; `first` is the frame at 0 s, None for its onset."""
    span = span_of(*(row.get(f"{what}frame") for what in ("onset", "apex", "offset")))
    if span is None:
        return Aside(f"{path}:{line}", name, "unreadable_row", "onset and offset are no frames in this order")
    aus = coded_aus(row.get("actionunits", ""))
    start = span.onset if first is None else first
    note: dict[str, Any] = {"frames": list(span[:3]), "coded": row.get("actionunits", "")}
    if not span.is_apex_coded:
        note["apex"] = f"'{row.get('apexframe', '')}' is none; the middle of onset and offset stands for it"
    if aus is None:
        note["aus_not_read"] = True
    face = Face(
        frame=span.apex,
        time_s=(span.apex - start) / FPS,
        aus=aus,
        detector=Detector(name="FACS coders"),
    )
    fields: dict[str, Any] = {"faces": [face]}
    if aus is not None and span.is_apex_coded:
        fields["events"] = events_of(aus, span, start)
    return Row(path, line, name, film or frames.get(span.apex), row.get("estimatedemotion"), fields, note)


CASME2_COLUMNS = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion")


def _casme2(root: Root) -> Mark | None:
    path = root.find("CASME2-coding*.xlsx", "CASME2-coding*.csv")
    return Mark(path.parent, path.name, (path,)) if path else None


def _casme2_rows(found: Found) -> Rows:
    """CASME2-coding-20140508.xlsx: subject 1 … 26, clip EP02_01f, frames at 200 a second, words as labels.

    Frames are Cropped/sub01/EP02_01f/reg_img46.jpg, or CASME2_RAW_selected/sub01/EP02_01f/img46.jpg with `--whole`; the
    compressed videos are taken where there are no frames. Frame 1 is at 0 s. Columns and places: Yan et al. 2014 and
    public loaders, which also know of the one apex that is `/`.
    """
    [path] = found.files
    clips = Clips(found.root)
    for line, row in table(path, CASME2_COLUMNS):
        subject = f"sub{number(row['subject']) or 0:02d}"
        name = f"{subject}/{row['filename']}"
        frames = _casme2_frames(found.root, name, whole=found.wanted.whole)
        film = None if frames else clips.at(name)
        yield _with(micro_row(path, line, name, row, frames, film, 1), subject)


def _casme2_frames(root: Root, name: str, *, whole: bool) -> dict[int, Path]:
    """The pictures of a clip by their numbers, from the folder that is wanted where both are there."""
    holders = [folder for folder in root.folders if is_there(folder / name)]
    holders.sort(key=lambda folder: ("raw" in folder.name.lower()) != whole)
    return next((found for holder in holders if (found := by_number(holder / name))), {})


SAMM_COLUMNS = ("Subject", "Filename", "Onset Frame", "Apex Frame", "Offset Frame", "Action Units", "Estimated Emotion")


def _samm(root: Root) -> Mark | None:
    path = root.find("SAMM*Micro_FACS_Codes*.xlsx", "SAMM*Micro_FACS_Codes*.csv")
    return Mark(path.parent, path.name, (path,)) if path else None


def _samm_rows(found: Found) -> Rows:
    """SAMM_Micro_FACS_Codes_v2.xlsx, a table below 13 lines of notes; pictures 006/006_1_2/006_05562.jpg, 200 a second.

    Words are the labels. Frames are counted over the whole recording, so the onset is at 0 s. Columns and places:
    Davison et al. 2018 and public loaders, which also know of two apices outside of onset and offset.
    """
    [path] = found.files
    holder: Path | None = None
    for line, row in table(path, SAMM_COLUMNS):
        subject, name = f"{number(row['subject']) or 0:03d}", row["filename"]
        holder = holder or found.root.holder(f"{subject}/{name}")
        frames = by_number(holder / subject / name) if holder else {}
        yield _with(micro_row(path, line, name, row, frames, None, None), subject)


def _with(found: Row | Aside, subject: str) -> Row | Aside:
    if isinstance(found, Row):
        found.fields["subject"] = subject
    return found


CASME2 = DataSet(
    "casme2",
    "CASME II",
    "casme7",
    (Form("CASME2-coding-20140508.xlsx", _casme2, _casme2_rows),),
    licence="licence agreement, for academic research",
    source="http://casme.psych.ac.cn/casme/e2; Yan et al. 2014",
)
SAMM = DataSet(
    "samm",
    "SAMM",
    "samm8",
    (Form("SAMM_Micro_FACS_Codes_v2.xlsx", _samm, _samm_rows),),
    licence="licence agreement, for research",
    source="Davison, Lansley, Costen, Tan and Yap 2018",
    published={"all": 159},
)
