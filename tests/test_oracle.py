"""The oracle: errors as often as asked, nothing that FACS excludes, nothing of the truth lost."""

from __future__ import annotations

import random
from collections import Counter
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_engine.detectors.oracle import CONFUSED, SPURIOUS, Noise, disturb, parse_noise
from data_engine.faces.actions import DRAWN_CODES
from emollm.errors import ConfigError, SourceError
from emollm.facs import THRESHOLDS, UNITS, excluded
from emollm.records import AU, Detector, Event, Face, Region, Sample, decode, encode

NUM = 2000
PRESENT = THRESHOLDS["intensity"]
ALONE = [code for code in DRAWN_CODES if code not in ("AU05", "AU24", "AU25", "AU26", "AU27", "AU28", "AU34", "AU43")]
"""AUs that exclude nothing, so that errors about them are never held back."""


def face(aus: dict[str, AU], hidden: list[Region] | None = None) -> Face:
    """A face as the renderer tells it: every AU measured, those that are not there as 0."""
    absent = {code: AU(value=0.0, kind="intensity") for code in DRAWN_CODES}
    return Face(box=(1.0, 2.0, 30.0, 40.0), aus=absent | aus, hidden=hidden, detector=Detector(name="renderer"))


def random_face(rng: random.Random) -> Face:
    aus = {}
    for code in rng.sample(DRAWN_CODES, rng.randint(0, 6)):
        left = round(rng.uniform(0.0, 5.0), 3)
        right = round(rng.uniform(0.0, 5.0), 3) if rng.random() < 0.3 else left
        sided = {"left": left, "right": right} if right != left else {}
        au = {code: AU(value=max(left, right), kind="intensity", **sided)}
        if not excluded({name: each.value for name, each in (aus | au).items()}):
            aus |= au
    return face(aus)


@cache
def faces() -> list[Sample]:
    rng = random.Random(1)
    return [Sample(id=f"face-{place}", faces=[random_face(rng)], label="anger") for place in range(NUM)]


def told(sample: Sample) -> dict[str, AU]:
    assert sample.faces is not None
    return sample.faces[0].aus or {}


def is_there(au: AU) -> bool:
    return au.value >= PRESENT


def test_no_noise_is_the_truth() -> None:
    for sample in faces()[:200]:
        found = disturb(sample, Noise())
        assert told(found) == told(sample)
        assert (found.id, found.label) == (sample.id, sample.label)


def test_the_truth_stays_and_the_detector_is_named() -> None:
    sample = faces()[0]
    before = encode(sample)
    found = disturb(sample, Noise(drop=1.0, jitter=0.5), seed=3)
    assert encode(sample) == before, "the given sample is not touched"
    kept = (found.provenance or {})["oracle"]
    assert msgspec.convert(kept["truth"]["faces"], list[Face]) == sample.faces
    assert (kept["noise"], kept["seed"]) == ("drop=1,jitter=0.5", 3)
    assert found.faces is not None
    [seen] = found.faces
    assert seen.detector is not None
    assert (seen.detector.name, seen.detector.weights) == ("oracle", "drop=1,jitter=0.5;seed=3")
    assert seen.box == (1.0, 2.0, 30.0, 40.0)
    assert encode(decode(encode(found), Sample)) == encode(found)


def test_the_same_seed_and_sample_give_the_same_errors() -> None:
    noise = Noise(0.3, 0.1, 0.5, 0.3)
    first = [told(disturb(sample, noise, seed=5)) for sample in faces()[:100]]
    assert first == [told(disturb(sample, noise, seed=5)) for sample in reversed(faces()[:100])][::-1]
    assert first != [told(disturb(sample, noise, seed=6)) for sample in faces()[:100]]


def test_hidden_aus_are_not_measured() -> None:
    masked = face({"AU12": AU(value=3.0, kind="intensity"), "AU04": AU(value=2.0, kind="intensity")}, ["mouth", "chin"])
    found = told(disturb(Sample(id="a", faces=[masked]), Noise(spurious=0.5)))
    assert found["AU04"].value == 2.0
    assert not {UNITS[code].region for code in found} & {"mouth", "chin"}


@pytest.mark.parametrize("rate", [0.1, 0.4])
def test_aus_are_dropped_as_often_as_asked(rate: float) -> None:
    num: Counter[bool] = Counter()
    for sample in faces():
        found = told(disturb(sample, Noise(drop=rate)))
        num.update(is_there(found[code]) for code, au in told(sample).items() if is_there(au))
        assert all(found[code] == au for code, au in told(sample).items() if not is_there(au))
    assert num[False] / num.total() == pytest.approx(rate, abs=0.02)


@pytest.mark.parametrize("rate", [0.02, 0.2])
def test_aus_are_invented_as_often_as_asked(rate: float) -> None:
    num: Counter[bool] = Counter()
    for sample in faces():
        found = told(disturb(sample, Noise(spurious=rate)))
        num.update(is_there(found[code]) for code in ALONE if not is_there(told(sample)[code]))
        invented = [found[code].value for code, au in told(sample).items() if found[code] != au]
        assert all(SPURIOUS[0] <= value <= SPURIOUS[1] for value in invented)
    assert num[True] / num.total() == pytest.approx(rate, abs=0.01)


