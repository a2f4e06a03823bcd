"""OpenFace 3: eight AU probabilities as its own table. Written against openface-test 0.1.26.

Its own commands measure every face of a picture on the crop of the first one and cannot open clips
(`detect-video` gives pixels where a path is read), so the detector and the multitask net are called one by one here.
Landmarks are left out; `time_s` is added, because `timestamp` is the hour of the run.
"""

from __future__ import annotations

import argparse
import datetime
import tempfile
from pathlib import Path
from typing import Any, Iterable  # noqa: UP035 Python 3.8 needs it

from worker_protocol import Measure, Row, read_frames, work

NAMES = ("Alignment_RetinaFace.pth", "MTL_backbone.pth")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of this tool."""
    parser.add_argument("--weights", default="./weights", help="folder with the weights")
    parser.add_argument("--threshold", type=float, default=0.5, help="least score of a face")
    parser.add_argument("--stride", type=int, default=1, help="every N-th frame of a clip")


def load(options: argparse.Namespace) -> Measure:
    """Import the tool, load its weights, and return what measures one file."""
    from openface.face_detection import FaceDetector
    from openface.multitask_model import MultitaskPredictor

    faces_at, aus_at = (Path(options.weights, name) for name in NAMES)
    if not (faces_at.is_file() and aus_at.is_file()):
        raise SystemExit(f"no weights in '{options.weights}'; run: openface download --output {options.weights}")
    detector = FaceDetector(model_path=str(faces_at), device=options.device)
    predictor = MultitaskPredictor(model_path=str(aus_at), device=options.device)

    def faces_in(path: str, place: Row) -> Iterable[Row]:
        found, pixels = detector.detect_faces(path)
        boxes = [box for box in found.tolist() if box[4] >= options.threshold]
        for number, box in enumerate(boxes):
            yield {**place, "face_id": number, "face_detection": box, **predict(crop(pixels, box))}
        if not boxes:
            yield {**place, "face_id": "", "face_detection": "", "emotion": "", "action_units": ""}

    def predict(face: Any) -> Row:
        emotion, gaze, units = predictor.predict(face)
        scores = emotion.tolist()[0]
        yaw, pitch = gaze.tolist()[0][:2]
        return {
            "emotion": scores.index(max(scores)),
            "gaze_yaw": yaw,
            "gaze_pitch": pitch,
            "action_units": units.tolist(),
        }

    def measure(path: str) -> Iterable[Row]:
        columns = {"timestamp": datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")}
        last = {"landmarks": "", "gaze_yaw": "", "gaze_pitch": ""}
        if options.kind == "image":
            yield from faces_in(path, {**columns, "image_path": path, **last})
            return
        import cv2

        with tempfile.TemporaryDirectory() as folder:
            still = str(Path(folder, "frame.bmp"))
            for frame, seconds, pixels in read_frames(path, options.stride):
                cv2.imwrite(still, pixels)
                place = {"video_path": path, "frame_index": frame, "time_s": seconds}
                yield from faces_in(still, {**columns, **place, **last})

    return measure


def crop(pixels: Any, box: Any) -> Any:
    """The face in its box, kept inside the picture."""
    left, top, right, bottom = (max(int(edge), 0) for edge in box[:4])
    return pixels[top:bottom, left:right]


if __name__ == "__main__":
    raise SystemExit(work(load, add_options))
