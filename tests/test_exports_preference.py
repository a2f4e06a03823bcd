"""Preference pairs: which refused texts stand against which kept ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from exporting import REASONING, clip, export, lines, reasons, sample, write_with_media

from emollm.answers import parse
from emollm.records import Sample


def refused(name: str, *attempts: object, make: object = sample, **changes: object) -> Sample:
    return make(name, provenance={"generate": {"teacher": "x", "attempts": list(attempts)}}, **changes)


def run(tmp_path: Path, *samples: Sample) -> Path:
    export(write_with_media(tmp_path / "data/cot.jsonl", samples), tmp_path / "out", "--format", "preference")
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("attempt", "reason"),
    [
        ({"text": "read as anger", "stage": "infer"}, "other_stage"),
        ({"text": "The brows are up.", "stage": 3}, "other_stage"),
        ({"text": "", "problems": []}, "no_attempt_text"),
        ({"text": 3}, "no_attempt_text"),
        ("a text", "no_attempt_text"),
        ({"text": '{"observations": "…"}'}, "no_prose"),
        ({"text": "<html><body>502</body></html>"}, "no_prose"),
        ({"text": "brows <|im_end|> up"}, "control_token"),
        ({"text": "brows <image> up"}, "image_placeholder"),
        ({"text": "brows up " * 2000}, "too_long"),
        ({"text": "The brows are up … (14,000 characters)"}, "too_long"),
        (
            {"text": f"{REASONING.observations} {REASONING.interpretation} {REASONING.conclusion}"},
            "same_text",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_attempts_that_teach_nothing_are_left_out(tmp_path: Path, attempt: object, reason: str) -> None:
    out = run(tmp_path, refused("a", attempt))
    assert reasons(out) == {"a": reason}
    assert not (out / "data.jsonl").exists()


@pytest.mark.parametrize("attempts", [None, "none", {"text": "x"}, []])
def test_provenance_of_any_shape_is_read(tmp_path: Path, attempts: object) -> None:
    out = run(tmp_path, sample("a", provenance={"generate": {"attempts": attempts}}))
    assert reasons(out) == {"a": "no_attempts"}


def test_a_text_that_was_refused_twice_makes_one_pair(tmp_path: Path) -> None:
    twice = {"text": "The brows are lowered.", "problems": ["length: 4 words, not 60 to 150"]}
    assert len(lines(run(tmp_path, refused("a", twice, twice)) / "data.jsonl")) == 1


def test_a_tagged_attempt_stands_against_the_kept_text_in_tags(tmp_path: Path) -> None:
    out = run(tmp_path, refused("a", {"text": "<think>The brows are lowered.</think>\n<answer>anger</answer>"}))
    (row,) = lines(out / "data.jsonl")
    chosen = parse(row["chosen"][0]["content"][0]["text"], "basic7")
    assert (chosen.style, chosen.label) == ("think", "happiness")
    assert "<answer></answer>" in row["prompt"][0]["content"][1]["text"]


def test_pairs_of_observations_name_no_emotion_and_offer_none(tmp_path: Path) -> None:
    out = run(tmp_path, refused("a", {"stage": "describe", "text": "The brows are lowered (AU4)."}))
    (row,) = lines(out / "data.jsonl")
    question = row["prompt"][0]["content"][1]["text"]
    assert row["chosen"][0]["content"][0]["text"] == REASONING.observations
    assert "happiness" not in question
    assert "Choose from" not in question


def test_pairs_of_a_clip_ask_about_the_clip_in_a_file_of_their_own(tmp_path: Path) -> None:
    out = run(tmp_path, refused("c", {"text": "The brows are lowered."}, make=clip))
    (row,) = lines(out / "clips.jsonl")
    assert row["prompt"][0]["content"][0] == {"type": "video"}
    assert row["videos"] == ["videos/clips/c.webp"]
    (ranked,) = json.loads((out / "clips.json").read_text())
    assert ranked["conversations"][0]["value"].startswith("<video>\n")
    info = json.loads((out / "dataset_info.json").read_text())
    assert info["emollm_clips"]["columns"]["videos"] == "videos"
    assert set(info) == {"emollm_clips"}


def test_rejected_samples_of_a_list_of_labels_keep_their_list(tmp_path: Path) -> None:
    one = refused("a", {"text": "The brows are lowered."}, label=None, label_set="open", labels=["proud", "happy"])
    (row,) = lines(run(tmp_path, one) / "data.jsonl")
    assert row["label"] == "proud, happy"


def test_the_same_question_stands_before_both_texts(tmp_path: Path) -> None:
    out = run(tmp_path, refused("a", {"text": "The brows are lowered."}))
    (trl,), (ranked,) = lines(out / "data.jsonl"), json.loads((out / "data.json").read_text())
    assert trl["prompt"][0]["content"][1]["text"] == ranked["conversations"][0]["value"].removeprefix("<image>\n")
    assert trl["rejected"][0]["content"][0]["text"] == ranked["rejected"]["value"]


@pytest.mark.slow  # the import of TRL
def test_trl_takes_the_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    trl = pytest.importorskip("trl.data_utils")
    out = run(tmp_path, refused("a", {"text": "The brows are lowered.", "problems": ["length: 4 words"]}))
    monkeypatch.chdir(out)
    data = datasets.load_dataset("json", data_files="data.jsonl", cache_dir=str(tmp_path / "cache"))["train"]
    row = data.cast_column("images", datasets.List(datasets.Image()))[0]
    assert trl.is_conversational(row)
    asked = trl.prepare_multimodal_messages(row["prompt"], images=row["images"])
    assert asked[0]["content"][0]["image"].size == (8, 8)
    assert trl.prepare_multimodal_messages(row["chosen"])[0]["role"] == "assistant"
