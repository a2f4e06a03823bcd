"""What every worker does alike: read the list, write rows, set a bad file aside, say how far it is.

    python WORKER.py --in list.txt --out FILE.csv --kind image|video [options of the tool]

Runs in other people's environments: Python 3.8 or later, the standard library, and no part of emollm.
The list is one JSON string a line, a path each. Files are measured in its order; the rows of one file are written
together, then `progress 3/10` goes to stderr. What cannot be measured is one line of `FILE.csv.errors.jsonl`.
Exit codes: 0 done, 3 the tool cannot be imported, anything else it broke.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Dict, Iterable  # noqa: UP035 Python 3.8 needs these

Row = Dict[str, Any]  # noqa: UP006
Measure = Callable[[str], Iterable[Row]]
"""Path of a picture or clip to its rows, all with the same columns."""

CANNOT_IMPORT = 3


class NoFaceError(Exception):
    """The tool found no face and gives no row that says so."""


def work(
    load: Callable[[argparse.Namespace], Measure],
    add_options: Callable[[argparse.ArgumentParser], None],
) -> int:
    """Run a worker and return its exit code. `load` imports the tool, loads its weights, and returns what measures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--in", dest="listed", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--kind", choices=("image", "video"), required=True)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--end-with-stdin", action="store_true", help="end when the other side of stdin is gone")
    add_options(parser)
    options = parser.parse_args()
    if options.end_with_stdin:
        end_with_stdin()
    paths = [json.loads(line) for line in Path(options.listed).read_text(encoding="utf-8").splitlines()]
    try:
        measure_all(load(options), paths, options.out)
    except ImportError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return CANNOT_IMPORT
    return 0


def end_with_stdin() -> None:
    """End as soon as whoever started this worker is gone, however that happened; the tool gets an empty stdin."""
    pipe = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def wait() -> None:
        os.read(pipe, 1)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def measure_all(measure: Measure, paths: list[str], out: str) -> None:
    """Measure the files in their order into `out`."""
    errors_at = Path(f"{out}.errors.jsonl")
    with Path(out).open("w", encoding="utf-8", newline="") as rows, errors_at.open("w", encoding="utf-8") as errors:
        table = Table(rows)
        for place, path in enumerate(paths):
            try:
                table.write(list(measure(path)))
            except ImportError:
                raise
            except Exception as error:  # noqa: BLE001 one bad file must not end the others
                reason = "no_face" if isinstance(error, NoFaceError) else "unreadable_media"
                detail = f"{type(error).__name__}: {' '.join(str(error).split())}"
                errors.write(json.dumps({"path": path, "reason": reason, "detail": detail}) + "\n")
                errors.flush()
            # On a line of its own: tools leave progress bars without an end.
            print(f"\nprogress {place + 1}/{len(paths)}", file=sys.stderr, flush=True)


class Table:
    """A CSV file whose header is the columns of its first row."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._writer: csv.DictWriter[str] | None = None

    def write(self, rows: list[Row]) -> None:
        """Write the rows of one file together."""
        if rows and self._writer is None:
            self._writer = csv.DictWriter(self._file, list(rows[0]))
            self._writer.writeheader()
        if self._writer is not None:
            self._writer.writerows(rows)
            self._file.flush()


def read_picture(path: str) -> Any:
    """Return a picture as OpenCV gives it, (H, W, 3) BGR, upright. The path may hold any characters."""
    import cv2
    import numpy as np

    pixels = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError("OpenCV cannot read the picture")
    return pixels


def read_frames(path: str, stride: int = 1) -> Iterable[Any]:
    """Yield (frame number, seconds, (H, W, 3) BGR pixels) of every `stride`-th frame of a clip."""
    import cv2

    clip = cv2.VideoCapture(path)
    per_second = clip.get(cv2.CAP_PROP_FPS)
    frame = 0
    try:
        while clip.grab():
            if frame % stride == 0:
                is_read, pixels = clip.retrieve()
                if is_read:
                    yield frame, (frame / per_second if per_second > 0 else None), pixels
            frame += 1
    finally:
        clip.release()
    if frame == 0:
        raise ValueError("OpenCV cannot read a frame of the clip")
