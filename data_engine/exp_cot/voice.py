"""The voice: which of its features may be told to who describes it. Only what is known to be acoustic is.

    acoustic({"pitch": "rising", "ang": 0.9, "jitterLocal_sma3nz_amean": 0.2})    # without "ang"

Models of voices score emotions beside loudness and pitch, under names and codes that no list of emotions holds whole
("Craving", "ang", "prob_3"): each would be the label by another way. So every word of a name, and of a value, has to be
one of these. They are those of openSMILE's eGeMAPS (Eyben et al. 2016), of Praat and of our own measures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_FEATURES = """
pitch intonation tone loudness volume intensity energy rms power amplitude speech speaking articulation voice voiced
unvoiced voicing pause pauses silence silences jitter shimmer formant formants spectral spectrum cepstral mfcc hnr nhr
cpp harmonicity harmonics syllable syllables tempo rhythm rate pace speed hammarberg alpha sound breathiness creakiness
hoarseness nasality roughness frequency bandwidth slope flux zcr 音高 音调 语调 响度 音量 能量 语速 停顿 声音 节奏
"""
FEATURES = frozenset(_FEATURES.split())
"""Words one of which the name of a feature has to hold."""
_MEASURES = """
mean amean median average min max minimum maximum range std stddev sd var variance variation variability norm percentile
pctl pctlrange quantile iqr total count num number per sec second seconds s ms hz khz db st semitone semitones level
contour index ratio length duration segment segments peaks share part local rap ppq apq ddp log rel relative acf from
equivalent p v uv sma nz rising falling of the and in to a
"""
_VALUES = """
high higher low lower medium middle moderate normal average raised rising rises falling falls flat level even uneven
steady stable constant varied varies varying variable widely hardly barely little some many much few more most less no
none any slow slower fast faster quick rapid loud louder quiet quieter soft softer weak strong short shorter long longer
frequent rare often ones or very rather slightly clearly strongly is are with for clip heard small large wide narrow
monotone monotonous breathy creaky hoarse nasal rough whispered clear increasing decreasing gradually
sudden abrupt brief goes going up down at start beginning end
高 低 中 中等 较高 较低 快 慢 较快 较慢 上升 下降 平稳 变化大 变化小 多 少 长 短 大 小 强 弱
"""
WORDS = FEATURES | frozenset(_MEASURES.split())
"""Words that may stand beside these in a name."""
VALUES = WORDS | frozenset(_VALUES.split())
"""Words that the value of a feature may hold."""

_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])")
_DECIBEL = re.compile(r"dB(?=[A-Zp_\W]|$)")
_FORMANT = re.compile(r"(?<![a-z])[fh]\d")
_WORD = re.compile(r"[^\W\d_]+")


def acoustic(prosody: Mapping[str, Any]) -> dict[str, Any]:
    """Return the features of a voice of which every word is known to be acoustic; numbers are no words."""
    return {name: value for name, value in prosody.items() if is_name(str(name)) and _is_value(value)}


@lru_cache(maxsize=1024)
def is_name(name: str) -> bool:
    """Tell whether a name is that of an acoustic feature: "speech rate", "F0semitoneFrom27.5Hz_sma3nz_amean"."""
    words = _words(name)
    return WORDS.issuperset(words) and not FEATURES.isdisjoint(words)


def _is_value(value: object) -> bool:
    return not isinstance(value, str) or VALUES.issuperset(_words(value))


def _words(text: str) -> list[str]:
    """Return the words of a name: "jitterLocal" and "voice_rate" have two."""
    spaced = _CAMEL.sub(" ", _DECIBEL.sub(" db ", text)).lower()
    return _WORD.findall(_FORMANT.sub(" formant ", spaced))
