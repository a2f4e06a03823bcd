"""Anchors: claims in the making, and what the lexicon says of a part with an action.

Codes and phrases become anchors in `codes` and `pair`; `scope` fills in the rest and `reader` makes them claims.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from operator import attrgetter

from emollm.claims.lexicon import READINGS
from emollm.claims.parts import PART_REGION
from emollm.claims.times import Time
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
} | {
    "eyes": ("AU05", "AU06", "AU07", "AU41", "AU42", "AU43", "AU44"),
    "lip corners": ("AU12", "AU13", "AU14", "AU15", "AU20"),
    "inner brows": ("AU01", "AU04"),
    "outer brows": ("AU02",),
    "lids": ("AU05", "AU07", "AU41", "AU42", "AU43", "AU44"),
    "upper lids": ("AU05", "AU41", "AU43"),
    "lower lids": ("AU07", "AU44"),
    "upper lip": ("AU10",),
}
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
    times: tuple[Time, ...] = ()
    is_uneven: bool = False
    """The side is only the stronger one; without a side, it is not said which."""
    is_rest: bool = False
    """About what the text has not named of a region: "the rest of the face"."""
    is_at_peak: bool = False
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


PLACE = attrgetter("start", "end")

_OF_REGIONS = {"move", "stir", "strain", "tighten", "rest", "level"}
"""Actions that say something of a whole region. Eyes that move are a matter of the gaze."""

_LOOSE = frozenset({"AU05", "AU12", "AU13", "AU16", "AU19", "AU25", "AU26", "AU27", "AU41", "AU42"})
"""Units without which a region can be tense: parted lips have no tension in them."""


@cache
def meaning_of(part: str, act: str) -> tuple[tuple[Reading, ...], str | None] | None:
    """Return the readings of a part with an action, and the region if they are about a whole one."""
    text = READINGS.get(part, {}).get(act)
    if text is not None:
        return readings(text), None
    region = PART_REGION.get(part)
    if region is None or act not in _OF_REGIONS or (act, region) == ("stir", "eyes"):
        return None
    if act == "level" and region == "mouth":
        # A mouth that is a straight line has its corners at rest; the lips may well be parted.
        region = "lip corners"
    aus = REGION_AUS[region]
    if act in ("strain", "tighten"):
        aus = tuple(code for code in aus if code not in _LOOSE) or aus
    return ((aus, act not in ("rest", "level")),), region
