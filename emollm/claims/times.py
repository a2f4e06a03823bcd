"""Times in prose, and whether the events of a clip bear them out: "from 0.4 s", "strongest at 0.9 s", "gone by 1.6 s".

    find_times("it begins at 0.4 s, peaks at 0.9 s", [13, 26])  # (13, Time("onset", 0.4)), (26, Time("apex", 0.9))
    fits(event, (Time("onset", 0.4),))                          # does it begin then, give or take TOLERANCE_S?

Only numbers with a unit and a word that says what they are count: "for 1.2 s" and "2 s later" are no times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from emollm.records import AU, AU_RANGE, Event, Face

TOLERANCE_S = 0.3
"""How far a time may be off: about what two coders, or two detectors at ten frames a second, differ by."""


class Time(NamedTuple):
    """A time said of a movement: when it begins, is strongest or ends, or at which moment it is seen."""

    kind: Literal["onset", "apex", "offset", "at"]
    seconds: float


UNIT = r"\s?(?:s|secs?|seconds?)(?![\w’'])"
"""What stands behind a number that is a time."""
_RANGE = r"\s?(?:to|and|until|till|[-\u2013])\s?"
_NUMBER = re.compile(rf"(?<![\w.])(\d{{1,5}}(?:\.\d{{1,3}})?)(?:{UNIT}|(?={_RANGE}\d[\d.]*{UNIT}))")
_LEAD = re.compile(
    r"(?:\b(?P<apex>peak(?:s|ed|ing)?|apex|strongest|most(?: of all)?|height|highest|maximum)\b"
    r"|\b(?P<onset>rose|ris(?:e|es|ing)|beg[aiu]n(?:s|ning)?|start(?:s|ed|ing)?|onset|sets? in|returns?)\b"
    r"|\b(?P<offset>end(?:s|ed|ing)?|offset|over|gone|fad(?:es?|ed|ing)|stop(?:s|ped)?|disappear(?:s|ed)?|rest)\b)?"
    r"\W*(?:(?:again|is|are|comes|reached|of)\W+){0,2}"
    r"(?P<word>from|since|between|until|till|to|and|by|at|around|near|about|[-\u2013])?(?: about| around)?\W*$"
)
_MAX_LEAD = 40
"""Characters before a number that say what it is."""


def find_times(lowered: str, numbers: Iterable[int]) -> Iterator[tuple[int, Time]]:
    """Yield the times of a text in small letters, each with its place; `numbers` are the places of its numbers."""
    before: Time | None = None
    end = 0
    for number in [found for place in numbers if (found := _NUMBER.match(lowered, place))]:
        lead = _LEAD.search(lowered, max(end, number.start() - _MAX_LEAD), number.start())
        kind = _kind(lead, before if lead is not None and lead.start() <= end + 1 else None) if lead else None
        end, before = number.end(), None
        if kind is not None:
            before = Time(kind, float(number[1]))
            yield number.start(), before


def _kind(lead: re.Match[str], before: Time | None) -> Literal["onset", "apex", "offset", "at"] | None:
    """Return what a number is, from the words before it and the time that it makes a range with."""
    word = lead["word"]
    if word in ("and", "-", "\u2013"):
        return "offset" if before is not None and before.kind == "onset" else None
    if lead["apex"]:
        return "apex"
    if word in ("from", "since", "between"):
        return "onset"
    if word in ("until", "till", "to"):
        return "offset"
    if lead["onset"] or lead["offset"]:
        return "onset" if lead["onset"] else "offset"
    return "at" if word in ("at", "by", "around", "near", "about") else None


# --- events -----------------------------------------------------------------------------------------------------------


def fits(event: Event, times: Sequence[Time]) -> bool:
    """Tell whether everything said about time is so."""
    return all(_is_near(event, time) for time in times)


def _is_near(event: Event, time: Time) -> bool:
    if time.kind == "at":
        return event.onset_s - TOLERANCE_S <= time.seconds <= event.offset_s + TOLERANCE_S
    there = {"onset": event.onset_s, "apex": event.apex_s, "offset": event.offset_s}[time.kind]
    return abs(time.seconds - there) <= TOLERANCE_S + 1e-9


def covers(event: Event, times: Sequence[Time]) -> bool:
    """Tell whether the movement is surely under way at one of the times."""
    return any(event.onset_s + TOLERANCE_S < time.seconds < event.offset_s - TOLERANCE_S for time in times)


def at_apex(event: Event, face: Face) -> AU:
    """Return the AU of an event at its apex, as the face's detector gives it.

    An event has neither kind nor sides: the kind is that of the AU at the peak face, or of its neighbours; the sides
    differ as they do there.
    """
    aus = face.aus or {}
    like = aus.get(event.au) or next(iter(aus.values()), None)
    kind = like.kind if like is not None else "presence"
    value = 1.0 if kind == "presence" else min(max(event.peak, 0.0), AU_RANGE[kind])
    au = aus.get(event.au)
    if au is None or au.left is None or au.right is None or not au.value:
        return AU(value=value, kind=kind)
    return AU(value=value, kind=kind, left=_share(au.left, au, value), right=_share(au.right, au, value))


def _share(side: float, au: AU, value: float) -> float:
    return min(side / au.value, 1.0) * value
