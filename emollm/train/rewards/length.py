"""Length and repetition: enough words, not too many, and not the same ones again."""

from __future__ import annotations

from emollm.train.rewards.heard import Heard

NGRAM = 4
FREE = 0.1
"""The share of repeated 4-grams that costs nothing: a sound text names an AU once to describe and once to read it."""


def length(heard: Heard) -> float | None:
    """Return 1 for a completion whose words are in the band, 0 to 1 outside; None where only labels were asked for.

    Below the band it is the share of the band's start that is there; above, it falls in a line to 0 at twice the band's
    end. Tags are no words.
    """
    if not heard.asks_for_text:
        return None
    fewest, most = heard.band
    num_words = len(heard.words)
    if num_words < fewest:
        return num_words / fewest
    return 1.0 if num_words <= most else max(0.0, 2 - num_words / most)


def no_repetition(heard: Heard) -> float:
    """Return 1 for a text that hardly repeats itself, falling in a line to 0 where every 4-gram is a repeat.

    The share of repeats is one minus the distinct 4-grams over all (distinct-n of Li et al. 2016); a tenth is free.
    A text without a word gets 0.
    """
    words = heard.words
    num_grams = len(words) - NGRAM + 1
    if num_grams < 1:
        return float(bool(words))
    repeated = 1 - len(set(zip(*(words[first:] for first in range(NGRAM)), strict=False))) / num_grams
    return 1 - max(0.0, repeated - FREE) / (1 - FREE)
