"""The rewards: highest on gold, lowest on nothing, never above their worth for a text that only games them."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_engine.exp_cot.draft import Options
from data_engine.exp_cot.rules import teach
from emollm.answers import render
from emollm.errors import ConfigError
from emollm.facs import PROTOTYPES
from emollm.prompts import ask
from emollm.records import AU, Face, Sample
from emollm.train.rewards import DEFAULTS, REWARDS, Heard, Reward, check_weights, hear, total
from emollm.train.rewards.boxes import LANDMARKS, iou, regions
from emollm.train.rewards.sentences import emotions
from emollm.train.rewards.wheel import length_penalty
from emollm.wheel import WHEELS, Wheels

MEASURED = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26)
LABELS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
LISTED = ", ".join(LABELS)
LEGACY = ("label_legacy", "au_f1_legacy")

WORDS = {"happy": "joy", "sad": "grief", "afraid": "fear", "angry": "anger", "surprised": "awe", "disgusted": "disgust"}
FORMS = {"happiness": "happy", "sadness": "sad", "fear": "afraid", "anger": "angry", "surprise": "surprised"}
FORMS |= {word: word for word in WORDS} | {"disgust": "disgusted", "gloomy": "sad", "gloom": "sad", "rueful": "sad"}
TABLE = Wheels(
    {form: [word] for form, word in FORMS.items()},
    {word: [meant] for word, meant in WORDS.items()},
    {wheel: {level: {meant: meant for meant in WORDS.values()} for level in ("level1", "level2")} for wheel in WHEELS},
)


def landmarks() -> list[tuple[float, float]]:
    """Points around each region, and the rest along the jaw."""
    corners = {"brows": (20, 25, 80, 32), "eyes": (25, 36, 75, 44), "nose": (42, 40, 58, 60), "mouth": (33, 66, 67, 80)}
    points = [(5.0 + 5.6 * place, 95.0 if 4 < place < 12 else 60.0) for place in range(68)]
    for region, (left, top, right, bottom) in corners.items():
        for number, place in enumerate(LANDMARKS[region]):
            points[place] = (float(right if number % 2 else left), float(bottom if number % 3 else top))
    return points


def make_face(*present: int) -> Face:
    aus = {f"AU{number:02d}": AU(value=3.0 if number in present else 0.0, kind="intensity") for number in MEASURED}
    return Face(aus=aus, box=(0.0, 10.0, 100.0, 90.0), landmarks=landmarks())


SAD = Sample(id="1", label="sadness", label_set="basic7", faces=[make_face(1, 4, 15)])
REST = Sample(id="2", label="neutral", label_set="basic7", faces=[make_face()])
BARE = Sample(id="3", faces=[Face()])
OPEN = Sample(id="4", labels=["gloomy", "angry"])


def listen(sample: Sample, completion: str, style: str | None = "think") -> Heard:
    return hear(sample, completion, "basic7" if sample.label else None, style, wheels=TABLE, band=(30, 80))


def value(name: str, sample: Sample, completion: str, style: str | None = "think") -> float | None:
    return REWARDS[name](listen(sample, completion, style))


def think(thought: str, answer: str = "sadness") -> str:
    return f"<think>{thought}</think>\n<answer>{answer}</answer>"


def box(region: str) -> str:
    return "[" + ", ".join(f"{edge:.1f}" for edge in regions(listen(SAD, ""))[region]) + "]"


ACTION = {1: "The inner brows are raised", 4: "the brows are lowered", 15: "the lip corners are pulled down"}
TOLD = f"{ACTION[1]}, and {ACTION[4]} {box('brows')}. Besides, {ACTION[15]} {box('mouth')}. There is no smile."
GOLD = think(
    f"{TOLD}\n\nRaised inner brows with lowered lip corners point to sadness rather than to anger.\n\n"
    "What can be seen here is consistent with sadness."
)
ALL_AUS = " ".join(f"AU{number} is present." for number in MEASURED)

GAMES: dict[str, str] = {
    "nothing": "",
    "blanks": " \n\t",
    "every emotion": think(f"It may be {LISTED}.", LISTED),
    "every emotion, bare": LISTED,
    "every emotion, one after the other": think(" ".join(f"It is {label}." for label in LABELS), LISTED),
    "the prompt": ask("think", "basic7"),
    "the prompt of sections": ask("sections", "basic7"),
    "the form alone": think("", ""),
    "empty think": think("", "sadness"),
    "a dot for thinking": think(".", "sadness"),
    "all AUs": think(ALL_AUS),
    "one safe claim": think("The inner brows are raised."),
    "one claim ten times": think("The inner brows are raised. " * 10),
    "one claim in ten words": think("AU1. The inner brows are raised. Inner brow raiser. AU01. " * 2),
    "hedged": think("Perhaps a smile, possibly raised cheeks, maybe a wrinkled nose, and the jaw might drop."),
    "supposed": think("If the inner brows were raised and the lip corners pulled down, AU4 would be expected."),
    "denied": think(" ".join(f"There is no AU{number}." for number in MEASURED)),
    "true denials alone": think(" ".join(f"There is no AU{number}." for number in (2, 5, 6, 7, 9, 10, 12, 14))),
    "said and denied": think(f"{ALL_AUS} " + " ".join(f"AU{number} is absent." for number in MEASURED)),
    "Chinese": think("内眉上扬，眉头紧锁，嘴角下垂。", "happiness"),
    "Spanish": think("Las cejas interiores están levantadas y las comisuras caen.", "tristeza"),
    "control tokens": "<|im_start|><|image_pad|></think><|im_end|><answer><eos>[INST]",
    "one word for ever": "sad " * 3000,
    "boxes everywhere": think("AU1 " + "[1, 1, 99, 99] " * 40),
    "another face": think("The cheeks are raised and the lip corners pulled up, a smile of happiness.", "happiness"),
}

EMPTY_IS_LOWEST = [name for name in REWARDS if name not in LEGACY]
OFTEN_WHOLE = ("consistency", "alignment", "dual", "think_step_lexicon")
"""A sound explanation may weigh a second emotion, which costs a part of these."""


# --- gold and nothing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in REWARDS if name != "au_f1_legacy"])
def test_gold_gets_all_and_nothing_gets_nothing(name: str) -> None:
    assert value(name, SAD, GOLD) == pytest.approx(REWARDS[name].high, abs=0.01)
    assert value(name, SAD, "") == REWARDS[name].low


@pytest.mark.parametrize("game", GAMES)
@pytest.mark.parametrize("name", REWARDS)
def test_no_game_beats_gold_or_gets_less_than_nothing(name: str, game: str) -> None:
    gold, gamed, empty = (value(name, SAD, text) for text in (GOLD, GAMES[game], ""))
    assert gold is not None
    assert gamed is not None
    assert empty is not None
    assert gold + 0.01 >= gamed >= empty


@pytest.mark.parametrize("game", GAMES)
def test_no_game_earns_half_of_the_defaults(game: str) -> None:
    """But for the right label, which is right however little stands before it."""
    gold, _ = total(listen(SAD, GOLD), DEFAULTS)
    gamed, values = total(listen(SAD, GAMES[game]), DEFAULTS)
    assert gamed - DEFAULTS["label"] * (values["label"] or 0.0) < 0.5 * (gold - DEFAULTS["label"])


@pytest.mark.parametrize("name", EMPTY_IS_LOWEST)
@pytest.mark.parametrize("style", ["think", "sections"])
@pytest.mark.parametrize("label", LABELS)
def test_explanations_of_the_rules_teacher_are_gold(label: str, style: str, name: str) -> None:
    prototypes = [] if label == "neutral" else [PROTOTYPES[label][0]]
    typical = {code for one in prototypes for code in (*one.required, *map(min, one.one_of))}
    sample = Sample(id=label, label=label, label_set="basic7", faces=[make_face(*(int(code[2:]) for code in typical))])
    reasoning = teach(sample, Options()).reasoning
    assert reasoning is not None
    heard = hear(sample, render(style, label, reasoning), style=style, wheels=TABLE, band=(30, 150))
    gold, empty = REWARDS[name](heard), REWARDS[name](hear(sample, "", style=style, wheels=TABLE))
    if gold is None or name == "box_iou":  # the teacher gives no boxes
        return
    assert gold == pytest.approx(1.0) or (gold >= 0.4 and name in OFTEN_WHOLE)
    assert empty == 0.0


# --- what each pays ---------------------------------------------------------------------------------------------------


def worth(name: str, thought: str, sample: Sample = SAD) -> float:
    paid = value(name, sample, think(thought))
    assert paid is not None
    return round(paid, 4)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("AU1, AU4 and AU15.", 1.0),
        ("AU1 and AU4.", 2 / 3),
        ("AU1.", 1 / 3),
        ("AU1. " * 10, 1 / 3),
        ("AU1 and AU12.", 1 / 5),  # 1 / (3 + 2)
        ("AU1, AU4, AU15 and AU12.", 3 / 5),
        ("AU1, AU4, AU15 and AU12, a smile, with the lip corners up.", 3 / 5),  # one false thing in three ways
        ("AU1, AU4 and AU15. No AU12, no AU6, no AU9.", 1.0),
        ("No AU12, no AU6, no AU9.", 0.0),
        ("AU1 and AU12. " + "".join(f"No AU{number}. " for number in (2, 5, 6, 7, 9, 10, 14)), 1 / 5),
        ("AU1, but no AU4.", 1 / 5),
        ("AU1, AU4 and AU15, and no AU4.", 3 / 5),
        ("AU1E, AU4 and AU15.", 3 / 5),  # it is C, two letters away
        ("AU1A, AU1B, AU1C, AU1D, AU1E.", 1 / (3 + 2 * 2)),
        ("Perhaps AU1 and AU12.", 1 / 5),
        ("If AU1 and AU4 were there, AU15 would be expected.", 0.0),
        (ALL_AUS, 3 / (3 + 2 * 13)),
        ("AU54 and AU61.", 0.0),  # not measured
        ("The mouth moves.", 0.0),
        ("", 0.0),
    ],
)
def test_claims_pay_for_what_is_there_and_cost_for_what_is_not(told: str, expected: float) -> None:
    assert worth("claims", told) == round(expected, 4)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("No AU12, no AU4, no AU1.", 1.0),
        ("No AU12. No smile. No AU12.", 1 / 3),
        ("No AU12, no AU4, no AU1, but AU6.", 3 / 5),
        ("AU12.", 0.0),
        ("Nothing stands out.", 0.0),
    ],
)
def test_a_face_at_rest_is_told_by_three_true_denials(told: str, expected: float) -> None:
    assert worth("claims", told, REST) == round(expected, 4)


def test_what_is_hidden_or_just_below_the_threshold_is_neither_paid_nor_charged() -> None:
    face = make_face(1, 4, 15)
    face.hidden = ["mouth"]
    assert face.aus is not None
    face.aus["AU02"] = AU(value=0.8, kind="intensity")
    sample = Sample(id="1", faces=[face])
    assert worth("claims", "AU1, AU4, AU2, AU12 and AU15.", sample) == 1.0


@pytest.mark.parametrize(
    ("told", "plain", "legacy"),
    [
        ("AU1, AU4 and AU15.", 1.0, 1.0),
        ("AU1 and AU12.", 0.4, -0.2),
        ("AU12.", 0.0, -1.0),
        ("Nothing.", 0.0, -1.0),
        ("No AU1, no AU4, no AU15.", 0.0, -1.0),  # the code of Facial-R1 would pay in full
        ("AU01, AU6_r and AU15.", 2 / 3, 1 / 3),
        ("AU1, AU4, AU15 and AU43.", 1.0, 5 / 7),  # AU43 was not measured
    ],
)
def test_au_f1_and_its_legacy(told: str, plain: float, legacy: float) -> None:
    assert worth("au_f1", told) == round(plain, 4)
    assert worth("au_f1_legacy", told) == round(legacy, 4)


def test_the_legacy_edges() -> None:
    assert [value("au_f1_legacy", sample, think("AU1")) for sample in (REST, BARE)] == [0.0, 0.0]
    assert [value("label_legacy", BARE, text) for text in ("", "sadness")] == [0.5, 0.5]
    assert value("label_legacy", SAD, think("a", "anger")) == 0.0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("sadness", 1),
        ("Sad.", 1),
        ("sorrow", 1),
        ("悲伤", 1),
        ("sad, angry", 0),
        ("not sad", 0),
        ("tristeza", 0),
        ("", 0),
    ],
)
def test_the_label_is_right_in_any_of_its_forms(answer: str, expected: float) -> None:
    assert value("label", SAD, think("a", answer)) == expected


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        (GOLD, 1),
        (GOLD + " And more.", 0),
        (GOLD + GOLD, 0),
        ("sadness", 0),
        (think("", "sadness"), 0),
        (think("a", "sad or angry"), 0),
        ("<answer>sadness</answer><think>a</think>", 0),
    ],
)
def test_the_format_is_the_style_asked_for(completion: str, expected: float) -> None:
    assert value("format", SAD, completion) == expected


def test_the_penalties_of_a_long_list() -> None:
    assert [length_penalty(named, 2, "p1") for named in (0, 1, 2, 3, 5)] == [1, 1, 1, 1 / 2, 1 / 4]
    assert [length_penalty(named, 2, "p2") for named in (2, 3, 5)] == [1, 2 / 3, 2 / 5]
    assert [length_penalty(named, 2, "p3") for named in (2, 4, 8)] == pytest.approx([1, 1 / 2, 1 / 3])
    assert [length_penalty(named, 1, "p3") for named in (1, 3, 7)] == pytest.approx([1, 1 / 2, 1 / 3])


@pytest.mark.parametrize(
    ("answer", "plain", "p1", "p2", "p3"),
    [
        ("gloom, anger", 1.0, 1.0, 1.0, 1.0),
        ("Gloomy", 2 / 3, 2 / 3, 2 / 3, 2 / 3),
        ("gloomy, angry, rueful, sad", 1.0, 1 / 3, 1 / 2, 1 / 2),
        ("gloomy, angry, moved, touched", 1.0, 1 / 3, 1 / 2, 1 / 2),  # words of no wheel are counted
        ("happy, afraid", 0.0, 0.0, 0.0, 0.0),
        ("The person is sad and angry.", 1.0, 1.0, 1.0, 1.0),
        ("not sad, but angry", 2 / 3, 2 / 3, 2 / 3, 2 / 3),
    ],
)
def test_open_labels_are_compared_on_the_wheels(answer: str, plain: float, p1: float, p2: float, p3: float) -> None:
    paid = [value(f"wheel{penalty}", OPEN, think("a", answer)) for penalty in ("", "_p1", "_p2", "_p3")]
    assert paid == pytest.approx([plain, p1, p2, p3])


def test_dual_and_alignment_read_the_reasoning() -> None:
    text = think("The face is gloomy, not happy, and there is anger.", "gloom")
    assert value("dual", OPEN, text) == pytest.approx(1.0)
    assert value("alignment", OPEN, text) == pytest.approx(1 / 2)
    assert value("alignment", OPEN, think("There is no gloom here. It is anger.", "gloom")) == 0.0
    assert value("dual", OPEN, think(f"It is {LISTED}.", "gloom")) == pytest.approx(0.5 * math.log(2) / math.log(7))
    for name in ("wheel", "dual", "alignment"):  # neutral is on no wheel
        assert value(name, REST, think("It is neutral.", "neutral")) is None


@pytest.mark.parametrize(
    ("thought", "answer", "expected"),
    [
        ("This is sadness, not anger.", "sad", 1),
        ("Sadness or fear.", "sadness", 1 / 2),
        ("This is anger.", "sadness", 0),
        ("The brows are lowered.", "sadness", 0),
        ("Nothing stands out.", "neutral", 1),
        ("", "neutral", 0),
        (LISTED, LISTED, 0),
    ],
)
def test_the_answer_follows_from_the_reasoning(thought: str, answer: str, expected: float) -> None:
    assert value("consistency", SAD, think(thought, answer)) == expected


def test_lists_are_consistent_where_lists_are_asked_for() -> None:
    text = think("There is sadness and anger.", "sad, angry")
    assert value("consistency", OPEN, text) == 1.0
    assert value("consistency", SAD, text) == 0.0


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("This is sadness, not anger.", ("sadness",)),
        ("Fear or surprise.", ("fear", "surprise")),
        (f"{LISTED}.", ()),
        ("The cheeks are raised in a smile.", ("happiness",)),
        ("The inner and outer brows are raised, as are the upper lids.", ("surprise", "fear")),
        ("The light is poor.", ("neutral",)),
        ("", ("neutral",)),
    ],
)
def test_a_sentence_speaks_for_emotions(sentence: str, expected: tuple[str, ...]) -> None:
    assert emotions(sentence, "basic7") == expected


def test_sentences_are_counted_as_in_erv() -> None:
    three = "The light is poor. It is sadness. It is anger."
    assert value("think_step_lexicon", SAD, think(three)) == 1 / 2  # neutral sentences do not count
    assert value("think_step_lexicon", REST, think(three)) == 1 / 3  # all do
    assert value("think_step_lexicon", SAD, think("It is sadness. " * 9 + "It is anger.")) == 1 / 2
    assert value("think_step_lexicon", SAD, think("The light is poor.")) == 0.0


def test_boxes_overlap_with_the_region_they_are_said_of() -> None:
    brows, mouth = box("brows"), box("mouth")
    full = value("box_iou", SAD, think(f"AU1 {brows} and AU4. AU15 {mouth}."))
    assert full == pytest.approx(1.0, abs=0.02)
    assert value("box_iou", SAD, think(f"AU1 {brows}.")) == pytest.approx(2 / 3, abs=0.02)
    assert value("box_iou", SAD, think(f"AU15 {brows}. AU1 {mouth}.")) == 0.0
    assert value("box_iou", SAD, think(f"AU12 {mouth} and AU1 {brows} " + "[0, 0, 1, 1] " * 8)) == pytest.approx(
        1 / 3, abs=0.01
    )
    assert value("box_iou", REST, think(f"AU1 {brows}.")) is None
    assert value("box_iou", SAD, think("AU1 [90, 90, 10, 10].")) == 0.0


@pytest.mark.parametrize(
    "form", ["[0, 10, 100, 100]", "(0,10),(100,100)", "<bbox>0,10,100.0,100</bbox>", '{"b": [0,10,100,100]}']
)
def test_without_landmarks_the_face_is_the_region(form: str) -> None:
    sample = Sample(id="1", faces=[Face(box=(0.0, 10.0, 100.0, 90.0))])
    assert value("box_iou", sample, f"The face {form} is at rest.") == 1.0


def test_intersection_over_union() -> None:
    assert iou((0, 0, 2, 2), (1, 1, 3, 3)) == 1 / 7
    assert iou((0, 0, 1, 1), (2, 2, 3, 3)) == iou((1, 1, 0, 0), (0, 0, 1, 1)) == 0.0


def test_length_has_ramps_on_both_sides() -> None:
    lengths = {num: value("length", SAD, "word " * num) for num in (0, 15, 30, 80, 120, 160, 500)}
    assert lengths == {0: 0.0, 15: 0.5, 30: 1.0, 80: 1.0, 120: 0.5, 160: 0.0, 500: 0.0}
    assert value("length", SAD, "<think>两只眼睛</think>") == pytest.approx(4 / 30)


def test_repetition_charges_for_repeated_word_groups() -> None:
    fresh = " ".join(f"word{number}" for number in range(40))
    assert value("repetition", SAD, fresh) == value("repetition", SAD, "sadness") == 1.0
    assert value("repetition", SAD, f"{fresh} {fresh}") == pytest.approx(1 - (37 / 77 - 0.1) / 0.9)
    assert value("repetition", SAD, "a b c d " * 250) == pytest.approx(0.0, abs=0.005)


# --- what is not known ------------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *("<think>", "</think>", "<answer>", "</answer>", "**Conclusion**: ", "**Key Observations**: ", "\n\n", "。"),
        *(
            "AU12 ",
            "no AU4. ",
            "the left brow is raised ",
            "smile, ",
            "[1, 2, 30, 40] ",
            "(9,9),(1,1)",
            "-1e9,",
            "not ",
        ),
        *("sadness", "happy, ", "gloomy ", "悲伤", "neutral", "<|image_pad|>", "\x00", "İ", "\ud800", "0.5", "AU99 "),
    ]
)
TEXTS = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=14).map("".join))
SAMPLES = {"sad": SAD, "rest": REST, "bare": BARE, "open": OPEN, "nothing": Sample(id="5")}


@settings(max_examples=200, deadline=None)
@given(
    TEXTS, st.sampled_from(sorted(SAMPLES)), st.sampled_from([None, "think", "sections", "label", "labels", "context"])
)
def test_every_text_gets_a_value_in_range_and_none_depends_on_sample_and_style_alone(
    text: str, which: str, style: str | None
) -> None:
    heard, silent = (listen(SAMPLES[which], completion, style) for completion in (text, ""))
    for name, reward in REWARDS.items():
        paid = reward(heard)
        assert (paid is None) == (reward(silent) is None), name
        assert paid is None or reward.low <= paid <= reward.high, name
        assert name not in LEGACY or paid is not None
    paid, values = total(heard, dict.fromkeys(REWARDS, 0.5))
    assert paid == pytest.approx(0.5 * sum(one for one in values.values() if one is not None))


def known(sample: Sample, style: str | None = "think") -> set[str]:
    return {name for name in REWARDS if value(name, sample, "", style) is not None}


def test_without_gold_a_reward_is_none() -> None:
    of_the_text = {"format", "consistency", "alignment", "length", "repetition"}
    assert known(Sample(id="1")) == of_the_text | set(LEGACY)
    assert known(Sample(id="1", label="sadness", label_set="basic7")) - known(Sample(id="1")) == {
        *("label", "think_step_lexicon", "dual", "wheel", "wheel_p1", "wheel_p2", "wheel_p3")
    }
    assert known(Sample(id="1", faces=[make_face(1)])) - known(Sample(id="1")) == {"au_f1", "claims", "box_iou"}


def test_what_was_not_asked_for_is_none() -> None:
    of_thought = {"consistency", "alignment", "dual", "think_step_lexicon"}
    assert known(SAD) - known(SAD, "label") == of_thought | {"length"}
    assert known(SAD) - known(SAD, "observations") == of_thought | {"label"}


# --- the sum ----------------------------------------------------------------------------------------------------------


def test_the_total_is_the_weighted_sum_of_what_is_known() -> None:
    text = think("AU1.")
    weights = {"format": 0.5, "label": 2.0, "claims": 3.0, "length": 0.0}
    paid, values = total(listen(SAD, text), weights)
    assert values == {"format": 1.0, "label": 1.0, "claims": pytest.approx(1 / 3), "length": pytest.approx(2 / 30)}
    assert paid == pytest.approx(3.5)
    paid, values = total(listen(BARE, text), weights)
    assert (paid, values["label"], values["claims"]) == (0.5, None, None)
    assert total(listen(BARE, text), {"label": 1.0}) == (0.0, {"label": None})


def reward(function: Callable[[Heard], float | None]) -> Reward:
    return Reward(function, 0, 1, "a test", "what the test says")


def test_a_reward_is_held_within_its_range_and_must_be_finite() -> None:
    heard = listen(SAD, "")
    assert [reward(lambda _, paid=paid: paid)(heard) for paid in (-3, 0.5, 7, None)] == [0.0, 0.5, 1.0, None]  # type: ignore[misc]
    with pytest.raises(ValueError, match="finite number or None, not nan"):
        reward(lambda _: math.nan)(heard)


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        ({"claim": 1}, r"rewards: 'claim' is not known; did you mean 'claims'\?; format, label"),
        ({"label": -1}, r"rewards.label: -1 is no weight; give 0 or a positive number"),
        ({"label": math.nan}, r"rewards.label: nan is no weight"),
        ({"label": 0}, "rewards: no reward has a weight"),
        ({}, "rewards: no reward has a weight"),
        ({"wheel_p3": 1}, r"rewards.wheel_p3: compares on emotion wheels; give the file"),
        ({"lable": 1, "format": -1}, r"'lable' is not known.*; rewards.format: -1"),
    ],
)
def test_weights_that_cannot_work_are_refused_in_one_line(weights: dict[str, float], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as error:
        check_weights(weights)
    assert "\n" not in str(error.value)


def test_weights_that_can_work_are_taken() -> None:
    check_weights(DEFAULTS)
    check_weights(dict.fromkeys(REWARDS, 1.0), has_wheels=True)


def test_only_rewards_that_say_so_need_the_wheels() -> None:
    heard = hear(SAD, GOLD, style="think")
    for name, one in REWARDS.items():
        if one.needs_wheels:
            with pytest.raises(ConfigError, match="wheel_mapping"):
                one(heard)
        else:
            assert one(heard) is not None, name


# --- cost -------------------------------------------------------------------------------------------------------------


LONG = [
    pytest.param(piece, marks=pytest.mark.slow) for piece in ("x. ", "happy, ", "not gloomy ", "悲伤", "[1,", "AU12 ")
]


@pytest.mark.parametrize("piece", ["a", "<think>", *LONG])
def test_a_megabyte_of_text_does_no_harm(piece: str) -> None:
    """Were anything of it quadratic, this would never end."""
    paid, _ = total(listen(SAD, f"<think>{piece * (1_000_000 // len(piece))}</think>"), dict.fromkeys(REWARDS, 1.0))
    assert paid < 4


def test_rewards_load_no_torch() -> None:
    code = (
        "import sys, emollm.train.rewards; print(sorted({'torch', 'transformers', 'trl', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_reward_is_in_the_table_of_the_recipes() -> None:
    readme = (Path(__file__).parents[1] / "recipes" / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (-?\d to \d) \|", readme, re.MULTILINE))
    assert rows == {name: f"{one.low:g} to {one.high:g}" for name, one in REWARDS.items()}
    paid = ", ".join(f"`{name}` {weight:g}" for name, weight in DEFAULTS.items())
    assert f"these are paid: {paid}." in readme


def test_every_reward_says_what_it_pays() -> None:
    assert all(one.help and one.source and one.low < one.high for one in REWARDS.values())
