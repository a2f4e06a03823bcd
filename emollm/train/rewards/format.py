"""Format: does the completion have exactly the parts of its style?"""

from __future__ import annotations

from emollm.train.rewards.heard import Heard


def well_formed(heard: Heard) -> float:
    """Return 1 for a completion that is well formed in the style asked for, else 0.

    R1-Omni (2025) and Facial-R1 match the tags alone; here no part may be empty, and one label must be given.
    """
    return float(heard.score.well_formed)
