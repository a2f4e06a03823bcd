"""Closed sets: strict and normalised answers, abstention, and the defects of scorers in the field.

A defect is shown as the rule that has it, on an answer where it goes wrong, beside ours on the same answer.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from answered import case, labelled, measured, metrics
from sklearn.metrics import recall_score

from emollm.answers import abstains
from emollm.labels import LABEL_SETS
from emollm.records import Sample
from eval.metrics import confusion
from eval.metrics.closed_set import FAMILY, FATES

BASIC7 = LABEL_SETS["basic7"].labels


@pytest.mark.parametrize(
    ("said", "fate", "right", "strict"),
    [
        ("happiness", "label", 1, 1),
        ("  happiness\n", "label", 1, 1),
        ("<think>A smile.</think><answer>happiness</answer>", "label", 1, 1),
        ("**Conclusion**: The expression is consistent with happiness.", "label", 1, 1),
        ("**Conclusion**: The person looks joyful.", "label", 1, 0),
        ("happiness\n\nUser: And now?\nAssistant: fear", "label", 1, 0),
        ("ｈａｐｐｉｎｅｓｓ", "label", 1, 0),
        ("None of these; happiness is absent", "unreadable", 0, 0),
        ("Happiness", "label", 1, 0),
        ("happy", "label", 1, 0),
        ("高兴", "label", 1, 0),
        ("The emotion is happiness.", "label", 1, 0),
        ("sadness", "label", 0, 0),
        ("I cannot tell.", "abstention", 0, 0),
        ("<think>Lips part, maybe happiness.</think><answer>unknown</answer>", "abstention", 0, 0),
        ("I am not sure, but happiness", "label", 1, 0),
        ("happiness or surprise", "several", 0, 0),
        ("The lips part.", "unreadable", 0, 0),
        ("", "unreadable", 0, 0),
        (None, "missing", 0, 0),
    ],
)
def test_what_becomes_of_an_answer(said: str | None, fate: str, right: int, strict: int) -> None:
    [line] = measured(FAMILY, [labelled("happiness", said)]).lines
    assert line == (right, strict, *(float(fate == one) for one in FATES))


def test_without_a_label_set_unknown_is_an_abstention_unless_it_is_gold() -> None:
    lines = measured(FAMILY, [labelled("bored", "unknown", None), labelled("unknown", "unknown", None)], None).lines
    assert lines == [(0, 0, 0, 1, 0, 0, 0), (1, 1, 1, 0, 0, 0, 0)]


def test_strict_and_normalised_add_up_and_the_wordings_are_told() -> None:
    cases = [labelled("happiness", said) for said in ("happiness", "Happy", "joyful", "Happy", "I can't say", "fear")]
    numbers = metrics(FAMILY, cases)
    assert numbers["strict_accuracy"] == pytest.approx(1 / 6)
    assert numbers["strict_accuracy"] + numbers["normalised_only"] == pytest.approx(4 / 6)
    assert numbers["answered_accuracy"] == pytest.approx(4 / 5)
    normalised, lost = measured(FAMILY, cases).notices
    assert normalised == "3 of 4 right answers count only because they were normalised ('Happy' 2, 'joyful' 1)"
    assert lost.endswith("1 say that they cannot tell")


def test_without_a_gold_label_the_family_is_silent() -> None:
    assert measured(FAMILY, [case(Sample(id="s"), "fear", "basic7")]).lines == [None]


@pytest.mark.parametrize(
    "said",
    [
        "I cannot tell.",
        "It is impossible to determine the emotion.",
        "The emotion can't be reliably identified.",
        "I’m not able to judge this face.",
        "I'm sorry, but I can't help with that.",
        "Unclear",
        "**Unknown**.",
        "N/A",
        "There is not enough information in the picture.",
        "No face is visible.",
        "无法判断。",
        "看不出来",
        "表情不明",
    ],
)
def test_an_answer_that_cannot_tell_is_an_abstention(said: str) -> None:
    assert abstains(said)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "happiness",
        "The mouth cannot close.",
        "None of the brows move.",
        "The eyes do not narrow.",
        "不开心",
        "asdf",
    ],
)
def test_what_says_something_else_is_no_abstention(said: str) -> None:
    assert not abstains(said)


# --- the defects ------------------------------------------------------------------------------------------------------


def test_naming_every_label_is_not_right() -> None:
    """A DFEW scorer takes the gold word anywhere in the answer as the answer."""
    everything = ", ".join(BASIC7)
    assert all(gold in everything for gold in BASIC7)  # the rule: 100 %
    numbers = metrics(FAMILY, [labelled(gold, everything) for gold in BASIC7])
    assert (numbers["several_rate"], numbers["strict_accuracy"], numbers["normalised_only"]) == (1, 0, 0)


def test_an_unreadable_answer_is_no_class_of_its_own() -> None:
    """With `none` as a predicted class, scikit-learn's macro recall averages in a recall of 0 for it."""
    gold, said = ["happiness", "happiness", "sadness"], ["happiness", "none", "sadness"]
    assert recall_score(gold, said, average="macro", zero_division=0) == pytest.approx((0.5 + 1 + 0) / 3)
    matrix = confusion.one_hot(np.array([0.0, 0, 1]), np.array([0, np.nan, 1]), 2).sum(axis=0)
    assert confusion.uar(matrix) == pytest.approx((0.5 + 1) / 2)


