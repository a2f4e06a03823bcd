from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_engine.faces import FaceSpec, render
from data_engine.faces.door import EXAMPLES, main, parser, plan_from
from data_engine.faces.expressions import EXPRESSIBLE, express
from data_engine.faces.film.shots import spec_of
from data_engine.faces.masks import read_masks
from data_engine.faces.plan import Plan
from data_engine.faces.sheet import FACE, GAP, MARGIN, caption, contact_sheet, varied
from emollm.errors import ConfigError, MissingExtraError
from emollm.facs import excluded, letter
from emollm.records import AU, Event, Face, Media, Sample, decode, encode, read_records

# --- Expressions


@pytest.mark.parametrize("label", sorted(EXPRESSIBLE))
def test_expressions_of_a_label_can_be_drawn_and_exclude_nothing(label: str) -> None:
    for seed in range(40):
        aus = express(label, np.random.default_rng(seed))
        FaceSpec(aus=aus)
        assert excluded({code: float(np.max(value)) for code, value in aus.items()}) == []


def test_happiness_is_drawn_with_au12() -> None:
    drawn = [express("happiness", np.random.default_rng(seed)) for seed in range(30)]
    assert all(letter(float(np.max(aus["AU12"]))) in {"B", "C", "D", "E"} for aus in drawn)
    assert len({round(float(np.max(aus["AU12"])), 3) for aus in drawn}) > 20


def test_typical_contempt_is_one_sided() -> None:
    aus = express("contempt", np.random.default_rng(0), typical=True)
    assert set(aus) == {"AU12", "AU14"}
    assert all(isinstance(value, tuple) and min(value) == 0 for value in aus.values())


def test_typical_neutral_is_empty() -> None:
    assert express("neutral", np.random.default_rng(0), typical=True) == {}


# --- Plans


def test_a_sample_is_a_valid_record_that_draws_its_picture_again() -> None:
    plan = Plan(seed=4, label_set="basic8", difficulty="hard", size=48, splits={"train": 0.5, "test": 0.5})
    for index in range(16):
        spec, sample = plan.draw(index)
        again = decode(encode(sample), Sample)
        assert encode(again) == encode(sample)
        assert spec_of(again) == spec


def test_splits_share_no_identity() -> None:
    plan = Plan(label_set="basic7", identities=(100, 130), splits={"train": 0.6, "dev": 0.1, "test": 0.3})
    subjects: dict[str | None, set[str | None]] = {}
    for index in range(150):
        sample = plan.draw(index)[1]
        subjects.setdefault(sample.split, set()).add(sample.subject)
    assert set(subjects) == {"train", "dev", "test"}
    assert sum(map(len, subjects.values())) == len(set.union(*subjects.values()))
    assert len(subjects["train"]) > len(subjects["dev"])


def test_labels_are_drawn_in_turn() -> None:
    labels = [Plan(label_set="basic7").draw(index)[1].label for index in range(14)]
    assert (
        sorted(map(str, labels[:7]))
        == sorted(map(str, labels[7:]))
        == sorted(["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger"])
    )


