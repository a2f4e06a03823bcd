"""`emollm score`: predictions and samples in; results.json, samples.jsonl and report.html out.

Example:

    emollm score predictions.jsonl samples.jsonl -o scores/ --split test
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from emollm.errors import ConfigError
from emollm.files import sha256
from emollm.records import AU_RANGE
from emollm.stage import add_stage_arguments
from eval import benchmarks, detections, protocols
from eval.folder import claim_folder, refuse_replacing, write_lines
from eval.intervals import add_interval_argument, positive
from eval.metrics import families
from eval.metrics.family import Context, Family
from eval.pairs import Pairs, read_pairs
from eval.protocols import Protocol
from eval.report import write_report
from eval.results import REPORT_NAME, RESULTS_NAME, Coverage, Input, Results, Settings, write_results
from eval.rows import choose_label_set, label_names, score_cases, score_rows
from eval.scored import Scored
from eval.summary import cluster_key, summarise
from eval.table import add_table_argument, print_results

EPILOG = """\
examples:
  emollm score predictions.jsonl samples.jsonl -o scores/ --split test
  emollm score detected.jsonl samples.jsonl -o scores/ --aus disfa8          what `emollm detect` measured

Samples without a prediction count as wrong. Intervals are bootstrapped over subjects where they are known.
The scores of other inputs, settings or judges in DIR are only replaced with --overwrite.
A judge can be asked by a batch service: --judge-batch FILE --judge-submit, again until the exit code is 0.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog="emollm score",
        description="Score predictions: is the label right, and is the explanation true?",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "predictions", type=Path, help="what `emollm predict` wrote, or `emollm detect`, or another harness"
    )
    parser.add_argument("samples", type=Path, help="the samples with their gold labels and action units")
    add_stage_arguments(parser, output="DIR")
    parser.add_argument("--label-set", metavar="NAME", help="labels that count (default: the one the samples name)")
    parser.add_argument("--split", metavar="NAME", help="score only the samples of this split")
    parser.add_argument(
        "--thresholds",
        type=thresholds,
        default={},
        metavar="KIND=VALUE,…",
        help="from which value an action unit counts as present (default: intensity=1,probability=0.5,presence=0.5)",
    )
    parser.add_argument(
        "--aus",
        type=protocols.choose,
        metavar="NAME",
        help="action units that count, with the threshold they are published at: "
        f"{', '.join(protocols.PROTOCOLS)}, or numbers such as 1,2,12 (default: each that is measured)",
    )
    parser.add_argument(
        "--benchmark",
        metavar="NAME",
        help=f"show published numbers beside these: none, or of {', '.join(benchmarks.BENCHMARKS)} "
        "(default: those of the data set that `emollm import` read, where they fit)",
    )
    families.add_arguments(parser)
    add_interval_argument(parser)
    add_table_argument(parser)
    parser.add_argument(
        "--report", action=argparse.BooleanOptionalAction, default=True, help="write report.html (default: yes)"
    )
    parser.add_argument(
        "--report-samples", type=positive, default=60, metavar="N", help="samples it shows (default: 60)"
    )
    parser.add_argument(
        "--images", action=argparse.BooleanOptionalAction, default=True, help="show their pictures (default: yes)"
    )
    parser.add_argument("--media-root", type=Path, metavar="DIR", help="of the pictures (default: beside the samples)")
    return parser


