"""Load a vision-language model, with or without an adapter.

Example:

    model, processor = load_model("Qwen/Qwen2.5-VL-3B-Instruct", adapter="runs/sft-lora")
    model, processor = load_model("emollm-tiny")        # the base that comes with emollm
"""

from __future__ import annotations

import importlib.util
import os
import textwrap
from pathlib import Path
from typing import Any

from emollm.errors import MissingExtraError, ModelError, did_you_mean
from emollm.vlm.memory import is_out_of_memory, lacking, memory_said
from emollm.vlm.processors import import_transformers, load_processor
from emollm.vlm.turns import Turn, prompt_text

DTYPES = ("auto", "float32", "bfloat16", "float16")
QUANTIZATIONS = ("nf4",)
EMBEDDED = "emollm-tiny"
"""The name of the base that lies in this package: it describes faces and knows no emotion."""
SMALLER = "load it with dtype bfloat16 or on device cpu, or take a smaller model"
"""What takes less memory than a model as it was saved."""
VISION = ("visual", "vision", "connector", "multi_modal_projector")
"""Parts of module names that belong to seeing, in every family."""


def load_model(
    source: str | Path,
    adapter: str | Path | None = None,
    *,
    device: str | None = None,
    dtype: str = "auto",
    quantization: str | None = None,
    trainable: bool = False,
) -> tuple[Any, Any]:
    """Return a model in evaluation mode and its processor, from a directory or a hub name.

    Only safetensors are read, and no code of the repository is run. `device` defaults to the GPU where there is one.
    `dtype` "auto" keeps what was saved. `quantization` "nf4" stores the layers of the language model in four bits
    (QLoRA, Dettmers et al. 2023). With `trainable`, the model stays where the trainer can place it, and the adapter
    stays trainable.
    Raises ModelError for anything that is no vision-language model with a working processor, and for a device that this
    machine does not have.
    """
    source = located(source)
    transformers = import_transformers()
    device = default_device() if device is None else _device(device)
    config = read_config(source)
    if adapter is not None:
        check_adapter(str(adapter))
    processor = find_processor(source, adapter, config.model_type)
    from safetensors import SafetensorError

    try:
        model, loading = transformers.AutoModelForImageTextToText.from_pretrained(
            source,
            dtype=read_dtype(dtype),
            use_safetensors=True,
            output_loading_info=True,
            **_in_four_bits(quantization, dtype, device),
        )
    except SafetensorError as error:
        raise ModelError(f"{source}: the weights are damaged ({_first_line(error)}); copy them again") from None
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise ModelError(f"{source}: {lacking(error)}; {SMALLER}") from None
        raise ModelError(f"{source}: the weights do not fit config.json ({_first_line(error)})") from None
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{source}: the weights cannot be loaded: {_first_line(error)}") from None
    if missing := sorted(loading["missing_keys"]):
        # transformers fills what is missing with random numbers, and only logs it.
        raise ModelError(f"{source}: {len(missing)} weights are missing, such as {missing[0]}; copy the model again")
    if source == located(EMBEDDED):
        model.name_or_path = EMBEDDED  # what an adapter names as its base must be found on other machines, too
    if adapter is not None:
        model = _with_adapter(model, Path(adapter), trainable)
    if trainable:
        _keep_names(model)
        return model, processor
    with memory_said(source, SMALLER):
        return (model if quantization else model.to(device)).eval(), processor


def _in_four_bits(quantization: str | None, dtype: str, device: str) -> dict[str, Any]:
    """Return what makes transformers quantise while it loads: every process on its own device."""
    if quantization is None:
        return {}
    if quantization not in QUANTIZATIONS:
        hint = did_you_mean(quantization, QUANTIZATIONS)
        raise ModelError(f"quantization '{quantization}' is not known{hint}; {', '.join(QUANTIZATIONS)}, or none")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtraError(f"quantization '{quantization}'", "quant")
    import torch
    from transformers import BitsAndBytesConfig

    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=quantization,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if dtype == "auto" else read_dtype(dtype),
        # The vision tower is small, and what is rounded away there no word brings back.
        llm_int8_skip_modules=["lm_head", rf".*({'|'.join(VISION)}).*"],
    )
    place = f"{device}:{os.environ.get('LOCAL_RANK', '0')}" if device == "cuda" else device
    return {"quantization_config": config, "device_map": {"": place}}


def located(source: str | Path) -> str:
    """Return where a model lies: the folder of the embedded base for its name, everything else as it is."""
    return str(Path(__file__).with_name(EMBEDDED)) if str(source) == EMBEDDED else str(source)


