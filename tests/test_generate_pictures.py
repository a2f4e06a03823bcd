"""`emollm generate --pictures`: the pictures that were measured, and no others, are shown."""

from pathlib import Path

import pytest
from generating import ASKED, generate, picture, rejected, write
from scripted_teacher import Scripted, happy

from data_engine.generate import main
from emollm.files import sha256
from emollm.records import Media


def test_pictures_are_shown_where_asked_for_and_bad_ones_set_aside(tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG torn")
    samples = [
        happy(id="good", media=picture(tmp_path)),
        happy(id="torn", media=Media(kind="image", path="torn.png")),
        happy(id="gone", media=Media(kind="image", path="gone.png")),
        happy(id="clip", media=Media(kind="video", path="clip.mp4")),
        happy(id="none"),
    ]
    ask = Scripted()
    kept = generate(tmp_path, samples, ask, "--pictures")
    assert [one.id for one in kept] == ["good", "clip", "none"]
    assert rejected(tmp_path) == [("torn", "bad_picture"), ("gone", "bad_picture")]
    shown = [image for request in ask.requests for turn in request.turns for image in turn.images]
    assert [(image.path.name, len(image.sha256)) for image in shown] == [("a.png", 64)]
    assert [one.provenance["generate"]["picture"] for one in kept] == [True, False, False]
    ask = Scripted()
    generate(tmp_path, samples, ask, "--overwrite")
    assert not any(turn.images for request in ask.requests for turn in request.turns)


def test_another_picture_than_the_one_measured_is_not_shown(tmp_path: Path) -> None:
    media = picture(tmp_path)
    exact = Media(kind="image", path=media.path, sha256=sha256(tmp_path / media.path))
    other = Media(kind="image", path=media.path, sha256="0" * 64)
    kept = generate(
        tmp_path, [happy(id="exact", media=exact), happy(id="other", media=other)], Scripted(), "--pictures"
    )
    assert [one.id for one in kept] == ["exact"]
    assert rejected(tmp_path) == [("other", "bad_picture")]


def test_dry_run_counts_no_sample_without_its_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(
        tmp_path, [happy(id="a", media=picture(tmp_path)), happy(id="b", media=Media(kind="image", path="no.png"))]
    )
    assert main([str(source), "-o", str(tmp_path / "cot.jsonl"), *ASKED, "--pictures", "--dry-run"]) == 0
    assert "2 samples, 1 to be asked about; refused before that: bad_picture 1" in capsys.readouterr().out
