"""What the tests about models share: a handful of toy faces, and a model so small that it is built in a moment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Read when torch starts, so they are set before any test imports it: two busy cores must not spin.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# A busy machine is no reason to fail: what is slow shows in benchmarks.
settings.register_profile("emollm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("emollm")


MOUTHS = {"happiness": "AU12", "sadness": "AU15", "surprise": "AU27"}


def draw_toy_face(label: str, shift: int, path: Path) -> None:
    """A disc with a mouth that is bent up, bent down or round: enough to tell three labels apart."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (64, 64), (60, 80, 100))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((6 + shift, 4, 56 + shift, 60), fill=(220, 180, 150))
    mouth = (20 + shift, 34, 42 + shift, 52)
    if label == "surprise":
        pen.ellipse(mouth, fill=(60, 0, 0))
    else:
        pen.arc(mouth, *((20, 160) if label == "happiness" else (200, 340)), fill=(120, 0, 0), width=5)
    picture.save(path)


@pytest.fixture(scope="session")
def toy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples with pictures, AUs, labels and explanations: 48 to learn from, 12 to be tested on."""
    from emollm.records import AU, Face, Media, Reasoning, Sample, encode

    folder = tmp_path_factory.mktemp("toy")
    lines = []
    for number in range(60):
        label = list(MOUTHS)[number % 3]
        draw_toy_face(label, number % 5 - 2, folder / f"{number}.png")
        aus = {au: AU(value=3.0 if au == MOUTHS[label] else 0.0, kind="intensity") for au in MOUTHS.values()}
        reasoning = Reasoning(
            observations=f"{MOUTHS[label]} is clearly there.",
            interpretation=f"This fits {label}.",
            conclusion=f"The expression is consistent with {label}.",
        )
        sample = Sample(
            id=f"toy{number}",
            media=Media(kind="image", path=f"{number}.png"),
            split="test" if number >= 48 else "train",
            faces=[Face(aus=aus)],
            label_set="basic7",
            label=label,
            reasoning=reasoning,
        )
        lines.append(encode(sample) + b"\n")
    (folder / "cot.jsonl").write_bytes(b"".join(lines))
    return folder / "cot.jsonl"


@pytest.fixture(scope="session")
def tiny_dir(toy_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of one layer on each side, untaught."""
    from emollm.records import Sample, read_records
    from emollm.train.base import corpus, questions_about
    from emollm.vlm.tiny import Shape, build_tiny, save_tiny

    folder = tmp_path_factory.mktemp("tiny")
    shape = Shape(image_size=64, width=64, text_layers=1, vision_layers=1, vocab_size=448)
    samples = list(read_records(toy_file, Sample))
    save_tiny(*build_tiny(corpus(samples, sorted(questions_about(samples))), shape=shape), folder)
    return folder
