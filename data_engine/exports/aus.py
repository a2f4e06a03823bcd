"""AUs of a sample: what its face shows, by the thresholds that its text was written with.

    codes = list(shown_aus(sample))         # ["AU06", "AU12"]

Files and card count the same AUs as present that the text was checked against.
"""

from __future__ import annotations

from emollm.cards.origin import thresholds_of
from emollm.facs import is_present, present
from emollm.records import AU, AU_RANGE, Face, Sample
from emollm.scoring import clip_events, main_face


def shown_aus(sample: Sample, face: Face | None = None) -> dict[str, AU]:
    """Return the AUs that are present in the sample's face, or in the given one, in the order of their numbers."""
    face = face or main_face(sample)
    return present(face, thresholds_of(sample)) if face is not None else {}


def moved_aus(sample: Sample) -> list[str]:
    """Return the AUs that are present at some time of a clip: at its peak, or in one of its events."""
    shown = shown_aus(sample)
    face = main_face(sample)
    measured = face.aus or {} if face is not None else {}
    thresholds = thresholds_of(sample)
    moved = set(shown)
    for event in clip_events(sample):
        au = measured.get(event.au)
        if au is not None and is_present(AU(value=min(event.peak, AU_RANGE[au.kind]), kind=au.kind), thresholds):
            moved.add(event.au)
    return sorted(moved)
