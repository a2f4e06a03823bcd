"""AU files: recognised by content, read by their dialect; column maps."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.sources import DIALECTS, read_head, recognise, require
from data_engine.sources.blocks import BLOCK_ROWS, read_blocks
from data_engine.sources.columns import read_map, user_dialect
from data_engine.sources.head import Head
from data_engine.sources.layout import Channel, Layout
from emollm.errors import ConfigError, EmoLLMError, SourceError
from emollm.records import Detector

AU_FILES = Path(__file__).parent / "data" / "au"
EXPECTED = json.loads((AU_FILES / "expected.json").read_text("utf-8"))


def written(folder: Path, text: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@given(st.sets(st.integers(0, 199), min_size=1, max_size=12), st.integers(0, 60))
def test_needed_cells_are_cut_out_wherever_they_stand(needed: set[int], extra: int) -> None:
    columns = [f"c{number}" for number in range(200 + extra)]
    channels = tuple(Channel("AU12", f"c{number}", "intensity") for number in sorted(needed))
    with TemporaryDirectory() as folder:
        rows = [[f"{row}.{place}" for place in range(len(columns))] for row in range(2)]
        text = "".join(",".join(cells) + "\n" for cells in [columns, *rows])
        numbers, bad = read_numbers(read_head(written(Path(folder), text)), Layout(Detector(name="x"), channels, {}))
    assert (numbers, bad) == ([[float(cells[place]) for place in sorted(needed)] for cells in rows], [])


def read_numbers(head: Head, layout: Layout) -> tuple[list[list[float]], list[tuple[int, str]]]:
    bad: list[tuple[int, str]] = []
    blocks = read_blocks(head, layout, None, lambda row, reason, _: bad.append((row, reason)))
    return [row for block in blocks for row in block.numbers.tolist()], bad


@pytest.mark.parametrize("name", EXPECTED)
def test_every_dialect_is_recognised_by_its_content(name: str) -> None:
    dialect, reason = recognise(read_head(AU_FILES / name))
    assert (dialect.name, bool(reason)) == (EXPECTED[name]["dialect"], True)


def test_every_dialect_has_a_file_that_only_it_recognises() -> None:
    for name, case in EXPECTED.items():
        head = read_head(AU_FILES / name)
        assert [dialect.name for dialect in DIALECTS.values() if dialect.recognises(head)] == [case["dialect"]]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n \n", "is empty"),
        (b"AU01_r,AU12_r\n", "holds no rows, only the line 'AU01_r,AU12_r'"),
        (b"Dear all, " + b"the faces are here" * 9, "only the line 'Dear all, the faces are here"),
        (b"AU01_r,AU12_r\r1,2\r3,4\r", "its lines end in CR alone"),
        (b"# only\n# comments\n", "holds comments and no rows"),
        (gzip.compress(b"AU01_r\n1\n", mtime=0), "is packed; unpack it first (gunzip table.csv)"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deep"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a binary file"),
        ("AU01_r\n1\n".encode("utf-16"), "UTF-16"),
        (b"name,age\nanna,3\n", "no AU columns (columns seen: name, age)"),
        (b"id,AU1,AU12\na,0,1\n", "has AU columns (AU1, AU12) but neither"),
        (b"id,AU_12\na,0.3\n", "has AU columns (AU_12) but neither"),
        (b'{"joy": 3, "mood": 1}', "no known AU dialect (seen: joy, mood)"),
        (b'{"joy": 3', "is not JSON"),
        (b"[1, 2, 3]", "no known AU dialect"),
        (b"[]", "no known AU dialect"),
    ],
)
def test_a_file_of_no_dialect_says_what_was_seen_in_one_line(tmp_path: Path, text: bytes, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SourceError) as error:
        recognise(read_head(path))
    assert says in str(error.value)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_the_wrong_detector_names_the_right_one() -> None:
    with pytest.raises(SourceError, match=r"is no pyfeat file but openface \(6 intensity columns"):
        require(read_head(AU_FILES / "openface2_video.csv"), DIALECTS["pyfeat"])


def test_pyfeat_values_are_probabilities_and_svm_values_presence() -> None:
    for name, kind in (("pyfeat_v1.csv", "probability"), ("pyfeat_svm.csv", "presence")):
        layout = DIALECTS["pyfeat"].layout(read_head(AU_FILES / name))
        assert {channel.kind for channel in layout.channels} == {kind}


def test_a_number_that_is_no_au_is_no_channel(tmp_path: Path) -> None:
    head = read_head(written(tmp_path, "AU12_r,AU99_r,AU100_r\n1,2,3\n"))
    assert [channel.au for channel in DIALECTS["openface"].layout(head).channels] == ["AU12"]


def test_openface_presence_is_used_only_where_there_is_no_intensity() -> None:
    layout = DIALECTS["openface"].layout(read_head(AU_FILES / "openface2_video.csv"))
    assert [channel.au for channel in layout.channels if channel.kind == "presence"] == ["AU28"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("1,0.5,high", "not_a_number"),
        ("1,0.5", "malformed"),
        ("1,0.5,1,7", "malformed"),
    ],
    ids=["text in a number cell", "torn line", "a cell too many"],
)
def test_a_bad_row_is_reported_and_the_others_are_read(tmp_path: Path, cells: str, reason: str) -> None:
    head = read_head(written(tmp_path, f"frame,AU01_r,AU12_r\n0,0.1,0.2\n{cells}\n2,0.3,0.4\n"))
    numbers, bad = read_numbers(head, DIALECTS["openface"].layout(head))
    assert numbers == [[0.1, 0.2, 0.0], [0.3, 0.4, 2.0]]
    assert bad == [(1, reason)]


@pytest.mark.parametrize("empty", ["", " ", "NaN", "nan", "NA", "-nan(ind)"])
def test_an_empty_cell_is_not_measured(tmp_path: Path, empty: str) -> None:
    head = read_head(written(tmp_path, f"AU01_r,AU12_r\n{empty},0.2\n"))
    [[first, second]], bad = read_numbers(head, DIALECTS["openface"].layout(head))
    assert math.isnan(first)
    assert (second, bad) == (0.2, [])


def test_a_trailing_separator_and_a_comment_before_the_header_do_no_harm(tmp_path: Path) -> None:
    head = read_head(written(tmp_path, "#METADATA\n\nAU01_r,AU12_r\n1,2,\n3,4\n"))
    assert read_numbers(head, DIALECTS["openface"].layout(head)) == ([[1.0, 2.0], [3.0, 4.0]], [])


def test_a_table_longer_than_a_block_keeps_every_row(tmp_path: Path) -> None:
    num = BLOCK_ROWS + 7
    head = read_head(written(tmp_path, "AU01_r,AU12_r\n" + "".join(f"0,{row % 5}\n" for row in range(num))))
    numbers, _ = read_numbers(head, DIALECTS["openface"].layout(head))
    assert [second for _, second in numbers] == [float(row % 5) for row in range(num)]


def test_a_carriage_return_inside_a_row_is_a_blank(tmp_path: Path) -> None:
    head = read_head(written(tmp_path, "AU01_r,AU12_r\n1,\r2\n"))
    assert read_numbers(head, DIALECTS["openface"].layout(head)) == ([[1.0, 2.0]], [])


def test_a_line_of_json_lines_that_is_torn_is_reported(tmp_path: Path) -> None:
    lines = '{"overall_peak_frame_info": {"top_aus_intensities": {"AU12_r": 1}}}\n{"overall_pe'
    head = read_head(written(tmp_path, lines, "clips.jsonl"))
    assert recognise(head)[0].name == "merfactory"
    assert [line for line, _ in head.bad_lines] == [2]


def test_a_line_of_json_lines_that_is_nested_too_deep_is_reported(tmp_path: Path) -> None:
    head = read_head(written(tmp_path, '{"a": 1}\n' + "[" * 100_000, "clips.jsonl"))
    assert head.bad_lines == ((2, "is JSON nested too deep to be read"),)


def test_action_units_nested_too_deep_are_reported_as_the_row_they_are_in(tmp_path: Path) -> None:
    deep = "[" * 5_000 + "]" * 5_000
    head = read_head(written(tmp_path, f'image_path,action_units\na.jpg,"{deep}"\n'))
    dialect = DIALECTS["openface3"]
    bad: list[tuple[int, str]] = []
    assert dialect.rows is not None
    blocks = read_blocks(head, dialect.layout(head), dialect.rows(head), lambda row, why, _: bad.append((row, why)))
    assert (list(blocks), bad) == ([], [(0, "not_a_number")])


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[str], list[list[float]]]:
    """Column names, the needed ones among them, and rows."""
    columns = [f"c{place}" for place in range(draw(st.integers(1, 12)))]
    needed = draw(st.lists(st.sampled_from(columns), min_size=1, unique=True))
    cell = st.floats(0, 5, allow_nan=False).map(lambda value: round(value, 3))
    row = st.lists(cell, min_size=len(columns), max_size=len(columns))
    return columns, needed, draw(st.lists(row, min_size=1, max_size=4))


@given(tables(), st.sampled_from([",", ";", "\t"]), st.booleans())
def test_the_needed_cells_are_those_that_the_csv_module_finds(
    table: tuple[list[str], list[str], list[list[float]]], separator: str, quoted: bool
) -> None:
    columns, needed, rows = table
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerows([columns, *rows])
    layout = Layout(Detector(name="x"), tuple(Channel("AU12", column, "intensity") for column in needed), {})
    with TemporaryDirectory() as folder:
        path = written(Path(folder), text.getvalue())
        numbers, bad = read_numbers(Head(path, tuple(columns), separator.encode(), skip_lines=1), layout)
    assert numbers == [[row[columns.index(column)] for column in needed] for row in rows]
    assert bad == []


def test_a_column_map_names_sides_roles_and_scale() -> None:
    entries = read_map("AU12=smile_score,AU04L=left_brow,AU04R=right_brow,id=picture,kind=probability,scale=0-100")
    layout = user_dialect(entries).layout(read_head(AU_FILES / "smiles.csv"))
    assert layout.channels == (
        Channel("AU12", "smile_score", "probability", None, 0.0, 100.0),
        Channel("AU04", "left_brow", "probability", "left", 0.0, 100.0),
        Channel("AU04", "right_brow", "probability", "right", 0.0, 100.0),
    )
    assert layout.roles == {"clip": "picture"}


def test_a_column_map_can_be_a_file_and_take_columns_named_after_aus(tmp_path: Path) -> None:
    path = written(tmp_path, '{"kind": "intensity", "id": "who"}', "map.json")
    head = read_head(written(tmp_path, "who,AU1,AU_12,age\na,1,2,3\n"))
    assert [channel[:3] for channel in user_dialect(read_map(str(path))).layout(head).channels] == [
        ("AU01", "AU1", "intensity"),
        ("AU12", "AU_12", "intensity"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("AU12=smile_score", "kind is missing"),
        ("AU12=smile_score,kind=strength", "kind=strength is unknown"),
        ("AU12=smile_score,kind=intensity,scale=five", "scale=five must be low-high"),
        ("AU12=smile_score,kind=intensity,scale=5-0", "scale=5-0 must be low-high"),
        ("AU12=smile,kind=intensity", "has no column 'smile' for AU12; did you mean 'smile_score'?"),
        ("AU12=,kind=intensity", "'AU12' has no column"),
        ("confidance=who,kind=intensity", "unknown key 'confidance'; did you mean 'confidence'?"),
        ("AU99=who,kind=intensity", "'AU99' is no AU"),
        ("kind=intensity", "none of its columns is named after an AU"),
        ("missing.json", "cannot be read"),
    ],
)
def test_a_wrong_column_map_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(EmoLLMError) as error:
        user_dialect(read_map(text)).layout(read_head(AU_FILES / "smiles.csv"))
    assert says in str(error.value)


@given(st.text(alphabet="AU12LR=,;kindscale0-5. {", max_size=40))
def test_no_column_map_raises_anything_but_a_clear_error(text: str) -> None:
    with suppress(ConfigError, SourceError):
        user_dialect(read_map(text)).layout(read_head(AU_FILES / "smiles.csv"))
