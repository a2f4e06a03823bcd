"""What can be seen of a face: the AUs that are there, that are clearly not there, what is hidden, and what moves.

    view = look(face, facs.THRESHOLDS)
    view.signs[0]                                   # Sign("AU04", "C", …)

Teachers write from a view and `verify` checks against it. It holds no label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from data_engine.exp_cot.phrases import LINKED, PHRASES
from emollm import facs
from emollm.claims.checker import BORDERLINE
from emollm.claims.times import at_apex
from emollm.records import AU, Event, Face

ASYMMETRY = 1.0
"""Intensity steps between the sides from which the stronger side is named."""

DENIABLE = frozenset(code for code, phrases in PHRASES.items() if phrases.subjects)
"""AUs whose absence is worth a word."""


class Sign(NamedTuple):
    """A present AU, ready to be put into words."""

    code: str
    strength: str | None
    """The FACS letter; only intensities have one."""
    is_likely: bool
    """The detector gave a probability."""
    side: str | None
    """The only side it is on."""
    stronger: str | None
    """The side it is stronger on, where it is on both."""


class Course(NamedTuple):
    """An event of a clip that can be seen, and its AU at the apex."""

    event: Event
    au: AU


class View(NamedTuple):
    """A face as far as it can be seen; AU codes are in the order of their numbers."""

    face: Face
    thresholds: Mapping[str, float]
    measured: frozenset[str]
    """Outside hidden regions: what a detector says of those is a guess."""
    present: Mapping[str, AU]
    signs: tuple[Sign, ...]
    absent: tuple[str, ...]
    """Measured and clearly not there; the rarer AUs are left out."""
    hidden: tuple[str, ...]
    courses: tuple[Course, ...] = ()
    """What this face does over the clip of which it is the peak, in order of onset; a still has none."""
    length_s: float | None = None
    """How long the clip is, where that is known."""


def look(
    face: Face,
    thresholds: Mapping[str, float],
    events: Sequence[Event] | None = None,
    length_s: float | None = None,
) -> View:
    """Return what can be seen of a face and, where it is the peak of a clip, of its events."""
    hidden = tuple(face.hidden or ())
    measured = frozenset(
        code for code in face.aus or () if code in PHRASES and (not hidden or facs.UNITS[code].region not in hidden)
    )
    present = {code: au for code, au in facs.present(face, thresholds).items() if code in measured}
    signs = tuple(sign_of(code, au, thresholds) for code, au in present.items())
    courses = _find_courses(face, thresholds, events, hidden) if events else ()
    seen = face.aus or {}
    if courses:
        # What moves at any time is not absent. A blink leaves the lids as they are.
        seen = {**seen, **{event.au: au for event, au in courses if event.au != "AU45"}}
    absent = _find_absent(seen, measured, thresholds)
    return View(face, thresholds, measured, present, signs, absent, hidden, courses, length_s)


def _find_courses(
    face: Face, thresholds: Mapping[str, float], events: Sequence[Event], hidden: Sequence[str]
) -> tuple[Course, ...]:
    """Return the events of this face that reach the threshold, outside hidden regions."""
    own = [event for event in events if event.face == face.face and event.au in PHRASES]
    visible = [event for event in own if facs.UNITS[event.au].region not in hidden]
    courses = [Course(event, at_apex(event, face)) for event in visible]
    strong = [course for course in courses if facs.is_present(course.au, thresholds)]
    return tuple(sorted(strong, key=lambda course: (course.event.onset_s, course.event.au)))


def sign_of(code: str, au: AU, thresholds: Mapping[str, float]) -> Sign:
    """Return a present AU as a sign."""
    letter = facs.letter(au.value) if au.kind == "intensity" else None
    side = facs.side(au, thresholds)
    stronger = None
    if side is None and au.kind == "intensity" and au.left is not None and au.right is not None:
        difference = au.left - au.right
        if abs(difference) >= ASYMMETRY:
            stronger = "left" if difference > 0 else "right"
    return Sign(code, letter, au.kind == "probability", side, stronger)


def _find_absent(aus: Mapping[str, AU], measured: frozenset[str], thresholds: Mapping[str, float]) -> tuple[str, ...]:
    """Leave out what is not far below the threshold, and what looks like an AU that may be there."""
    clear = {kind: BORDERLINE[kind] * threshold for kind, threshold in thresholds.items()}
    possible = {code for code, au in aus.items() if au.value >= clear[au.kind]}
    alike = frozenset[str]().union(*(group for group in LINKED if not group.isdisjoint(possible)))
    return tuple(sorted((measured & DENIABLE) - possible - alike))