def default_device() -> str:
    """Return 'cuda', 'mps' or 'cpu': the best that is there."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _device(name: str) -> str:
    """Return the name of a device once it has shown that it can hold a number. Raises ModelError where it cannot."""
    import torch

    try:
        torch.zeros(1, device=name).item()
    except (RuntimeError, AssertionError) as error:
        reason = textwrap.shorten(_first_line(error), 100, placeholder=" …")
        raise ModelError(f"device '{name}' cannot be used ({reason}); this machine has '{default_device()}'") from None
    return name


def read_config(source: str, is_local: bool = False) -> Any:
    """Return the configuration of a model; with `is_local`, the hub is not asked for what its cache lacks.

    Raises ModelError where there is none, or it is that of an adapter.
    """
    transformers = import_transformers()
    source = located(source)
    path = Path(source)
    _check_directory(source)
    if path.is_dir() and (path / "adapter_config.json").exists():
        base = read_adapter_config(source).base_model_name_or_path
        raise ModelError(
            f"{source}: is an adapter; use --model {base} --adapter {source}, or, where that is no option, make "
            f"one model of both: emollm merge --adapter {source} -o DIR"
        )
    if path.is_dir() and not (path / "config.json").exists():
        raise ModelError(f"{source}: has no config.json; give the directory that the training wrote")
    try:
        return transformers.AutoConfig.from_pretrained(source, local_files_only=is_local)
    except (OSError, ValueError) as error:
        what = "config.json cannot be used" if path.is_dir() else "no such directory, and no model of that name"
        raise ModelError(f"{source}: {what}: {_first_line(error)}") from None


def _check_directory(source: str) -> None:
    """Refuse what can only be meant as a directory and is none; a name with at most one '/' may be one of the hub."""
    path = Path(source)
    if not path.is_dir() and "/" not in source and (hint := did_you_mean(source, [EMBEDDED])):
        raise ModelError(f"{source}: no such directory{hint}")
    if not path.is_dir() and (path.exists() or source.count("/") > 1 or source.startswith((".", "~", "/"))):
        raise ModelError(f"{source}: no such directory")


def find_processor(source: str, adapter: str | Path | None, model_type: str) -> Any:
    """Return the processor that was saved with the adapter or, without one, with the model."""
    is_with_adapter = adapter is not None and _has_processor(Path(adapter))
    return read_processor(str(adapter) if is_with_adapter else source, model_type)


def read_processor(source: str, model_type: str, is_local: bool = False) -> Any:
    """Return a processor that can read pictures and write questions; `is_local` as for `read_config`.

    Raises ModelError where it cannot.
    """
    source = located(source)
    directory = Path(source)
    # Without this file a bare tokenizer of the same family is made up, with other special tokens or none at all.
    if directory.is_dir() and not (directory / "tokenizer_config.json").exists():
        raise ModelError(f"{source}: has no tokenizer_config.json; add the tokenizer files of its base")
    try:
        processor = load_processor(source, model_type, is_local)
    except (OSError, ValueError, TypeError, ImportError) as error:
        raise ModelError(f"{source}: the processor cannot be loaded: {_first_line(error)}") from None
    _check_template(source, processor)
    return processor


def _check_template(source: str, processor: Any) -> None:
    """Raise ModelError where no question can be written: a processor loads without its template, and fails at work."""
    from jinja2 import TemplateError

    if not processor.chat_template:
        raise ModelError(f"{source}: has no chat template; add the chat_template.jinja of its base")
    question = [{"type": "image"}, {"type": "text", "text": "?"}]
    try:
        prompt_text(processor, Turn([{"role": "user", "content": question}]))
    except (TemplateError, TypeError, ValueError) as error:
        raise ModelError(f"{source}: the chat template does not work: {_first_line(error)}") from None


def _has_processor(directory: Path) -> bool:
    return (directory / "tokenizer_config.json").exists() and any(
        (directory / name).exists() for name in ("processor_config.json", "preprocessor_config.json")
    )


def check_adapter(adapter: str) -> None:
    """Raise ModelError where there is no adapter, before a large base is loaded in vain."""
    _check_directory(adapter)
    directory = Path(adapter)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if directory.is_dir() and not (directory / name).exists():
            raise ModelError(f"{adapter}: has no {name}; give the directory that the training wrote")
    read_adapter_config(adapter)


def read_adapter_config(adapter: str) -> Any:
    """Return the configuration of an adapter, in PEFT's words. Raises ModelError where there is none."""
    import_transformers()
    from peft import PeftConfig

    try:
        return PeftConfig.from_pretrained(adapter)
    except (OSError, ValueError, TypeError, KeyError) as error:
        is_here = Path(adapter).is_dir()
        what = "adapter_config.json cannot be used" if is_here else "no such directory, and no adapter of that name"
        raise ModelError(f"{adapter}: {what}: {_first_line(error)}") from None


def _with_adapter(model: Any, adapter: Path, trainable: bool) -> Any:
    """Put a PEFT adapter on its base. Raises ModelError where it was trained on something of another shape."""
    from peft import PeftModel
    from safetensors import SafetensorError

    try:
        return PeftModel.from_pretrained(model, str(adapter), is_trainable=trainable)
    except SafetensorError as error:
        raise ModelError(f"{adapter}: the weights are damaged ({_first_line(error)}); copy them again") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{adapter}: does not fit this base: {_first_line(error)}") from None


def _keep_names(model: Any) -> None:
    """Under ZeRO-3, forget the renaming that loading left behind: saving would write names no other engine knows."""
    from transformers.integrations import is_deepspeed_zero3_enabled

    if is_deepspeed_zero3_enabled():
        model._weight_conversions = None


def read_dtype(name: str) -> Any:
    """Return torch's dtype of that name, or "auto". Raises ModelError for any other name."""
    import torch

    if name not in DTYPES:
        raise ModelError(f"dtype '{name}' is not known{did_you_mean(name, DTYPES)}; one of {', '.join(DTYPES)}")
    return name if name == "auto" else getattr(torch, name)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
