"""The user's turn: what a vision-language model is asked, one wording pool for training, prediction and chat.

    ask("sections", "basic7")                  the three-section explanation
    ask("label", "basic7", variant=2)          the same question in other words
    ask("sections", "basic7", kind="video")    the same about a clip
    ask("sections", "basic7", language="zh")   the same for an answer in Chinese
    ask("sections", "basic7", kind=None, measured=measured_aus(face))    about a face that is not shown

Training draws a variant per sample, prediction uses variant 0. `prompt_hash()` goes into manifests, so
that a changed wording is visible.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Literal

import emollm.prompts_zh as prompts_zh
from emollm.errors import ConfigError, did_you_mean
from emollm.facs import EXPRESSIVE, UNITS, is_present, letter, prose, side
from emollm.labels import LABEL_SETS
from emollm.records import AU, Face, MediaKind, Sample

Language = Literal["en", "zh"]

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z0-9]+")

EVIDENCE = (
    "Look at the face and explain the expression.",
    "Which facial action units can you see, and what do they tell about the expression?",
    "Describe this face muscle by muscle, then say which expression it is consistent with.",
    "Read the facial expression step by step, from what is visible to what it may mean.",
)
LABEL = (
    "Which expression does the face show?",
    "Name the facial expression.",
    "What emotion is this expression consistent with?",
    "Classify the expression of this face.",
)
OBSERVE = (
    "Which facial action units can you see?",
    "Describe this face muscle by muscle.",
    "What do the brows, the eyes, the nose and the mouth of this face do?",
    "Say what moves in this face, how strongly and on which side.",
)
EVIDENCE_OF_CLIPS = (
    "Watch the face and explain the expression.",
    "Which facial action units can you see in this clip, and when, and what do they tell about the expression?",
    "Describe what moves in this face over the clip, then say which expression it is consistent with.",
    "Read the facial expression of this clip step by step, from what moves when to what it may mean.",
)
LABEL_OF_CLIPS = (
    "Which expression does the face show in this clip?",
    "Name the facial expression of this clip.",
    "What emotion is the expression in this clip consistent with?",
    "Classify the expression of the face in this clip.",
)
OBSERVE_CLIPS = (
    "Which facial action units can you see in this clip, and when?",
    "Describe what moves in this face over the clip.",
    "What do the brows, the eyes, the nose and the mouth of this face do over the clip?",
    "Say what moves in this clip of a face, when, how strongly and on which side.",
)
EVIDENCE_UNSEEN = (
    "Explain the expression of this face.",
    "What do these facial action units tell about the expression?",
    "Go through this face muscle by muscle, then say which expression it is consistent with.",
    "Read the facial expression step by step, from what was measured to what it may mean.",
)
OBSERVE_UNSEEN = (
    "Say what these facial action units look like.",
    "Describe the face that was measured muscle by muscle.",
    "What do the brows, the eyes, the nose and the mouth do in such a face?",
    "Say what moves in such a face, how strongly and on which side.",
)
FORMATS = {
    "sections": "Answer in three sections: **Key Observations**, **Overall Emotional Interpretation**, **Conclusion**.",
    "think": "Reason inside <think></think>, then give one word inside <answer></answer>.",
    "context": "Describe the scene inside <context></context>, reason inside <think></think>, "
    "then give one word inside <answer></answer>.",
    "label": "Answer with one word.",
    "labels": "Answer with every word that fits, separated by commas.",
    "prose": "Answer in plain sentences.",
    "observations": "Say only what can be seen, and name no emotion.",
}
"""The answer styles of `emollm.answers`, and two that only preference pairs ask for."""
CHOICES = "Choose from: {labels}."
MEASURED = "Measured in a face that is not shown: {aus}."
TRANSCRIPT = 'The person says: "{text}"'


def num_variants(style: str) -> int:
    """Return how many wordings of the question there are; for clips there are as many."""
    return len(wordings(style))


def ask(
    style: str,
    label_set: str | None = None,
    variant: int = 0,
    text: str | None = None,
    kind: MediaKind | None = "image",
    language: Language = "en",
    measured: str | None = None,
) -> str:
    """Return the question in an answer style, with the choices of the label set and the transcript, if any.

    Raises ConfigError for an unknown style or label set. `variant` counts modulo the pool; `kind` tells whether a
    picture or a clip is asked about, or, with None, the AUs that `measured` puts into words; `language` in which
    language the answer is. A bare label, and what is not shown, is asked for in English.
    """
    pool = wordings(style, kind, language)
    is_chinese = _is_chinese(style, kind, language)
    parts = [MEASURED.format(aus=measured)] if measured else []
    parts.append(pool[variant % len(pool)])
    if label_set is not None:
        if label_set not in LABEL_SETS:
            raise ConfigError(f"label set '{label_set}' is not known{did_you_mean(label_set, LABEL_SETS)}")
        choices = LABEL_SETS[label_set].labels
        if choices and style != "observations":
            parts.append((prompts_zh.CHOICES if is_chinese else CHOICES).format(labels=", ".join(choices)))
    if text:
        parts.append(tell_transcript(text, "zh" if is_chinese else "en"))
    parts.append(prompts_zh.FORMATS[style] if is_chinese else FORMATS[style])
    return ("" if is_chinese else " ").join(parts)


def language_of(sample: Sample) -> Language:
    """Return the language of a sample's explanation: a model that is asked in another learns to answer in any.

    English where there is no explanation.
    """
    return "zh" if sample.reasoning and is_chinese(sample.reasoning.observations) else "en"


def is_chinese(text: str) -> bool:
    """Tell whether a text has more Chinese characters than words and numbers in Latin letters, such as codes."""
    return len(_CHINESE.findall(text)) > len(_LATIN_WORD.findall(text))


def tell_transcript(text: str, language: Language = "en") -> str:
    """Return the sentence that tells what is being said."""
    return (prompts_zh.TRANSCRIPT if language == "zh" else TRANSCRIPT).format(text=text)


def _is_chinese(style: str, kind: MediaKind | None, language: Language) -> bool:
    return language == "zh" and kind is not None and style in prompts_zh.FORMATS


def measured_aus(face: Face) -> str | None:
    """Put the AUs of a face into words: `AU12 (lip corner puller, C); not there: AU4, AU15`. None where it has none.

    Only intensities have a letter of FACS. What was not measured, or is hidden, is not told.
    """
    hidden = face.hidden or ()
    aus = {code: au for code, au in sorted((face.aus or {}).items()) if code in EXPRESSIVE}
    seen = {code: au for code, au in aus.items() if UNITS[code].region not in hidden}
    if not seen:
        return None
    here = ", ".join(_told(code, au) for code, au in seen.items() if is_present(au)) or "nothing moves"
    absent = ", ".join(prose(code) for code, au in seen.items() if not is_present(au))
    return f"{here}; not there: {absent}" if absent else here


def _told(code: str, au: AU) -> str:
    """Return an AU as FACS writes it, with the strength and the one side where they are known."""
    strength = {"intensity": letter(au.value), "probability": "likely"}.get(au.kind)
    return f"{prose(code)} ({', '.join(filter(None, (UNITS[code].name.lower(), strength, side(au))))})"


def wordings(style: str, kind: MediaKind | None = "image", language: Language = "en") -> tuple[str, ...]:
    """Return the questions of a style, without what `ask` adds: choices, transcript and the form of the answer."""
    if style not in FORMATS:
        raise ConfigError(
            f"answer style '{style}' is not known{did_you_mean(style, FORMATS)}; one of {', '.join(FORMATS)}"
        )
    if _is_chinese(style, kind, language):
        of_stills, of_clips = (
            (prompts_zh.OBSERVE, prompts_zh.OBSERVE_CLIPS)
            if style == "observations"
            else (prompts_zh.EVIDENCE, prompts_zh.EVIDENCE_OF_CLIPS)
        )
        return of_clips if kind == "video" else of_stills
    of_stills, of_clips, unseen = {
        "label": (LABEL, LABEL_OF_CLIPS, LABEL),
        "labels": (LABEL, LABEL_OF_CLIPS, LABEL),
        "observations": (OBSERVE, OBSERVE_CLIPS, OBSERVE_UNSEEN),
    }.get(style, (EVIDENCE, EVIDENCE_OF_CLIPS, EVIDENCE_UNSEEN))
    if kind is None:
        return unseen
    return of_clips if kind == "video" else of_stills


def prompt_hash() -> str:
    """Return a short digest of every wording, in all languages."""
    pools = [EVIDENCE, LABEL, OBSERVE, EVIDENCE_OF_CLIPS, LABEL_OF_CLIPS, OBSERVE_CLIPS]
    pools += [EVIDENCE_UNSEEN, OBSERVE_UNSEEN]
    zh = prompts_zh
    pools += [zh.EVIDENCE, zh.OBSERVE, zh.EVIDENCE_OF_CLIPS, zh.OBSERVE_CLIPS]
    others = [MEASURED, FORMATS, CHOICES, TRANSCRIPT, zh.FORMATS, zh.CHOICES, zh.TRANSCRIPT]
    texts = json.dumps([*pools, *others], sort_keys=True)
    return hashlib.sha256(texts.encode()).hexdigest()[:16]
