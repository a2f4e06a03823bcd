"""Stands for openface-test 0.1.26."""

# ruff: noqa: ARG002 the signatures are those of the real tool

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


class FaceDetector:
    """Sees a face in the left half of every picture that is not black, and one below the threshold."""

    def __init__(self, model_path, device="cpu", confidence_threshold=0.02, nms_threshold=0.4, vis_threshold=0.5):
        assert Path(model_path).is_file()

    def detect_faces(self, image_path, resize=1.0):
        pixels = cv2.imdecode(np.fromfile(image_path, np.uint8), cv2.IMREAD_COLOR)
        found = [[-1.0, 0.0, pixels.shape[1] / 2, 8.0, 0.98, *range(10)], [0.0, 0.0, 4.0, 4.0, 0.1, *range(10)]]
        return np.array(found if pixels.any() else np.empty((0, 15))), pixels
