"""LibreFace: AU intensities and presence as its own table. Written against libreface 0.2.0 (`get_facial_attributes`).

The 478 landmarks are left out; `input` names the file. LibreFace measures one face a picture and skips frames without.
"""

from __future__ import annotations

import argparse
import tempfile
from typing import Any, Iterable  # noqa: UP035 Python 3.8 needs it

from worker_protocol import Measure, NoFaceError, Row, work

NO_FACE = ("No face landmarks", "No face detected")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of this tool."""
    parser.add_argument("--weights", default="./weights_libreface", help="where the weights are kept")
    parser.add_argument("--batch-size", type=int, default=256)


def load(options: argparse.Namespace) -> Measure:
    """Import the tool, load its weights, and return what measures one file."""
    import libreface

    def measure(path: str) -> Iterable[Row]:
        # LibreFace writes every frame as a PNG, which a folder of clips would fill a disk with.
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = libreface.get_facial_attributes(
                    path,
                    temp_dir=folder,
                    device=options.device,
                    batch_size=options.batch_size,
                    weights_download_dir=options.weights,
                )
            except RuntimeError as error:
                if any(words in str(error) for words in NO_FACE):
                    raise NoFaceError(str(error)) from None
                raise
        if found is None:
            raise ValueError("LibreFace does not take files of this suffix")
        rows = [found] if isinstance(found, dict) else found.to_dict("records")
        return [flat(row, path) for row in rows]

    return measure


def flat(found: dict[str, Any], path: str) -> Row:
    """One row: what LibreFace nests for pictures beside each other, as it writes it itself for clips."""
    row: Row = {"input": path}
    for column, value in found.items():
        if isinstance(value, dict):
            row.update(value)
        elif not column.startswith("lm_mp_"):
            row[column] = value
    return row


if __name__ == "__main__":
    raise SystemExit(work(load, add_options))
