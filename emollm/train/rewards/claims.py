"""Claims: is what the text says about the face true, and is it the whole of it?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum
from statistics import fmean

from emollm.claims import Checked, named_aus
from emollm.facs import UNITS, letter, side
from emollm.records import AU
from emollm.train.rewards.heard import Heard

CONTRADICTED = 2.0
"""What a false statement weighs, beside 1 for what is left out: saying nothing is better than making it up."""

AT_REST = 3
"""In how many regions a face on which nothing moves is told to be still."""

DETAIL = 0.2
"""The share of an AU's worth that is paid for its strength and side, and not had where they are left out."""

DETAILS = ("strength", "side")
"""The reasons for which what is said of an AU that is there is false. It is worth nothing then: less than to leave the
detail out, for a model that is not sure of it."""


def claim_support(heard: Heard) -> float | None:
    """Return told / (present + 2 contradicted), 0 to 1; None where no AU was measured.

    Told sums over the AUs that are present what each is told for: 1 with its strength, and its side where it is on one
    side only; 0.8 without them, 0 with false ones. An AU counts once, however often it is told. A phrase with several
    readings tells of the likeliest (`claims.named_aus`); if only another is there it is true, and earns nothing.

    Contradicted are distinct false claims of presence or absence; hedges excuse nothing; and true denials earn nothing,
    as a text could fill itself with them. Only where no AU is present they are all there is to say: told are then the
    regions of which one is made, and three, or all that were measured, are the whole. "The face is at rest" is of all.

    The form is the index of Tversky (1977) with weights 2 and 1; these are our choice. Listing all AUs pays little.
    """
    score = heard.score
    if score.check is None or score.aus_gold is None:
        return None
    checked = score.check.checked
    if score.aus_gold and score.face is not None and score.face.aus is not None:
        aus, whole = score.face.aus, len(score.aus_gold)
        told = fsum(_worth(_about(code, checked), aus[code]) for code in score.aus_gold)
    else:
        regions = {UNITS[code].region for code in score.au_measured or ()}
        whole = min(len(regions), AT_REST)
        told = min(len(_still(checked) & regions), whole)
    return told / (whole + CONTRADICTED * len(_false(checked)))


def _about(code: str, checked: Iterable[Checked]) -> list[Checked]:
    """Return the claims that say an AU is there."""
    return [one for one in checked if code in named_aus([one.claim])]


def _worth(claims: Sequence[Checked], au: AU) -> float:
    """Return what a present AU is told for, 0 to 1, by the claims that say it is there."""
    if not claims or any(one.reason in DETAILS for one in claims):
        return 0.0
    return 1 - DETAIL * (1 - _detail(claims, au))


def _detail(claims: Sequence[Checked], au: AU) -> float:
    """Return 1 for a right strength and side, 0 for none, and 1 where neither is known.

    Only the very letter is right, the likeliest of a word for two ("markedly": C), and all that is said of it must be:
    the next one is not false, but earns nothing.
    """
    known = []
    if au.kind == "intensity":
        known.append({one.claim.letters[0] for one in claims if one.claim.letters} == {letter(au.value)})
    if side(au) is not None:
        known.append(any(one.claim.side for one in claims))
    return fmean(known) if known else 1.0


def _still(checked: Iterable[Checked]) -> set[str]:
    """Return the regions of which something is rightly said to be absent; what is just below the threshold may be."""
    denied = (one.claim for one in checked if not one.claim.present and one.reason in ("", "borderline"))
    return {UNITS[code].region for claim in denied for code in (claim.aus if claim.region else claim.aus[:1])}


def _false(checked: Iterable[Checked]) -> set[tuple[str, bool]]:
    """Return what is falsely said to be there or absent; a false detail of what is there lowers its worth instead."""
    false = (one for one in checked if one.verdict == "contradicted" and one.reason not in DETAILS)
    return {(one.claim.aus[0], one.claim.present) for one in false}
