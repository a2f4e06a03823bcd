"""The plan of a run with a judge: what the options ask for, and what the scores are pinned to by them alone.

plan = plan_of(MODES, options)
plan.pins()                      # {"mode": "v2", "model": "gpt-4o-mini", "prompts": {…}, …}
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ConfigError
from emollm.files import sha256
from emollm.llm.options import (
    BatchOptions,
    EndpointOptions,
    add_batch_arguments,
    add_endpoint_arguments,
    batch_options,
    endpoint_options,
)
from emollm.stage import positive
from eval.judge.asking import Settings
from eval.judge.mode import Mode
from eval.judge.modes import MODES
from eval.judge.wording import LANGUAGES, load_prompts

PREFIX = "judge-"
LEDGER_NAME = "judge.ledger.jsonl"


class Plan(NamedTuple):
    """What the options ask for."""

    name: str
    mode: Mode
    settings: Settings
    language: str
    endpoint: EndpointOptions
    batch: BatchOptions
    ledger: Path
    against: Path | None
    """Predictions of the other model, for pairs."""

    def pins(self) -> dict[str, Any]:
        """Return what the scores depend on and what is known before anybody is asked."""
        pins: dict[str, Any] = {
            "mode": self.name,
            "model": self.endpoint.model,
            "language": self.language,
            "prompts": load_prompts(self.language).digests(self.mode.prompts),
            **self.settings._asdict(),
        }
        return pins if self.against is None else pins | {"against": sha256(self.against)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the judge."""
    group = parser.add_argument_group("the judge (--metrics judge)")
    add_endpoint_arguments(group, PREFIX, ledger=f"{LEDGER_NAME} beside DIR, which runs side by side share")
    add_batch_arguments(group, PREFIX)
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
    mode, batch = modes[name], batch_options(options, PREFIX)
    _refuse_several(options, batch)
    return Plan(
        name,
        mode,
        settings,
        options.judge_language or mode.language,
        endpoint_options(options, PREFIX),
        batch,
        options.judge_ledger or options.output.resolve().parent / LEDGER_NAME,
        options.judge_against if name == "pairwise" else None,
    )


def _refuse_several(options: argparse.Namespace, batch: BatchOptions) -> None:
    """Raise ConfigError where several families would write into one batch file and wait for one another's answers."""
    judges = [family.name for family in options.metrics if family.preview is not None]
    if len(judges) > 1 and (batch.batch or batch.batch_answers):
        raise ConfigError(
            f"--judge-batch: asks for one family of the judge at a time, not for {', '.join(judges)}; name one after "
            "the other in --metrics, then all of them without --judge-batch: their answers are remembered"
        )
