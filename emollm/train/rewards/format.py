"""Format: does the completion have exactly the parts of its style?"""

from __future__ import annotations

import re

from emollm.train.rewards.heard import Heard

_ITEM = re.compile(r"[-*\u2022\u2013]|\d{1,2}[.)]")
"""How an item of a list begins."""


def well_formed(heard: Heard) -> float:
    """Return 1 for a completion that is well formed in the style asked for, none of its parts broken off, else 0.

    R1-Omni (2025) and Facial-R1 match the tags alone; here each part must hold a word, and one label must be given.
    """
    answer = heard.answer
    prose = {"sections": (answer.observations, answer.interpretation), None: (answer.answer,)}
    parts = prose.get(answer.style, (answer.context, answer.think))
    return float(heard.score.well_formed and not any(_is_broken_off(part) for part in parts if part))


def _is_broken_off(part: str) -> bool:
    """Tell whether a text ends in a word, without a stop; items of a list may."""
    last = part.strip().rpartition("\n")[2].lstrip()
    return last[-1:].isalpha() and not _ITEM.match(last)
