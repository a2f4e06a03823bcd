"""py-feat: AU probabilities as its Fex table. Written against py-feat 2.1.5 (`Detectorv1`, `Detectorv2`).

Identity embeddings are neither computed nor written. `feat` turns gradients off and patches xgboost for the whole
process, which is why it has one of its own.
"""

from __future__ import annotations

import argparse
from typing import Any, Iterable  # noqa: UP035 Python 3.8 needs it

from worker_protocol import Measure, Row, work

LEFT_OUT = ("mesh_", "Identity")
"""1434 columns of a mesh that nobody reads, and who the person is."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of this tool."""
    parser.add_argument("--model", choices=("v2", "v1"), default="v2")
    parser.add_argument("--threshold", type=float, default=0.5, help="least score of a face")
    parser.add_argument("--batch-size", type=int, default=8, help="frames of a clip at a time")
    parser.add_argument("--stride", type=int, default=1, help="every N-th frame of a clip")


def load(options: argparse.Namespace) -> Measure:
    """Import the tool, load its weights, and return what measures one file."""
    import feat

    if options.model == "v1":
        detector = feat.Detectorv1(emotion_model=None, identity_model=None, gaze_model=None, device=options.device)
    else:
        detector = feat.Detectorv2(identity_model=None, device=options.device)

    def measure(path: str) -> Iterable[Row]:
        settings: dict[str, Any] = {"face_detection_threshold": options.threshold, "progress_bar": False}
        if options.kind == "video":
            settings.update(batch_size=options.batch_size, skip_frames=options.stride)
            fex = detector.detect(path, data_type="video", **settings)
        else:
            fex = detector.detect([path], data_type="image", **settings)
        for row in fex.to_dict("records"):
            yield {column: value for column, value in row.items() if not column.startswith(LEFT_OUT)}

    return measure


if __name__ == "__main__":
    raise SystemExit(work(load, add_options))