def test_a_word_inside_another_or_in_the_thoughts_is_not_the_answer() -> None:
    """A scorer that falls back to substrings of the whole text finds `happy` in `unhappy`, and labels in thoughts."""

    def fallback(text: str) -> str | None:
        return next((label for label in ("happy", "sad", "angry") if label in text.lower()), None)

    for text in ("unhappy", "<think>At first glance happy.</think> I would say: no label fits"):
        assert fallback(text) == "happy"
        [line] = measured(FAMILY, [labelled("happiness", text)]).lines
        assert line is not None
        assert line[0] == 0


def test_another_form_of_the_label_is_right_but_not_strictly() -> None:
    """Rewards and scorers that compare strings fail `happy` for `happiness`; the strict number says how often."""
    gold, said = "happiness", "<think>A smile.</think><answer>happy</answer>"
    assert re.findall("<answer>(.*)</answer>", said) != [gold]
    numbers = metrics(FAMILY, [labelled(gold, said)])
    assert (numbers["strict_accuracy"], numbers["normalised_only"]) == (0, 1)


def test_a_nose_negates_nothing() -> None:
    """A keyword list deletes sentences that hold `no`, `not` or `nor` anywhere: nose, another, noticeable, know."""
    text = "**Conclusion**: The wrinkled nose and another noticeable sign are consistent with disgust."
    kept = [
        one for one in re.split(r"(?<=\.)\s", text) if not any(word in one.lower() for word in ("no", "not", "nor"))
    ]
    assert kept == []
    [line] = measured(FAMILY, [labelled("disgust", text)]).lines
    assert line is not None
    assert line[:2] == (1, 1)


def test_what_cannot_be_read_is_not_neutral() -> None:
    """A scorer that takes the last word, and neutral where that is no label, is right on every neutral sample."""

    def last_word(text: str) -> str:
        word = text.split()[-1].strip(".") if text.split() else ""
        return word if word in BASIC7 else "neutral"

    for text in ("", "The person is happiness personified, I think so."):
        assert last_word(text) == "neutral"
        [line] = measured(FAMILY, [labelled("neutral", text)]).lines
        assert line is not None
        assert line[0] == 0


def test_a_label_without_a_sample_adds_no_zero_to_the_recall() -> None:
    """A scorer divides the sum of recalls by all labels it lists, though some have no test sample."""
    gold, said = np.array([0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0])
    matrix = confusion.one_hot(gold, said, len(BASIC7)).sum(axis=0)
    assert (1 + 0.5) / len(BASIC7) == pytest.approx(0.214, abs=1e-3)
    assert confusion.uar(matrix) == pytest.approx(0.75)
    assert confusion.uar(matrix) == pytest.approx(recall_score(gold, said, average="macro"))
