from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from data_engine.faces.film.encoding import frame_times
from data_engine.faces.film.motion import Motion
from data_engine.faces.film.scenes import MOST, WIDTHS, Scene, Seat, draw_seats
from data_engine.faces.film.shots import shot_of
from data_engine.faces.plan import Plan
from data_engine.faces.spec import FaceSpec
from data_engine.faces.truth import truth
from emollm.errors import ConfigError
from emollm.records import Face, Media, Sample, decode, encode

SIZE = 96
TIMES, END = frame_times(2.0, 10, "webp")
SMILE = ((0.4, 0.0), (0.8, 5.0), (1.4, 5.0), (1.8, 0.0))
SEATS = (Seat(0.35, 0.5, 0.3), Seat(1.1, 0.5, 0.24))
NOBODY = Seat(9.0, 0.5, 0.3)
"""Far outside the picture."""


def scene(*seats: Seat) -> Scene:
    """One who smiles on the left, one who does nothing on the right."""
    return Scene((Motion(FaceSpec(identity=11), {"AU12": SMILE}), Motion(FaceSpec(identity=12))), 1.5, seats or SEATS)


def box_of(face: Face) -> tuple[slice, slice]:
    assert face.box is not None
    x, y, width, height = (round(number) for number in face.box)
    return slice(y, y + height), slice(x, x + width)


