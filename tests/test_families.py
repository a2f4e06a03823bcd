"""Families of metrics: golden cases as data, sums that add up, and what every family must have."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emollm.errors import ConfigError
from eval.metrics import METRICS
from eval.metrics.families import FAMILIES, choose
from eval.metrics.family import whole

DATA = Path(__file__).parent / "data" / "families"
CASES = [
    pytest.param(name, case, id=f"{name}-{number}")
    for name in FAMILIES
    for number, case in enumerate(json.loads((DATA / f"{name}.json").read_text(encoding="utf-8")))
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_golden_case(name: str, case: dict[str, Any]) -> None:
    family = FAMILIES[name]
    sums = whole(family, [None if line is None else tuple(line) for line in case["lines"]])
    for metric, expected in case["expect"].items():
        check(family.metrics[metric].function(sums), [expected], case, metric)
    for metric, expected in case.get("each", {}).items():
        each = family.metrics[metric].each
        assert each is not None
        check(each.function(sums), expected, case, metric)


def check(values: Any, expected: list[Any], case: dict[str, Any], metric: str) -> None:
    right = [np.nan if one is None else float(Fraction(one)) for one in expected]
    assert np.atleast_1d(values) == pytest.approx(right, abs=case.get("tolerance", 1e-12), nan_ok=True), metric


@pytest.mark.parametrize("name", FAMILIES)
def test_every_metric_has_a_golden_case_and_a_name_of_its_own(name: str) -> None:
    cases = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    assert {metric for case in cases for metric in case["expect"]} == set(FAMILIES[name].metrics)
    others = [set(family.metrics) for family in FAMILIES.values() if family.name != name]
    assert not set(FAMILIES[name].metrics) & set(METRICS).union(*others)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_metrics_of_stacked_sums_are_the_metrics_of_each(name: str, case: dict[str, Any]) -> None:
    family = FAMILIES[name]
    lines = [None if line is None else tuple(line) for line in case["lines"]]
    sums = whole(family, lines)
    stacked = np.stack([sums, whole(family, lines[:1]), sums])
    for metric in family.metrics.values():
        np.testing.assert_array_equal(metric.function(stacked)[[0, 2]], [metric.function(sums)] * 2)


def test_families_are_chosen_by_name() -> None:
    assert [family.name for family in choose("auto")] == [
        n for n, family in FAMILIES.items() if not family.is_asked_for
    ]
    assert choose("none") == []
    with pytest.raises(ConfigError, match="did you mean 'dimensional'"):
        choose("dimensonal")
