"""Stands for hsemotion-onnx 0.3.1."""

from __future__ import annotations

import numpy as np

SEVEN = ("Anger", "Disgust", "Fear", "Happiness", "Neutral", "Sadness", "Surprise")
EIGHT = ("Anger", "Contempt", "Disgust", "Fear", "Happiness", "Neutral", "Sadness", "Surprise")


class HSEmotionRecognizer:
    """The brighter the face, the happier; the rest is neutral."""

    def __init__(self, model_name="enet_b0_8_best_vgaf"):
        self.is_mtl = "_mtl" in model_name
        self.idx_to_class = dict(enumerate(SEVEN if "_7" in model_name else EIGHT))

    def predict_emotions(self, face_img, logits=True):
        assert not logits
        names = list(self.idx_to_class.values())
        scores = np.zeros(len(names) + 2 * self.is_mtl, np.float32)
        happy = face_img.mean() / 255
        scores[[names.index("Happiness"), names.index("Neutral")]] = happy, 1 - happy
        return "Happiness", scores
