"""inspect_ai: logs of an evaluation, `.eval` (a zip of JSON) or `.json`, with a document for each sample and epoch.

    {"id": "rafdb/1", "epoch": 1, "target": "anger", "metadata": {…},
     "output": {"model": "…", "choices": [{"message": {"role": "assistant", "content": "…"}}], "completion": "…"}}

The content of a message is text, or parts: text and reasoning, which becomes a `<think>`. What is long may stand under
`attachments` (inspect_ai 0.3, log/_log.py, log/_recorders/eval.py). Of several epochs, the first is scored.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zlib import error as zlib_error

from emollm.errors import SourceError
from emollm.records import BadLine
from eval.handoff.told import Harness, Keep, Told, shown, text

MAX_BYTES = 256 << 20
"""Of one document, unpacked."""
_ATTACHED = "attachment://"


def is_log(found: Any) -> bool:
    """Tell whether a JSON document is a log."""
    if not isinstance(found, dict) or not isinstance(found.get("eval"), dict):
        return False
    return "samples" in found and isinstance(found["samples"], list | None)


def read(path: Path, bad: Keep) -> Iterator[Told]:
    """Yield what each sample tells, epoch after epoch: of the same sample, the first one counts."""
    model, samples = _open_zip(path) if zipfile.is_zipfile(path) else _open_json(path)
    for line, sample in enumerate(sorted(samples, key=_epoch), start=1):
        if not isinstance(sample, dict) or not text(sample.get("id")):
            bad(BadLine(path, line, "id: required field is missing", shown(sample)))
            continue
        metadata = sample.get("metadata")
        named = text(metadata.get("id")) if isinstance(metadata, dict) else ""
        target = sample.get("target")
        yield Told(
            line=line,
            name=text(sample["id"]),
            given=(named,) if named else (),
            completion=_said(sample),
            model=model,
            target=", ".join(map(text, target)) if isinstance(target, list) else text(target),
        )


def _epoch(sample: Any) -> int:
    epoch = _fields(sample).get("epoch")
    return epoch if isinstance(epoch, int) else 1


def _open_json(path: Path) -> tuple[str, list[Any]]:
    try:
        log = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        log = None
    if not is_log(log):
        raise SourceError(f"{path}: holds no log of inspect_ai; give the file that it wrote")
    return text(log["eval"].get("model")) or path.stem, log["samples"] or []


def _open_zip(path: Path) -> tuple[str, list[Any]]:
    """Read model and samples of an archive. Raises SourceError where it cannot be unpacked or is no log."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            header = next((name for name in ("header.json", "_journal/start.json") if name in names), None)
            if header is None:
                raise SourceError(f"{path}: holds no log of inspect_ai; give the .eval file that it wrote")
            samples = [_load(archive, name) for name in names if name.startswith("samples/") and name.endswith(".json")]
            return text(_fields(_fields(_load(archive, header)).get("eval")).get("model")) or path.stem, samples
    except NotImplementedError:  # newer logs are compressed with Zstandard, which Python reads from 3.14 on
        raise SourceError(
            f"{path}: is compressed in a way this Python cannot read; run: inspect log convert --to json"
        ) from None
    except (zipfile.BadZipFile, zlib_error, ValueError, EOFError, RuntimeError) as error:  # the last: a password
        raise SourceError(f"{path}: is no readable log ({error}); run: inspect log convert --to json") from None


def _load(archive: zipfile.ZipFile, name: str) -> Any:
    if archive.getinfo(name).file_size > MAX_BYTES:
        raise ValueError(f"{name} unpacks to more than {MAX_BYTES >> 20} MiB")
    return json.loads(archive.read(name))


def _said(sample: dict[str, Any]) -> str | None:
    """Return what the model said; None where the sample failed or it said nothing that is kept."""
    if sample.get("error"):  # what it had said by then is no answer
        return None
    output, attached = _fields(sample.get("output")), _fields(sample.get("attachments"))
    choices = output.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    content = _fields(_fields(choice).get("message")).get("content")
    if content is None:
        return text(output.get("completion")) or None
    if isinstance(content, list):
        return "\n".join(said for part in content if (said := _part(part, attached)))
    return _resolve(text(content), attached)


def _fields(value: Any) -> Mapping[str, Any]:
    """Return an object of JSON; an empty one where there is something else."""
    return value if isinstance(value, dict) else {}


def _part(part: Any, attached: Mapping[str, Any]) -> str:
    """Return a part of a message as text: reasoning in tags, pictures and tools not at all."""
    if not isinstance(part, dict):
        return text(part)
    if part.get("type") == "reasoning":
        thought = part.get("summary") if part.get("redacted") else part.get("reasoning")
        return f"<think>{_resolve(text(thought), attached)}</think>" if thought else ""
    return _resolve(text(part.get("text")), attached)


def _resolve(said: str, attached: Mapping[str, Any]) -> str:
    """Return a text, from the attachments where it is only named."""
    return text(attached.get(said.removeprefix(_ATTACHED), said)) if said.startswith(_ATTACHED) else said


HARNESS = Harness(
    "inspect_ai", 1, read, "give the samples of the task their ids, those that are numbers as `id` in the metadata"
)
