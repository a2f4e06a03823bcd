from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data_engine.faces import FaceSpec, landmarks, render
from data_engine.faces.curves import Field
from data_engine.faces.head import headwear
from data_engine.faces.head.bust import paint_bust
from data_engine.faces.head.ears import paint_ears
from data_engine.faces.head.hair import Hair
from data_engine.faces.head.headwear import STANDS_OFF, paint_headwear
from data_engine.faces.head.spectacles import paint_spectacles, spectacles
from data_engine.faces.person.haircuts import CUTS, MEN, WOMEN, haircut
from data_engine.faces.person.identity import identity
from data_engine.faces.person.looks import GARMENTS, HEADWEAR
from data_engine.faces.studio.backdrop import scene
from data_engine.faces.studio.developing import blur, sensor_noise
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.shading import cast_shadow, meter
from data_engine.faces.studio.surface import Head, find_head
from data_engine.faces.studio.texture import PATTERNS, atlas, box_blur, enlarge, texels
from data_engine.faces.truth import head_box

SIZE = 96
PEOPLE = range(200)
LIT = FaceSpec(
    identity=31, aus={"AU12": 3.0}, yaw=0.3, fill=0.4, rim=0.6, hardness=0.8, exposure=0.3, contrast=1.1,
    saturation=0.7, blur=0.02, backdrop=5, sensor_noise=0.02, seed=9,
)  # fmt: skip


def person_with(**wanted: object) -> int:
    """The first person whose haircut, wardrobe or self has these values."""
    for seed in range(2000):
        person = identity(seed)
        if all(
            value in (getattr(p, key, None) for p in (person, person.cut, person.wardrobe))
            for key, value in wanted.items()
        ):
            return seed
    raise AssertionError(f"nobody has {wanted}")


def place(spec: FaceSpec, size: int = SIZE) -> tuple[Camera, Field, Field, Head]:
    camera = Camera.of(spec, size)
    u, v = camera.tilted(*camera.frame())
    return camera, u, v, find_head(camera, spec.actions(), u, v)


def middle(picture: Field) -> float:
    """The mean column of what was painted on a black picture, from −1 to 1."""
    columns = picture.sum(axis=(0, 1))
    return float((columns * np.linspace(-1, 1, len(columns))).sum() / columns.sum())


def black(size: int = SIZE) -> Field:
    return np.zeros((3, size, size), np.float32)


# --- The picture


def test_equal_specs_with_every_light_give_equal_pixels() -> None:
    assert np.array_equal(render(LIT, SIZE), render(replace(LIT), SIZE))


def test_every_identity_draws_without_warnings() -> None:
    turns = np.linspace(-0.75, 0.75, len(PEOPLE)).tolist()
    # exp() of what lies far from a feature underflows to 0, as it should.
    with np.errstate(all="raise", under="ignore"):
        for seed, yaw in zip(PEOPLE, turns, strict=True):
            spec = FaceSpec(identity=seed, yaw=yaw, pitch=yaw / 2, roll=-yaw / 3, backdrop=seed, rim=0.5, fill=0.5)
            assert render(spec, 32).std() > 2


@pytest.mark.parametrize("size", [48, 224])
@pytest.mark.parametrize("kind", STANDS_OFF)
def test_headwear_is_painted_where_the_truth_says(kind: str, size: int) -> None:
    camera, u, v, head = place(FaceSpec(identity=person_with(headwear=kind), yaw=-0.6, pitch=-0.1), size)
    picture = -np.ones((3, size, size), np.float32)
    paint_headwear(picture, head, camera, u, v)
    painted, there = picture.max(axis=0) > -0.4, headwear.covers(camera, u, v)
    assert 0.01 < there.mean() < 0.6
    assert (painted == there).mean() > 0.97


def test_people_differ_in_hair_and_clothes() -> None:
    people = [identity(seed) for seed in range(400)]
    assert {person.cut.name for person in people} == set(CUTS)
    assert {person.wardrobe.garment for person in people} == set(GARMENTS)
    assert {person.wardrobe.headwear for person in people} == {*HEADWEAR, None}
    assert sum(MEN.values()) == pytest.approx(1)
    assert sum(WOMEN.values()) == pytest.approx(1)


