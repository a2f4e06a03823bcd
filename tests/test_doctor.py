"""The doctor on files and machines: what is wrong is found and named, what is right is not called wrong."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from emollm import doctor
from emollm.doctor import machine
from emollm.doctor.texts import Texts
from emollm.files import sha256
from emollm.records import AU, Face, Media, Prediction, Reasoning, Sample, encode


def found(capsys: pytest.CaptureFixture[str], *targets: object, code: int) -> list[dict[str, str]]:
    """Run the doctor and return what it found."""
    assert doctor.main([*map(str, targets), "--json"]) == code
    findings: list[dict[str, str]] = json.loads(capsys.readouterr().out)
    return findings


def worse(findings: list[dict[str, str]]) -> dict[str, str]:
    """Return what is not fine: what was found to its level."""
    return {one["what"]: one["level"] for one in findings if one["level"] != "fine"}


def picture(path: Path, shade: int) -> Path:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32), (shade, 80, 100)).save(path)
    return path


BROWS = ("The brows are lowered.", "The inner brows are drawn down.", "The brow is pulled low and together.")
WORDS = [f"word{number}" for number in range(16)]


def sample(folder: Path, number: int, **changes: Any) -> Sample:
    """A sample with nothing wrong with it."""
    label = ("anger", "sadness", "neutral", "happiness", "surprise", "fear", "disgust")[number % 7]
    path = picture(folder / f"{number}.png", number)
    words = " ".join(WORDS[(number * 5 + step * 7) % 16] for step in range(12))
    values: dict[str, Any] = {
        "id": f"s{number}",
        "media": Media(kind="image", path=path.name, sha256=sha256(path)),
        "subject": f"p{number}",
        "split": "test" if number < 7 else "train",
        "faces": [Face(aus={"AU04": AU(value=4.0, kind="intensity"), "AU12": AU(value=0.0, kind="intensity")})],
        "label_set": "basic7",
        "label": label,
        "reasoning": Reasoning(
            observations=BROWS[number % 3],
            interpretation=f"Case {number}: {words}.",
            conclusion=f"The expression is consistent with {label}.",
        ),
    }
    return Sample(**values | changes)


def write(path: Path, records: list[Any]) -> Path:
    path.write_bytes(b"".join(encode(record) + b"\n" for record in records))
    return path


@pytest.fixture
def good(tmp_path: Path) -> list[Sample]:
    return [sample(tmp_path, number) for number in range(14)]


def test_a_good_file_has_nothing_wrong_with_it(
    good: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = found(capsys, write(tmp_path / "cot.jsonl", good), code=0)
    assert worse(findings) == {}
    assert "14 samples (test 7, train 7), 14 with an explanation" in [one["what"] for one in findings]


def reasoning(observations: str, label: str) -> Reasoning:
    return Reasoning(observations=observations, interpretation="So it is.", conclusion=f"It fits {label}.")


def au(value: float) -> AU:
    return AU(value=value, kind="intensity")


CHANGES: dict[str, tuple[dict[str, Any], str, str]] = {
    "missing picture": ({"media": Media(kind="image", path="none.png")}, "error", "1 pictures are missing: none.png"),
    "changed picture": (
        {"media": Media(kind="image", path="9.png", sha256="0" * 64)},
        "error",
        "1 pictures are not those that were measured: 9.png",
    ),
    "label outside of its set": (
        {"label": "contempt"},
        "error",
        "1 labels are not in their set: s9 'contempt' in basic7",
    ),
    "unknown label set": ({"label_set": "basic77"}, "error", "1 label sets are not known: s9 'basic77'; did you mean"),
    "unknown AU": ({"faces": [Face(aus={"AU99": au(1)})]}, "warning", "1 AUs are in no FACS table: s9 AU99"),
    "no face": ({"faces": []}, "warning", "1 samples have no face: s9"),
    "face without AUs": ({"faces": [Face()]}, "warning", "1 faces have no AUs: s9"),
    "contradiction": (
        {"reasoning": reasoning("The lip corners are pulled up.", "fear")},
        "error",
        '1 explanations contradict the AUs: s9 "',
    ),
    "label in the observations": (
        {"reasoning": reasoning("The brows are lowered, which is sadness.", "sadness")},
        "warning",
        "1 observations name the label: s9 'sadness'",
    ),
    "person in two splits": ({"subject": "p1"}, "error", "1 people are in several splits: p1 (test, train)"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_fault_is_found_and_named(
    name: str, good: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, level, what = CHANGES[name]
    values = {field: getattr(good[9], field) for field in good[9].__struct_fields__}
    if name == "label in the observations":
        values["label"] = "sadness"
    good[9] = Sample(**values | changes)
    findings = found(capsys, write(tmp_path / "cot.jsonl", good), code=int(level == "error"))
    assert [one["level"] for one in findings if one["what"].startswith(what)] == [level], worse(findings)
    assert all(one["todo"] for one in findings if one["level"] != "fine")


def test_lines_that_are_no_samples_are_named_by_what_is_wrong_with_them(
    good: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "cot.jsonl", [*good, good[0]])
    with path.open("ab") as file:
        file.write(b'{"id": "x", "faces": [{"aus": {"AU12": {"value": 7.0, "kind": "intensity"}}}]}\n')
        file.write(b'{"id": "y", "lable": "fear"}\n{"id": "torn')
    text = "\n".join(worse(found(capsys, path, code=1)))
    assert "3 lines are no samples: line 16: faces[0].aus.AU12: intensity 7.0 is outside 0 to 5" in text
    assert "lable: unknown field; did you mean 'label'?" in text
    assert "1 ids occur again: line 15: id: 's0' is already on line 1" in text


def test_one_picture_in_two_splits_is_an_error(
    good: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(tmp_path / "1.png", tmp_path / "copy.png")
    good[9].media = Media(kind="image", path="copy.png", sha256=sha256(tmp_path / "copy.png"))
    findings = worse(found(capsys, write(tmp_path / "cot.jsonl", good), code=1))
    assert findings == {"1 pictures are in several splits: s9 (train)": "error"}


def test_few_contradictions_among_many_may_be_slips_of_the_reader(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [sample(tmp_path, number) for number in range(70)]
    many[9].reasoning = CHANGES["contradiction"][0]["reasoning"]
    findings = worse(found(capsys, write(tmp_path / "cot.jsonl", many), code=0))
    assert [level for what, level in findings.items() if "contradict the AUs" in what] == ["warning"]


def test_labels_that_are_rare_or_absent_are_named(
    good: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = [sample(tmp_path, 7 * number) for number in range(2, 14)]  # all of them angry
    kept = [one for one in good if one.label != "fear" or one.split == "test"]
    findings = worse(found(capsys, write(tmp_path / "cot.jsonl", [*kept, *more]), code=0))
    assert findings == {
        "split train has no sample of fear": "warning",
        "split train has 13 of anger and 1 of disgust": "warning",
    }


def test_texts_that_repeat_each_other_are_counted(
    good: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for one in good[4:]:
        one.reasoning = good[4].reasoning
    findings = worse(found(capsys, write(tmp_path / "cot.jsonl", good), code=0))
    assert findings == {"9 of 14 explanations (64%) are copies or near-copies of earlier ones": "warning"}


def test_near_copies_differ_in_few_words_and_other_texts_do_not() -> None:
    import random

    words = [f"word{number}" for number in range(2000)]
    texts = Texts()
    draw = random.Random(0)
    originals = [draw.choices(words, k=120) for _ in range(50)]
    for one in originals:
        texts.add(" ".join(one))
    assert (texts.num_copies, texts.num_near) == (0, 0)
    for one in originals:
        texts.add(" ".join(one).upper() + "!")
    assert (texts.num_copies, texts.num_near) == (50, 0)
    for one in originals:
        texts.add(" ".join([*one, "more"]))
    assert texts.num_copies == 50
    assert texts.num_near >= 30


def prediction(number: int, **changes: Any) -> Prediction:
    label = ("happiness", "anger", "fear")[number % 3]
    words = " ".join(WORDS[(number * 5 + step * 7) % 16] for step in range(12))
    text = f"**Key Observations**: {words}.\n**Overall Emotional Interpretation**: {words[::-1]}.\n"
    values = {"id": f"s{number}", "model": "m", "style": "sections"}
    return Prediction(**values | {"completion": f"{text}**Conclusion**: It is {label}."} | changes)


def test_good_predictions_have_nothing_wrong_with_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "predictions.jsonl", [prediction(number) for number in range(12)])
    assert worse(found(capsys, path, code=0)) == {}


def test_predictions_that_say_nothing_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [prediction(number) for number in range(12)]
    records[1:4] = [prediction(number, completion=text) for number, text in enumerate(["", "Hm.", "fear"], start=1)]
    path = write(tmp_path / "predictions.jsonl", [*records, records[0]])
    assert worse(found(capsys, path, code=1)) == {
        "1 ids occur again: line 13: id: 's0' is already on line 1": "error",
        "1 completions are empty: s1": "warning",
        "1 completions name no emotion that is known: s2": "warning",
        "2 completions are not in the style that was asked for: s2; s3": "warning",
    }


def test_a_model_that_answers_one_and_the_same_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = [prediction(number, completion=prediction(0).completion) for number in range(9)]
    path = write(tmp_path / "predictions.jsonl", [*same, prediction(10), prediction(11)])
    findings = "\n".join(worse(found(capsys, path, code=0)))
    assert "91% of the answers are 'happiness'" in findings or "82% of the answers are 'happiness'" in findings
    assert "9 of 11 answers are word for word the same" in findings


def test_most_answers_without_a_label_are_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "predictions.jsonl", [prediction(number, completion="the the the") for number in range(12)])
    assert "100% of the answers name no emotion" in worse(found(capsys, path, code=1))


def test_a_folder_is_looked_at_for_its_files(
    good: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "cot.jsonl", good)
    write(tmp_path / "predictions.jsonl", [prediction(1)])
    (tmp_path / "cot.rejected.jsonl").write_text("not a sample\n")
    findings = found(capsys, tmp_path, code=0)
    assert {Path(one["where"]).name for one in findings} == {"cot.jsonl", "predictions.jsonl"}


@pytest.mark.parametrize("name", ["thesis.tex", "nothing-here", "empty", "empty.jsonl"])
def test_what_is_nothing_of_ours_is_an_error_with_a_hint(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.jsonl").touch()
    (only,) = worse(found(capsys, tmp_path / name, code=1)).items()
    assert only[1] == "error"


def test_the_table_says_the_worst_first_and_how_many(
    good: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good[9].media, good[10].faces = None, []
    good[11].label = "[bold]joyous contempt[/bold]"
    assert doctor.main([str(write(tmp_path / "cot.jsonl", good))]) == 1
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == str(tmp_path / "cot.jsonl")
    assert [line.split()[0] for line in lines[1:-2]] == ["error", "warning", "warning", "fine", "fine"]
    assert "'[bold]joyous contempt[/bold]'" in lines[1]
    assert lines[-1] == "1 error, 2 warnings, 2 fine"


def test_the_machine_is_looked_at_when_nothing_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    findings = list(machine.check_machine())
    assert any(f"Python {sys.version_info.major}." in one.what for one in findings)
    assert [one.level for one in findings if "threads" in one.what] == ["warning"]
    assert any("GiB free" in one.what for one in findings)


def test_a_compiler_that_deepspeed_needs_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("deepspeed")
    monkeypatch.setenv("PATH", "/nowhere")
    (finding,) = machine.check_compiler()
    assert (finding.level, "c++" in finding.what) == ("error", True)


def test_versions_that_do_not_fit_are_told() -> None:
    pytest.importorskip("packaging")
    wanted = machine._wanted()
    assert wanted["transformers"] == "<6,>=5.18"
    assert machine._fits("5.23.0", wanted["transformers"])
    assert not machine._fits("4.57.1", wanted["transformers"])
