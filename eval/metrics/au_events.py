"""Events of action units in clips: does the detector find each rise and fall, and when does it begin and end?

A detected event is found where it overlaps a gold event of the same action unit by a temporal IoU of at least 0.5, each
with one other, the best overlap first (as for actions in videos: Heilbron et al. 2015, ActivityNet, CVPR). F1 of events
is that of Ding et al. (2013, ICCV) at this one overlap. Onset, apex and offset errors are of the events that are found,
so they are to be read beside F1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from emollm.facs import prose
from emollm.records import Event
from eval.detections import detected_face
from eval.metrics.counts import Array, mean_known, ratio
from eval.metrics.family import Case, Context, Each, Family, FamilyMetric, Line, Measured

MIN_IOU = 0.5
WIDTH = 6
GOLD, DETECTED, FOUND, ONSET, OFFSET, APEX = range(WIDTH)
"""Of each AU: events of gold, of the detector, found ones, and of these the sums of absolute errors in seconds."""

SOURCE = "Ding et al. 2013, ICCV; temporal IoU 0.5"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep of each AU with gold events how many there are, were detected and match, and by how much they are off."""
    gold = [_events(case.sample.events, case.score.face.face if case.score.face else None) for case in cases]
    annotated = {event.au for events in gold for event in events or ()}
    aus = [au for au in sorted(annotated) if _counts(au, context)]
    lines: list[Line | None] = []
    num_blind = num_other = 0
    for case, events in zip(cases, gold, strict=True):
        if events is None or not aus:
            lines.append(None)
            continue
        face, seen = detected_face(case), case.detected.events if case.detected else None
        detected = _events(seen, face.face if face else None) or ()
        num_blind += seen is None
        num_other += sum(event.au not in aus for event in detected)
        cells = (_cell([e for e in events if e.au == au], [e for e in detected if e.au == au]) for au in aus)
        lines.append(tuple(value for cell in cells for value in cell))
    left_out = sorted(annotated - set(aus))
    notices = [f"gold events that are not compared: {', '.join(map(prose, left_out))}"] if left_out and aus else []
    if num_blind:
        notices.append(f"no events were looked for by the detector in {num_blind:,} clips: all of gold's are missed")
    if num_other:
        notices.append(f"detected events of action units without gold events: {num_other:,} count nowhere")
    return Measured(lines, {"aus": aus, "min_iou": MIN_IOU}, notices=notices, parts=aus)


def _counts(au: str, context: Context) -> bool:
    """Tell whether an AU counts. Closed lids (AU43) are measured picture by picture; whether they blink, in time."""
    return ("AU43" if au == "AU45" else au) in (context.aus or ()) or au in (context.aus or ())


def _events(events: Sequence[Event] | None, face: str | None) -> list[Event] | None:
    """Return the events of one face, all where it is not known which; None: nobody looked for events."""
    return None if events is None else [event for event in events if face is None or event.face == face]


def _cell(gold: Sequence[Event], detected: Sequence[Event]) -> tuple[float, ...]:
    pairs = match(gold, detected)
    errors = [
        sum(abs(getattr(one, time) - getattr(other, time)) for one, other in pairs)
        for time in ("onset_s", "offset_s", "apex_s")
    ]
    return (len(gold), len(detected), len(pairs), *errors)


def match(gold: Sequence[Event], detected: Sequence[Event]) -> list[tuple[Event, Event]]:
    """Pair events that overlap by at least MIN_IOU, each with one other, the best overlap first."""
    overlaps = [(iou(one, other), i, j) for i, one in enumerate(gold) for j, other in enumerate(detected)]
    pairs, taken, used = [], set(), set()
    for overlap, i, j in sorted(overlaps, key=lambda found: (-found[0], found[1], found[2])):
        if overlap >= MIN_IOU and i not in taken and j not in used:
            pairs.append((gold[i], detected[j]))
            taken.add(i)
            used.add(j)
    return pairs


def iou(first: Event, second: Event) -> float:
    """Return the intersection over union of two events in time, 0 to 1; 1 for the same moment."""
    both = min(first.offset_s, second.offset_s) - max(first.onset_s, second.onset_s)
    either = max(first.offset_s, second.offset_s) - min(first.onset_s, second.onset_s)
    return max(both, 0.0) / either if either > 0.0 else 1.0


def sums(lines: Array) -> Array:
    """Return the numbers of each AU: (n, A, 6)."""
    return lines.reshape(len(lines), -1, WIDTH)


def precision(sums: Array) -> Array:
    """Return found / detected events (...,)."""
    return ratio(sums[..., FOUND], sums[..., DETECTED])


def recall(sums: Array) -> Array:
    """Return found / gold events (...,)."""
    return ratio(sums[..., FOUND], sums[..., GOLD])


def f1(sums: Array) -> Array:
    """Return 2 · found / (gold + detected) events (...,); NaN without a gold event."""
    return np.where(sums[..., GOLD] > 0, ratio(2 * sums[..., FOUND], sums[..., GOLD] + sums[..., DETECTED]), np.nan)


def error(sums: Array, time: int) -> Array:
    """Return the mean absolute error of a time in seconds (...,), over the events that are found."""
    return ratio(sums[..., time], sums[..., FOUND])


def _has(column: int, lines: Array) -> Array:
    return np.asarray(lines.reshape(len(lines), -1, WIDTH)[..., column] > 0, dtype=np.float64)


def _together(function: Callable[[Array], Array], column: int) -> tuple[Callable[[Array], Array], Each]:
    """Return a function of all events together, and the same for each AU."""
    return lambda sums: function(sums.sum(axis=-2)), Each(function, partial(_has, column))


def _off(title: str, time: int) -> FamilyMetric:
    whole, each = _together(partial(error, time=time), FOUND)
    return FamilyMetric(
        f"{title} error (s)", f"Mean absolute difference of detected and gold {title.lower()} in seconds, over the "
        "events that are found.", whole, better="lower", unit="number",
        counts_in=lambda lines: _has(FOUND, lines).max(axis=-1), each=each,
    )  # fmt: skip


_F1, _EACH_F1 = _together(f1, GOLD)
_PRECISION, _EACH_PRECISION = _together(precision, DETECTED)
_RECALL, _EACH_RECALL = _together(recall, GOLD)

FAMILY = Family(
    name="au_events",
    title="Action units: events in clips",
    about=f"Each rise and fall of an action unit that the detector finds, at a temporal IoU of at least {MIN_IOU:g}.",
    measure=measure,
    sums=sums,
    of=("detector",),
    metrics={
        "event_f1": FamilyMetric(
            "Event F1", "2 · found / (gold + detected) events of all action units together.", _F1, source=SOURCE,
            is_headline=True,
        ),
        "event_macro_f1": FamilyMetric(
            "Event macro F1", "Mean of the F1 of the action units that have gold events.",
            lambda sums: mean_known(f1(sums)), source=SOURCE, each=_EACH_F1, is_headline=True,
        ),
        "event_precision": FamilyMetric(
            "Event precision", "Found / detected events.", _PRECISION, each=_EACH_PRECISION, source=SOURCE,
        ),
        "event_recall": FamilyMetric(
            "Event recall", "Found / gold events.", _RECALL, each=_EACH_RECALL, source=SOURCE,
        ),
        "event_onset_error": _off("Onset", ONSET),
        "event_apex_error": _off("Apex", APEX),
        "event_offset_error": _off("Offset", OFFSET),
    },
)  # fmt: skip
