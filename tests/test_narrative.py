import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_clips import made_clip

from data_engine.exp_cot import narrative
from data_engine.exp_cot.describe import describe
from data_engine.exp_cot.draft import Options
from data_engine.exp_cot.narrative import narrate
from data_engine.exp_cot.phrases import PHRASES
from data_engine.exp_cot.rules import teach
from data_engine.exp_cot.view import look
from data_engine.generate import main
from emollm import facs
from emollm.claims import check, read_claims
from emollm.labels import LABEL_SETS, find_labels
from emollm.records import AU, Event, Face, Sample, read_records
from emollm.scoring import clip_events, main_face, score_sample

CLIPS = Path(__file__).parent / "data" / "clips.jsonl"
KINDS = ("intensity", "probability", "presence")
LABELS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
NOT_TOLD = ("AU45",)
"""Blinks are counted."""


def tell(*events: Event, seed: int = 0, length_s: float | None = None, **present: float) -> str:
    """The course alone, without the observations of the peak."""
    aus = {code: AU(value=present.get(code, 0.0), kind="intensity") for code in ("AU01", "AU02", "AU04", "AU12")}
    view = look(Face(aus=aus), facs.THRESHOLDS, events, length_s)
    return narrate(view, "The peak.", random.Random(seed), "letter").partition("eak. ")[2]


def event(au: str, onset_s: float, apex_s: float, offset_s: float, peak: float = 3.0) -> Event:
    return Event(au=au, onset_s=onset_s, apex_s=apex_s, offset_s=offset_s, peak=peak)


def observations(sample: Sample) -> str:
    draft = teach(sample, Options())
    assert draft.reasoning is not None, draft.detail
    return draft.reasoning.observations


def visible(sample: Sample) -> list[Event]:
    """The events that a text has to tell of."""
    face = main_face(sample)
    hidden = face.hidden or ()
    return [
        one
        for one in sample.events
        if one.face == face.face and facs.UNITS[one.au].region not in hidden and one.au not in NOT_TOLD
    ]


# --- any clip ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_any_clip_pass_every_check(kind: str) -> None:
    drafts = [teach(made_clip(number, kind, random.Random(number).choice(LABELS)), Options()) for number in range(120)]
    assert [draft.detail for draft in drafts if draft.reasoning is None] == []
    assert sum("attempts" in draft.provenance for draft in drafts) <= 6


@pytest.mark.parametrize("kind", KINDS)
def test_every_time_is_that_of_an_event(kind: str) -> None:
    for number in range(120):
        clip = made_clip(number, kind)
        known = {f"{time:.1f}" for one in clip.events for time in (one.onset_s, one.apex_s, one.offset_s)}
        said = re.findall(r"(\d+\.\d+) s\b", observations(clip))
        assert set(said) <= known


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_is_named_up_to_the_strongest_six(kind: str) -> None:
    for number in range(120):
        clip = made_clip(number, kind)
        text = observations(clip)
        told = {claim.aus[0] for claim in read_claims(text) if claim.present}
        if len(visible(clip)) <= narrative.MAX_PASSAGES:
            assert {one.au for one in visible(clip)} <= told, text


def test_times_of_other_events_are_found_out() -> None:
    """The times are read back: the same text about a clip that runs a second later is wrong."""
    for number in range(60):
        clip = made_clip(number)
        text, face = observations(clip), main_face(clip)
        timed = [claim for claim in read_claims(text) if claim.times and not set(claim.aus) & set(NOT_TOLD)]
        late = [
            Event(au=e.au, onset_s=e.onset_s + 1, apex_s=e.apex_s + 1, offset_s=e.offset_s + 1, peak=e.peak)
            for e in clip.events
        ]
        checked = check(timed, face, events=late).checked
        wrong = [one for one in checked if one.reason == "time"]
        # A brief event is told by one moment, which may lie in the later one, too.
        long = [one for one in checked if len(one.claim.times) > 1]
        assert {one.claim for one in long} <= {one.claim for one in wrong}, text


def test_the_course_is_the_same_whatever_the_label() -> None:
    for number in range(20):
        assert len({observations(made_clip(number, label=label)) for label in LABELS}) == 1


def test_the_course_names_no_label() -> None:
    for number in range(40):
        for name, label_set in LABEL_SETS.items():
            if label_set.labels:
                assert find_labels(observations(made_clip(number)), name) == []


@pytest.mark.parametrize("kind", ["probability", "presence"])
def test_only_intensities_are_given_strength(kind: str) -> None:
    for number in range(40):
        assert all(claim.letters == "" for claim in read_claims(observations(made_clip(number, kind))))


