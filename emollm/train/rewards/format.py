"""Format: does the completion have exactly the parts of its style?"""

from __future__ import annotations

from emollm.train.rewards.heard import Heard


def well_formed(heard: Heard) -> float:
    """Return 1 for a completion that is well formed in the style asked for, none of its parts broken off, else 0.

    It is what evaluation counts (`scoring.is_well_formed`). R1-Omni (2025) and Facial-R1 match the tags alone; here
    each part must hold a word, and one label must be given.
    """
    return float(heard.score.well_formed)
