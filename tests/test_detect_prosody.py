"""The prosody of samples: joined from a file or measured from sound by `emollm detect`, and told to a teacher."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detecting import SQUARE, Run, picture, run_media, save, table, use_squares
from made_sounds import clip, silence, syllables, tone, vibrato
from PIL import Image
from scripted_teacher import Scripted

from data_engine.generate import main as generate
from data_engine.media import sound as sounds
from emollm.errors import ConfigError, MissingExtraError, SourceError
from emollm.records import Sample

LIVELY = np.concatenate((vibrato(6.0, 2.0), silence(0.6), vibrato(6.0, 2.0)))


@pytest.fixture(autouse=True)
def _squares(monkeypatch: pytest.MonkeyPatch) -> None:
    use_squares(monkeypatch)


def faces(*others: tuple[int, int, int, int], num: int = 12) -> list[Image.Image]:
    """A clip of a face whose AU12 rises; `others` are in all frames, too."""
    return [picture((5, 40, 15 * place, 0), *others) for place in range(num)]


def prosody(sample: Sample) -> dict[str, Any] | None:
    return (sample.provenance or {}).get("prosody")


def voices(folder: Path, *rows: str, header: str = "file,Sarcasm,pitch") -> Path:
    path = folder / "voices.csv"
    path.write_text("\n".join((header, *rows)) + "\n", "utf-8")
    return path


# --- from a file ------------------------------------------------------------------------------------------------------


def test_features_are_joined_with_clips_as_labels_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip(tmp_path / "clips" / "one" / "a.mp4", faces(), None)
    save(tmp_path / "clips" / "b.png", SQUARE)
    save(tmp_path / "clips" / "c.png", SQUARE)
    file = voices(tmp_path, "one/a.mp4,0.41,rising", "b,,low", "x,0.2,low", "y,0.2,low")
    found = run_media(tmp_path, tmp_path / "clips", "--prosody", file, "--workers", "1")
    told = {sample.id: prosody(sample) for sample in found.samples}
    assert told == {"b": {"pitch": "low"}, "c": None, "one/a": {"Sarcasm": 0.41, "pitch": "rising"}}
    assert found.manifest["prosody_without_clip"] == {"num": 2, "first": ["x", "y"]}
    assert found.manifest["clips_without_prosody"] == {"num": 1, "first": ["c"]}
    assert {"voices.csv"} == set(found.manifest["inputs"])
    err = capsys.readouterr().err
    assert "2 clips with features are not here: x, y" in err
    assert "1 clips have no features: c" in err
    again = run_media(tmp_path, tmp_path / "clips", "--prosody", file, "--workers", "1", "--overwrite", "--limit", "1")
    assert "prosody_without_clip" not in again.manifest


def test_clips_of_an_au_file_are_found_by_what_it_calls_them(tmp_path: Path) -> None:
    au = table(tmp_path / "au" / "all.csv", "C:/data/one.mp4,1,1\ntwo,1,1\n", "clip,frame,AU12_r\n")
    found = Run(tmp_path, au, "--prosody", voices(tmp_path, "one.mp4,0.1,low", "two.wav,0.2,high", "all,0.3,low"))
    assert [prosody(sample) for sample in found.samples] == [
        {"Sarcasm": 0.1, "pitch": "low"},
        {"Sarcasm": 0.2, "pitch": "high"},
    ]


def test_of_several_people_the_main_one_has_the_features(tmp_path: Path) -> None:
    clip(tmp_path / "a.mp4", faces((90, 50, 51, 0)), None)
    arguments = (tmp_path / "a.mp4", "--prosody", voices(tmp_path, "a,0.4,low"))
    first = run_media(tmp_path, *arguments)
    assert [prosody(sample) is not None for sample in first.samples] == [True, False]
    again = Run(tmp_path / "again", first.path, "--media-root", tmp_path, *arguments[1:])
    assert [prosody(sample) is not None for sample in again.samples] == [True, False]


def test_samples_of_a_data_set_are_given_features_and_keep_what_they_had(tmp_path: Path) -> None:
    lines = []
    for name in ("a", "b"):
        save(tmp_path / "pictures" / f"{name}.png", SQUARE)
        media = {"kind": "image", "path": f"pictures/{name}.png"}
        provenance = {"import": {"dataset": "MER"}, "prosody": {"pitch": "known"}}
        lines.append({"id": f"set/{name}", "media": media, "label": "sadness", "provenance": provenance})
    samples = tmp_path / "set.jsonl"
    samples.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    found = run_media(tmp_path, samples, "--prosody", voices(tmp_path, "a.wav,0.4,low"))
    assert [prosody(sample) for sample in found.samples] == [{"Sarcasm": 0.4, "pitch": "low"}, {"pitch": "known"}]
    assert {(sample.provenance or {})["import"]["dataset"] for sample in found.samples} == {"MER"}
    assert all(sample.faces for sample in found.samples)


def test_a_number_outside_its_scale_stops_the_run_before_it_begins(tmp_path: Path) -> None:
    save(tmp_path / "a.png", SQUARE)
    file = voices(tmp_path, "a,0.4,low", "b,41,low")
    with pytest.raises(SourceError, match=r"voices\.csv:3:Sarcasm: 41 is outside 0 to 1; write a number from 0 to"):
        run_media(tmp_path, tmp_path / "a.png", "--prosody", file)
    assert not (tmp_path / "out").exists()


def test_a_run_goes_on_with_the_same_features_and_not_with_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b", "c"):
        save(tmp_path / "photos" / f"{name}.png", SQUARE)
    arguments = (tmp_path / "photos", "--prosody", voices(tmp_path, "a,0.1,low", "c,0.3,low"))
    whole = run_media(tmp_path, *arguments)
    written = whole.path.read_bytes()
    whole.path.write_bytes(written.splitlines(keepends=True)[0])
    capsys.readouterr()
    again = run_media(tmp_path, *arguments)
    assert again.path.read_bytes() == written
    assert again.manifest["clips_without_prosody"] == {"num": 1, "first": ["b"]}
    assert again.manifest["prosody_without_clip"] == {"num": 0, "first": []}
    for others in (("--prosody", "audio"), ()):
        with pytest.raises(ConfigError, match="was made otherwise"):
            run_media(tmp_path, tmp_path / "photos", *others)


# --- from sound -------------------------------------------------------------------------------------------------------


def test_the_voice_of_a_clip_is_told_in_words_with_the_numbers_beside_them(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", faces(), LIVELY)
    [sample] = run_media(tmp_path, path, "--prosody", "audio").samples
    assert prosody(sample) == {
        "voice": "heard for most of the clip",
        "pitch": "varies widely",
        "pauses": "some",
    }
    measured = (sample.provenance or {})["sound"]
    assert (measured["num_pauses"], measured["pitch_hz"]) == (1, pytest.approx(200.0, rel=0.05))


def test_clips_that_have_no_voice_are_counted_by_the_reason(tmp_path: Path) -> None:
    clip(tmp_path / "clips" / "dumb.mp4", faces(), None)
    clip(tmp_path / "clips" / "quiet.mp4", faces(), silence(1.2))
    clip(tmp_path / "clips" / "two.mp4", faces((90, 50, 51, 0)), LIVELY)
    clip(tmp_path / "clips" / "voice.mp4", faces(), LIVELY)
    frames = faces()
    frames[0].save(tmp_path / "clips" / "film.gif", save_all=True, append_images=frames[1:], duration=100)
    save(tmp_path / "clips" / "photo.png", SQUARE)
    found = run_media(tmp_path, tmp_path / "clips", "--prosody", "audio", "--workers", "1")
    assert [sample.id for sample in found.samples if prosody(sample)] == ["voice"]
    counts = found.manifest["counts"]
    assert {name: num for name, num in counts.items() if "clips" in name} == {
        "clips without sound": 2,
        "clips without a voice": 1,
        "clips of several people, not listened to": 1,
    }
    assert found.code == 0


def test_sound_that_cannot_be_read_is_said_and_the_sample_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = clip(tmp_path / "a.mp4", faces(), LIVELY)

    def damaged(path: Path) -> None:
        raise SourceError(f"{path}: its sound is damaged; replace it")

    monkeypatch.setattr(sounds, "open_sound", damaged)
    found = run_media(tmp_path, path, "--prosody", "audio")
    assert (found.ids, found.manifest["counts"]["clips whose sound cannot be read"]) == (["a"], 1)
    assert "warning: " in (err := capsys.readouterr().err)
    assert "a.mp4: its sound is damaged" in err


def test_a_clip_is_heard_once_and_not_again_when_a_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    def listen(path: Path) -> Any:
        heard.append(path.name)
        return iter([LIVELY])

    monkeypatch.setattr(sounds, "open_sound", listen)
    for name in ("a", "b"):
        clip(tmp_path / "clips" / f"{name}.mp4", faces(), None)
    arguments = (tmp_path / "clips", "--prosody", "audio", "--frames", "all", "--workers", "1")
    found = run_media(tmp_path, *arguments)
    assert heard == ["a.mp4", "b.mp4"]
    assert len({str(prosody(sample)) for sample in found.samples}) == 1
    of_a = [line for line in found.path.read_bytes().splitlines(keepends=True) if b'"a#' in line]
    found.path.write_bytes(b"".join(of_a))
    run_media(tmp_path, *arguments)
    assert heard == ["a.mp4", "b.mp4", "b.mp4"]


def test_the_clip_that_an_au_file_is_about_is_heard(tmp_path: Path) -> None:
    clip(tmp_path / "clips" / "a.mp4", faces(), syllables(7.0, 20))
    rows = "".join(f"{name},{frame},1\n" for name in ("a.mp4", "gone.mp4") for frame in (1, 2))
    au = table(tmp_path / "au.csv", rows, "clip,frame,AU12_r\n")
    arguments = (au, "--prosody", "audio", "--media-root", tmp_path / "clips")
    found = Run(tmp_path, *arguments)
    assert [(prosody(sample) or {}).get("speech rate") for sample in found.samples] == ["fast", None]
    assert found.manifest["counts"]["clips that are not here to be heard"] == 1


def test_clips_of_samples_are_heard(tmp_path: Path) -> None:
    first = run_media(tmp_path, clip(tmp_path / "a.mp4", faces(), tone(200.0, 1.5)))
    again = Run(tmp_path / "again", first.path, "--prosody", "audio", "--media-root", tmp_path)
    [sample] = again.samples
    assert prosody(sample) == {"voice": "heard for most of the clip", "pitch": "hardly varies", "pauses": "hardly any"}


def test_without_the_video_extra_sound_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    save(tmp_path / "a.png", SQUARE)
    with pytest.raises(MissingExtraError, match=r"--prosody audio needs .* pip install 'emollm\[video\]'"):
        run_media(tmp_path, tmp_path / "a.png", "--prosody", "audio")


def test_the_oracle_hears_nothing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        Run(tmp_path, tmp_path, "--detector", "oracle", "--prosody", "audio")


# --- to the end -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["audio", "voices.csv"])
def test_a_teacher_is_told_how_it_sounds(tmp_path: Path, source: str) -> None:
    path = clip(tmp_path / "a.mp4", faces(), LIVELY)
    labels = table(tmp_path / "labels.csv", "a,happy\n", "name,label\n")
    given = source if source == "audio" else voices(tmp_path, "a.wav,0.41,goes up at the end")
    found = run_media(tmp_path, path, "--labels", labels, "--label-set", "basic7", "--prosody", given)
    ask = Scripted()
    generate([str(found.path), "-o", str(tmp_path / "cot.jsonl"), "--teacher", "openai", "--model", "m"], ask=ask)
    prompt = ask.prompts("describe")[0]
    if source == "audio":
        assert "- voice: heard for most of the clip\n- pitch: varies widely\n- pauses: some" in prompt
        assert "200" not in prompt
    else:
        assert "- pitch: goes up at the end" in prompt
        assert "Sarcasm" not in prompt
