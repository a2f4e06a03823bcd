"""The rewards of reinforcement learning: what GRPO pays, and `emollm score` can measure.

    heard = hear(sample, completion, label_set="basic7", style="think")
    REWARDS["claims"](heard)                                     # 0 to 1; None: the gold for it is missing
    total(heard, {"format": 0.2, "label": 1.0, "claims": 0.5})   # (1.43, {"format": 1.0, …})

A completion is parsed and checked once, and every reward reads from that: by `emollm.scoring`, as evaluation does. One
file is one family. A reward is None where the sample lacks the gold for it or the question did not ask for it, and so
for every completion of a group alike; the legacy ones alone give a number instead, as the systems did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from emollm.errors import ConfigError, did_you_mean
from emollm.train.rewards.aus import au_f1, au_f1_legacy
from emollm.train.rewards.boxes import box_overlap
from emollm.train.rewards.claims import claim_support
from emollm.train.rewards.consistency import same_categories, same_labels
from emollm.train.rewards.format import well_formed
from emollm.train.rewards.heard import WORDS, Heard, hear
from emollm.train.rewards.label import right_label, right_label_or_half
from emollm.train.rewards.length import length, no_repetition
from emollm.train.rewards.reward import Reward
from emollm.train.rewards.sentences import think_step
from emollm.train.rewards.wheel import thought_f1, wheel_f1, wheel_p1, wheel_p2, wheel_p3

__all__ = ["DEFAULTS", "REWARDS", "WORDS", "Heard", "Reward", "check_weights", "hear", "total"]

_R1 = "AffectGPT-R1 style"

REWARDS: dict[str, Reward] = {
    "format": Reward(well_formed, 0, 1, "R1-Omni, Facial-R1", "exactly the parts of the style asked for, each whole"),
    "label": Reward(right_label, 0, 1, "R1-Omni, Facial-R1", "the gold label, in any of its forms"),
    "label_legacy": Reward(right_label_or_half, 0, 1, "Facial-R1, code", "the same; 0.5 where there is no gold label"),
    "au_f1": Reward(au_f1, 0, 1, "Facial-R1, README", "F1 of the AUs said to be there"),
    "au_f1_legacy": Reward(au_f1_legacy, -1, 1, "Facial-R1, code", "2 F1 - 1; 0 without gold AUs, -1 if none is named"),
    "claims": Reward(
        claim_support, 0, 1, "ours", "AUs told, with strength and side, over those present and twice the false"
    ),
    "wheel": Reward(wheel_f1, 0, 1, _R1, "F1 of open labels on five emotion wheels", True),
    "wheel_p1": Reward(wheel_p1, 0, 1, _R1, "the same / (labels too many + 1)", True),
    "wheel_p2": Reward(wheel_p2, 0, 1, _R1, "the same x gold / named labels, if too many", True),
    "wheel_p3": Reward(wheel_p3, 0, 1, _R1, "the same x ln gold / ln named labels, if too many", True),
    "dual": Reward(thought_f1, 0, 1, _R1, "wheel F1 x p3 of the labels that the reasoning names", True),
    "alignment": Reward(same_categories, 0, 1, _R1, "Jaccard of reasoning and answer on the emotion wheels", True),
    "consistency": Reward(same_labels, 0, 1, "ours", "answer named in the reasoning, and few others"),
    "think_step_lexicon": Reward(think_step, 0, 1, "ERV, with our lexicon", "sentences that speak for the gold label"),
    "box_iou": Reward(box_overlap, 0, 1, "TAG, formula ours", "overlap of the boxes given with the regions that move"),
    "length": Reward(length, 0, 1, "ours", "as many words as wanted, with ramps on both sides"),
    "repetition": Reward(no_repetition, 0, 1, "ours, on distinct-n", "4-grams that are not repeats"),
}
"""Name in a recipe to reward."""

DEFAULTS: dict[str, float] = {"format": 0.2, "label": 1.0, "au_f1": 0.5, "claims": 0.5, "consistency": 0.2}
"""Weights for explanations of faces with AUs and one label."""


def total(heard: Heard, weights: Mapping[str, float]) -> tuple[float, dict[str, float | None]]:
    """Return the weighted sum of the rewards named, and each reward without its weight.

    What is None is left out of the sum, and the others are not raised for it: as it is None for a whole group, the
    advantages within the group are the same. The sum of none is 0. Each reward is held within its range before it is
    weighted.
    """
    values = {name: REWARDS[name](heard) for name in weights}
    return math.fsum(weights[name] * value for name, value in values.items() if value is not None), values


def check_weights(weights: Mapping[str, float], has_wheels: bool = False) -> None:
    """Raise ConfigError, with every problem, unless all rewards are known, can be computed, and at least one pays.

    A weight of 0 logs a reward without paying it.
    """
    problems = []
    for name, weight in weights.items():
        if name not in REWARDS:
            problems.append(f"rewards: '{name}' is not known{did_you_mean(name, REWARDS)}; {', '.join(REWARDS)}")
        elif not (math.isfinite(weight) and weight >= 0):
            problems.append(f"rewards.{name}: {weight:g} is no weight; give 0 or a positive number")
        elif REWARDS[name].needs_wheels and not has_wheels:
            problems.append(f"rewards.{name}: compares on emotion wheels; give the file of them as wheel_mapping")
    if not problems and not any(weights.values()):
        problems.append("rewards: no reward has a weight; for example {format: 0.2, label: 1}")
    if problems:
        raise ConfigError("; ".join(problems))
