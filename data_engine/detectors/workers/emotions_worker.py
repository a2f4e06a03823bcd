"""EmotiEffLib and HSEmotion: probabilities of 7 or 8 emotions, and valence and arousal; no AUs.

Written against emotiefflib 1.1.1 (`EmotiEffLibRecognizer`) and hsemotion-onnx 0.3.1 (`HSEmotionRecognizer`). Both want
a picture cut to the face: give them such pictures (RAF-DB, AffectNet), or faces=mtcnn, which needs facenet-pytorch.
"""

from __future__ import annotations

import argparse
from typing import Any, Callable, Iterable  # noqa: UP035 Python 3.8 needs these

from worker_protocol import Measure, Row, read_frames, read_picture, work


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of this tool."""
    parser.add_argument("--engine", choices=("onnx", "torch", "hsemotion"), default="onnx")
    parser.add_argument("--model", default="enet_b0_8_va_mtl")
    parser.add_argument("--faces", choices=("whole", "mtcnn"), default="whole")
    parser.add_argument("--stride", type=int, default=1, help="every N-th frame of a clip")


def load(options: argparse.Namespace) -> Measure:
    """Import the tool, load its weights, and return what measures one file."""
    score, names = recognizer(options)
    columns = [*names, "valence", "arousal"] if "_mtl" in options.model else list(names)
    find = mtcnn(options) if options.faces == "mtcnn" else whole

    def faces_in(pixels: Any, place: Row) -> Iterable[Row]:
        boxes = find(pixels)
        for left, top, right, bottom in boxes:
            scores = [float(value) for value in score(pixels[top:bottom, left:right])]
            box = {"x": left, "y": top, "width": right - left, "height": bottom - top}
            yield {**place, **box, **{column: round(scores[n], 6) for n, column in enumerate(columns)}}
        if not boxes:
            yield {**place, **dict.fromkeys(("x", "y", "width", "height", *columns), "")}

    def measure(path: str) -> Iterable[Row]:
        if options.kind == "image":
            yield from faces_in(rgb(read_picture(path)), {"input": path})
        else:
            for frame, seconds, pixels in read_frames(path, options.stride):
                yield from faces_in(rgb(pixels), {"input": path, "frame": frame, "time_s": seconds})

    return measure


def recognizer(options: argparse.Namespace) -> tuple[Callable[[Any], Any], list[str]]:
    """What turns an RGB face into scores, and the names of the emotions in their order."""
    if options.engine == "hsemotion":
        import urllib.request  # noqa: F401 hsemotion_onnx uses it without importing it

        from hsemotion_onnx.facial_emotions import HSEmotionRecognizer

        old = HSEmotionRecognizer(model_name=options.model)
        return lambda face: old.predict_emotions(face, logits=False)[1], in_order(old.idx_to_class)
    from emotiefflib.facial_analysis import EmotiEffLibRecognizer

    new = EmotiEffLibRecognizer(engine=options.engine, model_name=options.model, device=options.device)
    return lambda face: new.predict_emotions([face], logits=False)[1][0], in_order(new.idx_to_emotion_class)


def in_order(names: dict[int, str]) -> list[str]:
    """The class names by their numbers."""
    return [names[number] for number in sorted(names)]


def whole(pixels: Any) -> list[list[int]]:
    """The whole picture as the one face."""
    return [[0, 0, pixels.shape[1], pixels.shape[0]]]


def mtcnn(options: argparse.Namespace) -> Callable[[Any], list[list[int]]]:
    """The face finder that EmotiEffLib's own examples use; they keep faces above 0.9."""
    from facenet_pytorch import MTCNN

    finder = MTCNN(keep_all=True, post_process=False, min_face_size=40, device=options.device)

    def find(pixels: Any) -> list[list[int]]:
        boxes, scores = finder.detect(pixels, landmarks=False)
        found = range(0 if boxes is None else len(boxes))
        return [[max(int(edge), 0) for edge in boxes[n]] for n in found if scores[n] > 0.9]

    return find


def rgb(pixels: Any) -> Any:
    """OpenCV's BGR as RGB."""
    import numpy as np

    return np.ascontiguousarray(pixels[:, :, ::-1])


if __name__ == "__main__":
    raise SystemExit(work(load, add_options))
