"""Pairing: which part of the face does which action within a sentence ("raised inner brows", "the lips are pressed").

An action takes the part right after it ("raising of the brows"), else the part before it ("the brows are raised"), else
it stands alone if it can ("smiling"). Parts joined by "and" share an action, actions joined by "and" share a part.
Only `reader` calls this.
"""

from __future__ import annotations

import re

from emollm.claims.actions import ALONE
from emollm.claims.anchor import PLACE, REGION_AUS, Anchor, Reading, meaning_of, readings
from emollm.claims.gaps import read_gap
from emollm.claims.scan import Token

_STILL: tuple[Reading, ...] = ((REGION_AUS["face"], False),)
_EXCEPT = re.compile(r"\b(?:apart from|aside from|besides|beyond|other than|except)\b")
_REST_BEFORE = re.compile(
    r"\b(?:otherwise\b[^.;!?\n]{0,40}|(?:rest|remainder|remaining|other|else)\b[^.,;!?\n]{0,40})$"
)
_EXCEPT_BEFORE = re.compile(r"\b(?:apart|aside|save for|besides|beyond|except(?:ion)?|other than)\b[^.;!?\n]*$")
_REST_WITHIN = re.compile(r"\b(?:rest of|remainder of|otherwise|other|else)\b|, (?:all|everything)\b")
_REST_BEHIND = re.compile(r",? (?:otherwise|apart from|aside from|except|other than|besides|save for)\b")
_REST_WORDS = (
    *("other", "rest of", "remaind", "remaining", "else", "apart", "aside", "beside", "beyond", "except", "save for"),
)
_WIDE = ("face", "upper face", "mid face", "lower face")
_MAX_EXCEPTION = 96
"""Characters of what the rest is told from: "apart from the raised brows, the face is at rest"."""


def pair(tokens: list[Token], lowered: str) -> list[Anchor]:
    """Return the anchors of one sentence, from its parts, actions and signs."""
    items, signs = _items(tokens, lowered)
    anchors = [_sign(token, token.value) if token.value else _still(token) for token in signs]
    if len(items) < 2 and not any(item.value in ALONE for item in items):
        return anchors
    partners = _partners(items, lowered)
    for place, parts in partners.items():
        act = items[place]
        found = [anchor for part in parts if (anchor := _anchor(items[part], act, lowered)) is not None]
        if not found and act.value in ALONE:
            found = [_sign(act, ALONE[act.value])]
        anchors += found
    anchors.sort(key=PLACE)
    return anchors


def _sign(token: Token, text: str) -> Anchor:
    return Anchor(token.start, token.end, token.start, readings(text), is_sign=True)


def _still(token: Token) -> Anchor:
    return Anchor(token.start, token.end, token.start, _STILL, "face")


def _is_rest(token: Token, lowered: str) -> bool:
    """Tell whether "no action unit is active" is said of the others only: "apart from AU4, …"."""
    return _EXCEPT.search(lowered, max(0, token.start - _MAX_GAP), token.start) is not None


def _anchor(part: Token, act: Token, lowered: str) -> Anchor | None:
    """Return what a part with an action says, None where that is no claim."""
    meaning = meaning_of(part.value, act.value)
    if meaning is None:
        return None
    first, second = (part, act) if part.start < act.start else (act, part)
    # A negation before "Raised, the brows" stops at the comma.
    key = first.start if first is act and "," in lowered[act.end : part.start] else second.start
    anchor = Anchor(first.start, max(part.end, act.end), key, *meaning)
    anchor.is_rest = anchor.region is not None and _is_of_rest(anchor, lowered)
    return anchor


def _is_of_rest(anchor: Anchor, lowered: str) -> bool:
    """Tell whether a region is spoken of as far as it was not named: "the rest of the face", "otherwise relaxed"."""
    start = max(0, anchor.start - _MAX_EXCEPTION)
    around = lowered[start : anchor.end + 14]
    if not any(map(around.__contains__, _REST_WORDS)):
        # Most texts have none of these words, and this is far cheaper than the expressions.
        return False
    if anchor.region in _WIDE and _EXCEPT_BEFORE.search(lowered, start, anchor.start):
        return True
    return (
        _REST_WITHIN.search(lowered, anchor.start, anchor.end) is not None
        or _REST_BEHIND.match(lowered, anchor.end) is not None
        or _REST_BEFORE.search(lowered, start, anchor.start) is not None
    )


