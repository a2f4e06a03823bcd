"""The task for lmms-eval: loaded as lmms-eval loads it, its functions called on documents as `datasets` gives them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from emollm.prompts import ask
from emollm.records import AU, Face, Media, Sample, encode
from eval.pairs import read_pairs

TASK = Path(__file__).parents[1] / "eval" / "handoff" / "lmms_eval"


def load_task() -> dict[str, Any]:
    """Load the task as lmms-eval does: `!function file.name` is a function of the file beside the YAML."""
    yaml = pytest.importorskip("yaml")

    class Loader(yaml.FullLoader):  # type: ignore[name-defined, misc]
        pass

    def import_function(loader: Any, node: Any) -> Any:
        module_name, _, name = loader.construct_scalar(node).rpartition(".")
        spec = importlib.util.spec_from_file_location(module_name, TASK / f"{module_name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return getattr(module, name)

    Loader.add_constructor("!function", import_function)
    [path] = TASK.glob("*.yaml")
    return dict(yaml.load(path.read_text(encoding="utf-8"), Loader))


def test_the_task_asks_shows_and_scores_as_emollm_does(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    task = load_task()
    assert task["dataset_path"] == "text"
    # Without these, lmms-eval takes out the reasoning and cuts the answer at a blank line, before it is scored.
    assert (task["reasoning_tags"], task["generation_kwargs"]["until"]) == ("none", [])
    aus = {"AU04": AU(value=3.0, kind="intensity"), "AU12": AU(value=0.0, kind="intensity")}
    samples = [
        Sample(
            id="a\u2028b", media=Media(kind="image", path="face.png"), text="I am fine.", label="anger",
            label_set="basic7", faces=[Face(aus=aus)],
        ),
        Sample(id="clip", media=Media(kind="video", path="clip.mp4"), labels=["happy", "moved"]),
        Sample(id="bare", label="fear", label_set="basic7"),
    ]  # fmt: skip
    Image.new("RGBA", (32, 32)).save(tmp_path / "face.png")
    path = tmp_path / "samples.jsonl"
    path.write_bytes(b"".join(encode(sample) + b"\n" for sample in samples))
    kwargs = task["dataset_kwargs"] | {"data_files": {"test": str(path)}}
    docs = datasets.load_dataset(task["dataset_path"], cache_dir=str(tmp_path / "cache"), **kwargs)[task["test_split"]]
    assert len(docs) == 3

    options = task["lmms_eval_specific_kwargs"]["default"] | {"media_root": str(tmp_path)}
    assert [task["doc_to_text"](doc, options) for doc in docs] == [
        ask("think", "basic7", text="I am fine."), ask("think", kind="video"), ask("think", "basic7"),
    ]  # fmt: skip
    [picture], clip, nothing = (task["doc_to_visual"](doc, options) for doc in docs)
    assert (picture.mode, picture.size) == ("RGB", (32, 32))
    assert (clip, nothing) == ([str(tmp_path / "clip.mp4")], [])
    assert [task["doc_to_target"](doc) for doc in docs] == ["anger", "happy, moved", "fear"]

    answers = [
        "<think>The brows are lowered, with a broad smile.</think><answer>anger</answer>",
        "<think>A smile.</think><answer>happy</answer>",
        "<think>Nothing.</think><answer>anger</answer>",
    ]
    results = [task["process_results"](doc, [said]) for doc, said in zip(docs, answers, strict=True)]
    assert results == [
        {
            "sample_id": "a\u2028b",
            "emollm_label": {"id": "a\u2028b", "score": 1.0},
            "emollm_claims": {"id": "a\u2028b", "score": 0.5},
        },
        {"sample_id": "clip"},
        {"sample_id": "bare", "emollm_label": {"id": "bare", "score": 0.0}},
    ]
    aggregations = {metric["metric"]: metric["aggregation"] for metric in task["metric_list"]}
    collected = {name: [one[name] for one in results if name in one] for name in aggregations}
    means = {name: aggregations[name](items) for name, items in collected.items()}
    assert means == {"emollm_label": 0.5, "emollm_claims": 0.5}

    logged = [
        {"doc_id": n, "target": task["doc_to_target"](docs[n]), "filtered_resps": answers[n], "doc_hash": "0f"} | one
        for n, one in enumerate(results)
    ]
    log = tmp_path / "20260801_120000_samples_emollm_faces.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in logged), encoding="utf-8")
    pairs = read_pairs(log, path, split=None, limit=None)
    assert [pairs.predictions[sample.id].completion for sample in samples] == answers
