"""Negation: which claims of a clause a word of `denials` denies. Only `scope` calls this."""

from __future__ import annotations

import re

from emollm.claims.anchor import Anchor
from emollm.claims.clause import Clause, chain_before
from emollm.claims.denials import SAID_OF_SUBJECT
from emollm.claims.scan import Token
from emollm.claims.times import UNIT

NOT_THERE = re.compile(SAID_OF_SUBJECT)
_VERBAL = re.compile(r"not|cannot|never|\w+n(?:’|')t|no longer")
_TURNS_BACK = re.compile(r"no longer|lack(?:s|ed|ing)?")


def negate(clause: Clause, place: int) -> None:
    """Apply "no", "not", "without" to what they reach on the right, or to their subject on the left."""
    cue = clause.words[place]
    phrase = clause.lowered[cue.start : cue.end]
    is_verbal = _VERBAL.fullmatch(phrase) is not None
    is_blunt = phrase == "no" and _BLUNT.match(clause.lowered, cue.end) is not None
    if is_blunt and _QUESTION.search(clause.lowered, max(0, cue.start - 8), cue.start):
        # It answers the question before it.
        return
    before = chain_before(clause.anchors, cue.start, clause.lowered) if is_verbal or is_blunt else []
    is_subject = is_verbal and before and NOT_THERE.match(clause.lowered, cue.end)
    if is_subject or (is_blunt and before and _MARKS.fullmatch(clause.lowered, before[0].end, cue.start)):
        # "AU12 is not present", "AU12: no", "| AU12 | no |"
        reached = before
    else:
        limit = _limit(clause, place, is_verbal)
        reached = [anchor for anchor in clause.anchors if cue.end <= anchor.key < limit]
        if phrase == "none of":
            reached = [one for one in reached if not _ACCOUNTS.search(clause.lowered, cue.end, one.start)]
        elif not reached and _TURNS_BACK.match(phrase):
            reached = chain_before(clause.anchors, cue.start, clause.lowered)
    is_doubt = phrase.startswith(("doubt", "unlikely"))
    for anchor in reached:
        anchor.is_negated = True
        anchor.is_hedged |= is_doubt


_QUESTION = re.compile(r"\?\W*$")
_ACCOUNTS = re.compile(r"\b(?:explain|account|fit|match|correspond|made up|consist|predict|interpret)")
"""Verbs after "none of" that only take up what is seen: "none of these explains the raised brows"."""
_MARKS = re.compile(r"[^\w.,;]*")
_BLUNT = re.compile(
    r"[^\w.,;)|\n]*(?:(?:visible|clear|evident|detectable|significant) )?"
    r"(?:(?:activ|movement|contraction|sign|evidence|engagement|change)\w*\W*)?(?:$|[.,;)|\n])"
)
"""What may follow a "no" that is all that is said."""


def _limit(clause: Clause, place: int, is_verbal: bool) -> int:
    """Return where a negation stops reaching: at a comma, "and" or "with" unless a list goes on, or at the next one."""
    words = clause.words
    for number in range(place + 1, len(words)):
        token = words[number]
        if token.kind == "no" or (token.kind == "hedge" and _CONCLUDES.match(clause.lowered, token.start - 6)):
            return token.start
        if token.kind != "link" or token.value == "or":
            continue
        if token.value == "," and _is_or_list(words, number, clause.lowered):
            continue
        if token.value == "and" and not is_verbal and _goes_on(clause, token, words[place]):
            continue
        return token.start
    return clause.end


_CONCLUDES = re.compile(r"(?!.{2}that |.{3}to |.hich |.ould ).{6}suggest")


def _is_or_list(words: list[Token], comma: int, lowered: str) -> bool:
    """Tell whether a list that ends in "or" goes on after a comma: "no smile, frown or squint"."""
    if re.match(r"\s(?:the|his|her|their)\b", lowered[words[comma].end : words[comma].end + 8]):
        return False
    for token in words[comma + 1 :]:
        if token.kind == "link" and token.value != ",":
            return token.value == "or"
    return False


_LACK = re.compile(r"lack|absence|devoid|free")
_NOUN = re.compile(r"(?:ing|ion|er|or)$")


