"""lmms-eval: `…_samples_TASK.jsonl`, which `--log_samples` writes, one document a line.

    {"doc_id": 0, "target": "anger", "filtered_resps": "<answer>anger</answer>", "sample_id": "rafdb/1", …}

The document itself is not in the file, but what the task returned for it is: the task in `lmms_eval/` returns the id of
the sample. `resps` is what the model said; where it is missing, nothing was filtered (lmms-eval 0.7,
loggers/evaluation_tracker.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emollm.records import BadLine
from eval.handoff.told import Harness, Keep, Told, text


def is_line(found: Any) -> bool:
    """Tell whether a line of JSON is one of lmms-eval's."""
    return isinstance(found, dict) and "doc_id" in found and ("filtered_resps" in found or "resps" in found)


def read(path: Path, bad: Keep) -> Iterator[Told]:
    """Yield what each line tells."""
    folder = path.resolve().parent.name
    model = folder.replace("__", "/") if "_samples_" in path.name else path.stem
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            try:
                found = json.loads(raw.decode("utf-8-sig"))
            except (ValueError, RecursionError):
                found = None
            if not is_line(found):
                line = raw.decode("utf-8", "replace").strip()
                bad(BadLine(path, number, "no line of lmms-eval; write it again or remove it", line))
                continue
            yield Told(
                line=number,
                name=text(found["doc_id"]),
                given=tuple(dict.fromkeys(_ids(found))),
                completion=_first(found["resps"] if "resps" in found else found["filtered_resps"]),
                model=model,
                target=text(found.get("target")),
            )


def _ids(found: dict[str, Any]) -> Iterator[str]:
    """Yield the ids that the task returned, by themselves or within its scores."""
    for name in ("sample_id", "id"):
        if isinstance(found.get(name), str):
            yield found[name]
    for value in found.values():
        if isinstance(value, dict) and isinstance(value.get("id"), str):
            yield value["id"]


def _first(said: Any) -> str | None:
    """Return the first answer of a nested list; None where there is none."""
    while isinstance(said, list):
        if not said:
            return None
        said = said[0]
    return None if said is None else str(said)


HARNESS = Harness(
    "lmms-eval", 0, read, "let the task return the id of each sample as `sample_id`, as the one in eval/handoff does"
)
