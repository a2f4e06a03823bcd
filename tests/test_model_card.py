"""The model card: what it says is in the files, what is not known is said to be not known, and the Hub can read it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from data_engine.generate import main as generate
from emollm.errors import ConfigError, ModelError, SourceError
from emollm.records import AU, Face, Media, Prediction, Sample, encode
from emollm.stage import new_manifest
from emollm.train import card
from eval.score import main as score

yaml = pytest.importorskip("yaml")

FACES = {"happiness": {"AU06": 3.0, "AU12": 4.0}, "anger": {"AU04": 4.0, "AU05": 2.0, "AU07": 3.0, "AU23": 2.0}}


def write(path: Path, records: list[Sample] | list[Prediction]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(encode(record) + b"\n" for record in records))
    return path


def header(**tensors: list[int]) -> bytes:
    """A safetensors file of zeros."""
    entries: dict[str, Any] = {}
    end = 0
    for name, shape in tensors.items():
        size = 4 * shape[0] * shape[1]
        entries[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + bytes(end)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with samples, what `generate` wrote of them, a model that learnt from it, and its scores."""
    monkeypatch.chdir(tmp_path)
    samples = [
        Sample(
            id=f"s{number}",
            media=Media(kind="image", path=f"{number}.png"),
            subject=f"p{number // 4}",
            split="test" if number >= 32 else "train",
            groups={"age": "60+" if number % 3 else "20-39"},
            faces=[Face(aus={code: AU(value=value, kind="intensity") for code, value in FACES[label].items()})],
            label_set="basic7",
            label=label,
            provenance={"layout": {"dataset": "Faces of Nobody", "licence": "research only"}},
        )
        for number, label in enumerate(["happiness", "anger"] * 20)
    ]
    source = write(tmp_path / "data/samples.jsonl", [*samples, Sample(id="faceless", split="train")])
    generate([str(source), "-o", "data/cot.jsonl"])
    said = {label: f"The lip corners are raised. The expression is {label}." for label in FACES}
    predictions = [
        Prediction(id=one.id, completion=said["happiness"], model="runs/sft", style="sections")
        for one in samples
        if one.split == "test"
    ]
    write(tmp_path / "predictions.jsonl", predictions)
    score(["predictions.jsonl", str(source), "-o", "scores", "--split", "test", "--no-report", "--num-resamples", "50"])
    make_run(tmp_path / "runs/sft", {"model": "Qwen/Qwen2.5-VL-3B-Instruct", "train_file": "data/cot.jsonl"})
    return tmp_path


def make_run(folder: Path, options: dict[str, Any]) -> None:
    """What a training leaves behind, as far as a card reads it."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"architectures": ["Tiny"], "text_config": {"hidden_size": 64}}))
    (folder / "model.safetensors").write_bytes(header(embed=[10, 64], head=[10, 64]))
    all_options = {"split": "train", "styles": {"sections": 1.0}, "learning_rate": 0.002, "media_root": None} | options
    manifest = new_manifest("sft", all_options, [Path(options["train_file"])])
    manifest |= {"status": "done", "steps": 4, "loss": 1.5, "rows": {"sections": 32}, "refused": {"no_label": 1}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    lines = [{"step": step, "loss": 4.0 / step, "learning_rate": 0.002} for step in (1, 2, 3, 4)]
    (folder / "train_log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def written(folder: str, *options: str) -> str:
    output = Path("card.md")
    assert card.main(["--model", folder, "-o", str(output), "--overwrite", *options]) == 0
    return output.read_text(encoding="utf-8")


def part(text: str, heading: str) -> str:
    """Return the section under a heading."""
    (found,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return str(found)


def row(text: str, first: str) -> list[str]:
    """Return the cells of the table line that begins with a cell."""
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def front(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return found


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


@pytest.mark.usefixtures("house")
def test_what_was_learnt_from_is_counted_and_traced_to_its_sources() -> None:
    text = part(written("runs/sft"), "Training data")
    assert row(text, "Faces of Nobody") == ["Faces of Nobody", "research only", "32"]
    assert row(text, "happiness")[1] == "16"
    assert "32 samples, 8 people." in text
    assert row(text, "`cot.jsonl`")[2] == "generate"
    assert row(text, "`cot.jsonl`")[4] == "no\\_aus 1"
    assert row(text, "`samples.jsonl`")[2:] == ["not known", "", "not known"]
    assert "written by: rules 32" in text


@pytest.mark.usefixtures("house")
def test_the_training_is_told_as_its_manifest_and_log_tell_it() -> None:
    text = part(written("runs/sft"), "Training procedure")
    assert "carried out to its end, 4 steps, mean loss 1.5." in text
    assert row(text, "`learning_rate`")[1] == "0.002"
    assert row(text, "`train_file`")[1] == "data/cot.jsonl"
    assert [row(text, str(step))[1] for step in (1, 2, 4)] == ["4", "2", "1"]
    assert "Samples it left out: no\\_label 1." in text
    assert "`media_root`" not in text


def test_folders_of_this_machine_are_not_told(house: Path) -> None:
    make_run(house / "runs/two", {"model": str(house / "runs/sft"), "train_file": str(house / "data/cot.jsonl")})
    text = written("runs/two", "--score", "scores")
    assert str(house) not in text
    assert row(part(text, "Model details"), "trained by")[1] == "`train sft`, then `train sft`"
    assert row(part(text, "Model details"), "began from")[1] == "Qwen/Qwen2.5-VL-3B-Instruct"


def test_a_file_that_has_changed_is_not_described(house: Path) -> None:
    with (house / "data/cot.jsonl").open("ab") as file:
        file.write(encode(Sample(id="new", split="train")) + b"\n")
    text = written("runs/sft")
    assert "its labels, sources and licences are not known here" in part(text, "Training data")
    assert "Faces of Nobody" not in text
    with pytest.raises(ConfigError, match=r"cot\.jsonl: is not what the training read \(cot\.jsonl\)"):
        written("runs/sft", "--data", "data/cot.jsonl")


def test_a_file_that_was_moved_is_found_where_it_is_named(house: Path) -> None:
    (house / "away").mkdir()
    for name in ("cot.jsonl", "cot.manifest.json", "samples.jsonl"):
        shutil.move(house / "data" / name, house / "away" / name)
    assert "not known here" in part(written("runs/sft"), "Training data")
    assert row(part(written("runs/sft", "--data", "away/cot.jsonl"), "Training data"), "happiness")[1] == "16"


@pytest.mark.usefixtures("house")
def test_people_and_samples_that_were_learnt_from_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    text = part(written("runs/sft", "--score", "scores"), "Evaluation data")
    assert "Of its samples 0 were learnt from in `cot.jsonl` (train); 0 of its people were learnt from." in text
    manifest = json.loads(Path("runs/sft/manifest.json").read_text())
    manifest["options"]["split"] = None
    Path("runs/sft/manifest.json").write_text(json.dumps(manifest))
    text = part(written("runs/sft", "--score", "scores"), "Evaluation data")
    assert "Of its samples 8 were learnt from in `cot.jsonl`; 2 of its people were learnt from." in text
    assert "warning: scores: 8 of the scored samples were learnt from" in capsys.readouterr().err


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
