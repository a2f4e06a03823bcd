"""Scores of one prediction: the label, the format, the AUs said and the claims, and what is None without gold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emollm.answers import parse, render
from emollm.records import AU, Face, Reasoning, Sample
from emollm.scoring import (
    Counts,
    au_counts,
    is_well_formed,
    label_match,
    lead_face,
    main_face,
    score_sample,
    set_f1,
)

REASONING = Reasoning(
    observations="The inner brows are raised and the lip corners are turned down. There is no smile.",
    interpretation="Raised inner brows with lowered lip corners point to sorrow.",
    conclusion="The expression is consistent with sadness.",
)


def make_face(**values: float) -> Face:
    return Face(aus={code: AU(value=value, kind="intensity") for code, value in values.items()})


SAD = Sample(
    id="1", label="sadness", label_set="basic7", faces=[make_face(AU01=2.0, AU04=2.0, AU12=0.0, AU15=3.0, AU17=0.0)]
)


def test_the_gold_answer_is_right_well_formed_and_true() -> None:
    score = score_sample(SAD, render("think", "sadness", REASONING))
    assert score.correct is True
    assert score.well_formed
    assert (score.supported, score.contradicted, score.not_assessable) == (5, 0, 0)
    assert score.precision == 1.0
    assert score.omitted == ("AU04",)
    assert score.recall == pytest.approx(2 / 3)


def test_an_empty_completion_is_wrong_and_says_nothing() -> None:
    score = score_sample(SAD, "")
    assert score.correct is False
    assert not score.well_formed
    assert score.aus_pred == ()
    assert score.precision is None
    assert score.recall == 0.0
    assert score.au_f1 == 0.0


def test_a_wrong_label_with_false_claims() -> None:
    score = score_sample(SAD, "<think>The lip corners are raised (AU12).</think><answer>happiness</answer>")
    assert score.correct is False
    assert score.well_formed
    assert score.precision == 0.0
    assert score.au_counts == {"AU01": (0, 0, 1), "AU04": (0, 0, 1), "AU12": (0, 1, 0), "AU15": (0, 0, 1)}


def test_spans_are_places_in_the_completion() -> None:
    text = "<think>Her lip corners are turned down.</think><answer>sadness</answer>"
    score = score_sample(SAD, text)
    assert score.check is not None
    assert [text[one.claim.start : one.claim.end] for one in score.check.checked] == ["lip corners are turned down"]


def test_without_a_gold_label_nothing_is_correct_or_wrong() -> None:
    assert score_sample(Sample(id="1"), "sadness").correct is None


def test_without_measured_aus_there_are_no_claim_scores() -> None:
    score = score_sample(Sample(id="1", label="sadness", faces=[Face()]), "AU4, so sadness")
    assert (score.face, score.check, score.aus_gold, score.aus_pred, score.au_counts, score.au_f1) == (None,) * 6
    assert (score.precision, score.recall, score.omitted, score.supported) == (None, None, (), 0)


def test_gold_labels_are_read_in_the_label_set() -> None:
    assert score_sample(Sample(id="1", label="Happy"), "<answer>joy</answer>", "basic7").correct is True


def test_the_label_set_of_the_sample_is_the_default() -> None:
    sample = Sample(id="1", label="contempt", label_set="basic8")
    assert score_sample(sample, "contempt").label_pred == "contempt"
    assert score_sample(sample, "contempt", "basic7").label_pred is None


@pytest.mark.parametrize(
    ("style", "text", "expected"),
    [
        ("label", "sadness", True),
        ("labels", "sadness", True),
        ("label", "sadness, fear", False),
        ("think", "sadness", False),
        (None, "sadness", True),
        ("think", "<think>a</think><answer>sadness</answer>", True),
        ("sections", "<think>a</think><answer>sadness</answer>", False),
    ],
)
def test_the_form_is_that_of_the_style_asked_for(style: str | None, text: str, expected: bool) -> None:
    assert score_sample(SAD, text, style=style).well_formed is expected


def test_a_list_of_all_labels_is_wrong() -> None:
    text = "neutral, happiness, sadness, surprise, fear, disgust, anger"
    assert score_sample(SAD, text).correct is False


@pytest.mark.parametrize("there", [{}, {"AU01": 2.0}, {"AU04": 2.0}, {"AU01": 2.0, "AU02": 2.0, "AU04": 2.0}])
def test_a_vague_phrase_says_its_likeliest_reading_whatever_is_there(there: dict[str, float]) -> None:
    sample = Sample(id="1", faces=[make_face(**(dict.fromkeys(("AU01", "AU02", "AU04"), 0.0) | there))])
    vague, precise = (
        score_sample(sample, text) for text in ("The forehead is wrinkled.", "The inner brows are raised.")
    )
    assert vague.aus_pred == precise.aus_pred == ("AU01",)
    assert (vague.au_counts, vague.au_f1, vague.recall) == (precise.au_counts, precise.au_f1, precise.recall)
    assert vague.supported == bool(there)


def test_a_denied_au_is_not_said() -> None:
    assert score_sample(SAD, "no AU12").aus_pred == ()


def test_an_au_that_was_not_measured_does_not_count() -> None:
    sample = Sample(id="1", faces=[make_face(AU01=2.0)])
    score = score_sample(sample, "AU1 and AU9")
    assert score.au_f1 == 1.0
    assert score.au_counts == {"AU01": Counts(tp=1)}


def test_a_face_at_rest_described_as_such_is_right() -> None:
    score = score_sample(Sample(id="1", faces=[make_face(AU01=0.0, AU12=0.0)]), "No smile.")
    assert (score.precision, score.recall, score.au_f1) == (1.0, None, 1.0)


@pytest.mark.parametrize("text", ["", " \n", "asdf", "Sorry, I cannot tell."])
def test_silence_about_a_face_at_rest_is_not_right(text: str) -> None:
    assert score_sample(Sample(id="1", faces=[make_face(AU01=0.0)]), text, "basic7").au_f1 == 0.0


def test_an_answer_that_names_nothing_is_right_about_a_face_at_rest() -> None:
    text = "<think>Nothing stands out.</think><answer>neutral</answer>"
    assert score_sample(Sample(id="1", label="neutral", faces=[make_face(AU01=0.0)]), text, "basic7").au_f1 == 1.0


def test_hidden_aus_and_turns_of_the_head_count_nowhere() -> None:
    face = make_face(AU01=2.0, AU12=3.0, AU54=2.0, AU61=2.0)
    face.hidden = ["mouth"]
    score = score_sample(Sample(id="1", faces=[face]), "AU12, AU25, AU54 and AU2")
    assert (score.aus_gold, score.au_measured, score.omitted) == (("AU01",), ("AU01",), ("AU01",))
    assert score.au_counts == {"AU01": Counts(fn=1)}
    assert score.au_f1 == 0.0


def test_a_face_of_which_nothing_can_be_judged_has_no_au_scores() -> None:
    score = score_sample(Sample(id="1", faces=[make_face(AU54=2.0)]), "The head is lowered.")
    assert (score.aus_gold, score.au_measured, score.au_counts, score.au_f1) == (None,) * 4
    assert score.supported == 1


def test_the_main_face_is_the_first_measured_one() -> None:
    sample = Sample(id="1", faces=[Face(face="a"), make_face(AU01=1.0), Face(face="b", aus={})])
    face = main_face(sample)
    assert face is not None
    assert face.aus == {"AU01": AU(value=1.0, kind="intensity")}


def test_the_main_face_is_the_lead_wherever_it_stands() -> None:
    other, lead = make_face(AU04=1.0), make_face(AU01=1.0)
    other.face, lead.face = "a", "b"
    faces = [other, lead]
    assert (lead_face(Sample(id="1", faces=faces)), main_face(Sample(id="1", faces=faces))) == (None, other)
    assert main_face(Sample(id="1", faces=faces, provenance={"faces": {"lead": "b"}})) == lead
    other.box, lead.box = (0, 0, 20, 20), (30, 0, 30, 30)
    assert main_face(Sample(id="1", faces=faces)) == lead
    lead.box = (30, 0, 29, 29)
    assert main_face(Sample(id="1", faces=faces)) == other


def test_a_lead_that_was_not_measured_is_replaced_by_nobody() -> None:
    faces = [Face(face="a", aus={"AU01": AU(value=1.0, kind="presence")}), make_face(AU04=1.0), Face(face="c")]
    assert main_face(Sample(id="1", faces=faces, provenance={"faces": {"lead": "c"}})) is None


def test_of_a_clip_each_au_counts_at_its_strongest() -> None:
    first, second, other = make_face(AU01=1.0, AU12=3.0), make_face(AU01=2.0, AU04=1.0), make_face(AU12=5.0)
    first.hidden, second.hidden, other.face = ["mouth", "brows"], ["brows"], "1"
    face = main_face(Sample(id="1", faces=[first, second, other]))
    assert face is not None
    assert {code: au.value for code, au in (face.aus or {}).items()} == {"AU01": 2.0, "AU12": 3.0, "AU04": 1.0}
    assert face.hidden == ["brows"]


def test_label_match() -> None:
    assert label_match("fear", "fear") is True
    assert label_match(None, "fear") is False
    assert label_match("fear", None) is None


def test_au_counts_only_measured_ones() -> None:
    counts = au_counts({"AU01", "AU02", "AU09"}, {"AU01", "AU04"}, {"AU01", "AU02", "AU04", "AU06"})
    assert counts == {"AU01": (1, 0, 0), "AU02": (0, 1, 0), "AU04": (0, 0, 1)}


def test_set_f1() -> None:
    assert set_f1({"a", "b"}, {"b", "c"}) == 0.5
    assert set_f1({"a"}, ()) == 0.0
    assert set_f1((), ()) == 1.0


@given(st.text(max_size=200), st.sampled_from([None, "basic7", "open"]))
def test_no_completion_breaks_the_score(text: str, label_set: str | None) -> None:
    score = score_sample(SAD, text, label_set)
    assert score.correct in (True, False)
    assert score.precision is None or 0.0 <= score.precision <= 1.0


@pytest.mark.parametrize(
    ("text", "formed"),
    [
        ("The brows are lowered (AU4).", True),
        ("", False),
        ("anger", False),
        ("**Key Observations**: The brows are lowered.", False),
        ("<think>The brows are lowered.</think><answer>anger</answer>", False),
    ],
)
def test_observations_are_prose_without_a_label(text: str, formed: bool) -> None:
    assert is_well_formed(parse(text, "basic7"), "observations") is formed
