"""The family `judge`: a language model compares explanations with gold descriptions.

    emollm score predictions.jsonl samples.jsonl -o scores/ --metrics auto,judge --judge-model NAME

Only samples with `reasoning` are judged. The scores are pinned to mode, model, prompts and the gold side as it was
summarised: runs where one of these differs are not compared.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from emollm.answers import parse
from emollm.llm.options import budget_of, naming_options
from emollm.records import Prediction, read_records
from emollm.stage import track
from eval.folder import places_of
from eval.judge.agreement import Anchors, compare_with_people, read_anchors
from eval.judge.asking import TRIES, Judge, Judged, Subject
from eval.judge.lines import add_up, metrics, to_line
from eval.judge.mode import Mode
from eval.judge.modes import MODES
from eval.judge.plan import PREFIX, Plan, add_arguments, plan_of
from eval.judge.rubric import mode_of, read_rubrics
from eval.judge.wording import MAX_DATA, load_prompts
from eval.metrics.family import Case, Context, Family, Line, Measured
from eval.metrics.texts import gold_text

# --- judging ----------------------------------------------------------------------------------------------------------


def measure(modes: Mapping[str, Mode], cases: Sequence[Case], context: Context) -> Measured:
    """Judge every sample with a gold description; print what it cost to stderr."""
    from emollm.llm.asking import open_asking

    options = context.options
    plan = plan_of(modes, options)
    subjects = find_subjects(cases, options.judge_against)
    if not any(subjects):
        print("judge: no sample has a `reasoning` to compare with; nothing is judged", file=sys.stderr)
        return Measured([None] * len(cases))
    anchors = None if options.anchors is None else read_anchors(options.anchors, plan.mode.numbers)
    known = [subject for subject in subjects if subject is not None]
    taken = [options.predictions, options.samples, *places_of(options.output)]
    with naming_options(PREFIX), ExitStack() as stack:
        asking = open_asking(plan.endpoint, plan.batch, plan.ledger, stack, budget_of(plan.endpoint), taken)
        judge = Judge(asking.ask, load_prompts(plan.language), plan.settings)
        judged = judge_all(judge, plan.mode, known, within=asking.within, in_flight=plan.endpoint.in_flight)
        asking.notes()
    found = dict(zip((subject.id for subject in known), judged, strict=True))
    return gather(modes, cases, subjects, found, judge, plan, anchors)


def judge_all(judge: Judge, mode: Mode, subjects: Sequence[Subject], *, within: Any, in_flight: int) -> list[Judged]:
    """Judge many at a time, and return what was found in the order of the subjects."""
    from emollm.llm.in_order import in_order  # brings asyncio

    work = in_order(subjects, lambda subject: mode.judge(judge, subject), in_flight=in_flight, within=within)
    return [judged for _, judged in track(work, "judge", total=len(subjects))]


def find_subjects(cases: Sequence[Case], against: Path | None) -> list[Subject | None]:
    """Return what is judged of each case; None where there is no gold description."""
    rivals = () if against is None else read_records(against, Prediction)
    others = {one.id: parse(one.completion).text for one in rivals}
    found: list[Subject | None] = []
    for sample, prediction, score, *_ in cases:
        gold = gold_text(sample)
        said = score.answer.text if prediction else None
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
    anchors: Anchors | None,
) -> Measured:
    """Put the votes into lines, with what they depend on and what has to be said about them.

    While answers wait for a batch service no vote counts: a mean over those that came first is no mean over all.
    """
    waiting = judge.failed["deferred"]
    counted = {one: judged._replace(votes={}) for one, judged in found.items()} if waiting else found
    target = anchors.metric if anchors else next(iter(plan.mode.numbers))
    humans = anchors.scores if anchors else {}
    lines: list[Line | None] = [
        None if subject is None else to_line(modes, counted[subject.id], humans.get(subject.id), target)
        for subject in subjects
    ]
    pins = plan.pins() | {"answered_by": sorted(judge.models)}
    golds = {one: judged.gold for one, judged in sorted(found.items()) if judged.gold}
    if golds:
        pins["gold"] = hashlib.sha256(json.dumps(golds, ensure_ascii=False).encode()).hexdigest()[:16]
    if waiting:
        pins["deferred"] = waiting
    details = [None if subject is None else found[subject.id].detail for subject in subjects]
    notices = notices_of([one for one in subjects if one is not None], found, judge, plan)
    if anchors is not None and not waiting:
        clusters = {sample.id: sample.subject or f"sample {sample.id}" for sample, *_ in cases}
        notices += compare_with_people(found, clusters, anchors, plan.mode.numbers[target])
    return Measured(lines, pins, details, notices, is_waiting=waiting > 0)


def notices_of(subjects: Sequence[Subject], found: Mapping[str, Judged], judge: Judge, plan: Plan) -> list[str]:
    """Say what was not judged, and why."""
    asked, read = (sum(getattr(judged, name) for judged in found.values()) for name in ("asked", "read"))
    notices = []
    if judge.failed["deferred"]:
        notices.append(
            f"judge: {read:,} of {asked:,} verdicts are there; no figure of the judge before all of them are"
        )
    elif read < asked:
        notices.append(f"judge: {asked - read:,} of {asked:,} verdicts could not be had; they are in no mean")
    if judge.failed:
        notices.append(f"judge: questions without an answer: {_counts(judge.failed)}")
    if judge.failed["budget"]:
        notices.append("judge: the budget is used up; the same command with a higher --judge-budget goes on from here")
    if judge.unread:
        unread = f"answers that could not be read, by prompt: {_counts(judge.unread)}"
        notices.append(f"judge: {unread}; each question was put at most {TRIES} times")
    silent = sum(subject.is_silent for subject in subjects)
    if silent:
        notices.append(f"judge: {silent:,} samples without an explanation have the least value, and nobody was asked")
    if other := sum(not (subject.other or "").strip() for subject in subjects) if plan.name == "pairwise" else 0:
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

    plan = plan_of(modes, context.options)
    subjects = [one for one in find_subjects(cases, context.options.judge_against) if one is not None]
    return preview_of(subjects, plan.mode, load_prompts(plan.language), plan.settings, plan.endpoint, plan.ledger)


def promise(modes: Mapping[str, Mode], context: Context) -> dict[str, Any]:
    """Return what the scores will be pinned to, as far as the options alone decide it."""
    return plan_of(modes, context.options).pins()


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
        promise=partial(promise, modes),
        is_asked_for=True,
    )


FAMILY = family_of(
    "judge", "The judge", "A language model compares the explanation with the gold description.", MODES
)._replace(add_arguments=add_arguments)

RUBRICS = [family_of(one.name, one.title, one.about, {one.name: mode_of(one)}) for one in read_rubrics()]
"""A family for each rubric of the field; the options are those of the judge."""
