"""Verification: an explanation is kept only when every check passes.

    find_problems(reasoning, view, ("anger",), "basic7")    # [] or ["omitted: AU04 is present and not named", …]

The claims are read back from the text by `emollm.claims`, the reader that rewards and evaluation use, so nothing here
knows how the text was written; a text of any other teacher is checked by the same function.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from data_engine.exp_cot.view import Sign, View
from data_engine.exp_cot.words import is_free
from emollm.answers import parse, render
from emollm.claims import Claim, check, read_claims
from emollm.labels import find_labels
from emollm.records import Reasoning

MIN_WORDS, MAX_WORDS = 60, 150
"""Length of the three parts together; released Exp-CoT texts have 84 to 146 words."""
MAX_WORDS_CLIP = 240
"""The same for a clip, whose course is told besides the peak."""


def find_problems(reasoning: Reasoning, view: View, labels: tuple[str, ...], label_set: str) -> list[str]:
    """Return what is wrong with an explanation of a face, each as `check: what`; empty when nothing is.

    `labels` are those that the conclusion has to name, in the words of the label set.
    """
    parts = (reasoning.observations, reasoning.interpretation, reasoning.conclusion)
    return [
        *_form(parts, MAX_WORDS_CLIP if view.courses else MAX_WORDS),
        *_leaks(reasoning.observations, labels, label_set),
        *_observations(reasoning.observations, view),
        *_later_claims(reasoning, view),
        *_label(reasoning.conclusion, labels, label_set),
    ]


def _form(parts: Sequence[str], max_words: int) -> Iterator[str]:
    """Plain sentences of a reasonable length: markup would break the answer they become a part of."""
    count = sum(len(part.split()) for part in parts)
    if not MIN_WORDS <= count <= max_words:
        yield f"length: {count} words, not {MIN_WORDS} to {max_words}"
    for part in parts:
        if markup := _MARKUP.search(part):
            yield f"markup: '{markup[0]}' has no place in a sentence"


_MARKUP = re.compile(r"[<>\n#]|\*\*|__|```|\b(?:observations?|interpretation|conclusion)\s*:", re.IGNORECASE)


def _leaks(observations: str, labels: Sequence[str], label_set: str) -> Iterator[str]:
    """An observation that names an emotion has seen, or guessed, the label."""
    for _, start, end in find_labels(observations, label_set):
        yield f"leak: the observations say '{observations[start:end]}'"
    for word in filter(is_free, labels):
        if _whole(word).search(observations):
            yield f"leak: the observations say '{word}'"


def _observations(observations: str, view: View) -> Iterator[str]:
    """Every present AU is named with its strength and side, nothing else is, and what is denied is absent.

    Of a clip, what moves at another time may be named too; what is said with a time is about the event, not the peak.
    """
    signs = {sign.code: sign for sign in view.signs}
    claims = read_claims(observations)
    named = {claim.aus[0]: claim for claim in claims if claim.present}
    moved = {course.event.au for course in view.courses}
    for code, claim in named.items():
        if code not in signs and code not in moved:
            yield f"unsupported: '{observations[claim.start : claim.end]}' reads as {code}, which is not present"
    for claim in claims:
        if claim.present and claim.aus[0] in signs and not (claim.times and claim.aus[0] in moved):
            yield from _misstated(claim, signs[claim.aus[0]], observations[claim.start : claim.end])
    for code, sign in signs.items():
        if code not in named:
            yield f"omitted: {code} is present and not named"
        elif sign.side and all(claim.side != sign.side for claim in claims if code in claim.aus):
            yield f"side: {code} is on the {sign.side} alone, and the text does not say so"
    yield from _refuted(observations, claims, view)


def _misstated(claim: Claim, sign: Sign, said: str) -> Iterator[str]:
    if claim.letters and (sign.strength is None or sign.strength not in claim.letters):
        yield f"strength: '{said}' reads as {claim.letters}, but {sign.code} is {sign.strength or 'not graded'}"
    if claim.side not in (None, sign.side, sign.stronger):
        yield f"side: '{said}' reads as {claim.side}, but {sign.code} is on {sign.side or 'both sides'}"


def _later_claims(reasoning: Reasoning, view: View) -> Iterator[str]:
    """The interpretation and the conclusion may leave out what they like; what they claim must hold."""
    text = f"{reasoning.interpretation} {reasoning.conclusion}"
    yield from _refuted(text, read_claims(text), view)


def _refuted(text: str, claims: Sequence[Claim], view: View) -> Iterator[str]:
    for item in check(claims, view.face, view.thresholds, [course.event for course in view.courses]).checked:
        if item.verdict != "supported":
            yield f"{item.verdict}: '{text[item.claim.start : item.claim.end]}' ({item.reason})"


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
