"""The tiny detector as it is shipped: what it must read in rendered faces, and what it must not see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data_engine.detectors import load_detector
from data_engine.detectors.tiny import TinyDetector
from data_engine.detectors.tiny.crops import Square, square_around
from data_engine.detectors.tiny.finder import Candidate, best_of, overlap, within
from data_engine.detectors.tiny.nets import AUS, HIDEABLE, split_actions
from data_engine.detectors.tiny.reading import EITHER, PRESENT, Scales, read
from data_engine.detectors.tiny.weights import SHIPPED, read_weights
from data_engine.faces import FaceSpec, landmarks, render
from emollm.errors import ConfigError, SourceError
from emollm.records import Face

SIZE = 160
PEOPLE = range(1_500_000, 1_500_010)
"""People that no lesson has shown."""
MORE = range(1_500_000, 1_500_030)
"""As many as a share of them takes."""


@pytest.fixture(scope="module")
def tiny() -> TinyDetector:
    return TinyDetector.load()


def only(detector: TinyDetector, specs: list[FaceSpec]) -> list[Face]:
    """The largest face of each spec's picture."""
    found = detector.detect([render(spec, SIZE) for spec in specs])
    assert all(found), "a face was not found"
    return [faces[0] for faces in found]


def test_the_weights_are_small_and_say_where_they_come_from() -> None:
    assert SHIPPED.stat().st_size <= 1_000_000
    weights, told = read_weights(SHIPPED)
    assert {name.split(".")[0] for name in weights} == {"finder", "points", "actions"}
    assert set(told["thresholds"]) == set(AUS)
    assert {"seed", "profile", "version", "lessons"} <= set(told)


