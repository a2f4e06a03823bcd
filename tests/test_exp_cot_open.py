import pytest

from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.rules import teach
from emollm.labels import find_labels
from emollm.records import AU, Face, Sample

MEASURED = ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15", "AU17", "AU25")
HAPPY = {"AU06": 1.8, "AU12": 3.2}


def measured(present: dict[str, float]) -> Face:
    return Face(aus={code: AU(value=present.get(code, 0.0), kind="intensity") for code in MEASURED})


def conclusion_of(one: Face, name: str = "s", **given: object) -> Draft:
    draft = teach(Sample(id=name, faces=[one], **given), Options())
    assert draft.reasoning is not None, draft.detail
    return draft


@pytest.mark.parametrize("present", [{}, HAPPY, {"AU14": 2.0}, {"AU09": 3.0, "AU10": 3.0}])
@pytest.mark.parametrize("word", ["schadenfreude", "slightly happy", "awed", "紧张", "can't cope"])
def test_word_of_the_open_vocabulary_is_what_the_conclusion_names(present: dict[str, float], word: str) -> None:
    for number in range(12):
        draft = conclusion_of(measured(present), f"o{number}", label_set="open", label=word)
        assert (draft.label, draft.labels) == (word, (word,))
        assert word in draft.reasoning.conclusion
        others = {label for label, *_ in find_labels(draft.reasoning.conclusion.replace(word, ""), "open")}
        assert others == set()


def test_every_word_of_a_list_is_named_and_no_label_is_made_of_it() -> None:
    words = ("happy", "joy", "proud", "relieved")
    for number in range(12):
        draft = conclusion_of(measured(HAPPY), f"l{number}", labels=list(words))
        assert (draft.label, draft.label_set) == (None, "open")
        assert draft.labels == ("happiness", "proud", "relieved")
        assert "happiness and the descriptions 'proud' and 'relieved'" in draft.reasoning.conclusion


def test_label_goes_before_a_list() -> None:
    draft = conclusion_of(measured(HAPPY), label_set="basic7", label="happy", labels=["joyful", "proud"])
    assert (draft.label, draft.labels) == ("happiness", ("happiness",))


def test_list_agrees_when_one_of_its_words_fits() -> None:
    draft = conclusion_of(measured(HAPPY), label_set="basic7", labels=["sadness", "happiness"])
    assert (draft.case, draft.provenance["agree"], draft.provenance["label_seen"]) == ("one", True, True)
    assert "sadness" in draft.reasoning.interpretation


def test_word_that_no_codebook_describes_is_neither_shown_nor_contradicted() -> None:
    draft = conclusion_of(measured(HAPPY), label_set="open", label="schadenfreude")
    assert (draft.case, draft.provenance["agree"], draft.provenance["fits"]) == ("apart", None, "happiness")


def test_empty_list_gets_no_invented_label() -> None:
    assert teach(Sample(id="e", faces=[measured(HAPPY)], labels=[]), Options()).reason == "no_label"


def test_word_of_a_list_that_is_not_in_its_closed_set_is_refused() -> None:
    draft = teach(Sample(id="e", faces=[measured(HAPPY)], label_set="basic7", labels=["joy", "proud"]), Options())
    assert (draft.reason, draft.detail) == ("unknown_label", "'proud' is not in basic7")
