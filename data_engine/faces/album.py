"""An album: a folder with rendered pictures or clips, their records and a contact sheet.

DIR/images/*.png or DIR/clips/*.webp  DIR/samples.jsonl  DIR/samples.manifest.json  DIR/sheet.png  [DIR/masks/*]
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from data_engine.faces.film.encoding import encode_clip, encode_picture, require_encoder
from data_engine.faces.film.shots import Shot
from data_engine.faces.plan import Plan
from data_engine.faces.sheet import contact_sheet, varied
from data_engine.workers import spread
from emollm.files import in_one_step
from emollm.records import Sample, read_records
from emollm.stage import Output, track

CHUNK = 16
"""Pictures a worker draws in one go; a clip is a chunk of its own."""
SHEET_FROM = 2000
"""Samples from which those on the sheet are chosen."""


def fill_album(output: Output, plan: Plan, num: int, workers: int = 1, sheet: int = 40) -> None:
    """Draw pictures 0 … num − 1 of the plan that are not there yet, and write their records in order."""
    root = output.path.parent
    require_encoder(plan.suffix)
    for folder in {Path(plan.media_path(0)).parent, *([Path(plan.mask_path(0)).parent] if plan.masks else [])}:
        (root / folder).mkdir(parents=True, exist_ok=True)

    def is_there(index: int) -> bool:
        paths = [plan.media_path(index), *([plan.mask_path(index)] if plan.masks else [])]
        return output.is_done(plan.sample_id(index)) and all((root / path).exists() for path in paths)

    missing = [index for index in range(num) if not is_there(index)]
    what = "clips" if plan.video else "faces"
    for sample in track(draw_all(plan, root, missing, workers), what, total=len(missing)):
        if not output.is_done(sample.id):
            output.write(sample)
            if sample.events is not None:
                output.count("events", len(sample.events))
    output.note("identities", plan.split_identities() or {"all": plan.identities})
    first = list(itertools.islice(read_records(output.path, Sample), SHEET_FROM))
    contact_sheet(varied(first, sheet), root).save(root / "sheet.png")


def draw_all(plan: Plan, root: Path, indices: list[int], workers: int) -> Iterator[Sample]:
    """Draw the pictures on that many cores and yield their records in the order of the indices."""
    step = 1 if plan.video else CHUNK
    chunks = [indices[start : start + step] for start in range(0, len(indices), step)]
    for samples in spread(partial(draw_chunk, plan, root), chunks, min(workers, len(chunks))):
        yield from samples


def draw_chunk(plan: Plan, root: Path, indices: list[int]) -> list[Sample]:
    """Draw the pictures or clips with these indices, each written in one step, and return their records."""
    samples = []
    for index in indices:
        shot, sample = plan.shot(index)
        content = encode_shot(shot, plan.suffix)
        _write(root / plan.media_path(index), content)
        if plan.masks:
            _write_masks(shot, root / plan.mask_path(index))
        assert sample.media is not None
        sample.media.sha256 = hashlib.sha256(content).hexdigest()
        samples.append(sample)
    return samples


def _write(path: Path, content: bytes) -> None:
    with in_one_step(path) as part:
        part.write_bytes(content)


def _write_masks(shot: Shot, path: Path) -> None:
    """Write the AU masks of a picture, or of a clip's peak."""
    from data_engine.faces.masks import write_masks

    write_masks(shot.scene.people[shot.lead].at(shot.times[shot.peak()]), shot.size, path)


def encode_shot(shot: Shot, suffix: str) -> bytes:
    """Draw a shot and return it as the bytes of a file."""
    if shot.is_clip:
        return encode_clip([*shot.frames()], shot.times, shot.end_s, suffix)
    return encode_picture(next(shot.frames()), suffix)
