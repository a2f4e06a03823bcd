"""The course of a clip in words: when each action begins, is strongest and ends, from its events alone.

    narrate(look(face, thresholds, events), describe(view, rng), rng)
    "At the peak, … Over the clip, raising of the inner and outer brows begins at 0.4 s, peaks at 0.9 s and …"

What the observations say of the peak is not said again: an action that is there is only named, one that comes at
another time has its strength and code with it. Times are rounded to 0.1 s, and `emollm.claims` reads them back.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from data_engine.exp_cot.describe import clause, join, noun, sentence_case
from data_engine.exp_cot.phrases import PHRASES, WHOLE_BROWS
from data_engine.exp_cot.view import Course, Sign, View, sign_of
from emollm import facs
from emollm.records import AU_RANGE, Event

MAX_PASSAGES = 6
"""Passages that are told, the strongest ones; events that run together are one. Blinks are counted apart."""

TOGETHER_S = 0.2
"""Events that begin, peak and end within this of each other are told as one, with the times of the strongest. It leaves
room for rounding within what a claim may be off (`emollm.claims.times.TOLERANCE_S`)."""

BRIEF_S = 0.5
"""A shorter event is told by its apex alone."""

QUICK_S, SLOW_S = 0.25, 1.0
"""A rise from onset to apex within the first is quick, one from the second on is slow."""

EDGE_S = 0.15
"""An event so near to the start or the end of the clip is there from or to it: frames may be 0.1 s apart."""


def narrate(view: View, observations: str, rng: Random, notation: str = "", is_terse: bool = False) -> str:
    """Return the observations of the peak of a clip with the clip's course behind them."""
    blinks = [course.event for course in view.courses if course.event.au == "AU45"]
    groups = _together([course for course in view.courses if course.event.au != "AU45"])
    passages = _passages(groups[:MAX_PASSAGES], view)
    sentences = _sentences(passages, [_tell(passage, view, notation, rng, is_terse) for passage in passages], rng)
    if blinks:
        sentences.append(_tell_blinks(blinks, rng))
    if not sentences:
        return observations
    count = len(view.courses) - len(blinks)
    lead = rng.choice(ALL if len(groups) == len(passages) else SOME).format(count=count)
    peak = f"{rng.choice(PEAK)}{_small(observations)}" if passages else observations
    return " ".join([peak, lead + sentences[0], *map(sentence_case, sentences[1:])])


PEAK = ("At the peak, ", "At the peak of the clip, ", "At the height of the clip, ")
ALL = ("Over the clip, ", "Over time, ", "In the course of the clip, ")
SOME = ("Of the {count} events of the clip, the strongest are these: ",)


def _small(text: str) -> str:
    """Begin with a small letter, but for a code."""
    return text if text[1].isupper() else text[0].lower() + text[1:]


# --- passages ---------------------------------------------------------------------------------------------------------


class Passage(NamedTuple):
    """Events that run together, told at once."""

    event: Event
    """The strongest of them, whose times are told."""
    signs: tuple[Sign, ...]
    is_again: bool
    """All of them were told of before."""


def _together(courses: Sequence[Course]) -> list[list[Course]]:
    """Gather events that begin, peak and end together; the strongest group, and the strongest event in each, first."""
    groups: list[list[Course]] = []
    for course in sorted(courses, key=_strength, reverse=True):
        group = next((group for group in groups if _run_together(group[0].event, course.event)), None)
        if group is None:
            groups.append([course])
        else:
            group.append(course)
    return groups


def _passages(groups: Sequence[list[Course]], view: View) -> list[Passage]:
    """Put groups of events in order of onset, each with its signs."""
    told: set[str] = set()
    passages = []
    for group in sorted(groups, key=lambda group: group[0].event.onset_s):
        codes = {course.event.au for course in group}
        signs = tuple(_sign(course, view, told) for course in sorted(group, key=lambda course: course.event.au))
        passages.append(Passage(group[0].event, signs, codes <= told))
        told |= codes
    return passages


def _strength(course: Course) -> float:
    return course.au.value / AU_RANGE[course.au.kind]


def _run_together(a: Event, b: Event) -> bool:
    gaps = (a.onset_s - b.onset_s, a.apex_s - b.apex_s, a.offset_s - b.offset_s)
    return a.au != b.au and all(abs(gap) <= TOGETHER_S for gap in gaps)


def _sign(course: Course, view: View, told: set[str]) -> Sign:
    """Return the sign of an event: with its strength where it is told first here, bare where it is known already."""
    code = course.event.au
    if code in view.present:
        return Sign(code, None, False, next(sign.side for sign in view.signs if sign.code == code), None)
    if code in told:
        return Sign(code, None, False, None, None)
    return sign_of(code, course.au, view.thresholds)


# --- words ------------------------------------------------------------------------------------------------------------


