"""Stands for py-feat 2.1.5: the same signatures, and the columns of its Fex tables."""

# ruff: noqa: ARG002 the signatures are those of the real tool

from __future__ import annotations

import os

from tricks import film, is_empty, look

if "FAKE_FEAT_BREAKS" in os.environ:
    raise RuntimeError(os.environ["FAKE_FEAT_BREAKS"])

NAN = float("nan")
AUS = ("AU01", "AU06", "AU12")


class Fex(list):
    def to_dict(self, orient):
        assert orient == "records"
        return [dict(row) for row in self]


class Detectorv2:
    emotions = ("Neutral", "Happy")

    def __init__(
        self,
        device="cpu",
        face_detection_threshold=0.5,
        identity_model="arcface",
        multitask_weights=None,
        amp=None,
        compile=False,
    ):
        assert identity_model is None, "no identity is to be computed"

    def detect(
        self,
        inputs,
        data_type="image",
        output_size=None,
        batch_size=1,
        num_workers=0,
        pin_memory=False,
        face_identity_threshold=0.8,
        face_detection_threshold=None,
        skip_frames=None,
        progress_bar=True,
        **kwargs,
    ):
        assert not kwargs
        print("  0%|          | 0/1 [00:00<?, ?it/s]", end="\r", flush=True)
        if data_type == "image":
            return Fex(
                self._row(path, place, 0.0 if is_empty(path) else look(path)) for place, path in enumerate(inputs)
            )
        frames, fps = film(inputs)
        numbers = range(0, frames, skip_frames or 1)
        return Fex(self._row(inputs, n, n / frames) | {"approx_time": f"00:{int(n / fps):02d}"} for n in numbers)

    def _row(self, path, frame, value):
        box = {"FaceRectX": 1.0, "FaceRectY": 2.0, "FaceRectWidth": 30.0, "FaceRectHeight": 40.0, "FaceScore": 0.99}
        units = dict.fromkeys(AUS, value)
        row = box | {"x_0": 3.0, "Pitch": 0.1, "Roll": 0.0, "Yaw": -0.2} | units | dict.fromkeys(self.emotions, 0.5)
        row |= {"Identity_1": NAN, "mesh_x_0": 1.0, "input": path, "frame": frame, "Identity": NAN}
        return {c: NAN if c[:2] in ("AU", "Fa") else v for c, v in row.items()} if is_empty(path) else row


class Detectorv1(Detectorv2):
    emotions = ("neutral", "happiness")

    def __init__(
        self,
        face_model="retinaface",
        landmark_model="mobilefacenet",
        au_model="xgb",
        emotion_model="resmasknet",
        identity_model="arcface",
        gaze_model="l2cs",
        device="cpu",
    ):
        super().__init__(device, identity_model=identity_model)