def test_strengths_are_those_of_the_events() -> None:
    for number in range(60):
        clip = made_clip(number)
        there = facs.present(main_face(clip))
        for claim in read_claims(observations(clip)):
            if claim.times and claim.letters and claim.aus[0] not in there:
                peaks = {facs.letter(one.peak) for one in clip.events if one.au == claim.aus[0]}
                assert peaks & set(claim.letters)


WORDS = {"on": "0.4 s", "apex": "0.9 s", "off": "1.6 s", "speed": "quickly ", "is_": "is", "s": "s"}
SPANS = ("from 0.4 s to 1.6 s", "from the start to 1.6 s", "from 0.4 s until the end", "throughout the clip")


def sentences(code: str) -> Iterator[str]:
    """Every sentence that an action may be told with."""
    phrases = PHRASES[code]
    clauses = [f"{subject} is {state}" for subject in phrases.subjects for state in phrases.states]
    for span, most in itertools.product(SPANS, ("", *narrative.MOST)):
        words = {**WORDS, "span": span, "most": most.format(apex="0.9 s")}
        for plan in (*narrative.STEPS, *narrative.RETURNS, *narrative.SPANS, *narrative.MOMENTS):
            yield from (plan.format(nouns=noun, **words) for noun in phrases.nouns)
        for plan in (*narrative.SPANS_OF_CLAUSES, *narrative.MOMENTS_OF_CLAUSES):
            yield from (plan.format(clause=clause, **words) for clause in clauses)


@pytest.mark.parametrize("code", PHRASES)
def test_every_sentence_reads_back_as_its_action_and_times(code: str) -> None:
    for sentence in set(sentences(code)):
        text = f"Over the clip, {sentence}."
        claims = read_claims(text)
        assert [claim.aus[0] for claim in claims if claim.present] == [code] == [claim.aus[0] for claim in claims], text
        said = {time.seconds for time in claims[0].times}
        assert said == {float(number) for number in re.findall(r"\d\.\d", text)}, text
        assert {time.kind: time.seconds for time in claims[0].times if time.kind != "at"}.items() <= TIMES.items(), text


TIMES = {"onset": 0.4, "apex": 0.9, "offset": 1.6}


# --- wording ----------------------------------------------------------------------------------------------------------


def test_events_that_run_together_are_told_at_once() -> None:
    for seed in range(20):
        text = tell(event("AU01", 0.5, 0.9, 1.6), event("AU02", 0.6, 1.0, 1.5), AU01=3.0, AU02=3.0, seed=seed)
        assert text.count(".") - len(re.findall(r"\d\.\d", text)) == 1
        assert [claim.aus for claim in read_claims(text)] == [("AU01",), ("AU02",)]


def test_events_are_told_in_order() -> None:
    for seed in range(20):
        text = tell(event("AU12", 2.0, 2.5, 3.0), event("AU04", 0.2, 0.5, 1.0), seed=seed)
        assert [claim.aus[0] for claim in read_claims(text)] == ["AU04", "AU12"]


def test_events_that_overlap_are_told_so() -> None:
    texts = [tell(event("AU04", 0.2, 0.9, 2.0), event("AU12", 1.0, 1.5, 3.0), seed=seed) for seed in range(40)]
    assert sum("while" in text or "eanwhile" in text or "uring this" in text for text in texts) > 20
    apart = [tell(event("AU04", 0.2, 0.9, 2.0), event("AU12", 2.2, 2.5, 3.0), seed=seed) for seed in range(40)]
    assert not any("while" in text or "uring this" in text for text in apart)


@pytest.mark.parametrize(("number", "words"), [(1, "once, at 0.6 s"), (2, "twice"), (3, "three times"), (9, "9 times")])
def test_blinks_are_counted(number: int, words: str) -> None:
    text = tell(*(event("AU45", place + 0.5, place + 0.6, place + 0.7) for place in range(number)))
    assert re.search(rf"blinks? {words}\.", text)
    assert [claim.aus[0] for claim in read_claims(text)] == ["AU45"]


def test_quick_and_slow_are_said_only_of_what_was_measured_so() -> None:
    for apex_s, word in ((0.6, "quickly"), (1.0, ""), (1.8, "slowly")):
        texts = " ".join(tell(event("AU12", 0.4, apex_s, 2.4), seed=seed) for seed in range(40))
        assert {said for said in ("quickly", "slowly") if said in texts} == ({word} if word else set())


def test_what_lasts_to_the_end_is_told_so_where_the_length_is_known() -> None:
    held = event("AU12", 1.0, 1.5, 2.95)
    assert all("until the end" in tell(held, seed=seed, length_s=3.0) for seed in range(20))
    assert all("until the end" not in tell(held, seed=seed) for seed in range(20))
    assert all("throughout" in tell(event("AU12", 0.0, 1.5, 3.0), seed=seed, length_s=3.0) for seed in range(20))


