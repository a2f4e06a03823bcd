"""`emollm generate`: write verified explanations (Exp-CoT) for samples with measured action units.

    emollm generate samples.jsonl -o cot.jsonl

Every sample gets `reasoning` and a `label`, or goes to `cot.rejected.jsonl` with the reason and the last text. The
output has the order of the input, whatever the number of workers.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec

from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.infer import CASES
from data_engine.exp_cot.rules import teach
from data_engine.workers import spread
from emollm.errors import ConfigError, SourceError, did_you_mean
from emollm.facs import CODEBOOKS, THRESHOLDS
from emollm.labels import LABEL_SETS
from emollm.records import AU_RANGE, Sample, encode
from emollm.stage import Output, add_stage_arguments, positive, track

TEACHERS: dict[str, Callable[[Sample, Options], Draft]] = {"rules": teach}

CHUNK = 100
"""Samples that a worker is handed at a time."""

EPILOG = """example:
  emollm generate samples.jsonl -o cot.jsonl --codebook emfacs --workers 2

A label in the samples decides how a text ends, never what it says the action units show. Where the action units do
not support the label, the text says so and the sample is marked `agree: false` in its provenance; dropping such
samples instead (--disagreement reject) cleans the texts and thins out the rare classes. A sample with no label but a
list of `labels` (open vocabulary) gets a text that ends with every word of the list, and still no label. A clip with
`events` is told by its peak and by what moves when."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    arguments = build_parser().parse_args(argv)
    _refuse_empty(arguments.samples)
    options = Options(
        codebook=arguments.codebook,
        label_set=arguments.label_set,
        thresholds={**THRESHOLDS, **dict(arguments.threshold)},
        disagreement=arguments.disagreement,
        seed=arguments.seed,
    )
    shown = {"teacher": arguments.teacher, **options._asdict()}
    tally = Tally()
    with Output(
        arguments.output, stage="generate", options=shown, inputs=[arguments.samples], overwrite=arguments.overwrite
    ) as out:
        samples = track(out.read(arguments.samples, Sample, arguments.limit), "generate")
        for sample, draft in drafts(samples, arguments.teacher, options, arguments.workers):
            tally.add(draft)
            if draft.reasoning is None:
                _remember(sample, draft)
                out.reject(sample.id, draft.reason or "", draft.detail, sample)
            else:
                out.write(_filled(sample, draft))
        out.note("classes", {label: dict(counts) for label, counts in tally.classes.items()})
        out.note("cases", dict(tally.cases))
        out.note("rewritten", tally.rewritten)
    if tally.classes:
        print(tally, file=sys.stderr)
    if arguments.output.resolve().parent != arguments.samples.resolve().parent:
        print(f"picture paths start at {arguments.samples.parent}: later stages need --media-root", file=sys.stderr)
    return out.exit_code


