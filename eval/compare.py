"""`emollm compare`: scored runs on the same samples, and how sure each difference is.

Example:

    emollm compare scores/sft scores/grpo
    emollm compare scores/base scores/sft scores/grpo --against previous    # a ladder: what each step brought
    emollm compare scores/base scores/sft scores/grpo -o compared.html      # side by side, to look at
    emollm compare scores/sft scores/grpo --power 2                         # how many subjects show 2 points
    emollm compare scores/sft scores/grpo --json                            # the same for a program
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import msgspec

from emollm.errors import ConfigError
from eval.differences import Against, Comparison, compare_runs
from eval.intervals import add_interval_argument, positive
from eval.results import REPORT_NAME, RESULTS_NAME
from eval.runs import Run, names_of, read_runs
from eval.table import add_table_argument, print_comparisons
from eval.verdicts import needed, num_clusters, verdict

EPILOG = """\
examples:
  emollm compare scores/sft scores/grpo
  emollm compare scores/base scores/sft scores/grpo --against previous -o compared.html

A difference is a run minus the one it is compared with, in points. Runs are resampled together (paired), over subjects
where they are known. p is that of a paired permutation test, which swaps the answers of whole subjects; beside it p
adjusted for all metrics, printed or not. "perhaps": the interval leaves 0 out, but among so many that may be chance.
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
    parser.add_argument(
        "--against",
        choices=get_args(Against),
        default="first",
        help="compare each run with the first one, or with the one before it (default: first)",
    )
    add_interval_argument(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap and the permutations (default: 0)")
    parser.add_argument(
        "--power",
        type=points,
        metavar="POINTS",
        help="say how many subjects such as these would show a difference of so many points in 80 %% of studies",
    )
    add_table_argument(parser)
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
    runs = read_runs([options.first, *options.others])
    if options.output is not None:
        claim_place(options.output)
    found = compare_runs(runs, options.against, num_resamples=options.num_resamples, seed=options.seed)
    if options.json:
        told = msgspec.json.encode(_told(runs, found, options.power))  # NaN becomes null, as JSON has it
        print(msgspec.json.format(told, indent=1).decode())
    else:
        print_comparisons(runs, found, every=options.all, power=options.power)
    if options.output is not None:
        from eval.report.side_by_side import write_comparison

        write_comparison(options.output, runs, found, media_root=options.media_root, max_samples=options.report_samples)
        if not options.json:
            print(options.output)
    return 0


def claim_place(path: Path) -> None:
    """Make the folder of the page. Raises ConfigError where no page can be written, or where it would do harm."""
    problem, here = "", path.resolve()
    if path.suffix != ".html":
        problem = "a page is written; name a file that ends in .html"
    elif here.is_dir():
        problem = "is a folder; name a file"
    elif here.name == REPORT_NAME and (here.parent / RESULTS_NAME).exists():
        problem = "is the place of the report that `emollm score` writes; name another file"
    if problem:
        raise ConfigError(f"-o: {path}: {problem}")
    path.parent.mkdir(parents=True, exist_ok=True)


def _told(runs: Sequence[Run], found: Sequence[Comparison], power: float | None) -> dict[str, object]:
    """Return what --json prints: the differences by metric, and what one run alone has; of several under each name."""
    names = names_of(runs)
    tables, alone = {}, {}
    for one in found:
        told = {each.metric: {**each._asdict(), "second_is": verdict(each)} for each in one.differences}
        if power is not None:
            for each in one.differences:
                told[each.metric] |= {"needed_clusters": needed(each, num_clusters(runs), power)}
        tables[names[one.second]] = told
        alone[names[one.second]] = {names[one.first]: one.only_first, names[one.second]: one.only_second}
    return {
        "samples": len(runs[0].rows),
        "clusters": num_clusters(runs),
        "first": names[0] if len(found) == 1 else {names[one.second]: names[one.first] for one in found},
        "differences": tables[names[1]] if len(found) == 1 else tables,
        "only_in": alone[names[1]] if len(found) == 1 else alone,
    }