def thresholds(text: str) -> dict[str, float]:
    """Read `intensity=2,probability=0.4`: the kinds that are named."""
    found = {}
    for part in text.split(","):
        kind, _, value = part.partition("=")
        if kind.strip() not in AU_RANGE:
            raise argparse.ArgumentTypeError(f"'{kind.strip()}' is not one of {', '.join(AU_RANGE)}")
        top = AU_RANGE[kind.strip()]
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not 0.0 < number <= top:
            raise argparse.ArgumentTypeError(f"{kind.strip()} must be above 0 and at most {top:g}, not '{value}'")
        found[kind.strip()] = number
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Score, write, print. Returns 1 where lines of the inputs could not be read, or answers are waited for."""
    options = parser().parse_args(argv)
    folder: Path = options.output
    pairs = read_pairs(options.predictions, options.samples, split=options.split, limit=options.limit)
    protocol: Protocol | None = options.aus
    label_set = choose_label_set(options.label_set, pairs.samples)
    settings = Settings(
        label_set=label_set,
        split=options.split,
        limit=options.limit,
        thresholds=protocols.in_force(protocol, options.thresholds),
        num_resamples=options.num_resamples,
        seed=options.seed,
        confidence=0.95,
        judged=pairs.judged,
        protocol=protocol.name if protocol else None,
        aus=counted_aus(pairs, protocol),
        benchmark=benchmarks.choose(options.benchmark, pairs.samples, label_set, protocol.name if protocol else None),
    )
    context = Context(settings.label_set, settings.thresholds, options, settings.judged, settings.aus)
    chosen = [family for family in options.metrics if pairs.judged in family.of]
    if options.dry_run:
        return _preview(pairs, context, chosen)
    paths = {"predictions": options.predictions, "samples": options.samples, **answer_files(chosen, options)}
    inputs = {name: Input(file=path.name, sha256=sha256(path)) for name, path in paths.items()}
    promised = {family.name: family.promise(context) if family.promise else {} for family in chosen}
    claim_folder(folder, list(paths.values()), settings, inputs, overwrite=options.overwrite)
    if not options.overwrite:
        refuse_replacing(folder, promised)
    cases = score_cases(pairs, context)
    rows, measured = score_rows(cases, context, chosen)
    if not options.overwrite:
        settled = {name: one.pins for name, one in measured.items() if not promised[name]}
        refuse_replacing(folder, promised | settled)
    results = summarise(rows, label_names(settings.label_set, rows), settings, cover(pairs, rows), inputs, measured)
    results.notices = protocols.notices(protocol, rows, settings.thresholds) if protocol else []
    if pairs.judged == "detector":
        results.notices += detections.notices(cases, pairs.detected, protocol)
    write_lines(folder, rows, pairs.bad)
    write_results(folder, results)
    print_results(results, _report(folder, results, rows, options), every=options.all)
    return 1 if pairs.bad or any(one.is_waiting for one in measured.values()) else 0


def answer_files(chosen: Sequence[Family], options: argparse.Namespace) -> dict[str, Path]:
    """Return the files of answers besides the predictions, by name. Raises ConfigError for one that nothing reads."""
    files: dict[str, Path] = {}
    for name, family in {name: one for one in families.FAMILIES.values() for name in one.inputs}.items():
        path: Path | None = getattr(options, name)
        if path is None:
            continue
        if family not in chosen:
            raise ConfigError(f"--{name}: is read by '{family.name}', which is not asked for; name it in --metrics")
        if not path.is_file():
            raise ConfigError(f"--{name}: {path}: there is no such file")
        files[name] = path
    return files


def counted_aus(pairs: Pairs, protocol: Protocol | None) -> tuple[str, ...] | None:
    """Return the AUs that count: those of the protocol, else of a detector those that it measures."""
    if protocol is not None:
        return protocol.aus
    return detections.aus_of(pairs.detected.values()) if pairs.judged == "detector" else None


def _preview(pairs: Pairs, context: Context, chosen: Sequence[Family]) -> int:
    """Print what the families would ask that cost money, and write nothing."""
    previews = [family.preview for family in chosen if family.preview is not None]
    if not previews:
        raise ConfigError("--dry-run: none of the --metrics costs anything; leave it out, or name one that does: judge")
    cases = score_cases(pairs, context)
    for preview in previews:
        print(preview(cases, context))
    return 0


def _report(folder: Path, results: Results, rows: list[Scored], options: argparse.Namespace) -> Path:
    """Write the report if it is wanted, and return the file to look at."""
    if not options.report:
        (folder / REPORT_NAME).unlink(missing_ok=True)
        return folder / RESULTS_NAME
    root = (options.media_root or options.samples.parent) if options.images else None
    return write_report(folder, results, rows, media_root=root, max_samples=options.report_samples)


def cover(pairs: Pairs, rows: Sequence[Scored]) -> Coverage:
    """Count what the numbers stand on."""
    return Coverage(
        samples=len(rows),
        predictions=len(pairs.detected or pairs.predictions),
        missing=len(pairs.missing),
        surplus=len(pairs.surplus),
        malformed=len(pairs.bad),
        labelled=sum(row.gold is not None or row.gold_labels is not None for row in rows),
        measured=sum(row.au_hits is not None for row in rows),
        subjects=len({row.subject for row in rows if row.subject is not None}),
        clusters=len({cluster_key(row) for row in rows}),
    )
