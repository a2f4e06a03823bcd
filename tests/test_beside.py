"""Runs beside each other: one table, printed and in the report, with paired differences to the run that is scored."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emollm.errors import ConfigError, EmoLLMError
from emollm.records import AU, Face, Prediction, Sample, encode
from eval.score import main

SMILE = {code: AU(value=value, kind="intensity") for code, value in (("AU06", 3.0), ("AU12", 3.0), ("AU04", 0.0))}
TRUE = "<think>The cheeks are raised and the lip corners are pulled up.</think><answer>happiness</answer>"
FALSE = "<think>The brows are lowered.</think><answer>anger</answer>"


def samples(num: int = 20) -> list[Sample]:
    return [
        Sample(id=str(n), subject=f"s{n // 2}", label_set="basic7", label="happiness", faces=[Face(aus=SMILE)])
        for n in range(num)
    ]


def score(folder: Path, name: str, completions: list[str], *options: str) -> Path:
    """Score one completion a sample, and return the folder of the scores."""
    answers = [
        Prediction(id=str(n), completion=said, model=f"<{name}>", style="think") for n, said in enumerate(completions)
    ]
    predictions, gold = folder / f"{name}.jsonl", folder / "samples.jsonl"
    predictions.write_bytes(b"".join(encode(answer) + b"\n" for answer in answers))
    gold.write_bytes(b"".join(encode(sample) + b"\n" for sample in samples(len(answers))))
    assert main([str(predictions), str(gold), "-o", str(folder / name), "--num-resamples", "100", *options]) == 0
    return folder / name


def test_a_run_is_put_beside_others_on_the_terminal_and_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weak = score(tmp_path, "weak", [FALSE] * 20, "--no-report")
    half = score(tmp_path, "half", [TRUE, FALSE] * 10, "--no-report")
    capsys.readouterr()
    strong = score(tmp_path, "strong", [TRUE] * 20, "--beside", str(weak), str(half))
    said = capsys.readouterr().out.splitlines()
    table = said[next(n for n, line in enumerate(said) if line.endswith("Right for true reasons")) :]
    firsts = [re.split("  +", line.strip())[:2] for line in table[1:]]
    assert firsts == [
        ["weak", "0.0 (0.0 – 0.0)"],
        ["strong - weak", "+100.0 (+100.0 – +100.0)"],
        ["half", "50.0 (50.0 – 50.0)"],  # every person once right, once wrong
        ["strong - half", "+50.0 (+50.0 – +50.0)"],
        ["strong", "100.0 (100.0 – 100.0)"],
    ]
    page = (strong / "report.html").read_text()
    section = page[page.index("Beside other runs") :]
    section = section[: section.index("</section>")]
    assert section.count("<tr>") == 4
    assert "+100.0 (+100.0 – +100.0)" in section
    assert "&lt;weak&gt;" in section
    assert "<weak>" not in section


def test_a_report_without_others_has_no_such_section(tmp_path: Path) -> None:
    assert "Beside other runs" not in (score(tmp_path, "alone", [TRUE] * 4) / "report.html").read_text()


def test_what_cannot_be_compared_leaves_the_old_scores_alone(tmp_path: Path) -> None:
    other = score(tmp_path, "other", [TRUE] * 6, "--no-report")
    mine = score(tmp_path, "mine", [FALSE] * 4, "--no-report")
    before = (mine / "results.json").read_bytes()
    with pytest.raises(ConfigError, match="not comparable: other samples"):
        score(tmp_path, "mine", [FALSE] * 4, "--beside", str(other))
    with pytest.raises(EmoLLMError, match="nowhere"):
        score(tmp_path, "mine", [FALSE] * 4, "--beside", str(tmp_path / "nowhere"))
    assert (mine / "results.json").read_bytes() == before
