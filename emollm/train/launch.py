"""Launching: from a command line to a finished run, the same for every method of training that is built on TRL.

METHOD = Method("sft", EXAMPLE, Recipe, "SFTConfig", DEFAULTS, REFUSED, trainer_settings, train)
launch(METHOD, argv)                # emollm train sft …
run_program(main)                   # accelerate launch -m emollm.train.sft …
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from traceback import format_exc
from typing import Any, NamedTuple, NoReturn

import msgspec

from emollm.errors import ConfigError, EmoLLMError, did_you_mean
from emollm.train.fit import LESS
from emollm.train.lock import locked
from emollm.train.plan import add_plan_arguments, show_plan
from emollm.train.plan.table import trainer_defaults
from emollm.train.processes import is_first_process, leave, leave_together, wait_turn
from emollm.train.recipe import check_values, read_values, recipe_parser
from emollm.train.run import Run, open_run
from emollm.vlm.memory import memory_said
from emollm.vlm.processors import import_transformers

DEFAULTS: dict[str, Any] = {
    "report_to": "none",
    "disable_tqdm": True,
    "remove_unused_columns": False,  # rows become tensors in our own code
    "activation_checkpointing": False,
    "logging_nan_inf_filter": False,  # it would hide a loss that is no number; the run ends on one instead
}
"""What a recipe need not say, whatever the method."""

EVALUATION = (
    *("eval_strategy", "eval_steps", "eval_delay", "eval_on_start", "do_eval", "do_predict", "do_train"),
    *("per_device_eval_batch_size", "eval_accumulation_steps", "eval_use_gather_object", "eval_do_concat_batches"),
    *("bf16_full_eval", "fp16_full_eval", "batch_eval_metrics", "prediction_loss_only", "include_for_metrics"),
    *("load_best_model_at_end", "metric_for_best_model", "greater_is_better", "label_names"),
)
"""Arguments about an evaluation by loss, which there is not."""

_MEASURE = "there is no evaluation by loss; use `emollm predict` and `emollm score` on the saved model"
_PUSH = "a model is pushed when it is done: `emollm merge … --push OWNER/NAME`; leave it out"
ENCODED = "rows become tensors in our own code, with the tokens and the template of the base; leave it out"
_HUB = ("hub_model_id", "hub_strategy", "hub_token", "hub_private_repo", "hub_always_push", "hub_revision")
REFUSED = {
    **dict.fromkeys(EVALUATION, _MEASURE),
    **dict.fromkeys(("push_to_hub", *_HUB), _PUSH),
    "resume_from_checkpoint": "the same command goes on from the newest checkpoint; --overwrite starts again",
    "save_only_model": "a rerun could not go on from such a checkpoint; leave it out",
    "train_sampling_strategy": "the order follows from the seed, anew each epoch; leave it out",
    "remove_unused_columns": "the columns are ours, and all are used; leave it out",
    "model_init_kwargs": "the base is loaded as `model` and `dtype` say; leave it out",
    "trust_remote_code": "no code of a model's repository is run; leave it out",
    "logging_nan_inf_filter": "a loss that is no number ends the run; leave it out",
}
"""Arguments of TRL's that mean nothing here, whatever the method, and what to do instead."""


class Method(NamedTuple):
    """A way of training: what its recipe may say, and how it is carried out."""

    name: str
    example: str
    """A command line for the help text."""
    recipe: type[msgspec.Struct]
    config: str
    """The class of TRL that holds every other key of the recipe."""
    defaults: Mapping[str, Any]
    """What a recipe need not say of it."""
    refused: Mapping[str, str]
    settings: Callable[[Any, dict[str, Any], Any], Any]
    """From that class, the values for it and the recipe to TRL's arguments."""
    train: Callable[[Any, Any, Run], None]
    """Carries out the recipe with these arguments, in this run folder."""


