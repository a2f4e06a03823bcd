"""`emollm compare`: scored runs on the same samples, and how sure each difference is.

Example:

    emollm compare scores/sft scores/grpo
    emollm compare scores/base scores/sft scores/grpo -o compared.html      # side by side, to look at
    emollm compare scores/sft scores/grpo --power 2                         # how many subjects show 2 points
    emollm compare scores/sft scores/grpo --json                            # the same for a program
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emollm.errors import ConfigError
from eval.differences import Difference, chance_note, compare_runs, describe, only_one_right, verdict
from eval.intervals import add_interval_argument, positive
from eval.metrics.families import is_detail
from eval.report.figures import change_cells, p_said
from eval.runs import Run, names_of, read_run, refuse_incomparable
from eval.significance import clusters_needed, smallest_visible
from eval.summary import cluster_key

if TYPE_CHECKING:
    from rich.table import Table

EPILOG = """\
examples:
  emollm compare scores/sft scores/grpo
  emollm compare scores/base scores/sft scores/grpo -o compared.html

The difference is each run minus the first, in points. Runs are resampled together (paired), over subjects where they
are known. p is that of a paired permutation test, which swaps the answers of whole subjects; beside it p adjusted for
all metrics that are shown. "perhaps": the interval leaves 0 out, but among so many that may be chance.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="emollm compare",
        description="Compare scored runs on the same samples, with paired intervals.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("first", type=Path, help="a folder that `emollm score` wrote")
    parser.add_argument("others", type=Path, nargs="+", metavar="other", help="others, on the same samples")
    add_interval_argument(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap and the permutations (default: 0)")
    parser.add_argument(
        "--power",
        type=points,
        metavar="POINTS",
        help="say how many subjects such as these would show a difference of so many points in 80 %% of studies",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table: shares from 0 to 1")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write the runs side by side into an HTML page"
    )
    parser.add_argument("--media-root", type=Path, metavar="DIR", help="of its pictures (default: none are shown)")
    parser.add_argument(
        "--report-samples", type=positive, default=40, metavar="N", help="samples it shows (default: 40)"
    )
    return parser


def points(text: str) -> float:
    """Read a difference in points from the command line."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value <= 100.0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of points above 0 and at most 100")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Compare and print."""
    options = parser().parse_args(argv)
    if options.power is not None and len(options.others) > 1:
        raise ConfigError("--power: it is about the difference of two runs; name two")
    if options.output is not None and options.output.suffix != ".html":
        raise ConfigError(f"-o: {options.output}: a page is written; name a file that ends in .html")
    first, *others = runs = [read_run(folder) for folder in (options.first, *options.others)]
    for other in others:
        refuse_incomparable(first, other)
    found = compare_runs(first, others, num_resamples=options.num_resamples, seed=options.seed)
    if options.json:
        print(json.dumps(_told(runs, found, options.power), indent=1))
    else:
        _print(runs, found, options.power)
    if options.output is not None:
        from eval.report.side_by_side import write_comparison

        write_comparison(options.output, runs, found, media_root=options.media_root, max_samples=options.report_samples)
        if not options.json:
            print(options.output)
    return 0


# --- power ------------------------------------------------------------------------------------------------------------


def needed(first: Run, difference: Difference, points: float) -> int | None:
    """Return how many subjects would show a difference of so many points; None for what is no share."""
    if describe(difference.metric).unit != "share":
        return None
    return clusters_needed(difference.deviation, num_clusters(first), points / 100)


def num_clusters(run: Run) -> int:
    """Count the subjects, and the samples without one."""
    return len({cluster_key(row) for row in run.rows})


# --- what is told -----------------------------------------------------------------------------------------------------


def _told(runs: Sequence[Run], found: Sequence[Sequence[Difference]], power: float | None) -> dict[str, object]:
    """Return what --json prints: the differences by metric, of several runs under the name of each."""
    tables = []
    for each in found:
        told = {one.metric: {**one._asdict(), "second_is": verdict(one)} for one in each}
        if power is not None:
            for one in each:
                told[one.metric] |= {"needed_clusters": needed(runs[0], one, power)}
        tables.append(told)
    names = names_of(runs)
    several = dict(zip(names[1:], tables, strict=True))
    return {
        "samples": len(runs[0].rows),
        "clusters": num_clusters(runs[0]),
        "first": names[0],
        "differences": tables[0] if len(tables) == 1 else several,
    }


def _print(runs: Sequence[Run], found: Sequence[Sequence[Difference]], power: float | None) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)
    console.print(_pair_table(runs, found[0], power) if len(runs) == 2 else _wide_table(runs, found))
    for run, name in zip(runs[1:], names_of(runs)[1:], strict=True):
        console.print(escape(f"{'' if len(runs) == 2 else f'{name}: '}{only_one_right(runs[0], run)}"))
    console.print(escape(chance_note([one for each in found for one in each])))
    if power is not None:
        console.print(POWER_NOTE)


POWER_NOTE = (
    "Subjects: as many such as these show a difference of so many points at p ≤ 0.05 in 80 % of studies, by the paired "
    "variance seen here; a sample without a subject is one. Visible: the points that as many as there are here show."
)


def _pair_table(runs: Sequence[Run], found: Sequence[Difference], power: float | None) -> Table:
    """Tabulate two runs."""
    from rich.markup import escape
    from rich.table import Table

    table = Table("metric", box=None, pad_edge=False, header_style="dim")
    for title in (*map(escape, names_of(runs)), "difference", "95 % interval", "p", "adjusted"):
        table.add_column(title, justify="right")
    table.add_column("second is")
    for title in (f"subjects for {power:g}", "visible") if power is not None else ():
        table.add_column(title, justify="right")
    for one in (one for one in found if not is_detail(one.metric)):
        cells = [*change_cells(one, describe(one.metric).unit), p_said(one.p), p_said(one.p_adjusted), verdict(one)]
        if power is not None:
            count = needed(runs[0], one, power)
            is_share = describe(one.metric).unit == "share"
            cells += ["—" if count is None else f"{count:,}"]
            cells += [f"{100 * smallest_visible(one.deviation):.1f}" if is_share else "—"]
        table.add_row(describe(one.metric).title, *cells)
    return table


def _wide_table(runs: Sequence[Run], found: Sequence[Sequence[Difference]]) -> Table:
    """Tabulate several runs: of each but the first its value, the difference to the first, and what that means."""
    from rich.markup import escape
    from rich.table import Table

    first, *others = map(escape, names_of(runs))
    table = Table("metric", box=None, pad_edge=False, header_style="dim")
    table.add_column(first, justify="right")
    for name in others:
        table.add_column(name, justify="right")
        table.add_column("−first", justify="right")
        table.add_column("is")
    by_metric = [{one.metric: one for one in each} for each in found]
    for metric, one in by_metric[0].items():
        if is_detail(metric):
            continue
        unit = describe(metric).unit
        cells = [change_cells(one, unit)[0]]
        for each in by_metric:
            known = each.get(metric)
            cells += [*change_cells(known, unit)[1:3], verdict(known)] if known else ["—", "—", ""]
        table.add_row(describe(metric).title, *cells)
    return table
