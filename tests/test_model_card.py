"""The model card: what it says is in the files, what is not known is said to be not known, and the Hub can read it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

pytest.importorskip("yaml")

from card_house import build_house, front, make_run, part, row, written

from emollm.errors import ConfigError, ModelError, SourceError
from emollm.train import card


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with samples, what `generate` wrote of them, a model that learnt from it, and its scores."""
    monkeypatch.chdir(tmp_path)
    build_house(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("house")
def test_the_sections_of_mitchell_et_al_are_there() -> None:
    text = written("runs/sft", "--score", "scores")
    wanted = ["Model details", "Intended use", "How to use", "Factors", "Training data", "Training procedure"]
    wanted += ["Metrics", "Evaluation data", "Results", "Ethical considerations", "Caveats and limits"]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == wanted
    assert "expression is consistent with" in " ".join(text.split())
    assert "Art. 5(1)(f)" in part(text, "Intended use")


@pytest.mark.usefixtures("house")
def test_the_hub_reads_the_front_matter() -> None:
    hub = pytest.importorskip("huggingface_hub")
    text = written("runs/sft", "--score", "scores", "--license", "CC BY-NC 4.0")
    told = front(text)
    assert (told["license"], told["pipeline_tag"], told["library_name"]) == (
        "cc-by-nc-4.0",
        "image-text-to-text",
        "transformers",
    )
    assert (told["base_model"], told["base_model_relation"]) == ("Qwen/Qwen2.5-VL-3B-Instruct", "finetune")
    results = json.loads(Path("scores/results.json").read_text())
    read = {one.metric_type: one.metric_value for one in hub.ModelCard(text).data.eval_results}
    assert read["accuracy"] == results["metrics"]["accuracy"]["value"] == 0.5
    assert "labels_f1" not in read
    assert told["language"] == ["en"]


@pytest.mark.usefixtures("house")
def test_labels_and_explanations_stand_side_by_side_with_intervals_and_per_group() -> None:
    text = part(written("runs/sft", "--score", "scores"), "Results")
    results = json.loads(Path("scores/results.json").read_text())
    cells = row(text, "Accuracy")
    assert cells[0::2] == ["Accuracy", "Claim precision"]
    low, high = (100 * results["metrics"]["accuracy"][end] for end in ("low", "high"))
    assert cells[1] == f"50.0 % [{low:.1f}, {high:.1f}]"
    for age, numbers in results["groups"]["age"].items():
        assert row(text, age)[2].startswith(f"{100 * numbers['accuracy']['value']:.1f} %")
    assert row(text, "label right")[1:] == ["4 of 8 (50.0 %)", "0 of 8 (0.0 %)"]
    assert "Guessing evenly among the 7 labels would be right in 14.3 %" in text


def test_folders_of_this_machine_are_not_told(house: Path) -> None:
    make_run(house / "runs/two", {"model": str(house / "runs/sft"), "train_file": str(house / "data/cot.jsonl")})
    text = written("runs/two", "--score", "scores")
    assert str(house) not in text
    assert row(part(text, "Model details"), "trained by")[1] == "`train sft`, then `train sft`"
    assert row(part(text, "Model details"), "began from")[1] == "Qwen/Qwen2.5-VL-3B-Instruct"


@pytest.mark.usefixtures("house")
def test_scores_of_a_model_of_another_name_are_pointed_out(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree("runs/sft", "runs/other")
    text = part(written("runs/other", "--score", "scores"), "Evaluation data")
    assert "`runs/sft`, while the folder of this model is called `other`" in text
    assert "is that other?" in capsys.readouterr().err


@pytest.mark.usefixtures("house")
def test_what_is_not_known_is_said_to_be_not_known() -> None:
    Path("runs/sft/manifest.json").unlink()
    text = written("runs/sft")
    assert "Nothing was measured, or nobody said where" in part(text, "Metrics")
    assert "What the model learnt from is not known" in part(text, "Training data")
    assert "Not known: there is no manifest" in part(text, "Training procedure")
    assert row(part(text, "Model details"), "began from")[1] == "not known"
    assert row(part(text, "Model details"), "licence")[1].startswith("not stated")
    assert "How often it is right is not known." in part(text, "Caveats and limits")
    assert "model-index" not in front(text)


@pytest.mark.usefixtures("house")
def test_a_merged_model_remembers_its_training_when_the_run_is_gone() -> None:
    shutil.copytree("runs/sft", "merged", ignore=shutil.ignore_patterns("train_log.jsonl"))
    training = json.loads(Path("runs/sft/manifest.json").read_text())
    options = {"model": "Qwen/Qwen2.5-VL-3B-Instruct", "adapter": "runs/sft", "dtype": "auto"}
    merge = {"stage": "merge", "options": options, "parity": "logits differ by 1e-6", "training": training}
    Path("merged/manifest.json").write_text(json.dumps(merge))
    shutil.rmtree("runs")
    text = written("merged")
    assert row(part(text, "Model details"), "kind")[1] == "whole model, merged"
    assert "merged into the base: logits differ by 1e-6." in part(text, "Training procedure")
    assert "there is no curve" in part(text, "Training procedure")
    assert row(part(text, "Training data"), "Faces of Nobody")[2] == "32"


@pytest.mark.usefixtures("house")
def test_the_same_files_give_the_same_card() -> None:
    assert written("runs/sft", "--score", "scores") == written("runs/sft", "--score", "scores")


@pytest.mark.usefixtures("house")
def test_a_card_that_somebody_wrote_is_kept_and_a_stub_is_not() -> None:
    readme = Path("runs/sft/README.md")
    readme.write_text("---\ntags:\n- generated_from_trainer\n---\n[More Information Needed]\n")
    assert card.main(["--model", "runs/sft"]) == 0
    assert card.main(["--model", "runs/sft"]) == 0
    readme.write_text(readme.read_text() + "\nOur own words.\n")
    with pytest.raises(ConfigError, match="says something else; use --overwrite"):
        card.main(["--model", "runs/sft"])
    assert "Our own words." in readme.read_text()


@pytest.mark.usefixtures("house")
def test_names_in_the_data_are_no_markdown() -> None:
    results = json.loads(Path("scores/results.json").read_text())
    results["groups"] = {"a|b": {"<b>x</b> | y": results["groups"]["age"]["60+"]}}
    Path("scores/results.json").write_text(json.dumps(results))
    text = written("runs/sft", "--score", "scores", "--name", '"quoted": <script> # - [x]')
    assert front(text)["model-index"][0]["name"] == '"quoted": <script> # - [x]'
    assert "<script>" not in text.split("---\n")[2].partition("## How to use")[0]
    assert "&lt;b&gt;x&lt;/b&gt; \\| y" in text


@pytest.mark.parametrize(
    ("model", "options", "kind", "message"),
    [
        ("data", [], ModelError, "holds no model"),
        ("runs/sft", ["--score", "data"], SourceError, r"data: has no results\.json"),
    ],
)
@pytest.mark.usefixtures("house")
def test_what_is_no_model_and_no_score_is_one_line(
    model: str, options: list[str], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        written(model, *options)
