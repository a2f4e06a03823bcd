"""Prosody: what is measured of sounds that are known, and the words for it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from detecting import SQUARE, picture
from made_sounds import clip, noise, silence, syllables, tone, vibrato

from data_engine.exp_cot.responsible import emotions_in, find_irresponsible
from data_engine.media.sound import BLOCK_S, RATE, Sound, open_sound
from data_engine.prosody import words
from data_engine.prosody.contours import contours_of
from data_engine.prosody.measures import Measures, measure, peaks
from data_engine.prosody.words import words_for
from emollm.errors import SourceError


def measured(*sounds: Sound) -> Measures:
    found = measure(contours_of([np.concatenate(sounds)]))
    assert found is not None
    return found


def told(*sounds: Sound) -> dict[str, str]:
    return words_for(measured(*sounds))


# --- pitch ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hz", [80.0, 110.0, 163.0, 220.0, 333.0, 480.0])
def test_pitch_of_a_tone_is_found(hz: float) -> None:
    assert measured(tone(hz, 1.0)).pitch_hz == pytest.approx(hz, rel=0.005)


@pytest.mark.parametrize("hz", [90.0, 200.0, 300.0])
def test_pitch_is_that_of_the_whole_and_of_no_part(hz: float) -> None:
    rich = sum((tone(hz * number, 1.0, 0.1 * strength) for number, strength in enumerate((1, 3, 2, 3, 1), start=1)))
    assert isinstance(rich, np.ndarray)
    found = measured(rich)
    assert (found.pitch_hz, found.pitch_range_st) == (pytest.approx(hz, rel=0.005), pytest.approx(0.0, abs=0.1))


@pytest.mark.parametrize(("semitones", "says"), [(0.5, "hardly varies"), (3.0, "varies"), (6.0, "varies widely")])
def test_range_of_pitch_is_that_of_the_vibrato(semitones: float, says: str) -> None:
    sound = vibrato(semitones)
    # A sine spends four fifths of its time within sin(0.4 π) of its height.
    assert measured(sound).pitch_range_st == pytest.approx(2.0 * np.sin(0.4 * np.pi) * semitones, rel=0.05)
    assert told(sound)["pitch"] == says


def test_high_and_low_voices_that_vary_alike_are_told_alike() -> None:
    assert told(vibrato(4.0, hz=110.0)) == told(vibrato(4.0, hz=260.0))


# --- loudness, syllables, pauses --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("per_s", "says"), [(2.5, "slow"), (4.5, "medium"), (7.0, "fast")])
def test_syllables_are_counted(per_s: float, says: str) -> None:
    sound = syllables(per_s, 20)
    assert measured(sound).syllables_per_s == pytest.approx(per_s, rel=0.05)
    assert told(sound)["speech rate"] == says


def test_rate_leaves_out_pauses() -> None:
    found = measured(syllables(4.0, 12), silence(2.0), syllables(4.0, 12))
    assert found.syllables_per_s == pytest.approx(4.0, rel=0.05)


def test_bursts_that_are_no_voice_are_no_syllables() -> None:
    knocks = [part for _ in range(6) for part in (noise(0.1), silence(0.1))]
    assert measured(tone(150.0, 1.0), silence(0.1), *knocks).syllables_per_s is None


@pytest.mark.parametrize(("louder_db", "says"), [(0.0, "hardly varies"), (7.0, "varies"), (14.0, "varies widely")])
def test_loudness_is_compared_from_syllable_to_syllable(louder_db: float, says: str) -> None:
    sound = syllables(4.0, 20, louder_db=louder_db)
    assert measured(sound).loudness_range_db == pytest.approx(louder_db, abs=0.5)
    assert told(sound)["loudness"] == says


def test_how_near_the_microphone_stood_changes_no_word() -> None:
    sound = np.concatenate((syllables(4.0, 12), silence(0.5), vibrato(5.0, 1.0)))
    far = (0.1 * sound).astype(np.float32)
    assert told(sound) == told(far)
    assert measured(sound).loudness_db == pytest.approx((measured(far).loudness_db or 0.0) + 20.0, abs=0.1)


def test_silences_within_are_pauses_where_they_are_long() -> None:
    parts = (tone(200.0, 1.0), silence(0.6), tone(200.0, 1.0), silence(0.15), tone(200.0, 1.0))
    found = measured(silence(1.0), *parts, silence(2.0))
    assert found.num_pauses == 1
    assert found.paused == pytest.approx(0.6 / 3.75, abs=0.02)
    assert found.voiced == pytest.approx(3.0 / 6.75, abs=0.02)
    assert found.seconds == pytest.approx(6.75, abs=0.05)


@pytest.mark.parametrize(
    ("pause_s", "says"), [(0.0, "hardly any"), (0.4, "some"), (2.0, "many or long ones")], ids=["none", "short", "long"]
)
def test_pauses_are_told_by_their_share(pause_s: float, says: str) -> None:
    assert told(tone(200.0, 2.0), silence(pause_s), tone(200.0, 2.0))["pauses"] == says


@pytest.mark.parametrize(("silent_s", "says"), [(0.5, "most"), (4.0, "part"), (20.0, "a small part")])
def test_how_long_a_voice_is_heard_is_told_by_the_clip(silent_s: float, says: str) -> None:
    assert told(tone(200.0, 2.0), silence(silent_s))["voice"] == f"heard for {says} of the clip"


@pytest.mark.parametrize(
    "sound",
    [silence(0.0), silence(0.01), silence(3.0), noise(3.0), tone(200.0, 0.3), tone(200.0, 3.0, level=0.0005)],
    ids=["nothing", "less than a frame", "silence", "noise", "a short tone", "what nobody hears"],
)
def test_no_voice_has_no_measures(sound: Sound) -> None:
    assert measure(contours_of([sound])) is None


def test_one_long_vowel_says_nothing_of_syllables() -> None:
    assert set(told(tone(200.0, 2.0))) == {"voice", "pitch", "pauses"}


def test_numbers_that_are_none_change_nothing_but_their_frames() -> None:
    broken = tone(200.0, 2.0)
    broken[100:110] = (np.nan, np.inf, -np.inf, 1e30, *[0.0] * 6)
    assert measured(broken).pitch_hz == pytest.approx(200.0, rel=0.005)


def test_peaks_lie_between_dips() -> None:
    assert list(peaks(np.array([0.0, 3.0, 2.0, 4.0, 1.0, 2.5, 0.0, 5.0]), 2.0)) == [3, 7]
    assert list(peaks(np.array([5.0, 0.0, 1.0]), 2.0)) == []


# --- words ------------------------------------------------------------------------------------------------------------


def test_no_word_names_an_emotion_or_tells_of_the_person() -> None:
    told_in = {name: steps for name, steps in vars(words).items() if name.isupper() and isinstance(steps, tuple)}
    assert set(told_in) == {"VOICE", "PITCH", "LOUDNESS", "SPEECH_RATE", "PAUSES"}
    for name, steps in told_in.items():
        for _, word in steps:
            assert not emotions_in(f"{name}: {word}")
            assert not find_irresponsible(f"The {name.lower()}: {word}.", "observations", "en")


# --- blocks and files -------------------------------------------------------------------------------------------------


def test_blocks_of_any_length_give_the_same() -> None:
    sound = np.concatenate((vibrato(4.0, 2.0), silence(0.5), syllables(4.0, 8)))
    whole = contours_of([sound])
    for length in (7, 80, 333, 8000):
        parts = contours_of(sound[start : start + length] for start in range(0, len(sound), length))
        np.testing.assert_allclose(parts.loudness, whole.loudness, atol=1e-6)
        np.testing.assert_allclose(parts.pitch, whole.pitch, rtol=1e-6)


def test_blocks_are_let_go() -> None:
    alive: list[weakref.ref[Sound]] = []

    def blocks() -> Iterator[Sound]:
        for _ in range(10):
            block = tone(200.0, 1.0)
            alive.append(weakref.ref(block))
            yield block
            del block
            assert sum(one() is not None for one in alive) <= 2

    contours_of(blocks())


def test_sound_of_a_clip_is_read_in_blocks_at_one_rate(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", [picture(SQUARE)] * 3, tone(220.0, 2.5 * BLOCK_S, rate=44_100), rate=44_100)
    sound = open_sound(path)
    assert sound is not None
    blocks = list(sound)
    assert [round(len(block) / RATE) for block in blocks] == [BLOCK_S, BLOCK_S, BLOCK_S // 2]
    found = measured(*blocks)
    assert (found.pitch_hz, found.num_pauses) == (pytest.approx(220.0, rel=0.005), 0)


def test_clip_without_sound_has_none(tmp_path: Path) -> None:
    assert open_sound(clip(tmp_path / "a.mp4", [picture(SQUARE)] * 3, None)) is None


def test_what_is_no_clip_is_said(tmp_path: Path) -> None:
    pytest.importorskip("av")
    (tmp_path / "a.mp4").write_text("hello " * 100)
    with pytest.raises(SourceError, match=r"a\.mp4: cannot be read as a video"):
        open_sound(tmp_path / "a.mp4")
