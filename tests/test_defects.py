"""Defects of scorers in the field: the rule that has one, on an answer where it goes wrong, beside ours on the same.

Others stand with what they are about: test_closed_set (a list of all labels, `none` as a class, substrings, forms of a
label, negation by substring, neutral by default, labels without a sample), test_reasoning (keyword lists), test_facs
(codebooks), test_au_codes, test_judge_reading, test_open_vocabulary, test_preference, test_protocols (BAH),
test_questions and test_rewards.
"""

from __future__ import annotations

import re
from pathlib import Path
from statistics import mean

import pytest
from answered import case, context, labelled, measured, metrics
from judging import ANSWERS, score, values
from stub_judge import StubJudge

from emollm.answers import parse
from emollm.answers.words import label_words
from emollm.facs import au_name
from emollm.prompts import ask
from emollm.records import AU, Face, Prediction, Reasoning, Sample
from eval.judge.legacy import LEGACY
from eval.judge.reading import read_score
from eval.metrics.closed_set import FAMILY as CLOSED_SET
from eval.metrics.consistency import FAMILY as CONSISTENCY
from eval.metrics.entailment import FAMILY as ENTAILMENT
from eval.metrics.questions import FAMILY as QUESTIONS
from eval.metrics.rouge import overlap, words_of
from eval.metrics.wording import FAMILY as WORDING
from eval.results import read_results
from eval.rows import score_row

# --- the judge --------------------------------------------------------------------------------------------------------


def test_a_scale_from_1_has_no_0() -> None:
    """The published scale is 1 to 10 and reported as 0 to 10; its scorer takes the first digit, whatever it says."""

    def first_digit(reply: str) -> float:
        return float(re.findall(r"\d", reply)[0])

    assert [first_digit(reply) for reply in ("0", "10", "score 1-10: 8")] == [0, 1, 1]
    assert [read_score(reply) for reply in ("0", "10", "score 1-10: 8")] == [None, 10, 8]
    assert {(number.low, number.high) for number in LEGACY.numbers.values()} == {(1, 10)}


def test_an_error_of_the_endpoint_ends_no_run_and_is_no_score(tmp_path: Path) -> None:
    """The published scorer ends at the first error; the next one over gives 0 for every reply it cannot read."""
    pytest.importorskip("aiohttp", reason="the extra `teacher` is not installed")
    refused = Prediction(id=ANSWERS[0].id, completion="The lips are !400.", model="m")
    with StubJudge() as endpoint:
        out = score(tmp_path, endpoint.url, "--judge-mode", "legacy", answers=[refused, *ANSWERS[1:]])
    results = read_results(out)
    assert (results.metrics["judge_clue_overlap"].value, results.metrics["judge_clue_overlap"].num_samples) == (2, 5)
    assert values(results)["judge_coverage"] == pytest.approx(5 / 6)
    assert mean([0, *[2] * 5]) < 2  # the rule


def test_a_reply_that_cannot_be_read_is_not_0() -> None:
    replies = ["8", "Hard to say.", "分数：6"]
    zero_if_unread = [float(found[0]) if (found := re.search(r"\d+", reply)) else 0.0 for reply in replies]
    assert mean(zero_if_unread) == pytest.approx(14 / 3)  # the rule
    read = [one for reply in replies if (one := read_score(reply)) is not None]
    assert (mean(read), len(read)) == (7, 2)


# --- labels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["happy, moved", "[ happy ,moved ]", "happy， moved"])
def test_blanks_around_labels_are_no_part_of_them(said: str) -> None:
    """A scorer that splits at commas and does not trim finds ` moved`, which is not `moved`."""
    gold = {"happy", "moved"}
    assert set(re.split("[,，]", said.strip("[]"))) != gold  # the rule
    assert set(label_words(parse(said)).words) == gold
    row = score_row(case(Sample(id="s", labels=sorted(gold)), said), context())
    assert row.labels_f1 == 1


def test_each_question_is_read_in_its_own_kind() -> None:
    """A reward that takes the kind of the first question for the whole batch reads every letter as a yes or a no."""
    asked = [("yes", "Yes, she does."), ("B", "B. Fear"), ("no", "No.")]
    forms = [r"yes|no" if gold in ("yes", "no") else r"[A-H]\b" for gold, _ in asked]
    by_first = [re.match(forms[0], said, re.IGNORECASE) for _, said in asked]
    assert [found is not None for found in by_first] == [True, False, True]  # the rule
    found = metrics(QUESTIONS, [labelled(gold, said, None) for gold, said in asked], None)
    assert (found["yes_no_accuracy"], found["choice_accuracy"]) == (1, 1)


