"""Payment: what can be earned at all is known before the start."""

from __future__ import annotations

import pytest

from emollm.records import AU, Face, Reasoning, Sample
from emollm.train.payment import Listening, Payment, gold_text
from emollm.train.rewards import REWARDS

SMILE = Sample(
    id="smile",
    faces=[Face(aus={"AU12": AU(3.0, "intensity"), "AU04": AU(0.0, "intensity")}, box=(0, 0, 60, 60))],
    label="happiness",
    label_set="basic7",
)
TEXT = Reasoning("AU12 is marked.", "This fits happiness.", "The expression is consistent with happiness.")
POINTED = Reasoning("AU12 is marked [0, 0, 60, 60].", TEXT.interpretation, TEXT.conclusion)
ALL = {name: 1.0 for name, reward in REWARDS.items() if not reward.needs_wheels}


def with_text(reasoning: Reasoning) -> Sample:
    return Sample(id="told", faces=SMILE.faces, label=SMILE.label, label_set="basic7", reasoning=reasoning)


@pytest.mark.parametrize("style", ["sections", "think"])
@pytest.mark.parametrize("sample", [SMILE, with_text(TEXT)], ids=["without a text", "with a text"])
def test_a_reward_that_no_gold_text_earns_is_known(style: str, sample: Sample) -> None:
    assert Payment(ALL, [sample], Listening(style=style)).never_earned() == ["box_iou"]


def test_one_text_that_earns_it_is_enough() -> None:
    assert Payment(ALL, [SMILE, with_text(POINTED)], Listening(style="sections")).never_earned() == []


def test_it_is_said_before_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    from emollm.train import grpo

    recipe = grpo.Recipe(model="m", train_file="gold.jsonl", rewards={"label": 1.0, "box_iou": 0.5})
    grpo.make_payment(recipe, [SMILE])
    assert "careful: not even the gold texts of gold.jsonl earn box_iou in this style" in capsys.readouterr().err
    grpo.make_payment(recipe, [with_text(POINTED)])
    assert capsys.readouterr().err == ""


def test_a_gold_text_needs_a_label() -> None:
    assert gold_text(Sample(id="a"), Listening(style="sections")) is None
    assert gold_text(SMILE, Listening(style="label")) == "happiness"


def test_a_conclusion_that_lists_emotions_is_not_paid_for_the_right_one_among_them() -> None:
    payment = Payment({"label": 1.0}, [SMILE], Listening(style="sections"))
    said = "**Key Observations**: x\n**Overall Emotional Interpretation**: y\n**Conclusion**: "
    assert payment.pay("label", 0, said + "Anger, fear, sadness. It is consistent with happiness.") == 0.0
    assert payment.pay("label", 0, said + "It is consistent with happiness. Anger, fear, sadness.") == 0.0
    assert payment.pay("label", 0, said + "It may be fear. It is consistent with happiness.") == 1.0
    assert payment.pay("label", 0, said + "It is consistent with happiness, not anger, fear or sadness.") == 1.0


def test_a_turn_that_the_model_invents_earns_nothing() -> None:
    payment = Payment({"label": 1.0, "format": 1.0}, [SMILE], Listening(style="label"))
    for said in ("fear", "I cannot tell.", "fear or surprise"):
        assert payment.pay("label", 0, said + "\n\nUser: Try again.\nAssistant: happiness") == 0.0
    assert payment.pay("label", 0, "happiness\n\nUser: And now?\nAssistant: fear") == 1.0
    assert payment.pay("format", 0, "happiness\n\nUser: And now?\nAssistant: fear") == 0.0
