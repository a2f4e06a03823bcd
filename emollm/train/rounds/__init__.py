"""`emollm train rounds`: a model that writes its own training data, round after round, while it helps.

    emollm train rounds --config recipes/emollm-tiny/rounds.yaml rounds=2

A round is SFT, GRPO, and a measurement on a held-out split; then the model explains samples that have no text yet, and
what passes the checks joins the gold texts of the next round (after Facial-R1, AAAI 2026). Every round starts from the
same model and asks GRPO about the same samples: what differs is the texts alone.

recipe   what a recipe of rounds may say, checked before anything is trained
data     gold texts, the samples without texts, and that nobody of them is held out
verbs    other verbs of emollm, each carried out as a program of its own
course   the loop: what is done is not done again, and when it ends
table    the rounds side by side
"""

from __future__ import annotations

from emollm.train.rounds.course import main

__all__ = ["main"]
