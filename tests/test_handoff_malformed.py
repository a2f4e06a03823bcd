"""Malformed files of other harnesses: an answer is read, counted or refused in one line, before scoring."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from handed import (
    HEADER,
    LABELS,
    SAID,
    SAMPLES,
    as_json,
    inspect_sample,
    lmms,
    lmms_file,
    log_json,
    read,
    said,
    written,
)
from layouts_on_disk import xlsx

from emollm.errors import EmoLLMError, SourceError
from emollm.records import encode
from eval.results import read_results
from eval.score import main

HALF = "\ud83d"


@pytest.mark.parametrize(
    ("fields", "completion"),
    [
        ({"output": "fear"}, None),
        ({"output": {"choices": "fear"}}, None),
        ({"output": {"choices": [None]}}, None),
        ({"output": {"choices": [{"message": "fear"}], "completion": "sadness"}}, "sadness"),
        ({"output": {"choices": [{"message": {"content": 7}}]}}, "7"),
        ({"output": {"completion": 7}}, "7"),
        ({"attachments": ["A frown."]}, SAID[1]),
        ({"attachments": {"6ed": 7}, "output": {"choices": [{"message": {"content": "attachment://6ed"}}]}}, "7"),
        ({"metadata": "fear", "epoch": "1"}, SAID[1]),
    ],
)
def test_a_log_of_another_shape_is_read_or_counted(
    fields: dict[str, Any], completion: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logged = [inspect_sample(f"faces/{n}", SAID[n]) | (fields if n == 1 else {}) for n in range(4)]
    pairs = read(log_json(tmp_path / "log.json", logged))
    assert said(pairs) == [SAID[0], completion, *SAID[2:]]
    assert ("1 of them without success" in capsys.readouterr().err) == (completion is None)


@pytest.mark.parametrize("row", [None, 5, "fear", {"epoch": 1}, {"id": None}])
def test_what_is_no_sample_or_row_is_told(row: Any, tmp_path: Path) -> None:
    logged = [inspect_sample(f"faces/{n}", SAID[n]) for n in range(4)]
    assert [line.line for line in read(log_json(tmp_path / "log.json", [*logged, row])).bad] == [5]
    rows = [{"index": f"faces/{n}", "prediction": SAID[n]} for n in range(4)]
    pairs = read(as_json(tmp_path / "m.json", [*rows, row]))
    assert (said(pairs), [line.line for line in pairs.bad]) == (SAID, [5])


@pytest.mark.parametrize("samples", [{"a": 1}, "fear", 5])
def test_a_log_whose_samples_are_none_is_refused(samples: Any, tmp_path: Path) -> None:
    path = as_json(tmp_path / "log.eval", {"eval": {"model": "m"}, "samples": samples})
    with pytest.raises(SourceError, match="holds no log of inspect_ai"):
        read(path)


def test_an_archive_with_a_password_is_refused(tmp_path: Path) -> None:
    for name in ("log.eval", "m.xlsx"):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("header.json", "{}")
            archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
        raw = bytearray(path.read_bytes())
        for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            start = raw.find(mark)
            while start >= 0:
                raw[start + at] |= 1
                start = raw.find(mark, start + 4)
        path.write_bytes(bytes(raw))
        with pytest.raises(SourceError, match="password"):
            read(path)


@pytest.mark.parametrize("kind", ["lmms-eval", "VLMEvalKit", "inspect_ai"])
@pytest.mark.parametrize("where", ["completion", "id", "model or target"])
def test_half_a_character_is_told_before_scoring(kind: str, where: str, tmp_path: Path) -> None:
    """JSON may hold a surrogate by itself, which can be read, but neither compared nor written."""
    answers = [SAID[0] + HALF * (where == "completion"), *SAID[1:]]
    ids = [f"faces/{n}" + HALF * (where == "id" and n == 0) for n in range(4)]
    target = "anger" + HALF * (where == "model or target")
    if kind == "lmms-eval":
        lines = [lmms(n, sample_id=ids[n], filtered_resps=answers[n], target=target) for n in range(4)]
        path = lmms_file(tmp_path, [])
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    elif kind == "VLMEvalKit":
        rows = [{"index": ids[n], "prediction": answers[n], "answer": target} for n in range(4)]
        path = as_json(tmp_path / "m.json", [*rows, {"prediction": target}])
    else:
        logged = [inspect_sample(ids[n], answers[n], target=target) for n in range(4)]
        log = {"eval": {"model": "m" + HALF * (where == "model or target")}, "samples": [*logged, {"target": target}]}
        path = as_json(tmp_path / "log.json", log)
    samples = tmp_path / "samples.jsonl"
    samples.write_bytes(b"".join(encode(sample) + b"\n" for sample in SAMPLES))
    assert main([str(path), str(samples), "-o", str(tmp_path / "scores"), "--num-resamples", "10"]) in (0, 1)
    results = read_results(tmp_path / "scores")
    is_lost = where != "model or target"
    assert (results.coverage.predictions, results.coverage.missing) == ((3, 1) if is_lost else (4, 0))
    reasons = [json.loads(line)["detail"] for line in rejected(tmp_path / "scores")]
    assert any("half of a character" in one for one in reasons) == is_lost


def rejected(folder: Path) -> list[str]:
    path = folder / "rejected.jsonl"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_bytes_that_are_no_utf8_are_told(tmp_path: Path) -> None:
    path = lmms_file(tmp_path, [lmms(n, sample_id=f"faces/{n}") for n in range(3)])
    path.write_bytes(
        path.read_bytes() + json.dumps(lmms(3, sample_id="faces/3")).encode().replace(b"happ", b"\xff\xfe")
    )
    pairs = read(path)
    assert said(pairs) == [*SAID[:3], None]
    assert [line.line for line in pairs.bad] == [4]


def test_a_bom_and_line_ends_of_windows_are_read(tmp_path: Path) -> None:
    path = lmms_file(tmp_path, [lmms(n, sample_id=f"faces/{n}") for n in range(4)])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert said(read(path)) == SAID


def test_characters_that_xml_cannot_hold_are_read_from_excel(tmp_path: Path) -> None:
    rows = [
        [f"faces/{n}", "", LABELS[n], SAID[n].replace("\n", "_x000D_\n") + "_x005F_x0041_ _xD83D_"] for n in range(4)
    ]
    expected = [one.replace("\n", "\r\n") + "_x0041_ _xD83D_" for one in SAID]
    assert said(read(written("xlsx", tmp_path, [HEADER, *rows]))) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("padding", [0, 5_000, 100_000])
def test_a_document_type_is_refused_however_far_in(padding: int, encoding: str, tmp_path: Path) -> None:
    path = xlsx(tmp_path / "m.xlsx", [["index", "prediction"]])
    declared = f'<?xml version="1.0" encoding="{encoding}"?><!--{"-_" * padding}--><!DOCTYPE w [<!ENTITY a "aaa">]>'
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            is_sheet = name.startswith("xl/worksheets/")
            archive.writestr(name, (declared + part.decode()).encode(encoding) if is_sheet else part)
    with pytest.raises(EmoLLMError, match="declares a document type"):
        read(path)
