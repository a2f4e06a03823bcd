"""Entailment: which statements of one description follow from the other, in both directions, as AutoDQ counts them.

Published (AutoDQ, Tarsier, Wang et al. 2024; a column of HumanOmni's table): a language model lists the events of both
captions and judges each, given the other caption, as entailed, neutral or contradicted. Recall is the share of gold
events that are entailed, precision the share of predicted ones, both averaged over samples; F is the harmonic mean of
the two averages. Only entailment counts.

Here the events are the claims that `emollm.claims` reads, and the judge is `relation` below, so that the number costs
nothing and is the same tomorrow. It knows only faces: what a description says of voice or scene is no claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np

from emollm.claims import Claim, read_claims
from emollm.claims.times import TOLERANCE_S
from eval.metrics.counts import Array, ratio
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured
from eval.metrics.texts import gold_text

SOURCE = "Wang et al. 2024, Tarsier (AutoDQ); claims and matcher ours"

Relation = Literal["entailed", "neutral", "contradicted"]


def relation(claim: Claim, others: Iterable[Claim]) -> Relation:
    """Return what a text with these claims says about a claim: one that entails it counts before one that denies it."""
    found: Relation = "neutral"
    for other in others:
        if _entails(other, claim):
            return "entailed"
        if _is_opposite(claim, other):
            found = "contradicted"
    return found


def _entails(other: Claim, claim: Claim) -> bool:
    """Tell whether the other claim says what this one says of a movement, and no other side, strength or time.

    A phrase names its likeliest reading: "AU4" entails "wrinkled forehead", which entails AU1 but not AU4 too. Of
    denials the wide one entails the narrow: "the face is at rest" that there is no smile, "no smile" that there is none
    on the left, and never the other way round.
    """
    if claim.present != other.present or _differing(claim, other):
        return False
    if claim.present:
        return claim.region == other.region and other.aus[0] in claim.aus
    return set(claim.aus) <= set(other.aus) and (not any(_details(other)) or _details(claim) == _details(other))


def _details(claim: Claim) -> tuple[object, ...]:
    """Return what narrows a denial: no smile on the left may yet be one."""
    return claim.side, claim.letters, claim.times, claim.uneven, claim.at_peak


def _is_opposite(claim: Claim, other: Claim) -> bool:
    """Tell whether both cannot be true: one denies every reading of the other, or both name sides that differ."""
    if claim.present == other.present:
        return claim.present and claim.region == other.region and claim.aus == other.aus and _differing(claim, other)
    said, denied = (claim, other) if claim.present else (other, claim)
    if any(_details(denied)):
        return said.aus == denied.aus and said[2:4] == denied[2:4] and said.times == denied.times
    return said.region is None and set(said.aus) <= set(denied.aus)


def _differing(claim: Claim, other: Claim) -> bool:
    """Tell whether side, strength or a time is said of both, and not the same."""
    if claim.side and other.side and claim.side != other.side:
        return True
    if claim.letters and other.letters and _letters_apart(claim.letters, other.letters) > 1:
        return True
    return any(
        one.kind == two.kind and abs(one.seconds - two.seconds) > TOLERANCE_S + 1e-9
        for one in claim.times
        for two in other.times
    )


def _letters_apart(first: str, second: str) -> int:
    """Return how many letters of the FACS scale lie between two strengths, each a letter or a span."""
    return min(abs(ord(one) - ord(two)) for one in first for two in second)


def distinct(claims: Iterable[Claim]) -> list[Claim]:
    """Return claims without what is only said again."""
    return list({claim._replace(start=0, end=0, hedged=False): None for claim in claims})


# --- the family -------------------------------------------------------------------------------------------------------


def measure(cases: Sequence[Case], _: Context) -> Measured:
    """Keep how many claims of either side there are, entailed and contradicted, where gold describes the face."""
    lines: list[Line | None] = []
    details: list[dict[str, list[str]] | None] = []
    without = 0
    for case in cases:
        description = gold_text(case.sample)
        gold = distinct(read_claims(description)) if description else []
        without += bool(description) and not gold
        if not gold:
            lines.append(None)
            details.append(None)
            continue
        said = distinct(_claims_of(case))
        of_gold = [relation(claim, said) for claim in gold]
        of_said = [relation(claim, gold) for claim in said]
        lines.append(tuple(
            float(count) for found in (of_gold, of_said)
            for count in (len(found), found.count("entailed"), found.count("contradicted"))
        ))  # fmt: skip
        details.append({"gold": list(of_gold), "said": list(of_said)})
    told = f"entailment: {without:,} gold descriptions say nothing of a face that could be read, and do not count"
    return Measured(lines, details=details, notices=[told] if without else ())


def _claims_of(case: Case) -> list[Claim]:
    """Return what the explanation claims, as it was read already where the face was measured."""
    if case.score.check is not None:
        return [one.claim for one in case.score.check.checked]
    return read_claims(case.score.answer.text)


def sums(lines: Array) -> Array:
    """Return samples, and the shares of gold and of predicted claims that are entailed and contradicted (n, 6).

    A sample that claims nothing has a precision of 0; it contradicts nothing, and does not count in that share.
    """
    num_gold, gold_entailed, gold_denied, num_said, said_entailed, said_denied = lines.T
    columns = [
        np.ones(len(lines)), gold_entailed / num_gold, np.nan_to_num(ratio(said_entailed, num_said)),
        gold_denied / num_gold, num_said > 0, np.nan_to_num(ratio(said_denied, num_said)),
    ]  # fmt: skip
    return np.stack(columns, axis=-1)


_SAMPLES, _RECALL, _PRECISION, _DENIED, _SAID, _FALSE = range(6)


def _mean(column: int, of: int = _SAMPLES) -> Callable[[Array], Array]:
    return lambda sums: ratio(sums[..., column], sums[..., of])


def f_score(sums: Array) -> Array:
    """Return the harmonic mean of mean precision and mean recall; 0 where both are 0."""
    precision, recall = (ratio(sums[..., column], sums[..., _SAMPLES]) for column in (_PRECISION, _RECALL))
    total = precision + recall
    return np.where(total == 0, 0.0, ratio(2 * precision * recall, total))


FAMILY = Family(
    name="entailment",
    title="Entailment between descriptions",
    about="Claims about the face of explanation and gold description, each judged by the other text (as AutoDQ).",
    measure=measure,
    sums=sums,
    metrics={
        "entailment_f1": FamilyMetric(
            "Entailment F1 (AutoDQ by claims)", "Harmonic mean of entailment precision and recall.", f_score,
            source=SOURCE, is_headline=True,
        ),
        "entailment_precision": FamilyMetric(
            "Entailment precision",
            "Claims of the explanation that the gold description makes too / its claims; mean over samples, 0 where it "
            "claims nothing.", _mean(_PRECISION), source=SOURCE,
        ),
        "entailment_recall": FamilyMetric(
            "Entailment recall", "Claims of the gold description that the explanation makes too / all of them; mean "
            "over samples.", _mean(_RECALL), source=SOURCE,
        ),
        "gold_contradicted": FamilyMetric(
            "Gold contradicted", "Claims of the gold description that the explanation denies / its claims; mean over "
            "samples.", _mean(_DENIED), better="lower", source=SOURCE,
        ),
        "contradicts_gold": FamilyMetric(
            "Contradicts gold", "Claims of the explanation that the gold description denies / its claims; mean over "
            "samples that claim anything.", _mean(_FALSE, _SAID), better="lower", source=SOURCE,
            counts_in=lambda lines: np.asarray(lines[:, 3] > 0, dtype=np.float64),
        ),
    },
)  # fmt: skip
