"""Events of detected clips against gold: matching by temporal overlap, errors in time, and what is left out."""

from __future__ import annotations

from argparse import Namespace

import pytest

from emollm import facs
from emollm.records import AU, Event, Face, Media, Sample
from eval.metrics.au_events import FAMILY, iou, match
from eval.metrics.family import Case, Context, Measured, whole
from eval.rows import score_case

CLIP = Media(kind="video", path="clip.mp4")
FACE = Face(aus={au: AU(value=2.0, kind="intensity") for au in ("AU06", "AU12", "AU43")})


def event(au: str, onset: float, offset: float, apex: float | None = None, face: str = "0") -> Event:
    middle = (onset + offset) / 2 if apex is None else apex
    return Event(au=au, onset_s=onset, apex_s=middle, offset_s=offset, peak=2.0, face=face)


def case(gold: list[Event] | None, detected: list[Event] | None) -> Case:
    sample, found = (Sample(id="c", media=CLIP, faces=[FACE], events=events) for events in (gold, detected))
    return score_case(sample, None, context())._replace(detected=found)


def context(aus: tuple[str, ...] = ("AU06", "AU12", "AU43")) -> Context:
    return Context(None, facs.THRESHOLDS, Namespace(), "detector", aus)


def numbers(measured: Measured) -> dict[str, float]:
    sums = whole(FAMILY, measured.lines)
    return {name: float(metric.function(sums)) for name, metric in FAMILY.metrics.items()}


def test_overlap_in_time() -> None:
    assert iou(event("AU12", 0, 2), event("AU12", 1, 3)) == pytest.approx(1 / 3)
    assert iou(event("AU12", 0, 1), event("AU12", 2, 3)) == 0
    assert iou(event("AU12", 1, 1), event("AU12", 1, 1)) == 1


@pytest.mark.parametrize(("onset", "found"), [(1.0, 1), (1.01, 0)])
def test_half_an_overlap_is_enough_and_less_is_not(onset: float, found: int) -> None:
    assert len(match([event("AU12", 0, 2)], [event("AU12", onset, 2)])) == found


def test_the_best_overlap_is_taken_and_each_event_once() -> None:
    gold, detected = [event("AU12", 0, 2)], [event("AU12", 0, 1.5), event("AU12", 0, 1.9)]
    assert match(gold, detected) == [(gold[0], detected[1])]
    assert match(detected, gold) == [(detected[1], gold[0])]


def test_errors_are_in_seconds_and_of_what_is_found() -> None:
    gold = [event("AU12", 1, 3, 2), event("AU06", 5, 6)]
    detected = [event("AU12", 1.25, 3.5, 2.125), event("AU06", 8, 9)]
    found = numbers(FAMILY.measure([case(gold, detected)], context()))
    errors = [found[f"event_{time}_error"] for time in ("onset", "offset", "apex")]
    assert errors == pytest.approx([0.25, 0.5, 0.125])
    assert (found["event_f1"], found["event_macro_f1"], found["event_recall"]) == (0.5, 0.5, 0.5)


def test_other_action_units_and_other_people_are_no_match() -> None:
    gold = [event("AU12", 1, 3)]
    other = [event("AU06", 1, 3), event("AU12", 1, 3, face="1")]
    measured = FAMILY.measure([case(gold, other)], context())
    assert numbers(measured)["event_recall"] == 0
    assert measured.notices == ["detected events of action units without gold events: 1 count nowhere"]


def test_a_blink_counts_where_closed_lids_do() -> None:
    blink = [event("AU45", 1, 1.3)]
    assert FAMILY.measure([case(blink, blink)], context()).parts == ["AU45"]
    assert FAMILY.measure([case(blink, blink)], context(("AU12",))).lines == [None]


def test_events_that_were_not_looked_for_are_missed_and_told() -> None:
    measured = FAMILY.measure([case([event("AU12", 1, 3)], None)], context())
    assert numbers(measured)["event_recall"] == 0
    assert "no events were looked for by the detector in 1 clips" in measured.notices[0]


def test_without_gold_events_nothing_is_said() -> None:
    assert FAMILY.measure([case(None, [event("AU12", 1, 3)])], context()).lines == [None]


def test_gold_against_itself_is_perfect() -> None:
    gold = [event("AU12", 1, 3), event("AU06", 0, 2), event("AU12", 4, 5)]
    found = numbers(FAMILY.measure([case(gold, gold)], context()))
    assert {name: found[name] for name in ("event_f1", "event_macro_f1", "event_onset_error")} == {
        "event_f1": 1, "event_macro_f1": 1, "event_onset_error": 0,
    }  # fmt: skip
