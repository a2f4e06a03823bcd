"""The family `judge`: a language model compares explanations with gold descriptions.

    emollm score predictions.jsonl samples.jsonl -o scores/ --metrics auto,judge --judge-model NAME

Only samples with `reasoning` are judged. The scores are pinned to mode, model, prompts and the gold side as it was
summarised: runs where one of these differs are not compared.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ConfigError
from emollm.files import sha256
from emollm.llm.options import add_endpoint_arguments, budget_of, endpoint_options, naming_options, open_client
from emollm.records import Prediction, read_records
from emollm.stage import positive, track
from eval.judge.agreement import Anchors, compare_with_people, read_anchors
from eval.judge.asking import Judge, Judged, Settings, Subject
from eval.judge.lines import add_up, metrics, to_line
from eval.judge.mode import Mode
from eval.judge.modes import MODES
from eval.judge.rubric import mode_of, read_rubrics
from eval.judge.wording import LANGUAGES, MAX_DATA, load_prompts
from eval.metrics.family import Case, Context, Family, Line, Measured
from eval.metrics.texts import gold_text

PREFIX = "judge-"
LEDGER_NAME = "judge.ledger.jsonl"


class Plan(NamedTuple):
    """What the options ask for."""

    name: str
    mode: Mode
    settings: Settings
    language: str
    ledger: Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the judge."""
    group = parser.add_argument_group("the judge (--metrics judge)")
    add_endpoint_arguments(group, PREFIX, ledger=f"{LEDGER_NAME} beside DIR, which runs side by side share")
    group.add_argument(
        "--judge-mode",
        choices=MODES,
        default="v2",
        help="v2: typed verdicts on clues and labels; legacy: EMER's clue and label overlap, 1 to 10; pairwise: which "
        "of two models is better (default: v2)",
    )
    group.add_argument("--judge-against", type=Path, metavar="FILE", help="pairwise: predictions of the other model")
    group.add_argument("--judge-samples", type=positive, default=1, metavar="K", help="verdicts on each (default: 1)")
    group.add_argument(
        "--judge-temperature", type=_temperature, metavar="T", help="of verdicts (default: 0, for several 0.7)"
    )
    group.add_argument("--judge-max-tokens", type=positive, default=700, metavar="N", help="of an answer (700)")
    group.add_argument(
        "--judge-language", choices=LANGUAGES, help="of the prompts (default: en, for legacy zh as published)"
    )
    group.add_argument("--judge-no-schema", action="store_true", help="ask for JSON in words only")
    group.add_argument(
        "--anchors", type=Path, metavar="FILE", help='scores of people, {"id": …, "score": …} each: agreement, and '
        "means corrected by them",
    )  # fmt: skip


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 2:
        raise argparse.ArgumentTypeError(f"'{text}' is not between 0 and 2")
    return value


def plan_of(modes: Mapping[str, Mode], options: argparse.Namespace) -> Plan:
    """Return what the options ask for. Raises ConfigError for what does not fit together.

    Of several modes --judge-mode chooses; one alone, a rubric, needs no choice.
    """
    if not options.judge_model:
        raise ConfigError("--metrics judge: name the model with --judge-model (and --judge-base-url for your own)")
    name = options.judge_mode if len(modes) > 1 else next(iter(modes))
    if len(modes) > 1 and (name == "pairwise") != (options.judge_against is not None):
        raise ConfigError("--judge-against: belongs to --judge-mode pairwise; give both or none")
    several = options.judge_samples > 1
    temperature = options.judge_temperature
    if temperature is None:
        temperature = 0.7 if several else 0.0
    settings = Settings(
        options.judge_samples, temperature, options.judge_max_tokens, schema=not options.judge_no_schema
    )
    mode = modes[name]
    ledger = options.judge_ledger or options.output.resolve().parent / LEDGER_NAME
    return Plan(name, mode, settings, options.judge_language or mode.language, ledger)


# --- judging ----------------------------------------------------------------------------------------------------------


def measure(modes: Mapping[str, Mode], cases: Sequence[Case], context: Context) -> Measured:
    """Judge every sample with a gold description; print what it cost to stderr."""
    options = context.options
    plan = plan_of(modes, options)
    subjects = find_subjects(cases, options.judge_against)
    if not any(subjects):
        print("judge: no sample has a `reasoning` to compare with; nothing is judged", file=sys.stderr)
        return Measured([None] * len(cases))
    endpoint = endpoint_options(options, PREFIX)
    anchors = None if options.anchors is None else read_anchors(options.anchors, plan.mode.numbers)
    with ExitStack() as stack:
        from emollm.llm.ledger import Ledger

        with naming_options(PREFIX):
            ledger = stack.enter_context(Ledger(plan.ledger))
            client = open_client(endpoint, ledger, budget_of(endpoint))
        judge = Judge(client, load_prompts(plan.language), plan.settings)
        known = [subject for subject in subjects if subject is not None]
        judged = judge_all(judge, plan.mode, known, within=client, in_flight=options.judge_in_flight)
        if told := str(client.accounts):
            print(told, file=sys.stderr)
    found = dict(zip((subject.id for subject in known), judged, strict=True))
    return gather(modes, cases, subjects, found, judge, plan, options, anchors)


