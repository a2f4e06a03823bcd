"""Teach a tiny model to see: its vision tower measures action units and its language model looks, before it talks.

    error = teach_eyes(model, processor, faces, Lesson(steps=600))
    error = teach_gaze(model, processor, faces, questions, Lesson(steps=300))

A randomly started model learns to talk long before it learns to look, and then may never look. Faces with known AUs
turn the looking into a regression of a few minutes: a linear head predicts every AU on both sides, first from the image
tokens, then from where the language model is about to answer. The heads are thrown away. Called by `emollm.train.base`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from emollm.vlm.lessons import LESSON, NOBODY, Lesson, Seen, Task, Watch, teach
from emollm.vlm.turns import ask_about, encode_prompts

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

LANGUAGE = ("language_model", "text_model", "lm_head")
"""Parts of a model that the eyes do not need."""


def teach_eyes(
    model: Any, processor: Any, faces: Sequence[Seen], lesson: Lesson = LESSON, watch: Watch = NOBODY
) -> float:
    """Train the vision tower in place to show the AUs in its image tokens. Returns the error of `lessons.teach`."""
    start_patches(model, pixels(processor, [face.picture for face in faces[:256]]))

    def features(pictures: list[Image], _chance: random.Random) -> Tensor:
        return image_tokens(model, pixels(processor, pictures)).flatten(1)

    return teach(Task("eyes", model, vision_parameters(model), features), faces, lesson, watch)


def teach_gaze(
    model: Any,
    processor: Any,
    faces: Sequence[Seen],
    questions: Sequence[str],
    lesson: Lesson = LESSON,
    watch: Watch = NOBODY,
) -> float:
    """Train the language model in place to have the AUs at hand where it begins to answer a question about a picture.

    The vision tower stays as it is. Returns the error of `lessons.teach`.
    """
    eyes = vision_parameters(model)

    def features(pictures: list[Image], chance: random.Random) -> Tensor:
        turns = [ask_about(picture, chance.choice(questions)) for picture in pictures]
        hidden: Tensor = model.model(**encode_prompts(processor, turns)).last_hidden_state
        return hidden[:, -1]  # prompts are padded on the left

    seeing = {id(parameter) for parameter in eyes}
    for parameter in eyes:
        parameter.requires_grad_(False)
    speaking = [parameter for parameter in model.parameters() if id(parameter) not in seeing]
    error = teach(Task("gaze", model, speaking, features), faces, lesson, watch)
    for parameter in eyes:
        parameter.requires_grad_(True)
    return error


def pixels(processor: Any, pictures: Sequence[Image]) -> dict[str, Any]:
    """Return the tensors that a model's vision tower takes, one picture a row where it has rows."""
    return dict(processor.image_processor([[picture] for picture in pictures], return_tensors="pt"))


def image_tokens(model: Any, inputs: dict[str, Any]) -> Tensor:
    """Return what the language model gets to see of each picture: (pictures, tokens, width)."""
    import torch

    features = model.model.get_image_features(**inputs).pooler_output
    return torch.stack(list(features))


def vision_parameters(model: Any) -> list[Any]:
    """Return the parameters of the vision tower and of what connects it to the language model."""
    return [value for name, value in model.named_parameters() if not any(part in name for part in LANGUAGE)]


def start_patches(model: Any, inputs: dict[str, Any]) -> None:
    """Start the patch embedding from the principal components of real patches, scaled to unit spread.

    Random filters see mostly noise, as neighbouring pixels are nearly equal; these see what faces differ in.
    """
    import torch

    embedding, patches = _patches(model, inputs)
    weight = embedding.weight
    patches = patches[:: max(1, len(patches) // 8192)]
    _, scale, components = torch.linalg.svd(patches - patches.mean(0), full_matrices=False)
    count = min(len(weight), len(components))
    spread = scale[:count, None] / len(patches) ** 0.5
    with torch.no_grad():
        # The floor keeps the weakest components, which are mostly sensor noise, from being blown up.
        started = components[:count] / (2 * (spread + 0.015 * spread[0]))
        weight[:count] = started.view(count, *weight.shape[1:])


def _patches(model: Any, inputs: dict[str, Any]) -> tuple[Any, Tensor]:
    """Return the layer that embeds patches and the patches that it would see, one a row."""
    import torch

    embedding = next(m for m in model.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Conv3d)))
    seen: list[Tensor] = []
    hook = embedding.register_forward_pre_hook(lambda _layer, arguments: seen.append(arguments[0]))
    with torch.no_grad():
        image_tokens(model, inputs)
    hook.remove()
    values = seen[0].float()
    if tuple(values.shape[2:]) != tuple(embedding.kernel_size):
        values = torch.nn.functional.unfold(values, embedding.kernel_size, stride=embedding.stride)
        values = values.transpose(1, 2)
    return embedding, values.reshape(-1, embedding.weight[0].numel())
