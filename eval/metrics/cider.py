"""CIDEr: the runs of words that explanation and gold description share, weighed by how rare they are in the gold.

    cider = Cider(map(plain_words, golds))      # the gold descriptions of all samples tell what is rare
    cider.score(plain_words(gold), plain_words(said))    # 0 to 10; NaN where there is one description only

CIDEr-D of Vedantam et al. 2015 (eq. 2 to 4, with the clipping and the length penalty of section 5), which is what
papers print as CIDEr: for runs of 1 to 4 words the cosine of tf-idf vectors, clipped where the explanation repeats
itself, times exp(-(difference in length)² / (2 · 6²)); ten times the mean of the four. Published figures split words
with a Java tokenizer that keeps "well-known" whole and cuts "don't" into "do n't"; here words are runs of letters and
digits, and a Chinese character is a word.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

Run = tuple[str, ...]

LONGEST = 4
SIGMA = 6.0
_SCALE = 10.0
_WORD = re.compile(r"[^\W_\u4e00-\u9fff]+|[\u4e00-\u9fff]")


def plain_words(text: str) -> list[str]:
    """Return the words of a text in small letters, as they are written."""
    return _WORD.findall(text.lower())


class Cider:
    """Scores against gold descriptions that tell how rare each run of words is."""

    def __init__(self, golds: Iterable[Sequence[str]]) -> None:
        self._num_golds = 0
        self._found_in: Counter[Run] = Counter()
        """How many gold descriptions hold a run."""
        for gold in golds:
            self._num_golds += 1
            for length in range(1, LONGEST + 1):
                self._found_in.update(set(_runs(gold, length)))

    def score(self, gold: Sequence[str], said: Sequence[str]) -> float:
        """Return 0 to 10; NaN where fewer than two descriptions are known, for then no run is rarer than another."""
        if self._num_golds < 2:
            return math.nan
        penalty = math.exp(-((len(gold) - len(said)) ** 2) / (2 * SIGMA**2))
        cosines = [self._cosine(gold, said, length) for length in range(1, LONGEST + 1)]
        return _SCALE * penalty * sum(cosines) / LONGEST

    def _cosine(self, gold: Sequence[str], said: Sequence[str], length: int) -> float:
        there, here = (self._weigh(words, length) for words in (gold, said))
        shared = sum(min(weight, there[run]) * there[run] for run, weight in here.items() if run in there)
        norm = math.hypot(*there.values()) * math.hypot(*here.values())
        return shared / norm if norm else 0.0

    def _weigh(self, words: Sequence[str], length: int) -> dict[Run, float]:
        counts = Counter(_runs(words, length))
        return {run: num * math.log(self._num_golds / max(1, self._found_in[run])) for run, num in counts.items()}


def _runs(words: Sequence[str], length: int) -> Iterable[Run]:
    return zip(*(words[start:] for start in range(length)), strict=False)
