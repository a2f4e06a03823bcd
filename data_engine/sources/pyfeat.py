"""py-feat's Fex tables, versions 0.6 to 2: `AU12` is a probability (the svm model: presence), never an intensity.

A frame without a face is a row of NaN. Older versions name no person, so the faces of a frame are told apart by order.
"""

from __future__ import annotations

from data_engine.sources.head import Head
from data_engine.sources.layout import Channel, Dialect, Layout, find_roles, matching
from emollm.records import AUKind, Detector

ROLES = {
    "frame": ("frame",),
    "time_s": ("approx_time",),
    "confidence": ("facescore",),
    "x": ("facerectx",),
    "y": ("facerecty",),
    "width": ("facerectwidth",),
    "height": ("facerectheight",),
    "person": ("identity",),
    "clip": ("clip", "session"),
    "media": ("input",),
}
POSE = {"yaw": ("yaw",), "pitch": ("pitch",), "roll": ("roll",)}
POSE_FACTORS = {"yaw": -1.0, "roll": -1.0}
"""Version 2 writes radians, positive to the subject's right and up; older versions wrote degrees, other directions."""


def recognises(head: Head) -> str | None:
    """`AU12` beside py-feat's face box."""
    columns = _columns(head)
    if not columns or not {"FaceScore", "FaceRectX"} & set(head.columns):
        return None
    kind = "presence, every value is 0 or 1 (svm)" if _kind(head) == "presence" else "probabilities"
    return f"{len(columns)} columns such as AU12 beside FaceRectX and FaceScore; read as {kind}"


def layout(head: Head) -> Layout:
    """Every AU is of one kind; which one the values tell."""
    kind = _kind(head)
    channels = tuple(Channel(au, column, kind) for au, column in _columns(head).items())
    version = _version(head)
    detector = Detector(name="py-feat", version=version, weights="svm" if kind == "presence" else None)
    roles = find_roles(head.columns, ROLES | (POSE if version == "2" else {}))
    return Layout(detector, channels, roles, faces_in_order=True, factors=POSE_FACTORS)


def _columns(head: Head) -> dict[str, str]:
    return matching(head.columns, r"AU(\d\d)")


def _kind(head: Head) -> AUKind:
    values = {value for column in _columns(head).values() for value in head.column_values(column)}
    return "presence" if values & {"0", "1", "0.0", "1.0"} and values <= _BINARY else "probability"


_BINARY = {"0", "1", "0.0", "1.0", "", "nan", "NaN"}


def _version(head: Head) -> str:
    """Version 2 writes its emotions with a capital, and valence."""
    return "2" if {"Happy", "valence"} & set(head.columns) else "1"


PYFEAT = Dialect("pyfeat", recognises, layout)
