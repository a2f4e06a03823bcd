"""The course of a clip: which of its events an explanation tells, and whether it tells them in their order.

Gold are the events of the sample's face (`Sample.events`) that reach the threshold, without blinks and what is hidden.
Told are the claims that something is there and that the face can judge (`emollm.claims`): supported ones that mean one
of the events, at its time where a time is said, and contradicted ones, which mean nothing that happened. What is
supported by the face at its peak alone means no event, and what was not measured decides nothing: neither counts.

Event recall and precision count as AutoDQ does. `tem_lcs` is our definition of temporal event matching (TEM), of which
FaceTrack-MM gives no formula: L is the length of the longest common subsequence of the two orders, an event and a claim
being common where the claim means the event; recall is L / events, precision L / claims, averaged over samples, and F
the harmonic mean of the two averages. Each claim stands for one event. Events that begin within TOLERANCE_S of the
first of them are simultaneous and stand in any order. A claim that states a time stands where its event begins, or at
that time if it means none; one without a time stands behind the claim before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from emollm.claims import Checked, Claim
from emollm.claims.times import TOLERANCE_S, Time, at_apex, fits
from emollm.facs import EXPRESSIVE, UNITS, is_present
from emollm.records import Event
from emollm.scoring import SampleScore, clip_events
from eval.metrics.counts import Array, ratio
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

OURS = "ours"
BLINK = "AU45"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep events, events told, claims, claims that mean an event, and the length of the common subsequence."""
    lines: list[Line | None] = []
    details: list[dict[str, list[int]] | None] = []
    for case in cases:
        events = gold_events(case, context.thresholds)
        if not events:
            lines.append(None)
            details.append(None)
            continue
        claims = told(case.score, events)
        matches = [[means(claim, event) for claim in claims] for event in events]
        hits = sum(any(row) for row in matches)
        true = sum(any(column) for column in zip(*matches, strict=True)) if claims else 0
        length = longest_common(matches, events)
        lines.append(tuple(map(float, (len(events), hits, len(claims), true, length))))
        details.append({"told": [int(any(row)) for row in matches]})
    return Measured(lines, details=details)


def gold_events(case: Case, thresholds: Mapping[str, float]) -> list[Event]:
    """Return the events of the face that the text is about, in the order in which they begin."""
    face = case.score.face
    if face is None:
        return []
    hidden = face.hidden or ()
    own = [
        event for event in clip_events(case.sample)
        if event.face == face.face and event.au in EXPRESSIVE and event.au != BLINK
        and UNITS[event.au].region not in hidden and is_present(at_apex(event, face), thresholds)
    ]  # fmt: skip
    return sorted(own, key=lambda event: (event.onset_s, event.au))


def told(score: SampleScore, events: Sequence[Event]) -> list[Claim]:
    """Return the claims that tell of an event or of none that happened, in the order that they give; each once."""
    placed: list[tuple[float, Claim]] = []
    moment = -np.inf
    for claim in _said_once([one for one in score.check.checked if _is_told(one, events)] if score.check else []):
        if claim.times:
            onsets = [event.onset_s for event in events if means(claim, event)]
            moment = min(onsets or [time.seconds for time in claim.times])
        placed.append((moment, claim))
    return [claim for _, claim in sorted(placed, key=lambda one: one[0])]


def _is_told(checked: Checked, events: Sequence[Event]) -> bool:
    claim, verdict, _ = checked
    if not claim.present or claim.region is not None or BLINK in claim.aus:
        return False
    return verdict == "contradicted" or (verdict == "supported" and any(means(claim, event) for event in events))


def _said_once(checked: Sequence[Checked]) -> list[Claim]:
    """Return claims, each movement once for each time that is said of it; without a time, it is no movement more."""
    timed = {claim.aus[0] for claim, *_ in checked if claim.times}
    once: dict[tuple[str, tuple[Time, ...]], Claim] = {}
    for claim, *_ in checked:
        if claim.times or claim.aus[0] not in timed:
            once.setdefault((claim.aus[0], claim.times), claim)
    return list(once.values())


