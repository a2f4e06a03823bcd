"""Stands for emotiefflib 1.1.1."""

# ruff: noqa: ARG001, RUF012 the signatures are those of the real tool

from __future__ import annotations

import numpy as np

NAMES = ("Anger", "Contempt", "Disgust", "Fear", "Happiness", "Neutral", "Sadness", "Surprise")


class Recognizer:
    """The brighter the face, the happier; the rest is neutral. Valence overshoots, as a regression may."""

    idx_to_emotion_class = dict(enumerate(NAMES))

    def predict_emotions(self, face_img, logits=True):
        assert not logits
        scores = np.zeros((len(face_img), 10), np.float32)
        for place, face in enumerate(face_img):
            happy = face.mean() / 255
            scores[place, [4, 5, 8, 9]] = happy, 1 - happy, 2 * happy, -0.25
        return [NAMES[4]] * len(face_img), scores


def EmotiEffLibRecognizer(engine="torch", model_name="enet_b0_8_best_vgaf", device="cpu"):  # noqa: N802
    assert (engine, model_name) == ("onnx", "enet_b0_8_va_mtl")
    return Recognizer()
