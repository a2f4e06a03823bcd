"""Stands for OpenCV: pictures by Pillow, clips as JSON files."""

# ruff: noqa: ARG001 the signatures are those of the real tool

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image
from tricks import film

IMREAD_COLOR, CAP_PROP_FPS = 1, 5


def imdecode(buffer, flags):
    try:
        with Image.open(BytesIO(buffer.tobytes())) as image:
            return np.asarray(image.convert("RGB"))[:, :, ::-1].copy()
    except OSError:
        return None


def imwrite(path, pixels):
    Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1])).save(path)
    return True


class VideoCapture:
    """Frame n of N is a grey of n / N."""

    def __init__(self, path):
        try:
            self.frames, self.fps = film(path)
        except ValueError:
            self.frames, self.fps = 0, 0.0
        self.place = -1

    def get(self, what):
        return self.fps if what == CAP_PROP_FPS else 0.0

    def grab(self):
        self.place += 1
        return self.place < self.frames

    def retrieve(self):
        return True, np.full((8, 8, 3), round(255 * self.place / self.frames), np.uint8)

    def release(self):
        self.place = self.frames
