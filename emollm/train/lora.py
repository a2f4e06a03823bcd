"""What is trained: of the vision tower, the projector and the language model, all weights, a LoRA adapter, or nothing.

Example:

    parts = trained_parts(train, lora, freeze_vision)
    freeze(model, parts)                                              # without an adapter
    model = get_peft_model(model, peft_config(lora, parts, model))    # with one
    check_trained(model, parts)
    print(trainable_table(model))
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from emollm.errors import ConfigError, ModelError, did_you_mean
from emollm.train.limits import Count, Share
from emollm.vlm.load import VISION

PROJECTOR = ("merger", "connector", "multi_modal_projector")
"""The part of seeing that hands the picture over to the language model; Qwen-VL keeps its mergers inside `visual`."""
PARTS = ("vision", "projector", "language")

How: TypeAlias = Literal["all", "lora", "none"]
"""How a part is trained: all its weights, a LoRA adapter beside them, or not at all."""


class Lora(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A LoRA adapter, in PEFT's words."""

    r: Count = 16
    alpha: Count = 32
    dropout: Share = 0.05
    target_modules: str | list[str] = "all-linear"
    vision: bool = True
    """Adapt the vision tower and the projector too; a detector of small muscle movements usually has to."""
    dora: bool = False
    """Learn the length of each row of a weight apart from its direction (Liu et al. 2024, DoRA)."""
    rslora: bool = False
    """Scale by alpha / sqrt(r) instead of alpha / r, which keeps large ranks useful (Kalajdzievski 2023, rsLoRA)."""


