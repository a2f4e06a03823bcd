from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rendered import SMOOTH

from data_engine.faces import FaceSpec, landmarks, render, truth
from data_engine.faces.masks import au_masks, au_region, read_masks, visible_face, write_masks
from data_engine.faces.occluders import KINDS, occluder_of
from data_engine.faces.person.identity import identity
from data_engine.faces.spec import OCCLUDERS
from data_engine.faces.studio.projection import Camera
from data_engine.faces.studio.surface import find_head
from data_engine.faces.visibility import hidden_regions, hidden_sides, region_places, visibility_codes
from emollm.errors import SourceError
from emollm.facs import REGIONS, UNITS

SIZE = 96
ACTED = {"AU04": 5.0, "AU12": 5.0, "AU25": 4.0, "AU43": 4.0}
EVERY_KIND = [(family, place) for family, kinds in KINDS.items() for place in range(len(kinds))]
NAMES = [f"{family}: {KINDS[family][place]}" for family, place in EVERY_KIND]
SEEN_THROUGH = ("pixels", "blur")


def depth(spec: FaceSpec) -> np.ndarray:
    """Distance into the occluder of every pixel, (S, S), as it is painted; −9 where it cannot lie."""
    camera = Camera.of(spec, SIZE)
    u, v = camera.tilted(*camera.frame())
    occluder, head = occluder_of(camera), find_head(camera, spec.actions(), u, v)
    assert occluder is not None
    if not occluder.worn:
        return np.asarray(occluder.area(u, v))
    inside: np.ndarray = np.full((SIZE, SIZE), -9.0)
    on_face = head.inside * head.surface.front > 0.99
    inside[head.rows, head.columns] = np.where(on_face, occluder.area(head.surface.x, head.surface.y), -9)
    return inside


def difference(one: FaceSpec, other: FaceSpec) -> np.ndarray:
    return np.asarray(np.abs(render(one, SIZE).astype(int) - render(other, SIZE)).max(axis=2))


def kind(family: str, name: str) -> dict[str, object]:
    """The fields of FaceSpec for one kind of occluder."""
    return {"occluder": family, "occluder_seed": KINDS[family].index(name)}


# --- Occluders


def test_the_specs_occluders_are_the_rooms() -> None:
    assert tuple(KINDS) == OCCLUDERS


@pytest.mark.parametrize(("family", "place"), EVERY_KIND, ids=NAMES)
def test_nothing_of_the_face_is_seen_inside_an_occluders_area(family: str, place: int) -> None:
    if KINDS[family][place] in SEEN_THROUGH:
        pytest.skip("lets the colours of the face through, coarsely")
    still = FaceSpec(identity=SMOOTH, occluder=family, occluder_seed=place)
    inside = depth(still) > 1.4 * Camera.of(still, SIZE).pixel
    assert inside.mean() > 0.002
    assert difference(still, replace(still, aus=ACTED))[inside].max() <= 1


@pytest.mark.parametrize(("family", "place"), EVERY_KIND, ids=NAMES)
def test_an_occluder_is_painted_on_its_area_and_nowhere_else(family: str, place: int) -> None:
    spec = FaceSpec(identity=SMOOTH, occluder=family, occluder_seed=place, yaw=0.2, roll=0.1)
    painted, inside = difference(spec, replace(spec, occluder=None)), depth(spec)
    elsewhere = inside == -9
    assert painted[(inside < -0.2) & ~elsewhere].max(initial=0) == 0
    assert (painted[elsewhere] > 0).sum() <= 0.05 * elsewhere.sum()
    assert np.mean(painted[inside > 0.05] > 0) > 0.8


@pytest.mark.parametrize("family", OCCLUDERS)
def test_an_occluder_follows_from_its_seed(family: str) -> None:
    first, second = (FaceSpec(occluder=family, occluder_seed=seed) for seed in (0, len(KINDS[family])))
    assert np.array_equal(render(first, 48), render(replace(first), 48))
    assert not np.array_equal(render(first, 48), render(second, 48))


