"""Published numbers beside ours: only where they fit, each with its source and its caveats."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from emollm.errors import ConfigError
from emollm.labels import LABEL_SETS
from eval.benchmarks import BENCHMARKS
from eval.metrics import METRICS
from eval.metrics.families import METRIC_FAMILY
from eval.protocols import PROTOCOLS
from eval.score import main


def scored(folder: Path, *options: str, layout: str | None = "rafdb", label_set: str = "basic7") -> str:
    """Score one right answer and return the report."""
    sample: dict[str, Any] = {"id": "1", "label": "happiness", "label_set": label_set}
    if layout is not None:
        sample["provenance"] = {"import": {"layout": layout}}
    (folder / "s.jsonl").write_text(json.dumps(sample) + "\n")
    (folder / "p.jsonl").write_text(json.dumps({"id": "1", "completion": "happiness", "model": "ours"}) + "\n")
    output = folder / "scores"
    assert main([str(folder / "p.jsonl"), str(folder / "s.jsonl"), "-o", str(output), "--overwrite", *options]) == 0
    return (output / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark_names_what_there_is(name: str) -> None:
    benchmark = BENCHMARKS[name]
    assert set(benchmark.metrics) <= {*METRICS, *METRIC_FAMILY}
    assert set(benchmark.label_sets or ()) <= set(LABEL_SETS)
    assert benchmark.aus is None or benchmark.aus in PROTOCOLS
    for one in benchmark.published:
        assert one.source
        assert one.values
        assert all(0 < value <= 200 for value in one.values.values())


def test_numbers_of_the_data_set_are_shown_with_source_and_caveats(tmp_path: Path) -> None:
    page = scored(tmp_path)
    assert "Beside published numbers: RAF-DB" in page
    assert "samples here: 1; behind the published numbers: 3,068" in page
    rows = re.findall(r'<th scope="row">([^<]+)<small>[^<]*</small><span class="source">([^<]+)</span>', page)
    assert rows[0][0] == "ours"  # all right: the best stands first
    assert rows[1] == ("ResEmoteNet", "ResEmoteNet, abstract")
    assert (
        "ExpLLM",
        "ExpLLM, IEEE TMM 2025; the label is asked for by itself: no reasoning is written before it",
    ) in rows


@pytest.mark.parametrize(
    ("layout", "label_set", "options"),
    [
        (None, "basic7", ()),
        ("sfew", "basic7", ()),
        ("rafdb", "basic8", ()),
        ("rafdb", "basic7", ("--benchmark", "none")),
        (None, "basic7", ("--benchmark", "emer")),
    ],
    ids=["unknown data set", "nothing published", "other labels", "not wanted", "metric not computed"],
)
def test_numbers_that_do_not_fit_are_not_shown(
    tmp_path: Path, layout: str | None, label_set: str, options: tuple[str, ...]
) -> None:
    assert "Beside published numbers" not in scored(tmp_path, *options, layout=layout, label_set=label_set)


def test_number_of_labels_decides_between_benchmarks_of_one_data_set(tmp_path: Path) -> None:
    assert "AffectNet, 7 emotions" in scored(tmp_path, layout="affectnet")
    assert "AffectNet, 8 emotions" in scored(tmp_path, layout="affectnet", label_set="basic8")


def test_benchmark_that_does_not_fit_is_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--benchmark mafw: its numbers are in the labels mafw11, not basic7"):
        scored(tmp_path, "--benchmark", "mafw")
    with pytest.raises(ConfigError, match="--benchmark disfa8: its numbers are means over --aus disfa8, not all"):
        scored(tmp_path, "--benchmark", "disfa8")
    with pytest.raises(ConfigError, match=r"'rafdbb' is not one of .*did you mean 'rafdb'"):
        scored(tmp_path, "--benchmark", "rafdbb")
