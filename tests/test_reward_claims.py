"""The rewards for claims and action units: what each text earns, and that being vague never pays."""

from __future__ import annotations

from itertools import combinations

import pytest
from paid import ALL_AUS, BARE, MEASURED, REST, SAD, make_face, think, value, worth

from emollm.claims import read_claims
from emollm.records import AU, Face, Sample
from emollm.train.rewards import REWARDS

VAGUE = (
    "The forehead is wrinkled.",
    "The mouth is open.",
    "The eyes are squinted.",
    "A sneer.",
    "The eyebrows are raised.",
    "The lips are tight.",
    "The lip corners are pulled back.",
    "Orbicularis oculi.",
)
"""Phrases that may mean several AUs."""


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("AU1C, AU4C and AU15C.", 1.0),
        ("AU1C and AU4C.", 2 / 3),
        ("AU1C.", 1 / 3),
        ("AU1C. " * 10, 1 / 3),
        ("AU1C and AU12.", 1 / 5),  # 1 / (3 + 2)
        ("AU1C, AU4C, AU15C and AU12.", 3 / 5),
        ("AU1C, AU4C, AU15C and AU12, a smile, with the lip corners up.", 3 / 5),  # one false thing in three ways
        ("AU1C, AU4C and AU15C. No AU12, no AU6, no AU9.", 1.0),
        ("No AU12, no AU6, no AU9.", 0.0),
        ("AU1C and AU12. " + "".join(f"No AU{number}. " for number in (2, 5, 6, 7, 9, 10, 14)), 1 / 5),
        ("AU1C, but no AU4.", 1 / 5),
        ("AU1C, AU4C and AU15C, and no AU4.", 3 / 5),
        ("Perhaps AU1C and AU12.", 1 / 5),
        ("If AU1 and AU4 were there, AU15 would be expected.", 0.0),
        (ALL_AUS, 0.8 * 3 / (3 + 2 * 13)),
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
        ("AU1.", 0.8),
        ("AU1C.", 1.0),
        ("The inner brows are markedly raised.", 1.0),  # C or D; the likelier is right
        ("The inner brows are strongly raised.", 0.8),  # D, the next letter, is not false
        ("AU1E.", 0.0),
        ("AU1C, strong raising of the inner brows.", 0.8),  # not all that is said is right
        ("AU1A, AU1B, AU1C, AU1D, AU1E.", 0.0),
    ],
)
def test_a_right_strength_is_paid_and_with_a_false_one_nothing_is(told: str, expected: float) -> None:
    others = "AU4C and AU15C. "
    assert worth("claims", others + told) == round((2 + expected) / 3, 4)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("AU12C on the left.", 1.0),
        ("AU12C.", 0.9),
        ("AU12 on the left.", 0.9),
        ("AU12.", 0.8),
        ("AU12C on the right.", 0.0),
        ("The left lip corner is markedly raised, the right lip corner is markedly raised.", 0.0),
    ],
)
def test_a_right_side_is_paid_where_there_is_one(told: str, expected: float) -> None:
    au = AU(value=3.0, kind="intensity", left=3.0, right=0.0)
    assert worth("claims", told, Sample(id="1", faces=[Face(aus={"AU12": au})])) == expected
    even = AU(value=3.0, kind="intensity", left=3.0, right=3.0)
    assert worth("claims", "AU12C on the left.", Sample(id="1", faces=[Face(aus={"AU12": even})])) == 1.0


def test_where_no_strength_was_measured_none_is_missed() -> None:
    sample = Sample(id="1", faces=[Face(aus={"AU12": AU(value=1.0, kind="presence")})])
    assert [worth("claims", told, sample) for told in ("AU12.", "AU12A.")] == [1.0, 1.0]


@pytest.mark.parametrize("phrase", VAGUE)
@pytest.mark.parametrize("name", ["claims", "au_f1", "au_f1_legacy"])
def test_a_vague_phrase_never_earns_more_than_the_right_one(phrase: str, name: str) -> None:
    """On any face: of the AUs it may mean, none is told with it that its likeliest reading would not tell."""
    readings = read_claims(phrase)[0].aus
    for present in (there for size in range(1, len(readings) + 1) for there in combinations(readings, size)):
        aus = {code: AU(value=3.0 if code in present else 0.0, kind="intensity") for code in readings}
        sample = Sample(id="1", faces=[Face(aus=aus)])
        vague, *right = (worth(name, text, sample) for text in (phrase, *(f"{code}." for code in present)))
        assert vague <= max(right)
        if readings[0] not in present:
            assert vague == REWARDS[name].low


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("The face is at rest.", 1.0),
        ("No action unit is active.", 1.0),
        ("All muscles of the face are relaxed.", 1.0),
        ("Every scored facial muscle action stays below the visible level.", 1.0),
        ("The brows are relaxed, the eyes are neutral, and the mouth is closed.", 1.0),
        ("No AU12, no AU4, no AU7.", 1.0),
        ("No AU1. No AU2. No AU4.", 1 / 3),  # all of the brows
        ("No AU12. No smile. No AU12.", 1 / 3),
        ("The face is at rest, but there is AU6.", 3 / 5),
        ("No AU12, no AU4, no AU7, but AU6.", 3 / 5),
        ("AU12.", 0.0),
        ("Nothing stands out.", 0.0),
    ],
)
def test_a_face_at_rest_is_told_in_three_regions_or_as_a_whole(told: str, expected: float) -> None:
    assert worth("claims", told, REST) == round(expected, 4)


@pytest.mark.parametrize("measured", [("AU12",), ("AU12", "AU04"), ("AU01", "AU02", "AU04"), ("AU17", "AU25", "AU04")])
def test_where_little_was_measured_little_is_the_whole(measured: tuple[str, ...]) -> None:
    sample = Sample(id="1", faces=[Face(aus={code: AU(value=0.0, kind="intensity") for code in measured})])
    denials = " ".join(f"No {code}." for code in measured)
    assert [worth("claims", told, sample) for told in ("The face is at rest.", denials, "")] == [1.0, 1.0, 0.0]


def test_what_is_just_below_the_threshold_may_be_denied() -> None:
    face = make_face()
    assert face.aus is not None
    face.aus["AU25"] = AU(value=0.8, kind="intensity")
    assert worth("claims", "The face is at rest.", Sample(id="1", faces=[face])) == 1.0


def test_denials_never_beat_what_is_told_of_a_face_that_moves() -> None:
    """Nor does a denial besides: it is worth nothing where something moves, and a false one costs."""
    true, every = (" ".join(f"No AU{number}." for number in numbers) for numbers in ((2, 7, 9, 12, 20, 26), MEASURED))
    games = ("The face is at rest.", true, every, "The brows are at rest. The mouth is at rest. The eyes are at rest.")
    assert [worth("claims", game) for game in games] == [0.0] * 4
    assert worth("claims", "AU4.") == worth("claims", f"AU4. {true}") > 0


def test_what_is_hidden_or_just_below_the_threshold_is_neither_paid_nor_charged() -> None:
    face = make_face(1, 4, 15)
    face.hidden = ["mouth"]
    assert face.aus is not None
    face.aus["AU02"] = AU(value=0.8, kind="intensity")
    sample = Sample(id="1", faces=[face])
    assert worth("claims", "AU1C, AU4C, AU2, AU12 and AU15.", sample) == 1.0


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
