"""Teach a tiny model to see: its vision tower measures action units and its language model looks, before it talks.

    error = teach_eyes(model, processor, faces, Lesson(steps=600))
    error = teach_gaze(model, processor, faces, questions, Lesson(steps=300))

A randomly started model learns to talk long before it learns to look, and then may never look. Faces with known AUs
turn the looking into a regression of a few minutes: a linear head predicts every AU on both sides, first from the image
tokens, then from where the language model is about to answer. The heads are thrown away. Called by `emollm.train.base`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from emollm.errors import SourceError
from emollm.records import AU, AU_RANGE
from emollm.stage import track
from emollm.vlm.turns import ask_about, encode_prompts

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

LANGUAGE = ("language_model", "text_model", "lm_head")
"""Parts of a model that the eyes do not need."""


class Lesson(NamedTuple):
    """How long and how fast the eyes are taught."""

    steps: int = 600
    batch_size: int = 64
    learning_rate: float = 2e-3
    seed: int = 0


LESSON = Lesson()

LEAST_SPREAD = 0.05
"""Of an AU's values, on 0 to 1, that errors are divided by: one that shows in fewer than one face of a hundred would
otherwise shake all that the others teach."""


class Seen(NamedTuple):
    """A picture and the AUs of the face in it."""

    picture: Image
    aus: dict[str, AU]


def teach_eyes(model: Any, processor: Any, faces: Sequence[Seen], lesson: Lesson = LESSON) -> float:
    """Train the vision tower in place to show the AUs in its image tokens. Returns the error of `regress`."""
    start_patches(model, pixels(processor, [face.picture for face in faces[:256]]))

    def features(pictures: list[Image]) -> Tensor:
        return image_tokens(model, pixels(processor, pictures)).flatten(1)

    return regress(features, vision_parameters(model), faces, lesson, "eyes")


def teach_gaze(
    model: Any, processor: Any, faces: Sequence[Seen], questions: Sequence[str], lesson: Lesson = LESSON
) -> float:
    """Train the language model in place to have the AUs at hand where it begins to answer a question about a picture.

    The vision tower stays as it is. Returns the error of `regress`.
    """
    chance = random.Random(lesson.seed)
    eyes = vision_parameters(model)

    def features(pictures: list[Image]) -> Tensor:
        turns = [ask_about(picture, chance.choice(questions)) for picture in pictures]
        hidden: Tensor = model.model(**encode_prompts(processor, turns)).last_hidden_state
        return hidden[:, -1]  # prompts are padded on the left

    seeing = {id(parameter) for parameter in eyes}
    for parameter in eyes:
        parameter.requires_grad_(False)
    error = regress(features, [p for p in model.parameters() if id(p) not in seeing], faces, lesson, "gaze")
    for parameter in eyes:
        parameter.requires_grad_(True)
    return error


def regress(
    features: Callable[[list[Image]], Tensor], parameters: list[Any], faces: Sequence[Seen], lesson: Lesson, label: str
) -> float:
    """Train parameters in place so that a linear head reads the AUs out of `features` (faces, width).

    Returns the last mean squared error in units of each AU's own variance: 1 is as good as always saying the mean.
    Raises SourceError where the faces have no AUs that differ.
    """
    import torch

    torch.manual_seed(lesson.seed)
    targets, spread = au_targets(faces)
    with torch.no_grad():
        width = features([faces[0].picture]).shape[1]
    head = torch.nn.Linear(width, targets.shape[1])
    parameters = [*head.parameters(), *parameters]
    optimizer = torch.optim.AdamW(parameters, lesson.learning_rate, betas=(0.9, 0.98), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lesson.learning_rate, lesson.steps, pct_start=0.1)
    error = 1.0
    for batch in track(batches(len(faces), lesson), label, lesson.steps):
        wanted = torch.stack([mirror(targets[at]) if mirrored else targets[at] for at, mirrored in batch])
        seen = head(features([vary(faces[at].picture, mirrored) for at, mirrored in batch]))
        known = ~wanted.isnan()
        loss = ((seen - wanted.nan_to_num()) / spread)[known].square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        error = 0.98 * error + 0.02 * loss.item()
    return error


def au_targets(faces: Sequence[Seen]) -> tuple[Tensor, Tensor]:
    """Return the AUs as (faces, 2 x AUs): all left sides, then all right sides, on 0 to 1, NaN where not measured.

    With them comes the spread of each column. An AU that never changes teaches nothing and is left out; a rare one
    counts as much as a common one, because errors are divided by the spread, which is at least LEAST_SPREAD.
    """
    import torch

    names = sorted({name for face in faces for name in face.aus})
    rows = [[_side(face.aus.get(name), side) for side in ("left", "right") for name in names] for face in faces]
    targets = torch.tensor(rows).view(len(faces), 2, len(names))
    spread = _spread(targets.flatten(0, 1))
    if not (spread > 0).any():
        raise SourceError("no face has action units that differ from those of the others; the eyes need such faces")
    kept = spread > 0
    return targets[:, :, kept].flatten(1), spread[kept].clamp(min=LEAST_SPREAD).repeat(2)


def _side(au: AU | None, side: str) -> float:
    if au is None:
        return float("nan")
    value = getattr(au, side)
    return float(au.value if value is None else value) / AU_RANGE[au.kind]


def _spread(columns: Tensor) -> Tensor:
    """Standard deviation of each column over what was measured; 0 where nothing was."""
    known = ~columns.isnan()
    count = known.sum(0).clamp(min=1)
    mean = columns.nan_to_num().sum(0) / count
    return (((columns - mean).square().nan_to_num() * known).sum(0) / count).sqrt()


def mirror(row: Tensor) -> Tensor:
    """Swap the sides of a row of targets."""
    import torch

    left, right = row.chunk(2)
    return torch.cat([right, left])


def vary(picture: Image, mirrored: bool) -> Image:
    """Return the picture or its mirror image, so that both sides of the face are learnt from each face."""
    from PIL import ImageOps

    return ImageOps.mirror(picture) if mirrored else picture


def batches(num_faces: int, lesson: Lesson) -> Iterator[list[tuple[int, bool]]]:
    """Yield batches of (face, mirrored or not); every face comes once before any comes again."""
    chance = random.Random(lesson.seed)
    queue: list[int] = []
    for _ in range(lesson.steps):
        while len(queue) < lesson.batch_size:
            queue.extend(chance.sample(range(num_faces), num_faces))
        batch, queue = queue[: lesson.batch_size], queue[lesson.batch_size :]
        yield [(at, chance.random() < 0.5) for at in batch]


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
