"""The user's turn: what a vision-language model is asked, one wording pool for training, prediction and chat.

    ask("sections", "basic7")            the three-section explanation
    ask("label", "basic7", variant=2)    the same question in other words

Training draws a variant per sample, prediction uses variant 0. `prompt_hash()` goes into manifests, so
that a changed wording is visible.
"""

from __future__ import annotations

import hashlib
import json

from emollm.errors import ConfigError, did_you_mean
from emollm.labels import LABEL_SETS

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
FORMATS = {
    "sections": "Answer in three sections: **Key Observations**, **Overall Emotional Interpretation**, **Conclusion**.",
    "think": "Reason inside <think></think>, then give one word inside <answer></answer>.",
    "context": "Describe the scene inside <context></context>, reason inside <think></think>, "
    "then give one word inside <answer></answer>.",
    "label": "Answer with one word.",
    "labels": "Answer with every word that fits, separated by commas.",
}
CHOICES = "Choose from: {labels}."
TRANSCRIPT = 'The person says: "{text}"'


def num_variants(style: str) -> int:
    """Return how many wordings of the question there are."""
    return len(_pool(style))


def ask(style: str, label_set: str | None = None, variant: int = 0, text: str | None = None) -> str:
    """Return the question in an answer style, with the choices of the label set and the transcript, if any.

    Raises ConfigError for an unknown style or label set. `variant` counts modulo the pool.
    """
    pool = _pool(style)
    parts = [pool[variant % len(pool)]]
    if label_set is not None:
        if label_set not in LABEL_SETS:
            raise ConfigError(f"label set '{label_set}' is not known{did_you_mean(label_set, LABEL_SETS)}")
        choices = LABEL_SETS[label_set].labels
        if choices:
            parts.append(CHOICES.format(labels=", ".join(choices)))
    if text:
        parts.append(TRANSCRIPT.format(text=text))
    parts.append(FORMATS[style])
    return " ".join(parts)


def _pool(style: str) -> tuple[str, ...]:
    if style not in FORMATS:
        raise ConfigError(
            f"answer style '{style}' is not known{did_you_mean(style, FORMATS)}; one of {', '.join(FORMATS)}"
        )
    return LABEL if style in ("label", "labels") else EVIDENCE


def prompt_hash() -> str:
    """Return a short digest of every wording in this module."""
    texts = json.dumps([EVIDENCE, LABEL, FORMATS, CHOICES, TRANSCRIPT], sort_keys=True)
    return hashlib.sha256(texts.encode()).hexdigest()[:16]
