"""The processor of a model, with and without torchvision.

    processor = load_processor("Qwen/Qwen2.5-VL-3B-Instruct")

Several families (Qwen-VL, InternVL, LLaVA-OneVision, SmolVLM) ship a processor that insists on a video part, and that
part on torchvision. Faces are pictures: where torchvision is missing or broken, the same class is built without video.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import logging
import os
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from emollm.errors import MissingExtraError, ModelError

VIDEO_CONFIG = "video_preprocessor_config.json"


@cache
def import_transformers() -> Any:
    """Import transformers. A torchvision that cannot be imported is hidden first, as it would break every processor.

    Raises MissingExtraError where the extra 'train' is not installed.
    """
    if importlib.util.find_spec("transformers") is None or importlib.util.find_spec("torch") is None:
        raise MissingExtraError("a vision-language model", "train")
    if not has_torchvision():
        _hide("torchvision")
    import torch
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    # What the libraries say about their own renames, retries and missing kernels helps nobody who trains a model.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers|torch\.distributed")
    for name in ("huggingface_hub", "bitsandbytes.backends.cpu.ops"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if not torch.cuda.is_available():
        os.environ.setdefault("DS_ACCELERATOR", "cpu")
    return transformers


@cache
def has_torchvision() -> bool:
    """Tell whether torchvision is there and fits the torch beside it."""
    if importlib.util.find_spec("torchvision") is None:
        return False
    try:
        importlib.import_module("torchvision")
    except (ImportError, RuntimeError, OSError, AttributeError):
        return False
    return True


def _hide(package: str) -> None:
    """Make a package look as if it were not installed: transformers asks `find_spec`, and believes it."""
    find_spec = importlib.util.find_spec

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        return None if name.split(".")[0] == package else find_spec(name, *args, **kwargs)

    importlib.util.find_spec = without


def load_processor(source: str, model_type: str, is_local: bool = False) -> Any:
    """Load the processor saved in a directory or on the hub for a model type such as 'qwen3_vl'.

    With `is_local`, the hub is not asked for what its cache lacks.

    Raises ModelError where there is none, or where it would turn out to be a bare tokenizer that drops every picture.
    """
    transformers = import_transformers()
    stock = processor_class(model_type)
    if has_torchvision():
        processor = transformers.AutoProcessor.from_pretrained(source, local_files_only=is_local)
    elif _has_video(stock):
        processor = without_video(stock).from_pretrained(source, local_files_only=is_local)
    else:
        processor = stock.from_pretrained(source, local_files_only=is_local)
    if not hasattr(processor, "image_processor"):
        raise ModelError(f"{source}: gives a {type(processor).__name__} that cannot read pictures; save its processor")
    processor.tokenizer.padding_side = "left"
    return processor


def processor_class(model_type: str) -> Any:
    """Return the stock processor class of a model type. Raises ModelError where there is none."""
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    transformers = import_transformers()
    name = PROCESSOR_MAPPING_NAMES.get(model_type)
    if name is None:
        raise ModelError(f"model type '{model_type}' has no processor for pictures; use a vision-language model")
    return getattr(transformers, name[0] if isinstance(name, tuple) else name)


def _has_video(stock: Any) -> bool:
    return "video_processor" in inspect.signature(stock.__init__).parameters


@cache
def without_video(stock: Any) -> Any:
    """Return a processor class like `stock` that needs no video processor.

    It keeps the stock name, so that what it saves loads as the stock class where torchvision is there.
    """
    from transformers.processing_utils import ProcessorMixin

    parameters = inspect.signature(stock.__init__).parameters
    kept = [parameter for name, parameter in parameters.items() if name != "video_processor"]

    class DropVideo(ProcessorMixin):  # type: ignore[misc]
        """Stands between the stock class and its base: takes three parts and hands on two."""

        def __init__(self, image_processor: Any, tokenizer: Any, _video_processor: Any = None, **kwargs: Any) -> None:
            super().__init__(image_processor, tokenizer, **kwargs)

    class ImageOnly(stock, DropVideo):  # type: ignore[misc]
        """The stock class, with the video part left out of what it is made from."""

        apply_chat_template = ProcessorMixin.apply_chat_template  # SmolVLM's own asks the video part for its speed

        def __init__(
            self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None, **kwargs: Any
        ) -> None:
            super().__init__(
                image_processor=image_processor,
                tokenizer=tokenizer,
                video_processor=None,
                chat_template=chat_template,
                **kwargs,
            )

        @staticmethod
        def validate_init_kwargs(processor_config: Any, valid_kwargs: Any) -> Any:  # noqa: ARG004
            """Take every setting of the stock class; the base class would read those of this one's code."""
            return ProcessorMixin.validate_init_kwargs(processor_config, [parameter.name for parameter in kept])

    # The base class reads this to learn which parts there are, so video must not be in it, and which settings to save,
    # so everything else must: without the number of its image tokens, a saved InternVL takes another one.
    vars(ImageOnly)["__init__"].__signature__ = inspect.Signature(kept)
    ImageOnly.__name__ = ImageOnly.__qualname__ = stock.__name__
    return ImageOnly


def set_max_pixels(processor: Any, max_pixels: int) -> None:
    """Limit the size of pictures. Raises ModelError where the model has one fixed size."""
    size = processor.image_processor.size
    if "longest_edge" not in size or "shortest_edge" not in size:
        raise ModelError(f"max_pixels: {type(processor).__name__} has a fixed picture size, {dict(size)}; leave it out")
    smallest = min(size["shortest_edge"], max_pixels)
    processor.image_processor.size = {"shortest_edge": smallest, "longest_edge": max_pixels}


def save_processor(processor: Any, directory: Path) -> None:
    """Save a processor so that the stock class loads it too: with the video settings that it asks for."""
    processor.save_pretrained(directory)
    image = processor.image_processor
    if hasattr(processor, "video_processor") or not hasattr(image, "temporal_patch_size"):
        return
    fields = ("patch_size", "temporal_patch_size", "merge_size")
    video = {name: getattr(image, name) for name in fields} | {"size": dict(image.size)}
    family = "Qwen3VL" if type(processor).__name__ == "Qwen3VLProcessor" else "Qwen2VL"
    text = json.dumps({"video_processor_type": f"{family}VideoProcessor", **video}, indent=2)
    (directory / VIDEO_CONFIG).write_text(text + "\n", encoding="utf-8")
