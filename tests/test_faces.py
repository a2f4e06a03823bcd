from __future__ import annotations

import ast
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered import PLACES, SMOOTH, near

import data_engine.faces
from data_engine.faces import FaceSpec, landmarks, render, truth
from data_engine.faces.actions import DRAWN_CODES, Actions
from data_engine.faces.expressions import ONE_SIDED
from data_engine.faces.person.identity import identity
from data_engine.faces.picture import draw_face
from data_engine.faces.plan import Plan
from data_engine.faces.spec import OCCLUDERS
from data_engine.faces.studio.backdrop import wall
from data_engine.faces.studio.developing import develop
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.surface import find_head
from data_engine.faces.views import DIFFICULTIES
from data_engine.faces.visibility import region_places
from emollm.errors import ConfigError
from emollm.facs import REGIONS, UNITS

SIZE = 96


def change(spec: FaceSpec, size: int = SIZE) -> np.ndarray:
    """How much each pixel differs from the same person's neutral face, (S, S)."""
    neutral = FaceSpec(identity=spec.identity)
    return np.abs(render(spec, size).astype(float) - render(neutral, size)).mean(axis=2)


# --- The picture


def test_equal_specs_give_equal_pixels() -> None:
    spec = FaceSpec(identity=5, aus={"AU12": 3.0}, yaw=0.3, sensor_noise=0.02, seed=9)
    assert np.array_equal(render(spec, SIZE), render(spec, SIZE))


def test_noise_follows_the_seed() -> None:
    first, second = (FaceSpec(sensor_noise=0.02, seed=seed) for seed in (1, 2))
    assert not np.array_equal(render(first, SIZE), render(second, SIZE))


