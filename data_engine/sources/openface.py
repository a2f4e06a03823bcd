"""OpenFace 1 and 2: `AU12_r` is an intensity (0-5), `AU12_c` says presence; one face or many, video or image.

FeatureExtraction and FaceLandmarkVidMulti write `frame, face_id, timestamp, confidence, success, …`;
FaceLandmarkImg writes `face, confidence, …`, one row a face.
"""

from __future__ import annotations

from data_engine.sources.head import Head
from data_engine.sources.layout import CLIP_COLUMNS, Channel, Dialect, Layout, find_roles, intensity, matching
from emollm.records import Detector

ROLES = {
    "frame": ("frame",),
    "time_s": ("timestamp",),
    "confidence": ("confidence",),
    "success": ("success",),
    "person": ("face_id", "face"),
    "clip": CLIP_COLUMNS,
    "media": ("input",),
    "yaw": ("pose_ry",),
    "pitch": ("pose_rx",),
    "roll": ("pose_rz",),
}
POSE_FACTORS = {"yaw": -1.0, "pitch": -1.0}
"""Radians about the axes of the image, which point right, down and away: positive turns right, looks down, and tilts
clockwise in the image."""


def recognises(head: Head) -> str | None:
    """`AU12_r` and `AU12_c` are OpenFace's own."""
    intensities, presences = _columns(head)
    if not intensities and not presences:
        return None
    return f"{len(intensities)} intensity columns such as AU12_r, {len(presences)} presence columns such as AU12_c"


def layout(head: Head) -> Layout:
    """The intensity where there is one; AU28 has presence alone."""
    intensities, presences = _columns(head)
    channels = [intensity(au, column) for au, column in intensities.items()]
    channels += [Channel(au, column, "presence") for au, column in presences.items() if au not in intensities]
    detector = Detector(name="openface", version=_version(head))
    return Layout(detector, tuple(channels), find_roles(head.columns, ROLES), factors=POSE_FACTORS)


def _columns(head: Head) -> tuple[dict[str, str], dict[str, str]]:
    return matching(head.columns, r"AU(\d\d)_r"), matching(head.columns, r"AU(\d\d)_c")


def _version(head: Head) -> str | None:
    """OpenFace 2 added the gaze angles; without any gaze column both look alike."""
    if "gaze_angle_x" in head.columns:
        return "2"
    return "1" if "gaze_0_x" in head.columns else None


OPENFACE = Dialect("openface", recognises, layout)
