"""The reader: claims out of prose.

    read_claims("No smile; the brows are slightly lowered.")
    [Claim(("AU12", …), present=False …), Claim(("AU04",), present=True, letters="B" …)]

Wrapped lines are joined and asides taken out first (`lines`, `asides`). What is left is scanned once (`scan`, `codes`)
and cut into sentences; in each, parts meet actions (`pair`), and per clause negation, hedges, strength and side are
applied to what they reach (`scope`). What is only supposed, or a rule about expressions in general ("a smile would be
expected", "AU12 is typical of happiness"), is no claim.
English only.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple

from emollm.claims.anchor import PLACE, Anchor
from emollm.claims.asides import find_asides, without
from emollm.claims.blanks import Origins, squeeze, unsqueeze
from emollm.claims.clause import Clause
from emollm.claims.codes import find_codes, has_strength, strength_after
from emollm.claims.letters import plain
from emollm.claims.lines import unwrap
from emollm.claims.negation import answer_question, other_side
from emollm.claims.pair import pair
from emollm.claims.places import resolve_same, side_of_both
from emollm.claims.scan import Token, scan
from emollm.claims.scope import apply_cues, is_definition
from emollm.claims.times import Time, find_times
from emollm.claims.uneven import compare_alone


class Claim(NamedTuple):
    """What a text says about one movement, or one region, of the face."""

    aus: tuple[str, ...]
    """Alternatives, the most likely reading first; for a claim about a region all AUs of the region."""
    present: bool = True
    """False: said to be absent."""
    side: str | None = None
    """`left` or `right`, the subject's own; None: both or not said."""
    letters: str = ""
    """FACS strength said, "B" or a span such as "CD"; empty: not said."""
    hedged: bool = False
    region: str | None = None
    start: int = 0
    end: int = 0
    """Where the claim stands in the text."""
    times: tuple[Time, ...] = ()
    """When, in a clip; only what is clear."""
    uneven: bool = False
    """The sides are said to differ: `side` is the stronger one; None: it is not said which."""
    at_peak: bool = False
    """Said of the peak of a clip alone."""


def read_claims(text: str) -> list[Claim]:
    """Return the claims of a text in their order. Never raises; takes time linear in the length."""
    squeezed, origins = squeeze(unwrap(plain(text)))
    # The only capital whose small form is longer; spans must fit the text.
    lowered = squeezed.replace("\u0130", "I").lower()
    asides = find_asides(lowered)
    if not asides:
        claims = _read(squeezed, lowered)
    else:
        rest, places = without(squeezed, asides)
        claims = _moved(_read(rest, without(lowered, asides)[0]), places)
        for start, end in (aside.told for aside in asides if aside.told):
            claims += _moved(_read(squeezed[start:end], lowered[start:end]), [(0, start)])
        claims.sort(key=_START)
    return claims if origins is None else _moved(claims, origins)


_START = attrgetter("start")


def _moved(claims: list[Claim], origins: Origins) -> list[Claim]:
    """Return claims with their places in the text that theirs was made of."""
    # The end is one behind the last character.
    return [c._replace(start=unsqueeze(c.start, origins), end=unsqueeze(c.end - 1, origins) + 1) for c in claims]


def _read(squeezed: str, lowered: str) -> list[Claim]:
    """Return the claims of a text without runs of blanks and asides, which is also given in small letters."""
    tokens = scan(lowered)
    if (" same " in lowered or " that " in lowered) and _SAME.search(lowered):
        tokens = resolve_same(tokens)
    numbers = [token.start for token in tokens if token.kind == "number"]
    codes = list(find_codes(lowered, numbers)) if numbers else []
    has_strengths = has_strength(squeezed)
    times = list(find_times(lowered, numbers)) if numbers else []
    told: list[Anchor] = []
    sentence: list[Anchor] = []
    code_place = 0
    for spans in _sentences(tokens, len(lowered)):
        first = code_place
        while code_place < len(codes) and codes[code_place].start < spans[-1].end:
            code_place += 1
        if code_place > first or len(spans) > 1 or spans[0].words:
            anchors = _read_sentence(spans, codes[first:code_place], squeezed, lowered, has_strengths)
            if times:
                _set_times(anchors, spans, times, lowered)
            if _AT_PEAK.match(lowered, spans[0].start):
                for anchor in anchors:
                    anchor.is_at_peak = True
            if anchors:
                sentence = anchors
            elif sentence and (sides := side_of_both(spans[0].words, lowered, spans[0].start)):
                for anchor in sentence:
                    anchor.sides = anchor.sides or sides
            told += anchors
    return [claim for anchor in told for claim in _claims(anchor)]