@pytest.mark.parametrize("size", [16, 33, 112])
def test_a_picture_has_the_size_asked_for(size: int) -> None:
    picture = render(FaceSpec(), size)
    assert picture.shape == (size, size, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize("code", DRAWN_CODES)
def test_every_au_changes_its_own_region_most(code: str) -> None:
    spec = FaceSpec(identity=SMOOTH, aus={code: 5.0})
    anchors = list(UNITS[code].anchors or PLACES[code])
    points = np.concatenate([landmarks(FaceSpec(identity=SMOOTH), SIZE)[anchors], landmarks(spec, SIZE)[anchors]])
    changed, here = change(spec), near(points, 10, SIZE)
    assert changed[here].mean() > 3 * changed[~here].mean()
    assert changed[here].max() > 10


@pytest.mark.parametrize("code", ONE_SIDED)
def test_the_subjects_left_is_the_right_of_the_image(code: str) -> None:
    left = change(FaceSpec(identity=SMOOTH, aus={code: (5.0, 0.0)}))
    right = change(FaceSpec(identity=SMOOTH, aus={code: (0.0, 5.0)}))
    middle = SIZE // 2
    assert left[:, middle:].sum() > 3 * left[:, :middle].sum()
    assert right[:, :middle].sum() > 3 * right[:, middle:].sum()


@pytest.mark.parametrize("code", ["AU04", "AU12", "AU43"])
def test_more_of_an_au_changes_more(code: str) -> None:
    changes = [change(FaceSpec(identity=SMOOTH, aus={code: value})).sum() for value in (1.0, 3.0, 5.0)]
    assert changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_drawing_raises_no_floating_point_warning(difficulty: str) -> None:
    plan = Plan(seed=3, difficulty=difficulty, size=40)
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        for index in range(25):
            render(plan.draw(index)[0], plan.size)


def test_all_pixels_of_a_face_are_float32() -> None:
    spec = FaceSpec(identity=24, aus=dict.fromkeys(ONE_SIDED, (4.0, 1.0)), yaw=0.3)
    camera = Camera.of(spec, SIZE)
    head = find_head(camera, spec.actions(), *camera.tilted(*camera.frame()))
    draw_face(head, camera)
    fields = {name: value for name, value in vars(head.surface).items() if isinstance(value, np.ndarray)}
    assert {name: value.dtype.name for name, value in fields.items()} == dict.fromkeys(fields, "float32")
    assert np.isfinite(head.surface.colour).all()


@given(
    aus=st.dictionaries(st.sampled_from(DRAWN_CODES), st.floats(0, 5)),
    person=st.integers(0, 10**6),
    turn=st.tuples(st.floats(-0.75, 0.75), st.floats(-0.4, 0.4), st.floats(-0.6, 0.6)),
    zoom=st.floats(0.3, 4.0),
    occluder=st.sampled_from([None, *OCCLUDERS]),
)
@settings(max_examples=40, deadline=None)
def test_any_face_can_be_drawn(
    aus: dict[str, float], person: int, turn: tuple[float, float, float], zoom: float, occluder: str | None
) -> None:
    yaw, pitch, roll = turn
    spec = FaceSpec(identity=person, aus=aus, yaw=yaw, pitch=pitch, roll=roll, zoom=zoom, occluder=occluder)
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        assert render(spec, 24).shape == (24, 24, 3)
        assert np.isfinite(landmarks(spec, 24)).all()


def test_a_head_outside_the_picture_leaves_the_wall() -> None:
    spec = FaceSpec(shift=(9.0, 9.0), backdrop=4)
    assert np.array_equal(render(spec, 32), develop(wall(Camera.of(spec, 32)), spec))


# --- Landmarks


@pytest.mark.parametrize("yaw", [-0.75, -0.45, 0.0, 0.35, 0.7])
def test_the_picture_shows_a_place_of_the_face_where_it_is_said_to_be(yaw: float) -> None:
    spec = FaceSpec(identity=7, yaw=yaw, pitch=-0.15, roll=0.2, zoom=1.1, shift=(0.1, -0.05), aus={"AU27": 4.0})
    camera = Camera.of(spec, 224)
    head = find_head(camera, spec.actions(), *camera.tilted(*camera.frame()))
    places = np.array([(-0.3, -0.3), (0, 0), (0, 0.2), (0, 0.25), (0.1, 0.3), (0.35, -0.2), (-0.2, 0.6)], np.float32)
    columns, rows = camera.to_pixels(*places.T).round().astype(int).T
    here = rows - head.rows.start, columns - head.columns.start
    off = np.hypot(head.surface.x[here] - places[:, 0], head.surface.y[here] - places[:, 1])
    # Half a pixel of rounding, and up to three times as far where the turned nose draws the face together.
    assert off.max() < 2.2 * camera.pixel


def test_landmarks_move_smoothly_as_the_head_turns() -> None:
    turns = [landmarks(FaceSpec(identity=3, yaw=yaw), 112) for yaw in np.arange(-0.78, 0.78, 0.02).tolist()]
    assert np.abs(np.diff(turns, axis=0)).max() < 1


def test_au12_moves_the_mouth_corners_up_and_out() -> None:
    rest, smile = landmarks(FaceSpec(), SIZE), landmarks(FaceSpec(aus={"AU12": 5.0}), SIZE)
    assert (smile[[48, 54], 1] < rest[[48, 54], 1] - 2).all()
    assert smile[48, 0] < rest[48, 0] - 1
    assert smile[54, 0] > rest[54, 0] + 1


def test_au26_moves_the_chin_down() -> None:
    rest, drop = landmarks(FaceSpec(), SIZE), landmarks(FaceSpec(aus={"AU26": 5.0, "AU25": 5.0}), SIZE)
    assert drop[8, 1] > rest[8, 1] + 2
    assert drop[66, 1] - drop[62, 1] > rest[66, 1] - rest[62, 1] + 3


def test_au1_moves_the_inner_brows_up() -> None:
    rest, raised = landmarks(FaceSpec(), SIZE), landmarks(FaceSpec(aus={"AU01": 5.0}), SIZE)
    assert (raised[[21, 22], 1] < rest[[21, 22], 1] - 2).all()
    assert np.allclose(raised[[17, 26]], rest[[17, 26]], atol=1)


def test_one_sided_au12_moves_one_corner() -> None:
    rest, smirk = landmarks(FaceSpec(), SIZE), landmarks(FaceSpec(aus={"AU12": (5.0, 0.0)}), SIZE)
    assert smirk[54, 1] < rest[54, 1] - 2
    assert np.allclose(smirk[48], rest[48], atol=0.1)


def test_an_open_mouth_is_dark_between_the_inner_lips() -> None:
    spec = FaceSpec(identity=SMOOTH, aus={"AU25": 5.0, "AU27": 5.0})
    points = landmarks(spec, SIZE)
    x, y = (0.4 * points[62] + 0.6 * points[66]).round().astype(int)
    assert render(spec, SIZE)[y, x].mean() < 0.6 * render(FaceSpec(identity=SMOOTH), SIZE)[y, x].mean()


# --- The truth


def test_truth_measures_every_drawn_au() -> None:
    face = truth(FaceSpec(aus={"AU12": 2.5}), SIZE)
    assert face.aus is not None
    assert tuple(face.aus) == DRAWN_CODES
    assert {code: au.value for code, au in face.aus.items() if au.value} == {"AU12": 2.5}


def test_truth_keeps_the_sides_where_they_differ() -> None:
    aus = truth(FaceSpec(aus={"AU14": (1.0, 4.0), "AU01": (2.0, 2.0)})).aus
    assert aus is not None
    assert (aus["AU14"].value, aus["AU14"].left, aus["AU14"].right) == (4.0, 1.0, 4.0)
    assert (aus["AU01"].value, aus["AU01"].left) == (2.0, None)


def test_the_box_holds_the_landmarks() -> None:
    spec = FaceSpec(identity=40, roll=0.3, yaw=-0.2, zoom=0.8)
    x, y, width, height = truth(spec, SIZE).box or (0, 0, 0, 0)
    points = landmarks(spec, SIZE)
    assert (points >= (x - 1, y - 1)).all()
    assert (points <= (x + width + 1, y + height + 1)).all()


@pytest.mark.parametrize(
    ("occluder", "hidden"),
    [("mask", {"nose", "mouth", "chin", "jaw"}), ("sunglasses", {"eyes"}), (None, set())],
)
def test_occluders_hide_regions(occluder: str | None, hidden: set[str]) -> None:
    face = truth(FaceSpec(identity=SMOOTH, occluder=occluder))
    assert set(face.hidden or ()) == hidden
    assert hidden <= set(REGIONS)


def test_all_regions_that_may_be_hidden_are_regions() -> None:
    assert set(region_places(identity(0), FaceSpec())) <= set(REGIONS)


# --- Specs


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"aus": {"AU99": 1.0}}, "aus: 'AU99' is not drawn"),
        ({"aus": {"AU1": 1.0}}, "aus: 'AU1' is not drawn; did you mean 'AU01'?"),
        ({"aus": {"AU12": 6.0}}, "aus: AU12 is 6.0"),
        ({"aus": {"AU12": math.nan}}, "aus: AU12 is nan"),
        ({"aus": {"AU12": "4"}}, "aus: AU12 is '4'; give a number"),
        ({"aus": {"AU12": [4.0, 1.0]}}, "aus: AU12 is [4.0, 1.0]; give a number, or (left, right)"),
        ({"aus": {"AU12": (4.0, 1.0, 0.0)}}, "give a number, or (left, right)"),
        ({"aus": {"AU26": (1.0, 0.0)}}, "aus: AU26 has no sides"),
        ({"occluder": "veil"}, "occluder: 'veil' is unknown; one of mask"),
        ({"occluder": "sunglass"}, "did you mean 'sunglasses'?"),
        ({"occluder_seed": -1}, "occluder_seed: -1 is not a whole number from 0 on"),
        ({"identity": -1}, "identity: -1"),
        ({"seed": 1.5}, "seed: 1.5"),
        ({"backdrop": -1}, "backdrop: -1"),
        ({"yaw": math.nan}, "yaw: nan is not finite"),
        ({"yaw": 90, "roll": "left"}, "yaw: 90 is not within -1.571 to 1.571; roll: 'left' is not a number"),
        ({"gaze": 0.3}, "gaze: 0.3 is not 2 numbers"),
        ({"gaze": (0.0, 3.0)}, "gaze: (0.0, 3.0) is not within -2 to 2"),
        ({"zoom": 0.0}, "zoom: 0 shows nothing"),
        ({"zoom": math.inf}, "zoom: inf is not finite"),
        ({"light": (0.0, 0.0, 0.0)}, "light: (0, 0, 0) is no direction"),
        ({"light": (0.0, 1.0)}, "light: (0.0, 1.0) is not 3 numbers"),
        ({"hardness": 1.1}, "hardness: 1.1 is not within 0 to 1"),
        ({"tint": (1.0, 1.0, -0.1)}, "tint: (1.0, 1.0, -0.1) is not 0 or more"),
        ({"blur": -0.1}, "blur: -0.1 is not 0 or more"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_spec_refuses_what_cannot_be_drawn(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        FaceSpec(**fields)  # type: ignore[arg-type]


def test_a_spec_takes_the_numbers_of_numpy() -> None:
    spec = FaceSpec(identity=np.int64(3), yaw=np.float32(0.25), aus={"AU12": np.float32(2.0)})  # type: ignore[arg-type]
    assert np.array_equal(render(spec, 24), render(FaceSpec(identity=3, yaw=0.25, aus={"AU12": 2.0}), 24))


def test_actions_hold_sides_on_a_scale_of_one() -> None:
    actions = Actions.of({"AU12": 5.0, "AU14": (4.0, 0.0)})
    assert (actions.mean(12), actions.left[14], actions.right[14], actions.mean(14)) == (1.0, 0.8, 0.0, 0.4)


# --- The rooms


def test_a_room_imports_only_the_rooms_before_it() -> None:
    faces = Path(data_engine.faces.__file__).parent
    rooms = re.findall(r"^    (\w+)/ ", data_engine.faces.__doc__ or "", re.MULTILINE)
    assert set(rooms) == {path.parent.name for path in faces.glob("*/__init__.py")}
    for place, room in enumerate(rooms):
        for path in (faces / room).glob("*.py"):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            modules = [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
            used = {name.removeprefix("data_engine.faces.").partition(".")[0] for name in modules}
            assert used.isdisjoint(rooms[place + 1 :]), path
