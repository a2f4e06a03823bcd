"""The oracle: what an imperfect detector would say of faces whose AUs are known exactly.

    noise = parse_noise("drop=0.1,jitter=0.3")
    disturb(sample, noise, seed=0).faces        # the truth goes to provenance["oracle"]["truth"]

It tests everything behind a detector at a known error. The same seed and sample give the same errors. An error that
would make a pair of AUs which FACS excludes is not made.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import msgspec

from emollm import __version__
from emollm.errors import ConfigError, SourceError, did_you_mean
from emollm.facs import EXCLUSIONS, THRESHOLDS, UNITS, excluded
from emollm.records import AU, AU_RANGE, Detector, Event, Face, Sample

CONFUSED = (("AU06", "AU07"), ("AU23", "AU24"), ("AU25", "AU26"))
"""Pairs that detectors, and people, take for each other."""
SPURIOUS = (1.0, 3.0)
"""How strong what is not there is said to be: A to C, as false alarms mostly are."""
EXCLUSIVE = {code.au for pair in EXCLUSIONS for code in pair}
DIGITS = 3
TOP = AU_RANGE["intensity"]
PRESENT = THRESHOLDS["intensity"]

Values = dict[str, tuple[float, ...]]
"""AU to its value, or to its left and right."""


class Seen(NamedTuple):
    """What a face is said to show, and how that differs from the truth."""

    values: Values
    swapped: dict[str, str]
    """AU to the one it was taken for."""
    dropped: set[str]
    shifts: dict[str, float]


@dataclass(frozen=True)
class Noise:
    """How a detector errs; all 0 is the truth."""

    drop: float = 0.0
    """Chance that an AU which is there is measured as 0."""
    spurious: float = 0.0
    """Chance that an AU which is not there is said to be, for each AU that FACS allows beside the others."""
    jitter: float = 0.0
    """Standard deviation of every intensity above 0, on the scale of 0-5; both sides of an AU shift alike."""
    confuse: float = 0.0
    """Chance that the intensities of the two AUs of a pair in CONFUSED change places."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            top = TOP if name == "jitter" else 1.0
            if not 0.0 <= value <= top:
                raise ConfigError(f"--noise: {name}={value:g} is outside 0 to {top:g}")

    def __str__(self) -> str:
        told = {name: value for name, value in asdict(self).items() if value}
        return ",".join(f"{name}={value:g}" for name, value in told.items()) or "none"


def parse_noise(text: str) -> Noise:
    """Read `drop=0.1,jitter=0.3`; empty or `none` is no noise. Raises ConfigError in one line."""
    known = [field.name for field in fields(Noise)]
    values: dict[str, float] = {}
    for part in text.split(",") if text.strip() not in ("", "none") else ():
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in known:
            raise ConfigError(f"--noise: unknown '{name}'{did_you_mean(name, known)}; write {'=…,'.join(known)}=…")
        if name in values:
            raise ConfigError(f"--noise: {name} is given twice")
        try:
            values[name] = float(value)
        except ValueError:
            raise ConfigError(f"--noise: {name}={value} is no number") from None
    return Noise(**values)


def disturb(sample: Sample, noise: Noise, seed: int = 0) -> Sample:
    """Return a copy of the sample as an imperfect detector would see it; the given one is not touched.

    AUs of hidden regions are left out, as not measured. Events follow their AUs: those of a dropped AU are gone, a
    confused one has the other's name. Raises SourceError for a sample without exact AUs.
    """
    if not sample.faces or not any(face.aus for face in sample.faces):
        raise SourceError(f"{sample.id}: has no AUs to disturb; the oracle needs samples of emollm faces")
    detector = Detector(name="oracle", version=__version__, weights=f"{noise};seed={seed}")
    faces, events = [], list(sample.events or ())
    for place, face in enumerate(sample.faces):
        truth = _exact(sample.id, face)
        seen = _err(truth, noise, random.Random(f"{seed}/{sample.id}/{place}"))
        aus = {code: _au(seen.values[code]) for code in truth}
        faces.append(msgspec.structs.replace(face, aus=aus, detector=detector))
        hidden = (face.aus or {}).keys() - truth.keys()
        events = [told for event in events if (told := _event(event, face.face, seen, hidden)) is not None]
    provenance = dict(sample.provenance or {})
    provenance["oracle"] = {"noise": str(noise), "seed": seed, "truth": _truth(sample)}
    kept = None if sample.events is None else events
    return msgspec.structs.replace(sample, faces=faces, events=kept, provenance=provenance)


