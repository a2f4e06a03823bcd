"""`emollm generate`: write verified explanations (Exp-CoT) for samples with measured action units.

    emollm generate samples.jsonl -o cot.jsonl

Every sample gets `reasoning` and a `label`, or goes to `cot.rejected.jsonl` with the reason and all that was tried. The
output has the order of the input, however many workers or requests are under way.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from data_engine.cluster import HELP, joined
from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.infer import AUTO
from data_engine.exp_cot.wording import Prompts, load_prompts
from data_engine.generate.options import (
    add_teacher_arguments,
    check_together,
    effort_of,
    open_teacher,
    settings_of,
    shown,
)
from data_engine.generate.preview import preview
from data_engine.generate.quota import Quota
from data_engine.generate.tally import Answers, Tally
from data_engine.generate.teachers import Teacher
from emollm.errors import ConfigError, SourceError, did_you_mean
from emollm.facs import CODEBOOKS, THRESHOLDS
from emollm.labels import LABEL_SETS
from emollm.llm.options import endpoint_options, prices_of
from emollm.llm.wire import Ask
from emollm.records import AU_RANGE, Sample, read_records
from emollm.stage import Output, add_stage_arguments, positive, track

EPILOG = """examples:
  emollm generate samples.jsonl -o cot.jsonl --codebook emfacs --workers 2
  emollm generate samples.jsonl -o cot.jsonl --teacher openai --model gpt-4o-mini --dry-run
  emollm generate samples.jsonl -o cot.jsonl --teacher openai --model gpt-4o-mini --budget 5 --rounds 3
  emollm generate samples.jsonl -o cot.jsonl --teacher openai --base-url http://localhost:8000/v1 --model NAME
  emollm generate samples.jsonl -o more.jsonl --teacher runs/grpo --balance 500
  emollm generate samples.jsonl -o cot.jsonl --teacher openai --model gpt-4o-mini --batch cot.batch.jsonl --submit
  emollm generate samples.jsonl -o cot.jsonl --teacher openai --model gpt-4o-mini --batch cot.batch.jsonl --fetch

A label in the samples decides how a text ends, never what it says the action units show. Where the action units do
not support the label, the text says so and the sample is marked `agree: false` in its provenance; dropping such
samples instead (--disagreement reject) cleans the texts and thins out the rare classes. A sample with no label but a
list of `labels` (open vocabulary) gets a text that ends with every word of the list, and still no label. A clip with
`events` is told by its peak and by what moves when.

A language model is told the action units and no label; a reader of its description alone has to arrive at the label,
and every claim is checked as those of the rules are. Every answer is remembered (--ledger), so that a run that was
stopped pays for nothing twice.

A batch service is slower and often half the price: --batch FILE --submit writes the requests and hands them over. The
same command again fetches the answers and hands over what follows from them; exit code 1 says that some samples still
wait. --fetch fetches and hands over nothing more; a run without --batch then asks for the rest at once."""


PASSING = ("transport", "rate", "deadline")
"""Failures of an endpoint that may be over when the command is run again."""


def main(argv: Sequence[str] | None = None, ask: Ask | None = None) -> int:
    """Run the stage and return the exit code. `ask` answers in place of an endpoint."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    kind = check_together(parser, arguments)
    _refuse_empty(arguments.samples)
    options = Options(
        codebook=arguments.codebook,
        label_set=arguments.label_set,
        thresholds={**THRESHOLDS, **dict(arguments.threshold)},
        disagreement=arguments.disagreement,
        seed=arguments.seed,
    )
    prompts = load_prompts(arguments.language, arguments.prompts) if kind == "openai" else None
    if arguments.dry_run and prompts is not None:
        return _preview(arguments, options, prompts)
    quota = Quota(arguments.balance)
    with (
        joined(arguments.ray, arguments.workers),
        open_teacher(arguments, kind, options, prompts, quota, ask) as (teacher, notes),
        Output(
            arguments.output,
            stage="generate",
            options=shown(arguments, kind, options, prompts),
            inputs=[arguments.samples],
            overwrite=arguments.overwrite,
        ) as out,
    ):
        try:
            tally = _write(arguments, out, teacher, quota)
        finally:
            for key, value in notes().items():
                out.note(key, value)
        if teacher.is_over:
            out.exit_code = 1
            print(
                "the budget has no room for another request; the same command with a higher --budget goes on from here",
                file=sys.stderr,
            )
    if out.rejected["teacher_deferred"]:  # the run is not done: these wait for a batch service
        out.exit_code = 1
    if unasked := sum(out.rejected[f"teacher_{kind}"] for kind in PASSING):
        out.exit_code = 1
        print(f"{unasked:,} samples got no answer; the same command asks for them again", file=sys.stderr)
    if tally.classes:
        print(tally, file=sys.stderr)
    if tally.has_media and arguments.output.resolve().parent != arguments.samples.resolve().parent:
        print(f"picture paths start at {arguments.samples.parent}: later stages need --media-root", file=sys.stderr)
    return out.exit_code


