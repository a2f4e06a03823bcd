"""Label files: read in every common form, matched to clips by name, and refused with where and what."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.sources.joining import stem_of
from data_engine.sources.labels import read_label, read_labels
from emollm.errors import SourceError


def written(folder: Path, text: str | bytes, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "name,label\na.mp4,happy\nb.mp4,sad\n",
        "\ufeffvideo_name;emotion\r\na.mp4;happy\r\nb.mp4;sad\r\n",
        "a.mp4 happy\nb.mp4 sad\n",
        "a.mp4\thappy\nb.mp4\tsad\n",
        "a 125 happy -10\nb 98 sad -3\n",
        "id,extra,Emotion\ntrain/a.mp4,1,happy\ntest/b.mp4,2,sad\n",
    ],
    ids=["header", "BOM and semicolon", "RAF-DB", "tabs", "MERR", "folders"],
)
def test_label_files_are_read_in_every_common_form(tmp_path: Path, text: str) -> None:
    labels = read_labels(written(tmp_path, text), "basic7")
    assert (labels.find("a"), labels.find("b"), labels.find("c")) == ("happy", "sad", None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("who,what\na,b\n", "no columns of names and labels (seen: who, what)"),
        ("name,label\na,happy\na,sad\n", ":3: 'a' is labelled 'happy' and 'sad'"),
        ("name,label\na\n", ":2: has 1 cells"),
        ("name,label\n\n\na\n", ":4: has 1 cells"),
        ("name,label\n,happy\n", ":2: the label 'happy' has no name"),
        (gzip.compress(b"name,label\na,happy\n", mtime=0), "is packed; unpack it first (gunzip labels.csv)"),
    ],
)
def test_a_wrong_label_file_says_where_and_what(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(SourceError) as error:
        read_labels(written(tmp_path, text), "basic7")
    assert says in str(error.value)


@given(
    st.binary(max_size=60) | st.text('name,label;\t\n" 12ab{}[]:', max_size=60).map(str.encode),
    st.sampled_from(["labels.csv", "labels.json", "labels.jsonl"]),
)
def test_no_label_file_raises_anything_but_a_clear_error(text: bytes, name: str) -> None:
    with TemporaryDirectory() as folder, suppress(SourceError):
        read_labels(written(Path(folder), text, name), "basic7")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.json", '[{"name": "a.mp4", "label": "happy"}, {"name": "b.mp4", "label": "sad"}]'),
        ("labels.json", '{"a.mp4": "happy", "b.mp4": "sad", "c.mp4": null}'),
        ("labels.json", '{"name": "a", "label": "happy"}'),
        ("labels.jsonl", '{"Video": "x/a.mp4", "Emotion": "happy"}\n\n{"Video": "b", "Emotion": "sad", "n": 1}\n'),
    ],
    ids=["list of objects", "one object of names", "one object", "JSON Lines"],
)
def test_label_files_may_be_json(tmp_path: Path, name: str, text: str) -> None:
    labels = read_labels(written(tmp_path, text, name), "basic7")
    assert (labels.find("a"), labels.find("b"), labels.find("c")) == ("happy", "sad" if "sad" in text else None, None)


def test_numbers_of_a_json_label_file_are_labels(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, '[{"id": 7, "label": 4}]', "labels.json"), "rafdb7")
    assert labels.find("7") == "4"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[{"who": "a", "what": "happy"}]', 'no names and labels (seen: who, what); write a list of {"name"'),
        ("[1, 2]", "no names and labels (seen: list)"),
        ('{"a": {"label": "happy"}}', "no names and labels (seen: a)"),
        ('[{"name": "a", "label": ["happy", "sad"]}]', "object 1: '['happy', 'sad']' is no single name or label"),
        ('[{"name": "b", "label": "sad"}, {"label": "sad"}]', "object 2: the label 'sad' has no name"),
        ('[{"name": "a", "label": "sad"}, {"name": "a", "label": "fear"}]', "object 2: 'a' is labelled 'sad' and"),
        ('[{"name": "a"', "is not JSON"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_a_wrong_json_label_file_says_where_and_what(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SourceError) as error:
        read_labels(written(tmp_path, text, "labels.json"), "basic7")
    assert says in str(error.value)


def test_a_torn_line_of_json_lines_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"labels\.jsonl:2: is not JSON"):
        read_labels(written(tmp_path, '{"name": "a", "label": "sad"}\n{"name": "b', "labels.jsonl"), "basic7")


def test_an_empty_label_is_no_label(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, "name,label\na,\nb,sad\nc, \n"), "basic7")
    assert (labels.find("a"), labels.find("b"), labels.unmatched) == (None, "sad", [])


def test_a_stem_that_two_names_share_decides_nothing(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, "name,label\ntrain/1.jpg,happy\ntest/1.jpg,sad\n"), None)
    assert (labels.find("1"), labels.find("test/1.jpg"), labels.unmatched) == (None, "sad", ["train/1.jpg"])


def test_rafdb_names_its_aligned_faces_after_the_listed_pictures(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, "train_00001.jpg 5\n"), "rafdb7")
    assert labels.find("train_00001_aligned.jpg") == "5"


@pytest.mark.parametrize(
    ("word", "label_set", "label"),
    [
        ("Happy", "basic7", "happiness"),
        ("4", "rafdb7", "happiness"),
        ("4.0", "rafdb7", "happiness"),
        ("03", "ravdess8", "happiness"),
        ("高兴", None, "happiness"),
        ("Bored", None, "bored"),
    ],
)
def test_words_and_numbers_become_labels(word: str, label_set: str | None, label: str) -> None:
    assert read_label(word, label_set) == label


@pytest.mark.parametrize("word", ["happines", "9", "unhappy", ""])
def test_a_word_outside_the_set_is_refused_with_the_labels(word: str) -> None:
    with pytest.raises(SourceError, match=r"is not in basic7.*labels are neutral, happiness"):
        read_label(word, "basic7")


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a/b/001.MP4", "001"), ("C:\\x\\001.jpg", "001"), ("take.2", "take.2"), (".mp4", ".mp4"), ("", "")],
)
def test_a_stem_loses_folder_and_media_suffix_alone(name: str, stem: str) -> None:
    assert stem_of(name) == stem
