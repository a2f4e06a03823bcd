"""Stands for mediapipe 1.2.2: the face landmarker of `mp.tasks.vision`."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from types import SimpleNamespace as Space

import numpy as np


class ImageFormat(enum.IntEnum):
    SRGB = 1


class RunningMode(enum.Enum):
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"


class Image:
    def __init__(self, image_format, data):
        assert image_format == ImageFormat.SRGB
        assert data.flags["C_CONTIGUOUS"]
        self.pixels = data


@dataclass
class BaseOptions:
    model_asset_path: str


@dataclass
class FaceLandmarkerOptions:
    base_options: BaseOptions
    running_mode: RunningMode = RunningMode.IMAGE
    num_faces: int = 1
    min_face_detection_confidence: float = 0.5
    output_face_blendshapes: bool = False
    output_facial_transformation_matrixes: bool = False


class FaceLandmarker:
    """Sees a face in every picture but a black one; red is the left of the smile, green its right, blue the jaw."""

    def __init__(self, options):
        self.options, self.before = options, -1

    @classmethod
    def create_from_options(cls, options):
        return cls(options)

    def __enter__(self):
        return self

    def __exit__(self, *told):
        return None

    def detect(self, image):
        assert self.options.running_mode is RunningMode.IMAGE
        return self._result(image)

    def detect_for_video(self, image, timestamp_ms):
        assert self.options.running_mode is RunningMode.VIDEO
        assert isinstance(timestamp_ms, int)
        assert timestamp_ms > self.before
        self.before = timestamp_ms
        return self._result(image)

    def _result(self, image):
        red, green, blue = (float(value) / 255 for value in image.pixels[0, 0])
        if not red:
            return Space(face_landmarks=[], face_blendshapes=[], facial_transformation_matrixes=[])
        known = {"mouthSmileLeft": red, "mouthSmileRight": green, "jawOpen": blue}
        categories = [Space(category_name=name, score=known.get(name, 0.0)) for name in NAMES]
        corners = [Space(x=0.25, y=0.5, z=0.0), Space(x=0.75, y=1.0, z=0.0)]
        return Space(
            face_landmarks=[corners], face_blendshapes=[categories], facial_transformation_matrixes=[np.eye(4)]
        )


vision = Space(FaceLandmarker=FaceLandmarker, FaceLandmarkerOptions=FaceLandmarkerOptions, RunningMode=RunningMode)
tasks = Space(vision=vision, BaseOptions=BaseOptions)

# As `Blendshapes` of mediapipe names them, in its order.
_SIDED = "browDown browOuterUp cheekSquint eyeBlink eyeLookDown eyeLookIn eyeLookOut eyeLookUp eyeSquint eyeWide"
_SIDED += " mouthDimple mouthFrown mouthLowerDown mouthPress mouthSmile mouthStretch mouthUpperUp noseSneer"
_PLAIN = "_neutral browInnerUp cheekPuff jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft"
_PLAIN += " mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper"
NAMES = sorted([*_PLAIN.split(), *(stem + side for stem in _SIDED.split() for side in ("Left", "Right"))])