def test_a_label_of_another_set_is_no_label_of_this_one() -> None:
    """ExpLLM's list has 8 labels on sets of 7 too: contempt is no mismatch there, and one class too many in means."""
    eight = ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"]
    golds, said = ["anger", "sadness"], ["anger", "contempt"]
    assert [one for one in said if one not in eight] == []  # the rule: no mismatch
    found = metrics(CLOSED_SET, [labelled(*one, "rafdb7") for one in zip(golds, said, strict=True)], "rafdb7")
    assert (found["unreadable_rate"], found["answered_accuracy"]) == (0.5, 1)
    assert "contempt" not in ask("label", "rafdb7")
    assert "contempt" in ask("label", "affectnet8")


def test_a_right_label_does_not_vouch_for_the_reasoning() -> None:
    """ExpLLM asks for the label by itself and reports that: the reasoning may mean another, and nobody sees it."""
    said = "<think>The pulled corners of the lips mean happiness.</think><answer>anger</answer>"
    assert said.endswith("<answer>anger</answer>")  # the rule: 100 %
    found = metrics(CONSISTENCY, [labelled("anger", said)])
    assert (found["epc"], found["fcr"], found["right_without_reason"]) == (0, 0, 1)


# --- action units and what was not measured ---------------------------------------------------------------------------


def face(**aus: float) -> list[Face]:
    return [Face(aus={name: AU(value=value, kind="intensity") for name, value in aus.items()})]


def test_a_single_digit_is_found_in_the_columns_of_openface() -> None:
    """A scorer makes `AU6_r` of AU6 and never finds OpenFace's `AU06_r`; with the record's names both are AU06."""
    columns = ["AU06_r", "AU12_r"]
    said = "AU6 and AU12 are there."
    assert [code for code in re.findall(r"AU\d+", said) if f"{code}_r" in columns] == ["AU12"]  # the rule
    assert [au_name(code) for code in (*columns, "AU6")] == ["AU06", "AU12", "AU06"]
    row = score_row(case(Sample(id="s", faces=face(AU06=3.0, AU12=3.0)), said), context())
    assert (row.au_hits, row.au_set_f1) == (("AU06", "AU12"), 1)


def test_naming_nothing_is_right_where_nothing_is_there() -> None:
    """A scorer gives F1 0 where both sets are empty: a calm face can never be described rightly."""
    said, there = set[str](), set[str]()
    assert (2 * len(said & there) / (len(said) + len(there)) if said or there else 0.0) == 0  # the rule
    calm = Sample(id="s", faces=face(AU04=0.0, AU12=0.0))
    row = score_row(case(calm, "<think>There is no smile.</think><answer>neutral</answer>"), context())
    assert (row.au_hits, row.au_misses, row.au_set_f1) == ((), (), 1)
    assert score_row(case(calm, ""), context()).au_set_f1 == 0  # silence is no description


def test_what_was_not_measured_is_neither_agreement_nor_disagreement() -> None:
    """A scorer takes no transcript for a word error of 0, which is agreement, and no CLIP for a similarity of 0."""

    def grounding(word_error: float | None, similarity: float | None) -> float:
        return mean([1 - (word_error or 0.0), similarity or 0.0])

    assert grounding(None, None) == 0.5 > grounding(0.6, 0.5)  # the rule
    unmeasured = case(Sample(id="s", label="anger", text=None), "The brows are lowered, which shows anger.")
    assert (unmeasured.score.precision, unmeasured.score.recall, unmeasured.score.au_f1) == (None, None, None)
    assert measured(WORDING, [unmeasured]).lines == measured(ENTAILMENT, [unmeasured]).lines == [None]


def test_words_of_the_reference_are_not_truth() -> None:
    """ROUGE-L against references of the pipeline that wrote the training data pays for their style, true or not."""
    gold = Reasoning(
        observations="The inner brows are raised, and the lip corners are pulled down.",
        interpretation="These signs are consistent with sadness.",
        conclusion="The expression is consistent with sadness.",
    )
    false = "The inner brows are raised, and the lip corners are pulled up. These signs are consistent with sadness."
    true = "AU1 and AU15 are visible. He seems sad."
    said = [
        case(Sample(id="s", label="sadness", reasoning=gold, faces=face(AU01=3.0, AU12=0.0, AU15=3.0)), one, "basic7")
        for one in (false, true)
    ]
    reference = words_of(f"{gold.observations} {gold.interpretation} {gold.conclusion}")
    rouge = [overlap(reference, words_of(one)).longest for one in (false, true)]
    assert rouge[0] > rouge[1]  # the rule prefers what is false
    assert [one.score.precision for one in said] == [pytest.approx(1 / 2), 1]