def test_a_second_event_of_an_action_bears_no_strength_again() -> None:
    for seed in range(20):
        first, second = read_claims(tell(event("AU12", 0.3, 0.8, 1.4), event("AU12", 2.3, 2.8, 3.4), seed=seed))
        assert (bool(first.letters), bool(second.letters)) == (True, False)


def test_events_below_the_threshold_and_of_the_head_are_not_told() -> None:
    assert tell(event("AU12", 0.3, 0.8, 1.4, peak=0.7), event("AU51", 0.3, 0.8, 1.4)) == ""


def test_two_hundred_clips_with_the_same_events_read_differently() -> None:
    texts = {tell(event("AU04", 0.2, 0.9, 2.0), event("AU12", 1.0, 1.5, 3.0), seed=seed) for seed in range(200)}
    assert len(texts) >= 150


# --- from samples to explanations -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    path = tmp_path_factory.mktemp("clips") / "cot.jsonl"
    assert main([str(CLIPS), "-o", str(path)]) == 0
    return {sample.id: sample for sample in read_records(path, Sample)}


def test_every_clip_is_kept_and_nothing_in_it_is_false(explained: dict[str, Sample]) -> None:
    assert set(explained) == {"flash", "held", "likely", "long", "still"}
    for sample in explained.values():
        reasoning = sample.reasoning
        text = f"{reasoning.observations} {reasoning.interpretation}"
        result = check(text, main_face(sample), events=clip_events(sample))
        assert result.count("contradicted") == result.count("not_assessable") == 0
        assert result.recall == 1.0


def test_clips_have_right_times(explained: dict[str, Sample]) -> None:
    for name in ("flash", "held", "likely", "long"):
        claims = read_claims(explained[name].reasoning.observations)
        assert any(claim.times for claim in claims)
        events = [one for one in explained[name].events if one.face == main_face(explained[name]).face]
        known = {f"{time:.1f}" for one in events for time in (one.onset_s, one.apex_s, one.offset_s)}
        assert {f"{time.seconds:.1f}" for claim in claims for time in claim.times} <= known


def test_what_was_there_before_the_peak_is_told_and_not_of_the_peak(explained: dict[str, Sample]) -> None:
    flash = explained["flash"].reasoning
    peak = re.split("Over |In the course ", flash.observations)[0]
    assert {claim.aus[0] for claim in read_claims(peak) if claim.present} == {"AU06", "AU12", "AU25"}
    assert {"AU01", "AU02", "AU45"} <= {claim.aus[0] for claim in read_claims(flash.observations)}
    assert "one moment" not in flash.interpretation


def test_a_long_clip_is_told_by_its_strongest_events(explained: dict[str, Sample]) -> None:
    text = explained["long"].reasoning.observations
    assert "Of the 8 events of the clip" in text
    assert "AU17" not in {claim.aus[0] for claim in read_claims(text) if claim.present}


def test_a_still_cut_from_a_clip_has_no_course(explained: dict[str, Sample]) -> None:
    assert "clip" not in explained["still"].reasoning.observations
    assert not any(claim.times for claim in read_claims(explained["still"].reasoning.observations))


def test_evaluation_judges_a_clip_by_its_events(explained: dict[str, Sample]) -> None:
    clip = explained["flash"]
    right = score_sample(clip, "The brows rise from 0.4 s to 1.0 s. The cheeks and the lip corners are raised.")
    assert (right.supported, right.contradicted) == (3, 0)
    assert "AU01" not in right.au_measured
    assert right.au_f1 == pytest.approx(0.8)
    assert score_sample(clip, "The brows rise at 2.4 s.").contradicted == 1
    clip.events = None
    assert score_sample(clip, "The brows rise from 0.4 s to 1.0 s.").contradicted == 1


def test_the_peak_of_a_clip_may_be_at_rest() -> None:
    aus = {f"AU{number:02d}": AU(value=0.0, kind="intensity") for number in (1, 2, 4, 6, 9, 12, 15, 26)}
    clip = Sample(id="passing", faces=[Face(aus=aus)], events=[event("AU04", 0.5, 0.9, 1.4)], label="neutral")
    draft = teach(clip, Options())
    assert draft.case == "rest"
    assert re.search("passing|for a while", draft.reasoning.interpretation)
    assert "AU04" in {claim.aus[0] for claim in read_claims(describe_clip(clip))}


def describe_clip(clip: Sample) -> str:
    view = look(main_face(clip), facs.THRESHOLDS, clip.events)
    return narrate(view, describe(view, random.Random(0)), random.Random(0))
