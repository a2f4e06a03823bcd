"""`emollm train base`: build the tiny model and teach its eyes.

    emollm train base --config recipes/emollm-tiny/base.yaml

The result is an ordinary model directory that `emollm train sft` starts from. It can measure action units, but has not
learnt to speak yet. After Ctrl-C, a crash or a kill the same command goes on, and ends with the same weights.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from emollm.answers import STYLES, render
from emollm.errors import SourceError
from emollm.labels import LABEL_SETS
from emollm.pictures import sample_picture
from emollm.prompts import ask, num_variants, prompt_hash
from emollm.records import Sample
from emollm.scoring import main_face
from emollm.stage import track
from emollm.train.bookmark import Bookmark
from emollm.train.careful import full_disk_said
from emollm.train.limits import Above, Count, Natural, Seed
from emollm.train.lock import locked
from emollm.train.recipe import check_values, read_values, recipe_parser
from emollm.train.refused import nothing_left, of_split
from emollm.train.run import Run, open_run, stop_on_signal
from emollm.vlm.eyes import teach_eyes, teach_gaze
from emollm.vlm.lessons import LESSON, Lesson, Seen
from emollm.vlm.tiny import TINY, Shape, build_tiny, save_tiny

if TYPE_CHECKING:
    from PIL.Image import Image

EXAMPLE = "emollm train base --config recipes/emollm-tiny/base.yaml train_file=runs/cot.jsonl"
PROMPT_WEIGHT = 100
"""How often each question counts in the making of the tokenizer: few as they are, every sample is asked one."""


class Recipe(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The recipe of a tiny base model."""

    train_file: str
    """Samples with pictures and AUs (for the eyes) and, best, with reasoning (for the tokenizer)."""
    output_dir: str
    media_root: str | None = None
    """Where media paths start; the folder of train_file unless given."""
    split: str | None = "train"
    arch: str = "qwen3_vl"
    image_size: Count = TINY.image_size
    patch_size: Count = TINY.patch_size
    width: Count = TINY.width
    text_layers: Count = TINY.text_layers
    vision_layers: Count = TINY.vision_layers
    vocab_size: Count = TINY.vocab_size
    eye_steps: Natural = LESSON.steps
    """Steps of AU regression on the vision tower; 0 leaves the eyes untaught."""
    gaze_steps: Natural = 300
    """Steps of AU regression on the language model, which learns to look at what the eyes show; 0 leaves it out."""
    batch_size: Count = LESSON.batch_size
    learning_rate: Above = LESSON.learning_rate
    logging_steps: Count = 20
    save_steps: Count = 200
    """Steps from one checkpoint to the next; only the newest is kept."""
    seed: Seed = 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    arguments = recipe_parser("base", EXAMPLE).parse_args(argv)
    recipe, _ = check_values(read_values(arguments.config, arguments.overrides), Recipe)
    options = msgspec.to_builtins(recipe)
    if arguments.print_config:
        print(msgspec.json.format(msgspec.json.encode(options)).decode())
        return 0
    train_file, directory = Path(recipe.train_file), Path(recipe.output_dir)
    with locked(directory):
        run = open_run(directory, stage="base", options=options, inputs=[train_file], overwrite=arguments.overwrite)
        if run.is_done:
            print(f"{directory}: is done already; --overwrite starts again", file=sys.stderr)
            return 0
        samples = list(of_split(train_file, recipe.split))
        facts = build(recipe, samples, run)
        run.note(status="done", prompts=prompt_hash(), **facts)
    print(f"{directory}: {', '.join(f'{name} {value:,}' for name, value in facts.items())}", file=sys.stderr)
    return 0


def build(recipe: Recipe, samples: Sequence[Sample], run: Run) -> dict[str, float]:
    """Build the model from the samples, teach it to see, save it. Returns the facts for the manifest.

    The errors of the lessons are those of `lessons.teach`: 1 is guessing, 0 is perfect. Raises KeyboardInterrupt after
    Ctrl-C, with a checkpoint left behind.
    """
    if not samples:
        raise nothing_left(Path(recipe.train_file), recipe.split)
    questions = sorted(questions_about(samples))
    model, processor = build_tiny(corpus(samples, questions), recipe.arch, _shape(recipe), recipe.seed)
    facts: dict[str, float] = {"samples": len(samples), "parameters": model.num_parameters()}
    if recipe.eye_steps or recipe.gaze_steps:
        faces = read_faces(samples, recipe)
        errors = give_lessons(model, processor, faces, questions, recipe, run)
        facts |= {"steps": recipe.eye_steps + recipe.gaze_steps}
        facts |= {f"{name}_error": round(error, 3) for name, error in errors.items()}
    with full_disk_said(run.directory):
        save_tiny(model, processor, run.directory)
    return facts


def give_lessons(
    model: Any, processor: Any, faces: Sequence[Seen], questions: Sequence[str], recipe: Recipe, run: Run
) -> dict[str, float]:
    """Teach the eyes, then the gaze, each from where an earlier run left it. Returns the error of each."""
    lesson = Lesson(recipe.eye_steps, recipe.batch_size, recipe.learning_rate, recipe.seed)
    with stop_on_signal() as stopped:
        bookmark = Bookmark(run, recipe.save_steps, recipe.logging_steps, stopped)
        if recipe.eye_steps:
            teach_eyes(model, processor, faces, lesson, bookmark)
        if recipe.gaze_steps:
            lesson = lesson._replace(steps=recipe.gaze_steps)
            teach_gaze(model, processor, faces, questions, lesson, bookmark)
    return bookmark.errors


def questions_about(samples: Sequence[Sample]) -> set[str]:
    """Return every wording of every question that the samples' label sets give."""
    label_sets = {sample.label_set for sample in samples}
    return {
        ask(style, label_set, variant)
        for label_set in label_sets
        for style in STYLES
        for variant in range(num_variants(style))
    }


def corpus(samples: Sequence[Sample], questions: Sequence[str]) -> Iterator[str]:
    """Yield the texts that the tokenizer is made from: what is asked, and what the samples would answer."""
    yield from list(questions) * PROMPT_WEIGHT
    for label_set in sorted({sample.label_set for sample in samples if sample.label_set}):
        yield from LABEL_SETS[label_set].labels
    for sample in samples:
        if sample.reasoning is not None:
            styles = ("observations",) if sample.label is None else ("sections", "think")
            yield from (render(style, sample.label, sample.reasoning) for style in styles)


def read_faces(samples: Sequence[Sample], recipe: Recipe) -> list[Seen]:
    """Open every picture whose face has AUs. Raises SourceError where one cannot be opened, or none has any."""
    root = Path(recipe.media_root or Path(recipe.train_file).parent)
    faces = [
        Seen(_small(sample_picture(sample, root), recipe.image_size), face.aus)
        for sample in track(samples, "pictures", len(samples))
        if (face := main_face(sample)) is not None and face.aus
    ]
    if not faces:
        raise SourceError(f"{recipe.train_file}: no sample has action units; detect them, or set both *_steps to 0")
    return faces


def _shape(recipe: Recipe) -> Shape:
    return Shape(**{name: getattr(recipe, name) for name in Shape._fields if hasattr(recipe, name)})


def _small(picture: Image, size: int) -> Image:
    """Shrink a large picture to twice what the model sees, so that thousands fit into memory."""
    picture.thumbnail((2 * size, 2 * size))
    return picture