def _write(arguments: argparse.Namespace, out: Output, teacher: Teacher, quota: Quota) -> Tally:
    """Write what is kept, keep aside what is refused, and count both."""
    tally, answers = Tally(), Answers()
    if out.counts["resumed"]:
        for earlier in read_records(arguments.output, Sample):
            quota.count(earlier)
            tally.recall(earlier)
    samples = track(out.read(arguments.samples, Sample, arguments.limit), "generate")
    with closing(teacher.drafts(samples)) as drafts:
        for sample, unlimited in drafts:
            answers.check(unlimited)
            draft = quota.limit(unlimited)
            tally.add(draft)
            tally.has_media |= sample.media is not None
            if draft.reasoning is None:
                _remember(sample, draft)
                out.reject(sample.id, draft.reason or "", draft.detail, sample)
            else:
                out.write(_filled(sample, draft))
    out.note("classes", {label: dict(counts) for label, counts in tally.classes.items()})
    out.note("cases", dict(tally.cases))
    out.note("problems", dict(tally.problems))
    out.note("rewritten", tally.rewritten)
    out.note("label_seen", tally.label_seen)
    out.note("by_elimination", tally.by_elimination)
    out.note("label_from", {source: dict(cases) for source, cases in tally.read_cases.items()})
    out.note("prosody_dropped", tally.prosody_dropped)
    out.note("unheard", dict(tally.unheard))
    out.note("unknown_aus", dict(tally.unknown_aus))
    return tally


def _preview(arguments: argparse.Namespace, options: Options, prompts: Prompts) -> int:
    """Print the first prompts and what the run may cost; nothing is asked and nothing written."""
    from data_engine.generate.answered import find_answered
    from emollm.llm.budget import price_of

    found = find_answered(arguments, options, prompts)
    price = price_of(arguments.model, prices_of(endpoint_options(arguments)))
    malformed: list[int] = []
    samples = read_records(arguments.samples, Sample, bad=lambda line: malformed.append(line.line))
    settings = settings_of(arguments, options)
    chosen: Iterator[Sample] = islice(samples, arguments.limit)
    effort = effort_of(arguments)
    media_root = (arguments.media_root or arguments.samples.parent) if arguments.pictures else None
    quota = Quota(arguments.balance)
    if arguments.balance and arguments.output.exists() and not arguments.overwrite:
        for earlier in read_records(arguments.output, Sample, bad=lambda line: None):  # noqa: ARG005
            quota.count(earlier)
    print(preview(chosen, options, prompts, settings, effort, price, media_root, *found, quota))
    if malformed:
        print(f"{arguments.samples}: {len(malformed):,} malformed lines, the first is {malformed[0]}", file=sys.stderr)
    return 1 if malformed else 0


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
    parser.add_argument(
        "--teacher",
        default="rules",
        metavar="rules|openai|DIR",
        help="who writes: our rules, a model behind an OpenAI-compatible API, or an own model (default: rules)",
    )
    parser.add_argument(
        "--codebook",
        choices=(AUTO, *sorted(CODEBOOKS)),
        default=AUTO,
        help="which action units make which emotion (default: auto: compound for compound emotions, else emfacs)",
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
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="processes that write (default: 1; with --ray all cores)"
    )
    parser.add_argument(
        "--ray", metavar="ADDRESS", help=f"{HELP}. For rules: how fast a model answers is up to its endpoint"
    )
    add_teacher_arguments(parser)
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
    if draft.label is None and sample.labels is None and draft.labels:
        sample.labels = list(draft.labels)
    return _remember(sample, draft)


def _remember(sample: Sample, draft: Draft) -> Sample:
    """Keep how the text came about, refused attempts included."""
    if draft.provenance:
        sample.provenance = {**(sample.provenance or {}), "generate": dict(draft.provenance)}
    return sample