def named_aus(text_or_claims: str | Iterable[Claim]) -> set[str]:
    """Return the AUs that a text says are there: the likeliest reading of each positive claim about a movement.

    Whatever is there: a "wrinkled forehead" may be AU1, AU2 or AU4 and says AU1, so that nobody names three in one
    phrase, or the right one by not saying which. Strength and side do not matter here.
    """
    claims = read_claims(text_or_claims) if isinstance(text_or_claims, str) else text_or_claims
    return {claim.aus[0] for claim in claims if claim.present and claim.region is None}


_AT_PEAK = re.compile(r"\W{0,4}at (?:the|its) (?:peak|height|apex)(?: of (?:the|this) \w+)?,")
_SAME = re.compile(r"\b(?:same|that) (?:\w+ )?(?:side|corner|brow|eyebrow|cheek)\b")


class _Span(NamedTuple):
    """A stretch of a sentence between two stops, with its tokens."""

    words: list[Token]
    start: int
    end: int


_STOPS = {"end", "stop"}
_MAX_WORDS = 256
"""Tokens of a sentence, after which it is cut; a text without any stop must not take quadratic time."""


def _sentences(tokens: list[Token], length: int) -> Iterator[list[_Span]]:
    """Cut the tokens at sentence ends and, within a sentence, at stops ("but", ";")."""
    if len(tokens) > _MAX_WORDS:
        tokens = list(_with_ends(tokens))
    spans: list[_Span] = []
    start = first = 0
    for place in [place for place, token in enumerate(tokens) if token.kind in _STOPS]:
        stop = tokens[place]
        spans.append(_Span(tokens[first:place], start, stop.start))
        start, first = stop.end, place + 1
        if stop.kind == "end":
            yield spans
            spans = []
    spans.append(_Span(tokens[first:], start, length))
    yield spans


def _with_ends(tokens: list[Token]) -> Iterator[Token]:
    """Add an end wherever a sentence has too many tokens."""
    num_words = 0
    for token in tokens:
        yield token
        num_words = 0 if token.kind == "end" else num_words + 1
        if num_words > _MAX_WORDS:
            yield Token("end", "", token.end, token.end)
            num_words = 0


def _read_sentence(
    spans: list[_Span], codes: list[Anchor], text: str, lowered: str, has_strengths: bool
) -> list[Anchor]:
    """Return the anchors of a sentence that are claims, with everything that is said of them."""
    words = spans[0].words if len(spans) == 1 else [word for span in spans for word in span.words]
    anchors = pair(words, lowered)
    if codes:
        anchors = sorted([*anchors, *codes], key=PLACE)
    if not anchors:
        return compare_alone(words, lowered, spans[0].start, spans[0].end)
    if len(anchors) > 1 or codes:
        anchors = _merge(anchors, lowered)
    if is_definition(lowered, spans[0].start):
        return []
    for anchor in anchors:
        if has_strengths:
            _read_strength(anchor, text, lowered)
        if lowered.startswith(_CLOSERS, anchor.end):
            _close_bracket(anchor, lowered)
    if lowered.startswith("?", spans[-1].end - 1):
        answer_question(anchors, lowered, spans[-1].end)
    is_supposed = False
    for place, span in enumerate(spans):
        mine = anchors if len(spans) == 1 else [anchor for anchor in anchors if span.start <= anchor.key < span.end]
        if is_supposed:
            for anchor in mine:
                anchor.is_dropped = True
        elif mine:
            is_supposed = apply_cues(Clause(span.words, mine, lowered, span.end))
        else:
            is_supposed = any(word.kind == "if" for word in span.words)
            if place and (sides := side_of_both(span.words, lowered, span.start)):
                for anchor in anchors:
                    anchor.sides = anchor.sides or sides
            elif place:
                anchors += other_side(anchors, lowered, span.start, span.end)
    return [anchor for anchor in anchors if not anchor.is_dropped]


_AS_IT_FADES = re.compile(r"(?: has| have)? (?:fad|disappear|vanish)\w+,")


def _set_times(anchors: list[Anchor], spans: list[_Span], times: list[tuple[int, Time]], lowered: str) -> None:
    """Give the claims between two stops the times said there, where it is clear whose they are.

    It is not when a time stands between two claims, or when two are of one kind; and when "the smile fades, the brows
    lower at 2 s", the time is that of the brows.
    """
    for span in spans:
        said = times[bisect_left(times, (span.start,)) : bisect_left(times, (span.end,))]
        mine = [anchor for anchor in anchors if said and span.start <= anchor.key < span.end]
        mine = [anchor for anchor in mine if not _AS_IT_FADES.match(lowered, anchor.end)]
        if not mine or len({time.kind for _, time in said}) < len(said):
            continue
        if not any(mine[0].start < place < mine[-1].start for place, _ in said):
            for anchor in mine:
                anchor.times = tuple(time for _, time in said)


