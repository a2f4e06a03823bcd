"""Formats of the field against files written by hand after their authors' readers; see tests/data/exports."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from exporting import export, golden, lines, reasons, sample, write_with_media

from data_engine.detect.door import main as detect
from data_engine.exports.expllm import feafa_values
from data_engine.exports.mer_caption import openset
from emollm import prompts_zh
from emollm.errors import ConfigError
from emollm.records import AU, Face, Media, Reasoning, Sample, read_records

GOLDEN = Path(__file__).parent / "data/exports"


@pytest.fixture
def cot(tmp_path: Path) -> Path:
    """Two labelled pictures, a clip with a blank in its name, and a picture with a list of labels."""
    return write_with_media(tmp_path / "data/cot.jsonl", golden(GOLDEN / "cot.jsonl"))


def read(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else text.splitlines()


@pytest.mark.parametrize("name", ["expllm", "fea20k", "merr", "mer-caption", "preference"])
def test_files_are_those_written_by_hand(cot: Path, tmp_path: Path, name: str) -> None:
    variant = ["--prompt-variant", "0"] if name in ("fea20k", "preference") else []
    assert export(cot, tmp_path / "out", "--format", name, *variant) == 0
    for wanted in (GOLDEN / name).iterdir():
        assert read(tmp_path / "out" / wanted.name) == read(wanted), wanted.name


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("expllm", {"clip1": "video", "open1": "no_label"}),
        ("fea20k", {"clip1": "video", "open1": "no_label"}),
        ("merr", {"face2": "no_merr_label", "open1": "no_label"}),
        (
            "preference",
            {"face1": "other_stage", "face2": "no_attempts", "clip1": "no_attempts", "open1": "no_attempts"},
        ),
    ],
)
def test_what_a_format_has_no_place_for_is_left_out_with_its_reason(
    cot: Path, tmp_path: Path, name: str, left_out: dict[str, str]
) -> None:
    export(cot, tmp_path / "out", "--format", name)
    assert reasons(tmp_path / "out") == left_out


def test_expllm_finds_every_picture_from_the_folder(cot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(cot, tmp_path / "out", "--format", "expllm")
    monkeypatch.chdir(tmp_path / "out")
    for line in Path("train.txt").read_text().split():
        file, root, times = line.split(",")
        assert int(times) > 0
        assert all((Path(root) / row["file_name"]).is_file() for row in json.loads(Path(file).read_text()))


def test_expllm_values_come_back_through_detect(cot: Path, tmp_path: Path) -> None:
    export(cot, tmp_path / "out", "--format", "expllm")
    assert detect([str(tmp_path / "out/description.json"), "-o", str(tmp_path / "back.jsonl")]) == 0
    (back,) = (one for one in read_records(tmp_path / "back.jsonl", Sample) if one.faces and one.faces[0].aus)
    aus = back.faces[0].aus
    assert (aus["AU12"].left, aus["AU12"].right) == (4.0, 3.5)
    assert aus["AU04"].value == 0.0
    assert not {"AU10", "AU29", "AU30", "AU43"} & set(aus)  # not measured, of no known side, or no intensity


def test_expllm_gives_a_sideways_jaw_only_to_a_known_side() -> None:
    values = feafa_values({"AU30": AU(value=2.0, kind="intensity", left=2.0, right=0.0)})
    assert (values[9], values[10]) == (0.4, 0.0)
    assert feafa_values({"AU30": AU(value=2.0, kind="intensity")}) is None


def test_merr_comes_back_through_detect(cot: Path, tmp_path: Path) -> None:
    export(cot, tmp_path / "out", "--format", "merr")
    fine, table = tmp_path / "out/MERR_fine_grained.json", tmp_path / "out/MERR_fine_grained.txt"
    assert detect([str(fine), "-o", str(tmp_path / "back.jsonl"), "--labels", str(table)]) == 0
    back = {one.label: one for one in read_records(tmp_path / "back.jsonl", Sample)}
    assert set(back) == {"happiness", "surprise"}
    told = {code: (au.kind, au.value) for code, au in back["surprise"].faces[0].aus.items()}
    assert told == {"AU01": ("intensity", 2.5), "AU02": ("intensity", 2.25), "AU05": ("presence", 1.0)}
    assert (back["surprise"].text, back["surprise"].faces[0].frame) == ("Oh, really?", 2)


def test_merr_without_transcripts_has_no_file_of_them(tmp_path: Path) -> None:
    cot = write_with_media(tmp_path / "data/cot.jsonl", [sample("a")])
    export(cot, tmp_path / "out", "--format", "merr")
    assert not (tmp_path / "out/transcription_en_all.csv").exists()


@pytest.mark.parametrize("name", ["merr", "mer-caption"])
def test_names_that_two_samples_would_share_are_given_once(tmp_path: Path, name: str) -> None:
    twice = [sample("a"), sample("b", media=Media(kind="image", path="faces/a.png"))]
    spaced = [sample("c", media=Media(kind="image", path=f"faces/{stem}.png")) for stem in ("x y", "x_y")]
    spaced[1].id = "d"
    cot = write_with_media(tmp_path / "data/cot.jsonl", [*twice, *spaced])
    export(cot, tmp_path / "out", "--format", name)
    assert reasons(tmp_path / "out") == {"b": "name_taken", "d": "name_taken"}
    assert (tmp_path / "out/images/faces/x_y.png").read_bytes() == (tmp_path / "data/faces/x y.png").read_bytes()


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        (["happy"], ["happy"]),
        (["don't care", 'a "b"', "c, d", "[e]"], ["don’t care", "a ”b”", "c d", "[e]"]),
        (["自嘲", "  two\nlines "], ["自嘲", "two lines"]),
    ],
)
def test_openset_splits_into_the_words_it_was_made_of(words: list[str], listed: list[str]) -> None:
    import re

    # The reader of the challenge: brackets off, then split at quotes and commas.
    inner = openset(words)[1:-1]
    assert [item.strip() for item in re.split(r"['\",]", inner) if item.strip()] == listed


def test_mer_caption_has_a_subtitle_line_for_every_clip(cot: Path, tmp_path: Path) -> None:
    export(cot, tmp_path / "out", "--format", "mer-caption")
    tables = [
        list(csv.DictReader((tmp_path / "out" / name).open(encoding="utf-8", newline="")))
        for name in ("mercaption.csv", "subtitle_chieng.csv")
    ]
    assert [row["name"] for row in tables[0]] == [row["name"] for row in tables[1]]


def test_fea20k_names_every_au_in_its_config(cot: Path, tmp_path: Path) -> None:
    # The trainer of Facial-R1 sums up the weights of a row's AUs, and stops at one it does not find.
    export(cot, tmp_path / "out", "--format", "fea20k")
    known = json.loads((tmp_path / "out/config.json").read_text())["data.jsonl"]
    for row in lines(tmp_path / "out/data.jsonl"):
        assert set(row["AUs"]) <= set(known["AUs"])
        assert set(row["labels"]) <= set(known["emotions"])


def test_thresholds_of_the_text_decide_what_is_present(tmp_path: Path) -> None:
    faces = [Face(aus={"AU12": AU(value=1.5, kind="intensity"), "AU06": AU(value=3.0, kind="intensity")})]
    strict = {"generate": {"teacher": "rules", "thresholds": {"intensity": 2.0, "presence": True, "odd": 1}}}
    samples = [sample("a", faces=faces), sample("b", faces=faces, provenance=strict)]
    export(write_with_media(tmp_path / "data/cot.jsonl", samples), tmp_path / "out", "--format", "fea20k")
    assert [row["AUs"] for row in lines(tmp_path / "out/data.jsonl")] == [["AU6", "AU12"], ["AU6"]]


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("expllm", ["--style", "think"], "--style: 'expllm' has answers of one form"),
        ("merr", ["--label-only", "0.5"], "--label-only: 'merr' holds no bare answers"),
        ("mer-caption", ["--prompt-variant", "1"], "--prompt-variant: 'mer-caption' holds no questions"),
        ("preference", ["--style", "sections"], "--style: 'preference' has answers of one form"),
    ],
)
def test_options_that_a_format_has_no_use_for_are_refused(
    cot: Path, tmp_path: Path, name: str, option: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        export(cot, tmp_path / "out", "--format", name, *option)
    assert not (tmp_path / "out").exists()


CHINESE = Reasoning(
    observations="嘴角明显上扬（AU12C），脸颊轻微抬起（AU6B）。",
    interpretation="嘴角上扬与脸颊抬起同时出现，是人们所描述的典型组合。",
    conclusion="总体而言，表情与高兴（happiness）一致。",
)


@pytest.mark.parametrize("name", ["messages", "fea20k", "preference"])
def test_texts_are_asked_for_in_their_own_language(tmp_path: Path, name: str) -> None:
    told = {"generate": {"attempts": [{"stage": "describe", "text": "嘴角大张。", "problems": ["unsupported: x"]}]}}
    samples = [
        sample("zh", reasoning=CHINESE, text="好的。", provenance=told),
        sample("en", text="Well.", provenance=told),
    ]
    cot = write_with_media(tmp_path / "data/cot.jsonl", samples)
    assert export(cot, tmp_path / "out", "--format", name) == 0
    chinese, english = (json.dumps(row, ensure_ascii=False) for row in lines(tmp_path / "out/data.jsonl"))
    pool = [*prompts_zh.EVIDENCE, *prompts_zh.OBSERVE]
    assert (any(one in chinese for one in pool), any(one in english for one in pool)) == (True, False)
    if name == "messages":
        assert "此人说：“好的。”" in chinese
        assert "Choose from" in english
        assert export(cot, tmp_path / "bare", "--format", name, "--style", "label") == 0
        assert all("Choose from" in json.dumps(row) for row in lines(tmp_path / "bare/data.jsonl"))