def judge_all(judge: Judge, mode: Mode, subjects: Sequence[Subject], *, within: Any, in_flight: int) -> list[Judged]:
    """Judge many at a time, and return what was found in the order of the subjects."""
    from emollm.llm.in_order import in_order  # brings asyncio

    work = in_order(subjects, lambda subject: mode.judge(judge, subject), in_flight=in_flight, within=within)
    return [judged for _, judged in track(work, "judge", total=len(subjects))]


def find_subjects(cases: Sequence[Case], against: Path | None) -> list[Subject | None]:
    """Return what is judged of each case; None where there is no gold description."""
    others = {} if against is None else {one.id: one.completion for one in read_records(against, Prediction)}
    found: list[Subject | None] = []
    for sample, prediction, *_ in cases:
        gold = gold_text(sample)
        said = prediction.completion if prediction else None
        found.append(Subject(sample.id, gold, said, sample.text, others.get(sample.id)) if gold else None)
    return found


# --- what was found ---------------------------------------------------------------------------------------------------


def gather(
    modes: Mapping[str, Mode],
    cases: Sequence[Case],
    subjects: Sequence[Subject | None],
    found: Mapping[str, Judged],
    judge: Judge,
    plan: Plan,
    options: argparse.Namespace,
    anchors: Anchors | None,
) -> Measured:
    """Put the votes into lines, with what they depend on and what has to be said about them."""
    target = anchors.metric if anchors else next(iter(plan.mode.numbers))
    humans = anchors.scores if anchors else {}
    lines: list[Line | None] = [
        None if subject is None else to_line(modes, found[subject.id], humans.get(subject.id), target)
        for subject in subjects
    ]
    pins: dict[str, Any] = {
        "mode": plan.name,
        "model": options.judge_model,
        "answered_by": sorted(judge.models),
        "language": plan.language,
        "prompts": judge.prompts.digests(plan.mode.prompts),
        **plan.settings._asdict(),
    }
    golds = {one: judged.gold for one, judged in sorted(found.items()) if judged.gold}
    if golds:
        pins["gold"] = hashlib.sha256(json.dumps(golds, ensure_ascii=False).encode()).hexdigest()[:16]
    if plan.name == "pairwise":
        pins["against"] = sha256(options.judge_against)
    details = [None if subject is None else found[subject.id].detail for subject in subjects]
    notices = notices_of([one for one in subjects if one is not None], found, judge, plan.name == "pairwise")
    if anchors is not None:
        clusters = {sample.id: sample.subject or f"sample {sample.id}" for sample, *_ in cases}
        notices += compare_with_people(found, clusters, anchors, plan.mode.numbers[target])
    return Measured(lines, pins, details, notices)


def notices_of(subjects: Sequence[Subject], found: Mapping[str, Judged], judge: Judge, is_pairwise: bool) -> list[str]:
    """Say what was not judged, and why."""
    asked, read = (sum(getattr(judged, name) for judged in found.values()) for name in ("asked", "read"))
    notices = [f"judge: {asked - read:,} of {asked:,} verdicts could not be had; they are in no mean"] * (read < asked)
    if judge.failed:
        notices.append(f"judge: questions without an answer: {_counts(judge.failed)}")
    if judge.failed["budget"]:
        notices.append("judge: the budget is used up; the same command with a higher --judge-budget goes on from here")
    if judge.unread:
        notices.append(f"judge: answers that could not be read, by prompt: {_counts(judge.unread)}")
    silent = sum(subject.is_silent for subject in subjects)
    if silent:
        notices.append(f"judge: {silent:,} samples without an explanation have the least value, and nobody was asked")
    if other := sum(not (subject.other or "").strip() for subject in subjects) if is_pairwise else 0:
        notices.append(f"judge: the other model said nothing about {other:,} samples; whoever said something wins them")
    texts = [(one.gold, one.said or "", one.other or "", one.transcript or "") for one in subjects]
    if cut := sum(max(map(len, shown)) > MAX_DATA for shown in texts):
        notices.append(f"judge: texts of {cut:,} samples were cut after {MAX_DATA:,} characters")
    return notices


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counter.most_common())


def preview(modes: Mapping[str, Mode], cases: Sequence[Case], context: Context) -> str:
    """Return what a run would ask, and about what it would cost."""
    from eval.judge.preview import preview as preview_of

    options = context.options
    plan = plan_of(modes, options)
    subjects = [one for one in find_subjects(cases, options.judge_against) if one is not None]
    endpoint = endpoint_options(options, PREFIX)
    return preview_of(subjects, plan.mode, load_prompts(plan.language), plan.settings, endpoint, plan.ledger)


def family_of(name: str, title: str, about: str, modes: Mapping[str, Mode]) -> Family:
    """Return the family that judges in one of these modes."""
    return Family(
        name=name,
        title=title,
        about=about,
        measure=partial(measure, modes),
        metrics=metrics(modes, name),
        sums=add_up,
        preview=partial(preview, modes),
        is_asked_for=True,
    )


FAMILY = family_of(
    "judge", "The judge", "A language model compares the explanation with the gold description.", MODES
)._replace(add_arguments=add_arguments)

RUBRICS = [family_of(one.name, one.title, one.about, {one.name: mode_of(one)}) for one in read_rubrics()]
"""A family for each rubric of the field; the options are those of the judge."""
