"""A task for GRPO that a model without any knowledge learns within seconds: to say the letter e about toy faces.

values = recipe_of_toys(toy_file, tiny_dir, tmp_path)       # needs LETTER_E among the rewards
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emollm.records import Sample, encode, read_records
from emollm.train.rewards import Heard, Reward


def share_of_e(heard: Heard) -> float:
    return heard.completion.count("e") / max(1, len(heard.completion))


LETTER_E = Reward(share_of_e, 0, 1, "test", "the letter e")


def recipe_of_toys(toy_file: Path, tiny_dir: Path, folder: Path) -> dict[str, Any]:
    """A recipe of four steps, of which two are an epoch; a rollout asks two questions four times."""
    few = toy_file.parent / "few.jsonl"
    few.write_bytes(b"".join(encode(sample) + b"\n" for sample in list(read_records(toy_file, Sample))[:4]))
    return {
        "model": str(tiny_dir),
        "train_file": str(few),
        "output_dir": str(folder / "run"),
        "rewards": {"letter_e": 1.0, "label": 0.5},
        "max_steps": 4,
        "num_generations": 4,
        "per_device_train_batch_size": 8,
        "max_completion_length": 6,
        "learning_rate": 1e-2,
        "lr_scheduler_type": "constant",
        "save_steps": 1,
    }