def _tell(passage: Passage, view: View, notation: str, rng: Random, is_terse: bool) -> str:
    """Tell of one passage in a clause."""
    event, signs = passage.event, passage.signs
    on, apex, off = (f"{seconds:.1f} s" for seconds in (event.onset_s, event.apex_s, event.offset_s))
    words = {
        "on": on,
        "apex": apex,
        "off": off,
        "span": _span(event, view.length_s),
        "most": "" if apex in (on, off) else rng.choice(MOST).format(apex=apex),
        "speed": _speed(event),
        "is_": "is" if len(signs) == 1 else "are",
        "s": "s" if len(signs) == 1 else "",
    }
    if len(signs) == 1 and PHRASES[signs[0].code].subjects and not is_terse and rng.random() < 0.4:
        plans = MOMENTS_OF_CLAUSES if _is_brief(event) else SPANS_OF_CLAUSES
        return rng.choice(plans).format(clause=clause(signs[0], _tag(signs[0], view, notation), rng), **words)
    nouns = join(_nouns(signs, view, notation, rng, is_terse))
    return rng.choice(_plans(passage, view, is_terse)).format(nouns=nouns, **words)


def _edges(event: Event, length_s: float | None) -> tuple[bool, bool]:
    """Tell whether an event is there from the start of the clip, and whether to its end."""
    return event.onset_s <= EDGE_S, length_s is not None and event.offset_s >= length_s - EDGE_S


def _span(event: Event, length_s: float | None) -> str:
    """Return from when to when an event lasts."""
    is_first, is_last = _edges(event, length_s)
    if is_first and is_last:
        return "throughout the clip"
    start = "from the start" if is_first else f"from {event.onset_s:.1f} s"
    return f"{start} {'until the end' if is_last else f'to {event.offset_s:.1f} s'}"


def _speed(event: Event) -> str:
    rise_s = event.apex_s - event.onset_s
    return "quickly " if rise_s <= QUICK_S else "slowly " if rise_s >= SLOW_S else ""


def _is_brief(event: Event) -> bool:
    return event.offset_s - event.onset_s < BRIEF_S


def _plans(passage: Passage, view: View, is_terse: bool) -> Sequence[str]:
    """Return the sentences that suit an event."""
    event = passage.event
    if is_terse:
        return SPANS[:1]
    if _is_brief(event):
        return MOMENTS
    moments = {f"{seconds:.1f}" for seconds in (event.onset_s, event.apex_s, event.offset_s)}
    if len(moments) < 3 or any(_edges(event, view.length_s)):
        return SPANS
    return (*(RETURNS if passage.is_again else STEPS), *SPANS)


MOST = (", most of all at {apex}", ", strongest at {apex}", ", with the peak at {apex}")
STEPS = (
    "{nouns} begin{s} at {on}, {speed}peak{s} at {apex} and end{s} at {off}",
    "{nouns} start{s} at {on}, {is_} strongest at {apex} and {is_} over by {off}",
    "at {on} begin{s} {nouns}, strongest at {apex} and over by {off}",
)
RETURNS = ("{nouns} return{s} at {on}, {speed}peak{s} at {apex} and end{s} at {off}",)
SPANS = ("{nouns} {is_} seen {span}{most}", "{nouns} last{s} {span}{most}", "{span} there is {nouns}{most}")
SPANS_OF_CLAUSES = ("{clause} {span}{most}", "{span} {clause}{most}")
MOMENTS = ("{nouns} {is_} seen briefly at {apex}", "for a moment, at {apex}, there is {nouns}")
MOMENTS_OF_CLAUSES = ("{clause} for a moment at {apex}", "for a moment, at {apex}, {clause}")


def _tag(sign: Sign, view: View, notation: str) -> str:
    """Return the notation for a sign: its code stands where it is named first."""
    return "" if sign.code in view.present else notation


def _nouns(signs: Sequence[Sign], view: View, notation: str, rng: Random, is_terse: bool) -> list[str]:
    """Return a noun for each sign; the two halves of the brows make one where nothing tells them apart."""
    plain = {sign.code for sign in signs if sign[1:] == (None, False, None, None)}
    if is_terse and len(plain) == len(signs):
        return [facs.prose(sign.code) for sign in signs]
    nouns = [noun(sign, _tag(sign, view, notation), rng) for sign in signs]
    if plain >= {"AU01", "AU02"}:
        nouns[:2] = [rng.choice(WHOLE_BROWS)]
    return nouns


def _sentences(passages: Sequence[Passage], clauses: Sequence[str], rng: Random) -> list[str]:
    """Join clauses with "while" where one event runs into the next, and begin sentences with a word for the order."""
    links = {True: rng.sample(MEANWHILE, len(MEANWHILE)), False: rng.sample(THEN, len(THEN))}
    sentences: list[str] = []
    is_joined = False
    for place, text in enumerate(clauses):
        overlaps = place > 0 and passages[place].event.onset_s < passages[place - 1].event.offset_s
        if overlaps and not is_joined and rng.random() < 0.5:
            sentences[-1] = f"{sentences[-1][:-1]}, while {text}."
            is_joined = True
        else:
            lead = links[overlaps].pop(0) if place and links[overlaps] else ""
            sentences.append(f"{lead}{text}.")
            is_joined = False
    return sentences


MEANWHILE = ("", "", "", "meanwhile, ", "during this, ")
THEN = ("", "then ", "after that, ", "later, ", "next, ")


def _tell_blinks(blinks: Sequence[Event], rng: Random) -> str:
    if len(blinks) == 1:
        return f"the eyes blink once, at {blinks[0].apex_s:.1f} s."
    times = COUNTS.get(len(blinks), f"{len(blinks)} times")
    return rng.choice(BLINKS).format(times)


BLINKS = ("the eyes blink {0}.", "the person blinks {0}.")
COUNTS = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}
