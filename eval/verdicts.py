"""What the differences of runs mean, in words: of each one, of all together, and how many subjects would show one.

verdict(difference)                 # better, perhaps worse, not clear …
sentences(runs, found)              # what to know about the whole table
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from eval.differences import Comparison, Difference
from eval.metrics.families import describe, is_detail
from eval.runs import Run, names_of
from eval.significance import LEVEL, clusters_needed, mcnemar
from eval.summary import cluster_key


def verdict(difference: Difference) -> str:
    """Say what a difference means: better, worse, different, perhaps one of them, or not clear."""
    if not difference.is_clear_alone:
        return "not clear"
    better, is_higher = describe(difference.metric).better, difference.second > difference.first
    said = ("better" if is_higher == (better == "higher") else "worse") if better else "different"
    return said if difference.is_clear else f"perhaps {said}"


def sentences(runs: Sequence[Run], found: Sequence[Comparison]) -> list[str]:
    """Say in sentences what the differences rest on, and how many of them chance alone would make."""
    names = names_of(runs)
    has_labels = any(row.correct is not None for row in runs[0].rows)
    right = [_only_one_right(runs, names, one) for one in found if has_labels]
    alone = [said for one in found for said in _only_one_has(names, one)]
    return [*right, *alone, _chance(found)]


def _only_one_right(runs: Sequence[Run], names: Sequence[str], found: Comparison) -> str:
    """Count the samples on which the labels differ in being right: what the difference in accuracy rests on."""
    first, second = runs[found.first], runs[found.second]
    right = {row.id: row.correct for row in first.rows}
    only_first = sum(right[row.id] is True and row.correct is False for row in second.rows)
    only_second = sum(right[row.id] is False and row.correct is True for row in second.rows)
    said = (
        f"The label is right only in {names[found.first]}: {only_first:,}, only in {names[found.second]}: "
        f"{only_second:,}"
    )
    if num_clusters(runs) < len(first.rows):  # samples of one subject are not independent
        return f"{said}."
    return f"{said} (exact McNemar p = {mcnemar(only_first, only_second):.3g})."


def _only_one_has(names: Sequence[str], found: Comparison) -> list[str]:
    """Name what could be computed of one of the two runs and is not compared; details, as in every table, are not."""
    said = []
    for has, lacks, metrics in (
        (found.first, found.second, found.only_first),
        (found.second, found.first, found.only_second),
    ):
        titles = [describe(metric).title for metric in metrics if not is_detail(metric)]
        if titles:
            said.append(f"Only in {names[has]}, not in {names[lacks]}: {', '.join(titles)}.")
    return said


def _chance(found: Sequence[Comparison]) -> str:
    """Say how many of the differences would be clear by chance, and how many stay clear after correction."""
    adjusted = [one for each in found for one in each.differences if one.p_adjusted is not None]
    counted = [one for one in adjusted if not math.isnan(one.p_adjusted or 0.0)]
    alone, clear = (sum(getattr(one, name) for one in counted) for name in ("is_clear_alone", "is_clear"))
    untested = sum(not one.is_tested for one in adjusted)
    said = [
        f"Of all {len(counted)} differences, about {LEVEL * len(counted):.0f} would leave 0 out of the interval by "
        f"chance alone; {alone} do, and {clear} are clear with p adjusted for all of them."
        if counted
        else "No difference can be told from chance."
    ]
    if same := len(adjusted) - len(counted) - untested:
        said.append(f"{same} {'other ' if counted else ''}numbers stand on what is the same in both runs.")
    if untested:
        said.append(f"Numbers that rest on one subject or sample, without interval and p: {untested}.")
    return " ".join(said)


# --- power ------------------------------------------------------------------------------------------------------------


def needed(difference: Difference, num_clusters: int, points: float) -> int | None:
    """Return how many subjects would show a difference of so many points; None for what is no share."""
    if describe(difference.metric).unit != "share":
        return None
    return clusters_needed(difference.deviation, num_clusters, points / 100)


def num_clusters(runs: Sequence[Run]) -> int:
    """Count the subjects, and the samples without one; the same in all runs."""
    return len({cluster_key(row) for row in runs[0].rows})