def _goes_on(clause: Clause, joint: Token, cue: Token) -> bool:
    """Tell whether "and" adds to what is denied: "no brow lowering and lid tightening".

    After "no" and "without" only a bare noun is added: "no smile and raised brows" has the brows raised, "lacks
    the raised brows and parted lips" has neither.
    """
    lowered = clause.lowered
    added = next((anchor for anchor in clause.anchors if anchor.start >= joint.end), None)
    if added is None or lowered[joint.end : added.start].strip():
        return False
    is_noun = added.is_code or _NOUN.search(lowered, added.start, added.end) is not None
    return is_noun or _LACK.match(lowered, cue.start) is not None


_IN_TIME = re.compile(
    r"(?: again| away)? (?:by|at|after|from|around|until|before)(?: about| around)? "
    rf"(?:the end\b|\d{{1,5}}(?:\.\d+)?{UNIT})"
)
_AS_IT_GOES = re.compile(r"\b(?:as|when|while|once|after|before|until) (?:the |his |her |their )?(?:\w+ ){0,2}$")
_GOES = ("fad", "disappear", "vanish")
_IS_OFF = re.compile(r"(?:\b(?:is|are|was|were|switched)|[:|(=])\W*off$")


def end(clause: Clause, place: int) -> None:
    """Apply "absent", "missing", "fades" to what stands before, or right after: "a fading smile"."""
    cue = clause.words[place]
    if re.search(r"(?:not|n['’]t|never) (?:\w+ )?$", clause.lowered[max(0, cue.start - 16) : cue.start]):
        return
    if clause.lowered[cue.start : cue.end] == "off" and not _IS_OFF.search(
        clause.lowered, max(0, cue.start - 10), cue.end
    ):
        return
    if _IN_TIME.match(clause.lowered, cue.end):
        # "The smile is gone by 1.6 s": until then it was there.
        return
    if any(anchor.start <= cue.start < anchor.end for anchor in clause.anchors):
        # "The brows are inactive" is a claim about a region.
        return
    reached = chain_before(clause.anchors, cue.start, clause.lowered)
    if not reached:
        reached = [anchor for anchor in clause.anchors if cue.end <= anchor.start < min(clause.end, cue.end + 16)][:1]
    if reached and clause.lowered.startswith(_GOES, cue.start):
        start = min(anchor.start for anchor in reached)
        if _AS_IT_GOES.search(clause.lowered, max(0, start - 32), start):
            # "As the smile fades, the brows lower": it was there.
            return
    for anchor in reached:
        anchor.is_negated = True


# --- answers and other sides ------------------------------------------------------------------------------------------

_ANSWER = re.compile(r"\W{0,8}(?:(?P<yes>yes)|no(?=[*\"”’)]*(?:\s*$|[.,;:!\n])))\b")


def answer_question(anchors: list[Anchor], lowered: str, end: int) -> None:
    """Read what a question that ends at `end` says: what its answer says of it, else nothing for sure."""
    answer = _ANSWER.match(lowered, end)
    for anchor in anchors:
        anchor.is_hedged |= answer is None
        anchor.is_negated |= answer is not None and not answer["yes"]


_OTHER_SIDE = re.compile(
    r"\W*(?:the|his|her|their) (?P<side>left|right)(?: (?:one|side|(?:eye)?brow|eye|cheek|lip corner|corner))?"
    r" (?:is|does|has)(?P<no> not|n['’]t)?\W*"
)


def other_side(anchors: list[Anchor], lowered: str, start: int, end: int) -> list[Anchor]:
    """Return what a clause says of the other side: "the right brow is raised, but the left is not"."""
    found = _OTHER_SIDE.fullmatch(lowered, start, end)
    if found is None:
        return []
    last = next((anchor for anchor in reversed(anchors) if anchor.end <= start and anchor.sides), None)
    if last is None or last.is_dropped or last.is_negated == (found["no"] is not None):
        return []
    place = found.start("side")
    return [
        Anchor(
            place,
            found.end("no") if found["no"] else found.end("side"),
            place,
            last.readings,
            last.region,
            sides=(found["side"],),
            is_negated=not last.is_negated,
        )
    ]
