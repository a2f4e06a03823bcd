"""Label sets, their synonyms, and finding labels in a text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emollm.labels import COMPOUND_PARTS, FORMS, LABEL_SETS, canonical, find_labels

DATA = Path(__file__).parent / "data" / "labels"
CANONICAL = json.loads((DATA / "canonical.json").read_text("utf-8"))
FIND = json.loads((DATA / "find.json").read_text("utf-8"))
SET_NAMES = st.sampled_from([None, *LABEL_SETS])


@pytest.mark.parametrize(("word", "label_set", "label"), CANONICAL, ids=lambda value: repr(value))
def test_canonical(word: str, label_set: str | None, label: str | None) -> None:
    assert canonical(word, label_set) == label


@pytest.mark.parametrize("case", FIND, ids=lambda case: case["case"])
def test_find_labels(case: dict[str, object]) -> None:
    text, label_set = str(case["text"]), case["set"]
    assert label_set is None or isinstance(label_set, str)
    found = [[label, text[start:end]] for label, start, end in find_labels(text, label_set)]
    assert found == case["found"]


@pytest.mark.parametrize("name", LABEL_SETS)
def test_every_label_of_a_set_means_itself_and_is_found_in_text(name: str) -> None:
    for label in LABEL_SETS[name].labels:
        assert canonical(label, name) == label
        assert find_labels(f"It is {label}.", name) == [(label, 6, 6 + len(label))]


@pytest.mark.parametrize("name", LABEL_SETS)
def test_every_alias_leads_into_its_set(name: str) -> None:
    labels = LABEL_SETS[name].labels
    for form, label in LABEL_SETS[name].aliases.items():
        assert canonical(form.upper(), name) == label
        assert not labels or label in labels


def test_no_form_means_two_emotions() -> None:
    forms = [form for word, others in FORMS.items() for form in (word, *others)]
    assert sorted(forms) == sorted(set(forms))


@pytest.mark.parametrize(
    ("name", "index", "label"),
    [
        ("rafdb7", 1, "surprise"),
        ("rafdb7", 7, "neutral"),
        ("rafdb7", 0, None),
        ("rafdb7", 8, None),
        ("dfew7", 3, "neutral"),
        ("affectnet8", 7, "contempt"),
        ("ravdess8", 2, "calm"),
        ("cexpr7", 7, "other"),
        ("rafdb_compound11", 11, "disgustedly surprised"),
        ("mer6", -1, None),
        ("basic7", 0, None),
    ],
)
def test_a_number_of_the_data_set_gives_its_label(name: str, index: int, label: str | None) -> None:
    assert LABEL_SETS[name].at(index) == label


@pytest.mark.parametrize(
    ("name", "count"),
    [("basic7", 7), ("basic8", 8), ("merr9", 9), ("mafw11", 11), ("rafdb_compound11", 11), ("du22", 22)],
)
def test_sets_have_as_many_labels_as_their_name_says(name: str, count: int) -> None:
    assert len(set(LABEL_SETS[name].labels)) == count


def test_an_unknown_set_is_an_error() -> None:
    with pytest.raises(KeyError):
        canonical("happy", "basic77")


def test_a_whole_text_is_no_label_even_in_the_open_set() -> None:
    assert canonical("wistful " * 20, "open") is None


@pytest.mark.parametrize("name", COMPOUND_PARTS)
def test_a_compound_is_read_in_either_order(name: str) -> None:
    adverb, second = name.split()
    assert canonical(f"{second} {adverb}") == name
    assert canonical(" & ".join(sorted(COMPOUND_PARTS[name]))) == name


@given(st.text(max_size=120), SET_NAMES)
def test_canonical_takes_any_text_and_stays_in_the_set(text: str, name: str | None) -> None:
    label = canonical(text, name)
    assert label is None or name in (None, "open") or label in LABEL_SETS[name].labels


@given(st.sampled_from([form for forms in FORMS.values() for form in forms]), SET_NAMES)
def test_canonical_of_a_label_is_that_label(form: str, name: str | None) -> None:
    label = canonical(form, name)
    assert label is None or canonical(label, name) == label


@given(
    st.lists(st.sampled_from(["sad", "happily", "surprised", "un", "non-", "怒", "生气", "不", " ", "_", "+", "x"])),
    SET_NAMES,
)
def test_found_spans_are_in_order_and_mean_their_label(parts: list[str], name: str | None) -> None:
    text, last = "".join(parts), 0
    for label, start, end in find_labels(text, name):
        assert last <= start < end <= len(text)
        assert canonical(text[start:end], name) == label
        last = end