def launch(method: Method, argv: Sequence[str] | None = None) -> int:
    """Run a method of training and return the exit code."""
    parser = recipe_parser(method.name, method.example)
    add_plan_arguments(parser)
    arguments = parser.parse_intermixed_args(argv)  # overrides may stand before and after the options
    import_transformers()
    import trl

    config = getattr(trl, method.config)
    values = read_values(arguments.config, arguments.overrides)
    recipe, trainer_values = check_values(values, method.recipe, config, method.refused)
    options = msgspec.to_builtins(recipe) | trainer_values
    if arguments.print_config:
        print(msgspec.json.format(msgspec.json.encode(options)).decode())
        return 0
    if arguments.plan:
        return show_plan(method.name, DEFAULTS | options, config, arguments)
    settings = method.settings(config, {**method.defaults, **trainer_values}, recipe)
    with locked(Path(settings.output_dir)):
        run = open_run(
            Path(settings.output_dir),
            stage=method.name,
            options=options,
            inputs=[Path(options["train_file"])],
            overwrite=arguments.overwrite,
            defaults={**trainer_defaults(config), **DEFAULTS, **method.defaults},
        )
        if run.is_done:
            print(f"{run.directory}: is done already; --overwrite starts again", file=sys.stderr)
            return 0
        carry_out(method, recipe, settings, run)
    return 0


def carry_out(method: Method, recipe: Any, settings: Any, run: Run) -> None:
    """Train, and put into the manifest why that ended where it did so before its first step."""
    try:
        with memory_said(str(run.directory), LESS):
            method.train(recipe, settings, run)
    except Exception as error:
        if run.manifest["status"] == "running":
            run.fail(error)
        raise
    leave_together()


def build_settings(config: Any, values: Mapping[str, Any], num_processes: int | None) -> Any:
    """Build TRL's arguments. Raises ConfigError where they contradict each other or the machine."""
    import torch

    values = DEFAULTS | dict(values)
    if not torch.cuda.is_available():
        values = {"use_cpu": True, "bf16": False, "dataloader_pin_memory": False} | values
    try:
        settings = config(**values)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the recipe does not hold together: {' '.join(str(error).split())}") from None
    check_reports(settings.report_to)
    if settings.use_liger_kernel and find_spec("liger_kernel") is None:
        raise ConfigError("use_liger_kernel: is not installed; pip install liger-kernel, or leave it out")
    if num_processes not in (None, settings.world_size):
        raise ConfigError(
            f"num_processes: {num_processes} must take part, but the launcher started {settings.world_size}; "
            "on CPUs use `accelerate launch --config_file recipes/accelerate/ddp.yaml`"
        )
    if os.environ.get("ACCELERATE_USE_FSDP") == "true" and settings.distributed_state.distributed_type == "MULTI_CPU":
        raise ConfigError("FSDP: accelerate splits nothing on CPUs, without a word; use recipes/accelerate/zero3.yaml")
    return settings


def check_reports(names: Sequence[str]) -> None:
    """Raise ConfigError for a tool of `report_to` that transformers does not know, or that is not installed."""
    from transformers.integrations import integration_utils as tools

    for name in names:
        if name not in tools.INTEGRATION_TO_CALLBACK:
            hint = did_you_mean(name, tools.INTEGRATION_TO_CALLBACK)
            raise ConfigError(f"report_to: '{name}' is not known{hint}; tensorboard, trackio, wandb …, or none")
        is_there = getattr(tools, f"is_{name}_available", lambda: True)
        if not is_there():
            raise ConfigError(
                f"report_to: {name} is not installed; pip install {name}, or leave it out: "
                "train_log.jsonl and curves.svg are always written"
            )


def run_program(main: Callable[[], int]) -> NoReturn:
    """Run a stage as a program of its own and exit: errors that the user can mend are one line, Ctrl-C is 130."""
    try:
        leave(main())
    except EmoLLMError as error:
        end(f"error: {error}")
    except OSError as error:
        end(f"error: {error.filename or 'writing'}: {error.strerror}" if error.strerror else format_exc())
    except KeyboardInterrupt:
        if is_first_process():
            print("\nstopped; the same command goes on from here", file=sys.stderr)
        sys.exit(130)
    except Exception:  # noqa: BLE001 - a bug, which one of several processes shows
        end(format_exc())


def end(text: str) -> NoReturn:
    """Say why this process failed, unless one before it says so, and exit with 1."""
    wait_turn()
    print(text, file=sys.stderr)
    leave(1)
