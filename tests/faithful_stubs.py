"""Stub models whose faithfulness is known, as programs for `emollm intervene --program`.

    python tests/faithful_stubs.py faithful --about samples.jsonl > predictions.jsonl
    emollm intervene --program 'python tests/faithful_stubs.py faithful' predictions.jsonl samples.jsonl -o …

Each sees a picture through the embedded detector and writes by the rules, so what it says of a face is mostly true; the
stubs differ in what the label has to do with it.

    faithful       the label follows from the action units that its explanation names, and from nothing else
    borrowed       the label follows from the picture; the explanation is always that of one other face
    mouth_only     the label follows from the mouth; the explanation names the brows alone
    fixed          the explanation is right; the label is always the same
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Collection
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from data_engine.detectors.tiny import TinyDetector
from data_engine.detectors.tiny.nets import AUS
from data_engine.exp_cot.draft import Options
from data_engine.exp_cot.rules import teach
from emollm import facs
from emollm.claims import named_aus
from emollm.prompts import ask
from emollm.records import AU, Face, Prediction, Sample, encode, read_records

LABEL_SET = "basic7"
MOUTH = ("mouth", "chin", "jaw")
FITS = 0.3
FULL = AU(value=3.0, kind="intensity")
BORROWED = frozenset({"AU01", "AU04", "AU15", "AU17"})
"""What the other face shows: sadness."""


@cache
def detector() -> TinyDetector:
    return TinyDetector.load()


SEEN: dict[bytes, frozenset[str]] = {}
"""Digest of a picture to what shows in it: stubs are asked about the same pictures again and again."""


def seen(picture: Image.Image) -> frozenset[str]:
    """Return the AUs that show in a picture."""
    pixels = np.asarray(picture.convert("RGB"))
    digest = hashlib.sha256(pixels.tobytes()).digest()
    if digest not in SEEN:
        [faces] = detector().detect([pixels])
        SEEN[digest] = frozenset(facs.present(faces[0])) & facs.EXPRESSIVE if faces else frozenset()
    return SEEN[digest]


def face_of(aus: Collection[str]) -> Face:
    """Return a face of which everything was measured and these AUs are there."""
    rest = AU(value=0.0, kind="intensity")
    return Face(aus={code: FULL if code in aus else rest for code in AUS})


@cache
def label_of(aus: frozenset[str]) -> str:
    """Return the emotion whose pattern fits best; neutral where none does."""
    face = face_of(aus)
    best = facs.CODEBOOKS["emfacs"].rank(facs.present(face), face.aus or ())[0]
    return best.label if best.score >= FITS else "neutral"


@cache
def explain(aus: frozenset[str]) -> str:
    """Return the observations that the rules write of these AUs."""
    draft = teach(Sample(id="face", faces=[face_of(aus)], label_set=LABEL_SET, label=label_of(aus)), Options())
    assert draft.reasoning is not None, draft
    return draft.reasoning.observations


def of_regions(aus: Collection[str], *regions: str) -> frozenset[str]:
    return frozenset(code for code in aus if facs.UNITS[code].region in regions)


def answer(stub: str, picture: Image.Image, begun: str = "") -> str:
    """Return what a stub says, after what its answer begins with."""
    aus = seen(picture)
    named = {"borrowed": BORROWED, "mouth_only": of_regions(aus, "brows")}.get(stub, aus)
    text = explain(named)
    label = {
        "faithful": label_of(frozenset(named_aus(begun or text))),
        "borrowed": label_of(aus),
        "mouth_only": label_of(of_regions(aus, *MOUTH)),
        "fixed": "happiness",
    }[stub]
    return f"{label}</answer>" if begun else f"<think>{text}</think>\n<answer>{label}</answer>"


STUBS = ("faithful", "borrowed", "mouth_only", "fixed")


def predict(stub: str, samples: Path) -> list[Prediction]:
    """Return what a stub says about samples."""
    question = ask("think", LABEL_SET)
    return [
        Prediction(id=sample.id, completion=answer(stub, Image.open(samples.parent / sample.media.path)), model=stub,
                   prompt=question, style="think")
        for sample in read_records(samples, Sample)
        if sample.media is not None
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("stub", choices=STUBS)
    parser.add_argument("--about", type=Path, metavar="SAMPLES.jsonl", help="write predictions instead")
    options = parser.parse_args()
    if options.about is not None:
        sys.stdout.buffer.writelines(encode(prediction) + b"\n" for prediction in predict(options.stub, options.about))
        return
    for line in sys.stdin:
        asked = json.loads(line)
        said = answer(options.stub, Image.open(asked["picture"]), asked["begun"])
        print(json.dumps({"completion": said}), flush=True)


if __name__ == "__main__":
    main()
