"""mediapipe: 52 blendshapes a face, by their ARKit names. Written against mediapipe 1.2.2 (`FaceLandmarker`).

mediapipe has no file format of its own; the table has one row a face: `input`, `frame`, `time_s`, the box of the
landmarks in pixels, `yaw`, `pitch`, `roll` in radians (positive: to the subject's left, up, to the subject's left), and
the blendshapes. A frame without a face is a row with empty cells.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any, Iterable  # noqa: UP035 Python 3.8 needs it

from worker_protocol import Measure, Row, read_frames, read_picture, work

NAMES = (
    *("_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft"),
    *("eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight"),
    *("eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight"),
    *("jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight"),
    *("mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft"),
    *("mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower"),
    *("mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight"),
    *("mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft"),
    "noseSneerRight",
)
COLUMNS = ("input", "frame", "time_s", "x", "y", "width", "height", "yaw", "pitch", "roll", *NAMES)
MODEL = "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of this tool."""
    parser.add_argument("--model", default="face_landmarker.task", help="the model bundle")
    parser.add_argument("--max-faces", type=int, default=5)
    parser.add_argument("--threshold", type=float, default=0.5, help="least score of a face")
    parser.add_argument("--stride", type=int, default=1, help="every N-th frame of a clip")


def load(options: argparse.Namespace) -> Measure:
    """Import the tool, load its weights, and return what measures one file."""
    import mediapipe as mp

    if not Path(options.model).is_file():
        raise SystemExit(f"no model file '{options.model}'; download {MODEL} and name it: model=PATH")

    def landmarker(mode: Any) -> Any:
        tasks = mp.tasks
        return tasks.vision.FaceLandmarker.create_from_options(
            tasks.vision.FaceLandmarkerOptions(
                base_options=tasks.BaseOptions(model_asset_path=options.model),
                running_mode=mode,
                num_faces=options.max_faces,
                min_face_detection_confidence=options.threshold,
                output_face_blendshapes=True,
                output_facial_transformation_matrixes=True,
            )
        )

    def to_image(pixels: Any) -> Any:
        import numpy as np

        return mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(pixels[:, :, ::-1]))

    modes = mp.tasks.vision.RunningMode
    still = landmarker(modes.IMAGE) if options.kind == "image" else None

    def measure(path: str) -> Iterable[Row]:
        if still is not None:
            pixels = read_picture(path)
            yield from rows_of(still.detect(to_image(pixels)), {"input": path}, pixels.shape)
            return
        # A landmarker of its own for each clip: it follows faces, and its times may not run backwards.
        with landmarker(modes.VIDEO) as moving:
            for frame, seconds, pixels in read_frames(path, options.stride):
                milliseconds = round(1000 * seconds) if seconds is not None else 40 * frame
                place = {"input": path, "frame": frame, "time_s": seconds}
                yield from rows_of(moving.detect_for_video(to_image(pixels), milliseconds), place, pixels.shape)

    return measure


def rows_of(result: Any, place: Row, shape: Any) -> Iterable[Row]:
    """One row a face of a FaceLandmarkerResult."""
    empty = dict.fromkeys(COLUMNS, "")
    if not result.face_blendshapes:
        yield {**empty, **place}
    for face, categories in enumerate(result.face_blendshapes):
        row = {**empty, **place, **box_of(result.face_landmarks[face], shape)}
        if face < len(result.facial_transformation_matrixes):
            row.update(pose_of(result.facial_transformation_matrixes[face]))
        row.update({category.category_name: round(category.score, 6) for category in categories})
        yield row


def box_of(landmarks: Any, shape: Any) -> Row:
    """The box around landmarks, whose coordinates are shares of the picture."""
    xs, ys = [point.x * shape[1] for point in landmarks], [point.y * shape[0] for point in landmarks]
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    return {"x": round(min(xs), 1), "y": round(min(ys), 1), "width": round(width, 1), "height": round(height, 1)}


def pose_of(matrix: Any) -> Row:
    """Yaw, pitch and roll of a 4 × 4 matrix, canonical face to camera; x is right, y up, z towards the viewer."""
    forward = [float(matrix[axis][2]) for axis in range(3)]
    length = math.sqrt(sum(part * part for part in forward)) or 1.0
    return {
        "yaw": round(math.atan2(forward[0], forward[2]), 4),
        "pitch": round(math.asin(max(-1.0, min(1.0, forward[1] / length))), 4),
        "roll": round(math.atan2(0.0 - float(matrix[1][0]), float(matrix[1][1])), 4),
    }


if __name__ == "__main__":
    raise SystemExit(work(load, add_options))
