"""The options of the teachers that are asked: an endpoint, or an own model.

    add_teacher_arguments(parser)
    with open_teacher(arguments, options, quota.is_full) as (teacher, notes):
        ...                                  # notes() is what the manifest remembers: prompts, tokens, cost

What shapes a text goes into the manifest, and a rerun with other options is refused; how fast and how dearly it is
asked does not.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from data_engine.exp_cot.draft import Options
from data_engine.exp_cot.language import LANGUAGES
from data_engine.exp_cot.language_model import ModelWriter, Settings
from data_engine.exp_cot.loop import Effort
from data_engine.exp_cot.rules import MAX_ATTEMPTS
from data_engine.exp_cot.wording import Prompts
from data_engine.generate.endpoint import open_endpoint
from data_engine.generate.quota import Quota
from data_engine.generate.teachers import AskingTeacher, RulesTeacher, Teacher
from emollm.errors import ConfigError, did_you_mean
from emollm.llm.asking import Asking
from emollm.llm.batches import Notes
from emollm.llm.options import add_batch_arguments, add_endpoint_arguments, batch_options
from emollm.llm.wire import Ask
from emollm.stage import positive
from emollm.vlm.load import EMBEDDED
from emollm.vlm.options import share, temperature

ROUNDS = 3

BELONGS = {
    **dict.fromkeys(("workers", "ray"), ("rules",)),
    **dict.fromkeys(("votes", "eliminate", "repair", "language", "prompts", "pictures", "no_schema"), ("openai",)),
    **dict.fromkeys(("base_url", "api_key_env", "ledger", "budget", "price", "batch", "dry_run"), ("openai",)),
    **dict.fromkeys(("requests_per_minute", "tokens_per_minute", "in_flight", "deadline"), ("openai",)),
    **dict.fromkeys(("model", "temperature", "top_p", "batch_answers", "submit", "fetch"), ("openai",)),
    **dict.fromkeys(("adapter", "batch_size", "device", "dtype", "style"), ("own",)),
    **dict.fromkeys(("media_root", "max_tokens"), ("openai", "own")),
}
"""Option to the teachers that it is for."""

SHAPING = ("model", "temperature", "top_p", "max_tokens", "no_schema", "language", "pictures")
"""Options of an endpoint that shape the texts."""


def kind_of(teacher: str, adapter: str | None = None) -> str:
    """Return `rules`, `openai`, or `own` for a model: its directory, emollm-tiny, or any name that has an adapter.

    Raises ConfigError for anything else.
    """
    if teacher in ("rules", "openai"):
        return teacher
    if adapter is not None or teacher == EMBEDDED or Path(teacher).is_dir():
        return "own"
    raise ConfigError(
        f"--teacher: '{teacher}' is no teacher{did_you_mean(teacher, ('rules', 'openai'))}; "
        "rules, openai, or the directory of a model"
    )


def add_teacher_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the loop, of an endpoint and of an own model."""
    loop = parser.add_argument_group("the loop")
    loop.add_argument(
        "--rounds", type=positive, metavar="N", help=f"tries for a sample (default: {ROUNDS}; rules: {MAX_ATTEMPTS})"
    )
    loop.add_argument("--votes", type=positive, default=1, metavar="K", help="descriptions a round; most votes win")
    loop.add_argument("--eliminate", action="store_true", help="a label that was read wrongly is no choice any more")
    loop.add_argument(
        "--repair",
        action="store_true",
        help="where no reader arrives at the label, tell it to the writer of the ending, marked label_seen",
    )
    loop.add_argument("--balance", type=positive, metavar="N", help="keep at most N samples of a class, the first ones")
    asked = parser.add_argument_group("asking a model (--teacher openai)")
    add_endpoint_arguments(asked, ledger="beside the output")
    asked.add_argument(
        "--dry-run", action="store_true", help="print the first prompts and a cost estimate; ask nothing"
    )
    add_batch_arguments(asked)
    asked.add_argument("--language", choices=sorted(LANGUAGES), default="en", help="of prompts and texts (default: en)")
    asked.add_argument("--prompts", type=Path, metavar="DIR", help="prompts of your own in place of ours")
    asked.add_argument("--pictures", action="store_true", help="show the model the pictures too; clips are not shown")
    asked.add_argument("--temperature", type=temperature, default=0.7, metavar="T", help="of texts (default: 0.7)")
    asked.add_argument("--top-p", type=share, metavar="P", help="share of likely tokens drawn from")
    asked.add_argument("--no-schema", action="store_true", help="ask for JSON in words only")
    both = parser.add_argument_group("both")
    both.add_argument("--max-tokens", type=positive, default=700, metavar="N", help="of an answer (default: 700)")
    both.add_argument("--media-root", type=Path, metavar="DIR", help="where media paths start (default: the file's)")
    own = parser.add_argument_group("an own model (--teacher DIR)")
    own.add_argument("--adapter", metavar="DIR", help="a LoRA adapter that was trained on this model")
    own.add_argument("--batch-size", type=positive, default=16, metavar="N", help="samples at a time (default: 16)")
    own.add_argument("--device", metavar="NAME", help="cuda, mps or cpu (default: the best there is)")
    own.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16 (default: as saved)")
    own.add_argument(
        "--style", choices=("sections", "think"), default="sections", help="answer style it was trained in"
    )


