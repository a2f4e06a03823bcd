"""Sharding: a checkpoint tells how it was split, and a training that is split in another way does not go on from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from emollm.errors import ConfigError
from emollm.train.sharding import FSDP, WHOLE, Sharding, check_goes_on, sharding_in

ZERO_2, ZERO_3 = (Sharding(f"DeepSpeed ZeRO-{stage}", 2) for stage in ("1 or 2", "3"))
OPTIMIZER = [f"global_step4/bf16_zero_pp_rank_{rank}_mp_rank_00_optim_states.pt" for rank in range(2)]
IN_PARTS = [*(f"global_step4/zero_pp_rank_{rank}_mp_rank_00_model_states.pt" for rank in range(2)), *OPTIMIZER]
FILES = [
    (WHOLE, ["model.safetensors", "optimizer.pt"]),
    (ZERO_2, ["model.safetensors", "global_step4/mp_rank_00_model_states.pt", *OPTIMIZER]),
    (ZERO_3, IN_PARTS),
    (FSDP, ["model.safetensors", "optimizer.bin", "pytorch_model_fsdp.bin"]),
    (FSDP, ["optimizer_0/.metadata", "pytorch_model_fsdp_0/.metadata"]),
]
"""What each way leaves in a checkpoint; FSDP's is whole or in parts, as `fsdp_state_dict_type` says."""


def write(checkpoint: Path, names: list[str]) -> Path:
    for name in names:
        (checkpoint / name).parent.mkdir(parents=True, exist_ok=True)
        (checkpoint / name).touch()
        if name.startswith("global_step"):
            (checkpoint / "latest").write_text("global_step4")
    return checkpoint


@pytest.mark.parametrize(("sharding", "names"), FILES, ids=str)
def test_the_files_of_a_checkpoint_tell_how_it_was_split(sharding: Sharding, names: list[str], tmp_path: Path) -> None:
    assert sharding_in(write(tmp_path, names)) == sharding


def test_only_what_is_split_alike_goes_on(tmp_path: Path) -> None:
    checkpoint = write(tmp_path / "checkpoint-4", IN_PARTS)
    check_goes_on(checkpoint, ZERO_3)
    for other in (WHOLE, FSDP, ZERO_2, ZERO_3._replace(num_processes=4)):
        message = rf"checkpoint-4: was written with DeepSpeed ZeRO-3 over 2 processes, and this runs {other}; take"
        with pytest.raises(ConfigError, match=message):
            check_goes_on(checkpoint, other)
