"""Pairing: which part of the face does which action within a sentence ("raised inner brows", "the lips are pressed").

An action takes the part right after it ("raising of the brows"), else the part before it ("the brows are raised"), else
it stands alone if it can ("smiling"). Parts joined by "and" share an action, actions joined by "and" share a part.
Only `reader` calls this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from operator import attrgetter

from emollm.claims.actions import ALONE
from emollm.claims.gaps import read_gap
from emollm.claims.lexicon import READINGS
from emollm.claims.parts import PART_REGION
from emollm.claims.scan import Token
from emollm.facs import EXPRESSIVE, UNITS

Reading = tuple[tuple[str, ...], bool]
"""Alternatives, and whether they are said to be there."""

REGION_AUS: dict[str, tuple[str, ...]] = {
    region: tuple(code for code in sorted(EXPRESSIVE) if UNITS[code].region in parts and code not in {"AU45", "AU46"})
    for region, parts in {
        **{name: (name,) for name in ("brows", "nose", "cheeks", "mouth", "chin", "jaw", "neck")},
        "upper face": ("brows", "eyes", "cheeks"),
        "mid face": ("nose", "cheeks"),
        "lower face": ("mouth", "chin", "jaw"),
        "face": ("brows", "eyes", "nose", "cheeks", "mouth", "chin", "jaw"),
    }.items()
} | {"eyes": ("AU05", "AU06", "AU07", "AU41", "AU42", "AU43", "AU44")}
"""Region to its units. AU6 wrinkles the skin around the eyes; a passing blink or wink belongs to no region."""


@dataclass(slots=True, eq=False)
class Anchor:
    """A claim in the making: what is named where, and what the words around it say of it."""

    start: int
    end: int
    key: int
    """Where its last word begins; a negation between part and action still stands before it."""
    readings: tuple[Reading, ...]
    region: str | None = None
    codes: tuple[Reading, ...] = ()
    """The readings that codes in brackets behind a phrase leave: "raised brows (AU1)"."""
    phrase_end: int = 0
    """Where its words end and such brackets may begin."""
    is_code: bool = False
    is_sign: bool = False
    letters: str = ""
    sides: tuple[str, ...] = ()
    is_negated: bool = False
    is_hedged: bool = False
    is_dropped: bool = False

    @property
    def aus(self) -> tuple[str, ...]:
        """All AUs of all readings."""
        return tuple(code for codes, _ in self.readings for code in codes)


@cache
def readings(text: str) -> tuple[Reading, ...]:
    """Read the notation of the lexicon: `AU07 | AU06`, `AU06 + AU12`, `no AU25`."""
    parts = [part.strip() for part in text.split("+")]
    return tuple(
        (tuple(code.strip() for code in part.removeprefix("no ").split("|")), not part.startswith("no "))
        for part in parts
    )


def pair(tokens: list[Token], lowered: str) -> list[Anchor]:
    """Return the anchors of one sentence, from its parts, actions and signs."""
    anchors = [Anchor(t.start, t.end, t.start, readings(t.value), is_sign=True) for t in tokens if t.kind == "sign"]
    items = _items(tokens, lowered)
    partners = _partners(items, lowered)
    for place, parts in partners.items():
        act = items[place]
        found = [anchor for part in parts if (anchor := _anchor(items[part], act)) is not None]
        if not found and act.value in ALONE:
            found = [Anchor(act.start, act.end, act.start, readings(ALONE[act.value]), is_sign=True)]
        anchors += found
    anchors.sort(key=PLACE)
    return anchors


PLACE = attrgetter("start", "end")


def _anchor(part: Token, act: Token) -> Anchor | None:
    """Return what a part with an action says, None where that is no claim."""
    meaning = _meaning(part.value, act.value)
    if meaning is None:
        return None
    first, second = (part, act) if part.start < act.start else (act, part)
    return Anchor(first.start, max(part.end, act.end), second.start, *meaning)


@cache
def _meaning(part: str, act: str) -> tuple[tuple[Reading, ...], str | None] | None:
    """Return the readings of a part with an action, and the region if they are about a whole one."""
    text = READINGS.get(part, {}).get(act)
    if text is not None:
        return readings(text), None
    region = PART_REGION.get(part)
    if region is None or act not in ("move", "rest", "tighten"):
        return None
    return ((REGION_AUS[region], act != "rest"),), region


# --- parts and actions in order ---------------------------------------------------------------------------------------

_DIRECTED = {"motion", "turn", "curl", "tilt"}
_MAX_GAP = 48
"""Characters between a part and its action."""


def _items(tokens: list[Token], lowered: str) -> list[Token]:
    """Return parts and actions, each verb of motion joined with its direction ("pulls the corners down" is `lower`)."""
    items: list[Token] = []
    before: Token | None = None
    for token in tokens:
        if token.kind == "part":
            items.append(token)
        elif token.kind == "act":
            # "A downward turn": the direction may also stand before the motion.
            if before is not None and token.value in _DIRECTED and token.start - before.end == 1:
                token = Token("act", before.value, before.start, token.end)
            items.append(token)
        elif token.kind == "direction":
            _direct(items, token, lowered)
        before = token if token.kind == "direction" else None
    return items


def _direct(items: list[Token], direction: Token, lowered: str) -> None:
    """Give a direction to the verb before it, or to the verb before the part before it; else it acts by itself."""
    last = items[-1] if items else None
    gap = lowered[last.end : direction.start] if last is not None else ""
    if last is None or len(gap) > _MAX_GAP or "," in gap:
        return
    read = read_gap(gap)
    if last.kind == "part":
        verb = items[-2] if len(items) > 1 else None
        if verb is not None and verb.value in _DIRECTED and len(gap) + last.end - verb.end <= _MAX_GAP:
            items[-2] = Token("act", direction.value, verb.start, verb.end)
        elif read.num_strange == 0:
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
            partners[place] = [] if part is None else [part]
    _share(items, partners, lowered)
    return partners


def _part_after(items: list[Token], place: int, lowered: str) -> int | None:
    """Return the part an action has right after it, joined by "of the" or nothing."""
    if place + 1 == len(items) or items[place + 1].kind != "part":
        return None
    act, part = items[place], items[place + 1]
    gap = lowered[act.end : part.start]
    if len(gap) > _MAX_GAP or _meaning(part.value, act.value) is None:
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
        read = read_gap(gap)
        fits = read.num_strange <= 1 and (has_act or not read.is_joint)
        return other if fits and _meaning(item.value, items[place].value) is not None else None
    return None


def _share(items: list[Token], partners: dict[int, list[int]], lowered: str) -> None:
    """Give the parts that have no action that of the part they are joined to: "brows and lids are raised"."""
    acts_of: dict[int, list[int]] = {}
    for act, parts in partners.items():
        for part in parts:
            acts_of.setdefault(part, []).append(act)
    if not acts_of or len(acts_of) + len(partners) == len(items):
        return
    for step, places in ((1, range(len(items) - 2, -1, -1)), (-1, range(1, len(items)))):
        for place in places:
            other = place + step
            if items[place].kind == "act" or place in acts_of or other not in acts_of:
                continue
            first, second = sorted((place, other))
            gap = lowered[items[first].end : items[second].start]
            # Joined to the part before it, a part shares only an action that stands before both.
            acts = [act for act in acts_of[other] if step == 1 or act < other]
            if acts and read_gap(gap).is_list:
                acts_of[place] = acts
                for act in acts:
                    partners[act].append(place)
