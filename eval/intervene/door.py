"""`emollm intervene`: does the explanation cause the answer? The model answers again, with something altered.

    emollm intervene --model runs/sft predictions.jsonl samples.jsonl -o interventions.jsonl
    emollm score predictions.jsonl samples.jsonl --interventions interventions.jsonl -o scores/

Every prediction is tested with the question that it answered and the sampling that it was drawn with. What the model
says is kept as it is; `score` makes numbers of it, so they can be computed again without the model.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

from emollm.answers import parse
from emollm.errors import ConfigError, EmoLLMError, did_you_mean
from emollm.labels import LABEL_SETS
from emollm.pictures import sample_picture
from emollm.prompts import ask
from emollm.records import Prediction, Sample
from emollm.stage import Output, add_stage_arguments, positive, track
from eval.intervene.answering import Answerer, Model, Program
from eval.intervene.lines import Interventions, Trial, digest
from eval.intervene.trials import INTERVENTIONS, KINDS, Answered, Plan, Question, plan
from eval.pairs import Pairs, read_pairs

EPILOG = f"""\
interventions:
{chr(10).join(f"  {name:<15} {told}" for name, told in INTERVENTIONS.items())}

examples:
  emollm intervene --model runs/sft predictions.jsonl samples.jsonl -o interventions.jsonl --split test
  emollm intervene --program 'python my_model.py' predictions.jsonl samples.jsonl -o interventions.jsonl
  emollm score predictions.jsonl samples.jsonl --interventions interventions.jsonl -o scores/ --split test