# --- parts and actions in order ---------------------------------------------------------------------------------------

_DIRECTED = {"motion", "stir", "turn", "curl", "tilt"}
_MAX_GAP = 48
"""Characters between a part and its action."""


def _items(tokens: list[Token], lowered: str) -> tuple[list[Token], list[Token]]:
    """Return parts and actions, and the signs.

    Each verb of motion is joined with its direction: "pulls the corners down" is `lower`.
    """
    items: list[Token] = []
    signs: list[Token] = []
    before: Token | None = None
    for token in tokens:
        if token.kind == "part":
            items.append(token)
        elif token.kind == "act":
            # "A downward turn": the direction may also stand before the motion.
            if before is not None and token.value in _DIRECTED and token.start - before.end == 1:
                token = Token("act", before.value, before.start, token.end)
            if token.value == "smile" and items and _into(items[-1], token, lowered):
                items.pop()
            items.append(token)
        elif token.kind == "sign":
            if items and _into(items[-1], token, lowered):
                items.pop()
            signs.append(token)
        elif token.kind == "still" and not _is_rest(token, lowered):
            signs.append(token)
        elif token.kind == "direction":
            _direct(items, token, lowered)
        elif token.kind == "ending" and lowered.startswith("inactive", token.start):
            items.append(token._replace(kind="act", value="rest"))
        before = token if token.kind == "direction" else None
    return items, signs


_INTO_A = re.compile(r"(?: up| upwards?)? into an? (?:\w+ ){0,2}| of the ")


def _into(act: Token, token: Token, lowered: str) -> bool:
    """Tell whether an action is only that of the next: "stretched into a grin", "slight action of the mentalis"."""
    return act.kind == "act" and _INTO_A.fullmatch(lowered, act.end, token.start) is not None


def _direct(items: list[Token], direction: Token, lowered: str) -> None:
    """Give a direction to the verb before it, or to the verb before the part before it; else it acts by itself."""
    last = items[-1] if items else None
    gap = lowered[last.end : direction.start] if last is not None else ""
    if last is None or len(gap) > _MAX_GAP or "," in gap or ":" in gap:
        return
    read = read_gap(gap)
    if last.kind == "part":
        verb = items[-2] if len(items) > 1 else None
        if verb is not None and verb.value in _DIRECTED and len(gap) + last.end - verb.end <= _MAX_GAP:
            items[-2] = Token("act", direction.value, verb.start, verb.end)
        elif read.num_strange == 0 and _part_after(items, len(items) - 2, lowered) is None:
            # "Pressing the lips together" is one action, "the lips together" another.
            items.append(direction._replace(kind="act"))
    elif read.is_joint:
        items.append(direction._replace(kind="act"))
    elif read.num_strange <= 1:
        value = direction.value if last.value in _DIRECTED else last.value
        items[-1] = Token("act", value, last.start, direction.end)


def _partners(items: list[Token], lowered: str) -> dict[int, list[int]]:
    """Map the place of each action to the places of its parts."""
    partners: dict[int, list[int]] = {}
    for place, item in enumerate(items):
        if item.kind == "act":
            part = _part_after(items, place, lowered)
            if part is None:
                part = _part_before(items, place, lowered, partners)
            if part is None:
                part = _part_behind_comma(items, place, lowered)
            partners[place] = [] if part is None else [part]
    _share_part_after(items, partners, lowered)
    _share(items, partners, lowered)
    return partners


def _part_after(items: list[Token], place: int, lowered: str) -> int | None:
    """Return the part an action has right after it, joined by "of the" or nothing."""
    if place < 0 or place + 1 == len(items) or items[place + 1].kind != "part" or items[place].kind != "act":
        return None
    act, part = items[place], items[place + 1]
    gap = lowered[act.end : part.start]
    if len(gap) > _MAX_GAP or meaning_of(part.value, act.value) is None:
        return None
    read = read_gap(gap)
    return None if read.is_apart or read.is_joint or read.num_strange > 1 else place + 1