def test_intensities_jitter_as_far_as_asked() -> None:
    shifts = []
    for sample in faces():
        found = told(disturb(sample, Noise(jitter=0.3)))
        assert all(found[code].value == 0.0 for code, au in told(sample).items() if au.value == 0.0)
        # Away from the ends of the scale, where nothing is cut off, and from the exclusions.
        shifts += [found[code].value - au.value for code, au in told(sample).items() if 1.5 < au.value < 3.5]
    mean = sum(shifts) / len(shifts)
    assert mean == pytest.approx(0.0, abs=0.02)
    assert (sum((shift - mean) ** 2 for shift in shifts) / len(shifts)) ** 0.5 == pytest.approx(0.3, abs=0.02)


def test_pairs_are_confused_as_often_as_asked() -> None:
    num: Counter[str] = Counter()
    for sample in faces():
        before, after = told(sample), told(disturb(sample, Noise(confuse=0.25)))
        first, second = CONFUSED[0]
        if before[first] != before[second]:
            swapped = (after[first], after[second]) == (before[second], before[first])
            assert swapped or (after[first], after[second]) == (before[first], before[second])
            num.update(["swapped" if swapped else "kept"])
        assert all(
            after[code] == au for code, au in before.items() if code not in {c for pair in CONFUSED for c in pair}
        )
    assert num["swapped"] / num.total() == pytest.approx(0.25, abs=0.03)


rates = st.floats(0.0, 1.0)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, NUM - 1), st.integers(), rates, rates, st.floats(0.0, 3.0), rates)
def test_no_error_makes_a_pair_that_facs_excludes(
    place: int, seed: int, drop: float, spurious: float, jitter: float, confuse: float
) -> None:
    found = told(disturb(faces()[place], Noise(drop, spurious, jitter, confuse), seed))
    assert excluded({code: au.value for code, au in found.items()}) == []
    assert found.keys() == told(faces()[place]).keys()


def test_an_impossible_pair_of_the_truth_is_left_as_it_is() -> None:
    both = face({code: AU(value=3.0, kind="intensity") for code in ("AU26", "AU27")})
    found = told(disturb(Sample(id="a", faces=[both]), Noise()))
    assert (found["AU26"].value, found["AU27"].value) == (3.0, 3.0)


def test_events_follow_their_aus() -> None:
    smile = AU(value=3.0, kind="intensity")
    events = [
        Event(au="AU12", onset_s=0.0, apex_s=1.0, offset_s=2.0, peak=3.0),
        Event(au="AU06", onset_s=0.0, apex_s=1.0, offset_s=2.0, peak=2.0),
        Event(au="AU45", onset_s=3.0, apex_s=3.1, offset_s=3.2, peak=5.0),
        Event(au="AU04", onset_s=5.0, apex_s=5.5, offset_s=6.0, peak=4.0),
    ]
    moments = face({"AU12": smile, "AU06": AU(value=2.0, kind="intensity")})
    sample = Sample(id="a", faces=[moments], events=events)
    assert disturb(sample, Noise()).events == events
    assert [event.au for event in disturb(sample, Noise(confuse=1.0)).events or ()] == ["AU12", "AU07", "AU45", "AU04"]
    # AU45 is not measured in the face at the peak, so nothing is said of it.
    assert [event.au for event in disturb(sample, Noise(drop=1.0)).events or ()] == ["AU45"]
    moments.hidden = ["mouth"]
    assert [event.au for event in disturb(sample, Noise()).events or ()] == ["AU06", "AU45", "AU04"]
    assert disturb(Sample(id="a", faces=[moments]), Noise()).events is None


@pytest.mark.parametrize(
    ("text", "noise"),
    [
        ("", Noise()),
        ("none", Noise()),
        ("drop=0.1,jitter=0.3", Noise(drop=0.1, jitter=0.3)),
        (" spurious = .5 , confuse=1 ", Noise(spurious=0.5, confuse=1.0)),
    ],
)
def test_noise_is_read_and_written(text: str, noise: Noise) -> None:
    assert parse_noise(text) == noise
    assert parse_noise(str(noise)) == noise


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dorp=0.1", "--noise: unknown 'dorp'; did you mean 'drop'?; write drop=…,spurious=…,jitter=…,confuse=…"),
        ("drop", "--noise: drop= is no number"),
        ("drop=much", "--noise: drop=much is no number"),
        ("drop=1.5", "--noise: drop=1.5 is outside 0 to 1"),
        ("drop=nan", "--noise: drop=nan is outside 0 to 1"),
        ("jitter=-1", "--noise: jitter=-1 is outside 0 to 5"),
        ("drop=0.1,drop=0.2", "--noise: drop is given twice"),
        ("drop=0.1,", "--noise: unknown ''"),
    ],
)
def test_noise_that_cannot_be_read_is_told_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_noise(text)
    assert str(error.value).startswith(says)
    assert "\n" not in str(error.value)


def test_faces_without_exact_aus_are_refused() -> None:
    with pytest.raises(SourceError, match=r"^a: has no AUs to disturb; the oracle needs samples of emollm faces$"):
        disturb(Sample(id="a", faces=[Face()]), Noise())
    guessed = Face(aus={"AU12": AU(value=0.7, kind="probability")})
    with pytest.raises(SourceError, match=r"^a: AU12 is a probability; the oracle needs the exact intensities"):
        disturb(Sample(id="a", faces=[guessed]), Noise())
