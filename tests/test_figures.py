"""Numbers as text: as many digits for those that stand side by side."""

from __future__ import annotations

import math

import pytest

from eval.differences import Difference
from eval.report.figures import amount, change_cells, interval
from eval.results import Number


@pytest.mark.parametrize(
    ("low", "high", "unit", "expected"),
    [
        (0.99996, 1.0, "number", "1.000 – 1.000"),
        (-0.2, 1.0, "number", "-0.200 – 1.000"),
        (0.4512, 0.9, "number", "0.451 – 0.900"),
        (6.5, 8.25, "number", "6.50 – 8.25"),
        (0.5, 12.34, "words", "0.5 – 12.3"),
        (0.791, 1.0, "share", "79.1 – 100.0"),
    ],
)
def test_both_ends_of_an_interval_have_as_many_digits(low: float, high: float, unit: str, expected: str) -> None:
    assert interval(Number(value=low, low=low, high=high, num_samples=9, num_clusters=9), unit) == expected


def test_what_is_not_known_is_a_dash() -> None:
    none = Number(value=None, low=None, high=None, num_samples=0, num_clusters=0)
    assert (amount(none, "number"), interval(none, "number")) == ("—", "no interval")
    untested = Difference("ccc_valence", 0.9, 1.0, math.nan, math.nan, deviation=math.nan, p=math.nan)
    assert change_cells(untested, "number") == ("0.900", "1.000", "+0.100", "—")
