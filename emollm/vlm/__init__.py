"""Vision-language models: load one, build a tiny one, ask it.

    model, processor = load_model("Qwen/Qwen2.5-VL-3B-Instruct", adapter="runs/sft")
    [completion] = generate(model, processor, [ask_about(picture, "Which expression is this?")])

    load         a model, with or without an adapter          processors   with and without torchvision
    turns        questions and answers as tensors             tiny, eyes   our own small model
    generate     batched answers                              options      of every verb that asks a model
    memory       that does not suffice, in one line

Importing this package loads no torch; its functions do.
"""

from emollm.pictures import open_picture
from emollm.vlm.generate import Completion, Sampling, generate
from emollm.vlm.load import load_model
from emollm.vlm.turns import Turn, ask_about

__all__ = ["Completion", "Sampling", "Turn", "ask_about", "generate", "load_model", "open_picture"]
