"""Lessons: a linear head learns to read action units out of what a model makes of a picture, step by step.

    error = teach(Task("eyes", model, parameters, features), faces, Lesson(steps=600))
    error = teach(task, faces, lesson, watch)            # a Watch may look on, save, and take up what was left

The head is thrown away; what is kept is what the parameters have learnt. The same task, faces and lesson give the same
weights, taken up in the middle or not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from emollm.errors import SourceError
from emollm.records import AU, AU_RANGE
from emollm.stage import track

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


class Seen(NamedTuple):
    """A picture and the AUs of the face in it."""

    picture: Image
    aus: dict[str, AU]


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


class Task(NamedTuple):
    """What is taught."""

    name: str
    model: Any
    parameters: list[Any]
    """Those of the model that learn."""
    features: Callable[[list[Image], random.Random], Tensor]
    """From pictures to (pictures, width), with what it draws at random taken from the second argument."""


class Progress:
    """A lesson under way: all that its next step depends on."""

    def __init__(self, task: Task, head: Any, lesson: Lesson, chance: random.Random) -> None:
        import torch

        self.model, self.head, self.chance = task.model, head, chance
        self.parameters = [*head.parameters(), *task.parameters]
        self.optimizer = torch.optim.AdamW(self.parameters, lesson.learning_rate, betas=(0.9, 0.98), weight_decay=0.02)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, lesson.learning_rate, lesson.steps, pct_start=0.1
        )
        self.step, self.num_steps = 0, lesson.steps
        self.error = 1.0
        """Of `teach`, so far."""

    def learn(self, loss: Tensor) -> None:
        """Take one step down a loss."""
        import torch

        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.error = 0.98 * self.error + 0.02 * loss.item()
        self.step += 1

    def state(self) -> dict[str, Any]:
        """Return everything as tensors and plain values."""
        import torch

        parts = {name: getattr(self, name).state_dict() for name in ("model", "head", "optimizer", "schedule")}
        chance = {"chance": self.chance.getstate(), "torch": torch.get_rng_state()}
        return {**parts, **chance, "step": self.step, "error": self.error}

    def load(self, state: dict[str, Any]) -> None:
        """Go back to a state."""
        import torch

        for name in ("model", "head", "optimizer", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.chance.setstate(state["chance"])
        torch.set_rng_state(state["torch"])
        self.step, self.error = state["step"], state["error"]


class Watch:
    """Who looks on while lessons are given. This one does nothing."""

    def begin(self, name: str, progress: Progress) -> None:
        """Be told that a lesson begins; may bring its progress to where it was left."""

    def after_step(self, progress: Progress) -> None:
        """Be told that a step is taken; may raise KeyboardInterrupt to end the lesson."""


NOBODY = Watch()


def teach(task: Task, faces: Sequence[Seen], lesson: Lesson, watch: Watch = NOBODY) -> float:
    """Train parameters in place so that a linear head reads the AUs out of the task's features.

    Returns the last mean squared error in units of each AU's own variance: 1 is as good as always saying the mean.
    Raises SourceError where the faces have no AUs that differ.
    """
    import torch

    torch.manual_seed(lesson.seed)
    chance = random.Random(lesson.seed)
    targets, spread = au_targets(faces)
    with torch.no_grad():
        width = task.features([faces[0].picture], chance).shape[1]
    progress = Progress(task, torch.nn.Linear(width, targets.shape[1]), lesson, chance)
    watch.begin(task.name, progress)
    # What was drawn before is drawn again, and passed over.
    rest = islice(batches(len(faces), lesson), progress.step, None)
    for batch in track(rest, task.name, lesson.steps - progress.step):
        wanted = torch.stack([mirror(targets[at]) if mirrored else targets[at] for at, mirrored in batch])
        seen = progress.head(task.features([vary(faces[at].picture, mirrored) for at, mirrored in batch], chance))
        known = ~wanted.isnan()
        progress.learn(((seen - wanted.nan_to_num()) / spread)[known].square().mean())
        watch.after_step(progress)
    return progress.error


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
