"""Texts that say the same: copies, and near-copies that differ in a word here and there.

    texts = Texts()
    texts.add("The brows are lowered.")
    texts.num_copies, texts.num_near

A fingerprint of 64 bits is taken of the pairs of neighbouring words (SimHash, Charikar 2002): near-copies differ in few
bits. Two are compared where one of four parts of 16 bits is the same, so that up to 3 bits may differ; of texts of
120 words with one word added, three in four are found.
"""

from __future__ import annotations

import re
from collections import Counter
from hashlib import blake2b
from itertools import pairwise

import numpy as np

MAX_BITS = 3
MAX_TEXTS = 100_000
"""Texts that are compared; further ones only count as copies of one another."""
MAX_BAND = 200
"""Texts with one band in common that a new one is compared with: short or very like texts all share theirs."""

_WORD = re.compile(r"\w+")


class Texts:
    """The texts of a file, without the texts."""

    def __init__(self) -> None:
        self.number = self.num_near = 0
        self._copies: Counter[bytes] = Counter()
        self._bands: list[dict[int, list[int]]] = [{} for _ in range(MAX_BITS + 1)]

    def add(self, text: str) -> None:
        """Take in a text. Case, punctuation and spaces make no difference."""
        self.number += 1
        words = _WORD.findall(text.lower())
        key = blake2b(" ".join(words).encode(), digest_size=16).digest()
        self._copies[key] += 1
        if self._copies[key] > 1 or self.number > MAX_TEXTS or not words:
            return
        bits = simhash(words)
        self.num_near += self._is_near(bits)
        for place, band in enumerate(self._bands):
            band.setdefault(bits >> 16 * place & 0xFFFF, []).append(bits)

    def _is_near(self, bits: int) -> bool:
        for place, band in enumerate(self._bands):
            for other in band.get(bits >> 16 * place & 0xFFFF, ())[-MAX_BAND:]:
                if (bits ^ other).bit_count() <= MAX_BITS:
                    return True
        return False

    @property
    def num_copies(self) -> int:
        """The number of texts that an earlier one has said already, word for word."""
        return self.number - len(self._copies)

    @property
    def most(self) -> int:
        """How often the most frequent text occurs."""
        return max(self._copies.values(), default=0)


def simhash(words: list[str]) -> int:
    """Return 64 bits that stay much the same where few words change. `words` is not empty."""
    pairs = {f"{one} {other}" for one, other in pairwise(words)} or set(words)
    digests = b"".join(blake2b(pair.encode(), digest_size=8).digest() for pair in sorted(pairs))
    votes = np.unpackbits(np.frombuffer(digests, dtype=np.uint8).reshape(-1, 8), axis=1).mean(axis=0)  # (64,)
    return int.from_bytes(np.packbits(votes > 0.5).tobytes(), "big")
