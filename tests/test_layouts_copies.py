"""Near-copies, subjects and recordings that two splits share, and going on after a stop."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts_on_disk import Run, clip, photos, picture, text
from PIL import Image

from data_engine.layouts.looking import WORDS, look_at
from data_engine.layouts.near_copies import MAX_LONG, MAX_SHORT, Copies, num_bits


def copies(root: Path) -> Path:
    """A picture of train is one of test at half the size and quality; another, with another label, is it brighter."""
    photos(root)
    noise = np.kron(np.random.default_rng(5).integers(0, 200, (12, 12)), np.ones((8, 8)))
    test = Image.fromarray(noise.astype(np.uint8))
    test.save(root / "test/happy/4.jpg", quality=95)
    test.resize((48, 48)).save(root / "train/happy/small.jpg", quality=50)
    test.point(lambda value: min(255, round(value * 1.2))).save(root / "train/sad/bright.png")
    test.save(root / "test/sad/again.png")
    return root


def test_near_copies_across_splits_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(copies(tmp_path / "photos"))
    assert len(run.samples) == 8
    assert "near-copies across splits: 2, 1 with another label: train/happy/small.jpg ~ test/happy/4.jpg, " in (
        capsys.readouterr().out
    )
    assert run.manifest["near_copies"]["num"] == 2


def test_dropped_near_copies_are_those_outside_of_the_test_set(tmp_path: Path) -> None:
    run = Run(copies(tmp_path / "photos"), "--drop-duplicates")
    assert run.reasons == {"train/happy/small.jpg": "near_copy", "train/sad/bright.png": "near_copy"}
    assert run.code == 0
    assert run.rejected[0]["detail"].endswith("is a near-copy of test/happy/4.jpg")


def test_without_splits_the_first_of_each_pair_stays(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for name in ("happy/1.jpg", "happy/2.jpg", "sad/3.jpg"):
        picture(root / name, seed="same", size=(32, 32))
    picture(root / "sad/4.jpg", size=(32, 32))
    run = Run(root, "--drop-duplicates")
    assert [sample.id for sample in run.samples] == ["happy/1.jpg", "sad/4.jpg"]
    assert run.manifest["near_copies"]["other_label"] == 1


def test_copies_of_clips_are_found_by_their_bytes(tmp_path: Path) -> None:
    root = tmp_path / "clips"
    for name, content in (("train/happy/1.mp4", "a"), ("test/happy/2.mp4", "a"), ("train/sad/3.mp4", "b")):
        clip(root / name, content)
    assert Run(root, "--drop-duplicates").reasons == {"train/happy/1.mp4": "near_copy"}


def test_subjects_in_two_splits_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "BAH"
    for split, name in (("train", "1/Visite_1/a"), ("train", "2/Visite_1/b"), ("test", "1/Visite_2/c")):
        path = root / f"split-0/{split}.txt"
        text(path, *(path.read_text().splitlines() if path.exists() else ()), f"Videos/{name}.mp4,0,words")
        clip(root / f"Videos/{name}.mp4")
    run = Run(root)
    assert "subjects: 2, 1 of them in two splits: 1 (test, train)" in capsys.readouterr().out
    assert run.manifest["subjects_in_two_splits"] == {"num": 1, "of": 2, "first": ["1"]}


def test_a_rerun_goes_on_and_ends_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    root = copies(tmp_path / "photos")
    whole = Run(root, "--drop-duplicates", output=tmp_path / "whole.jsonl")
    part = Run(root, "--drop-duplicates", output=tmp_path / "part.jsonl")
    written = part.path.read_bytes()
    part.path.write_bytes(written[: len(written) // 2])
    again = Run(root, "--drop-duplicates", output=tmp_path / "part.jsonl")
    assert again.path.read_bytes() == whole.path.read_bytes() == written
    assert again.reasons == whole.reasons


@pytest.mark.slow
def test_several_processes_see_what_one_sees(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for at in range(600):
        picture(root / f"{'train' if at % 2 else 'test'}/{'sad' if at % 3 else 'happy'}/{at}.png", seed=at % 550)
    one, two = (Run(root, "--workers", str(num), output=tmp_path / f"{num}.jsonl") for num in (1, 2))
    assert one.path.read_bytes() == two.path.read_bytes()


def fingerprint(bits: set[int]) -> bytes:
    value = sum(1 << bit for bit in bits)
    return value.to_bytes(8 * WORDS, "little")


@given(
    st.lists(
        st.tuples(st.sampled_from(["train", "val", "test"]), st.sets(st.integers(0, 11)), st.sets(st.integers(64, 90))),
        max_size=12,
    )
)
def test_copies_are_those_that_comparing_everyone_with_everyone_finds(
    told: list[tuple[str, set[int], set[int]]],
) -> None:
    """Hashes differ in few bits, many of them in one band."""
    found = Copies()
    for split, short, long in told:
        found.add(fingerprint(short | long), split)
    order = {"test": 0, "val": 1, "train": 2}
    across = len({split for split, *_ in told}) > 1

    def stays(one: int, other: int) -> bool:
        (split, short, long), (other_split, other_short, other_long) = told[one], told[other]
        is_near = len(short ^ other_short) <= MAX_SHORT and len(long ^ other_long) <= MAX_LONG
        is_before = (order[other_split], other) < (order[split], one)
        return is_near and is_before and (split != other_split or not across)

    dropped = [any(stays(one, other) for other in range(len(told))) for one in range(len(told))]
    assert [kept >= 0 for kept in found.of.tolist()] == dropped
    assert all(stays(one, kept) for one, kept in enumerate(found.of.tolist()) if kept >= 0)


def test_a_picture_without_a_fingerprint_is_a_copy_of_nothing() -> None:
    found = Copies()
    for split in ("train", "test", "train"):
        found.add(b"", split)
    found.add(fingerprint(set()), "test")
    assert found.of.tolist() == [-1, -1, -1, -1]


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1))
def test_num_bits(values: list[int]) -> None:
    assert num_bits(np.array(values, dtype=np.uint64)).tolist() == [value.bit_count() for value in values]


def test_fingerprints_survive_what_people_do_to_pictures(tmp_path: Path) -> None:
    noise = np.kron(np.random.default_rng(1).integers(0, 200, (14, 14, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    whole = Image.fromarray(noise)
    rotated = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    whole.transpose(Image.Transpose.ROTATE_90).save(rotated, "JPEG", exif=exif, quality=95)
    variants = {
        "whole.png": whole,
        "jpeg.jpg": whole,
        "half.png": whole.resize((112, 112)),
        "grey.png": whole.convert("L"),
        "alpha.png": whole.convert("RGBA"),
    }
    for name, variant in variants.items():
        variant.save(tmp_path / name)
    (tmp_path / "turned.jpg").write_bytes(rotated.getvalue())
    looks = list(look_at([tmp_path / name for name in (*variants, "turned.jpg")]))
    first = np.frombuffer(looks[0].print, dtype=np.uint64)
    for look in looks:
        bits = num_bits(first ^ np.frombuffer(look.print, dtype=np.uint64))
        assert bits[0] <= MAX_SHORT
        assert bits[1:].sum() <= MAX_LONG
    assert looks[-1].size == (224, 224)