def test_a_mirrored_hand_comes_from_the_other_side() -> None:
    sides = set()
    for turn in range(8):
        spec = FaceSpec(identity=SMOOTH, occluder="hand", occluder_seed=1 + 6 * turn)
        left, right = hidden_sides(spec)["cheeks"]
        assert abs(left - right) > 0.4
        sides.add(left > right)
    assert sides == {True, False}


# --- What is hidden


@pytest.mark.parametrize(
    ("family", "name", "hidden"),
    [
        ("mask", "surgical", {"nose", "mouth", "chin", "jaw"}),
        ("mask", "under the nose", {"mouth", "chin", "jaw"}),
        ("mask", "at the chin", {"chin"}),
        ("sunglasses", "square", {"eyes"}),
        ("hair", "fringe", {"brows"}),
        ("scarf", "at the chin", {"chin"}),
        ("thing", "cup", {"mouth", "chin"}),
        ("censor", "bar", {"eyes"}),
    ],
)
def test_kinds_hide_their_regions(family: str, name: str, hidden: set[str]) -> None:
    assert set(hidden_regions(FaceSpec(identity=SMOOTH, **kind(family, name)))) == hidden  # type: ignore[arg-type]


def test_a_hand_at_the_chin_hides_it() -> None:
    specs = [FaceSpec(identity=n, occluder="hand", occluder_seed=6 * n + 4) for n in range(20)]
    assert np.mean([hidden_sides(spec)["chin"] for spec in specs]) > 0.6


def test_a_hand_over_the_mouth_hides_most_of_it() -> None:
    shares = [
        np.mean(hidden_sides(FaceSpec(identity=n, occluder="hand", occluder_seed=6 * n))["mouth"]) for n in range(20)
    ]
    assert np.mean(shares) > 0.7
    assert min(shares) > 0.4


@pytest.mark.parametrize("family", ["mask", "scarf"])
def test_a_hidden_mouth_shows_no_action(family: str) -> None:
    spec = FaceSpec(identity=SMOOTH, aus={"AU12": 5.0, "AU17": 5.0, "AU25": 5.0}, occluder=family)
    masks = au_masks(spec, SIZE)
    assert "mouth" in hidden_regions(spec, SIZE)
    assert masks["AU17"].sum() == 0
    assert masks["AU25"].sum() == 0


@pytest.mark.parametrize("side", [1, -1], ids=["left", "right"])
def test_the_cheek_that_turns_away_is_hidden(side: int) -> None:
    away = [hidden_sides(FaceSpec(identity=SMOOTH, yaw=side * yaw)) for yaw in (0.0, 0.4, 0.8)]
    far, near = ([shares["cheeks"][k] for shares in away] for k in ((0, 1) if side > 0 else (1, 0)))
    assert far[0] == 0.0
    assert far[0] <= far[1] < far[2]
    assert max(near) == 0.0


@pytest.mark.parametrize("person", range(0, 60, 4))
def test_nothing_of_a_face_from_the_front_is_hidden_but_brows_by_hair(person: int) -> None:
    shares = hidden_sides(FaceSpec(identity=person))
    assert max(max(sides) for name, sides in shares.items() if name != "brows") < 0.5


def test_hair_over_the_brows_hides_them() -> None:
    people = [n for n in range(400) if "brows" in hidden_regions(FaceSpec(identity=n))]
    fringed = [n for n in people if (identity(n).cut.fringe_y or -1) > -0.5]
    assert len(fringed) >= 5
    assert len(fringed) > 0.7 * len(people)
    assert np.median([brow_change(n) for n in fringed[:9]]) < 0.5 * brow_change(SMOOTH)


@pytest.mark.parametrize("kind", ["cap", "hat", "beanie", "headband"])
def test_headwear_over_the_brows_hides_them(kind: str) -> None:
    wearers = [n for n in range(1500) if identity(n).wardrobe.headwear == kind][:9]
    rests = [FaceSpec(identity=n, pitch=pitch) for n in wearers for pitch in (-0.3, 0.2)]
    hidden = np.array([np.mean(hidden_sides(spec, SIZE)["brows"]) for spec in rests])
    seen = np.array([brow_difference(replace(spec, aus={"AU01": 4.0, "AU02": 4.0})) for spec in rests])
    assert len(wearers) == 9
    assert hidden.max() > hidden.min()
    assert (seen[hidden < 0.2] > 8).all()
    assert (seen[hidden > 0.7] < 30).all()