_CODE_BEHIND = re.compile(r"\s?[(\[]\s?(?:which is |i\.e\.,? |or )?")
_NAME_BEHIND = re.compile(r"\s?(?:[(\[|]|,|:|-|\u2013|=)?\s?(?:the |an? )?")
_CLOSERS = (")", "]")
_NEXT_CODE = re.compile(r"\s?(?:[,+/&]|and|or)?\s?")


def _merge(anchors: list[Anchor], lowered: str) -> list[Anchor]:
    """Join a phrase and the codes that stand behind it, or the other way round: "raised brows (AU1, AU2)"."""
    merged: list[Anchor] = []
    phrase: Anchor | None = None
    end = 0
    for anchor in anchors:
        if anchor.is_code:
            if phrase is not None and anchor.start < end:
                # "Pulled up (AU12) and dimpled": the code stands within a phrase, and behind another.
                if named := _named_by(anchor, merged, lowered):
                    named.codes += anchor.readings
                    _take(named, anchor)
                else:
                    merged.append(anchor)
                continue
            joint = _NEXT_CODE if phrase is not None and end > phrase.phrase_end else _CODE_BEHIND
            if phrase is not None and not joint.fullmatch(lowered, end, anchor.start):
                phrase = None
            end = anchor.end
            if phrase is not None and phrase.region is None and anchor.aus[0] in phrase.aus:
                phrase.codes += anchor.readings
                _take(phrase, anchor)
                continue
        elif merged and _names(merged[-1], anchor) and _NAME_BEHIND.fullmatch(lowered, merged[-1].end, anchor.start):
            _take(merged[-1], anchor)
            merged[-1].phrase_end = end = anchor.end
            continue
        else:
            phrase, end = anchor, anchor.end
            anchor.phrase_end = end
        merged.append(anchor)
    return merged


_MAX_PHRASES = 4


def _named_by(code: Anchor, before: list[Anchor], lowered: str) -> Anchor | None:
    """Return the phrase that a code within another phrase names: the one right before it, else the one around it."""
    phrases = [one for one in before[-_MAX_PHRASES:] if not one.is_code and code.aus[0] in one.aus]
    behind = (one for one in phrases if _CODE_BEHIND.fullmatch(lowered, one.end, code.start))
    return next(behind, next((one for one in phrases if one.start < code.start and code.end <= one.end), None))


def _names(first: Anchor, second: Anchor) -> bool:
    """Tell whether a phrase only repeats the code or the name before it."""
    return (first.is_code or first.is_sign) and second.region is None and bool(set(first.aus) & set(second.aus))


def _take(kept: Anchor, other: Anchor) -> None:
    kept.end = max(kept.end, other.end)
    kept.letters = other.letters or kept.letters
    kept.sides += other.sides


def _read_strength(anchor: Anchor, text: str, lowered: str) -> None:
    """Read the letter or number behind an anchor."""
    letters, end = strength_after(text, lowered, anchor.end)
    if letters is not None:
        anchor.end = end
        anchor.letters = letters
        anchor.is_negated = letters == ""


def _close_bracket(anchor: Anchor, lowered: str) -> None:
    """Take the bracket behind an anchor into its span if it opens there."""
    opening = "(" if lowered[anchor.end] == ")" else "["
    if opening in lowered[anchor.start : anchor.end]:
        anchor.end += 1


def _claims(anchor: Anchor) -> Iterator[Claim]:
    side = anchor.sides[0] if anchor.sides and len(set(anchor.sides)) == 1 else None
    readings = anchor.codes or anchor.readings
    if anchor.is_negated and anchor.is_sign and not anchor.codes:
        # "No Duchenne smile" denies what makes it one, not the smile.
        readings = readings[-1:]
    new = tuple.__new__  # half the time of Claim(...)
    for aus, present in readings:
        is_there = present != anchor.is_negated
        if anchor.is_rest and not is_there:
            # That the rest is at rest is true of whatever was named.
            continue
        yield new(
            Claim,
            (
                aus,
                is_there,
                None if side == "both" else side,
                # "Tightly closed lips" are not parted at all, however strongly.
                anchor.letters if present else "",
                anchor.is_hedged,
                anchor.region,
                anchor.start,
                anchor.end,
                anchor.times,
                anchor.is_uneven,
                anchor.is_at_peak,
            ),
        )
