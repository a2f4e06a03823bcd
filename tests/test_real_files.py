"""Real detector files, where they lie beside the checkout: in, explained, and every claim held against the face."""

from __future__ import annotations

from pathlib import Path

import pytest

from data_engine.detect import main as detect
from data_engine.generate import main as generate
from emollm import facs
from emollm.claims import check, named_aus
from emollm.records import Sample, read_records

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "au"
FILES = sorted(path for path in FOLDER.glob("*") if path.suffix in (".csv", ".json"))


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
