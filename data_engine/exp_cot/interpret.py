"""Interpretation: what the observed action units mean together, said no more firmly than they allow.

    interpret(finding, view, rng)      "Brow lowering and lip tightening together fit anger. …"
    details(finding, view, rng)        ["The strongest part of the pattern is lip tightening.", …]

Expression is not inner state: every sentence is about what the face is consistent with. "In question" are the emotions
of the label set: a codebook may know patterns of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from data_engine.exp_cot.describe import join, sentence_case
from data_engine.exp_cot.infer import FITS, Finding
from data_engine.exp_cot.phrases import PHRASES, WHOLE_BROWS
from data_engine.exp_cot.view import View
from data_engine.exp_cot.words import say
from emollm import facs
from emollm.facs import Match
from emollm.records import AU_RANGE

MAX_EVIDENCE = 4
"""Action units that an interpretation names again; what makes up a pattern is named whole."""


def interpret(finding: Finding, view: View, rng: Random) -> str:
    """Say which pattern the signs form, what decides between two, and what is missing from it."""
    evidence = _evidence(finding, view, rng)
    words = {
        "label": say(finding.shown[:1] or finding.labels, "or"),
        "best": say((finding.best.label,)) if finding.best else "",
        "rival": say((finding.rival.label,)) if finding.rival else "",
        "signs": join(evidence),
        **_forms(evidence),
    }
    is_partial = finding.case == "one" and finding.best is not None and bool(finding.best.missing)
    is_passing = finding.case == "rest" and any(course.event.au != "AU45" for course in view.courses)
    is_still = finding.case == "unlisted" and not view.present
    case = "part" if is_partial else "passing" if is_passing else "silent" if is_still else finding.case
    wordings = INTERPRETATIONS[case] + (TOGETHER.get(case, ()) if len(evidence) > 1 else ())
    sentences = [rng.choice(wordings).format_map(words)]
    if finding.best and finding.rival:
        sentences.append(_tip(finding.best, finding.rival, view, words, rng))
    if finding.best and finding.shown:
        sentences.extend(_limit(finding.best, view, rng))
    beyond = [label for label in finding.labels if label not in finding.shown]
    if finding.shown and beyond:
        sentences.append(rng.choice(BEYOND).format(say(beyond)))
    return " ".join(sentence_case(sentence) for sentence in sentences)


INTERPRETATIONS = {
    "one": (
        "this is the pattern described for {label}; it rests on {signs}.",
        "{signs} point{s} one way: to the pattern of {label}.",
        "what stands out is {signs}, which is how {label} is described in terms of action units.",
        "of the known patterns, the one for {label} fits best, because of {signs}.",
    ),
    "part": (
        "part of the pattern described for {label} is there: {signs}.",
        "the nearest pattern is that of {label}, because of {signs}.",
        "{signs} suit{s} {label} better than any other emotion in question, without making up the whole pattern.",
    ),
    "two": (
        "{signs} fit{s} more than one pattern: {label} and {rival} both come close.",
        "the pattern is not unique; with {signs}, both {label} and {rival} are possible readings.",
        "parts of two patterns are there, of that of {label} and of that of {rival}: {signs}.",
    ),
    "none": (
        "on the evidence of {signs} alone, no single emotion in question comes close to its pattern.",
        "{signs} alone make{s} up none of the patterns in question, so the action units leave the reading open.",
        "{signs} alone decide{s} for none of the emotions in question.",
    ),
    "other": (
        "taken alone, {signs} fit{s} {best} better than {label}.",
        "{signs} speak{s} for {best} rather than for {label}.",
        "the action units by themselves point to {best}, which is described with {signs}; they do not show {label}.",
    ),
    "apart": (
        "{signs} fit{s} {best}; no pattern of action units is listed for {label}.",
        "by pattern, the action units are closest to {best}, because of {signs}; none is listed for {label}.",
        "{signs} speak{s} for {best}, and action units alone cannot show {label}.",
    ),
    "unlisted": (
        "{signs} can be seen; no pattern of action units is listed for {label}.",
        "{signs} {is_} there to be seen, but action units have no pattern for {label}.",
        "the action units show {signs}; whether that goes with {label} is beyond them, as it has no pattern.",
    ),
    "outside": (
        "{signs} fit{s} {best}, which is none of the labels in question.",
        "by pattern, the action units are closest to {best}, because of {signs}; no label in question stands for it.",
    ),
    "rest": (
        "with nothing moved away from its resting shape, no pattern of an emotion is formed.",
        "no combination of actions is there that would speak for an emotion.",
        "where no action stands out, no emotional pattern can be made out.",
        "there is nothing here from which the pattern of an emotion could be built.",
    ),
    "passing": (
        "what moves for a while is not there at the peak, and no pattern of an emotion is formed.",
        "the passing actions form no pattern of an emotion; at the peak nothing stands out.",
    ),
    "plain": (
        "{signs} form{s} none of the emotional patterns in question.",
        "{signs} alone do{es} not make the expression of any emotion in question.",
        "for the pattern of an emotion in question, {signs} alone {is_} not enough.",
        "none of the emotions in question is described with {signs} alone.",
    ),
    "silent": (
        "no visible action speaks for {label}, and none speaks against it.",
        "the action units are silent: they neither show {label} nor exclude it.",
        "whatever speaks for {label} is too faint for the action units, or lies outside them.",
        "the action units give no ground for {label} here; the impression must come from something else.",
    ),
    "open": (
        "on the evidence of {signs}, no single emotion in question comes close to its pattern.",
        "{signs} alone decide{s} for none of the emotions in question.",
        "{signs} alone make{s} up none of the patterns in question.",
    ),
}
"""How a case is put, whatever the number of signs: `part` is case `one` without the whole pattern, `passing` is case
`rest` in a clip where something moves at another time."""

TOGETHER = {
    "one": (
        "{signs} form the pattern described for {label}.",
        "the pattern of {signs} fits {label} better than any other emotion in question.",
    ),
    "part": ("{signs} nearly form the pattern described for {label}.",),
    "two": ("read as a pattern, {signs} lie between {label} and {rival}.",),
    "none": ("{signs} do not add up to the pattern of any one emotion in question; this leaves {label} open.",),
    "other": (
        "{signs} form the pattern of {best}; what speaks for {label} does not lie in the action units.",
        "by the pattern of {signs} this would be {best}, so the action units alone do not show {label}.",
    ),
    "open": ("{signs} do not add up to the pattern of any one emotion in question.",),
}
"""More of the same for two signs or more: one alone is no pattern."""

BEYOND = (
    "the action units leave {0} open.",
    "the action units alone do not decide on {0}.",
)
"""Said of what is given besides the label that the action units fit."""


# --- evidence ---------------------------------------------------------------------------------------------------------


def _evidence(finding: Finding, view: View, rng: Random) -> list[str]:
    """Name the signs that make up the pattern, or the two, then what comes along; without any, the strongest ones."""
    best = finding.best
    core: Sequence[str] = best.core if best else ()
    if finding.rival:
        core = sorted({*core, *finding.rival.core})
    others = [code for code in (best.found if best else view.present) if code not in core]
    others.sort(key=lambda code: -_strength(code, view))
    codes = (*core, *sorted(others[: max(0, MAX_EVIDENCE - len(core))]))
    named = [facs.prose(code) for code in codes] if rng.random() < 0.3 else _names(codes, view, rng)
    # Fewer than all that there are may form a pattern of their own.
    return named if best or len(codes) == len(view.present) else [*named, "further actions"]


def _strength(code: str, view: View) -> float:
    """Return how strong an action is at the peak, 0 to 1; 0 for one of another time."""
    au = view.present.get(code)
    return au.value / AU_RANGE[au.kind] if au else 0.0


def _names(codes: Sequence[str], view: View, rng: Random) -> list[str]:
    """Return a noun for each sign, with its side where it is on one alone; the two halves of the brows may be one."""
    sides = {sign.code: f" on the {sign.side}" for sign in view.signs if sign.side}
    nouns = [rng.choice(PHRASES[code].nouns) + sides.get(code, "") for code in codes]
    if tuple(codes[:2]) == ("AU01", "AU02") and sides.keys().isdisjoint(codes[:2]) and rng.random() < 0.5:
        nouns[:2] = [rng.choice(WHOLE_BROWS)]
    return nouns


def _forms(subjects: Sequence[str]) -> dict[str, str]:
    """Return the endings of verbs that follow so many subjects."""
    one = len(subjects) == 1
    return {"is_": "is" if one else "are", "s": "s" if one else "", "es": "es" if one else ""}


# --- what decides, what is special, what lacks ------------------------------------------------------------------------


def _tip(best: Match, rival: Match, view: View, words: dict[str, str], rng: Random) -> str:
    """Say what decides between two patterns, where something does."""
    alone = sorted((code for code in best.found if code not in rival.found), key=lambda code: code not in best.core)
    extra = _names(alone[:2], view, rng)
    if not extra:
        return rng.choice(UNDECIDED).format_map(words)
    return rng.choice(TIPS).format_map({**words, "extra": join(extra), **_forms(extra)})


TIPS = (
    "{extra} tip{s} the balance toward {label}.",
    "because of {extra}, {label} is the closer reading.",
    "what decides for {label} is {extra}.",
)
UNDECIDED = (
    "nothing visible decides between them, and {label} is one of the two.",
    "the action units do not separate them; {label} is as good a reading as {rival}.",
)


def details(finding: Finding, view: View, rng: Random) -> list[str]:
    """Return what is special about the one pattern that fits, in random order: it is whole, its strongest part, what
    tells it from the pattern that fits next best."""
    best, next_best = finding.best, finding.next_best
    if finding.case != "one" or best is None or len(best.core) < 2:
        return []
    sentences = []
    strengths = sorted((sign.strength, sign.code) for sign in view.signs if sign.code in best.core and sign.strength)
    if len(strengths) == len(best.core) and strengths[-1][0] > strengths[-2][0]:
        sentences.append(rng.choice(STRONGEST).format(*_names([strengths[-1][1]], view, rng)))
    if not best.missing and len(best.core) > 2:
        sentences.append(rng.choice(WHOLE))
    if next_best and (extra := [code for code in best.core if code in next_best.against]):
        nouns = _names(extra[:3], view, rng)
        sentences.append(rng.choice(DISTINCT).format(join(nouns), say((next_best.label,)), **_forms(nouns)))
    rng.shuffle(sentences)
    return [sentence_case(sentence) for sentence in sentences]


STRONGEST = (
    "the strongest part of the pattern is {0}.",
    "of the actions that make up the pattern, {0} is the strongest.",
)
WHOLE = (
    "none of the measured actions that make up this pattern is missing.",
    "as far as it was measured, the pattern is complete.",
)
DISTINCT = (
    "{0} set{s} it apart from {1}, the next best pattern.",
    "{1} would fit next best, but {0} do{es} not belong to it.",
    "{0} would not belong to the pattern that comes next, that of {1}.",
)


def _limit(best: Match, view: View, rng: Random) -> list[str]:
    """Say what the pattern lacks and what does not belong to it: often, and always where that outweighs it."""
    sentences = []
    missing = [code for code in best.missing if code in view.absent]
    if missing and rng.random() < 0.7:
        sentences.append(rng.choice(LACKS).format(rng.choice(PHRASES[missing[0]].nouns)))
    extra = best.against
    if extra and (best.score < FITS or rng.random() < 0.5):
        nouns = _names(rng.sample(extra, min(2, len(extra))), view, rng)
        sentences.append(rng.choice(EXTRAS).format(join(nouns), **_forms(nouns)))
    return sentences


LACKS = (
    "the pattern is incomplete: there is no {0}.",
    "the full pattern is not reached, as {0} is absent.",
)
EXTRAS = (
    "{0} {is_} not part of it.",
    "{0} lie{s} outside that pattern.",
    "{0} do{es} not belong to it, but do{es} not speak against it either.",
)
