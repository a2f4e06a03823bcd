"""Words: the labels that a sample gives, and how labels read in a sentence.

given(sample)                       # ("anger",), or every word of `labels` where there is no `label`
say(("anger", "frustrated"))        # "anger and the description 'frustrated'"
"""

from __future__ import annotations

from collections.abc import Sequence

from data_engine.exp_cot.describe import join
from emollm.labels import COMPOUND_PARTS, canonical
from emollm.records import Sample


def label_word(sample: Sample) -> str | None:
    """Return the label as the data set has it, or the one that most of its annotators gave."""
    if sample.label is None and sample.soft:
        return max(sample.soft, key=sample.soft.__getitem__)
    return sample.label or None


def given(sample: Sample) -> tuple[str, ...]:
    """Return the words that the text has to end with: the label, or where there is none the whole of `labels`."""
    word = label_word(sample)
    return (word,) if word else tuple(sample.labels or ())


def is_free(label: str) -> bool:
    """Tell whether a label is a word of the open vocabulary that no closed set knows."""
    return canonical(label) is None


def say(labels: Sequence[str], last: str = "and") -> str:
    """Return labels as they read after "consistent with"; free words are quoted, as their grammar is not known."""
    phrases = [_say_known(label) for label in labels if not is_free(label)]
    if free := [f"'{label}'" for label in labels if is_free(label)]:
        phrases.append(f"the description{'s' if len(free) > 1 else ''} {join(free, last)}")
    return join(phrases, last)


def _say_known(label: str) -> str:
    if label == "neutral":
        return "a neutral state"
    if label in CLASSES:
        return f"the class '{label}'"
    if label in ADJECTIVES:
        return f"{'an' if label[0] in 'aeiou' else 'a'} {label} expression"
    return label


CLASSES = frozenset({"other", "no ambivalence"})
"""Labels that are the name of a class and no more; they are quoted."""

ADJECTIVES = frozenset((*COMPOUND_PARTS, "positive", "negative", "worried", "appalled", "awed"))
"""Labels that are no nouns."""
