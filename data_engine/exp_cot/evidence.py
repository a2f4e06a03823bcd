"""Evidence: what a language model is told of a face before it describes it, as lines of text.

    tell_aus(view, "en")         "- AU12 (lip corner pulling): marked (C), 3.2 of 5, more on the left …"
    tell_events(view, "en")      "- AU12: from 0.4 s to 1.6 s, strongest at 0.9 s, marked (C)"

Nothing here knows a label. What others wrote, the transcript, is quoted such that it can order nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data_engine.exp_cot.chinese import NAMES
from data_engine.exp_cot.phrases import PHRASES
from data_engine.exp_cot.reading import quote
from data_engine.exp_cot.view import Sign, View, sign_of
from emollm import facs
from emollm.records import AU, AU_RANGE

HIGH = 0.3
"""A score of prosody is "high" above this (Richet et al., ABAW-7 2024: features of a voice model as words)."""
MAX_FEATURES = 20
"""Features of a voice that are told."""

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "none": "No action unit reaches a visible level.",
        "absent": "Measured, and clearly not there: {}.",
        "hidden": "Cannot be seen, so that nothing can be said about it: {}.",
        "of": "{} of {}",
        "probability": "likely, with a probability of {}",
        "presence": "present",
        "only": "on the {} side alone",
        "more": "more on the {} side",
        "left": "left",
        "right": "right",
        "event": "- {}: from {:.1f} s to {:.1f} s, strongest at {:.1f} s, then {}",
        "high": "high",
        "low": "low",
        "and": ", ",
        "nothing": "nothing is known",
    },
    "zh": {
        "none": "没有任何动作单元达到可见的程度。",
        "absent": "测量过且明显不存在：{}。",
        "hidden": "看不到，因此不能描述：{}。",
        "of": "{}（满分 {}）",
        "probability": "很可能存在，概率 {}",
        "presence": "存在",
        "only": "仅在{}侧",
        "more": "{}侧更强",
        "left": "左",
        "right": "右",
        "event": "- {}：从 {:.1f} 秒到 {:.1f} 秒，{:.1f} 秒时最强，最强时{}",
        "high": "高",
        "low": "低",
        "and": "、",
        "nothing": "未知",
    },
}
STRENGTHS = {"zh": {"A": "隐约", "B": "轻微", "C": "明显", "D": "强烈", "E": "极强"}}
REGIONS = {
    "zh": {
        **{"brows": "眉毛", "eyes": "眼睛", "nose": "鼻子", "cheeks": "脸颊", "mouth": "嘴", "chin": "下巴"},
        **{"jaw": "下颌", "neck": "颈部", "head": "头部", "shoulders": "肩部", "face": "面部"},
    }
}


def tell_aus(view: View, language: str) -> str:
    """Return the AUs of a face: those present with strength and side, those clearly absent, what is hidden."""
    words = WORDS[language]
    lines = [f"- {_name(sign.code, language)}: {_tell(sign, view.present[sign.code], words)}" for sign in view.signs]
    lines = lines or [words["none"]]
    if view.absent:
        lines.append(words["absent"].format(words["and"].join(_name(code, language) for code in view.absent)))
    if view.hidden:
        regions = REGIONS.get(language, {})
        lines.append(words["hidden"].format(words["and"].join(regions.get(one, one) for one in view.hidden)))
    return "\n".join(lines)


def tell_events(view: View, language: str) -> str:
    """Return what moves over a clip, in order of onset; blinks included."""
    words = WORDS[language]
    lines = []
    for event, au in view.courses:
        strength = _strength(sign_of(event.au, au, view.thresholds), au, words)
        name = _name(event.au, language)
        lines.append(words["event"].format(name, event.onset_s, event.offset_s, event.apex_s, strength))
    return "\n".join(lines) or words["none"]


def tell_prosody(prosody: Mapping[str, Any], language: str) -> str:
    """Return how something was said: words as they are, scores from 0 to 1 as high or low, never as numbers."""
    words = WORDS[language]
    told = []
    for name, value in list(prosody.items())[:MAX_FEATURES]:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            continue
        if not isinstance(value, str):
            value = words["high" if value > HIGH else "low"]
        told.append(f"- {quote(str(name).replace('_', ' '), 60)}: {quote(value, 100)}")
    return "\n".join(told) or words["nothing"]


def tell_transcript(text: str | None, language: str) -> str:
    """Return what was said, quoted; see `quote`."""
    return quote(text) if text and text.strip() else WORDS[language]["nothing"]


def _name(code: str, language: str) -> str:
    """Return the code with a phrase that the reader of claims knows."""
    said = NAMES.get(code, ())[:1] if language == "zh" else PHRASES[code].nouns[:1]
    phrase: Sequence[str] = said or (facs.UNITS[code].name.lower(),)
    return f"{facs.prose(code)} ({phrase[0]})" if phrase[0] != facs.prose(code) else facs.prose(code)


def _tell(sign: Sign, au: AU, words: Mapping[str, str]) -> str:
    told = [_strength(sign, au, words)]
    if sign.side or sign.stronger:
        told.append(words["only" if sign.side else "more"].format(words[sign.side or sign.stronger or ""]))
    return ", ".join(told)


def _strength(sign: Sign, au: AU, words: Mapping[str, str]) -> str:
    """Return how strong an action is, as far as its kind tells: only an intensity has a letter and a word."""
    if sign.strength is None:
        return words["presence" if au.kind == "presence" else "probability"].format(f"{au.value:.2f}")
    strengths = STRENGTHS["zh"] if words is WORDS["zh"] else {key: said[0] for key, said in facs.STRENGTH_WORDS.items()}
    value = words["of"].format(f"{au.value:.1f}", f"{AU_RANGE[au.kind]:g}")
    return f"{strengths[sign.strength]} ({sign.strength}), {value}"
