"""Verification: an explanation is kept only when every check passes.

    find_observation_problems("The jaw drops.", view, ("anger",), "basic7")    # ["unsupported: …", "omitted: …"]
    find_ending_problems(reasoning, view, ("anger",), "basic7")                # [] where nothing is wrong with it

The claims are read back from the text by `emollm.claims`, the reader that rewards and evaluation use, so nothing here
knows how the text was written; a text of any teacher is checked by the same function. The observations are checked
before anything is concluded from them, so that no time, or money, is spent on what cannot be kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import lru_cache

from data_engine.exp_cot.chinese import find_mismatches, find_stray_times
from data_engine.exp_cot.chinese_moves import find_uneven
from data_engine.exp_cot.language import ENGLISH, MANY_SIGNS, Language
from data_engine.exp_cot.responsible import without_sound
from data_engine.exp_cot.unseen import find_unseen
from data_engine.exp_cot.view import Sign, View
from data_engine.exp_cot.words import is_free
from emollm.answers import parse, render
from emollm.claims import Checked, Claim, check
from emollm.claims.letters import plain
from emollm.facs import prose
from emollm.labels import BASIC6, LABEL_SETS, find_labels
from emollm.records import Reasoning

ENDING = 12
"""Words, or characters, that the shortest interpretation and conclusion need."""


def find_observation_problems(
    observations: str,
    view: View,
    labels: tuple[str, ...],
    label_set: str,
    language: Language = ENGLISH,
    told: Sequence[Claim] | None = None,
) -> list[str]:
    """Return what is wrong with the observations alone, each as `check: what`; `labels` are not to be found in them.

    `told` are the claims that the teacher stated beside them; a language whose prose cannot be read alone needs them.
    """
    observations = plain(observations)
    problems = [*_form(observations, language), *_leaks(observations, labels, label_set)]
    problems += find_unseen(observations, view.hidden, is_still=not view.courses)
    length, most = language.length(observations), most_words(view, language) - ENDING
    if length > most:
        problems.append(f"length: {length} {language.unit}, more than {most}, leave no room for a conclusion")
    if language.states_claims:
        if told is None:
            return [*problems, "claims: there is no list of claims beside the text"]
        moments = [moment for event, _ in view.courses for moment in (event.onset_s, event.apex_s, event.offset_s)]
        problems += [*find_mismatches(observations, told), *find_stray_times(observations, moments)]
        problems += _uneven(observations, view)
        return [*problems, *_observations(observations, told, view)]
    return [*problems, *_observations(observations, language.read(observations), view)]


def find_ending_problems(
    reasoning: Reasoning, view: View, labels: tuple[str, ...], label_set: str, language: Language = ENGLISH
) -> list[str]:
    """Return what is wrong with the interpretation, the conclusion and the length of all, given the observations.

    `labels` are those that the conclusion has to name, in the words of the label set.
    """
    ending = plain(f"{reasoning.interpretation} {reasoning.conclusion}")
    length, most = language.length(f"{reasoning.observations} {ending}"), most_words(view, language)
    problems = []
    if not language.least <= length <= most:
        problems.append(f"length: {length} {language.unit}, not {language.least} to {most}")
    for name in ("interpretation", "conclusion"):
        problems += _form(getattr(reasoning, name), language, name)
    problems += find_unseen(ending, view.hidden, is_still=not view.courses)
    if language.states_claims:
        problems += _uneven(ending, view)
    # What the ending claims must hold; it may leave out what it likes.
    claims = language.read(ending)
    problems += [*_refuted(ending, claims, view), *_one_sided(ending, claims, view)]
    return [*problems, *_label(reasoning.conclusion, labels, label_set)]


def most_words(view: View, language: Language = ENGLISH) -> int:
    """Return how long an explanation may be, in words or characters: every action of a busy face has to be named."""
    most = language.most_clip if view.courses else language.most
    return most + language.a_sign * max(0, len(view.signs) - MANY_SIGNS)


def _form(part: str, language: Language, name: str = "observations") -> Iterator[str]:
    """Plain sentences about the face: markup would break the answer they become a part of."""
    if not part.strip():
        yield f"empty: the {name} are missing" if name.endswith("s") else f"empty: the {name} is missing"
    elif not language.is_in(part):
        yield f"language: the {name} {'are' if name.endswith('s') else 'is'} not in '{language.name}'"
    if markup := _MARKUP.search(part):
        yield f"markup: '{markup[0]}' has no place in a sentence"
    lowered = part.lower()
    if talk := next((words for words in _TALK if words in lowered), None):
        yield f"talk: '{talk}' is not about the face"


_MARKUP = re.compile(r"[<>\n#{}]|\*\*|__|```|\b(?:observations?|interpretation|conclusion)\s*:", re.IGNORECASE)
_TALK = (
    *(
        "http:",
        "https:",
        "www.",
        "as an ai",
        "language model",
        "system prompt",
        "the prompt",
        "instruction",
        "ignore all",
    ),
    *("ignore the", "ignore any", "ignore previous", "disregard", "sorry", "i am unable", "i'm unable", "i cannot"),
    *("i can't", "json", "语言模型", "人工智能", "忽略", "指令", "抱歉", "提示词"),
    *("观察：", "解读：", "结论："),
)
"""Speech about the task instead of the face: apologies, orders, addresses."""


def _leaks(observations: str, labels: Sequence[str], label_set: str) -> Iterator[str]:
    """An observation that names an emotion has seen, or guessed, the label. "The other brow" names none."""
    # Parts of the face are "neutral" or "depressed" and name no emotion; where neutral is the label, they tell it.
    searched = observations if "neutral" in labels else without_sound(observations)
    found = find_labels(searched, label_set)
    if not _has_basics(label_set):
        found += find_labels(searched, "basic7")
    for start, end in sorted({(start, end) for label, start, end in found if label != "other"}):
        yield f"leak: the observations say '{observations[start:end]}'"
    for word in filter(is_free, labels):
        if _whole(word).search(observations):
            yield f"leak: the observations say '{word}'"


def _has_basics(label_set: str) -> bool:
    """Tell whether a search for the labels of a set finds the basic emotions as well."""
    return label_set == "open" or set(BASIC6) <= set(LABEL_SETS[label_set].labels)


def _observations(observations: str, claims: Sequence[Claim], view: View) -> Iterator[str]:
    """Every present AU is named with its strength and side, nothing else is, and what is denied is absent.

    Of a clip, what moves at another time may be named too; what is said with a time is about the event, not the peak.
    """
    signs = {sign.code: sign for sign in view.signs}
    moved = {course.event.au for course in view.courses}
    told = [(_meant(claim, signs, moved), claim) for claim in claims if claim.present and claim.region is None]
    named = dict(told)
    if not claims and (signs or view.absent):
        yield "silent: nothing is said of the face that could be checked"
    for code, claim in named.items():
        if code not in signs and code not in moved:
            yield f"unsupported: '{_said(observations, claim)}' reads as {code}, which is not present"
    for code, claim in told:
        if code in signs and not (claim.times and code in moved):
            yield from _misstated(claim, signs[code], _said(observations, claim))
    for code, sign in signs.items():
        if code not in named:
            yield f"omitted: {code} is present and not named"
        elif sign.side and all(claim.side != sign.side for claim in claims if code in claim.aus):
            yield f"side: {code} is on the {sign.side} alone, and the text does not say so"
    yield from _refuted(observations, claims, view)


def _meant(claim: Claim, signs: Mapping[str, Sign], moved: Set[str]) -> str:
    """Return the AU that a claim is about: of its readings the first that is there at the peak, or moves, if any is."""
    there = (code for codes in (signs, moved) for code in claim.aus if code in codes)
    return next(there, claim.aus[0])


def _misstated(claim: Claim, sign: Sign, said: str) -> Iterator[str]:
    # What shows an AU only as well, as narrowed eyes show raised cheeks, has a strength of its own.
    is_graded = claim.aus[0] == sign.code or sign.strength is None
    if claim.letters and is_graded and (sign.strength is None or sign.strength not in claim.letters):
        yield f"strength: '{said}' reads as {claim.letters}, but {sign.code} is {sign.strength or 'not graded'}"
    yield from _wrong_side(claim, sign, said)


def _one_sided(text: str, claims: Sequence[Claim], view: View) -> Iterator[str]:
    """Sides of which nothing was measured are made up, in an ending as much as in observations."""
    signs = {sign.code: sign for sign in view.signs}
    for claim in claims:
        code = _meant(claim, signs, frozenset())
        if claim.present and claim.region is None and code in signs:
            yield from _wrong_side(claim, signs[code], _said(text, claim))


def _uneven(text: str, view: View) -> Iterator[str]:
    """What a Chinese text says of a side that moves more; which movement it means is not read."""
    sides = {side for sign in view.signs if (side := sign.side or sign.stronger)}
    for said, side in find_uneven(text):
        if not sides or side not in (None, *sides):
            yield f"side: '{said}', and nothing is stronger on {f'the {side}' if side else 'either side'}"


def _wrong_side(claim: Claim, sign: Sign, said: str) -> Iterator[str]:
    if claim.side not in (None, sign.side, sign.stronger):
        yield f"side: '{said}' reads as {claim.side}, but {sign.code} is on {sign.side or 'both sides'}"
    elif claim.uneven and not (sign.side or sign.stronger):
        yield f"side: '{said}' reads as uneven, but {sign.code} is on both sides alike, as far as is known"


def _refuted(text: str, claims: Sequence[Claim], view: View) -> Iterator[str]:
    for item in check(claims, view.face, view.thresholds, [course.event for course in view.courses]).checked:
        if item.verdict != "supported" and not _is_harmless(item):
            yield f"{item.verdict}: '{_said(text, item.claim)}' ({item.reason})"


def _is_harmless(item: Checked) -> bool:
    """Tell whether what cannot be judged may be said all the same.

    Open eyes are what a face has unless something is said of them, sides are alike unless one is known to move more,
    and a whole region is "at rest" though one of its AUs is just below the threshold.
    """
    claim = item.claim
    if claim.present:
        return False
    return (item.reason == "unmeasured" and (claim.aus[0] == "AU43" or claim.uneven)) or (
        item.reason == "borderline" and claim.region is not None
    )


def _said(text: str, claim: Claim) -> str:
    """Return the words of a claim; one that was stated beside the text has none, and is shown by its code."""
    return text[claim.start : claim.end] or prose(claim.aus[0])


def _label(conclusion: str, labels: tuple[str, ...], label_set: str) -> Iterator[str]:
    """A reader of the finished text must arrive at the labels, and be offered no other."""
    found = _labels_read(conclusion, labels, label_set)
    if found != set(labels):
        wanted = f"{', '.join(labels)} alone" if labels else "none"
        yield f"label: the conclusion gives {', '.join(sorted(found)) or 'none'}, not {wanted}"


@lru_cache(maxsize=4096)
def _labels_read(conclusion: str, labels: tuple[str, ...], label_set: str) -> frozenset[str]:
    """Conclusions repeat, and without markup the parts before them do not count.

    A free word is found by its letters alone, and taken out: "slightly happy" does not also say happiness.
    """
    whole = Reasoning(observations="…", interpretation="…", conclusion=conclusion)
    text = render("sections", labels[0] if len(labels) == 1 else "", whole)
    found = set()
    for word in sorted(filter(is_free, labels), key=len, reverse=True):
        text, count = _whole(word).subn("…", text)
        found |= {word} if count else set()
    return frozenset((*found, *parse(text, label_set).labels))


def _whole(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
