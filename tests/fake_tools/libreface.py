"""Stands for libreface 0.2.0: a nested dictionary for a picture, a table for a clip."""

# ruff: noqa: ARG001 the signatures are those of the real tool

from __future__ import annotations

import os

from tricks import film, is_empty, look


class Frame(list):
    def to_dict(self, orient):
        assert orient == "records"
        return [dict(row) for row in self]


def get_facial_attributes(
    file_path,
    output_save_path=None,
    model_choice="joint_au_detection_intensity_estimator",
    temp_dir="./tmp",
    device="cpu",
    batch_size=256,
    num_workers=0,
    weights_download_dir="./weights_libreface",
):
    assert os.path.isdir(temp_dir)  # noqa: PTH112
    print(f"Using device: {device} for inference...")
    if file_path.endswith(".txt"):
        return None
    if is_empty(file_path):
        raise RuntimeError("No face landmarks")
    if file_path.endswith(".mp4"):
        frames, fps = film(file_path)
        return Frame(
            {"frame_idx": n, "frame_time_in_ms": n / fps, **_head(n), **_found(n / frames), **_strength(n / frames)}
            for n in range(frames)
        )
    value = look(file_path)
    return {
        "detected_aus": _found(value),
        "au_intensities": _strength(value),
        "facial_expression": "Happiness",
    } | _head(0)


def _head(frame):
    return {"pitch": 3.0, "yaw": -10.0, "roll": 0.0, "lm_mp_0_x": float(frame), "gaze_yaw": 1.0}


def _found(value):
    return {"au_7": int(value > 0.5), "au_12": 1}


def _strength(value):
    return {"au_1_intensity": 0.2, "au_12_intensity": round(5 * value, 3)}