def check_together(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> str:
    """Return the kind of the teacher. Raises ConfigError for options that are not for it: they would do nothing."""
    kind = kind_of(arguments.teacher, arguments.adapter)
    given = [name for name in BELONGS if getattr(arguments, name) != parser.get_default(name)]
    if strange := [f"--{name.replace('_', '-')}" for name in given if kind not in BELONGS[name]]:
        raise ConfigError(f"{', '.join(strange)}: not for --teacher {arguments.teacher}")
    if kind == "openai" and not arguments.model:
        raise ConfigError("--teacher openai: name the model with --model")
    if kind == "openai":
        batch_options(arguments)
        _refuse_idle(arguments)
    return kind


def _refuse_idle(arguments: argparse.Namespace) -> None:
    """Raise ConfigError for options that cost and change nothing together."""
    if arguments.votes > 1 and arguments.temperature == 0:
        raise ConfigError("--votes: at --temperature 0 every vote says the same; raise the temperature")
    if arguments.eliminate and arguments.rounds == 1:
        raise ConfigError("--eliminate: rules a label out for the next round, and --rounds 1 has none")
    if arguments.media_root and not arguments.pictures:
        raise ConfigError("--media-root: is where pictures lie; they are shown with --pictures")


def effort_of(arguments: argparse.Namespace) -> Effort:
    """Return how much is tried for a sample."""
    return Effort(arguments.rounds or ROUNDS, arguments.votes, arguments.eliminate, arguments.repair)


def shown(arguments: argparse.Namespace, kind: str, options: Options, prompts: Prompts | None) -> dict[str, Any]:
    """Return the options that shape the texts, for the manifest."""
    told: dict[str, Any] = {"teacher": kind, **options._asdict()}
    if arguments.balance:
        told["balance"] = arguments.balance
    if kind == "rules":
        return told | ({"rounds": arguments.rounds} if arguments.rounds else {})
    if kind == "own":
        told |= {"model": arguments.teacher, "rounds": effort_of(arguments).rounds}
        return told | _named(arguments, ("adapter", "style", "dtype", "max_tokens"))
    digest = prompts.digest() if prompts else None
    return told | effort_of(arguments)._asdict() | _named(arguments, SHAPING) | {"prompts": digest}


def _named(arguments: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in names}


@contextmanager
def open_teacher(
    arguments: argparse.Namespace,
    kind: str,
    options: Options,
    prompts: Prompts | None,
    quota: Quota,
    ask: Ask | None = None,
) -> Iterator[tuple[Teacher, Notes]]:
    """Yield the teacher and what the manifest is to remember of it; `ask` answers in place of an endpoint."""
    if kind == "rules":
        rounds = arguments.rounds or MAX_ATTEMPTS
        yield RulesTeacher(options, rounds, arguments.workers, arguments.ray), dict
    elif kind == "own":
        yield _own_teacher(arguments, options, quota), dict
    else:
        assert prompts is not None
        with ExitStack() as stack:
            yield _endpoint_teacher(arguments, options, prompts, quota, ask, stack)


def _own_teacher(arguments: argparse.Namespace, options: Options, quota: Quota) -> Teacher:
    from data_engine.exp_cot.own_model import LocalModel, WholeWriter
    from emollm.vlm.load import load_model

    model, processor = load_model(arguments.teacher, arguments.adapter, device=arguments.device, dtype=arguments.dtype)
    name = f"{arguments.teacher}+{arguments.adapter}" if arguments.adapter else arguments.teacher
    local = LocalModel(model, processor, name, arguments.batch_size)
    return AskingTeacher(
        options,
        effort_of(arguments),
        lambda task, image: WholeWriter(
            local,
            image,
            task.sight,
            task.label_set,
            seed=options.seed,
            style=arguments.style,
            max_tokens=arguments.max_tokens,
        ),
        in_flight=arguments.batch_size,
        media_root=arguments.media_root or arguments.samples.parent,
        needs_picture=True,
        quota=quota,
    )


def settings_of(arguments: argparse.Namespace, options: Options) -> Settings:
    """Return how the model is asked."""
    return Settings(arguments.temperature, arguments.top_p, options.seed, arguments.max_tokens, not arguments.no_schema)


def _endpoint_teacher(
    arguments: argparse.Namespace,
    options: Options,
    prompts: Prompts,
    quota: Quota,
    ask: Ask | None,
    stack: ExitStack,
) -> tuple[Teacher, Notes]:
    """Return the teacher behind an endpoint; what it opens is closed with the stack."""
    asking, allowance = open_endpoint(arguments, stack) if ask is None else (Asking(ask), None)
    settings = settings_of(arguments, options)
    teacher = AskingTeacher(
        options,
        effort_of(arguments),
        lambda task, image: ModelWriter(asking.ask, prompts, settings, task.sight, task.label_set, image),
        in_flight=arguments.in_flight
        + arguments.in_flight // 4,  # some samples are being checked and written meanwhile
        within=asking.within,
        allowance=allowance,
        media_root=(arguments.media_root or arguments.samples.parent) if arguments.pictures else None,
        quota=quota,
    )
    return teacher, lambda: {"prompts": prompts.digests(), **asking.notes()}
