from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered import PLACES, near

from data_engine.faces import FaceSpec, landmarks, render
from data_engine.faces.actions import DRAWN_CODES
from data_engine.faces.codes import FOLDED, head_and_eye_codes, head_angle, head_intensity
from data_engine.faces.expressions import SMILES, mixture
from data_engine.faces.parts.eyeball import iris_y
from data_engine.faces.parts.eyes import lids
from data_engine.faces.person.expressiveness import GAINS
from data_engine.faces.person.identity import Identity, identity
from emollm.facs import UNITS, excluded

SIZE = 112
PEOPLE = [identity(seed) for seed in range(2000, 2300)]
CROWD = range(3000, 3008)
LIGHT = (0.3, -0.4, 0.8)


def face(person: int, aus: dict[str, float] | None = None) -> FaceSpec:
    return FaceSpec(identity=person, aus=aus or {}, light=LIGHT)


def mouth(aus: dict[str, float], person: int) -> dict[str, float]:
    """Measures of the lips in pixels."""
    points = landmarks(face(person, aus), SIZE)
    return {
        "width": float(points[54, 0] - points[48, 0]),
        "upper": float(points[62, 1] - points[51, 1]),
        "lower": float(points[57, 1] - points[66, 1]),
        "opening": float(points[66, 1] - points[62, 1]),
        "inner width": float(points[64, 0] - points[60, 0]),
    }


# --- Faces at rest


@pytest.mark.parametrize(
    ("measure", "low", "high"),
    [
        (lambda p: (0.19 + p.nose_length - p.eye_y) / (2 * p.eye_x), 0.45, 0.68),
        (lambda p: p.brow_height / (2 * p.eye_x), 0.22, 0.38),
        (lambda p: p.iris_share, 0.40, 0.45),
        (lambda p: (p.mouth_y - p.eye_y) / (2 * p.eye_x), 0.85, 1.3),
        (lambda p: p.eye_half_width / p.eye_x, 0.38, 0.58),
        (lambda p: p.head_half_height - p.mouth_y, 0.45, 0.75),
    ],
    ids=["nose", "brows", "iris", "mouth", "eye", "chin"],
)
def test_faces_have_human_proportions(measure: object, low: float, high: float) -> None:
    values = [measure(person) for person in PEOPLE]  # type: ignore[operator]
    assert low <= min(values)
    assert max(values) <= high
    assert max(values) - min(values) > 0.3 * (high - low)


def test_a_lowered_brow_never_covers_the_pupil() -> None:
    for seed in CROWD:
        points = landmarks(face(seed, {"AU04": 5.0, "AU09": 5.0}), SIZE)
        assert (points[[19, 24], 1] < points[[41, 46], 1]).all()


def test_every_person_moves_and_folds_in_their_own_way() -> None:
    gains = np.array([list(person.gains.values()) for person in PEOPLE])
    assert GAINS[0] <= gains.min() < 0.85
    assert 1.2 < gains.max() <= GAINS[1]
    assert {person.forehead_lines for person in PEOPLE} == {0, 1, 2, 3, 4}
    assert {person.glabella_lines for person in PEOPLE} == {0, 1, 2}
    depths = [person.line_depth for person in PEOPLE]
    assert min(depths) < 0.15
    assert max(depths) > 0.9


def test_makeup_is_worn_by_some() -> None:
    assert 0.1 < np.mean([person.lipstick > 0 for person in PEOPLE]) < 0.5


# --- AUs in the picture


@pytest.mark.parametrize("code", DRAWN_CODES)
def test_every_au_is_seen_on_everybody(code: str) -> None:
    changes = []
    for seed in CROWD:
        rest, moved = face(seed), face(seed, {code: 3.0})
        anchors = list(UNITS[code].anchors or PLACES[code])
        points = np.concatenate([landmarks(rest, SIZE)[anchors], landmarks(moved, SIZE)[anchors]])
        difference = np.abs(render(moved, SIZE).astype(float) - render(rest, SIZE)).mean(axis=2)
        changes.append(difference[near(points, 8, SIZE)].mean())
    assert np.mean(changes) > 2.5
    assert min(changes) > 0.8


@pytest.mark.parametrize("person", CROWD)
def test_lip_aus_differ_from_each_other(person: int) -> None:
    rest = mouth({}, person)
    pucker, funnel = mouth({"AU18": 4.0}, person), mouth({"AU22": 4.0}, person)
    tight, pressed, sucked = (mouth({code: 4.0}, person) for code in ("AU23", "AU24", "AU28"))
    assert pucker["width"] < funnel["width"] < rest["width"]
    assert funnel["lower"] > 1.2 * pucker["lower"]
    assert tight["lower"] < 0.75 * rest["lower"]
    assert pressed["lower"] < 0.75 * rest["lower"]
    assert sucked["lower"] < 0.5 * rest["lower"]


@pytest.mark.parametrize("person", CROWD)
def test_a_gape_is_taller_than_wide_and_a_smile_wider_than_tall(person: int) -> None:
    gape = mouth({"AU25": 5.0, "AU27": 5.0}, person)
    smile = mouth({"AU12": 4.0, "AU25": 4.0}, person)
    assert gape["opening"] > 0.75 * gape["inner width"]
    assert smile["inner width"] > 3 * smile["opening"]
    assert smile["width"] > mouth({}, person)["width"] + 2


