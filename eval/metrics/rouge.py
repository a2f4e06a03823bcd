"""ROUGE: how many words, pairs of words and words in order an explanation shares with the gold description.

    overlap(words_of("The brows are lowered."), words_of("Lowered brows."))    # Rouge(one=…, two=…, longest=…), 0 to 1

F of ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004) as the package rouge-score computes it with its stemmer, which is what
FEA-20K (Facial-R1) and FABA report; the implementation is our own, so that it costs no package and runs with every
score, and tests hold it to the package's digits. The package drops every letter but a to z; here a Chinese character is
a word too, which changes nothing where there is none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from eval.metrics.stemmer import stem

_WORD = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]")
_MIN_STEMMED = 4
"""Letters; shorter words stay as they are."""


class Rouge(NamedTuple):
    """F of the three, 0 to 1."""

    one: float
    two: float
    longest: float


def words_of(text: str) -> list[str]:
    """Return the words of a text in small letters, those of at least four letters as their stems."""
    return [stem(word) if len(word) >= _MIN_STEMMED else word for word in _WORD.findall(text.lower())]


def overlap(gold: Sequence[str], said: Sequence[str]) -> Rouge:
    """Return the F scores of two lists of words; 0 where nothing is shared."""
    pairs = [Counter(pairwise(words)) for words in (gold, said)]
    return Rouge(
        _f((Counter(gold) & Counter(said)).total(), len(gold), len(said)),
        _f((pairs[0] & pairs[1]).total(), pairs[0].total(), pairs[1].total()),
        _f(common_subsequence(gold, said), len(gold), len(said)),
    )


def common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest common subsequence, a row of bits at a time (Hyyrö 2004)."""
    places: dict[str, int] = {}
    for place, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << place
    all_bits = (1 << len(first)) - 1
    row = all_bits  # a 0 at a place: the subsequence grows by the word there
    for word in second:
        matches = row & places.get(word, 0)
        row = (row + matches | row - matches) & all_bits
    return len(first) - row.bit_count()


def _f(both: int, num_gold: int, num_said: int) -> float:
    """Return the harmonic mean of precision and recall; 0 where nothing is shared."""
    return 2 * both / (num_gold + num_said) if both else 0.0
