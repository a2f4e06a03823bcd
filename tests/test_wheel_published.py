"""The published emotion-wheel tables, read from files of their shape, and never unpickled."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from layouts_on_disk import xlsx

from emollm.cli import main
from emollm.wheel import Overlap, read_wheels

WHEEL = [
    ["level1", "level2", "level3"],
    ["Happy", "Playful", "Cheeky"],
    ["", "", "Aroused "],
    ["", "Joyful", "Glad"],
    ["Sad", "Lonely", "Abandoned"],
]
SYNONYMS = [
    ["word_run1", "synonym_run1", "word_run2", "synonym_run2"],
    ["glad", "content, Pleased", "Lonely", "alone"],
    ["Lonely", "alone, 'on my own'", "glad", "merry"],
]
FORMS = 'name,format\nglad,"gladly,gladness"\ncontent,contents\nalone,"alone,gladness"\n'


class Bomb:
    """What runs when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "emotion_wheel"
    for number in range(1, 6):
        xlsx(path / f"wheel{number}.xlsx", WHEEL, shared=number % 2 == 0)
    xlsx(path / "synonym.xlsx", SYNONYMS)
    (path / "format.csv").write_text(FORMS, encoding="utf-8")
    return path


def test_tables_become_a_mapping(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "wheel.json"
    assert main(["wheel", str(folder), "-o", str(output)]) == 0
    assert "6 forms of 7 base labels on 5 wheels" in capsys.readouterr().out
    tables = json.loads(output.read_text(encoding="utf-8"))
    assert tables["format_mapping"] == {
        "glad": ["glad"],
        "gladly": ["glad"],
        "gladness": ["alone", "glad"],
        "content": ["content"],
        "contents": ["content"],
        "alone": ["alone"],
    }
    assert tables["raw_mapping"] == {
        "glad": ["glad"],
        "content": ["glad"],
        "pleased": ["glad"],
        "merry": ["glad"],
        "lonely": ["lonely"],
        "alone": ["lonely"],
        "on my own": ["lonely"],
    }
    wheel = tables["wheel_map"]["wheel5"]
    assert wheel["level1"] == dict.fromkeys(["happy", "playful", "cheeky", "aroused", "joyful", "glad"], "happy") | (
        dict.fromkeys(["sad", "lonely", "abandoned"], "sad")
    )
    assert wheel["level2"]["happy"] == "joyful"  # the first in the alphabet, not in the table
    assert (wheel["level2"]["aroused"], wheel["level2"]["lonely"]) == ("playful", "lonely")


def test_the_mapping_scores(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "wheel.json"
    assert main(["wheel", str(folder), "-o", str(output)]) == 0
    wheels = read_wheels(output)
    assert wheels.category("gladness", "case1") == "alone"
    assert list(wheels.overlaps(["gladly"], ["contents"], ["case1", "case2"])) == [Overlap(0, 1, 1), Overlap(1, 1, 1)]


def test_an_output_is_replaced_only_when_asked(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "wheel.json"
    output.write_text("mine")
    assert main(["wheel", str(folder), "-o", str(output)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert output.read_text() == "mine"
    assert main(["wheel", str(folder), "-o", str(output), "--overwrite"]) == 0


@pytest.mark.parametrize("missing", ["wheel3.xlsx", None])
def test_pickles_are_never_opened(
    missing: str | None, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    touched = tmp_path / "touched"
    bomb = np.empty((), dtype=object)
    bomb[()] = Bomb(touched)
    np.savez(folder / "wheel_mapping.npz", format_mapping=bomb, raw_mapping=bomb, wheel_map_whole=bomb)
    if missing:
        (folder / missing).unlink()
    assert main(["wheel", str(folder), "-o", str(tmp_path / "wheel.json")]) == (1 if missing else 0)
    if missing:
        assert (
            "has no wheel3.xlsx or wheel3.csv (its .npz holds pickles, which are not opened)" in capsys.readouterr().err
        )
    assert not touched.exists()
    with np.load(folder / "wheel_mapping.npz", allow_pickle=True) as opened:  # the bomb is a real one
        opened["raw_mapping"]
    assert touched.exists()


@pytest.mark.parametrize(
    ("name", "rows", "says"),
    [
        ("wheel2.xlsx", [["level1", "level2"], ["a", "b"]], "has no column level3 (seen: level1, level2)"),
        ("wheel2.xlsx", [["level1", "level2", "level3"]], "holds no words"),
        ("synonym.xlsx", [["word", "synonym"], ["a", "b"]], "has no column word_run1, synonym_run1"),
        ("synonym.xlsx", [["word_run1", "synonym_run1"], ["glad", "b"]], "format.csv:3: name: 'content' is not in"),
    ],
)
def test_tables_of_another_shape_are_one_line(
    name: str, rows: list[list[str]], says: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    xlsx(folder / name, rows)
    assert main(["wheel", str(folder), "-o", str(tmp_path / "wheel.json")]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_the_names_of_mer2026_are_read(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "wheel.json"
    assert main(["wheel", str(folder), "-o", str(output)]) == 0
    tables = json.loads(output.read_text(encoding="utf-8"))
    tables["wheel_map_whole"] = tables.pop("wheel_map")
    renamed = tmp_path / "renamed.json"
    renamed.write_text(json.dumps(tables), encoding="utf-8")
    assert read_wheels(renamed).categories == read_wheels(output).categories


def test_a_folder_in_place_of_a_mapping_names_the_verb(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "a.jsonl", "b.jsonl", "-o", "nowhere", "--wheel", str(folder)]) == 1
    assert "emollm wheel FOLDER -o FILE" in capsys.readouterr().err
