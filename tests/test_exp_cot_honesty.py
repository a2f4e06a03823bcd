"""Where a label comes from, and what a reader's answer is worth: marked, checked, asked for again."""

from pathlib import Path

import pytest
from scripted_teacher import READ, Scripted, attempts, face, happy, teach

from data_engine.exp_cot import rules
from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.loop import READINGS, Effort
from data_engine.exp_cot.task import Task, admit
from data_engine.generate.tally import Tally
from emollm.claims import named_aus
from emollm.llm.wire import Image
from emollm.records import AU, Face
from emollm.scoring import score_sample

SAD = {"label": "sadness"}
ABOUT_SADNESS = {**READ, "conclusion": "Overall, the expression is consistent with sadness."}


# --- labels that the sample did not have ------------------------------------------------------------------------------


def test_label_that_was_read_for_an_unlabelled_sample_says_from_whom() -> None:
    assert teach(Scripted(), happy(label=None)).provenance["label_from"] == "teacher"
    assert rules.teach(happy(label=None), Options()).provenance["label_from"] == "rules"
    assert "label_from" not in teach(Scripted()).provenance
    assert "label_from" not in rules.teach(happy(), Options()).provenance


def test_label_that_was_read_is_checked_like_one_that_was_given() -> None:
    ask = Scripted(infer=SAD, refine=ABOUT_SADNESS)
    kept = teach(ask, happy(label=None))
    assert (kept.label, kept.case, kept.provenance["agree"]) == ("sadness", "other", False)
    ask = Scripted(infer=SAD, refine=ABOUT_SADNESS)
    refused = teach(ask, happy(label=None), options=Options(disagreement="reject"))
    assert (refused.reasoning, refused.reason, refused.label) == (None, "label_contradicts", "sadness")
    assert refused.detail == "the action units fit happiness"
    assert ask.calls == {"describe": 1, "infer": 1}
    assert teach(Scripted(), happy(label=None), options=Options(disagreement="reject")).reasoning is not None


def test_text_without_a_label_does_not_claim_that_the_pattern_is_its_label() -> None:
    undecided = {**READ, "conclusion": "What is visible supports no single reading."}
    undecided["interpretation"] = undecided["interpretation"].replace("the pattern described for happiness", "no more")
    draft = teach(Scripted(infer={"label": "none"}, refine=undecided), happy(label=None))
    told = draft.provenance
    assert (draft.labels, draft.case, told["agree"], told["fits"]) == ((), "unread", None, "happiness")
    assert "label_from" not in told


def test_table_does_not_call_what_a_teacher_read_the_label_of_the_sample() -> None:
    tally = Tally()
    for draft in (teach(Scripted()), teach(Scripted(), happy(label=None)), rules.teach(happy(label=None), Options())):
        tally.add(draft)
    rows = str(tally).splitlines()
    assert "1 kept: one pattern fits, and it is the label's" in rows[-3]
    assert "1 kept, without a label of their own (by the rules): one pattern fits, and it is that label's" in rows[-2]
    assert "(read by the teacher)" in rows[-1]
    assert (tally.cases, tally.read_cases["teacher"]) == ({"one": 1}, {"one": 1})


# --- labels by elimination --------------------------------------------------------------------------------------------


def test_label_that_was_left_over_is_marked() -> None:
    draft = teach(Scripted(infer=[SAD, {"label": "happiness"}]), effort=Effort(rounds=3, eliminate=True))
    assert draft.reasoning is not None
    assert (draft.provenance["label_seen"], draft.provenance["by_elimination"]) == (True, True)
    tally = Tally()
    tally.add(draft)
    assert "1 kept with a label that was read after wrong ones had been ruled out" in str(tally)
    at_once = teach(Scripted(), effort=Effort(eliminate=True)).provenance
    assert (at_once["label_seen"], "by_elimination" in at_once) == (False, False)


def test_reader_that_repeats_what_was_ruled_out_is_asked_again_for_the_same_description() -> None:
    ask = Scripted(infer=[SAD, SAD, {"label": "happiness"}])
    draft = teach(ask, effort=Effort(rounds=3, eliminate=True))
    assert draft.reasoning is not None
    assert ask.calls == {"describe": 2, "infer": 3, "refine": 1}
    assert attempts(draft) == [("infer", ["label"]), ("read", ["label"])]


# --- readers whose answer cannot be used ------------------------------------------------------------------------------


