"""Claims: is what the text says about the face true, and is it the whole of it?"""

from __future__ import annotations

from collections.abc import Iterable

from emollm.claims import Checked
from emollm.train.rewards.heard import Heard

CONTRADICTED = 2.0
"""What a false statement weighs, beside 1 for what is left out: saying nothing is better than making it up."""

AT_REST = 3
"""How many true statements describe a face on which nothing moves."""


def claim_support(heard: Heard) -> float | None:
    """Return told / (told + omitted + 2 contradicted), 0 to 1; None where no AU was measured.

    Told and omitted are the AUs that are present, named by a claim or by none. Contradicted are distinct false claims,
    of presence or absence, strength or side. So an AU counts once, however often it is told; hedges excuse nothing; and
    true denials earn nothing, as a text could fill itself with them. Only where no AU is present they are all there is
    to say: three distinct ones are the whole of it.

    The form is the index of Tversky (1977) with weights 2 and 1; these are our choice. Listing all AUs pays little.
    """
    score = heard.score
    if score.check is None or score.aus_gold is None:
        return None
    checked = score.check.checked
    if score.aus_gold:
        told, whole = len(_named(checked) & set(score.aus_gold)), len(score.aus_gold)
    else:
        told, whole = min(len(_denied(checked)), AT_REST), AT_REST
    return told / (whole + CONTRADICTED * len(_false(checked)))


def _named(checked: Iterable[Checked]) -> set[str]:
    """Return the AUs that positive claims about movements may mean."""
    claims = (one.claim for one in checked)
    return {code for claim in claims if claim.present and claim.region is None for code in claim.aus}


def _denied(checked: Iterable[Checked]) -> set[str]:
    """Return the AUs that are rightly said to be absent."""
    return {one.claim.aus[0] for one in checked if one.verdict == "supported" and not one.claim.present}


def _false(checked: Iterable[Checked]) -> set[tuple[str, bool, str | None, str]]:
    """Return the false claims, the same thing in other words counted once."""
    claims = (one.claim for one in checked if one.verdict == "contradicted")
    return {(claim.aus[0], claim.present, claim.side, claim.letters) for claim in claims}
