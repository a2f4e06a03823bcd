"""Stands for openface-test 0.1.26."""

from __future__ import annotations

import numpy as np


class MultitaskPredictor:
    def __init__(self, model_path, device="cpu"):
        pass

    def predict(self, face):
        assert face.size
        units = np.full((1, 8), 0.1)
        units[0, 5] = face.mean() / 255  # AU12
        return np.array([[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]), np.array([[0.01, 0.02]]), units
