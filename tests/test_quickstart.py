from __future__ import annotations

import re
from pathlib import Path

import pytest

from emollm import quickstart
from emollm.errors import MissingExtraError
from emollm.quickstart import PEOPLE, PROFILES, Profile, ceiling, main, pipeline, prototype_label, recipe_folder
from emollm.records import AU, Face, Prediction, Sample, read_records


def test_every_recipe_of_the_pipeline_is_there(tmp_path: Path) -> None:
    steps = pipeline(tmp_path, PROFILES["small"], seed=0)
    recipes = [
        Path(step.arguments[step.arguments.index("--config") + 1]) for step in steps if step.arguments[0] == "train"
    ]
    assert [recipe.name for recipe in recipes] == ["sft.yaml", "grpo.yaml"]
    assert all(recipe.is_file() and recipe.is_relative_to(recipe_folder()) for recipe in recipes)


def test_a_missing_extra_is_named_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quickstart, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'emollm\[train\]'"):
        main(["--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_the_base_has_seen_nobody_of_the_quickstart() -> None:
    first, stop = map(int, PEOPLE.split(":"))
    taught = (recipe_folder() / "emollm-tiny" / "base.yaml").read_text()
    found = re.search(r"--identities (\d+):(\d+)", taught)
    assert found is not None
    assert first < stop <= int(found[1]) < int(found[2])


def test_the_ceiling_is_what_the_exact_action_units_tell() -> None:
    def face(label: str, *codes: str) -> Sample:
        aus = {code: AU(value=3.0 if code in codes else 0.0, kind="intensity") for code in (*codes, "AU09", "AU45")}
        return Sample(id="x", label_set="basic7", label=label, faces=[Face(aus=aus)])

    told = [face("happiness", "AU06", "AU12"), face("neutral"), face("sadness", "AU01", "AU04", "AU15")]
    assert ceiling(told) == 1.0
    assert ceiling([*told, face("fear", "AU06", "AU12")]) == 0.75  # drawn as fear, and nothing of it shows
    assert prototype_label(face("disgust", "AU09")) == "disgust"


@pytest.mark.slow
def test_the_whole_pipeline_runs_and_a_rerun_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(PROFILES, "small", Profile(faces=60, test_share=0.1, sft_steps=2, grpo_steps=1))
    arguments = ["--out", str(tmp_path), "--profile", "small"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "Guessing would give 14.3%" in said
    steps = re.findall(
        r"^(?:Accuracy)? +(\w+ → \w+)", said[said.index("Accuracy", said.index(" runs ")) :], re.MULTILINE
    )
    assert steps[:3] == ["base → sft", "sft → grpo", "grpo → blank"]
    page = tmp_path / "score" / "compared.html"
    assert str(page) in said
    assert "(blank pictures)" in page.read_text()
    assert str(tmp_path / "score" / "grpo" / "report.html") in said
    answers = {
        path.stem: [answer.completion for answer in read_records(path, Prediction)]
        for path in sorted((tmp_path / "predictions").glob("*.jsonl"))
    }
    assert list(answers) == ["base", "blank", "grpo", "sft"]
    assert answers["base"]
    assert (tmp_path / "messages" / "manifest.json").is_file()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")}
    assert before
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.safetensors")} == before
    again = [answer.completion for answer in read_records(tmp_path / "predictions" / "grpo.jsonl", Prediction)]
    assert again == answers["grpo"]