def brow_difference(spec: FaceSpec) -> float:
    """How much the pixels on the brows at rest differ from those of the same face at rest."""
    rest = replace(spec, aus={})
    x, y = landmarks(rest, SIZE)[17:27].round().astype(int).T
    return float(difference(rest, spec)[y, x].mean())


def brow_change(person: int) -> float:
    """How much AU4 changes the pixels on the person's brows."""
    return brow_difference(FaceSpec(identity=person, aus={"AU04": 5.0}))


def test_the_border_of_the_picture_hides() -> None:
    cut = hidden_sides(FaceSpec(identity=SMOOTH, shift=(1.36, 0.0)))
    assert cut["cheeks"] == (1.0, 0.0)
    assert cut["eyes"][0] > 0.9
    below = FaceSpec(identity=SMOOTH, shift=(0.0, 1.1))
    assert {"mouth", "chin", "jaw"} <= set(hidden_regions(below)) <= {"nose", "mouth", "cheeks", "chin", "jaw"}


@pytest.mark.parametrize(
    ("spec", "codes"),
    [
        (FaceSpec(identity=SMOOTH), ()),
        (FaceSpec(identity=SMOOTH, **kind("hair", "fringe")), ("AU70",)),  # type: ignore[arg-type]
        (FaceSpec(identity=SMOOTH, **kind("sunglasses", "large")), ("AU71",)),  # type: ignore[arg-type]
        (FaceSpec(identity=SMOOTH, **kind("mask", "surgical")), ("AU72",)),  # type: ignore[arg-type]
        (FaceSpec(identity=SMOOTH, shift=(3.0, 0.0)), ("AU73",)),
        (FaceSpec(identity=SMOOTH, zoom=0.2), ("AU74",)),
    ],
    ids=["all seen", "brows", "eyes", "lower face", "entire face", "too small"],
)
def test_visibility_codes_of_facs(spec: FaceSpec, codes: tuple[str, ...]) -> None:
    assert visibility_codes(spec, SIZE) == codes
    assert all(UNITS[code].family == "visibility" for code in codes)


@given(
    family=st.sampled_from([None, *OCCLUDERS]),
    seed=st.integers(0, 10**9),
    person=st.integers(0, 500),
    turn=st.tuples(st.floats(-0.78, 0.78), st.floats(-0.4, 0.4), st.floats(-0.6, 0.6)),
    zoom=st.floats(0.2, 3.0),
)
@settings(max_examples=60, deadline=None)
def test_any_occluder_has_a_truth_and_a_picture(
    family: str | None, seed: int, person: int, turn: tuple[float, float, float], zoom: float
) -> None:
    yaw, pitch, roll = turn
    spec = FaceSpec(
        identity=person, occluder=family, occluder_seed=seed, yaw=yaw, pitch=pitch, roll=roll, zoom=zoom, shift=(0.3, 0)
    )
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        sides = hidden_sides(spec, 32)
        assert render(spec, 32).shape == (32, 32, 3)
    assert list(sides) == list(region_places(Camera.of(spec, 32).person, spec))
    assert all(0.0 <= share <= 1.0 for both in sides.values() for share in both)
    assert set(hidden_regions(spec, 32)) <= set(REGIONS)


# --- Masks


@pytest.mark.parametrize("code", ["AU01", "AU04", "AU06", "AU09", "AU12", "AU15", "AU17", "AU26", "AU43"])
def test_a_mask_lies_at_the_aus_anchors(code: str) -> None:
    spec = FaceSpec(identity=SMOOTH, aus={code: 5.0, "AU07" if code != "AU43" else "AU01": 1.0}, yaw=0.2)
    mask = au_masks(spec, SIZE)[code]
    y, x = np.nonzero(mask)
    anchors = landmarks(spec, SIZE)[list(UNITS[code].anchors)]
    reach = np.hypot(anchors[:, 0, None] - x, anchors[:, 1, None] - y).min(axis=0)
    assert 0.002 < mask.mean() < 0.25
    assert np.median(reach) < 0.17 * SIZE