class Train(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How each part is trained; what is left out follows `lora` and `freeze_vision`."""

    vision: How | None = None
    projector: How | None = None
    language: How | None = None


class Parts(NamedTuple):
    """How each part is trained, settled."""

    vision: How
    projector: How
    language: How

    def having(self, *hows: How) -> list[str]:
        """Return the parts that are trained in one of these ways."""
        return [part for part, how in zip(PARTS, self, strict=True) if how in hows]


def trained_parts(train: Train | None = None, lora: Lora | None = None, freeze_vision: bool = False) -> Parts:
    """Settle how each part is trained. Raises ConfigError where the keys of the recipe contradict each other.

    `lora` puts adapters on all three parts, `lora.vision: false` on the language model alone; `freeze_vision` leaves
    the vision tower and the projector as they are; `train` says it part by part.
    """
    if lora is not None and freeze_vision:
        raise ConfigError("freeze_vision: is for training all weights; with lora, set lora.vision to false")
    language: How = "all" if lora is None else "lora"
    sees: How = "none" if freeze_vision or (lora is not None and not lora.vision) else language
    said = train or Train()
    parts = Parts(said.vision or sees, said.projector or sees, said.language or language)
    if lora is None and "lora" in parts:
        raise ConfigError(f"train.{parts.having('lora')[0]}: lora, but the recipe has no 'lora'; add one, or say all")
    if lora is not None and "lora" not in parts:
        raise ConfigError("lora: no part of the model is to have an adapter; leave lora out, or say lora in train")
    if lora is not None and parts.language == "all":
        raise ConfigError("train.language: all its weights and an adapter elsewhere do not go together; say lora")
    if not parts.having("all", "lora"):
        raise ConfigError("train: every part is left as it is; say all or lora for one")
    return parts


def part_of(name: str) -> str:
    """Return 'vision', 'projector' or 'language' for the name of a parameter or module."""
    if any(part in name for part in PROJECTOR):
        return "projector"
    return "vision" if is_vision(name) else "language"


def is_vision(name: str) -> bool:
    """Tell whether a parameter or module belongs to seeing: vision tower or projector."""
    return any(part in name for part in VISION)


def peft_config(lora: Lora, parts: Parts | None = None, model: Any = None) -> Any:
    """Return the adapter as PEFT takes it. `model` is needed where a part is trained whole beside the adapter."""
    from peft import LoraConfig

    parts = parts or trained_parts(lora=lora)
    if model is not None:
        check_targets(lora, [name for name, _ in model.named_modules()])
    whole = parts.having("all")
    return LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.target_modules,
        exclude_modules=_pattern(parts.having("all", "none")),
        modules_to_save=top_modules(model, whole) if whole else None,
        use_dora=lora.dora,
        use_rslora=lora.rslora,
        task_type="CAUSAL_LM",
    )


def check_targets(lora: Lora, names: Sequence[str]) -> None:
    """Raise ConfigError where `target_modules` names a layer that is not among these, as PEFT matches them."""
    targets = lora.target_modules
    leaves = {name.rpartition(".")[2] for name in names}
    if isinstance(targets, str):
        if targets != "all-linear" and not any(re.fullmatch(targets, name) for name in names):
            raise ConfigError(
                f"lora.target_modules: the pattern '{targets}' fits the whole name of no layer"
                f"{did_you_mean(targets, leaves)}; layers by their last names are a list: [q_proj, v_proj]"
            )
        return
    for target in targets:
        if not any(f".{name}".endswith(f".{target}") for name in names):
            raise ConfigError(f"lora.target_modules: no layer is named '{target}'{did_you_mean(target, leaves)}")


def _pattern(parts: Iterable[str]) -> str | None:
    """Return a regular expression that matches the module names of these parts; None for no part."""
    projector, seeing = (rf".*({'|'.join(names)}).*" for names in (PROJECTOR, VISION))
    patterns = {
        "projector": projector,
        "vision": rf"(?!{projector}){seeing}",
        "language": rf"(?!{projector})(?!{seeing}).*",
    }
    return "|".join(patterns[part] for part in parts) or None


def top_modules(model: Any, parts: Iterable[str]) -> list[str]:
    """Return the outermost modules that hold the weights of these parts and of no other."""
    from torch.nn import ModuleList

    wanted = re.compile(_pattern(parts) or "(?!)")
    found: list[str] = []
    for name, module in model.named_modules():
        is_inside = any(name.startswith(f"{outer}.") for outer in found)
        weights = [inner for inner, _ in module.named_parameters(prefix=name)]
        # PEFT keeps a copy of a module that is called, which a list is not; its items follow.
        is_called = name and not isinstance(module, ModuleList)
        if is_called and weights and not is_inside and all(map(wanted.fullmatch, weights)):
            found.append(name)
    return found


def freeze(model: Any, parts: Parts) -> None:
    """Keep the parts that are not trained as they are."""
    frozen = parts.having("none")
    for name, parameter in model.named_parameters():
        if part_of(name) in frozen:
            parameter.requires_grad_(False)


def freeze_vision(model: Any) -> None:
    """Keep the vision tower and its projector as they are."""
    freeze(model, Parts("none", "none", "all"))


def widen(model: Any, settings: Any) -> None:
    """Hold in 32 bits an adapter and what is trained whole beside it: in 16, a small step would round to none.

    PEFT does so for adapters, but on a base in four bits TRL undoes it, until a rerun loads them in 32 again. DeepSpeed
    keeps 32-bit copies of its own. Without autocast the types of what is trained whole would clash.
    """
    if settings.deepspeed_plugin is not None:
        return
    for name, parameter in model.named_parameters():
        if is_adapter(name) and parameter.requires_grad:
            parameter.data = parameter.data.float()
    if not (settings.bf16 or settings.fp16):
        return
    for name, module in model.named_modules():
        parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        if _holds_copies(name) and parameters:
            _cast_around(module, parameters[0].dtype)
            for parameter in parameters:
                parameter.data = parameter.data.float()


def _holds_copies(name: str) -> bool:
    """Tell whether a module is one that PEFT trains whole: the copy of one adapter."""
    return name.rpartition(".")[0].endswith(".modules_to_save")


def _cast_around(module: Any, outside: Any) -> None:
    """Let a module take what comes in the type `outside` in its own, and give back what comes out in that of outside.

    Answers are generated without autocast, which would see to it.
    """
    import torch
    from torch.utils._pytree import tree_map

    def cast(values: Any, dtype: Any) -> Any:
        return tree_map(lambda one: one.to(dtype) if torch.is_tensor(one) and one.is_floating_point() else one, values)

    def before(_module: Any, arguments: Any, options: Any) -> Any:
        return cast((arguments, options), torch.float32)

    module.register_forward_pre_hook(before, with_kwargs=True)
    module.register_forward_hook(lambda _module, _arguments, result: cast(result, outside))


def check_trained(model: Any, parts: Parts, named: Train | None = None) -> None:
    """Raise ModelError unless just what the recipe says is trained: nothing leaks, and nothing is missed.

    `named` are the parts that the recipe names itself: an adapter that reaches none of their layers is an error too.
    """
    adapted = set()
    for name, parameter in model.named_parameters():
        part = part_of(name)
        how = getattr(parts, part)
        if is_adapter(name):
            adapted.add(part)
            is_right = how == "lora" and parameter.requires_grad
        elif is_kept_aside(name):
            is_right = not parameter.requires_grad
        else:
            is_right = parameter.requires_grad == (how == "all")
        if not is_right:
            learns = "is trained" if parameter.requires_grad else "is not trained"
            raise ModelError(f"{name}: {learns}, but the recipe says {part}: {how}; check lora.target_modules")
    for part in parts.having("lora"):
        if part not in adapted and (part == "language" or getattr(named, part, None)):
            raise ModelError(f"{part}: no layer matches lora.target_modules; name its layers, or say none or all")


def is_adapter(name: str) -> bool:
    """Tell whether a parameter belongs to a LoRA or DoRA adapter."""
    return "lora_" in name


def is_kept_aside(name: str) -> bool:
    """Tell whether a parameter is the untouched copy of a module that is trained whole beside an adapter."""
    return ".original_module." in name


def trainable_table(model: Any) -> str:
    """Return a table of the model's parts: how many parameters each has, and how many of them learn."""
    sizes: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, parameter in model.named_parameters():
        if is_kept_aside(name):
            continue
        # ZeRO-3 leaves empty shells behind and keeps the true size here; a quantised weight packs two numbers a byte.
        size = getattr(parameter, "ds_numel", 0) or _num_weights(parameter)
        for part in ("adapter" if is_adapter(name) else part_of(name), "all"):
            sizes[part][0] += size
            sizes[part][1] += size if parameter.requires_grad else 0
    rows = [f"{'part':<10}{'parameters':>16}{'trained':>16}"]
    for part in (*PARTS, "adapter", "all"):
        if part in sizes:
            total, trained = sizes[part]
            rows.append(f"{part:<10}{total:>16,}{trained:>16,}  {trained / max(1, total):.1%}")
    return "\n".join(rows)


def _num_weights(parameter: Any) -> int:
    state = getattr(parameter, "quant_state", None)
    return int(parameter.numel() if state is None else state.shape.numel())
