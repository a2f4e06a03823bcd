"""The checker: claims against measured action units.

    result = check("The brows are lowered, with no smile.", face)
    result.count("contradicted"), result.precision, result.omitted

A missing AU was not measured, so it neither supports nor contradicts. The same holds for a hidden region, and for a
value in the band just below the threshold (intensity 0.5 to 1.0, probability 0.35 to 0.5), where detectors and coders
disagree.

A text about a clip tells of more than its peak face. With the clip's `events`, what is said to be there may be there at
the peak or in an event, and what is said about time is compared with the events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from emollm.claims.reader import Claim, named_aus, read_claims
from emollm.claims.times import at_apex, covers, fits
from emollm.facs import LETTERS, THRESHOLDS, UNITS, letter, present
from emollm.records import AU, Event, Face

Verdict = Literal["supported", "contradicted", "not_assessable"]
VERDICTS: tuple[Verdict, ...] = ("supported", "contradicted", "not_assessable")

BORDERLINE = {"intensity": 0.5, "probability": 0.7, "presence": 1.0}
"""The share of the threshold at which the band begins in which a value decides nothing."""

UNEVEN = 0.25
"""The share of the threshold by which the sides must differ for one to be the stronger."""

_MAX_LETTERS_APART = 1


class Checked(NamedTuple):
    """A claim with its verdict. `reason` says why it is not simply so: see `REASONS`."""

    claim: Claim
    verdict: Verdict
    reason: str = ""


REASONS = {
    "": "as measured",
    "absent": "measured, and not there",
    "present": "measured, and there after all",
    "strength": "there, but more than one letter away from what is said",
    "side": "there, but not on the side that is said, or not more on it",
    "borderline": "just below the threshold",
    "unmeasured": "no AU of the claim was measured, or not the one it most likely means",
    "hidden": "the region cannot be seen",
    "time": "there, but not when it is said",
}


class Check(NamedTuple):
    """All claims of a text with their verdicts, and the present AUs that no positive claim names."""

    checked: tuple[Checked, ...]
    omitted: tuple[str, ...]
    num_present: int
    """How many AUs are present."""

    def count(self, verdict: Verdict) -> int:
        """Return how many claims got this verdict."""
        return sum(one.verdict == verdict for one in self.checked)

    @property
    def precision(self) -> float | None:
        """Supported / (supported + contradicted); None where no claim could be judged."""
        supported, contradicted = self.count("supported"), self.count("contradicted")
        judged = supported + contradicted
        return supported / judged if judged else None

    @property
    def recall(self) -> float | None:
        """Present AUs that are claimed / present AUs; None where none is present."""
        return 1 - len(self.omitted) / self.num_present if self.num_present else None


def check(
    text_or_claims: str | Sequence[Claim],
    face: Face,
    thresholds: Mapping[str, float] = THRESHOLDS,
    events: Sequence[Event] | None = None,
) -> Check:
    """Compare claims with the AUs of a face and, where it is the peak of a clip, with the clip's events.

    A claim is true when one of its readings is there, and names the likeliest alone (`named_aus`). One about a whole
    region names none, and what is hidden need not be named; nor need events. Events of other faces are passed over.
    """
    claims = read_claims(text_or_claims) if isinstance(text_or_claims, str) else text_or_claims
    hidden = face.hidden or ()
    there = [code for code in present(face, thresholds) if UNITS[code].region not in hidden]
    claimed = named_aus(claims)
    own = [event for event in events or () if event.face == face.face]
    return Check(
        checked=tuple(check_claim(claim, face, thresholds, own) for claim in claims),
        omitted=tuple(code for code in there if code not in claimed),
        num_present=len(there),
    )


def check_claim(
    claim: Claim, face: Face, thresholds: Mapping[str, float] = THRESHOLDS, events: Sequence[Event] = ()
) -> Checked:
    """Return the verdict on one claim; `events` are those of this face."""
    verdict = _check_moment(claim, face, thresholds)
    moved = [event for event in events if event.au in claim.aus and not _is_passing(event, claim)]
    if not moved or verdict.reason == "hidden":
        return verdict
    if claim.present:
        return _check_course(claim, verdict, face, moved, thresholds)
    return _check_rest(claim, verdict, face, moved, thresholds)


def _is_passing(event: Event, claim: Claim) -> bool:
    """Tell whether an event is a blink that the claim leaves aside: eyes that "do not close" may blink."""
    return event.au == "AU45" and not claim.present and claim.aus[0] != "AU45"


def _check_course(
    claim: Claim, at_peak: Checked, face: Face, moved: Sequence[Event], thresholds: Mapping[str, float]
) -> Checked:
    """Judge what is said to be there: at the peak or in an event; with times, in an event at these times."""
    timely = [event for event in moved if fits(event, claim.times)]
    if not timely:
        return Checked(claim, "contradicted", "time")
    verdicts = [_check_moment(claim, _at_apex(event, face), thresholds) for event in timely]
    if not claim.times:
        verdicts.insert(0, at_peak)
    return next((one for one in verdicts if one.verdict == "supported"), verdicts[0])


def _check_rest(
    claim: Claim, at_peak: Checked, face: Face, moved: Sequence[Event], thresholds: Mapping[str, float]
) -> Checked:
    """Judge what is said not to be there: never in the clip; with times, not at these times; at the peak, not then."""
    if claim.at_peak:
        return at_peak
    against = [event for event in moved if not claim.times or covers(event, claim.times)]
    verdicts = [_check_moment(claim, _at_apex(event, face), thresholds) for event in against]
    refuted = next((one for one in verdicts if one.verdict == "contradicted"), None)
    if refuted is not None or not claim.times:
        return refuted or at_peak
    return Checked(claim, "supported") if at_peak.reason == "present" else at_peak


def _at_apex(event: Event, face: Face) -> Face:
    return Face(aus={event.au: at_apex(event, face)}, hidden=face.hidden)


def _check_moment(claim: Claim, face: Face, thresholds: Mapping[str, float]) -> Checked:
    """Return the verdict on a claim about one face at one moment."""
    hidden = face.hidden or ()
    seen = [code for code in claim.aus if UNITS[code].region not in hidden]
    if not seen:
        return Checked(claim, "not_assessable", "hidden")
    aus = face.aus or {}
    measured = {code: aus[code] for code in seen if code in aus}
    if claim.uneven and claim.region is not None:
        # That one side moves more is a matter of the AUs of which both sides are known.
        measured = {code: au for code, au in measured.items() if au.left is not None and au.right is not None}
    if not measured:
        return Checked(claim, "not_assessable", "unmeasured")
    there = {code: au for code, au in measured.items() if au.value >= thresholds[au.kind]}
    verdict, reason = _presence(claim, measured, bool(there), thresholds)
    if there:
        verdict, reason = _details(claim, there, thresholds, verdict, reason)
    return Checked(claim, verdict, reason)


def _presence(
    claim: Claim, measured: Mapping[str, AU], is_there: bool, thresholds: Mapping[str, float]
) -> tuple[Verdict, str]:
    """Judge whether the movement is there, without its strength and side."""
    if is_there:
        return ("supported", "") if claim.present else ("contradicted", "present")
    if any(au.value >= BORDERLINE[au.kind] * thresholds[au.kind] for au in measured.values()):
        return "not_assessable", "borderline"
    # A region is judged by what was measured of it, a phrase when its likely reading was.
    if claim.region is None and claim.aus[0] not in measured:
        return "not_assessable", "unmeasured"
    return ("contradicted", "absent") if claim.present else ("supported", "")


def _details(
    claim: Claim, there: Mapping[str, AU], thresholds: Mapping[str, float], verdict: Verdict, reason: str
) -> tuple[Verdict, str]:
    """Judge side and strength: a positive claim needs one AU that fits both, a negative one is true if none does."""
    if claim.side is None and not claim.letters and not claim.uneven:
        return verdict, reason
    faults = [_fault(claim, au, thresholds) for au in there.values()]
    if claim.present:
        return (verdict, reason) if "" in faults else ("contradicted", faults[0])
    if claim.uneven and all(au.left is None or au.right is None for au in there.values()):
        # "Neither corner is higher than the other" denies a difference, not the movement.
        return "not_assessable", "unmeasured"
    return (verdict, reason) if "" in faults else ("supported", "")


def _fault(claim: Claim, au: AU, thresholds: Mapping[str, float]) -> str:
    """Return what is wrong with a present AU as an instance of the claim: `side`, `strength` or nothing."""
    if claim.side is not None:
        value = au.left if claim.side == "left" else au.right
        if value is not None and value < thresholds[au.kind]:
            return "side"
    if claim.uneven and au.left is not None and au.right is not None:
        ahead = {"left": au.left - au.right, "right": au.right - au.left}.get(claim.side or "", abs(au.left - au.right))
        if ahead < UNEVEN * thresholds[au.kind]:
            return "side"
    if claim.letters and au.kind == "intensity":
        measured = LETTERS.index(letter(au.value) or "A")
        if claim.present:
            apart = min(abs(measured - LETTERS.index(said)) for said in claim.letters)
            return "strength" if apart > _MAX_LETTERS_APART else ""
        if measured < LETTERS.index(claim.letters[0]):
            return "strength"
    return ""
