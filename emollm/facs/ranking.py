"""How well the AUs of a face fit the prototypes of each label.

    best, *others = CODEBOOKS["emfacs"].rank(present(face), face.aus or ())

A set of AUs is an integer here, one bit an AU, because ranking runs once for every sample and every check of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from math import sqrt
from typing import NamedTuple

from emollm.facs.prototypes import Prototype
from emollm.facs.strength import LETTERS, letter, side
from emollm.facs.units import EXPRESSIVE
from emollm.records import AU

PARTLY = 0.4
"""What an AU counts that is weaker than the prototype asks, or not known to be on one side only."""

VARIANT = 0.9
"""What a major variant counts beside a prototype."""

MOUTH_OPENING = frozenset({"AU25", "AU26", "AU27"})
"""These weigh half, for and against: speech parts the lips and drops the jaw as well."""

BLINK = "AU45"
"""A blink says nothing about emotion."""

_BITS = {code: 1 << int(code[2:]) for code in sorted(EXPRESSIVE - {BLINK})}


class Match(NamedTuple):
    """How one label fits. `score` is 0 to 1; the AUs are in the order of their numbers.

    `found`: present AUs that some prototype of the label names. `missing`: measured AUs that the best prototype asks
    for and that are not present. `against`: present AUs that no prototype of the label names. `core`: those found that
    the best prototype asks for; the others may come along with it.
    """

    label: str
    score: float
    found: tuple[str, ...]
    missing: tuple[str, ...]
    against: tuple[str, ...]
    core: tuple[str, ...] = ()


class Pattern(NamedTuple):
    """A prototype as bits."""

    required: int
    groups: tuple[int, ...]
    asked: int
    """Required AUs and all alternatives."""
    first_of_groups: int
    at_least: tuple[tuple[int, int], ...]  # (bit of the AU, place of the letter it must reach)
    fractions: tuple[tuple[int, float], ...]  # (bit of the optional AU, share of people who show it)
    is_unilateral: bool
    size: float
    factor: float


class Evidence(NamedTuple):
    """What is seen of a face, as bits."""

    present: int
    measured: int
    weaker: tuple[int, ...]  # AUs whose intensity is known to be below each letter
    two_sided: int
    side_unknown: int


def patterns(prototypes: Iterable[Prototype]) -> tuple[Pattern, ...]:
    """Prepare prototypes for `rank`."""
    return tuple(_pattern(prototype) for prototype in prototypes)


def mask(names: Iterable[str]) -> int:
    """Return AUs as bits; codes that say nothing about expression are left out."""
    bits = 0
    for code in names:
        bits |= _BITS.get(code, 0)
    return bits


def _pattern(prototype: Prototype) -> Pattern:
    required = mask(prototype.required)
    groups = tuple(mask(group) for group in prototype.one_of)
    return Pattern(
        required,
        groups,
        mask(prototype.required.union(*prototype.one_of)),
        mask(min(group) for group in prototype.one_of),
        tuple((_BITS[code], LETTERS.index(least)) for code, least in prototype.at_least),
        tuple((_BITS[code], fraction) for code, fraction in prototype.fractions),
        prototype.is_unilateral,
        _weight(required) + sum(_group_weight(group) for group in groups),
        VARIANT if prototype.is_variant else 1.0,
    )


_OPENING = mask(MOUTH_OPENING)


def _weight(bits: int) -> float:
    return bits.bit_count() - 0.5 * (bits & _OPENING).bit_count()


def _group_weight(group: int) -> float:
    return 0.5 if group & ~_OPENING == 0 else 1.0


def evidence(present: Mapping[str, AU], measured: Collection[str]) -> Evidence:
    """Gather what `rank` needs to know of the present AUs and of those that were measured at all."""
    weaker = [0] * len(LETTERS)
    seen = two_sided = side_unknown = 0
    for code, au in present.items():
        bit = _BITS.get(code, 0)
        seen |= bit
        if au.left is None or au.right is None:
            side_unknown |= bit
        elif side(au) is None:
            two_sided |= bit
        if au.kind == "intensity":
            scored = letter(au.value) or "A"
            for place in range(LETTERS.index(scored) + 1, len(LETTERS)):
                weaker[place] |= bit
    return Evidence(seen, seen | mask(measured), tuple(weaker), two_sided, side_unknown)


def fit(
    label: str, label_patterns: tuple[Pattern, ...], label_bits: int, seen: Evidence, min_share: float = 0.0
) -> Match:
    """Match one label: the score of its best prototype. See `Codebook.rank` for the formula."""
    against = seen.present & ~label_bits
    burden = _weight(against)
    best, best_pattern = -1.0, label_patterns[0]
    for pattern in label_patterns:
        score = _score(pattern, seen, burden, min_share)
        if score > best:
            best, best_pattern = score, pattern
    lacking = best_pattern.required & ~seen.present
    if any(group & seen.present == 0 for group in best_pattern.groups):
        lacking |= best_pattern.first_of_groups & ~seen.present
    found, core = seen.present & label_bits, seen.present & best_pattern.asked
    return Match(label, best, codes(found), codes(lacking & seen.measured), codes(against), codes(core))


def _score(pattern: Pattern, seen: Evidence, burden: float, min_share: float) -> float:
    """Found weight over found, missing and opposing weight, times what is known of the prototype."""
    required, present = pattern.required, seen.present
    found, known = _weight(required & present), _weight(required & seen.measured)
    for group in pattern.groups:
        if group & seen.measured:
            known += _group_weight(group)
            found += _group_weight(group) if group & present else 0.0
    for bit, place in pattern.at_least:
        if bit & seen.weaker[place]:
            found -= 1.0 - PARTLY
    if pattern.is_unilateral:
        found -= (required & seen.two_sided).bit_count()
        found -= (1.0 - PARTLY) * (required & seen.side_unknown).bit_count()
    if found <= 0.0 or found < min_share * known:
        return 0.0
    whole = known + burden
    for bit, fraction in pattern.fractions:
        if bit & present:
            found += fraction * _weight(bit)
            whole += _weight(bit)
        elif bit & seen.measured:
            whole += fraction * _weight(bit)
    return pattern.factor * found / whole * sqrt(known / pattern.size)


@lru_cache(maxsize=65536)
def codes(bits: int) -> tuple[str, ...]:
    """Return bits as the names of AUs, in the order of their numbers."""
    return tuple(code for code, bit in _BITS.items() if bits & bit)
