from __future__ import annotations

import pytest

from emollm import prompts
from emollm.answers import STYLES
from emollm.errors import ConfigError
from emollm.labels import LABEL_SETS
from emollm.prompts import FORMATS, ask, measured_aus, num_variants, prompt_hash, wordings
from emollm.records import AU, Face, MediaKind


@pytest.mark.parametrize("style", STYLES)
def test_every_style_has_wordings_that_differ_and_name_the_choices(style: str) -> None:
    asked = [ask(style, "basic7", variant) for variant in range(num_variants(style))]
    assert len(set(asked)) == num_variants(style) > 1
    names_choices = [", ".join(LABEL_SETS["basic7"].labels) in question for question in asked]
    assert set(names_choices) == {style != "observations"}


def test_variants_count_round_the_pool() -> None:
    assert ask("label", "basic7", num_variants("label")) == ask("label", "basic7", 0)


def test_the_question_says_which_form_the_answer_has() -> None:
    assert "**Key Observations**" in ask("sections")
    assert "<answer></answer>" in ask("think")


def test_open_vocabulary_offers_no_choices() -> None:
    assert "Choose from" not in ask("labels", "open")


def test_what_the_person_says_is_quoted() -> None:
    assert 'The person says: "I am fine."' in ask("sections", "basic7", text="I am fine.")


@pytest.mark.parametrize(
    ("style", "label_set", "message"),
    [("sectoins", None, "did you mean 'sections'"), ("label", "basic-7", "did you mean 'basic7'")],
)
def test_a_mistyped_name_is_refused_with_a_suggestion(style: str, label_set: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ask(style, label_set)


@pytest.mark.parametrize(
    "pool",
    [
        "LABEL",
        "EVIDENCE",
        "OBSERVE",
        "LABEL_OF_CLIPS",
        "EVIDENCE_OF_CLIPS",
        "OBSERVE_CLIPS",
        "EVIDENCE_UNSEEN",
        "OBSERVE_UNSEEN",
    ],
)
def test_the_hash_follows_the_wording(monkeypatch: pytest.MonkeyPatch, pool: str) -> None:
    before = prompt_hash()
    monkeypatch.setattr(prompts, pool, (*getattr(prompts, pool), "How does this face look?"))
    assert prompt_hash() != before


@pytest.mark.parametrize("style", FORMATS)
def test_clips_are_asked_about_in_as_many_words_of_their_own(style: str) -> None:
    of_clips, of_stills = wordings(style, "video"), wordings(style, "image")
    assert len(of_clips) == len(of_stills) == num_variants(style)
    assert not set(of_clips) & set(of_stills)
    assert ask(style, "basic7", 1, kind="video").startswith(of_clips[1])


@pytest.mark.parametrize("kind", ["image", "video"])
@pytest.mark.parametrize("style", FORMATS)
def test_chinese_answers_are_asked_for_in_chinese_and_bare_labels_are_not(style: str, kind: MediaKind) -> None:
    assert len(wordings(style, kind, "zh")) == num_variants(style)
    asked = ask(style, "basic7", 1, "好的。", kind, "zh")
    is_bare = style in ("label", "labels")
    assert ("Choose from: neutral" in asked) == is_bare
    assert ("此人说：“好的。”" in asked) == (not is_bare)
    assert asked == ask(style, "basic7", 1, "好的。", kind) or not is_bare
    if style == "sections":
        assert "请从以下标签中选择：neutral" in asked
        assert "**Key Observations**" in asked


@pytest.mark.parametrize("style", FORMATS)
def test_a_face_that_is_not_shown_is_asked_about_in_as_many_words(style: str) -> None:
    unseen = wordings(style, None)
    assert len(set(unseen)) == num_variants(style)
    assert not any(word in question for question in unseen for word in ("Look", "can you see", "picture"))
    question = ask(style, "basic7", 1, "I am fine.", None, measured="AU12 (lip corner puller, C)")
    assert question.startswith(f"Measured in a face that is not shown: AU12 (lip corner puller, C). {unseen[1]}")
    assert 'The person says: "I am fine."' in question


def test_measured_aus_are_told_in_their_own_kinds() -> None:
    aus = {
        "AU15": AU(value=0.2, kind="intensity"),
        "AU12": AU(value=3.0, kind="intensity", left=0.0, right=3.0),
        "AU04": AU(value=0.9, kind="probability"),
        "AU01": AU(value=1.0, kind="presence"),
    }
    told = "AU1 (inner brow raiser), AU4 (brow lowerer, likely), AU12 (lip corner puller, C, right); not there: AU15"
    assert measured_aus(Face(aus=aus)) == told
    assert measured_aus(Face(aus={"AU15": aus["AU15"]})) == "nothing moves; not there: AU15"
    assert measured_aus(Face(aus=aus, hidden=["mouth"])) == "AU1 (inner brow raiser), AU4 (brow lowerer, likely)"
    assert measured_aus(Face(aus={})) is None
