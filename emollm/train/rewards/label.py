"""Label: is the emotion right?"""

from __future__ import annotations

from emollm.train.rewards.heard import Heard

UNKNOWN = 0.5
"""What Facial-R1 pays for any answer where the sample has no label."""


def right_label(heard: Heard) -> float | None:
    """Return 1 for the gold label in any of its forms ("happy", "joy"), else 0.

    An answer that gives several labels is wrong, and so is a conclusion that names more than two; one that weighs two
    gives that on which it settles (`answers.given.concluded_label`). None without a gold label, or where no label was
    asked for.
    """
    right = heard.score.correct
    return None if right is None or not heard.asks_for_label else float(right)


def right_label_or_half(heard: Heard) -> float:
    """Return 1 for the gold label, else 0, and 0.5 without a gold label, as in the code of Facial-R1 (2025)."""
    right = right_label(heard)
    return UNKNOWN if right is None else right
