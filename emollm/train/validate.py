"""Validation: every so many steps the model answers samples it does not learn from, scored as `emollm score` scores.

    validator = make_validator(recipe.validation, …)
    trainer.add_callback(validation_callback(trainer, validator, run))

The best model so far lies in `best/` of the run folder, as a folder of its own; without a better one for long enough,
the training stops. Every measurement is in train_log.jsonl, from which a rerun knows how far it had come.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from emollm.answers import STYLES
from emollm.errors import ConfigError, did_you_mean
from emollm.pictures import open_picture
from emollm.prompts import Language
from emollm.records import Sample
from emollm.scoring import SampleScore, score_sample
from emollm.train.limits import Count
from emollm.train.processes import is_first_process
from emollm.train.questions import Asking, Question, make_questions
from emollm.train.refused import nothing_left, of_split
from emollm.train.rows import BARE, UNNAMED, Row
from emollm.train.run import LOG, Run, read_log
from emollm.vlm.generate import Sampling, generate
from emollm.vlm.processors import save_processor
from emollm.vlm.turns import ask_about


class Metric(NamedTuple):
    """What is measured of one answer, whether its sample has the gold for it, and in which styles it is asked for."""

    value: Callable[[SampleScore], float | None]
    has_gold: Callable[[SampleScore], bool]
    styles: Collection[str]


_NAMING = [style for style in STYLES if style != UNNAMED]
_TELLING = [style for style in STYLES if style not in BARE]
METRICS = {
    "accuracy": Metric(lambda score: score.correct, lambda score: score.correct is not None, _NAMING),
    "au_f1": Metric(lambda score: score.au_f1, lambda score: score.au_f1 is not None, _TELLING),
    "claim_precision": Metric(lambda score: score.precision, lambda score: score.face is not None, _TELLING),
    "well_formed": Metric(lambda score: score.well_formed, lambda _: True, STYLES),
}
"""Each is the mean over the answers that have a value."""


class Validation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a training is measured while it runs."""

    metric: str = "accuracy"
    """The one by which the best model is chosen; all of METRICS are logged."""
    every: Count = 200
    """Steps from one measurement to the next; the last step is always measured."""
    patience: Count | None = None
    """Stop after so many measurements without a better one; null never stops."""
    file: str | None = None
    """Samples; the training file unless given."""
    split: str | None = "validation"
    num_samples: Count = 200
    """At most so many, drawn once."""
    style: str | None = None
    """The form of the answers asked for; the first of `styles` unless given."""
    language: Language | None = None
    """Of questions and answers, en or zh; that of each sample's explanation unless given."""
    max_new_tokens: Count = 300
    batch_size: Count = 8

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            hint = did_you_mean(self.metric, METRICS)
            raise ValueError(f"validation.metric: '{self.metric}' is not known{hint}; {', '.join(METRICS)}")
        if self.style is not None and self.style not in STYLES:
            hint = did_you_mean(self.style, STYLES)
            raise ValueError(f"validation.style: '{self.style}' is not known{hint}; {', '.join(STYLES)}")


class Validator(NamedTuple):
    """What is asked, of which samples, and how the answers are read."""

    options: Validation
    style: str
    label_set: str | None
    asked: Sequence[tuple[Question, Sample]]

    def measure(self, model: Any, processor: Any) -> dict[str, float]:
        """Return every metric that has gold. Each process answers its share, and all get the same numbers."""
        from accelerate import PartialState
        from accelerate.utils import gather_object

        state = PartialState()
        scores = self._scores(model, processor, self.asked[state.process_index :: state.num_processes])
        metrics = {name: metric for name, metric in METRICS.items() if self.style in metric.styles}
        found = gather_object([{name: metric.value(score) for name, metric in metrics.items()} for score in scores])
        columns = {name: [float(one[name]) for one in found if one[name] is not None] for name in metrics}
        return {name: sum(values) / len(values) for name, values in columns.items() if values}

    def _scores(self, model: Any, processor: Any, share: Sequence[tuple[Question, Sample]]) -> Iterable[SampleScore]:
        sampling = Sampling(max_new_tokens=self.options.max_new_tokens)
        for start in range(0, len(share), self.options.batch_size):
            batch = share[start : start + self.options.batch_size]
            turns = [ask_about(open_picture(Path(question.picture)), question.question) for question, _ in batch]
            for (_, sample), completion in zip(batch, generate(model, processor, turns, sampling), strict=True):
                yield score_sample(sample, completion.text, self.label_set, style=self.style)


