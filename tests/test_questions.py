"""Questions whose answer is yes, no or a letter: replies as models write them, and numbers under their own names."""

from __future__ import annotations

import pytest
from answered import case, labelled, measured, metrics
from sklearn.metrics import f1_score

from emollm.records import Sample
from eval.metrics.family import Case
from eval.metrics.questions import FAMILY as QUESTIONS
from eval.metrics.questions import read_reply


@pytest.mark.parametrize(
    ("said", "gold", "reply"),
    [
        ("Yes, there is a smile.", "yes", "yes"),
        ("**No**.", "yes", "no"),
        ("The answer is yes.", "no", "yes"),
        ("Answer: no", "no", "no"),
        ("不是", "no", "no"),
        ("Nothing can be seen.", "no", None),
        ("I am not sure.", "no", None),
        ("(B) anger", "A", "B"),
        ("b) anger", "A", "B"),
        ("c", "A", "C"),
        ("Option D is right.", "A", "D"),
        ("I think the answer is C", "A", "C"),
        ("A smile is visible.", "A", None),
        ("Answer: A person smiles", "A", None),
        ("", "A", None),
    ],
)
def test_replies_to_questions(said: str, gold: str, reply: str | None) -> None:
    assert read_reply(said, gold) == reply


def asked(gold: str, said: str | None, kind: str) -> Case:
    return case(Sample(id="q", label=gold, groups={"question": kind}), said)


def test_accuracies_of_yes_and_of_no_have_their_own_names() -> None:
    """EmoReAlM calls them precision and recall, which a model that always says yes shows."""
    golds = ["yes"] * 2 + ["no"] * 6
    found = metrics(QUESTIONS, [asked(gold, "Yes.", "agreement") for gold in golds])
    right_of_yes, right_of_no = 2 / 2, 0 / 6
    published = {"precision": right_of_yes, "recall": right_of_no}
    assert (found["yes_accuracy"], found["no_accuracy"]) == (published["precision"], published["recall"])
    assert found["yes_precision"] == 2 / 8  # what the word means, and is not 1
    assert found["yes_f1"] == pytest.approx(f1_score([1] * 2 + [0] * 6, [1] * 8))
    assert found["yes_rate"] == 1
    assert found["yes_no_harmonic"] == 0


def test_kinds_of_question_count_the_same_and_missing_answers_are_wrong() -> None:
    cases = [asked("yes", "yes", "agreement")] * 3 + [asked("B", "(B)", "reasoning"), asked("C", None, "reasoning")]
    found = metrics(QUESTIONS, cases)
    assert found["questions_mean"] == pytest.approx((1 + 1 / 2) / 2)
    assert found["choice_accuracy"] == 1 / 2
    assert measured(QUESTIONS, cases).notices[0].startswith("questions: 1 of 5 answers")


def test_other_labels_ask_no_question() -> None:
    assert measured(QUESTIONS, [labelled("anger", "Yes")]).lines == [None]