def test_a_haircut_depends_on_its_own_seed_alone() -> None:
    assert haircut(7, male=True, age=0.2) == haircut(7, male=True, age=0.2)
    assert haircut(7, male=True, age=0.2) != haircut(8, male=True, age=0.2)


# --- What turns with the head


@pytest.mark.parametrize("yaw", [-0.7, -0.35, 0.35, 0.7])
def test_the_jaw_landmarks_lie_on_the_outline_of_the_drawn_head(yaw: float) -> None:
    for seed in range(12):
        spec = FaceSpec(identity=seed, yaw=yaw)
        _, _, _, head = place(spec, 112)
        solid = np.pad(head.inside > 0.5, 1)
        around = solid[2:, 1:-1] & solid[:-2, 1:-1] & solid[1:-1, 2:] & solid[1:-1, :-2]
        rows, columns = np.nonzero(solid[1:-1, 1:-1] & ~around)
        edge = np.stack([columns + head.columns.start, rows + head.rows.start], axis=1)
        jaw = landmarks(spec, 112)[1:16]
        distance = np.hypot(*(jaw[:, None] - edge).transpose(2, 0, 1)).min(axis=1)
        assert distance.max() < 3.5, f"identity {seed}: {distance.round(1)}"


@pytest.mark.parametrize("yaw", [-0.7, -0.3, 0.0, 0.3, 0.7])
def test_the_box_holds_the_drawn_head_closely(yaw: float) -> None:
    spec = FaceSpec(identity=person_with(name="bald", headwear=None), yaw=yaw)
    camera, u, v, head = place(spec, 112)
    picture = black(112)
    Hair(camera, u, v).paint_behind(picture)
    drawn = picture.sum(axis=0) > 0.3
    drawn[head.rows, head.columns] |= head.inside > 0.5
    drawn &= v < 0.9 * camera.person.head_half_height  # the nape goes down behind the chin
    columns = np.flatnonzero(drawn.any(axis=0))
    left, _, width, _ = head_box(spec, 112)
    assert abs(columns[0] - left) < 7
    assert abs(columns[-1] - left - width) < 7


