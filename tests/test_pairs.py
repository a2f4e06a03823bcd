"""Pairs for DPO: read from a file, or chosen among completions, and why some are left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyarrow")

from exporting import REASONING, export, sample, write_with_media
from paired import line, write_paid

from emollm.errors import RecordError
from emollm.prompts import ask
from emollm.records import Sample, read_records
from emollm.train.pairs import Choosing, pairs_of_completions, read_pairs


def test_what_export_writes_is_taken(tmp_path: Path) -> None:
    attempt = {"text": "The brows are lowered.", "problems": ["length: 4 words"]}
    told = {"generate": {"teacher": "x", "attempts": [attempt, attempt | {"stage": "describe", "text": "A frown."}]}}
    cot = write_with_media(tmp_path / "cot.jsonl", [sample("a", provenance=told)])
    assert export(cot, tmp_path / "out", "--format", "preference") == 0
    pairs, refused = read_pairs(tmp_path / "out" / "data.jsonl", tmp_path / "out")
    assert not refused
    assert [pair.rejected for pair in pairs] == ["The brows are lowered.", "A frown."]
    assert pairs[1].chosen == REASONING.observations
    assert pairs[0].id == "a"
    assert Path(pairs[0].picture).is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": ["../x.png"]}, "'../x.png' leads out of"),
        ({"images": []}, "images: must name one picture, not 0"),
        ({"prompt": [{"role": "assistant", "content": "?"}]}, "prompt: must be one message of the user"),
        ({"chosen": "yes"}, r"Expected `array`, got `str` - at `\$.chosen`"),
        ({"chosen": []}, "chosen: must be one message of the assistant"),
    ],
)
def test_a_line_that_is_no_pair_is_named(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("\n" + json.dumps(line("toy1", "?", "a", "b") | changes))
    with pytest.raises(RecordError, match=rf"data\.jsonl:2: .*{message}"):
        read_pairs(path, tmp_path)


def test_pairs_that_teach_nothing_are_counted(toy_file: Path) -> None:
    path = toy_file.with_name("bad.jsonl")
    bad = [line("toy1", "?", "a", "a "), line("toy1", "?", "", "b"), line("toy999", "?", "a", "b")]
    kept = line("toy2", "?", "a", "b", prompt=[{"role": "user", "content": "as a string"}])
    path.write_text("".join(json.dumps(entry) + "\n" for entry in [*bad, kept]))
    pairs, refused = read_pairs(path, path.parent)
    assert refused == {"same_text": 1, "no_text": 1, "bad_picture": 1}
    assert [pair.question for pair in pairs] == ["as a string"]


def test_the_best_of_a_group_stands_against_the_worst(tmp_path: Path, toy_file: Path) -> None:
    completions = write_paid(tmp_path)
    samples = list(read_records(toy_file, Sample))
    pairs, refused = pairs_of_completions(completions, samples, toy_file.parent, Choosing(margin=0.5))
    assert refused == {"too_alike": 2, "not_whole": 2, "no_sample": 2, "not_paid": 2}
    (pair,) = pairs  # what was said in both steps is one pair
    assert pair.question == ask("sections", "basic7", 1)
    assert "happiness" in pair.chosen
    assert "sadness" in pair.rejected
    assert Path(pair.picture) == toy_file.parent / "0.png"
    assert len(pairs_of_completions(completions, samples, toy_file.parent, Choosing(margin=0.05))[0]) == 2
    assert not pairs_of_completions(completions, samples, toy_file.parent, Choosing(style="think"))[0]
