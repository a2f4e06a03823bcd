"""The plan as a text to read: parts, rows, memory line by line, and whether it fits."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emollm.train.groups import check_groups
from emollm.train.plan.compute import MFU, SIZES, Card, card, seconds_to_generate
from emollm.train.plan.memory import DOUBT, ESTIMATED, GB, NF4, doubt
from emollm.train.plan.plan import Launcher, Options, Plan, make_plan, read_launcher, remedies
from emollm.vlm.options import share

ORIGINS = {"config.json": "its config.json", "hub": "the hub", "table": "our table of published bases"}


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --plan and what it may be told."""
    plan = parser.add_argument_group("planning")
    plan.add_argument("--plan", action="store_true", help="print memory, steps and arithmetic, load nothing, and stop")
    plan.add_argument("--gpu", metavar="NAME", help="the card to plan for: h100, a100-80g, l40s, 4090 …")
    plan.add_argument("--launcher", type=Path, metavar="FILE.yaml", help="the accelerate file of the launch")
    plan.add_argument(
        "--mfu", type=share, default=MFU, metavar="SHARE", help=f"share of the card's peak reached (default: {MFU})"
    )


def show_plan(stage: str, options: Options, trainer: type, arguments: argparse.Namespace) -> int:
    """Print what the recipe will take, and return the exit code.

    `options` are those of the recipe, `trainer` is the class of TRL that holds the defaults of what it does not say.
    Raises ConfigError for an unknown card or launcher file and for groups of GRPO that do not fit its batch, ModelError
    where the base has no configuration.
    """
    options = trainer_defaults(trainer) | dict(options)
    launcher = read_launcher(arguments.launcher) if arguments.launcher else Launcher()
    if stage == "grpo":
        check_groups(options, options.get("num_processes") or launcher.num_processes)
    gpu = card(arguments.gpu) if arguments.gpu else None
    plan = make_plan(stage, options, launcher)
    print("\n".join(render(stage, options, launcher, plan, gpu, arguments.mfu)))
    return 0


def trainer_defaults(trainer: Any) -> dict[str, Any]:
    """Return what a class of TRL's arguments takes where a recipe says nothing."""
    fields = dataclasses.fields(trainer)
    return {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}


def render(stage: str, options: Options, launcher: Launcher, plan: Plan, gpu: Card | None, mfu: float) -> Iterator[str]:
    """Yield the lines of the plan."""
    yield f"{stage} of {options['model']} (sizes from {ORIGINS[plan.origin]}); nothing is loaded"
    yield ""
    yield from _parts(plan)
    yield ""
    yield from _rows(stage, plan)
    yield from _time(stage, options, plan, gpu, mfu)
    yield ""
    yield from _memory(plan)
    yield ""
    yield from _verdict(stage, options, launcher, plan, gpu)


def _parts(plan: Plan) -> Iterator[str]:
    yield f"{'part':<12}{'parameters':>16}{'trained':>16}"
    anatomy = plan.anatomy
    for (name, part), how in zip(anatomy.parts.items(), plan.parts, strict=True):
        yield f"{name:<12}{part.parameters:>16,}{part.trained + part.adapter:>16,}   {how}"
    total, trained = anatomy.total("parameters"), anatomy.total("trained") + anatomy.total("adapter")
    yield f"{'all':<12}{total:>16,}{trained:>16,}   {trained / (total + anatomy.total('adapter')):.1%}"


def _rows(stage: str, plan: Plan) -> Iterator[str]:
    mean, longest = plan.lengths.mean, plan.lengths.longest
    known = "?" if plan.lengths.rows is None else f"{plan.lengths.rows:,}"
    what = {"grpo": "prompts", "dpo": "pairs"}.get(stage, "rows")
    yield f"{what:<12}{known} ({plan.lengths.origin})"
    yield (
        f"{'tokens':<12}{mean.tokens:,.0f} a row: {mean.image:,.0f} of the picture, {mean.answer:,.0f} of the answer; "
        f"the longest row {longest.tokens:,.0f}"
    )
    parts = [f"{plan.rows_per_step:,} {'rows' if stage == 'sft' else 'answers'} a step"]
    if plan.steps_per_epoch is not None:
        parts.append(f"{plan.steps_per_epoch:,} steps an epoch")
    if plan.steps is not None:
        tokens = plan.steps * plan.rows_per_step * mean.tokens
        parts.append(f"{plan.steps:,} steps in all, {tokens / 1e6:,.1f} million tokens")
    yield f"{'steps':<12}{', '.join(parts)}"


def _time(stage: str, options: Options, plan: Plan, gpu: Card | None, mfu: float) -> Iterator[str]:
    a_step = plan.work.training * plan.rows_per_step
    text = f"{a_step / 1e12:,.1f} TFLOP a step (6·N·T, 4·N·T where weights are frozen, and attention)"
    if stage == "dpo":
        text += ", the reference's forward pass included"
    if plan.work.recomputed:
        text += f"; recomputing adds {plan.work.recomputed / plan.work.training:.0%}"
    yield f"{'arithmetic':<12}{text}"
    if plan.steps is not None:
        yield f"{'':<12}{a_step * plan.steps:.2e} FLOP in all"
    if gpu is None:
        return
    seconds = a_step / (gpu.tflops * 1e12 * mfu * plan.setup.world)
    text = f"{seconds:,.1f} s a step at {mfu:.0%} of {gpu.tflops:,.0f} TFLOP/s (assumed; --mfu)"
    if stage == "grpo" and not options.get("use_vllm"):
        generating = _seconds_to_generate(plan, options, gpu)
        seconds += generating
        text += f", and at least {generating:,.1f} s to generate (its weights read from memory for each token)"
    yield f"{'time':<12}{text}"
    if plan.steps is not None:
        yield f"{'':<12}{_duration(seconds * plan.steps)} in all, without loading and saving"