def test_the_near_ear_moves_inwards_and_the_far_one_is_behind_the_head() -> None:
    camera, u, v, _ = place(FaceSpec(identity=3, yaw=0.6))
    near, far = black(), black()
    paint_ears(near, camera, u, v, behind=False)
    paint_ears(far, camera, u, v, behind=True)
    assert near[:, :, : SIZE // 2].sum() > 10 * near[:, :, SIZE // 2 :].sum()
    assert far.sum() < 0.5 * near.sum()


def test_frontal_ears_are_on_both_sides() -> None:
    camera, u, v, _ = place(FaceSpec(identity=3, light=(0.0, 0.0, 1.0)))
    ears = black()
    paint_ears(ears, camera, u, v, behind=False)
    assert abs(middle(ears)) < 0.05


def test_the_back_of_the_head_turns_the_other_way() -> None:
    seed = person_with(name="short")
    middles = []
    for yaw in (-0.6, 0.0, 0.6):
        camera, u, v, _ = place(FaceSpec(identity=seed, yaw=yaw))
        picture = black()
        Hair(camera, u, v).paint_behind(picture)
        middles.append(middle(picture))
    assert middles[0] > middles[1] + 0.03 > middles[2] + 0.06


def test_the_neck_follows_the_turn_and_the_shoulders_stay() -> None:
    necks = []
    for yaw in (-0.6, 0.6):
        camera, _, _, _ = place(FaceSpec(identity=3, yaw=yaw))
        picture = black()
        paint_bust(picture, camera, *camera.frame())
        necks.append(picture)
    assert middle(necks[0][:, 60:72]) > middle(necks[1][:, 60:72]) + 0.05
    assert np.allclose(necks[0][:, -3:], necks[1][:, -3:], atol=0.15)


@pytest.mark.parametrize("yaw", [-0.7, 0.0, 0.7])
def test_hair_leaves_eyes_nose_and_mouth_free(yaw: float) -> None:
    for seed in range(60):
        person = identity(seed)
        camera, u, v, head = place(FaceSpec(identity=seed, yaw=yaw))
        picture = np.ones((3, SIZE, SIZE), np.float32)
        Hair(camera, u, v).paint_on(picture, head)
        x = np.array([person.eye_x * np.sign(-yaw or 1), 0.0, 0.0], np.float32)  # the near eye
        y = np.array([person.eye_y + 0.05, 0.2, person.mouth_y], np.float32)
        columns, rows = camera.to_pixels(x, y).round().astype(int).T
        assert picture[:, rows, columns].min() > 0.6, f"identity {seed}, {person.cut.name}"


def test_spectacles_differ_and_leave_the_pupils_free() -> None:
    wearers = [seed for seed in range(300) if identity(seed).glasses]
    assert len({spectacles(identity(seed)).thickness for seed in wearers}) > 30
    for seed in wearers:
        spec = FaceSpec(identity=seed)
        camera, _, _, head = place(spec)
        picture = np.ones((3, SIZE, SIZE), np.float32)
        paint_spectacles(picture[:, head.rows, head.columns], head, camera.person, spec)
        (x, y), person = camera.to_pixels(*np.array([[camera.person.eye_x], [camera.person.eye_y]]))[0], camera.person
        pupil = picture[:, round(float(y)), round(float(x))]
        assert pupil.mean() > 0.9 - spectacles(person).tint, f"identity {seed}"
        assert picture.min() < 0.9


# --- Light and camera


def test_the_lit_side_is_the_brighter_one() -> None:
    spec = FaceSpec(identity=11, light=(-1.0, 0.0, 0.4), hardness=0.9)
    points = landmarks(spec, SIZE)
    (left_x, y), (right_x, _) = points[2].round().astype(int), points[14].round().astype(int)
    picture = render(spec, SIZE).astype(float)
    assert picture[y, left_x + 6].mean() > 1.4 * picture[y, right_x - 6].mean()


def test_a_wall_casts_its_shadow_away_from_the_light() -> None:
    depth = np.zeros((30, 30), np.float32)
    depth[:, 14:16] = 0.3
    shadow = cast_shadow(depth, 0.05, FaceSpec(light=(-1.0, 0.0, 1.0), hardness=1.0))
    assert shadow[15, 18] > 0.9
    assert shadow[15, 5] == shadow[15, 28] == 0


def test_light_from_the_front_casts_no_shadow() -> None:
    assert not cast_shadow(np.random.default_rng(0).random((9, 9), np.float32), 0.05, FaceSpec(light=(0, 0, 1))).any()


def test_the_camera_balances_dim_and_bright_light() -> None:
    means = [
        render(FaceSpec(identity=11, ambient=a, light=(x, -0.4, 0.8)), SIZE)[40:70, 35:60].mean()
        for a, x in ((0.35, 1.5), (0.65, 0.0))
    ]
    assert 0.65 < means[0] / means[1] < 1.3
    assert meter(FaceSpec(ambient=0.3, light=(2.0, 0.0, 0.5))) > meter(FaceSpec(ambient=0.6, light=(0.0, 0.0, 1.0)))


@pytest.mark.parametrize(
    ("changed", "brighter"),
    [({"exposure": 1.0}, True), ({"exposure": -1.0}, False), ({"rim": 1.0}, True)],
)
def test_more_light_makes_a_brighter_picture(changed: dict[str, float], brighter: bool) -> None:
    spec = FaceSpec(identity=11, light=(-1.0, -0.2, 0.6))
    before, after = render(spec, SIZE).mean(), render(replace(spec, **changed), SIZE).mean()
    assert (after > before + 0.3) == brighter


def test_fill_light_softens_the_contrast_of_the_two_sides() -> None:
    spec = FaceSpec(identity=11, light=(-1.0, -0.2, 0.6))
    points = landmarks(spec, SIZE)
    (left_x, y), (right_x, _) = points[2].round().astype(int), points[14].round().astype(int)
    ratios = [
        p[y, left_x + 6].mean() / p[y, right_x - 6].mean()
        for p in (render(spec, SIZE), render(replace(spec, fill=1.0), SIZE))
    ]
    assert ratios[1] < 0.9 * ratios[0]


def test_no_saturation_is_black_and_white() -> None:
    picture = render(replace(LIT, saturation=0.0, sensor_noise=0.0), SIZE).astype(int)
    assert np.ptp(picture, axis=2).max() <= 1


def test_blur_spreads_a_point_by_its_width_and_keeps_the_light() -> None:
    picture = np.zeros((1, 41, 41), np.float32)
    picture[0, 20, 20] = 1
    blur(picture, 2.0)
    offset = np.arange(41) - 20
    assert picture.sum() == pytest.approx(1, abs=1e-4)
    assert np.sqrt((picture[0].sum(axis=0) * offset**2).sum()) == pytest.approx(2, abs=0.25)


def test_sensor_noise_is_standard_normal_for_any_count() -> None:
    for count in (3 * 112 * 112, 600_000):
        noise = sensor_noise(3, count)
        assert (len(noise), noise.dtype) == (count, np.float32)
        assert abs(noise.mean()) < 0.03
        assert abs(noise.std() - 1) < 0.03


def test_backdrops_follow_their_seed() -> None:
    assert np.array_equal(scene(4), scene(4))
    means = np.array([scene(seed).mean() for seed in range(40)])
    assert means.std() > 0.1
    assert all(scene(seed).min() > 0 and scene(seed).max() <= 1 for seed in range(40))


# --- Skin, beard, textures


def test_a_dark_beard_does_not_swallow_the_mouth() -> None:
    seed = next(s for s in range(2000) if identity(s).beard > 0.85 and identity(s).beard_shape == "full")
    around = landmarks(FaceSpec(identity=seed), 112)[48:68]
    (left, top), (right, bottom) = around.min(axis=0).astype(int) - 3, around.max(axis=0).astype(int) + 3
    for code in ("AU12", "AU15", "AU25"):
        change = np.abs(render(FaceSpec(identity=seed, aus={code: 4.0})).astype(int) - render(FaceSpec(identity=seed)))
        assert change[top:bottom, left:right].mean() > 4, code


def test_deep_and_pale_skin_are_both_exposed() -> None:
    people = sorted(range(300), key=lambda seed: identity(seed).melanin)
    for seed, low, high in [*((s, 45, 150) for s in people[-8:]), *((s, 110, 235) for s in people[:8])]:
        points = landmarks(FaceSpec(identity=seed, saturation=1.0), SIZE)
        x, y = (0.5 * points[30] + 0.5 * points[2]).round().astype(int)
        assert low < render(FaceSpec(identity=seed), SIZE)[y - 1 : y + 2, x - 1 : x + 2].mean() < high, seed


@pytest.mark.parametrize("kind", PATTERNS)
def test_an_atlas_tiles_and_is_standard_normal(kind: str) -> None:
    pattern = atlas(kind).reshape(512, 512)
    assert pattern.dtype == np.float32
    assert pattern.std() == pytest.approx(1, abs=1e-3)
    inner = np.abs(np.diff(pattern, axis=1)).mean()
    assert np.abs(pattern[:, 0] - pattern[:, -1]).mean() < 1.5 * inner


def test_texels_stay_inside_the_atlas() -> None:
    far = np.array([[-9.0, 0.0, 9.0]], np.float32)
    place = texels(far, far, 150, seed=123_456_789)
    assert place.min() >= 0
    assert place.max() < 512 * 512


def test_enlarging_keeps_the_points_and_is_straight_between_them() -> None:
    coarse = np.array([[0.0, 1.0, 4.0], [2.0, 3.0, 6.0]], np.float32)
    fine = enlarge(coarse, (5, 9))
    assert np.allclose(fine[::4, ::4], coarse)
    assert np.allclose(fine[0, 2], 0.5)
    assert np.allclose(enlarge(coarse, (2, 6), step=2)[0], [0, 0.5, 1, 2.5, 4, 4])


def test_box_blur_keeps_flat_fields_flat() -> None:
    assert np.allclose(box_blur(np.full((7, 5), 3.0, np.float32), 2), 3)
    assert np.allclose(box_blur(np.eye(5, dtype=np.float32), 1)[2, 2], 1 / 3)
