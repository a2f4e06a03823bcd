"""Files of features: read in every common form, and refused with file, line and column."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.sources.features import read_features
from emollm.errors import SourceError


def written(folder: Path, text: str | bytes, name: str = "voices.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("voices.csv", "file,Sarcasm,pitch\na.mp4,0.41,rising at the end\nb.mp4,,low\n"),
        ("voices.csv", "\ufeffVideo_Name;Sarcasm;pitch\r\nclips\\a.wav; 0.41;rising at the end\r\nb;nan;low\r\n"),
        ("voices.tsv", "Sarcasm\tid\tpitch\n4.1e-1\ta\trising at the end\n\tb\tlow\n"),
        ("voices.csv", ",name,Sarcasm,pitch\n0,a,0.41,rising at the end\n1,b,NaN,low\n2,d,,\n"),
        (
            "voices.jsonl",
            '{"id": "a", "Sarcasm": 0.41, "pitch": "rising at the end"}\n{"id": "b", "Sarcasm": null, "pitch": "low"}',
        ),
        (
            "voices.json",
            '[{"pitch": "rising at the end", "name": "x/a.mp4", "Sarcasm": "0.41"}, {"name": "b", "pitch": " low "}]',
        ),
    ],
    ids=["CSV", "BOM and semicolons", "tabs", "pandas", "JSON Lines", "JSON"],
)
def test_features_are_read_in_every_common_form(tmp_path: Path, name: str, text: str) -> None:
    features = read_features(written(tmp_path, text, name))
    assert features.find("a") == {"Sarcasm": 0.41, "pitch": "rising at the end"}
    assert (features.find("b.mp4"), features.find("c"), features.find("d")) == ({"pitch": "low"}, None, None)
    assert features.unmatched == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name,energy,pitch\na,0.5,low\nb,0.5,187.4\n", "voices.csv:3:pitch: 187.4 is outside 0 to 1; write a number"),
        ("name,pitch\na,-0.01\n", ":2:pitch: -0.01 is outside 0 to 1"),
        ("name,pitch\na,inf\n", ":2:pitch: inf is outside 0 to 1"),
        ("who,pitch\na,0.4\n", "no column that names the clips (seen: who, pitch); it takes one of id|name|clip"),
        ("name,label\na,sad\n", "no column of a feature (seen: name, label)"),
        ("name,pitch,pitch\na,0.4,0.5\n", "two columns are called 'pitch'"),
        ("name,pitch\na,0.4,0.5\n", ":2: has 3 cells, and the header 2"),
        ("name,pitch\n,0.4\n", ":2: the features have no name of a clip"),
        ("name,pitch\na,0.4\n\na,0.6\n", "voices.csv:4: 'a' was told otherwise at "),
        ("", "is empty"),
    ],
)
def test_a_wrong_table_says_where_and_what(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SourceError) as error:
        read_features(written(tmp_path, text))
    assert says in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[{"name": "a", "pitch": 0.4}, {"name": "b", "pitch": 4}]', "object 2:pitch: 4 is outside 0 to 1"),
        ('[{"name": "a", "pitch": true}]', "object 1:pitch: 'True' is no feature"),
        ('[{"name": "a", "prosody": {"pitch": 0.4}}]', "object 1:prosody: '{'pitch': 0.4}' is no feature"),
        ('{"a": {"pitch": 0.4}}', "no column that names the clips (seen: a)"),
        ("[1, 2]", "no column that names the clips (seen: no objects)"),
        ('[{"name": "a"', "is not JSON"),
    ],
)
def test_a_wrong_json_file_says_where_and_what(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SourceError) as error:
        read_features(written(tmp_path, text, "voices.json"))
    assert says in str(error.value)


def test_a_row_that_is_there_twice_and_says_the_same_is_one(tmp_path: Path) -> None:
    features = read_features(written(tmp_path, "name,pitch\na,0.4\na,0.4\n"))
    assert features.find("a") == {"pitch": 0.4}


def test_a_column_of_labels_is_no_feature_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    features = read_features(written(tmp_path, "id,file,Emotion,pitch\n1,a.mp4,sad,0.4\n"))
    assert features.find("1") == {"pitch": 0.4}
    assert "'Emotion' is a label and no feature; it is left out" in capsys.readouterr().err


@given(
    st.binary(max_size=60) | st.text('id,pitch;\t\n" 01.nae{}[]:', max_size=60).map(str.encode),
    st.sampled_from(["voices.csv", "voices.json", "voices.jsonl"]),
)
def test_no_file_raises_anything_but_a_clear_error(text: bytes, name: str) -> None:
    with TemporaryDirectory() as folder, suppress(SourceError):
        read_features(written(Path(folder), text, name))
