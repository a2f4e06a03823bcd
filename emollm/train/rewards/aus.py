"""Action units: are those named that are there?"""

from __future__ import annotations

from emollm.scoring import set_f1
from emollm.train.rewards.heard import Heard


def au_f1(heard: Heard) -> float | None:
    """Return F1 of the AUs said to be there against those present, over the measured ones, 0 to 1.

    None where no AU was measured. A face at rest of which none is named gets 1, if there is an answer at all.
    """
    return heard.score.au_f1


def au_f1_legacy(heard: Heard) -> float:
    """Return 2 F1 - 1 of the AUs named, -1 to 1: Facial-R1's code (2025), where its README has plain F1.

    0 where none is present, measured or not, whatever was said; -1 where none is named. Every AU counts, also one that
    was not measured. Unlike there, `AU6` is `AU06`, phrases count as their AUs, and a denied AU is not named.
    """
    gold, named = heard.score.aus_gold, heard.score.aus_pred
    if not gold:
        return 0.0
    return 2 * set_f1(named or (), gold) - 1
