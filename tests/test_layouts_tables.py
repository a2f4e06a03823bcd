"""Tables and lists of labels, whatever they hold."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layouts_on_disk import picture, text, xlsx

from data_engine.layouts.tables import lines, number, table
from emollm.cli import main
from emollm.errors import SourceError
from emollm.records import Sample, read_records


def test_tables_with_bom_semicolons_quotes_and_headers_of_any_case(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes('\ufeffnotes\n"Video Name";LABEL\n1;"a;b"\n\n2;c\n'.encode())
    assert list(table(path, ("video_name", "label"))) == [
        (3, {"videoname": "1", "label": "a;b"}),
        (5, {"videoname": "2", "label": "c"}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"name,class\n1,2\n", "has no header with name, label (seen: name, class)"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "is an old Excel file"),
        ("a.xlsx", b"no zip", "is no readable Excel file"),
        ("a.csv", b"PK\x03\x04", "is packed"),
        ("a.csv", b"name\0label", "is a binary file"),
        ("a.csv", b"", "seen: nothing"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=r"^[^\n]*$") as caught:
        list(table(tmp_path / name, ("name", "label")))
    assert says in str(caught.value)


def test_an_excel_file_that_declares_entities_is_refused(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "bomb.xlsx", [["name", "label"]])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet>&a;</worksheet>')
    with pytest.raises(SourceError, match="declares a document type"):
        list(table(path, ("name", "label")))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_table_or_one_line(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for suffix in (".csv", ".xlsx"):
        path = path.with_suffix(suffix)
        path.write_bytes(content)
        with suppress(SourceError):
            list(table(path, ("a",)))
            list(lines(path))


@pytest.mark.parametrize(
    ("cell", "value"), [("46", 46), ("46.0", 46), ("4.5", None), ("/", None), ("", None), ("inf", None)]
)
def test_numbers_of_cells(cell: str, value: int | None) -> None:
    assert number(cell) == value


HEADER = "Subject,Filename,Onset{0}Frame,Apex{0}Frame,Offset{0}Frame,Action Units,Estimated Emotion"
LISTS = {
    "EmoLabel/list_patition_label.txt": "train_00001.jpg 5",
    "label/label.lst": "1.jpg 0 0 0 8 8 9.0 3",
    "Manually_Annotated_file_lists/training.csv": "subDirectory_filePath,face_x,face_y,expression",
    "fer2013.csv": "emotion,pixels,Usage",
    "EmoLabel_DataSplit/train(single-labeled)/set_1.csv": "video_name,label",
    "single/no_caption/set_1/train.txt": "00001.mp4 anger",
    "4_setups/All_scenes/train_All.csv": "Action/Happy/0267 Happy",
    "folds/split-0/train.txt": "Sadly-Fearful/24_Sadly-Fearful_0,5",
    "BAH_DB/split-0/train.txt": "Videos/1/Visite_1/a.mp4,1,words",
    "train-label.csv": "name,discrete,valence",
    "track2_train_human.csv": "name,openset",
    "ActionUnit_Labels/SN001/SN001_au12.txt": "1,2",
    "AU_OCC/F001_T1.csv": "0,1,2,4",
    "CASME2-coding-20140508.csv": HEADER.format(""),
    "SAMM_Micro_FACS_Codes_v2.csv": HEADER.format(" "),
}
ROWS = (
    "../../x.jpg",
    "/etc/hosts.jpg",
    "a" * 300,
    "1,2,3,4,5,6,7",
    "1 2 3 4 5 6 7 8",
    "1,EP02_01f,5,6,7,4+L10,fear",
    "nan,inf",
)
CELLS = st.text(st.sampled_from("0159.-x/\\,; \t\"'\x00éåAL+?_"), max_size=40) | st.sampled_from(ROWS)


@pytest.mark.parametrize("name", LISTS)
@given(rows=st.lists(CELLS, max_size=4))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_list_holds_the_run_ends_and_its_samples_are_whole(
    tmp_path: Path, name: str, rows: list[str]
) -> None:
    root = tmp_path / "root"
    text(root / name, LISTS[name], *rows)
    if "train" in name:  # the list that goes with it
        text(root / name.replace("train", "test"), "video_name,label")
    picture(root / "1.jpg")
    output = tmp_path / "samples.jsonl"
    assert main(["import", str(root), "-o", str(output), "--overwrite", "--workers", "1"]) in (0, 1)
    samples = list(read_records(output, Sample)) if output.exists() else []
    assert all(sample.media and (tmp_path / sample.media.path).is_file() for sample in samples)