A program reads lines {{"picture": FILE, "question": …, "begun": …}} and answers each with {{"completion": …}}: what it
says after `begun`, or null where it cannot go on from there.
"""


class Batch(NamedTuple):
    """A sample and what is asked about it."""

    tested: Answered
    layout: str
    questions: list[Question]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    options = build_parser().parse_args(argv)
    if (options.model is None) == (options.program is None):
        raise ConfigError("--model, --program: who answers? name one of the two")
    if options.label_set is not None and options.label_set not in LABEL_SETS:
        raise ConfigError(
            f"--label-set: '{options.label_set}' is not known{did_you_mean(options.label_set, LABEL_SETS)}"
        )
    pairs = read_pairs(options.predictions, options.samples, split=options.split, limit=options.limit)
    with ExitStack() as stack:
        # Who cannot be called must leave no empty output behind, and --overwrite must not empty a good one for them.
        goes_on = options.output.exists() and not options.overwrite
        who = None if goes_on else open_answerer(options, pairs, stack)
        out = stack.enter_context(
            Output(
                options.output,
                stage="intervene",
                options=options_of(options),
                inputs=[options.predictions, options.samples],
                overwrite=options.overwrite,
                record_type=Interventions,
            )
        )
        for line in pairs.bad:  # said when they were read
            out.reject("", "malformed", str(line))
            out.exit_code = 1
        if pairs.missing:
            out.count("without a prediction", len(pairs.missing))
        intervene(pairs, out, options, lambda: who or open_answerer(options, pairs, stack))
    return out.exit_code


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the stage."""
    parser = argparse.ArgumentParser(
        prog="emollm intervene",
        description="Let a model answer again with the picture, the question or its reasoning altered.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("predictions", type=Path, metavar="PREDICTIONS.jsonl", help="the answers to test")
    parser.add_argument("samples", type=Path, metavar="SAMPLES.jsonl", help="the samples they are about")
    parser.add_argument("--model", metavar="DIR|NAME", help="the model that gave them")
    parser.add_argument("--adapter", metavar="DIR", help="its LoRA adapter")
    parser.add_argument("--program", metavar="COMMAND", help="in place of --model: a program that answers lines")
    parser.add_argument(
        "--kinds",
        type=kinds,
        default=list(KINDS),
        metavar="KIND,…",
        help=f"what is altered: {', '.join(KINDS)} (default: all; text only where the question gives action units)",
    )
    parser.add_argument("--label-set", metavar="NAME", help="labels that count (default: each sample's own)")
    parser.add_argument("--split", metavar="NAME", help="only samples of this split")
    parser.add_argument("--media-root", type=Path, metavar="DIR", help="where media paths start (default: the file's)")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="keep the altered pictures here")
    parser.add_argument(
        "--batch-size", type=positive, default=32, metavar="N", help="questions at a time (default: 32)"
    )
    parser.add_argument("--device", metavar="NAME", help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16 (default: as saved)")
    add_stage_arguments(parser)
    return parser


def kinds(text: str) -> list[str]:
    """Read `regions,reasoning`."""
    chosen = [part.strip() for part in text.split(",")]
    for kind in chosen:
        if kind not in KINDS:
            raise argparse.ArgumentTypeError(f"'{kind}' is not one of {', '.join(KINDS)}{did_you_mean(kind, KINDS)}")
    return [kind for kind in KINDS if kind in chosen]


def options_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options that shape an answer, for the manifest; a rerun with others is refused."""
    shaping = ("model", "adapter", "program", "kinds", "label_set", "split", "dtype", "seed")
    return {name: getattr(options, name) for name in shaping} | {"settings": digest(options.seed)}


def open_answerer(options: argparse.Namespace, pairs: Pairs, stack: ExitStack) -> Answerer:
    """Return who answers, with the sampling of the predictions; a program ends with the stack."""
    if options.program is not None:
        return stack.enter_context(Program(options.program))
    from emollm.vlm.load import load_model

    known = next(iter(pairs.predictions.values())).sampling or {}
    sampling: dict[str, Any] = {
        name: known[name] for name in ("max_new_tokens", "temperature", "top_p", "seed") if name in known
    }
    return Model(load_model(options.model, options.adapter, device=options.device, dtype=options.dtype), sampling)


def intervene(pairs: Pairs, out: Output, options: argparse.Namespace, open_who: Callable[[], Answerer]) -> None:
    """Write a line for every prediction that has none yet. Whoever answers is called when the first one is asked."""
    who: Answerer | None = None
    model = options.program or "+".join(filter(None, (options.model, options.adapter)))
    waiting: list[Batch] = []
    for batch in chain(_batches(pairs, out, options), [None]):
        waiting += [] if batch is None else [batch]
        if waiting and (batch is None or sum(len(one.questions) for one in waiting) >= options.batch_size):
            who = who or open_who()
            _answer(waiting, who, out, model, options)
            waiting = []


def _batches(pairs: Pairs, out: Output, options: argparse.Namespace) -> Iterator[Batch]:
    """Yield what is asked about each sample that is not done. A picture that cannot be used is said and kept aside."""
    root = options.media_root or options.samples.parent
    told = [read(sample, pairs.predictions[sample.id], options.label_set)
            for sample in pairs.samples if sample.id in pairs.predictions]  # fmt: skip
    left = [one for one in told if not out.is_done(one.sample.id)]
    for tested in track(left, "intervene", total=len(left)):
        try:
            picture = sample_picture(tested.sample, root)
        except EmoLLMError as error:
            out.fail(tested.sample.id, "bad_picture" if tested.sample.media else "no_picture", str(error))
            continue
        other = partner(tested, told, options.seed)
        try:
            other_picture = None if other is None else sample_picture(other.sample, root)
        except EmoLLMError:  # said where the other one is tested
            other_picture = None
        questions, layout = plan(tested, other, picture, other_picture, Plan(options.kinds, options.seed))
        yield Batch(tested, layout, questions)


def read(sample: Sample, prediction: Prediction, label_set: str | None) -> Answered:
    """Put a sample together with what was asked and answered."""
    label_set = label_set or sample.label_set
    question = prediction.prompt or ask(prediction.style or "sections", label_set, text=sample.text)
    return Answered(sample, question, prediction.completion, parse(prediction.completion, label_set))


def partner(tested: Answered, told: Sequence[Answered], seed: int) -> Answered | None:
    """Draw another sample, of which the model says another label; any other one where it says the same of all.

    The draw depends on the seed and the sample alone, and on which samples there are.
    """
    rng = Random(f"{seed} other {tested.sample.id}")
    for _ in range(20):  # nearly always one of the first few
        other = rng.choice(told)
        if other.answer.label not in (None, tested.answer.label):
            return other
    others = [one for one in told if one is not tested]
    another = [one for one in others if one.answer.label not in (None, tested.answer.label)]
    return rng.choice(another or others) if others else None


def _answer(batches: Sequence[Batch], who: Answerer, out: Output, model: str, options: argparse.Namespace) -> None:
    """Ask a few samples' questions and write a line for each."""
    questions = [question for batch in batches for question in batch.questions]
    said: list[str | None] = []
    for start in range(0, len(questions), options.batch_size):
        said += who.answer(questions[start : start + options.batch_size])
    out.count("questions", len(questions))
    if silent := said.count(None):
        out.count("without an answer", silent)
    answers = iter(said)
    for tested, layout, asked in batches:
        trials = [
            Trial(intervention=one.intervention, completion=next(answers), regions=one.regions, share=one.share,
                  other=one.other)
            for one in asked
        ]  # fmt: skip
        if options.pictures is not None:
            keep_pictures(options.pictures, tested.sample.id, asked)
        out.write(
            Interventions(id=tested.sample.id, completion=tested.completion, model=model, layout=layout,
                          settings=digest(options.seed), trials=trials)
        )  # fmt: skip


def keep_pictures(folder: Path, sample_id: str, questions: Sequence[Question]) -> None:
    """Write the altered pictures of a sample: `ID.hide_cited.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    for question in questions:
        if question.picture is not questions[0].picture:
            question.picture.save(folder / f"{quote(sample_id, safe='')}.{question.intervention}.png")
