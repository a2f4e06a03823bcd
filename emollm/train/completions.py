"""Completions of a rollout, in parquet: what was said, what each reward paid, and which way it pushed.

    write_completions(run.completions_path(step), step, columns, weights)
    datasets.load_dataset("parquet", data_files="runs/grpo/completions/*.parquet")

One file a rollout, written in one step, so that a run can be watched while it goes on. Columns: `step`, `id`, `variant`
(the wording of the question), `completion`, one for each reward under its name, `total` (their weighted sum) and
`advantage`. A reward without gold is null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emollm.files import in_one_step

SAME = 1e-6
"""Totals nearer than this are alike: they are sums of float32."""


def write_completions(
    path: Path, step: int, columns: Mapping[str, Sequence[Any]], rewards: Mapping[str, Sequence[float]]
) -> None:
    """Write one rollout. `columns` are id, variant, completion, total and advantage; NaN in a reward becomes null."""
    import pyarrow as pa
    from pyarrow import parquet

    path.parent.mkdir(exist_ok=True)
    numbers = {name: pa.array(values, pa.float32(), from_pandas=True) for name, values in rewards.items()}
    before = {name: columns[name] for name in ("id", "variant", "completion")}
    after = {name: pa.array(columns[name], pa.float32(), from_pandas=True) for name in ("total", "advantage")}
    steps = pa.array([step] * len(columns["id"]), pa.int32())
    with in_one_step(path) as part:
        parquet.write_table(pa.table({"step": steps, **before, **numbers, **after}), part, compression="zstd")


def totals(rewards: Mapping[str, Sequence[float]], weights: Mapping[str, float]) -> list[float]:
    """Return the weighted sum of each completion's rewards; NaN where it has none."""
    sums = []
    for paid in zip(*(rewards[name] for name in weights), strict=True):
        known = [weight * value for weight, value in zip(weights.values(), paid, strict=True) if not math.isnan(value)]
        sums.append(math.fsum(known) if known else math.nan)
    return sums


def share_alike(sums: Sequence[float], group_size: int) -> float:
    """Return the share of groups, 0 to 1, in which every completion is paid the same: those teach nothing.

    The groups follow one another. A completion that could not be paid at all does not count.
    """
    groups = [sums[at : at + group_size] for at in range(0, len(sums), group_size)]
    known = [[value for value in group if not math.isnan(value)] for group in groups]
    return sum(not group or max(group) - min(group) < SAME for group in known) / len(groups)