def _part_before(items: list[Token], place: int, lowered: str, partners: dict[int, list[int]]) -> int | None:
    """Return the part before an action: with nothing strange between, or shared with the action before."""
    end, gap = items[place].start, ""
    has_act = False
    for other in range(place - 1, -1, -1):
        item = items[other]
        gap = f"{lowered[item.end : end]} {gap}" if has_act else lowered[item.end : end]
        if len(gap) > _MAX_GAP:
            return None
        end = item.start
        if item.kind == "act":
            if partners[other]:
                # The part of the action before, if only "and" or a comma stands between the two actions.
                read = read_gap(gap)
                is_shared = read.num_strange == 0 and (read.is_joint or "," in gap)
                return partners[other][-1] if is_shared else None
            has_act = True
            continue
        if items[place].value == "move" and "," in gap and _is_rest(item, lowered):
            return None
        if meaning_of(item.value, items[place].value) is None:
            return None
        read = read_gap(gap)
        fits = (read.num_strange <= 1 and (has_act or not read.is_joint)) or _TAKEN_UP.fullmatch(gap)
        return other if fits else None
    return None


_TAKEN_UP = re.compile(r"[,;] (?:and |but )?(?:(?:here|now),? )?(?:they|it) (?:is|are) (?:\w+ly )?")
_OPENING = re.compile(r", (?:the|his|her|their|both|its)(?: \w+)? ")
_ADJECTIVE = re.compile(r", (?!the |his |her |their |both |its |and |with )\w+ ")


def _part_behind_comma(items: list[Token], place: int, lowered: str) -> int | None:
    """Return the part of an action that opens the sentence ("Raised, the brows …"), or has a second adjective by it."""
    if place + 1 == len(items) or items[place + 1].kind != "part" or items[place].value in ALONE:
        return None
    act, part = items[place], items[place + 1]
    if meaning_of(part.value, act.value) is None:
        return None
    is_opening = all(item.kind == "act" for item in items[:place]) and _OPENING.fullmatch(lowered, act.end, part.start)
    return place + 1 if is_opening or _ADJECTIVE.fullmatch(lowered, act.end, part.start) else None


_NOUNS = ("smile", "smiles", "frown", "frowns")


def _share_part_after(items: list[Token], partners: dict[int, list[int]], lowered: str) -> None:
    """Give an action without a part that of the action it is joined to: "raised and furrowed brows"."""
    for place in reversed(partners):
        if partners[place] or not partners.get(place + 1):
            continue
        act, part = items[place], partners[place + 1][0]
        if lowered.endswith(_NOUNS, act.start, act.end):
            # "A smile or widened eyes": the smile is not that of the eyes.
            continue
        read = read_gap(lowered[act.end : items[place + 1].start])
        if part > place and read.is_joint and read.num_strange == 0 and meaning_of(items[part].value, act.value):
            partners[place] = [part]


def _share(items: list[Token], partners: dict[int, list[int]], lowered: str) -> None:
    """Give the parts that have no action that of the part they are joined to: "brows and lids are raised"."""
    acts_of: dict[int, list[int]] = {}
    for act, parts in partners.items():
        for part in parts:
            acts_of.setdefault(part, []).append(act)
    if not acts_of or len(acts_of) + len(partners) == len(items):
        return
    shared: set[int] = set()
    for step, places in ((1, range(len(items) - 2, -1, -1)), (-1, range(1, len(items)))):
        for place in places:
            other = place + step
            if items[place].kind == "act" or place in acts_of or other not in acts_of:
                continue
            first, second = sorted((place, other))
            gap = lowered[items[first].end : items[second].start]
            if step == 1 and other not in shared and "," in gap and not read_gap(gap).is_joint:
                # "Around the eyes, the lips are pressed": a comma joins only within a list that ends in "and".
                continue
            # Joined to the part before it, a part shares only an action that stands before both.
            acts = [act for act in acts_of[other] if step == 1 or act < other]
            if acts and read_gap(gap).is_list:
                acts_of[place] = acts
                shared.add(place)
                for act in acts:
                    partners[act].append(place)
