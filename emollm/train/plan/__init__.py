"""`emollm train sft|grpo|dpo --config R.yaml --plan`: what a training will take, before anything is loaded.

    emollm train sft --config recipes/qwen2.5-vl-7b/sft_qlora.yaml --plan --gpu 4090
    emollm train sft --config recipes/facial-r1/sft.yaml --plan --launcher recipes/accelerate/zero3.yaml --gpu h100

anatomy   how many weights there are, and how many learn: counted
memory    what lies on each GPU: weights, gradients and optimizer counted, activations estimated
lengths   rows and tokens: measured where file and processor are there
compute   operations, and the time that a card takes for them
plan      brings them together
table     writes them down
"""

from __future__ import annotations

from emollm.train.plan.table import add_plan_arguments, show_plan

__all__ = ["add_plan_arguments", "show_plan"]