def changed(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How much each pixel differs, (H, W)."""
    return np.abs(first.astype(float) - second).max(axis=2)


# --- One picture


def test_a_scene_is_as_wide_as_it_says() -> None:
    picture = scene().draw(0.0, SIZE)
    assert (picture.shape, picture.dtype) == ((SIZE, SIZE * 3 // 2, 3), np.uint8)


def test_one_person_without_a_seat_fills_the_picture() -> None:
    spec = FaceSpec(identity=3, aus={"AU04": 3.0})
    assert Scene((Motion(spec),)).faces(0.0, SIZE) == [truth(spec, SIZE)]


def test_everybody_is_where_the_truth_says() -> None:
    both = scene().draw(0.0, SIZE)
    for place, face in enumerate(scene().faces(0.0, SIZE)):
        alone = [NOBODY if place == other else seat for other, seat in enumerate(SEATS)]
        missing = changed(both, scene(*alone).draw(0.0, SIZE))
        assert face.face == str(place)
        assert missing[box_of(face)].mean() > 20


def test_nobody_stands_in_a_box() -> None:
    missing = changed(scene().draw(0.0, SIZE), scene(SEATS[0], NOBODY).draw(0.0, SIZE))
    rows, columns = box_of(scene().faces(0.0, SIZE)[1])
    beside = slice(columns.start - 10, columns.start - 5)
    assert missing[: rows.start // 2].max() == 0
    assert missing[rows.start : rows.stop - 20, beside].max() == 0


def test_the_shoulders_end() -> None:
    near, far = Seat(0.4, 0.4, 0.2), Seat(1.9, 0.4, 0.2)
    wide = Scene(scene().people, 2.5, (near, far))
    missing = changed(wide.draw(0.0, SIZE), replace(wide, seats=(NOBODY, NOBODY)).draw(0.0, SIZE))
    assert missing[-1, round(0.4 * SIZE)] > 5
    assert missing[-1, round(1.15 * SIZE) - 4 : round(1.15 * SIZE) + 4].max() == 0


def test_landmarks_lie_in_the_head_box() -> None:
    for face in scene().faces(0.0, SIZE):
        assert face.box is not None
        assert face.landmarks is not None
        x, y, width, height = face.box
        points = np.array(face.landmarks)[17:]
        assert (points >= (x, y)).all()
        assert (points <= (x + width, y + height)).all()


def test_only_the_one_who_changes_changes() -> None:
    left, right = (box_of(face) for face in scene().faces(0.0, SIZE))
    change = changed(scene().draw(0.0, SIZE), scene().draw(1.0, SIZE))
    assert change[left].max() > 40
    assert change[right].max() == 0


@pytest.mark.parametrize("num", range(2, MOST + 1))
def test_heads_do_not_overlap(num: int) -> None:
    for seed in range(20):
        seats = draw_seats(num, np.random.default_rng(seed))
        people = tuple(Motion(FaceSpec(identity=seed + place)) for place in range(num))
        boxes = [face.box or (0, 0, 0, 0) for face in Scene(people, WIDTHS[num], seats).faces(0.0, 200)]
        assert all(one[0] + one[2] < two[0] for one, two in pairwise(boxes))


# --- Plans with several people

PLAN = Plan(people=3, size=SIZE, label_set="basic7", video=True, suffix="webp", fps=10)


@pytest.mark.parametrize("index", range(7))
def test_in_a_clip_one_person_changes(index: int) -> None:
    shot, sample = PLAN.shot(index)
    assert sample.faces is not None
    lead = sample.faces[0].face
    assert sample.provenance is not None
    known = sample.provenance["faces"]
    assert known["lead"] == lead
    assert known["labels"] == {str(place): sample.label if str(place) == lead else "neutral" for place in range(3)}
    assert sample.subject == f"id{shot.scene.people[shot.lead].spec.identity:04d}"
    assert {event.face for event in sample.events or () if event.au != "AU45"} == (
        {lead} if sample.label != "neutral" else set()
    )
    assert sorted(face.face for face in sample.faces) == ["0", "1", "2"]
    assert len({face.time_s for face in sample.faces}) == 1


def test_the_lead_sits_anywhere() -> None:
    assert {PLAN.shot(index)[0].lead for index in range(20)} == {0, 1, 2}


def test_in_a_picture_the_lead_is_nearest_and_comes_first() -> None:
    for index in range(6):
        _, sample = Plan(people=3, size=SIZE, label_set="basic7").shot(index)
        sizes = [face.box[3] for face in sample.faces or () if face.box]
        assert sizes[0] >= 0.95 * max(sizes)
        assert sample.events is None
        assert (sample.provenance or {})["faces"]["labels"][(sample.faces or ())[0].face] == sample.label


def test_people_of_a_picture_are_different_and_of_one_split() -> None:
    plan = replace(PLAN, identities=(0, 12), splits={"train": 0.5, "test": 0.5}, video=False, suffix="png")
    for index in range(20):
        shot, sample = plan.shot(index)
        low, high = plan.split_identities()[sample.split or ""]
        people = {motion.spec.identity for motion in shot.scene.people}
        assert len(people) == 3
        assert people <= set(range(low, high))


def test_everybody_is_in_the_same_light() -> None:
    shot, _ = PLAN.shot(2)
    assert len({(motion.spec.light, motion.spec.tint, motion.spec.sensor_noise) for motion in shot.scene.people}) == 1


@pytest.mark.parametrize(
    "options", [{}, {"video": False, "suffix": "png"}, {"people": 1}, {"people": 1, "suffix": "gif"}]
)
def test_a_sample_draws_its_picture_again(options: dict[str, object]) -> None:
    shot, sample = replace(PLAN, **options).shot(1)  # type: ignore[arg-type]
    again = shot_of(decode(encode(sample), Sample))
    assert again == shot
    assert np.array_equal(next(again.frames()), next(shot.frames()))
    assert again.events() == (sample.events or [])


def test_other_pictures_have_no_shot() -> None:
    with pytest.raises(ConfigError, match="was not rendered"):
        shot_of(Sample(id="photo", media=Media(kind="image", path="a.png")))


def test_a_clip_whose_file_was_converted_is_refused() -> None:
    sample = PLAN.shot(1)[1]
    sample.media = Media(kind="video", path="clips/a.mov")
    with pytest.raises(ConfigError, match="not 'mov'"):
        shot_of(sample)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"lead": None}, "provenance.faces.lead: Expected `str`, got `null`"),
        ({"size": "big"}, "provenance.faces.size: Expected `int`, got `str`"),
        ({"scene": {"people": [{"spec": {"yaw": 9.0}}]}}, "yaw: 9.0 is not within"),
        ({"fps": None}, "provenance.faces.fps: Expected `float`, got `null`"),
    ],
    ids=["lead", "size", "spec", "fps"],
)
def test_a_record_that_was_changed_is_refused_in_one_line(changed: dict[str, object], message: str) -> None:
    sample = PLAN.shot(1)[1]
    assert sample.provenance is not None
    sample.provenance["faces"] |= changed
    with pytest.raises(ConfigError, match=message):
        shot_of(decode(encode(sample), Sample))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"people": 5}, "1 to 4 fit"),
        ({"people": 0}, "1 to 4 fit"),
        ({"people": 3, "identities": (0, 2)}, "too few for 3 people"),
        (
            {"people": 3, "identities": (0, 8), "splits": {"train": 0.8, "test": 0.2}},
            "too few for 2 splits of 3 people",
        ),
        ({"people": 2, "masks": True}, "masks are of pictures of one person"),
        ({"video": True}, "a clip is no png; webp, gif, mp4"),
        ({"suffix": "gif"}, "a picture is no gif; png, jpg, webp"),
        ({"video": True, "suffix": "webp", "seconds": 0.0}, "a clip of 0 seconds"),
        ({"video": True, "suffix": "webp", "seconds": float("nan")}, "a clip of nan seconds"),
        ({"video": True, "suffix": "gif", "fps": 60}, "60 frames per second"),
        ({"video": True, "suffix": "mp4", "size": 97}, "an even number"),
        ({"video": True, "suffix": "webp", "seconds": 60, "size": 2048}, "900 frames 2048 pixels high is too large"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_plan_refuses_what_cannot_be_drawn(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Plan(**options)  # type: ignore[arg-type]