@pytest.mark.parametrize("person", [3001, 3004, 3007])
def test_an_open_smile_shows_the_upper_teeth(person: int) -> None:
    spec = face(person, {"AU12": 4.0, "AU25": 5.0})
    points = landmarks(spec, SIZE)
    x, y = (0.7 * points[62] + 0.3 * points[66]).round().astype(int)
    teeth, lip = render(spec, SIZE)[y, x].astype(float), render(spec, SIZE)[round(points[57, 1]) - 1, x].astype(float)
    assert teeth.mean() > lip.mean()
    assert teeth[1] / teeth[0] > lip[1] / lip[0] + 0.1  # less red


def test_raised_lids_show_white_above_the_iris() -> None:
    x = np.zeros(1, np.float32)

    def iris_over_lid(person: Identity, value: float) -> float:
        shape = lids(person, FaceSpec(identity=person.seed, aus={"AU05": value}).actions().at(x), x)
        top = iris_y(person) - person.iris_share * person.eye_half_width
        return float((top - shape.upper_y(x))[0])

    wide = [iris_over_lid(person, 5.0) for person in PEOPLE]
    rest = [iris_over_lid(person, 0.0) for person in PEOPLE]
    assert np.mean(np.array(wide) > 0) > 0.95
    assert np.mean(np.array(rest) < 0) > 0.9


def test_closed_eyes_have_their_lids_together() -> None:
    points = landmarks(face(3000, {"AU43": 5.0}), SIZE)
    assert np.allclose(points[[37, 38, 43, 44]], points[[41, 40, 47, 46]], atol=0.8)


def test_the_upper_lid_follows_the_gaze_down() -> None:
    ahead, down = (landmarks(FaceSpec(identity=3000, gaze=(0.0, y)), SIZE) for y in (0.0, 1.0))
    assert (down[[37, 38, 43, 44], 1] > ahead[[37, 38, 43, 44], 1] + 0.4).all()


# --- Head and eye codes


@pytest.mark.parametrize(
    ("code", "field", "sign"),
    [
        ("AU51", "yaw", 1), ("AU52", "yaw", -1), ("AU53", "pitch", 1), ("AU54", "pitch", -1), ("AU55", "roll", 1),
        ("AU56", "roll", -1),
    ],
)  # fmt: skip
def test_head_codes_turn_the_head(code: str, field: str, sign: int) -> None:
    spec = FaceSpec(aus={code: 3.0, "AU12": 2.0})
    assert getattr(spec, field) == pytest.approx(sign * math.radians(25.5))
    assert dict(spec.aus) == {"AU12": 2.0}


@pytest.mark.parametrize(
    ("code", "gaze"), [("AU61", (0.6, 0)), ("AU62", (-0.6, 0)), ("AU63", (0, -0.6)), ("AU64", (0, 0.6))]
)
def test_eye_codes_turn_the_eyes(code: str, gaze: tuple[float, float]) -> None:
    assert FaceSpec(aus={code: 3.0}).gaze == pytest.approx(gaze)


@given(st.dictionaries(st.sampled_from(["AU51", "AU54", "AU55", "AU62", "AU63"]), st.floats(1, 5)))
def test_head_and_eye_codes_come_back(codes: dict[str, float]) -> None:
    assert head_and_eye_codes(FaceSpec(aus=codes)) == pytest.approx(codes, abs=1e-3)


@given(st.floats(0, 5))
def test_intensities_and_angles_of_the_head_are_inverse(intensity: float) -> None:
    assert head_intensity(head_angle(intensity)) == pytest.approx(intensity)


def test_a_calm_head_has_no_codes() -> None:
    assert head_and_eye_codes(FaceSpec(yaw=0.05, gaze=(0.1, -0.1))) == {}


def test_blink_and_wink_close_the_eyes() -> None:
    assert FaceSpec(aus={"AU45": 5.0}).aus == {"AU43": 5.0}
    assert FaceSpec(aus={"AU46": (4.0, 0.0), "AU43": 1.0}).aus == {"AU43": (4.0, 1.0)}


@given(st.dictionaries(st.sampled_from(sorted(FOLDED)), st.floats(0, 5)))
@settings(max_examples=30)
def test_a_folded_spec_stays_as_it_is(codes: dict[str, float]) -> None:
    spec = FaceSpec(aus=codes)
    again = FaceSpec(aus=spec.aus, yaw=spec.yaw, pitch=spec.pitch, roll=spec.roll, gaze=spec.gaze)
    assert again == spec
    assert FOLDED.isdisjoint(spec.aus)


# --- The mixture


def test_the_mixture_shows_every_au_often_enough() -> None:
    rng, count = np.random.default_rng(0), 4000
    drawn = [{code: float(np.max(value)) for code, value in mixture(rng).items()} for _ in range(count)]
    shares = {code: sum(aus.get(code, 0) >= 1 for aus in drawn) / count for code in DRAWN_CODES}
    assert min(shares.values()) > 0.05, shares
    assert not any(excluded(aus) for aus in drawn)


def test_one_in_six_of_the_mixture_is_one_sided() -> None:
    rng, count = np.random.default_rng(1), 4000
    sided = sum(any(isinstance(value, tuple) for value in mixture(rng).values()) for _ in range(count))
    assert 0.14 < sided / count < 0.19


def test_smiles_are_open_and_closed() -> None:
    assert {"25" in smile for smile in SMILES} == {True, False}
