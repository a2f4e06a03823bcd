"""A task for lmms-eval: faces to explain, asked and scored as emollm does.

lmms-eval calls these functions; `emollm_faces.yaml` beside this file names them and says how to run it. A document is
`{"text": line}`, a line of samples.jsonl.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emollm.pictures import open_picture
from emollm.prompts import ask
from emollm.records import Sample, decode, media_path
from emollm.scoring import score_sample

Document = Mapping[str, str]
Options = Mapping[str, str]


def doc_to_visual(doc: Document, options: Options | None = None) -> list[Any]:
    """Return the picture, RGB and upright, or the path of the clip; nothing for a sample without media."""
    sample = decode(doc["text"], Sample)
    path = media_path(sample, Path((options or {}).get("media_root", ".")))
    if path is None or sample.media is None:
        return []
    return [str(path)] if sample.media.kind == "video" else [open_picture(path)]


def doc_to_text(doc: Document, options: Options | None = None) -> str:
    """Return the question, as `emollm predict` asks it."""
    sample = decode(doc["text"], Sample)
    kind = sample.media.kind if sample.media else "image"
    return ask((options or {}).get("style", "think"), sample.label_set, text=sample.text, kind=kind)


def doc_to_target(doc: Document) -> str:
    """Return the gold label, or the open labels with commas; empty where there is neither."""
    sample = decode(doc["text"], Sample)
    return sample.label or ", ".join(sample.labels or ())


def process_results(doc: Document, results: Sequence[str]) -> dict[str, Any]:
    """Return the id of the sample, whether the label is right, and the share of claims that the face supports.

    What has no gold, or no claim that can be judged, is left out and is in no mean.
    """
    sample = decode(doc["text"], Sample)
    score = score_sample(sample, results[0] if results else "")
    numbers = {"emollm_label": score.correct, "emollm_claims": score.precision}
    known = {name: {"id": sample.id, "score": float(one)} for name, one in numbers.items() if one is not None}
    return {"sample_id": sample.id, **known}


def mean(items: Sequence[Mapping[str, float]]) -> float:
    """Return the mean score of the samples that have one."""
    return sum(item["score"] for item in items) / len(items) if items else float("nan")