def build_parser() -> argparse.ArgumentParser:
    """Return the options of `emollm generate`."""
    parser = argparse.ArgumentParser(
        prog="emollm generate",
        description="Write verified explanations (Exp-CoT) for samples with measured action units.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("samples", type=Path, help="samples.jsonl with faces, from `emollm detect` or `emollm faces`")
    add_stage_arguments(parser)
    parser.add_argument("--teacher", choices=sorted(TEACHERS), default="rules", help="who writes (default: rules)")
    parser.add_argument(
        "--codebook",
        choices=sorted(CODEBOOKS),
        default="emfacs",
        help="which action units make which emotion (default: emfacs)",
    )
    parser.add_argument(
        "--label-set",
        type=_label_set,
        default="basic7",
        metavar="NAME",
        help="for samples that name none of their own (default: basic7)",
    )
    parser.add_argument(
        "--threshold",
        type=_threshold,
        action="append",
        default=[],
        metavar="KIND=VALUE",
        help="when an action unit counts as present; may be repeated (default: intensity=1 probability=0.5)",
    )
    parser.add_argument(
        "--disagreement",
        choices=("keep", "reject"),
        default="keep",
        help="a label that the action units do not support: keep the sample, with a text that says so, or reject it",
    )
    parser.add_argument("--workers", type=positive, default=1, metavar="N", help="processes that write (default: 1)")
    return parser


def _refuse_empty(path: Path) -> None:
    """Raise SourceError for a file without a line; nothing is written then."""
    if path.is_file():
        with path.open("rb") as file:
            if not any(line.strip() for line in file):
                raise SourceError(f"{path}: holds no sample; give a file that `emollm detect` or `faces` wrote")


def _label_set(text: str) -> str:
    if text not in LABEL_SETS:
        raise ConfigError(f"--label-set: '{text}' is not known{did_you_mean(text, LABEL_SETS)}")
    return text


def _threshold(text: str) -> tuple[str, float]:
    kind, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if kind not in THRESHOLDS or not 0 < number <= AU_RANGE[kind]:
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form intensity=1.0 or probability=0.5")
    return kind, number


def _filled(sample: Sample, draft: Draft) -> Sample:
    sample.reasoning, sample.label, sample.label_set = draft.reasoning, draft.label, draft.label_set
    return _remember(sample, draft)


def _remember(sample: Sample, draft: Draft) -> Sample:
    """Keep how the text came about, refused attempts included."""
    if draft.provenance:
        sample.provenance = {**(sample.provenance or {}), "generate": dict(draft.provenance)}
    return sample


# --- workers ----------------------------------------------------------------------------------------------------------


def drafts(
    samples: Iterable[Sample], teacher: str, options: Options, workers: int = 1
) -> Iterator[tuple[Sample, Draft]]:
    """Yield each sample with its draft, in order; with several workers a bounded number of chunks is under way."""
    if workers == 1:
        write = TEACHERS[teacher]
        for sample in samples:
            yield sample, write(sample, options)
        return
    handed: deque[list[Sample]] = deque()

    def chunks() -> Iterator[list[bytes]]:
        source = iter(samples)
        while chunk := list(islice(source, CHUNK)):
            handed.append(chunk)
            yield [encode(sample) for sample in chunk]

    for written in spread(partial(_write_chunk, teacher, options), chunks(), workers):
        yield from zip(handed.popleft(), written, strict=True)


def _write_chunk(teacher: str, options: Options, lines: list[bytes]) -> list[Draft]:
    """Write drafts in a worker; JSON lines travel faster between processes than pickled records."""
    decoder = msgspec.json.Decoder(Sample)
    return [TEACHERS[teacher](decoder.decode(line), options) for line in lines]


# --- counts -----------------------------------------------------------------------------------------------------------


MAX_CLASSES = 30
"""Rows of the table; an open vocabulary can have thousands."""


class Tally:
    """Counts of a run per class, for the table at its end and the manifest."""

    def __init__(self) -> None:
        self.classes: dict[str, Counter[str]] = {}
        self.cases: Counter[str] = Counter()
        self.rewritten = 0

    def add(self, draft: Draft) -> None:
        """Count one draft."""
        counts = self.classes.setdefault(draft.label or ("(list)" if draft.labels else "(no label)"), Counter())
        counts[draft.reason or "kept"] += 1
        if draft.reasoning is not None and draft.case:
            self.cases[draft.case] += 1
            self.rewritten += bool(draft.provenance.get("attempts"))

    def __str__(self) -> str:
        """A small table: what was kept and refused per class, and how the action units stood to the labels."""
        shown = dict(sorted(self.classes.items(), key=lambda item: -item[1].total())[:MAX_CLASSES])
        rows = [f"{'class':<22}{'kept':>9}{'refused':>9}{'kept %':>8}  reasons"]
        for label, counts in sorted(shown.items()):
            total = counts.total()
            reasons = ", ".join(f"{reason} {n:,}" for reason, n in counts.most_common() if reason != "kept")
            share = 100 * counts["kept"] / total
            rows.append(f"{label:<22}{counts['kept']:>9,}{total - counts['kept']:>9,}{share:>8.1f}  {reasons}".rstrip())
        if hidden := len(self.classes) - len(shown):
            rows.append(f"… and {hidden:,} rarer ones, all in the manifest")
        rows += [f"{n:>31,} kept: {CASES[case]}" for case, n in self.cases.most_common()]
        return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