def means(claim: Claim, event: Event) -> bool:
    """Tell whether a claim means an event: one of its readings, at its time where one is said."""
    return event.au in claim.aus and fits(event, claim.times)


def longest_common(matches: Sequence[Sequence[bool]], events: Sequence[Event]) -> int:
    """Return the length of the longest sequence of matching pairs of event and claim that keeps both orders.

    `matches` (events, claims), both in their order; simultaneous events take the order of the claims that mean them.
    """
    rows, group_from = [], -np.inf
    for event, row in zip(events, matches, strict=True):
        if event.onset_s > group_from + TOLERANCE_S + 1e-9:
            group_from = event.onset_s
        first = next((place for place, is_match in enumerate(row) if is_match), len(row))
        rows.append((group_from, first, row))
    lengths = [0] * (len(matches[0]) + 1 if matches else 1)
    for _, _, row in sorted(rows, key=lambda one: one[:2]):
        above = lengths.copy()
        for place, is_match in enumerate(row, start=1):
            lengths[place] = max(above[place], lengths[place - 1], above[place - 1] + is_match)
    return lengths[-1]


# --- the family -------------------------------------------------------------------------------------------------------


def sums(lines: Array) -> Array:
    """Return samples, recall and precision of events, and both in order (n, 5); 0 where nothing is told."""
    events, hits, claims, true, length = lines.T
    columns = [
        np.ones(len(lines)), hits / events, np.nan_to_num(ratio(true, claims)),
        length / events, np.nan_to_num(ratio(length, claims)),
    ]  # fmt: skip
    return np.stack(columns, axis=-1)


_SAMPLES, _RECALL, _PRECISION, _ORDERED_RECALL, _ORDERED_PRECISION = range(5)


def _mean(column: int) -> Callable[[Array], Array]:
    return lambda sums: ratio(sums[..., column], sums[..., _SAMPLES])


def _f(recall: int, precision: int) -> Callable[[Array], Array]:
    """Return the harmonic mean of two means; 0 where both are 0."""

    def function(sums: Array) -> Array:
        first, second = _mean(recall)(sums), _mean(precision)(sums)
        total = first + second
        return np.where(total == 0, 0.0, ratio(2 * first * second, total))

    return function


FAMILY = Family(
    name="course",
    title="The course of the clip",
    about="Events of the clip that the explanation tells, and whether it tells them in their order.",
    measure=measure,
    sums=sums,
    metrics={
        "event_told_f1": FamilyMetric(
            "Events told, F1", "Harmonic mean of event recall and event precision.", _f(_RECALL, _PRECISION),
            source=OURS, is_headline=True,
        ),
        "event_told_recall": FamilyMetric(
            "Events told", "Events of the clip that a claim means / events; mean over clips.", _mean(_RECALL),
            source=OURS,
        ),
        "event_told_precision": FamilyMetric(
            "True among told", "Claims that mean an event / claims that mean one or are contradicted; mean over clips, "
            "0 where nothing is told.", _mean(_PRECISION), source=OURS,
        ),
        "tem_lcs": FamilyMetric(
            "Events told in order (TEM-LCS)",
            "Harmonic mean of recall and precision of the longest common subsequence of events and claims; our "
            "definition of temporal event matching.",
            _f(_ORDERED_RECALL, _ORDERED_PRECISION), source=OURS, is_headline=True,
        ),
        "tem_lcs_recall": FamilyMetric(
            "Recall in order", "Longest common subsequence / events; mean over clips.", _mean(_ORDERED_RECALL),
            source=OURS, is_detail=True,
        ),
        "tem_lcs_precision": FamilyMetric(
            "Precision in order", "Longest common subsequence / claims; mean over clips.", _mean(_ORDERED_PRECISION),
            source=OURS, is_detail=True,
        ),
    },
)  # fmt: skip