def make_validator(
    options: Validation, train_file: Path, media_root: str | None, label_set: str | None, style: str, seed: int
) -> Validator:
    """Read the samples and draw from them.

    Raises SourceError where there are none, ConfigError where none has gold or the style does not ask for the metric.
    """
    path = Path(options.file or train_file)
    style = options.style or style
    if style not in (wanted := METRICS[options.metric].styles):
        raise ConfigError(
            f"validation.metric: the style '{style}' does not ask for what '{options.metric}' measures; "
            f"set validation.style to one of {', '.join(wanted)}, or another metric"
        )
    asking = Asking(style, label_set, seed, options.language)
    asked, refused = make_questions(of_split(path, options.split), Path(media_root or path.parent), asking)
    if refused:
        _say(refused.line(path, "validation samples"))
    if not asked:
        raise nothing_left(path, options.split, refused, "validation.split")
    asked.sort(key=lambda pair: pair[0].id)
    chosen = random.Random(seed).sample(asked, min(options.num_samples, len(asked)))
    silence = (score_sample(sample, "", label_set, style=style) for _, sample in chosen)
    if not any(METRICS[options.metric].has_gold(score) for score in silence):
        raise ConfigError(f"validation.metric: no sample of {path} has what '{options.metric}' compares with")
    return Validator(options, style, label_set, chosen)


def check_held_out(validator: Validator, learnt: Iterable[Row]) -> None:
    """Raise ConfigError where a picture that is measured on is learnt from, too: its score says nothing of others."""
    pictures = {row.picture for row in learnt}
    both = [sample.id for question, sample in validator.asked if question.picture in pictures]
    if both:
        raise ConfigError(
            f"validation: {len(both):,} of its {len(validator.asked):,} samples are learnt from, too, such as "
            f"'{both[0]}'; give split and validation.split, or validation.file, so that none is in both"
        )


def validation_callback(trainer: Any, processor: Any, validator: Validator, run: Run) -> Any:
    """Return a callback that measures, keeps the best model, and stops when none better comes."""
    from transformers import TrainerCallback
    from trl.models import unwrap_model_for_generation

    options = validator.options

    class Validate(TrainerCallback):  # type: ignore[misc]
        best: float | None = None
        waited = 0

        def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
            for value in measured_before(run, options.metric, state.global_step):
                self.is_better(value)

        def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step % options.every and state.global_step != state.max_steps:
                return
            values = self.measure()
            # Not by `trainer.log`, which would also empty TRL's means of the steps since the last line.
            logs = {f"validation_{name}": round(value, 6) for name, value in values.items()}
            is_due = control.should_log
            trainer.callback_handler.on_log(trainer.args, state, control, logs)
            control.should_log = is_due  # the line of this step is still to come
            if self.is_better(values.get(options.metric, 0.0)):
                trainer.save_model(str(run.directory / "best"))
                if is_first_process():
                    save_processor(processor, run.directory / "best")
                run.note(best={"step": state.global_step, options.metric: self.best})
            elif options.patience is not None and self.waited >= options.patience:
                control.should_training_stop = True
                _say(f"step {state.global_step}: no better {options.metric} in {self.waited} measurements; stopping")
                if not self.best:
                    read = "read what it answers: `emollm predict`"
                    _say(f"careful: {options.metric} was never above 0; raise validation.patience, and {read}")

        def measure(self) -> dict[str, float]:
            was_training = trainer.model.training
            with unwrap_model_for_generation(trainer.model_wrapped, trainer.accelerator) as model:
                values = validator.measure(model.eval(), processor)
            trainer.model.train(was_training)
            shown = "  ".join(f"{name} {value:.3f}" for name, value in values.items())
            _say(f"step {trainer.state.global_step}/{trainer.state.max_steps}  validation  {shown}")
            return values

        def is_better(self, value: float) -> bool:
            better = self.best is None or value > self.best
            self.best, self.waited = (value, 0) if better else (self.best, self.waited + 1)
            return better

    return Validate()


def measured_before(run: Run, metric: str, step: int) -> list[float]:
    """Return what was measured up to a step, from the log of the run."""
    log = run.directory / LOG
    entries = read_log(log) if log.exists() else []
    name = f"validation_{metric}"
    return [entry[name] for entry in entries if name in entry and entry["step"] <= step]


def _say(text: str) -> None:
    if is_first_process():
        print(text, file=sys.stderr, flush=True)