@pytest.mark.parametrize("code", ["AU02", "AU06", "AU12", "AU14", "AU43"])
def test_a_one_sided_aus_mask_lies_on_its_side(code: str) -> None:
    left = au_masks(FaceSpec(identity=SMOOTH, aus={code: (5.0, 0.0)}), SIZE)[code]
    middle = SIZE // 2
    assert left[:, middle:].sum() > 4 * left[:, :middle].sum()


def test_masks_are_of_the_aus_that_are_there_or_asked_for() -> None:
    spec = FaceSpec(identity=SMOOTH, aus={"AU12": 3.0, "AU04": 0.0, "AU25": 2.0})
    assert list(au_masks(spec, 64)) == ["AU12", "AU25"]
    asked = au_masks(spec, 64, ["AU12", "AU04"])
    assert asked["AU12"].any()
    assert not asked["AU04"].any()


def test_noise_makes_no_mask() -> None:
    spec = FaceSpec(identity=SMOOTH, aus={"AU12": 4.0})
    clean, noisy = (au_masks(replace(spec, sensor_noise=noise), 64) for noise in (0.0, 0.05))
    assert np.array_equal(clean["AU12"], noisy["AU12"])


def test_a_region_tells_where_an_absent_au_would_show() -> None:
    spec = FaceSpec(identity=SMOOTH, aus={"AU12": 3.0})
    brows, mouth = au_region("AU04", spec, SIZE), landmarks(spec, SIZE)[48:60].mean(axis=0).round().astype(int)
    assert brows.any()
    assert not brows[mouth[1], mouth[0]]
    assert au_region("AU12", replace(spec, aus={}), SIZE)[mouth[1] - 6 : mouth[1] + 6].any()


def test_a_covered_face_is_not_visible() -> None:
    spec = FaceSpec(identity=SMOOTH)
    covered = replace(spec, occluder="mask")
    x, y = landmarks(spec, SIZE)[57].round().astype(int)
    assert visible_face(spec, SIZE)[y, x]
    assert not visible_face(covered, SIZE)[y, x]


def test_masks_can_be_read_again(tmp_path: Path) -> None:
    spec = FaceSpec(identity=SMOOTH, aus={"AU06": 3.0, "AU12": (4.0, 1.0)})
    write_masks(spec, 64, tmp_path / "masks.png")
    again, masks = read_masks(tmp_path / "masks.png"), au_masks(spec, 64)
    assert list(again) == ["AU06", "AU12"]
    assert all(np.array_equal(again[code], masks[code]) for code in masks)


def test_a_neutral_face_has_no_masks(tmp_path: Path) -> None:
    write_masks(FaceSpec(), 64, tmp_path / "masks.png")
    assert read_masks(tmp_path / "masks.png") == {}


def test_another_picture_holds_no_masks(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "grey.png")
    with pytest.raises(SourceError, match=r"grey\.png: holds no AU masks"):
        read_masks(tmp_path / "grey.png")


# --- The record


def test_truth_knows_pose_and_landmarks() -> None:
    spec = FaceSpec(identity=4, yaw=0.31, pitch=-0.1, roll=0.05)
    face = truth(spec, SIZE)
    assert face.pose == (0.31, -0.1, 0.05)
    assert np.abs(np.array(face.landmarks) - landmarks(spec, SIZE)).max() <= 0.051


def test_truth_lists_head_and_eye_codes() -> None:
    aus = truth(FaceSpec(yaw=0.4, gaze=(0.0, -0.9))).aus or {}
    assert aus["AU51"].value > 1
    assert aus["AU63"].value > 1
    assert "AU52" not in aus


def test_truth_says_what_is_hidden_in_the_picture_drawn() -> None:
    assert truth(FaceSpec(occluder="mask"), SIZE).hidden == hidden_regions(FaceSpec(occluder="mask"), SIZE)
