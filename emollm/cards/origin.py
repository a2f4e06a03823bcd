"""Origin: where samples come from, as far as they and the manifests beside them tell.

    source_of(sample), licence_of(sample)       # ("RAF-DB", "research only"): from its provenance
    lineage(Path("cot.jsonl"), "8a1f…", [])     # the manifests from the file back to its beginning

A manifest names the files that its stage read, with their digests; it is followed only where the file is still the one
that was read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from emollm.facs import THRESHOLDS
from emollm.files import fingerprint
from emollm.records import Sample
from emollm.stage import manifest_beside

RENDERED = "faces rendered by emollm"

SOURCE_KEYS = ("dataset", "layout", "source")
LICENCE_KEYS = ("licence", "license")
NO_STAGE = "prosody"
"""Its keys are features of a voice, whatever they are called."""


def source_of(sample: Sample) -> str | None:
    """Return the data set that the picture or clip is of; None where no stage remembers one."""
    provenance = sample.provenance or {}
    return _told(provenance, SOURCE_KEYS) or (RENDERED if "faces" in provenance else None)


def licence_of(sample: Sample) -> str | None:
    """Return the licence of the data set, as the stage that read it remembers it."""
    return _told(sample.provenance or {}, LICENCE_KEYS)


def _told(provenance: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    for stage, told in provenance.items():
        for key in keys:
            value = told.get(key) if isinstance(told, dict) and stage != NO_STAGE else None
            if isinstance(value, str) and value.strip():
                return " ".join(value.split())
    return None


def thresholds_of(sample: Sample) -> Mapping[str, float]:
    """Return when an AU of each kind counts as present: as the teacher of the text took it, else as FACS does."""
    told = generated(sample).get("thresholds")
    if not isinstance(told, dict):
        return THRESHOLDS
    known = {kind: float(value) for kind, value in told.items() if kind in THRESHOLDS and _is_number(value)}
    return {**THRESHOLDS, **known}


def generated(sample: Sample) -> Mapping[str, object]:
    """Return what `generate` remembers of the sample's text; empty where it was not written by it."""
    return (sample.provenance or {}).get("generate") or {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Step(NamedTuple):
    """One stage on the way to the exported file."""

    name: str
    """Of the file that the stage wrote, or that was read at the very beginning."""
    sha256: str
    manifest: Mapping[str, Any]
    """Empty where none lies beside the file: nothing before it is known."""

    @property
    def stage(self) -> str:
        """The stage that wrote the file; empty where no manifest tells."""
        return str(self.manifest.get("stage") or "")

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of that stage."""
        return _mapping(self.manifest.get("options"))

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the stage read: the name of each file with its digest and size."""
        return _mapping(self.manifest.get("inputs"))

    @property
    def rejected(self) -> Counter[str]:
        """What the stage refused: reason to number."""
        told = _mapping(self.manifest.get("rejected"))
        return Counter({reason: num for reason, num in told.items() if isinstance(num, int)})

    @property
    def prompts(self) -> dict[str, str]:
        """What the manifest tells of prompts: the digests that make a changed wording visible."""
        return dict(_prompts("", self.manifest))

    @property
    def told_options(self) -> list[str]:
        """The options that say something, as `key=value`."""
        return [f"{key}={value}" for key, value in self.options.items() if value or (value == 0 and value is not False)]


def lineage(path: Path, sha256: str, folders: Iterable[Path]) -> list[Step]:
    """Return the file, whose digest is known, and everything before it, the file first.

    The files that a stage read are looked for beside what it wrote, one folder above it, and in `folders`.
    """
    return list(_steps(path, sha256, [path.parent, *folders], set()))


def _steps(path: Path, digest: str, places: Sequence[Path], seen: set[str]) -> Iterator[Step]:
    step = Step(path.name, digest, read_manifest(manifest_beside(path)) or _of_export(path.parent))
    yield step
    seen.add(digest)
    for name, print_of_file in step.inputs.items():
        found = same_file(name, print_of_file, [path.parent, path.parent.parent, *places])
        earlier = str(_mapping(print_of_file).get("sha256", ""))
        if earlier in seen:
            continue
        if found is not None:
            yield from _steps(found, earlier, places, seen)
        else:
            yield Step(name, earlier, {})


def _of_export(folder: Path) -> dict[str, Any]:
    """Return the manifest of an export, which stands for all files of its folder; empty where it is of no export."""
    manifest = read_manifest(folder / "manifest.json")
    return manifest if manifest.get("stage") == "export" else {}


def same_file(name: str, wanted: object, folders: Sequence[Path]) -> Path | None:
    """Return the file if one of the folders has it unchanged. Sizes are compared first: digests take time."""
    if not isinstance(wanted, dict) or Path(name).name != name:
        return None
    for path in dict.fromkeys(folder / name for folder in folders):
        if path.is_file() and path.stat().st_size == wanted.get("bytes") and fingerprint(path) == wanted:
            return path
    return None


def read_manifest(path: Path) -> dict[str, Any]:
    """Return a manifest; an empty one where there is none that can be read."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _prompts(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield every digest under a name that speaks of prompts."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _prompts(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, str) and "prompt" in name.lower():
        yield name, value
