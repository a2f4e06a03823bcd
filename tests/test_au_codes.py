"""AU codes in a text: the published rule with its defects, the claims without them, and the rule in scikit-learn."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from answered import case, measured, metrics
from sklearn.metrics import accuracy_score, f1_score, recall_score

from emollm.facs import prose
from emollm.records import AU, Face, Sample
from eval.metrics.family import Case
from eval.metrics.fea_aus import FAMILY, mentions


def shown(said: str | None, *there: str, absent: tuple[str, ...] = ("AU15",)) -> Case:
    aus = {au: AU(value=1.0, kind="presence") for au in there} | {au: AU(value=0.0, kind="presence") for au in absent}
    return case(Sample(id="s", faces=[Face(aus=aus)]), said)


def think(text: str) -> str:
    return f"<think>{text}</think><answer>happiness</answer>"


SMILE = think("The cheeks are raised (AU6) and the lip corners are pulled up (AU12).")


def test_a_denied_code_counts_for_the_rule_and_not_for_the_claims() -> None:
    said = think("The cheeks are raised (AU6). There is no AU12.")
    cases = [shown(said, "AU06", absent=("AU12",)), shown(SMILE, "AU06", "AU12")]
    found = metrics(FAMILY, cases)
    assert (found["fea_au_subset_accuracy"], found["fea_claims_subset_accuracy"]) == (0.5, 1.0)
    assert found["fea_au_micro_f1"] < found["fea_claims_micro_f1"] == 1.0
    assert found["fea_denied_rate"] == 0.25


def test_a_code_with_a_zero_is_lost_to_the_rule_and_not_to_the_claims() -> None:
    found = metrics(FAMILY, [shown(think("The cheeks are raised (AU06)."), "AU06")])
    assert (found["fea_au_macro_f1"], found["fea_claims_macro_f1"], found["fea_padded_rate"]) == (0, 1, 1)


def test_a_code_that_gold_never_has_is_free_by_the_rule_and_not_in_the_main_metrics() -> None:
    one = shown(think("The cheeks are raised (AU6), the lip corners are down (AU15)."), "AU06")
    found = metrics(FAMILY, [one])
    assert (found["fea_au_subset_accuracy"], found["fea_outside_rate"]) == (1, 0.5)
    counts = one.score.au_counts
    assert counts is not None
    assert counts["AU15"].fp == 1


def test_au45_is_no_au4() -> None:
    found = metrics(FAMILY, [shown(think("The lids blink (AU45)."), "AU04", absent=("AU45",))])
    assert found["fea_au_macro_recall"] == 0


def test_only_the_think_part_is_read_and_the_whole_text_without_one() -> None:
    said = "<think>The cheeks are raised (AU6).</think><answer>AU12</answer>"
    assert [code for code, _ in mentions(shown(said, "AU06"))] == ["AU6"]
    assert [code for code, _ in mentions(shown("AU6 and AU12", "AU06"))] == ["AU6", "AU12"]


def test_silence_is_wrong_and_told() -> None:
    cases = [shown(None, "AU06"), shown("A smile.", "AU06")]
    assert metrics(FAMILY, cases)["fea_au_micro_f1"] == 0
    assert measured(FAMILY, cases).notices[0].startswith("2 of 2 answers write no AU code")


def test_without_measured_action_units_nothing_is_said() -> None:
    assert measured(FAMILY, [case(Sample(id="s", label="happiness"), SMILE)]).lines == [None]


@pytest.mark.parametrize("seed", range(3))
def test_the_rule_is_that_of_scikit_learn(seed: int) -> None:
    """The published scorer: codes by a regular expression, f1_score with zero_division 0, means where gold has any."""
    rng, aus = random.Random(seed), ["AU01", "AU04", "AU06", "AU12", "AU25"]
    cases, gold, named = [], [], []
    for _ in range(30):
        there = rng.sample(aus[:4], rng.randint(0, 3))
        said = think(" ".join(f"({rng.choice(['AU1', 'AU4', 'AU04', 'AU6', 'AU12', 'AU25'])})" for _ in range(3)))
        cases.append(shown(said, *there, absent=tuple(set(aus) - set(there))))
        gold.append([au in there for au in aus])
        named.append([prose(au) in re.findall(r"AU\d+", said) for au in aus])
    columns = np.array(gold).any(axis=0)
    truth, answer = np.array(gold)[:, columns], np.array(named)[:, columns]
    found = metrics(FAMILY, cases)
    assert found["fea_au_micro_f1"] == pytest.approx(f1_score(truth, answer, average="micro", zero_division=0))
    assert found["fea_au_macro_f1"] == pytest.approx(f1_score(truth, answer, average="macro", zero_division=0))
    assert found["fea_au_macro_recall"] == pytest.approx(recall_score(truth, answer, average="macro", zero_division=0))
    assert found["fea_au_subset_accuracy"] == pytest.approx(accuracy_score(truth, answer))