def _truth(sample: Sample) -> dict[str, Any]:
    faces: dict[str, Any] = {"faces": msgspec.to_builtins(sample.faces)}
    return faces if sample.events is None else faces | {"events": msgspec.to_builtins(sample.events)}


def _exact(name: str, face: Face) -> Values:
    """The AUs that can be seen. Raises SourceError for one that is no intensity."""
    hidden = set(face.hidden or ())
    values: Values = {}
    for code, au in (face.aus or {}).items():
        if au.kind != "intensity":
            raise SourceError(f"{name}: {code} is a {au.kind}; the oracle needs the exact intensities of emollm faces")
        if UNITS[code].region not in hidden and "face" not in hidden:
            sided = au.left is not None and au.right is not None
            values[code] = (au.left or 0.0, au.right or 0.0) if sided else (au.value,)
    return values


def _err(truth: Values, noise: Noise, rng: random.Random) -> Seen:
    """Err about one face. Every chance is drawn, needed or not, so that one rate does not move another's errors."""
    seen = Seen(dict(truth), {}, set(), {})
    told, allowed = seen.values, set(excluded(_strongest(truth)))
    for pair in CONFUSED:
        _confuse(seen, pair, rng.random() < noise.confuse, allowed)
    for code in sorted(told):
        dropped, invented, strength, shift = rng.random(), rng.random(), rng.uniform(*SPURIOUS), rng.gauss(0.0, 1.0)
        is_there = max(told[code]) >= PRESENT
        if dropped < noise.drop:
            seen.dropped.add(code)
        if is_there and code in seen.dropped:
            told[code] = tuple(0.0 for _ in told[code])
        elif not is_there and invented < noise.spurious:
            _take(told, {code: (round(strength, DIGITS),)}, allowed)
        if noise.jitter:
            seen.shifts[code] = noise.jitter * shift
            _take(told, {code: tuple(_moved(value, seen.shifts[code]) for value in told[code])}, allowed)
    return seen


def _confuse(seen: Seen, pair: tuple[str, str], is_confused: bool, allowed: set[tuple[str, str]]) -> None:
    """Let the two AUs of a pair change places."""
    first, second = pair
    told = seen.values
    if not is_confused or first not in told or second not in told or told[first] == told[second]:
        return
    if _take(told, {first: told[second], second: told[first]}, allowed):
        seen.swapped.update({first: second, second: first})


def _take(told: Values, change: Values, allowed: set[tuple[str, str]]) -> bool:
    """Make a change unless it makes a pair that FACS excludes and that the truth does not have."""
    # Only what grows can make a pair, and few AUs are in one: most changes need no look at the others.
    may = not any(code in EXCLUSIVE and max(sides) > max(told[code]) for code, sides in change.items())
    if may or set(excluded(_strongest(told | change))) <= allowed:
        told.update(change)
        return True
    return False


def _strongest(values: Mapping[str, tuple[float, ...]]) -> dict[str, float]:
    return {code: max(sides) for code, sides in values.items()}


def _moved(value: float, shift: float) -> float:
    """What is 0 stays 0: to say that something is there is what `spurious` is for."""
    return round(min(max(value + shift, 0.0), TOP), DIGITS) if value > 0.0 else 0.0


def _au(sides: tuple[float, ...]) -> AU:
    if len(sides) == 1:
        return AU(value=sides[0], kind="intensity")
    return AU(value=max(sides), kind="intensity", left=sides[0], right=sides[1])


def _event(event: Event, face: str, seen: Seen, hidden: Collection[str]) -> Event | None:
    """The event as it would be seen; None where its AU is hidden or dropped, whether the peak face shows it or not."""
    if event.face != face:
        return event
    code = seen.swapped.get(event.au, event.au)
    if event.au in hidden or code in seen.dropped:
        return None
    return msgspec.structs.replace(event, au=code, peak=_moved(event.peak, seen.shifts.get(code, 0.0)))
