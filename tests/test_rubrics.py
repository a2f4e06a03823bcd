"""Rubrics of the field: each file of eval/judge/rubrics is a family that asks its own questions on its own scale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stub_judge import StubJudge

from emollm.records import Prediction, Reasoning, Sample, encode
from eval.judge.rubric import Rubric, read_rubrics
from eval.metrics.families import FAMILIES, choose
from eval.results import Results, read_results
from eval.score import main

pytest.importorskip("aiohttp", reason="the extra `teacher` is not installed")

RUBRICS = {rubric.name: rubric for rubric in read_rubrics()}
SCALES = {"face_llava": (1, 10, 3), "avere": (1, 10, 4), "dfec": (1, 5, 4), "emobench_m": (0, 5, 2), "fea": (1, 10, 1)}
GOLD = Reasoning(observations="He smiles.", interpretation="He speaks softly.", conclusion="He is happy.")


class Rating(StubJudge):
    """Rates the first scale lowest and each one after it a point higher; the second answer is off the scale."""

    def __init__(self, rubric: Rubric) -> None:
        super().__init__()
        self.rubric = rubric
        self.keeps = True

    def verdict(self, prompt: str, *_: Any) -> dict[str, Any] | str:
        low, high = self.rubric.scale
        rated = {one.name: low + place for place, one in enumerate(self.rubric.questions)}
        if "lips, 1" in prompt:
            rated[self.rubric.questions[0].name] = high + 1
        return {"because": "", **rated}


def score(folder: Path, url: str, name: str) -> Results:
    samples = [Sample(id=f"s{n}", reasoning=GOLD) for n in range(3)]
    answers = [Prediction(id=f"s{n}", completion=f"Pressed lips, {n}.", model="m") for n in range(3)]
    paths = [folder / "predictions.jsonl", folder / "samples.jsonl"]
    for path, records in zip(paths, (answers, samples), strict=True):
        path.write_bytes(b"".join(encode(record) + b"\n" for record in records))
    judge = ["--metrics", name, "--judge-model", "stub", "--judge-base-url", url]
    assert main([*map(str, paths), "-o", str(folder / name), "--num-resamples", "50", "--no-report", *judge]) == 0
    return read_results(folder / name)


def test_the_families_of_the_field_are_there() -> None:
    told = {name: (*rubric.scale, len(rubric.questions)) for name, rubric in RUBRICS.items()}
    assert told == SCALES
    assert not {family.name for family in choose("auto")} & set(SCALES)  # they cost money


@pytest.mark.parametrize("name", SCALES)
def test_each_scale_is_asked_and_read(name: str, tmp_path: Path) -> None:
    rubric = RUBRICS[name]
    with Rating(rubric) as endpoint:
        results = score(tmp_path, endpoint.url, name)
        bodies = [json.loads(body) for _, _, body in endpoint.requests]
    low, high = rubric.scale
    for place, one in enumerate(rubric.questions):
        number = results.metrics[f"{name}_{one.name}"]
        assert (number.value, number.num_samples) == (low + place, 2)
        assert all(one.question in body["messages"][0]["content"] for body in bodies)
    assert results.metrics[f"{name}_coverage"].value == pytest.approx(2 / 3)
    assert all(f"{low}, {high}" in body["messages"][0]["content"] for body in bodies)
    allowed = bodies[0]["response_format"]["json_schema"]["schema"]["properties"][rubric.questions[0].name]["enum"]
    assert allowed == list(range(low, high + 1))
    assert list(results.families) == [name]
    assert results.definitions[f"{name}_{rubric.questions[0].name}"].source == rubric.source


@pytest.mark.parametrize("name", SCALES)
def test_the_scale_is_part_of_every_definition(name: str) -> None:
    low, high = RUBRICS[name].scale
    for one in RUBRICS[name].questions:
        assert f"{low} to {high}" in FAMILIES[name].metrics[f"{name}_{one.name}"].definition