def _seconds_to_generate(plan: Plan, options: Options, gpu: Card) -> float:
    stack = plan.anatomy.language_stack
    cache = 2 * stack.layers * stack.keys * plan.setup.compute_bytes * plan.batch.tokens * plan.batch.rollouts
    weight_bytes = NF4 if plan.setup.quantised else plan.setup.weight_bytes
    per_batch = seconds_to_generate(plan.anatomy, weight_bytes, cache, plan.batch.answer, gpu)
    answers: float = plan.batch.rows * options["gradient_accumulation_steps"] / options["num_iterations"]
    return per_batch * answers / plan.batch.rollouts


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds / 60:,.0f} min"


def _memory(plan: Plan) -> Iterator[str]:
    world = plan.setup.world
    yield f"memory on {'the GPU' if world == 1 else f'each of {world} GPUs'}, in GB of 2^30 bytes"
    for name, size in plan.lines.items():
        yield f"  {name:<14}{size / GB:>7.2f}   {_remark(name, plan)}".rstrip()
    yield f"  {'total':<14}{plan.total / GB:>7.2f}   ± {doubt(plan.lines) / GB:.1f}"


def _remark(name: str, plan: Plan) -> str:
    setup, batch = plan.setup, plan.batch
    divided = f", divided by {setup.world}"
    remarks: Mapping[str, str] = {
        "weights": _weights(plan) + (divided if setup.share(3) > 1 else ""),
        "adapter": f"{setup.adapter_bytes} bytes each",
        "gradients": "as wide as the weights" + (divided if setup.share(2) > 1 else ""),
        "optimizer": setup.optimizer
        + (", with 32-bit weights" if setup.deepspeed and setup.weight_bytes == 2 else "")
        + (divided if setup.share(1) > 1 else ""),
        "communication": "weights gathered for two layers and the output layer, buffers for gradients"
        if setup.zero_stage == 3
        else "buffers for gradients",
        "reference": "the first model, to measure drift against",
        "activations": f"{batch.rows} rows of {batch.tokens:,} tokens and {batch.patches:,} patches"
        + (", the inputs of layers alone" if setup.checkpointing else ""),
        "work": "the logits of a tile, or one layer's passes, whichever is larger",
        "generation": f"{batch.rollouts} answers at once: keys and values, prompts, next tokens",
        "CUDA": "context, workspaces, fragments: assumed",
    }
    estimate = f" (estimate, ± {DOUBT:.0%})" if name in ESTIMATED else ""
    return remarks[name] + estimate


def _weights(plan: Plan) -> str:
    if plan.setup.quantised:
        packed = plan.anatomy.quantisable / 1e9
        return f"{packed:.2f} billion in NF4, {NF4:.3f} bytes each; the rest {plan.setup.weight_bytes}"
    return f"{plan.setup.weight_bytes} bytes each"


def _verdict(stage: str, options: Options, launcher: Launcher, plan: Plan, gpu: Card | None) -> Iterator[str]:
    taken = float(options["vllm_gpu_memory_utilization"]) if _shares_with_vllm(options) else 0.0
    if taken:
        yield f"vLLM takes {taken:.0%} of each card besides (vllm_gpu_memory_utilization)"
    sizes = (gpu.memory,) if gpu else SIZES
    for size in sizes:
        yield f"fits into {size} GB: {fits(plan, size * (1 - taken))}"
    smallest = sizes[0] * (1 - taken)
    if fits(plan, smallest) != "yes":
        yield ""
        yield "what would help, each alone:"
        for text, changed in remedies(stage, options, launcher, plan):
            yield f"  {text:<64}{changed.total / GB:>7.1f} GB   {fits(changed, smallest)}"
    yield from _warnings(plan)


def _shares_with_vllm(options: Options) -> bool:
    return bool(options.get("use_vllm")) and options.get("vllm_mode") == "colocate"


def fits(plan: Plan, size: float) -> str:
    """Return 'yes', 'no', or 'perhaps' where the doubt decides, for a card of so many GB."""
    if plan.total + doubt(plan.lines) <= size * GB:
        return "yes"
    return "no" if plan.total - doubt(plan.lines) > size * GB else "perhaps"


def _warnings(plan: Plan) -> Iterator[str]:
    setup = plan.setup
    whole = plan.anatomy.total("trained")
    if whole and not plan.anatomy.kept_aside and setup.weight_bytes == 2 and not setup.deepspeed:
        yield ""
        yield (
            "careful: 16-bit weights are trained without a 32-bit copy, so that steps smaller than 1/256 of a weight "
            "are lost; use dtype=float32, or DeepSpeed, which keeps a copy"
        )
