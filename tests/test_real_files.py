"""Real detector files, where they lie beside the checkout: in, explained, and every claim held against the face."""

from __future__ import annotations

import csv
import statistics
from pathlib import Path

import pytest

from data_engine.detect.door import main as detect
from data_engine.generate import main as generate
from emollm import facs
from emollm.claims import check, named_aus
from emollm.records import Sample, read_records

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "au"
FILES = sorted(path for path in FOLDER.glob("*") if path.suffix in (".csv", ".json"))


OPENFACE = FOLDER / "openface1_video_100rows.csv"


@pytest.mark.skipif(not OPENFACE.exists(), reason="no real files beside the checkout")
def test_the_yaw_of_openface_follows_the_nose(tmp_path: Path) -> None:
    """Positive yaw turns to the subject's left, so the tip of the nose goes to the right of the image."""
    with OPENFACE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, skipinitialspace=True))
    samples = tmp_path / "samples.jsonl"
    assert detect([str(OPENFACE), "-o", str(samples), "--frames", "all"]) == 0
    yaws, noses = [], []
    for sample in read_records(samples, Sample):
        (face,) = sample.faces or ()
        left, nose, right = (float(rows[(face.frame or 0) - 1][f"x_{point}"]) for point in (0, 30, 16))
        assert face.pose is not None
        yaws.append(face.pose[0])
        noses.append((nose - (left + right) / 2.0) / (right - left))
    assert len(yaws) > 50
    assert statistics.correlation(yaws, noses) > 0.9


@pytest.mark.skipif(not FILES, reason="no real files beside the checkout")
@pytest.mark.parametrize("frames", ["peak", "all"])
@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_every_kept_text_names_exactly_the_aus_above_threshold(path: Path, frames: str, tmp_path: Path) -> None:
    samples, cot = tmp_path / "samples.jsonl", tmp_path / "cot.jsonl"
    assert detect([str(path), "-o", str(samples), "--frames", frames]) == 0
    assert generate([str(samples), "-o", str(cot)]) == 0
    kept = list(read_records(cot, Sample))
    assert kept
    for sample in kept:
        assert sample.reasoning is not None
        (face,) = sample.faces or ()
        there, along = set(facs.present(face)), {event.au for event in sample.events or ()}
        assert there <= named_aus(sample.reasoning.observations) <= there | along, sample.id
        whole = " ".join((sample.reasoning.observations, sample.reasoning.interpretation, sample.reasoning.conclusion))
        result = check(whole, face, events=sample.events)
        assert (result.count("contradicted"), result.omitted) == (0, ()), sample.id
