"""`emollm predict`: let a model explain samples.

    emollm predict --model runs/sft samples.jsonl -o predictions.jsonl --split test

Every sample with a picture gets one `Prediction`: the completion as the model wrote it, and how it was asked. A picture
that cannot be opened is kept aside with its reason.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from emollm.answers import STYLES
from emollm.errors import ConfigError, EmoLLMError, did_you_mean
from emollm.labels import LABEL_SETS
from emollm.prompts import ask, prompt_hash
from emollm.records import BadLine, Prediction, Sample, read_records
from emollm.stage import Output, add_stage_arguments, positive, track

if TYPE_CHECKING:
    from emollm.vlm.generate import Sampling
    from emollm.vlm.turns import Turn

EPILOG = """examples:
  emollm predict --model runs/sft samples.jsonl -o predictions.jsonl --split test
  emollm predict --model Qwen/Qwen2.5-VL-3B-Instruct --adapter runs/lora samples.jsonl -o lora.jsonl --style think"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage and return the exit code."""
    arguments = build_parser().parse_args(argv)
    if arguments.label_set is not None and arguments.label_set not in LABEL_SETS:
        known = did_you_mean(arguments.label_set, LABEL_SETS)
        raise ConfigError(f"--label-set: '{arguments.label_set}' is not known{known}")
    with Output(
        arguments.output,
        stage="predict",
        options=options_of(arguments),
        inputs=[arguments.samples],
        overwrite=arguments.overwrite,
    ) as out:
        predict(arguments, out)
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
    parser.add_argument("--model", required=True, metavar="DIR|NAME", help="a model directory or a hub name")
    parser.add_argument("--adapter", metavar="DIR", help="a LoRA adapter that was trained on this model")
    parser.add_argument("--style", choices=STYLES, default="sections", help="answer style (default: sections)")
    parser.add_argument("--label-set", metavar="NAME", help="choices in the question (default: each sample's own)")
    parser.add_argument("--split", metavar="NAME", help="only samples of this split")
    parser.add_argument("--media-root", type=Path, metavar="DIR", help="where media paths start (default: the file's)")
    parser.add_argument("--batch-size", type=positive, default=32, metavar="N", help="samples at a time (default: 32)")
    parser.add_argument(
        "--max-new-tokens", type=positive, default=512, metavar="N", help="longest answer (default: 512)"
    )
    parser.add_argument("--temperature", type=float, default=0.0, help="0 takes the likeliest token (default: 0)")
    parser.add_argument("--top-p", type=float, default=1.0, help="share of likely tokens drawn from (default: 1)")
    parser.add_argument("--device", metavar="NAME", help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16 (default: as saved)")
    add_stage_arguments(parser)
    return parser


def options_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that shape an answer, for the manifest; a rerun with others is refused."""
    shaping = ("model", "adapter", "style", "label_set", "split", "max_new_tokens", "temperature", "top_p", "dtype")
    return {name: getattr(arguments, name) for name in (*shaping, "seed")} | {"prompts": prompt_hash()}


def predict(arguments: argparse.Namespace, out: Output) -> None:
    """Load the model and write a prediction for every sample that has none yet."""
    from emollm.vlm.generate import Sampling
    from emollm.vlm.load import load_model

    total = sum(1 for sample in wanted(arguments, bad=_silent) if not out.is_done(sample.id))
    if not total:
        return
    model, processor = load_model(arguments.model, arguments.adapter, device=arguments.device, dtype=arguments.dtype)
    sampling = Sampling(arguments.max_new_tokens, arguments.temperature, arguments.top_p, arguments.seed)
    samples = (sample for sample in wanted(arguments, bad=out.bad) if not out.is_done(sample.id))
    asked = questions(track(samples, "predict", total), arguments, out)
    while batch := list(islice(asked, arguments.batch_size)):
        write_batch(model, processor, batch, sampling, arguments, out)


def wanted(arguments: argparse.Namespace, bad: Callable[[BadLine], None]) -> Iterator[Sample]:
    """Yield the samples of the split, at most `--limit` of them."""
    samples = read_records(arguments.samples, Sample, bad=bad)
    chosen = (sample for sample in samples if arguments.split in (None, sample.split))
    return islice(chosen, arguments.limit)


def _silent(_line: BadLine) -> None:
    """The first pass only counts; the second reports."""


class Asked(NamedTuple):
    """A sample's question, ready for the model."""

    id: str
    question: str
    turn: Turn


def questions(samples: Iterable[Sample], arguments: argparse.Namespace, out: Output) -> Iterator[Asked]:
    """Yield the question about each sample; a sample without a picture that opens is kept aside."""
    from emollm.vlm.pictures import sample_picture
    from emollm.vlm.turns import ask_about

    root = arguments.media_root or arguments.samples.parent
    for sample in samples:
        try:
            picture = sample_picture(sample, root)
        except EmoLLMError as error:
            out.reject(sample.id, "bad_picture" if sample.media else "no_picture", str(error))
            continue
        question = ask(arguments.style, arguments.label_set or sample.label_set, text=sample.text)
        yield Asked(sample.id, question, ask_about(picture, question))


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
                model=f"{arguments.model}+{arguments.adapter}" if arguments.adapter else arguments.model,
                prompt=asked.question,
                style=arguments.style,
                sampling={"max_new_tokens": sampling.max_new_tokens, "temperature": sampling.temperature}
                | ({"top_p": sampling.top_p, "seed": sampling.seed} if sampling.temperature else {}),
                seconds=seconds,
            )
        )
