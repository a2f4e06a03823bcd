"""The nets of the tiny detector as they learn and as they are shipped: both see and say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from data_engine.detectors.tiny.crops import Grey, Square, aligned, eye_line, place, square_around  # noqa: E402
from data_engine.detectors.tiny.layers import Net  # noqa: E402
from data_engine.detectors.tiny.nets import ACTIONS_SIDE, AUS, HIDEABLE, NETS, POINTS_SIDE  # noqa: E402
from data_engine.detectors.tiny.training import actions, views  # noqa: E402
from data_engine.detectors.tiny.training import points as points_lesson  # noqa: E402
from data_engine.detectors.tiny.training.course import Course, batches  # noqa: E402
from data_engine.detectors.tiny.training.drawing import Lot, draw_chunk  # noqa: E402
from data_engine.detectors.tiny.training.elsewhere import draw_one  # noqa: E402
from data_engine.detectors.tiny.training.torch_nets import TorchNet, folded  # noqa: E402
from data_engine.detectors.tiny.weights import read_weights, write_weights  # noqa: E402
from data_engine.faces import FaceSpec, landmarks, render  # noqa: E402

SPEC = FaceSpec(identity=11, aus={"AU12": (4.0, 1.0)}, yaw=0.2, roll=0.15, zoom=0.9)
SIDES = {"finder": 96, "points": POINTS_SIDE, "actions": ACTIONS_SIDE}


@pytest.fixture(scope="module")
def lessons():  # type: ignore[no-untyped-def]
    return draw_chunk(Lot(seed=3, num=24), range(24))


@pytest.mark.parametrize("name", NETS)
def test_shipped_nets_say_what_they_learned(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = TorchNet(NETS[name])
    pictures = torch.randn(20, 1, SIDES[name], SIDES[name])
    net.train()
    net(pictures)  # the running statistics of batch norm move
    net.eval()
    with torch.no_grad():
        wanted = net(pictures).numpy()
    weights = folded(net, name)
    exact = Net(NETS[name], weights, name)(pictures.permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(exact, wanted, atol=2e-4 * np.abs(wanted).max())
    write_weights(tmp_path / "w.safetensors", weights, {"seed": 0})
    stored, told = read_weights(tmp_path / "w.safetensors")
    shipped = Net(NETS[name], stored, name)(pictures.permute(0, 2, 3, 1).numpy())
    assert told == {"seed": 0}
    assert np.abs(shipped - wanted).mean() < 0.02 * np.abs(wanted).std()


@pytest.mark.parametrize(("height", "width"), [(4, 8), (92, 148), (500, 652)])
def test_pictures_of_any_size_are_convolved_alike(height: int, width: int) -> None:
    torch.manual_seed(0)
    net = TorchNet(NETS["finder"]).eval()
    pictures = torch.randn(2, 1, height, width)
    with torch.no_grad():
        wanted = net(pictures).numpy()
    said = Net(NETS["finder"], folded(net, "finder"), "finder")(pictures.permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(said, wanted, atol=2e-5 * np.abs(wanted).max())


@pytest.mark.parametrize(
    "square", [Square(60, 55, 70), Square(60, 55, 70, 0.4), Square(20, 90, 100, -0.2), Square(64, 64, 40)]
)
def test_lessons_and_work_cut_the_same_squares(square: Square) -> None:
    picture = render(SPEC, 128)
    grey = Grey(picture)
    here = grey.cut(square.placement(), 64)
    placement = torch.from_numpy(square.placement())[None]
    there = views.look(torch.from_numpy(np.asarray(grey.image).copy())[None], placement, 64)[0, 0].numpy()
    assert np.corrcoef(here.ravel(), there.ravel())[0, 1] > 0.99


def test_lessons_and_work_align_alike() -> None:
    points = landmarks(SPEC, 128)
    there = views.aligned(torch.from_numpy(points)[None])[0].numpy()
    np.testing.assert_allclose(aligned(points), there, atol=1e-3)
    turn = eye_line(points)
    square = square_around(points, turn)
    middle, side = views.around(torch.from_numpy(points)[None], torch.tensor([turn]))
    np.testing.assert_allclose([square.x, square.y, square.side], [*middle[0].tolist(), side.item()], atol=1e-3)


def test_aligned_eyes_and_mouth_lie_at_their_anchors() -> None:
    points = landmarks(FaceSpec(identity=3), 128)
    shares = views.into(torch.from_numpy(aligned(points))[None], torch.from_numpy(points)[None])[0]
    assert abs(shares[36:42].mean(0)[0] - 0.30) < 0.06
    assert abs(shares[42:48].mean(0)[0] - 0.70) < 0.06
    assert abs(shares[48:60].mean(0)[1] - 0.74) < 0.06


def test_a_placement_and_its_inverse_cancel() -> None:
    placement = Square(33, 44, 55, 0.3).placement()
    points = np.random.default_rng(0).uniform(0, 1, (9, 2)).astype(np.float32)
    pixels = place(placement, points)
    back = views.into(torch.from_numpy(placement)[None], torch.from_numpy(pixels)[None])[0].numpy()
    np.testing.assert_allclose(back, points, atol=1e-5)
    np.testing.assert_allclose(place(placement, np.array([[0.5, 0.5]], np.float32))[0], [33, 44], atol=1e-4)


def test_a_mirrored_face_has_mirrored_landmarks() -> None:
    size = 128
    points = landmarks(FaceSpec(identity=11, yaw=0.3), size)
    other = landmarks(FaceSpec(identity=11, yaw=-0.3), size)
    flipped = points[views.MIRRORED_POINTS] * [-1, 1] + [size - 1, 0]
    assert np.abs(flipped - other).mean() < 1.5  # faces are not quite symmetric


def test_a_mirrored_crop_is_the_crop_mirrored() -> None:
    grey = torch.from_numpy(np.asarray(Grey(render(SPEC, 128)).image).copy())[None]
    placement = torch.from_numpy(Square(60, 55, 70, 0.2).placement())[None]
    crop = views.look(grey, placement, 64)
    flipped = views.look(grey, views.mirrored(placement, torch.tensor([True])), 64)
    torch.testing.assert_close(crop.flip(-1), flipped, atol=1e-3, rtol=1e-3)


def test_landmarks_follow_a_bent_crop() -> None:
    torch.manual_seed(1)
    bend = views.bent(1, 4, 0.03)
    places = 0.2 + 0.6 * torch.rand(1, 30, 2)
    seen = points_lesson.unbent(places, bend)
    moved = torch.nn.functional.grid_sample(bend, 2 * seen[:, :, None] - 1, "bicubic", "border", align_corners=True)
    torch.testing.assert_close(seen + moved[..., 0].transpose(1, 2), places, atol=2e-3, rtol=0)


def test_landmarks_of_lessons_lie_on_the_face(lessons) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    pictures, points, poses = (torch.from_numpy(field) for field in lessons[:3])
    crops, places, pose = points_lesson.face_crops(pictures, points, poses)
    assert crops.shape == (24, 1, 64, 64)
    assert torch.isfinite(crops).all()
    assert ((places > -0.3) & (places < 1.3)).all()
    assert pose.abs().max() < 2


def test_lessons_depend_on_seed_and_place_alone(lessons) -> None:  # type: ignore[no-untyped-def]
    again = draw_chunk(Lot(seed=3, num=1000), [5])
    assert np.array_equal(again.pictures[0], lessons.pictures[5])
    assert np.array_equal(again.aus[0], lessons.aus[5])
    assert lessons.aus.shape == (24, len(AUS), 2)
    assert lessons.hidden.shape == (24, len(HIDEABLE), 2)


def test_hidden_aus_are_not_asked_for() -> None:
    hidden = torch.zeros(1, len(HIDEABLE), 2)
    hidden[0, HIDEABLE.index("mouth")] = torch.tensor([1.0, 0.0])
    shows = actions.seen_aus(hidden)[0, AUS.index("AU12")]
    assert shows.tolist() == [0.0, 1.0]
    read = actions.split(torch.zeros(1, actions.ACTIONS[-1].outputs))
    few, many = torch.zeros(1, len(AUS), 2), torch.zeros(1, len(AUS), 2)
    many[0, AUS.index("AU12"), 0] = 5.0
    assert actions.loss_of(read, few, hidden) == actions.loss_of(read, many, hidden)


def test_a_short_course_lowers_the_loss(lessons) -> None:  # type: ignore[no-untyped-def]
    course = Course(epochs=6, batch_size=8, seed=0)
    net = actions.teach_actions(lessons, course)
    fresh = TorchNet(actions.ACTIONS).eval()
    data = [torch.from_numpy(field) for field in (lessons.pictures, lessons.points, lessons.aus, lessons.hidden)]
    torch.manual_seed(5)
    before = actions.lesson(fresh, *data)
    torch.manual_seed(5)
    assert actions.lesson(net, *data) < 0.8 * before


def test_every_epoch_has_an_order_of_its_own() -> None:
    first, second, *_ = batches(8, Course(epochs=2, batch_size=8))
    assert sorted(first.tolist()) == sorted(second.tolist()) == [*range(8)]
    assert first.tolist() != second.tolist()


def test_pictures_of_other_things_are_pictures() -> None:
    pictures = [draw_one(np.random.default_rng([0, index])) for index in range(12)]
    assert all(picture.shape == (128, 128) and picture.dtype == np.uint8 for picture in pictures)
    assert np.std([picture.mean() for picture in pictures]) > 5
    assert min(picture.std() for picture in pictures) > 0
