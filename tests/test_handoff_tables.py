"""Tables of VLMEvalKit: .xlsx, .tsv and .json."""

from __future__ import annotations

from pathlib import Path

import pytest
from handed import HEADER, LABELS, SAID, TWELVE, read, said, written

from emollm.errors import EmoLLMError
from emollm.records import Sample


@pytest.mark.parametrize("kind", ["xlsx", "tsv", "json"])
@pytest.mark.parametrize("has_ids", [True, False])
def test_vlmevalkit_by_id_and_by_index(kind: str, has_ids: bool, tmp_path: Path) -> None:
    rows: list[list[object]] = [[n + 1, "Which?\nChoose.", LABELS[n % 4], SAID[n % 4]] for n in range(12)]
    rows = [[*HEADER, "id"], *([*row, f"faces/{n}"] for n, row in enumerate(rows))] if has_ids else [HEADER, *rows]
    pairs = read(written(kind, tmp_path, rows), TWELVE)
    assert said(pairs) == SAID * 3
    assert pairs.predictions["faces/0"].model == "Qwen2.5-VL_Faces"


def test_the_index_may_be_the_id(tmp_path: Path) -> None:
    rows = [[f"faces/{n}", "", "", SAID[n]] for n in (3, 1, 2, 0)]
    assert said(read(written("tsv", tmp_path, [HEADER, *rows]))) == SAID


def test_whole_numbers_may_be_written_with_a_point(tmp_path: Path) -> None:
    """A column with an empty cell, which was removed later, is one of floats."""
    rows = [[f"{n + 1}.0", "", LABELS[n % 4], SAID[n % 4]] for n in range(12)]
    assert said(read(written("tsv", tmp_path, [HEADER, *rows]), TWELVE)) == SAID * 3


@pytest.mark.parametrize("ids", [["v1.0", "v1", "v2.0", "v3"], ["1.0", "1.1", "2.0", "2.1"]], ids=["names", "numbers"])
def test_an_id_that_ends_like_a_whole_number_stays_whole(ids: list[str], tmp_path: Path) -> None:
    samples = [Sample(id=name, label=label, label_set="basic7") for name, label in zip(ids, LABELS, strict=True)]
    rows = [[name, "", "", one] for name, one in zip(ids, SAID, strict=True)]
    assert said(read(written("tsv", tmp_path, [HEADER, *rows]), samples)) == SAID


def test_tables_of_two_data_sets_in_one_keep_all_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [[n % 2, "", "", SAID[n], f"faces/{n}"] for n in range(4)]
    path = written("tsv", tmp_path, [[*HEADER, "id"], *rows, rows[0]])
    assert said(read(path)) == SAID
    assert "4 documents answered with VLMEvalKit; 1 later answers to the same" in capsys.readouterr().err


def test_a_part_of_a_numbered_table_is_refused(tmp_path: Path) -> None:
    rows = [[n, "", LABELS[n], SAID[n]] for n in range(3)]
    with pytest.raises(EmoLLMError, match="give the data set's table a column `id`"):
        read(written("tsv", tmp_path, [HEADER, *rows]))


def test_thoughts_of_their_own_column_and_failed_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = ["anger", "Failed to obtain answer via API.", float("nan"), "happiness"]
    thoughts = ["A frown.", "", None, "<think>A smile."]
    rows = [[f"faces/{n}", answers[n], thoughts[n]] for n in range(4)]
    pairs = read(written("json", tmp_path, [["index", "prediction", "thinking"], *rows]))
    assert said(pairs) == ["<think>A frown.</think>\nanger", None, "", "<think>A smile.</think>\nhappiness"]
    assert "1 of them without success, which count as missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pkl", b"\x80\x04.", "is a pickle"),
        ("a.xlsx", b"no zip", "is no readable Excel file"),
        ("a.tsv", b"id\tsaid\n1\tx\n", "has no columns index and prediction \\(id, said\\)"),
        ("a.tsv", b"", "it is empty"),
        ("a.tsv", b"index\tprediction\n1\t\xff\xfe\n", "is no readable table"),
        ("a.eval", b"no zip", "holds no log of inspect_ai"),
        ("a.json", b"[1, 2]", "holds no valid prediction"),
    ],
)
def test_files_that_cannot_be_read_are_one_line(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EmoLLMError, match=reason) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)
