"""Clips for tests: a peak face and events around it, drawn at random."""

from __future__ import annotations

import random

from emollm import facs
from emollm.records import AU, AU_RANGE, Event, Face, Media, Sample

AUS = [f"AU{number:02d}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)]
SECONDS = 4.0
PEAK_S = 1.5


def made_clip(number: int, kind: str = "intensity", label: str | None = None) -> Sample:
    """Return a clip in which what is there at the peak has an event around it, and other things come and go."""
    rng = random.Random(f"{number}/{kind}")
    present = set(rng.sample(AUS, rng.choice((0, 1, 2, 2, 3, 4))))
    aus = {code: _au(rng, kind, code in present) for code in AUS}
    events = [_around_peak(rng, code, aus[code]) for code in sorted(present)]
    events += [_somewhere(rng, code, kind) for code in rng.sample(AUS, rng.randint(0, 3)) if code not in present]
    events += [_somewhere(rng, "AU45", kind, 0.2) for _ in range(rng.randint(0, 3))]
    one_sided = [code for code in present if rng.random() < 0.15]
    for code in one_sided:
        aus[code] = AU(value=aus[code].value, kind=aus[code].kind, left=aus[code].value, right=0.0)
    return Sample(
        id=f"clip{number}",
        media=Media(kind="video", path=f"clip{number}.mp4"),
        faces=[Face(time_s=PEAK_S, aus=aus, hidden=rng.choice((None, None, None, ["mouth"], ["eyes", "brows"])))],
        events=sorted(events, key=lambda event: event.onset_s),
        label=label,
        provenance={"faces": {"seconds": SECONDS}},
    )


def _au(rng: random.Random, kind: str, is_present: bool) -> AU:
    value = rng.uniform(facs.THRESHOLDS[kind], AU_RANGE[kind]) if is_present and kind != "presence" else is_present
    return AU(value=round(float(value), 2), kind=kind)


def _around_peak(rng: random.Random, code: str, au: AU) -> Event:
    onset_s = rng.choice((0.0, 0.9, rng.uniform(0.1, PEAK_S - 0.1)))
    offset_s = rng.choice((SECONDS, 2.4, rng.uniform(PEAK_S + 0.1, SECONDS)))
    return Event(au=code, onset_s=onset_s, apex_s=PEAK_S, offset_s=offset_s, peak=au.value)


def _somewhere(rng: random.Random, code: str, kind: str, length_s: float = 1.2) -> Event:
    onset_s = rng.uniform(0, SECONDS - length_s)
    apex_s = onset_s + rng.uniform(0, length_s / 2)
    peak = 1.0 if kind == "presence" else rng.uniform(facs.THRESHOLDS[kind], AU_RANGE[kind])
    return Event(au=code, onset_s=onset_s, apex_s=apex_s, offset_s=apex_s + rng.uniform(0.1, length_s / 2), peak=peak)
