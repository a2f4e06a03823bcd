"""Runs beside each other: other models on the same samples, and by how much this one is ahead.

    others = put_beside(run, [Path("scores/base"), Path("scores/sft")])

`emollm score --beside` prints them as a table, and the report holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from eval.differences import Difference, differences
from eval.results import Results
from eval.runs import Run, read_run, refuse_incomparable

KEY = ("accuracy", "au_micro_f1", "claim_precision", "right_for_true_reasons")
"""What is shown: the label, the action units, the claims, and all of them together."""


class Beside(NamedTuple):
    """Another run, and what this one has more than it: by metric, with paired 95 % intervals."""

    run: Run
    leads: dict[str, Difference]


def put_beside(run: Run, folders: Sequence[Path]) -> list[Beside]:
    """Read the other runs and compute this run minus each. Raises ConfigError where they are not comparable."""
    settings = run.results.settings
    found = []
    for other in map(read_run, folders):
        refuse_incomparable(other, run)
        leads = differences(other, run, num_resamples=settings.num_resamples, seed=settings.seed)
        found.append(Beside(other, {lead.metric: lead for lead in leads if lead.metric in KEY}))
    return found


def known_metrics(results: Results) -> list[str]:
    """Return those of the metrics shown that this run has."""
    return [name for name in KEY if results.metrics[name].value is not None]
