"""The corrected comparison of open labels: what the published rule gets wrong, what ours makes of it; the lexicon."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emollm.labels import FORMS, canonical
from emollm.wheel import LEVEL1, VARIANTS, WHEELS, Overlap, Shares, Wheels, lexicon, read_wheels, sample_f1, score_lists
from emollm.wheel.lexicon import PATH, synonym_groups

MAPPING = Path(__file__).parents[2] / "shared" / "data" / "eval" / "wheel_mapping_2025.json"
published = pytest.mark.skipif(not MAPPING.exists(), reason="no published tables beside the checkout")

FORMS_OF = {
    "curious": ["curious"],
    "joyful": ["joy"],
    "stunned": ["stunned"],
    "torn": ["hesitant", "torn"],
    "disgusted": ["disgust"],
    "disgust": ["disgust"],
}
SYNONYMS = {
    "curious": ["interested", "wondering", "eager"],
    "joy": ["eager"],
    "stunned": ["wondering"],
    "hesitant": ["wary"],
    "torn": ["wary", "eager"],
    "disgust": ["revolted"],
}
LEVEL = {"eager": "happy", "interested": "happy", "wondering": "surprised", "wary": "scared"}
TABLES = Wheels(FORMS_OF, SYNONYMS, {wheel: {"level1": LEVEL, "level2": LEVEL} for wheel in WHEELS})
SHARES = Shares(TABLES)
WHEEL1 = LEVEL1[0]


@pytest.mark.parametrize(
    ("word", "variant", "expected"),
    [
        ("curious", WHEEL1, {"happy": "2/3", "surprised": "1/3"}),
        ("Torn", WHEEL1, {"scared": "1/2", "happy": "1/2"}),  # wary and eager; that two labels mean wary is one word
        ("torn", "case1", {"hesitant": "1/2", "torn": "1/2"}),
        ("torn", "case2", {"wary": "1/2", "eager": "1/2"}),
        ("disgusted", WHEEL1, {"=disgust": 1}),  # on no wheel: its base label
        ("Neutrality", WHEEL1, {"neutral": 1}),
        ("deep_in thought", "case1", {"deep in thought": 1}),
    ],
)
def test_what_a_word_counts_as(word: str, variant: str, expected: dict[str, Any]) -> None:
    assert SHARES.of(word, variant) == {name: Fraction(part) for name, part in expected.items()}


def test_ties_are_broken_by_the_alphabet_there_and_shared_here() -> None:
    """One synonym more in a table turns the published score over; ours moves by its share."""
    more = Wheels(FORMS_OF, SYNONYMS | {"curious": ["agog", *SYNONYMS["curious"]]},
                  {wheel: {"level1": LEVEL | {"agog": "surprised"}, "level2": LEVEL} for wheel in WHEELS})  # fmt: skip
    assert [sample_f1(["curious"], ["joyful"], tables) for tables in (TABLES, more)] == [1.0, 0.0]
    assert [sample_f1(["curious"], ["joyful"], Shares(tables)) for tables in (TABLES, more)] == [
        pytest.approx(2 / 3),
        pytest.approx(1 / 2),
    ]


def test_neutral_is_dropped_there_and_counts_here() -> None:
    assert sample_f1(["neutral"], ["neutral"], TABLES) is None
    assert sample_f1(["no emotion"], ["neutral"], SHARES) == 1.0
    assert sample_f1(["joyful"], ["neutral"], SHARES) == 0.0
    assert sample_f1(["joyful", "neutral"], ["joyful"], TABLES) == 1.0
    assert sample_f1(["joyful", "neutral"], ["joyful"], SHARES) == pytest.approx(2 / 3)


def test_unknown_words_are_free_there_and_cost_precision_here() -> None:
    many = ["joyful", *(f"word {number}" for number in range(9))]
    assert score_lists([(many, ["joyful"])], TABLES)[WHEEL1].precision == 1.0
    assert score_lists([(many, ["joyful"])], SHARES)[WHEEL1].precision == 0.1
    assert score_lists([(many, ["joyful"])], SHARES)[WHEEL1].recall == 1.0


def test_what_a_wheel_lacks_is_left_out_there_and_compared_by_its_base_label_here() -> None:
    assert score_lists([(["disgusted"], ["disgust"])], TABLES)[WHEEL1].num == 0
    assert score_lists([(["disgusted"], ["disgust"])], SHARES)[WHEEL1].f == 1.0
    assert score_lists([(["joyful"], ["disgust"])], SHARES)[WHEEL1].f == 0.0


def test_naming_everything_does_not_pay() -> None:
    gold = ["stunned"]
    everything = [*FORMS_OF, "neutral", "hopeful"]
    assert sample_f1(everything, gold, SHARES) < sample_f1(["stunned"], gold, SHARES) == 1.0


def plain_overlap(first: list[str], second: list[str], variant: str, shares: Shares) -> Overlap:
    """The fuzzy sets as they are told: the largest part of any word, sums, and the smaller part of two."""

    def fuzzy(labels: list[str]) -> dict[str, Fraction]:
        parts: dict[str, Fraction] = {}
        for word in shares.words(labels):
            for name, part in shares.of(word, variant).items():
                parts[name] = max(part, parts.get(name, Fraction(0)))
        return parts

    one, other = fuzzy(first), fuzzy(second)
    both = sum((min(one[name], other[name]) for name in one.keys() & other.keys()), Fraction(0))
    return Overlap(float(both), float(sum(one.values())), float(sum(other.values())))


@published
def test_the_traps_of_the_published_tables() -> None:
    """There, contempt is on one wheel and disgust on three, and a word of several wheel words is one of them."""
    wheels = read_wheels(MAPPING)
    shares = Shares(wheels)
    known = {
        word: [wheels.category(word, variant) is not None for variant in LEVEL1] for word in ("contempt", "disgust")
    }
    assert known == {"contempt": [0, 1, 0, 0, 0], "disgust": [1, 1, 0, 1, 0]}
    for word in ("contempt", "disgust", "neutral"):
        assert [score.f for score in score_lists([([word], [word])], shares).values()] == [1.0] * len(VARIANTS)
    tied = [form for form in wheels.forms if len(shares.of(form, WHEEL1)) > 1 and wheels.category(form, WHEEL1)]
    assert len(tied) > 500  # of 7,386 forms
    assert all(wheels.category(form, WHEEL1) in shares.of(form, WHEEL1) for form in tied)


words = st.lists(
    st.sampled_from([*FORMS_OF, "neutral", "中性", "joy/stunned", "Torn ", "happy as a clam", ""]), max_size=6
)


@given(words, words)
def test_overlaps_equal_a_plain_reckoning(first: list[str], second: list[str]) -> None:
    found = dict(zip(VARIANTS, SHARES.overlaps(first, second, VARIANTS), strict=True))
    for variant in VARIANTS:
        assert found[variant] == pytest.approx(plain_overlap(first, second, variant, SHARES), abs=1e-12)
    assert list(SHARES.overlaps(first[::-1], second, VARIANTS)) == list(found.values())


single = st.lists(st.sampled_from(["joyful", "stunned"]), max_size=4)


@given(single, single)
def test_without_ties_and_unknown_words_both_rules_are_one(first: list[str], second: list[str]) -> None:
    assert list(SHARES.overlaps(first, second, VARIANTS)) == list(TABLES.overlaps(first, second, VARIANTS))


def test_every_word_of_the_lexicon_is_in_one_group() -> None:
    groups = synonym_groups()
    assert max(Counter(word for group in groups for word in group).values()) == 1
    assert all(word == " ".join(word.lower().split()) for group in groups for word in group)
    assert all(group[0] == name for members in json.loads(PATH.read_text(encoding="utf-8"))["families"].values()
               for name, group in members.items())  # fmt: skip


@pytest.mark.parametrize("label", [label for label in FORMS if label not in ("other", "no ambivalence")])
def test_the_forms_of_a_label_are_of_one_family(label: str) -> None:
    families = {lexicon().category(word, WHEEL1) for word in (label, *FORMS[label])}
    assert len(families) == 1
    assert None not in families


def test_the_lexicon_has_one_wheel_on_which_neutral_is() -> None:
    wheels = lexicon()
    assert wheels.variants == ("case1", "case2", WHEEL1, "case3_wheel1_level2")
    assert sample_f1(["neutral"], ["expressionless"], wheels) == 1.0
    assert sample_f1(["Furious", "tearful"], ["irritated", "happy"], wheels) == 0.5
    assert [overlap.num_first for overlap in Shares(wheels).overlaps(["happy"], ["sad"], LEVEL1)] == [1, 0, 0, 0, 0]
    assert canonical("neutral") == wheels.category("无表情", WHEEL1)
