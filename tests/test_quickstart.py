from __future__ import annotations

from pathlib import Path

import pytest

from emollm import quickstart
from emollm.errors import MissingExtraError
from emollm.quickstart import PROFILES, Profile, main, pipeline, recipe_folder
from emollm.records import Prediction, read_records


def test_every_recipe_of_the_pipeline_is_there(tmp_path: Path) -> None:
    steps = pipeline(tmp_path, PROFILES["small"], seed=0)
    recipes = [
        Path(step.arguments[step.arguments.index("--config") + 1]) for step in steps if step.arguments[0] == "train"
    ]
    assert [recipe.name for recipe in recipes] == ["base.yaml", "sft.yaml"]
    assert all(recipe.is_file() and recipe.is_relative_to(recipe_folder()) for recipe in recipes)


def test_a_missing_extra_is_named_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quickstart, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emollm\[train\]'"):
        main(["--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_whole_pipeline_runs_and_a_rerun_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(PROFILES, "small", Profile(faces=60, test_share=0.1, eye_steps=2, gaze_steps=2, train_steps=2))
    arguments = ["--out", str(tmp_path), "--profile", "small"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "guessing would give 14%" in said
    assert str(tmp_path / "score" / "report.html") in said
    predictions = list(read_records(tmp_path / "predictions.jsonl", Prediction))
    assert predictions
    assert (tmp_path / "messages" / "manifest.json").is_file()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    assert before
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")} == before
    assert list(read_records(tmp_path / "predictions.jsonl", Prediction)) == predictions