def test_unreadable_reading_is_asked_for_again_and_the_describer_hears_nothing() -> None:
    ask = Scripted(infer=["bla bla", {"label": "happiness"}])
    draft = teach(ask)
    assert draft.reasoning is not None
    assert ask.calls == {"describe": 1, "infer": 2, "refine": 1}
    assert attempts(draft) == [("read", ["unreadable"])]
    first, again = (one for one in ask.requests if one.stage == "infer")
    assert again.turns[: len(first.turns)] == first.turns  # in the same conversation, so that it is another request
    assert "bla bla" in again.turns[-2].text
    assert "gives no one label" in again.turns[-1].text


def test_reader_that_never_answers_ends_the_sample_after_some_tries() -> None:
    ask = Scripted(infer="bla bla")
    draft = teach(ask, effort=Effort(rounds=5))
    assert (draft.reason, ask.calls) == ("reader_unreadable", {"describe": 1, "infer": READINGS})
    assert len({len(one.turns) for one in ask.requests if one.stage == "infer"}) == READINGS


def test_readable_votes_count_beside_unreadable_ones() -> None:
    ask = Scripted(infer=["bla"] * READINGS + [{"label": "happiness"}])
    draft = teach(ask, effort=Effort(votes=2))
    assert draft.reasoning is not None
    assert draft.provenance["votes"] == {"happiness": 1}


@pytest.mark.parametrize(
    "text", ['{"observations": "The lip corners', '```json\n{"label": "happi', '{"label": happiness}']
)
def test_half_a_json_is_called_that(text: str) -> None:
    for stage in ("describe", "infer"):
        draft = teach(Scripted(**{stage: text}), effort=Effort(rounds=1))
        assert draft.provenance["attempts"][0]["problems"] == ["form: the JSON breaks off or is not valid"]


# --- several faces ----------------------------------------------------------------------------------------------------


def crowd(*sides: float, **fields: object) -> Draft | Task:
    faces = [Face(face=str(place), box=(0, 0, side, side), aus=face().aus) for place, side in enumerate(sides)]
    return admit(happy(faces=faces, **fields), Options())


@pytest.mark.parametrize(
    ("sides", "known", "meant"),
    [
        ((90, 60, 20), {}, "0"),
        ((20, 60, 90), {}, "2"),
        ((90, 61), {}, None),
        ((61, 90), {}, None),
        ((60, 90), {"faces": {"lead": "0"}}, "0"),
        ((90, 60), {"faces": {"lead": "1"}}, "1"),
        ((61, 90), {"faces": {"lead": "0"}, "detect": {}}, None),  # these faces have other names than the plan's
        ((60, 90), {"faces": {"lead": "0"}, "detect": {}}, "1"),
    ],
)
def test_lead_or_by_far_the_largest_face_is_the_one_that_is_meant(
    sides: tuple[float, ...], known: dict[str, object], meant: str | None
) -> None:
    task = crowd(*sides, provenance=known)
    if meant is None:
        assert isinstance(task, Draft)
        assert task.reason == "several_faces"
    else:
        assert isinstance(task, Task)
        assert (task.sight.view.face.face, task.other_faces) == (meant, len(sides) - 1)


def test_faces_without_a_place_cannot_be_told_apart() -> None:
    other = Face(face="1", aus={"AU12": AU(value=3.0, kind="intensity")})
    task = admit(happy(faces=[face(), other]), Options())
    assert isinstance(task, Draft)


def test_other_faces_are_remembered_and_the_place_of_the_one_is_told() -> None:
    one = Face(face="0", box=(10, 20, 90, 90), aus=face().aus)
    two = Face(face="1", box=(200, 20, 30, 30), aus=face({"AU04": 3.0}).aus)
    ask = Scripted()
    draft = teach(ask, happy(faces=[one, two]), image=Image(path=Path("a.png"), sha256="0"))
    assert draft.provenance["other_faces"] == 1
    assert "lies at 10, 20, 90, 90 pixels" in ask.prompts("describe")[0]
    assert rules.teach(happy(faces=[one, two]), Options()).provenance["other_faces"] == 1


def test_lead_is_explained_wherever_it_stands_and_what_is_said_is_checked_against_it() -> None:
    other = Face(face="0", box=(200, 20, 30, 30), aus=face({"AU04": 3.0}).aus)
    lead = Face(face="1", box=(10, 20, 90, 90), aus=face().aus)
    sample = happy(faces=[other, lead])
    draft = rules.teach(sample, Options())
    assert draft.reasoning is not None
    assert {"AU06", "AU12"} <= named_aus(draft.reasoning.observations)
    score = score_sample(sample, draft.reasoning.observations)
    assert (score.aus_gold, score.contradicted, score.omitted) == (("AU06", "AU12"), 0, ())