def test_detection_needs_no_torch() -> None:
    code = (
        "import sys, numpy as np\n"
        "from data_engine.detectors import load_detector\n"
        "load_detector('tiny').detect([np.zeros((64, 64, 3), np.uint8)])\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_detector_is_one_line() -> None:
    with pytest.raises(ConfigError, match="did you mean 'tiny'"):
        load_detector("tinny")


def test_damaged_weights_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(SHIPPED.read_bytes()[:1000])
    with pytest.raises(SourceError, match="no weights of the tiny detector"):
        TinyDetector.load(tmp_path / "w.safetensors")


def test_faces_are_found_with_their_landmarks(tiny: TinyDetector) -> None:
    specs = [FaceSpec(identity=person, yaw=0.1 * (person % 5 - 2)) for person in PEOPLE]
    for face, spec in zip(only(tiny, specs), specs, strict=True):
        points = landmarks(spec, SIZE)
        eyes = np.hypot(*(points[45] - points[36]))
        assert np.hypot(*(np.array(face.landmarks) - points).T).mean() < 0.15 * eyes
        assert face.confidence is not None
        assert face.confidence > 0.5


def test_pose_has_the_renderers_signs(tiny: TinyDetector) -> None:
    turned = [FaceSpec(identity=person, yaw=yaw) for person in PEOPLE for yaw in (-0.5, 0.5)]
    yaws = np.array([face.pose[0] for face in only(tiny, turned) if face.pose])
    assert (yaws[0::2] < -0.15).all()
    assert (yaws[1::2] > 0.15).all()
    tilted = [FaceSpec(identity=person, roll=0.25) for person in PEOPLE]
    assert np.mean([face.pose[2] for face in only(tiny, tilted) if face.pose]) > 0.12


@pytest.mark.parametrize("code", ["AU01", "AU04", "AU12", "AU25", "AU27", "AU43"])
def test_strong_actions_are_read_and_absent_ones_are_not(tiny: TinyDetector, code: str) -> None:
    parted = {"AU25": 4.0} if code == "AU27" else {}
    strong = only(tiny, [FaceSpec(identity=person, aus={code: 4.5, **parted}) for person in MORE])
    absent = only(tiny, [FaceSpec(identity=person) for person in MORE])

    def values(faces: list[Face]) -> list[float]:
        return [face.aus[code].value for face in faces if face.aus and code in face.aus]

    assert np.mean(values(strong)) > np.mean(values(absent)) + 1.5
    assert np.mean(np.array(values(strong)) >= PRESENT) >= 0.8
    assert np.mean(np.array(values(absent)) < PRESENT) >= 0.95


def test_sides_are_the_subjects_own(tiny: TinyDetector) -> None:
    for sides in ((5.0, 0.0), (0.0, 5.0)):
        faces = only(tiny, [FaceSpec(identity=person, aus={"AU12": sides}) for person in PEOPLE])
        told = [face.aus["AU12"] for face in faces if face.aus]
        uneven = [(au.left, au.right) for au in told if au.left is not None and au.right is not None]
        assert uneven
        assert all((left > right) == (sides[0] > sides[1]) for left, right in uneven)


def test_a_mask_hides_the_mouth_and_its_actions(tiny: TinyDetector) -> None:
    masked = [FaceSpec(identity=person, aus={"AU12": 4.0}, occluder="mask") for person in PEOPLE]
    found = [faces[0] for faces in tiny.detect([render(spec, SIZE) for spec in masked]) if faces]
    assert len(found) >= len(masked) - 2
    hidden = [face for face in found if "mouth" in (face.hidden or ())]
    assert len(hidden) >= len(found) / 2
    assert all("AU12" not in (face.aus or {}) for face in hidden)


def test_several_faces_of_any_size_are_found_largest_first(tiny: TinyDetector) -> None:
    canvas = np.full((420, 640, 3), 90, np.uint8)
    places = {(20, 40): 300, (330, 60): 150, (500, 200): 90}
    for number, ((left, top), size) in enumerate(places.items()):
        canvas[top : top + size, left : left + size] = render(FaceSpec(identity=PEOPLE[number]), size)
    faces = tiny.detect([canvas])[0]
    assert len(faces) == 3
    sizes = [face.box[3] for face in faces if face.box]
    assert sizes == sorted(sizes, reverse=True)
    assert [face.face for face in faces] == ["0", "1", "2"]


def test_nothing_is_found_where_nothing_is(tiny: TinyDetector) -> None:
    rng = np.random.default_rng(0)
    plain = [np.full((90, 120, 3), grey, np.uint8) for grey in (0, 128, 255)]
    noise = [rng.integers(0, 256, (100, 100, 3), np.uint8) for _ in range(5)]
    assert not any(tiny.detect([*plain, *noise]))


@pytest.mark.parametrize("shape", [(8, 8), (9, 150), (150, 9), (2000, 60)])
def test_odd_shapes_do_no_harm(tiny: TinyDetector, shape: tuple[int, int]) -> None:
    assert tiny.detect([np.full((*shape, 3), 100, np.uint8)]) == [[]]


def test_no_pictures_give_no_faces(tiny: TinyDetector) -> None:
    assert tiny.detect([]) == []


def test_pictures_do_not_depend_on_their_company(tiny: TinyDetector) -> None:
    pictures = [render(FaceSpec(identity=person, aus={"AU12": 3.0}), SIZE) for person in PEOPLE[:3]]
    together = tiny.detect(pictures)
    alone = [tiny.detect([picture])[0] for picture in pictures]
    for many, one in zip(together, alone, strict=True):
        for first, second in zip(many, one, strict=True):
            assert first.aus is not None
            assert second.aus is not None
            assert first.aus["AU12"].value == pytest.approx(second.aus["AU12"].value, abs=0.02)


def test_intensity_and_occurrence_agree() -> None:
    outputs = np.random.default_rng(0).normal(0, 2, (50, 2 * (2 * len(AUS) + len(HIDEABLE)))).astype(np.float32)
    split_actions(outputs)[2][:] = -4  # nothing is hidden
    scales = Scales(np.full(len(AUS), 0.4, np.float32))
    reading = read(outputs, scales)
    free = [place for place in range(len(AUS)) if not any(place in pair for pair in EITHER)]
    occurs, intensity = reading.occurs[:, free], reading.intensity[:, free]
    assert ((occurs >= 0.4) == (intensity >= PRESENT)).all()
    assert reading.intensity.min() >= 0
    assert reading.intensity.max() <= 5


@pytest.mark.parametrize(("surer", "other"), [("AU26", "AU27"), ("AU27", "AU26"), ("AU43", "AU05"), ("AU25", "AU24")])
def test_of_two_aus_that_exclude_each_other_the_surer_occurs(surer: str, other: str) -> None:
    outputs = np.full((1, 2 * (2 * len(AUS) + len(HIDEABLE))), -4.0, np.float32)
    _, occurs, _ = split_actions(outputs)  # a view
    occurs[0, AUS.index(other)] = 1.0
    occurs[0, AUS.index(surer)] = 2.0 if surer == "AU43" else (0.5, 2.0)  # the surer side of what has none counts
    reading = read(outputs, Scales(np.full(len(AUS), 0.4, np.float32)))
    told = {code for code, sides in zip(AUS, reading.intensity[0], strict=True) if sides.max() >= PRESENT}
    assert told == {surer}


def test_of_a_wink_each_side_is_told_and_what_is_hidden_drives_nothing_out() -> None:
    outputs = np.full((2, 2 * (2 * len(AUS) + len(HIDEABLE))), -4.0, np.float32)
    _, occurs, hidden = split_actions(outputs)
    occurs[0, AUS.index("AU43")], occurs[0, AUS.index("AU05")] = (3.0, -4.0), (1.0, 1.0)
    occurs[1, AUS.index("AU25")], occurs[1, AUS.index("AU34")] = 3.0, 1.0
    hidden[1, HIDEABLE.index("mouth")] = 4.0
    intensity = read(outputs, Scales(np.full(len(AUS), 0.4, np.float32))).intensity
    assert (intensity[0, AUS.index("AU43")] >= PRESENT).tolist() == [True, False]
    assert (intensity[0, AUS.index("AU05")] >= PRESENT).tolist() == [False, True]
    assert (intensity[1, AUS.index("AU34")] >= PRESENT).all()


def test_of_overlapping_squares_the_first_stays() -> None:
    first, second, third = Square(50, 50, 40), Square(54, 50, 40), Square(120, 50, 40)
    assert overlap(first, first) == 1
    assert overlap(first, third) == 0
    part = Square(52, 60, 16)
    assert overlap(first, part) < 0.35
    assert within(first, part) == within(part, first) == 1
    kept = best_of([Candidate(first, 0.9), Candidate(second, 0.8), Candidate(third, 0.7)])
    assert [candidate.square for candidate in kept] == [first, third]


def test_the_square_around_landmarks_turns_with_the_head() -> None:
    upright, tilted = (landmarks(FaceSpec(identity=5, roll=roll), SIZE) for roll in (0.0, 0.3))
    assert square_around(tilted, 0.3).side == pytest.approx(square_around(upright).side, rel=0.01)
