"""The rewards: what each pays, what is not known, and the sum."""

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
from paid import BARE, GOLD, LEGACY, LISTED, OPEN, REST, SAD, box, listen, make_face, think, value

from emollm.answers import HEADINGS
from emollm.errors import ConfigError
from emollm.records import Face, Sample
from emollm.train.rewards import DEFAULTS, REWARDS, Heard, Reward, check_weights, hear, total
from emollm.train.rewards.boxes import iou
from emollm.train.rewards.sentences import emotions
from emollm.train.rewards.wheel import length_penalty

# --- what each pays ---------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("observations", "interpretation", "expected"),
    [
        ("The brows are low.\n", "It fits.\n", 1),
        ("- brows low\n- lips parted\n", "1. It fits\n", 1),
        ("眉头紧锁。\n", "It fits (AU4)\n", 1),
        ("AU1C, AU4C, AU15C\n", "It fits sadness\n", 1),
        ("\nAU1: inner brow raiser\nAU4: brow lowerer\n", "It fits.\n", 1),
        ("\n· brows low\n· lips parted\n", "It fits.\n", 1),
        ("\n▪ brows low\n▪ lips parted\n", "It fits.\n", 1),
        ("\n+ brows low\n+ lips parted\n", "It fits.\n", 1),
        ("\na) brows low\nb) smile: no\n", "It fits.\n", 1),
        ("The lips are drawn in\n", "It fits as they are.\n", 1),
        ("内眉上扬，嘴角下垂\n", "这些符合悲伤\n", 1),
        ("The brows are low.\n", "It is a (\n", 0),
        ("The brows are low,\n", "It fits.\n", 0),
        ("The brows are low.\n", "This is seen in:\n", 0),
        ("The brows are low.\n", "They go with the\n", 0),
        ("The brows are low.\n", "They are...\n", 0),
        ("**The brows** are low and **the**\n", "It fits.\n", 0),
        ("\n* brows low\n* lips parted and\n", "It fits.\n", 0),
        ("内眉上扬，\n", "这些符合悲伤。\n", 0),
        ("内眉上扬、\n", "这些符合悲伤和\n", 0),
        ("1\n", "It fits.\n", 0),
        ("The brows are low.\n", "_\n", 0),
        ("The brows are low. ", "It fits. ", 0),
        ("The brows are low.\n", "...\n", 0),
        ("The brows are low.\n", "\n", 0),
    ],
)
def test_sections_begin_a_line_and_are_not_broken_off(observations: str, interpretation: str, expected: float) -> None:
    text = f"**Key Observations**: {observations}**Overall Emotional Interpretation**: {interpretation}"
    heard = listen(SAD, f"{text}**Conclusion**: It is sadness.", "sections")
    assert (REWARDS["format"](heard), heard.score.well_formed) == (expected, bool(expected))


@pytest.mark.parametrize(("thought", "expected"), [("The brows are low.", 1), ("The brows are", 0), ("...", 0)])
def test_a_thought_is_not_broken_off(thought: str, expected: float) -> None:
    assert value("format", SAD, think(thought)) == expected


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
        ("Surprise would fit next best. It is sadness rather than fear.", "sadness", 1),
        ("Sadness would fit the brows. But the best match is anger.", "sadness", 1 / 2),
        ("Sadness, or fear.", "sadness", 1 / 2),
        ("Sadness, fear or anger.", "sadness", 1 / 3),
        ("Anger and fear are weighed, and it is clearly sadness.", "sadness", 1 / 2),
        ("This is anger.", "sadness", 0),
        ("The brows are lowered.", "sadness", 0),
        ("Nothing stands out.", "neutral", 1),
        ("", "neutral", 0),
        (LISTED, LISTED, 0),
    ],
)
def test_the_answer_follows_from_the_reasoning(thought: str, answer: str, expected: float) -> None:
    assert value("consistency", SAD, think(thought, answer)) == expected


@pytest.mark.parametrize(
    ("interpretation", "conclusion", "expected"),
    [
        ("This is sadness. Fear would fit next best.", "It is sadness.", 1),
        ("This is fear.", "It is sadness.", 0),
        ("It is not sadness.", "It is sadness.", 0),
        ("Fear, anger or sadness.", "It is sadness.", 1 / 2),
        ("By the brows this would be fear.", "It is sadness, although the action units alone do not show it.", 1),
        ("Fear, anger, or disgust.", "It is sadness, although the action units alone do not show it.", 1 / 3),
    ],
)
def test_a_conclusion_follows_from_the_sections_before_it(
    interpretation: str, conclusion: str, expected: float
) -> None:
    parts = ("The brows are lowered.", interpretation, conclusion)
    text = "\n".join(f"**{heading}**: {part}" for heading, part in zip(HEADINGS.values(), parts, strict=True))
    assert value("consistency", SAD, text, "sections") == expected


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
    text = think("AU1C.")
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
