"""An album: a folder with rendered pictures, their records and a contact sheet.

DIR/images/*.png  DIR/samples.jsonl  DIR/samples.manifest.json  DIR/sheet.png
"""

from __future__ import annotations

import hashlib
import itertools
import multiprocessing
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from io import BytesIO
from pathlib import Path

from data_engine.faces.picture import Pixels, render
from data_engine.faces.plan import Plan
from data_engine.faces.sheet import contact_sheet
from emollm.records import Sample, read_records
from emollm.stage import Output, track

CHUNK = 16
"""Pictures a worker draws in one go."""
SHEET_PICTURES = 64
SHEET_SIDE = 112
JPEG_QUALITY = 95


def fill_album(output: Output, plan: Plan, num: int, workers: int = 1) -> None:
    """Draw pictures 0 … num − 1 of the plan that are not there yet, and write their records in order."""
    root = output.path.parent
    (root / "images").mkdir(parents=True, exist_ok=True)

    def is_there(index: int) -> bool:
        return output.is_done(plan.sample_id(index)) and (root / plan.media_path(index)).exists()

    missing = [index for index in range(num) if not is_there(index)]
    for sample in track(draw_all(plan, root, missing, workers), "faces", total=len(missing)):
        if not output.is_done(sample.id):
            output.write(sample)
    output.note("identities", plan.split_identities() or {"all": plan.identities})
    first = list(itertools.islice(read_records(output.path, Sample), SHEET_PICTURES))
    contact_sheet(first, root, SHEET_SIDE).save(root / "sheet.png")


def draw_all(plan: Plan, root: Path, indices: list[int], workers: int) -> Iterator[Sample]:
    """Draw the pictures on that many cores and yield their records in the order of the indices."""
    chunks = [indices[start : start + CHUNK] for start in range(0, len(indices), CHUNK)]
    if workers <= 1 or len(chunks) <= 1:
        for chunk in chunks:
            yield from draw_chunk(plan, root, chunk)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(chunks)), context, initializer=_ignore_interrupt) as pool:
        ahead: deque[Future[list[Sample]]] = deque()
        try:
            for chunk in chunks:
                ahead.append(pool.submit(draw_chunk, plan, root, chunk))
                if len(ahead) >= 4 * workers:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _ignore_interrupt() -> None:
    """Leave Ctrl-C to the parent, which lets the chunks in hand end and starts no other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def draw_chunk(plan: Plan, root: Path, indices: list[int]) -> list[Sample]:
    """Draw the pictures with these indices, each in one step, and return their records."""
    samples = []
    for index in indices:
        spec, sample = plan.draw(index)
        content = encode_picture(render(spec, plan.size), plan.suffix)
        path = root / plan.media_path(index)
        part = path.with_name(path.name + ".part")
        part.write_bytes(content)
        part.replace(path)
        assert sample.media is not None
        sample.media.sha256 = hashlib.sha256(content).hexdigest()
        samples.append(sample)
    return samples


def encode_picture(pixels: Pixels, suffix: str) -> bytes:
    """Return the picture as the bytes of a file: `png` keeps every pixel, `jpg` is smaller and does not."""
    from PIL import Image

    file, image = BytesIO(), Image.fromarray(pixels)
    if suffix == "png":
        image.save(file, "PNG", compress_level=1)
    else:
        image.save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()
