"""Interpretation and conclusion: what the observed action units mean together, said no more firmly than they allow.

    interpret(finding, view, rng)      "Brow lowering and lip tightening together fit anger. …"
    conclude(finding, view, rng)       "Overall, the expression is consistent with anger."

Expression is not inner state: every sentence is about what the face is consistent with.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from data_engine.exp_cot.describe import join, sentence_case
from data_engine.exp_cot.infer import FITS, Finding
from data_engine.exp_cot.phrases import PHRASES
from data_engine.exp_cot.view import View
from data_engine.exp_cot.words import say
from emollm import facs
from emollm.facs import Match

MAX_EVIDENCE = 4
"""Action units that an interpretation names again."""


def interpret(finding: Finding, view: View, rng: Random) -> str:
    """Say which pattern the signs form, what decides between two, and what is missing from it."""
    evidence = _evidence(finding, view, rng)
    words = {
        "label": say(finding.shown[:1] or finding.labels, "or"),
        "best": say((finding.best.label,)) if finding.best else "",
        "rival": say((finding.rival.label,)) if finding.rival else "",
        "signs": join(evidence),
        "s": "s" if len(evidence) == 1 else "",
        "es": "es" if len(evidence) == 1 else "",
    }
    is_partial = finding.case == "one" and finding.best is not None and bool(finding.best.missing)
    is_passing = finding.case == "rest" and any(course.event.au != "AU45" for course in view.courses)
    case = "part" if is_partial else "passing" if is_passing else finding.case
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
        "{signs} suit{s} {label} better than any other emotion, without making up the whole pattern.",
    ),
    "two": (
        "{signs} fit{s} more than one pattern: {label} and {rival} both come close.",
        "the pattern is not unique; with {signs}, both {label} and {rival} are possible readings.",
        "both {label} and {rival} are described with {signs}.",
    ),
    "none": (
        "on the evidence of {signs} alone, no single emotional pattern is formed.",
        "{signs} alone make{s} up none of the known patterns, so the action units leave the reading open.",
        "the action units are unspecific here: {signs} occur{s} in several expressions and in speech.",
    ),
    "other": (
        "taken alone, {signs} fit{s} {best} better than {label}.",
        "{signs} speak{s} for {best} rather than for {label}.",
        "the action units by themselves point to {best}, which is described with {signs}; they do not show {label}.",
    ),
    "apart": (
        "{signs} fit{s} {best}; no pattern of action units is listed for {label}.",
        "by pattern, the action units are closest to {best}, because of {signs}; {label} has no pattern of its own.",
        "{signs} speak{s} for {best}, and {label} is nothing that action units alone could show.",
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
        "{signs} form{s} no emotional pattern.",
        "{signs} alone do{es} not make an emotional expression.",
        "actions such as {signs} also occur in speech and at rest, and they form no pattern of an emotion here.",
        "no emotion is described with {signs} alone.",
    ),
    "silent": (
        "no visible action speaks for {label}, and none speaks against it.",
        "the action units are silent: they neither show {label} nor exclude it.",
        "whatever speaks for {label} is too faint for the action units, or lies outside them.",
        "the action units give no ground for {label} here; the impression must come from something else.",
    ),
    "open": (
        "on the evidence of {signs}, no single emotional pattern is formed.",
        "{signs} occur{s} in several expressions and in speech, and form{s} none of the known patterns here.",
        "{signs} alone make{s} up none of the known patterns.",
    ),
}
"""How a case is put, whatever the number of signs: `part` is case `one` without the whole pattern, `passing` is case
`rest` in a clip where something moves at another time."""

TOGETHER = {
    "one": (
        "{signs} form the pattern described for {label}.",
        "the pattern of {signs} fits {label} better than any other emotion.",
    ),
    "part": ("{signs} nearly form the pattern described for {label}.",),
    "two": ("read as a pattern, {signs} lie between {label} and {rival}.",),
    "none": ("{signs} do not add up to the pattern of any one emotion; this leaves {label} open.",),
    "other": (
        "{signs} form the pattern of {best}; what speaks for {label} does not lie in the action units.",
        "by the pattern of {signs} this would be {best}, so the action units alone do not show {label}.",
    ),
    "open": ("{signs} do not add up to the pattern of any one emotion.",),
}
"""More of the same for two signs or more: one alone is no pattern."""

BEYOND = (
    "the action units leave {0} open.",
    "the action units alone do not decide on {0}.",
)
"""Said of what is given besides the label that the action units fit."""

CONCLUSIONS = {
    "one": (
        "Overall, the expression is consistent with {label}.",
        "The expression is most consistent with {label}.",
        "Taken together, the visible actions are consistent with {label}.",
        "The face shows an expression consistent with {label}.",
        "The whole is best read as an expression consistent with {label}.",
    ),
    "weak": (
        "The actions are faint, but the expression is consistent with {label}.",
        "With signs as weak as these, the expression is at most consistent with {label}.",
        "The expression is weakly consistent with {label}.",
    ),
    "mixed": (
        "Among mixed signs, the expression is most consistent with {label}.",
        "In the main, the expression is consistent with {label}.",
        "The strongest case is that the expression is consistent with {label}.",
    ),
    "two": (
        "On balance, the expression is consistent with {label}.",
        "The expression is consistent with {label}, though the margin is small.",
        "The closer reading is an expression consistent with {label}.",
    ),
    "none": (
        "The expression as a whole is consistent with {label}, although the action units alone do not decide it.",
        "The expression may be consistent with {label}; the action units leave it open.",
        "As a whole, and not by any single pattern, the expression is consistent with {label}.",
    ),
    "other": (
        "The expression as a whole is consistent with {label}, although the action units alone do not show it.",
        "As a whole, the expression is taken as consistent with {label}, against what its action units suggest.",
        "The overall impression is consistent with {label}; the action units by themselves point elsewhere.",
    ),
    "apart": (
        "The expression is consistent with {label}, which action units alone cannot show.",
        "As a whole, the expression is taken as consistent with {label}; no pattern of action units stands for it.",
        "The overall impression is consistent with {label}, beyond what action units can show.",
    ),
    "rest": (
        "Overall, the expression is consistent with {label}.",
        "The expression is best read as consistent with {label}.",
        "The expression is most consistent with {label}.",
        "What is visible is consistent with {label}.",
    ),
    "plain": (
        "Overall, the expression is closest to {label}.",
        "The expression is consistent with {label}.",
        "With little to go by, the expression is consistent with {label}.",
        "The expression is best read as consistent with {label}.",
    ),
    "silent": (
        "The overall impression is consistent with {label}, although no action unit shows it.",
        "As a whole, the expression is taken as consistent with {label}; the action units do not show it.",
    ),
    "open": (
        "The action units alone support no single label.",
        "What is visible does not decide for any one expression.",
        "No one label can be given on this evidence.",
        "The expression remains open.",
    ),
}

REMARKS = (
    "This reading concerns the visible expression and not an inner state.",
    "The reading rests on the visible muscle actions alone.",
    "Voice, words and situation could change this reading.",
    "A single view shows only one moment of an expression.",
    "The same actions can serve other purposes than showing emotion.",
    "Other readings remain possible when more of the situation is known.",
)
"""True of every face; they fill up an explanation that has little to report."""
OF_STILLS = frozenset({"A single view shows only one moment of an expression."})
"""Those that are not true of a clip."""


def conclude(finding: Finding, view: View, rng: Random) -> str:
    """Name what was given or found, once, and nothing else; or nothing, where nothing is supported."""
    case = finding.case
    if case == "one" and finding.best and finding.best.score < FITS:
        case = "mixed"
    elif case == "one" and all(sign.strength in ("A", "B") for sign in view.signs) and rng.random() < 0.5:
        case = "weak"
    return rng.choice(CONCLUSIONS[case]).format(label=say(finding.labels))


def _evidence(finding: Finding, view: View, rng: Random) -> list[str]:
    """Name the signs that the pattern rests on, or some of the signs where there is no pattern."""
    codes: Sequence[str] = finding.best.found if finding.best else tuple(view.present)
    if len(codes) > MAX_EVIDENCE:
        codes = sorted(rng.sample(codes, MAX_EVIDENCE))
    if rng.random() < 0.3:
        return [facs.prose(code) for code in codes]
    return _names(codes, view, rng)


def _names(codes: Sequence[str], view: View, rng: Random) -> list[str]:
    """Return a noun for each sign, with its side where it is on one alone."""
    sides = {sign.code: f" on the {sign.side}" for sign in view.signs if sign.side}
    return [rng.choice(PHRASES[code].nouns) + sides.get(code, "") for code in codes]


def _tip(best: Match, rival: Match, view: View, words: dict[str, str], rng: Random) -> str:
    """Say what decides between two patterns, where something does."""
    extra = _names([code for code in best.found if code not in rival.found][:2], view, rng)
    if not extra:
        return rng.choice(UNDECIDED).format_map(words)
    return rng.choice(TIPS).format_map({**words, "extra": join(extra), "s": "s" if len(extra) == 1 else ""})


TIPS = (
    "{extra} tip{s} the balance toward {label}.",
    "because of {extra}, {label} is the closer reading.",
    "what decides for {label} is {extra}.",
)
UNDECIDED = (
    "nothing visible decides between them, and {label} is one of the two.",
    "the action units do not separate them; {label} is as good a reading as {rival}.",
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
        one = len(nouns) == 1
        forms = {"is_": "is" if one else "are", "s": "s" if one else "", "es": "es" if one else ""}
        sentences.append(rng.choice(EXTRAS).format(join(nouns), **forms))
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
