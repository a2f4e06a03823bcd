"""Games: no text that only games the rewards is paid like gold, and none gets less than nothing."""

from __future__ import annotations

from random import Random
from statistics import fmean

import pytest
from paid import ALL_AUS, GOLD, LABELS, LEGACY, LISTED, MEASURED, SAD, TABLE, listen, make_face, think, value, worth

from data_engine.exp_cot.draft import Options
from data_engine.exp_cot.rules import teach
from emollm.answers import render
from emollm.facs import PROTOTYPES
from emollm.prompts import ask
from emollm.records import AU, Face, Sample
from emollm.train.rewards import DEFAULTS, REWARDS, hear, total

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
    "vague": think("The forehead is wrinkled. The mouth is open. The eyes are squinted. A sneer."),
    "one sentence": think("This fits sadness."),
    "denied, with the label": think("There is no AU12. There is no AU9. There is no AU26. This fits sadness."),
    "all AUs, markedly": think(" ".join(f"There is marked AU{number}." for number in MEASURED)),
    "another face": think("The cheeks are raised and the lip corners pulled up, a smile of happiness.", "happiness"),
}

NEVER_LOOKED: dict[str, str] = {
    "vague": "The forehead is wrinkled. The mouth is open. The eyes are squinted. A sneer.",
    "precise": "The brows are lowered. The lips are parted. The lids are tightened. The upper lip is raised.",
    "vague, and markedly so": "The forehead is markedly wrinkled, the mouth is clearly open. A marked sneer.",
    "all": ALL_AUS,
}
"""What could be said of any face."""

EMPTY_IS_LOWEST = [name for name in REWARDS if name not in LEGACY]
OFTEN_WHOLE = ("alignment", "dual", "think_step_lexicon")
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


def test_explanations_of_any_face_earn_all_of_the_defaults() -> None:
    """Also where the action units speak for another emotion than the label, for none, or where few were measured."""
    rng = Random(0)
    for number in range(120):
        label = rng.choice(LABELS)
        measured = rng.sample(MEASURED, rng.randint(1, len(MEASURED)))
        present = [] if label == "neutral" else rng.sample(measured, rng.randint(0, min(4, len(measured))))
        aus = {f"AU{au:02d}": AU(value=float(au in present) * rng.randint(1, 5), kind="intensity") for au in measured}
        sample = Sample(id=str(number), label=label, label_set="basic7", faces=[Face(aus=aus)])
        reasoning = teach(sample, Options()).reasoning
        assert reasoning is not None
        for style in ("think", "sections"):
            heard = hear(sample, render(style, label, reasoning), style=style)
            assert {name: REWARDS[name](heard) for name in DEFAULTS} == pytest.approx(dict.fromkeys(DEFAULTS, 1.0))


@pytest.mark.parametrize("game", NEVER_LOOKED)
def test_a_text_that_never_looked_earns_less_than_one_that_saw_most(game: str) -> None:
    """Over faces of every emotion, against one that names two thirds of the AUs, and one that is not there."""
    constant, honest = [], []
    for label in LABELS[1:]:
        one = PROTOTYPES[label][0]
        present = sorted({int(code[2:]) for code in (*one.required, *map(min, one.one_of))} & set(MEASURED))
        absent = next(number for number in MEASURED if number not in present)
        sample = Sample(id=label, faces=[make_face(*present)])
        seen = ", ".join(f"AU{number}" for number in [*present[: max(1, len(present) * 2 // 3)], absent])
        for paid, text in ((constant, NEVER_LOOKED[game]), (honest, f"{seen}.")):
            paid.append((worth("claims", text, sample), worth("au_f1", text, sample)))
    for column in (0, 1):
        assert fmean(row[column] for row in constant) < 0.8 * fmean(row[column] for row in honest)