def test_easy_faces_look_ahead_and_hard_ones_aside() -> None:
    def yaws(difficulty: str) -> list[float]:
        return [abs(Plan(difficulty=difficulty).draw(index)[0].yaw) for index in range(40)]

    assert max(yaws("easy")) < 0.25
    assert min(yaws("hard")) >= 0.45


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_set": "basic9"}, "did you mean 'basic7'|did you mean 'basic8'"),
        ({"label_set": "mafw11"}, "helplessness"),
        ({"label": "anger"}, "label 'anger' needs the label set"),
        ({"label_set": "basic7", "label": "angr"}, "'angr' is not of 'basic7'; did you mean 'anger'"),
        ({"difficulty": "harder"}, "difficulty 'harder' is unknown; did you mean 'hard'"),
        ({"label_set": "open"}, "any word"),
        ({"splits": {"train": 0.5, "test": 0.6}}, "sum to 1"),
        ({"identities": (5, 6), "splits": {"train": 0.5, "test": 0.5}}, "too few"),
        ({"size": 4}, "16 to 2048 pixels"),
        ({"size": 9999999}, "16 to 2048 pixels"),
        ({"seed": -1}, "seed is -1"),
    ],
    ids=[
        "unknown set",
        "set that cannot be drawn",
        "no set",
        "other label",
        "difficulty",
        "open set",
        "shares",
        "few people",
        "small",
        "huge",
        "seed",
    ],
)
def test_a_plan_refuses_what_cannot_work(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Plan(**options)  # type: ignore[arg-type]


# --- The command

COMMAND = ["--num", "9", "--labels", "basic7", "--size", "32", "--split", "train=0.7,test=0.3", "--workers", "1"]


def test_the_command_writes_pictures_records_and_a_sheet(tmp_path: Path) -> None:
    assert main([str(tmp_path), *COMMAND]) == 0
    samples = list(read_records(tmp_path / "samples.jsonl", Sample))
    assert len(samples) == 9
    assert {sample.label_set for sample in samples} == {"basic7"}
    for sample in samples:
        assert sample.media is not None
        with Image.open(tmp_path / sample.media.path) as picture:
            assert np.array_equal(np.asarray(picture), render(spec_of(sample), 32))
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width == 8 * FACE + 7 * GAP + 2 * MARGIN
    manifest = json.loads((tmp_path / "samples.manifest.json").read_text())
    assert manifest["identities"] == {"train": [0, 1400], "test": [1400, 2000]}


def test_a_rerun_goes_on_and_draws_again_only_what_is_missing(tmp_path: Path) -> None:
    main([str(tmp_path), *COMMAND])
    kept, lost = tmp_path / "images" / "face-0-000001.png", tmp_path / "images" / "face-0-000002.png"
    before, content = kept.stat().st_mtime_ns, lost.read_bytes()
    lost.unlink()
    assert main([str(tmp_path), *COMMAND, "--num", "11"]) == 0
    assert kept.stat().st_mtime_ns == before
    assert lost.read_bytes() == content
    assert len(list(read_records(tmp_path / "samples.jsonl", Sample))) == 11


def test_workers_change_nothing(tmp_path: Path) -> None:
    arguments = ["--num", "40", "--size", "24", "--seed", "7"]
    main([str(tmp_path / "one"), *arguments, "--workers", "1"])
    main([str(tmp_path / "two"), *arguments, "--workers", "2"])
    one, two = ((tmp_path / name / "samples.jsonl").read_bytes() for name in ("one", "two"))
    assert one == two


def test_other_options_need_overwrite(tmp_path: Path) -> None:
    main([str(tmp_path), *COMMAND])
    with pytest.raises(ConfigError, match="--overwrite"):
        main([str(tmp_path), *COMMAND, "--seed", "1"])
    assert main([str(tmp_path), *COMMAND, "--seed", "1", "--overwrite"]) == 0


def test_jpegs_on_request(tmp_path: Path) -> None:
    main([str(tmp_path), "--num", "1", "--size", "32", "--format", "jpg", "--emotion", "happy"])
    sample = next(read_records(tmp_path / "samples.jsonl", Sample))
    assert (sample.label, sample.label_set) == ("happiness", "basic7")
    assert [path.suffix for path in (tmp_path / "images").iterdir()] == [".jpg"]


def test_a_compound_is_labelled_in_its_own_set(tmp_path: Path) -> None:
    main([str(tmp_path), "--num", "1", "--size", "32", "--compound", "happily_surprised"])
    sample = next(read_records(tmp_path / "samples.jsonl", Sample))
    assert (sample.label, sample.label_set) == ("happily surprised", "du22")


@pytest.mark.parametrize(("option", "word"), [("--emotion", "hunger"), ("--compound", "happily hungry")])
def test_an_unknown_emotion_is_named_with_the_known_ones(option: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{option}: '{word}'"):
        main([str(tmp_path), "--num", "1", option, word])


@pytest.mark.parametrize(
    "arguments",
    [["--seed", "-1"], ["--size", "9999999"], ["--size", "15"], ["--size", "²"], ["--identities", f"0:{10**20}"]],
    ids=" ".join,
)
def test_a_number_that_nothing_can_be_drawn_with_is_a_usage_error(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([str(tmp_path / "faces"), "--num", "1", *arguments])
    assert stop.value.code == 2
    assert not (tmp_path / "faces").exists()


def test_the_examples_of_the_help_are_real() -> None:
    commands = [line.split("       ")[0] for line in EXAMPLES.splitlines()[1:]]
    for command in commands:
        plan_from(parser().parse_args(shlex.split(command)[2:]))
    assert len(commands) >= 5


# --- Clips

CLIPS = [
    "--num",
    "3",
    "--labels",
    "basic7",
    "--video",
    "--seconds",
    "1",
    "--fps",
    "10",
    "--size",
    "32",
    "--workers",
    "1",
]


def test_clips_have_events_and_the_frames_they_say(tmp_path: Path) -> None:
    assert main([str(tmp_path), *CLIPS]) == 0
    samples = list(read_records(tmp_path / "samples.jsonl", Sample))
    for sample in samples:
        assert sample.media is not None
        assert sample.faces is not None
        assert (sample.media.kind, sample.media.path) == ("video", f"clips/{sample.id}.webp")
        assert sample.faces[0].time_s == pytest.approx((sample.faces[0].frame or 0) / 10)
        with Image.open(tmp_path / sample.media.path) as clip:
            assert (clip.n_frames, clip.size) == (10, (32, 32))
    assert [bool(sample.events) for sample in samples] == [sample.label != "neutral" for sample in samples]
    manifest = json.loads((tmp_path / "samples.manifest.json").read_text())
    assert manifest["counts"]["events"] == sum(len(sample.events or ()) for sample in samples)


def test_equal_seeds_give_equal_clips_on_any_number_of_cores(tmp_path: Path) -> None:
    arguments = [*CLIPS, "--people", "2", "--seed", "7"]
    main([str(tmp_path / "one"), *arguments])
    main([str(tmp_path / "two"), *arguments, "--workers", "2"])
    for name in ("samples.jsonl", "clips/clip2-7-000002.webp"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_rerun_draws_only_the_clips_that_are_missing(tmp_path: Path) -> None:
    main([str(tmp_path), *CLIPS])
    kept, lost = tmp_path / "clips" / "clip-0-000000.webp", tmp_path / "clips" / "clip-0-000001.webp"
    before, content = kept.stat().st_mtime_ns, lost.read_bytes()
    lost.unlink()
    assert main([str(tmp_path), *CLIPS, "--num", "4"]) == 0
    assert kept.stat().st_mtime_ns == before
    assert lost.read_bytes() == content
    assert [sample.id for sample in read_records(tmp_path / "samples.jsonl", Sample)] == [
        f"clip-0-00000{number}" for number in range(4)
    ]


def test_a_format_that_does_not_fit_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a clip is no jpg"):
        main([str(tmp_path / "faces"), *CLIPS, "--format", "jpg"])
    assert not (tmp_path / "faces").exists()


def test_the_length_of_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="add --video"):
        main([str(tmp_path / "faces"), "--num", "1", "--seconds", "2"])


def test_mp4_without_its_package_is_said_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError):
        main([str(tmp_path), *CLIPS, "--format", "mp4"])
    assert not list(tmp_path.glob("clips/*"))


# --- Masks


def test_masks_are_written_beside_the_pictures_and_drawn_again_where_missing(tmp_path: Path) -> None:
    arguments = [str(tmp_path), "--num", "2", "--emotion", "happiness", "--masks", "--size", "48", "--workers", "1"]
    main(arguments)
    sample = next(read_records(tmp_path / "samples.jsonl", Sample))
    path = tmp_path / (sample.provenance or {})["faces"]["masks"]
    assert "AU12" in read_masks(path)
    path.unlink()
    main(arguments)
    assert path.exists()


def test_the_masks_of_a_clip_are_those_of_its_peak(tmp_path: Path) -> None:
    main([str(tmp_path), *CLIPS, "--num", "2", "--masks"])
    _, smile = read_records(tmp_path / "samples.jsonl", Sample)
    assert smile.faces is not None
    masks = read_masks(tmp_path / "masks" / f"{smile.id}.png")
    assert {code for code, au in (smile.faces[0].aus or {}).items() if au.value > 0} >= set(masks) > set()


# --- The sheet


def some(label: str, subject: str) -> Sample:
    return Sample(id=f"{label}-{subject}", label=label, subject=subject)


def test_a_sheet_shows_every_label_and_other_people_first() -> None:
    samples = [*[some("anger", "ann")] * 5, some("anger", "bob"), some("fear", "ann"), some("fear", "cid")]
    chosen = [(sample.label, sample.subject) for sample in varied(samples, 4)]
    assert chosen == [("anger", "ann"), ("fear", "cid"), ("anger", "bob"), ("fear", "ann")]
    assert len(varied(samples, 99)) == len(samples)


def test_a_caption_names_letters_and_times() -> None:
    face = Face(time_s=1.0, aus={"AU12": AU(value=4.0, kind="intensity"), "AU06": AU(value=3.1, kind="intensity")})
    events = [
        Event(au="AU12", onset_s=0.43, apex_s=0.9, offset_s=2.0, peak=4.0),
        Event(au="AU45", onset_s=0.9, apex_s=1.0, offset_s=1.1, peak=5.0),
        Event(au="AU12", onset_s=2.5, apex_s=2.7, offset_s=3.0, peak=5.0),
    ]
    assert caption(Sample(id="a", label="happiness", faces=[face])) == ("happiness", "6C+12D")
    assert caption(Sample(id="a", subject="ann", faces=[face], events=events)) == ("ann", "6C+12D  0.4 to 2.0 s")
    assert caption(Sample(id="a", faces=[Face(aus={})])) == ("a", "no AU")


def test_a_clip_is_a_strip_of_onset_apex_and_offset(tmp_path: Path) -> None:
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 250)]
    first, *rest = [Image.new("RGB", (64, 64), colour) for colour in colours]
    first.save(tmp_path / "a.webp", save_all=True, append_images=rest, duration=500, lossless=True)
    face = Face(time_s=1.0, aus={"AU12": AU(value=4.0, kind="intensity")})
    event = Event(au="AU12", onset_s=0.5, apex_s=1.0, offset_s=1.5, peak=4.0)
    sample = Sample(id="a", media=Media(kind="video", path="a.webp"), faces=[face], events=[event])
    sheet = contact_sheet([sample], tmp_path)
    seen = [sheet.getpixel((MARGIN + FACE // 2 + place * FACE, MARGIN + FACE // 2)) for place in range(3)]
    assert seen == colours[1:]
    assert max(sheet.getpixel((MARGIN, MARGIN))) < 40


def test_in_the_studio_nothing_covers_the_face() -> None:
    plan = Plan(difficulty="studio", label_set="basic7")
    drawn = [plan.draw(index) for index in range(40)]
    assert not any(sample.faces[0].hidden for _, sample in drawn if sample.faces)
    assert all(abs(spec.yaw) < 0.2 and spec.backdrop is None and spec.occluder is None for spec, _ in drawn)
