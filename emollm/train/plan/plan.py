"""A plan: from the options of a recipe to parts, rows, steps, memory and arithmetic.

plan = make_plan("sft", options, launcher)
plan.total, plan.lines, plan.steps
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from emollm.errors import ConfigError
from emollm.train.lora import Lora, Parts, Train, trained_parts
from emollm.train.plan.anatomy import Anatomy, dissect
from emollm.train.plan.compute import Work, arithmetic
from emollm.train.plan.lengths import Lengths, measure
from emollm.train.plan.memory import Batch, Setup, memory
from emollm.vlm.bases import find_config

Options = Mapping[str, Any]


class Launcher(NamedTuple):
    """How processes are started, as an accelerate file says it."""

    num_processes: int = 1
    zero_stage: int = 0
    deepspeed: bool = False
    offload_optimizer: bool = False
    offload_weights: bool = False
    offload_gradients: bool = False


def read_launcher(path: Path) -> Launcher:
    """Read an accelerate file. Raises ConfigError where it is none."""
    from emollm.train.recipe import read_values

    values = read_values(path)
    if "distributed_type" not in values:
        raise ConfigError(f"{path}: has no distributed_type; give a file of recipes/accelerate")
    world = int(values.get("num_processes", 1))
    if str(values["distributed_type"]).upper() == "FSDP":
        # Its one switch moves weights, gradients and optimizer alike (torch's CPUOffloadPolicy).
        is_off = str((values.get("fsdp_config") or {}).get("fsdp_offload_params", False)).lower() == "true"
        return Launcher(world, 3, False, is_off, is_off, is_off)
    zero = values.get("deepspeed_config") or {}
    return Launcher(
        world,
        int(zero.get("zero_stage", 0)),
        bool(zero),
        zero.get("offload_optimizer_device", "none") != "none",
        zero.get("offload_param_device", "none") != "none",
    )


class Plan(NamedTuple):
    """What a training will take."""

    parts: Parts
    anatomy: Anatomy
    setup: Setup
    batch: Batch
    lengths: Lengths
    work: Work
    lines: dict[str, float]
    """Memory on each GPU, in bytes."""
    origin: str
    """Where the configuration was found."""
    rows_per_step: int
    """Rows of one step on all GPUs; for GRPO and DPO, answers."""
    steps_per_epoch: int | None
    steps: int | None

    @property
    def total(self) -> float:
        """Bytes on each GPU."""
        return sum(self.lines.values())


def make_plan(stage: str, options: Options, launcher: Launcher, known: Plan | None = None) -> Plan:
    """Return the plan of a recipe. `known` is a plan of the same base and rows, whose counts are taken over."""
    config, origin = find_config(str(options["model"]))
    lora, adapter = _adapter(options)
    train = msgspec.convert(options["train"], Train) if options.get("train") else None
    parts = trained_parts(train, lora, options["freeze_vision"])
    is_same = known is not None and known.parts == parts
    anatomy = known.anatomy if known is not None and is_same else dissect(config, parts, lora, adapter)
    lengths = known.lengths if known is not None else measure(stage, options, config)
    setup = setup_of(stage, options, launcher, _saved_bytes(config))
    rows, accumulation = options["per_device_train_batch_size"], options["gradient_accumulation_steps"]
    longest = lengths.longest
    answers = rows * (2 if stage == "dpo" else 1)
    batch = Batch(
        answers,
        math.ceil(longest.tokens),
        math.ceil(longest.answer),
        math.ceil(longest.patches),
        rollouts=0 if options.get("use_vllm") else _rollouts(stage, options, setup.world),
    )
    rows_per_step = answers * setup.world * accumulation
    per_epoch = None if lengths.rows is None else _steps_per_epoch(stage, options, lengths.rows, setup.world)
    max_steps = options.get("max_steps") or -1
    epochs = float(options["num_train_epochs"])
    steps = max_steps if max_steps > 0 else None if per_epoch is None else math.ceil(epochs * per_epoch)
    work = arithmetic(anatomy, lengths.mean, setup.checkpointing)
    if stage == "dpo":
        work = work._replace(forward=2 * work.forward)  # the reference reads every answer too
    lines = memory(anatomy, setup, batch)
    return Plan(parts, anatomy, setup, batch, lengths, work, lines, origin, rows_per_step, per_epoch, steps)


def _adapter(options: Options) -> tuple[Lora | None, Any]:
    """Return the recipe's LoRA, and the configuration of the adapter that goes on learning.

    An adapter that is not there yet is taken for a LoRA of our defaults.
    """
    from emollm.vlm.load import read_adapter_config

    going_on = options.get("adapter")
    if options.get("lora") is not None:
        return msgspec.convert(options["lora"], Lora), None
    if going_on is None:
        return None, None
    config = read_adapter_config(going_on) if Path(going_on).is_dir() else None
    return Lora(), config


def setup_of(stage: str, options: Options, launcher: Launcher, saved_bytes: int) -> Setup:
    """Return how a training is carried out on a GPU, as far as memory goes."""
    lora, _ = _adapter(options)
    world = options.get("num_processes") or launcher.num_processes
    quantised = options.get("quantization") is not None
    in_16_bits = bool(options.get("fp16")) or options.get("bf16") is not False
    dtype = str(options.get("dtype", "auto"))
    weight_bytes = {"auto": saved_bytes, "float32": 4}.get(dtype, 2)
    if launcher.deepspeed and in_16_bits:
        weight_bytes = 2  # DeepSpeed casts the model, and keeps 32-bit copies of what learns
    checkpointing = options.get("activation_checkpointing")
    if checkpointing is None:
        checkpointing = options.get("gradient_checkpointing")
    return Setup(
        weight_bytes=weight_bytes,
        compute_bytes=2 if in_16_bits else weight_bytes,
        quantised=quantised,
        adapter_bytes=2 if launcher.deepspeed and (in_16_bits or quantised) else 4,
        dropout=stage == "sft" and lora is not None and lora.dropout > 0,
        optimizer=str(getattr(options["optim"], "value", options["optim"])),
        checkpointing=bool(checkpointing),
        world=world,
        zero_stage=launcher.zero_stage,
        deepspeed=launcher.deepspeed,
        offload_optimizer=launcher.offload_optimizer,
        offload_weights=launcher.offload_weights,
        offload_gradients=launcher.offload_gradients,
        whole_logits=bool(options.get("label_smoothing_factor")),
        reference=stage in ("grpo", "dpo") and bool(options.get("beta")) and lora is None,
    )


def _saved_bytes(config: Any) -> int:
    """Return the bytes of a weight as it was saved; the published bases are saved in 16 bits."""
    return 4 if "float32" in str(getattr(config, "dtype", None)) else 2


def _rollouts(stage: str, options: Options, world: int) -> int:
    """Return how many answers a GPU generates at once."""
    if stage != "grpo":
        return 0
    if options["generation_batch_size"]:
        return int(options["generation_batch_size"] // world)
    steps = options["steps_per_generation"] or options["gradient_accumulation_steps"]
    return int(options["per_device_train_batch_size"] * steps)


def _steps_per_epoch(stage: str, options: Options, rows: int, world: int) -> int:
    """Return how many optimizer steps go over all rows once, as transformers and TRL count them."""
    per_device: int = options["per_device_train_batch_size"]
    accumulation: int = options["gradient_accumulation_steps"]
    batches = math.ceil(rows / (per_device * world))
    if stage == "grpo":
        group = options["num_generations"]
        prompts = max(1, _rollouts(stage, options, world) * world // group)
        # TRL leaves out the prompts that do not fill a whole batch of generation.
        answers = rows // prompts * prompts * group * int(options["num_iterations"])
        batches = answers // (per_device * world)
    return math.ceil(batches / accumulation)


def remedies(stage: str, options: Options, launcher: Launcher, plan: Plan) -> Iterator[tuple[str, Plan]]:
    """Yield changes that take less memory, each alone, with the plan that they lead to."""
    rows, accumulation = options["per_device_train_batch_size"], options["gradient_accumulation_steps"]
    changes: list[tuple[str, dict[str, Any], Launcher]] = []
    if not plan.setup.checkpointing:
        changes.append(("activation_checkpointing=true", {"activation_checkpointing": True}, launcher))
    if rows > 1:
        smaller = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": accumulation * rows}
        text = " ".join(f"{name}={value}" for name, value in smaller.items())
        changes.append((text, smaller, launcher))
    if not plan.anatomy.total("adapter"):
        changes.append(("lora={}", {"lora": {}, "freeze_vision": False, "train": None}, launcher))
        changes.append(("optim=adamw_8bit", {"optim": "adamw_8bit"}, launcher))
    elif not plan.setup.quantised:
        changes.append(("quantization=nf4", {"quantization": "nf4"}, launcher))
    if plan.setup.world > 1 and launcher.zero_stage < 3:
        zero3 = launcher._replace(zero_stage=3, deepspeed=True)
        changes.append(("--launcher recipes/accelerate/zero3.yaml", {}, zero3))
    if launcher.deepspeed and not launcher.offload_optimizer:
        changes.append(("offload_optimizer_device: cpu", {}, launcher._replace(offload_optimizer=True)))
    if launcher.zero_stage == 3 and not launcher.deepspeed and not launcher.offload_weights:
        off = launcher._replace(offload_optimizer=True, offload_weights=True, offload_gradients=True)
        changes.append(("fsdp_offload_params: true", {}, off))
    for text, change, other in changes:
        changed = make_plan(stage, {**options, **change}, other, plan)
        if changed.total < plan.total:
            yield text, changed
