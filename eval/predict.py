"""`emollm predict`: let a model explain samples.

    emollm predict --model runs/sft samples.jsonl -o predictions.jsonl --split test

Every sample with a picture gets one `Prediction`: the completion as the model wrote it, and how it was asked. A sample
whose picture cannot be used is kept aside with its reason, and the exit code is then 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from emollm.errors import ConfigError, EmoLLMError, SourceError, did_you_mean
from emollm.labels import LABEL_SETS
from emollm.prompts import Language, ask, language_of, prompt_hash
from emollm.records import Prediction, Sample, read_records
from emollm.stage import Output, add_stage_arguments, positive, track, unknown_split
from emollm.vlm.options import add_model_arguments, share

if TYPE_CHECKING:
    from PIL.Image import Image

    from emollm.vlm.generate import Sampling
    from emollm.vlm.turns import Turn

PICTURES = ("own", "blank")
"""What the model is shown: the sample's own picture, or an even grey of its size. Answers about a grey are guesses."""
GREY = (128, 128, 128)
NUM_SHOWN = 10
"""Pictures that cannot be used are said one by one up to here, then counted."""

EPILOG = """examples:
  emollm predict --model runs/sft samples.jsonl -o predictions.jsonl --split test
  emollm predict --model Qwen/Qwen2.5-VL-3B-Instruct --adapter runs/lora samples.jsonl -o lora.jsonl --style think
  emollm predict --model runs/sft samples.jsonl -o blank.jsonl --picture blank       is the picture looked at?"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    arguments = build_parser().parse_args(argv)
    if arguments.label_set is not None and arguments.label_set not in LABEL_SETS:
        known = did_you_mean(arguments.label_set, LABEL_SETS)
        raise ConfigError(f"--label-set: '{arguments.label_set}' is not known{known}")
    ids = wanted_ids(arguments)
    # A model that cannot be loaded must leave no empty output behind, and --overwrite must not empty a good one for it.
    goes_on = arguments.output.exists() and not arguments.overwrite
    loaded = load(arguments) if ids and not goes_on else None
    with Output(
        arguments.output,
        stage="predict",
        options=options_of(arguments),
        inputs=[arguments.samples],
        overwrite=arguments.overwrite,
    ) as out:
        predict(arguments, out, ids, loaded)
    return out.exit_code


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the stage."""
    parser = argparse.ArgumentParser(
        prog="emollm predict",
        description="Let a vision-language model explain the faces of samples.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("samples", type=Path, metavar="SAMPLES.jsonl", help="samples with pictures")
    add_model_arguments(parser)
    parser.add_argument("--label-set", metavar="NAME", help="choices in the question (default: each sample's own)")
    parser.add_argument("--split", metavar="NAME", help="only samples of this split")
    spoken = "language of question and answer (default: that of the sample's explanation; English without one)"
    parser.add_argument("--language", choices=get_args(Language), help=spoken)
    shown = "what is shown: its own, or a grey of its size, to see what is said without a face (default: own)"
    parser.add_argument("--picture", choices=PICTURES, default="own", help=shown)
    parser.add_argument("--media-root", type=Path, metavar="DIR", help="where media paths start (default: the file's)")
    parser.add_argument("--batch-size", type=positive, default=32, metavar="N", help="samples at a time (default: 32)")
    parser.add_argument(
        "--top-p", type=share, default=1.0, metavar="P", help="share of likely tokens drawn from (default: 1)"
    )
    parser.add_argument("--device", metavar="NAME", help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16 (default: as saved)")
    add_stage_arguments(parser)
    return parser


def options_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that shape an answer, for the manifest; a rerun with others is refused."""
    shaping = (
        *("model", "adapter", "style", "language", "label_set", "split", "picture"),
        *("max_new_tokens", "temperature", "top_p", "dtype"),
    )
    return {name: getattr(arguments, name) for name in (*shaping, "seed")} | {"prompts": prompt_hash()}


def wanted_ids(arguments: argparse.Namespace) -> list[str]:
    """Return the ids of the samples to predict. Raises where there is none, and names the splits there are."""
    ids: list[str] = []
    splits: Counter[str] = Counter()
    malformed: list[int] = []  # said later, when they can be kept aside
    for sample in read_records(arguments.samples, Sample, bad=lambda line: malformed.append(line.line)):
        splits[sample.split or "(none)"] += 1
        if arguments.split in (None, sample.split):
            ids.append(sample.id)
    if splits and not ids:
        raise unknown_split(arguments.samples, arguments.split, splits)
    if not ids and not malformed:
        raise SourceError(f"{arguments.samples}: holds no sample; give a file that `emollm detect` or `faces` wrote")
    return ids[: arguments.limit]


def load(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """Return the model that was asked for, and its processor."""
    from emollm.vlm.load import load_model

    return load_model(arguments.model, arguments.adapter, device=arguments.device, dtype=arguments.dtype)


def predict(
    arguments: argparse.Namespace, out: Output, ids: Sequence[str], loaded: tuple[Any, Any] | None = None
) -> None:
    """Write a prediction for every sample that has none yet. The model is loaded when the first of them is asked."""
    from emollm.vlm.generate import Sampling

    sampling = Sampling(arguments.max_new_tokens, arguments.temperature, arguments.top_p, arguments.seed)
    total = sum(not out.is_done(sample_id) for sample_id in ids)
    asked = questions(track(wanted(arguments, out), "predict", total), arguments, out)
    while batch := list(islice(asked, arguments.batch_size)):
        loaded = loaded or load(arguments)
        write_batch(*loaded, batch, sampling, arguments, out)


def wanted(arguments: argparse.Namespace, out: Output) -> Iterator[Sample]:
    """Yield the samples of the split that are not done, among the first `--limit` of them."""
    samples = read_records(arguments.samples, Sample, bad=out.bad)
    chosen = (sample for sample in samples if arguments.split in (None, sample.split))
    return (sample for sample in islice(chosen, arguments.limit) if not out.is_done(sample.id))


class Asked(NamedTuple):
    """A sample's question, ready for the model."""

    id: str
    question: str
    turn: Turn


def questions(samples: Iterable[Sample], arguments: argparse.Namespace, out: Output) -> Iterator[Asked]:
    """Yield the question about each sample. A picture that cannot be used is said, kept aside, and sets exit code 1."""
    from emollm.pictures import is_clip, sample_picture
    from emollm.vlm.turns import ask_about

    root = arguments.media_root or arguments.samples.parent
    num_bad = 0
    for sample in samples:
        try:
            picture = sample_picture(sample, root)
        except EmoLLMError as error:
            num_bad += 1
            if num_bad <= NUM_SHOWN:
                print(f"error: {error}", file=sys.stderr)
            reason = "clip" if is_clip(sample) else "bad_picture" if sample.media else "no_picture"
            out.reject(sample.id, reason, str(error))
            out.exit_code = 1
            continue
        if arguments.picture == "blank":
            picture = blank(picture)
        language = arguments.language or language_of(sample)
        label_set = arguments.label_set or sample.label_set
        question = ask(arguments.style, label_set, text=sample.text, language=language)
        yield Asked(sample.id, question, ask_about(picture, question))
    if num_bad > NUM_SHOWN:
        print(f"error: {num_bad - NUM_SHOWN:,} more, all in {out.rejected_path.name}", file=sys.stderr)


def blank(picture: Image) -> Image:
    """Return an even grey picture of the same size."""
    from PIL import Image

    return Image.new("RGB", picture.size, GREY)


def speaker(arguments: argparse.Namespace) -> str:
    """Return whose answers these are: the model, its adapter, and what it saw instead of the pictures."""
    name = f"{arguments.model}+{arguments.adapter}" if arguments.adapter else str(arguments.model)
    return name if arguments.picture == "own" else f"{name} ({arguments.picture} pictures)"


def write_batch(
    model: Any, processor: Any, batch: Sequence[Asked], sampling: Sampling, arguments: argparse.Namespace, out: Output
) -> None:
    """Generate one batch and append its predictions."""
    from emollm.vlm.generate import generate

    started = time.monotonic()
    completions = generate(model, processor, [asked.turn for asked in batch], sampling)
    seconds = round((time.monotonic() - started) / len(batch), 4)
    for asked, completion in zip(batch, completions, strict=True):
        if not completion.finished:
            out.count("cut off")
        out.write(
            Prediction(
                id=asked.id,
                completion=completion.text,
                model=speaker(arguments),
                prompt=asked.question,
                style=arguments.style,
                sampling={"max_new_tokens": sampling.max_new_tokens, "temperature": sampling.temperature}
                | ({"top_p": sampling.top_p, "seed": sampling.seed} if sampling.temperature else {}),
                seconds=seconds,
            )
        )
