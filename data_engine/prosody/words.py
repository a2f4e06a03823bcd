"""Words: measures of a voice as they are told to who describes it.

    words_for(measures)     # {"voice": "heard for most of the clip", "pitch": "varies widely", "pauses": "some", …}

How high and how loud a voice is on the whole is no word here: the one tells who speaks, the other how the microphone
stood. What is told is how much both vary.
"""

from __future__ import annotations

from data_engine.prosody.measures import Measures

Steps = tuple[tuple[float, str], ...]
"""Words from the smallest measure up, each with the number that its measure stays below."""

MORE = float("inf")
VOICE: Steps = (
    (0.15, "heard for a small part of the clip"),
    (0.40, "heard for part of the clip"),
    (MORE, "heard for most of the clip"),
)
"""By the share that is voiced, which is about half in speech without a stop. Our convention."""
PITCH: Steps = ((3.0, "hardly varies"), (8.0, "varies"), (MORE, "varies widely"))
"""In semitones. Of what is less than 3 apart, nobody takes notice who listens to speech ('t Hart 1981, JASA 69); 8, two
thirds of an octave, is our convention."""
LOUDNESS: Steps = ((5.0, "hardly varies"), (10.0, "varies"), (MORE, "varies widely"))
"""In decibels. What is louder by 10 sounds twice as loud (Stevens 1955, JASA 27); 5 is our convention."""
SPEECH_RATE: Steps = ((3.5, "slow"), (5.5, "medium"), (MORE, "fast"))
"""In syllables a second, pauses left out. Our convention: ordinary talk has 4 to 5."""
PAUSES: Steps = ((0.02, "hardly any"), (0.25, "some"), (MORE, "many or long ones"))
"""By their share of the time. Our convention."""


def words_for(measures: Measures) -> dict[str, str]:
    """Return each feature with its words; what was not measured is left out."""
    told = {
        "voice": (measures.voiced, VOICE),
        "pitch": (measures.pitch_range_st, PITCH),
        "loudness": (measures.loudness_range_db, LOUDNESS),
        "speech rate": (measures.syllables_per_s, SPEECH_RATE),
        "pauses": (measures.paused, PAUSES),
    }
    return {name: _word(value, steps) for name, (value, steps) in told.items() if value is not None}


def _word(value: float, steps: Steps) -> str:
    return next(word for top, word in steps if value < top)
