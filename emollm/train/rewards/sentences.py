"""Sentences: how much of the reasoning speaks for the gold emotion, sentence by sentence.

The form is `think_step` of ERV (2025). Its classifier is a network; ours is a lexicon and the prototypes of FACS, so
the values are others.
"""

from __future__ import annotations

import re
from functools import lru_cache

from emollm.answers.given import last_label
from emollm.claims import named_aus
from emollm.facs import CODEBOOKS
from emollm.labels import canonical
from emollm.records import AU
from emollm.train.rewards.heard import Heard

MAX_LABELS = 2
"""How many emotions a sentence may speak for, as in ERV; one that names more speaks for none."""

FITS = 0.5
"""The score from which AUs alone speak for an emotion; see `Codebook.rank`."""

_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*|\n+")


def think_step(heard: Heard) -> float | None:
    """Return the share of sentences that speak for the gold label, 0 to 1.

    Of all sentences where the gold is neutral, else of those that speak for any emotion; the same sentence counts once.
    0 without such a sentence; None without a gold label, or where no reasoning was asked for.

    It can be gamed, as published: the sentence "This fits sadness." earns 1, by itself or behind denials of every AU.
    Gold texts, in which one action unit may speak for another emotion, earn 0.98 in the mean of 200 rendered faces and
    0.6 at the least. It is no reason to look at the face; pay `claims` or `au_f1` beside it.
    """
    gold = heard.score.label_gold
    if gold is None or not heard.asks_for_thought:
        return None
    spoken = [emotions(sentence, heard.label_set) for sentence in dict.fromkeys(_END.split(heard.thought.strip()))]
    if gold != "neutral":
        spoken = [labels for labels in spoken if labels != ("neutral",)]
    matches = sum(gold in labels for labels in spoken) if heard.thought.strip() else 0
    return matches / len(spoken) if spoken else 0.0


def emotions(sentence: str, label_set: str | None) -> tuple[str, ...]:
    """Return the emotions a sentence speaks for: those it names, else those of the AUs it names, else neutral.

    Empty where it names more than two.
    """
    label_set = None if label_set == "open" else label_set
    named = last_label(sentence, label_set)[1]
    if named:
        return named if len(named) <= MAX_LABELS else ()
    labels = (canonical(label, label_set) for label in _shown(frozenset(named_aus(sentence))))
    return tuple(label for label in labels if label) or ("neutral",)


@lru_cache(maxsize=4096)
def _shown(aus: frozenset[str]) -> tuple[str, ...]:
    """Return the emotions whose prototypes fit a set of AUs, the best first."""
    present = {code: AU(value=1.0, kind="presence") for code in aus}
    matches = CODEBOOKS["emfacs"].rank(present, aus)[:MAX_LABELS]
    return tuple(match.label for match in matches if match.score >= FITS)
