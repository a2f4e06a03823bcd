"""How well a detector reads rendered faces of people it has never seen, end to end from pixels.

    marks = examine(TinyDetector.load(), "normal", num=1000)
    marks.f1["AU12"], marks.core_f1, marks.found

An AU that a mask or a turned head hides is neither asked for nor counted; what the detector leaves out although it
shows counts as absent. A face that is not found counts with all its AUs as absent.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_engine.detectors.protocol import FaceDetector, Pixels
from data_engine.detectors.tiny.layers import Array
from data_engine.detectors.tiny.nets import AUS, HIDDEN, HIDEABLE, PRESENT, REGION_OF_AU
from data_engine.detectors.tiny.training.drawing import au_values
from data_engine.faces import FaceSpec, landmarks, render
from data_engine.faces.expressions import mixture
from data_engine.faces.views import view
from data_engine.faces.visibility import hidden_sides
from emollm.records import Face
from emollm.stage import track

CORE = tuple(f"AU{number:02d}" for number in (1, 2, 4, 5, 6, 7, 9, 12, 15, 17, 20, 25, 26, 27, 43))
"""The AUs that most detectors know and that show most."""
UNSEEN = (1_000_000, 2_000_000)
"""People that no lesson has."""
SIZE = 160
BATCH = 32
SETS = ("normal", "turned", "occluded")


class Marks(NamedTuple):
    """What came out."""

    num: int
    found: float
    """Share of the faces that were found."""
    spurious: float
    """Faces found where there is none, per picture."""
    point_error: float
    """Mean distance of the landmarks of found faces, in distances between the outer corners of the eyes."""
    pose_error: float
    """Mean error of yaw and pitch, degrees."""
    f1: dict[str, float]
    correlation: dict[str, float]
    """Of intensities, where the AU varies."""
    hidden_f1: float
    """Of regions told to be hidden."""

    @property
    def core_f1(self) -> float:
        """Mean F1 over CORE."""
        return float(np.mean([self.f1[code] for code in CORE]))

    @property
    def macro_f1(self) -> float:
        """Mean F1 over all AUs."""
        return float(np.mean([*self.f1.values()]))

    @property
    def core_correlation(self) -> float:
        """Mean correlation over CORE."""
        return float(np.mean([self.correlation[code] for code in CORE]))


class Asked(NamedTuple):
    """What is asked of one face: intensities (AUs,), whether each AU shows, hidden regions, landmarks, pose."""

    aus: Array
    shows: NDArray[np.bool_]
    hidden: NDArray[np.bool_]
    points: Array
    pose: tuple[float, float]


def exam_spec(kind: str, index: int, seed: int) -> FaceSpec:
    """Draw what picture `index` of an exam shows: `normal`, `turned` by 25–40° and not occluded, or `occluded`."""
    rng = np.random.default_rng([seed, SETS.index(kind), index])
    seen = view("normal", rng)
    if kind == "turned":
        seen["yaw"] = float(rng.choice([-1, 1]) * np.radians(rng.uniform(25, 40)))
        seen["occluder"] = None
    elif kind == "occluded":
        while seen["occluder"] is None:
            seen = view("hard", rng)
        seen["yaw"] = float(rng.normal(0, 0.196))
    return FaceSpec(identity=int(rng.integers(*UNSEEN)), aus=mixture(rng), seed=index, **seen)


def examine(detector: FaceDetector, kind: str, num: int = 1000, seed: int = 7) -> Marks:
    """Let a detector read `num` faces of people it has never seen."""
    asked: list[Asked] = []
    told: list[tuple[Face | None, int]] = []
    for start in track(range(0, num, BATCH), f"exam, {kind}", total=-(-num // BATCH)):
        specs = [exam_spec(kind, index, seed) for index in range(start, min(start + BATCH, num))]
        pictures: list[Pixels] = [render(spec, SIZE) for spec in specs]
        questions = [_asked(spec) for spec in specs]
        told += [_answer(faces, one) for faces, one in zip(detector.detect(pictures), questions, strict=True)]
        asked += questions
    return mark(asked, told)


def _asked(spec: FaceSpec) -> Asked:
    shares = hidden_sides(spec, SIZE)
    hidden = np.array([shares.get(region, (0.0, 0.0)) for region in HIDEABLE]) >= HIDDEN
    shows = ~hidden[REGION_OF_AU]
    return Asked(
        (au_values(spec) * shows).max(axis=1),
        np.asarray(shows.any(axis=1)),
        np.asarray(hidden.all(axis=1)),
        landmarks(spec, SIZE),
        (spec.yaw, spec.pitch),
    )


def _answer(faces: list[Face], one: Asked) -> tuple[Face | None, int]:
    """The face that stands where the drawn one does, and how many others there are."""
    middle, side = one.points.mean(axis=0), float(np.ptp(one.points, axis=0).max())
    near = [face for face in faces if _distance(face, middle) < 0.3 * side]
    return (near[0] if near else None), len(faces) - len(near[:1])


def _distance(face: Face, middle: Array) -> float:
    points = np.array(face.landmarks, np.float32)
    return float(np.hypot(*(points.mean(axis=0) - middle)))


def mark(asked: list[Asked], told: list[tuple[Face | None, int]]) -> Marks:
    """Compare what was told with what was asked."""
    truth, shows = np.stack([one.aus for one in asked]), np.stack([one.shows for one in asked])
    values = np.array([[_value(face, code) for code in AUS] for face, _ in told])
    pairs = [(one, face) for one, (face, _) in zip(asked, told, strict=True) if face is not None]
    hidden = np.array([[region in (face.hidden or ()) for region in HIDEABLE] for _, face in pairs])
    really = np.array([one.hidden for one, _ in pairs])
    return Marks(
        num=len(asked),
        found=len(pairs) / len(asked),
        spurious=sum(more for _, more in told) / len(told),
        point_error=float(np.mean([_point_error(one, face) for one, face in pairs])),
        pose_error=float(
            np.degrees(np.mean([np.abs(np.subtract(one.pose, face.pose[:2])) for one, face in pairs if face.pose]))
        ),
        f1={
            code: f1(truth[s, k] >= PRESENT, values[s, k] >= PRESENT)
            for k, code in enumerate(AUS)
            for s in [shows[:, k]]
        },
        correlation={
            code: _correlation(truth[s, k], values[s, k]) for k, code in enumerate(AUS) for s in [shows[:, k]]
        },
        hidden_f1=f1(really, hidden),
    )


def _value(face: Face | None, code: str) -> float:
    au = (face.aus or {}).get(code) if face else None
    return au.value if au else 0.0


def _point_error(one: Asked, face: Face) -> float:
    """Mean distance over the distance between the outer corners of the eyes, at least that of a frontal face."""
    points = np.array(face.landmarks, np.float32)
    eyes = float(np.hypot(*(one.points[45] - one.points[36])))
    return float(np.hypot(*(points - one.points).T).mean() / eyes)


def f1(truth: NDArray[np.bool_], told: NDArray[np.bool_]) -> float:
    """F1 = 2 TP / (2 TP + FP + FN); 0 where nothing is to be found and nothing is told."""
    hits, total = int((truth & told).sum()), int(truth.sum() + told.sum())
    return 2 * hits / total if total else 0.0


def _correlation(truth: Array, told: Array) -> float:
    if len(truth) < 2 or truth.std() == 0 or told.std() == 0:
        return 0.0
    r = float(np.corrcoef(truth, told)[0, 1])
    return 0.0 if math.isnan(r) else r


def describe(kind: str, marks: Marks) -> str:
    """Return the marks of one exam in three lines."""
    return (
        f"{kind}: {marks.num} faces, found {marks.found:.1%}, {marks.spurious:.3f} spurious a picture, landmarks off "
        f"by {marks.point_error:.1%}, pose by {marks.pose_error:.1f}°\n"
        f"  F1 core-15 {marks.core_f1:.3f}, macro-27 {marks.macro_f1:.3f}; r core-15 {marks.core_correlation:.3f}; "
        f"hidden regions F1 {marks.hidden_f1:.3f}\n  F1 "
        + " ".join(f"{code.removeprefix('AU')} {value:.2f}" for code, value in marks.f1.items())
    )
