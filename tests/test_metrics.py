"""The metrics on cases computed by hand, and on the extremes that every metric must reach."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emollm.claims.checker import VERDICTS
from eval.metrics import METRICS, Counts, Tally, tally, total
from eval.metrics.labels import class_f1, class_precision, class_recall
from eval.scored import Scored, ScoredClaim
from eval.summary import known_aus

CASES = sorted((Path(__file__).parent / "data" / "metrics").glob("*.json"))


def claims_of(numbers: Sequence[int]) -> tuple[ScoredClaim, ...]:
    said = [verdict for verdict, n in zip(VERDICTS, numbers, strict=True) for _ in range(n)]
    return tuple(ScoredClaim(text="", start=0, end=0, aus=("AU12",), present=True, verdict=v) for v in said)


def row_of(number: int, case: dict[str, Any]) -> Scored:
    kinds = ("hits", "false_alarms", "misses", "rejections")
    measured = "set_f1" in case
    words = case.get("words", 1)
    gold, predicted = case.get("gold"), case.get("predicted")
    return Scored(
        id=str(number),
        completion=None if words is None else "word " * words,
        gold=gold,
        predicted=predicted,
        correct=None if gold is None else gold == predicted,
        gold_labels=() if "labels_f1" in case else None,
        labels_f1=float(Fraction(case["labels_f1"])) if "labels_f1" in case else None,
        well_formed=case.get("well_formed", False),
        au_set_f1=float(Fraction(case["set_f1"])) if measured else None,
        claims=claims_of(case.get("claims", (0, 0, 0))),
        omitted=tuple(case.get("omitted", ())),
        **{f"au_{kind}": tuple(case.get(kind, ())) if measured else None for kind in kinds},
    )


def counts_of(cases: list[dict[str, Any]], labels: list[str]) -> Tally:
    rows = [row_of(number, case) for number, case in enumerate(cases)]
    return tally(rows, labels, known_aus(rows))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_golden_case(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    counts = total(counts_of(case["rows"], case["labels"]))
    for name, expected in case["expect"].items():
        value = float(METRICS[name].function(counts))
        if expected is None:
            assert np.isnan(value), name
        else:
            assert value == pytest.approx(float(Fraction(expected)), abs=1e-12), name


def test_every_metric_has_a_golden_case() -> None:
    covered = {name for path in CASES for name in json.loads(path.read_text(encoding="utf-8"))["expect"]}
    assert covered == set(METRICS)


PERFECT = {
    "labels_f1": 1,
    "predicted": "happiness",
    "hits": ["AU12"],
    "set_f1": 1,
    "claims": [1, 0, 0],
    "well_formed": True,
}
SILENT = {"labels_f1": 0, "words": None, "misses": ["AU12"], "omitted": ["AU12"], "set_f1": 0}


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.better])
def test_gold_answer_is_best(name: str) -> None:
    counts = total(counts_of([{"gold": "happiness", **PERFECT}], ["happiness", "sadness"]))
    assert METRICS[name].function(counts) == (1 if METRICS[name].better == "higher" else 0)


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.better == "higher"])
def test_no_answer_is_worst(name: str) -> None:
    counts = total(counts_of([{"gold": "happiness", **SILENT}], ["happiness", "sadness"]))
    value = METRICS[name].function(counts)
    assert value == 0 or (name == "claim_precision" and np.isnan(value))  # nothing said, nothing to be wrong about


def test_precision_of_a_label_never_answered_is_unknown_and_its_f1_is_zero() -> None:
    counts = total(counts_of([{"gold": "sadness", "predicted": "happiness"}], ["happiness", "sadness"]))
    assert np.isnan(class_precision(counts)[1])
    assert class_f1(counts)[1] == 0
    assert np.isnan(class_recall(counts)[0])


def test_metrics_of_stacked_counts_are_the_metrics_of_each() -> None:
    right, wrong = ({"gold": "happiness", "predicted": label} for label in ("happiness", "sadness"))
    several = [total(counts_of([row], ["happiness", "sadness"])) for row in (right, wrong, right)]
    stacked = Counts._make(np.stack(blocks) for blocks in zip(*several, strict=True))
    assert METRICS["accuracy"].function(stacked).tolist() == [1, 0, 1]
