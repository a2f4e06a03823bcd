"""Labels first: each once, then explanations to the end of the training, and the same after a stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from emollm.train.curriculum import LabelsFirst


def epochs(num_labels: int, num_rows: int, num_epochs: int) -> list[list[int]]:
    return [list(LabelsFirst(num_labels, num_rows, 7, lambda epoch=epoch: epoch)) for epoch in range(num_epochs)]


def test_labels_come_once_and_then_explanations_in_ever_new_orders() -> None:
    first, second, third = epochs(num_labels=30, num_rows=50, num_epochs=3)
    assert len(first) == len(second) == len(third) == 50
    assert sorted(first[:30]) == list(range(30))
    assert first[:30] != list(range(30))
    course = first[30:] + second + third
    times = [course[at : at + 20] for at in range(0, 120, 20)]
    assert all(sorted(time) == list(range(30, 50)) for time in times)
    assert len({tuple(time) for time in times}) == 6


@pytest.mark.parametrize(("num_labels", "num_rows"), [(0, 5), (5, 5), (1, 8), (7, 8)])
def test_every_epoch_is_as_long_as_the_rows_are_many(num_labels: int, num_rows: int) -> None:
    for epoch in epochs(num_labels, num_rows, 3):
        assert len(epoch) == num_rows
        assert set(epoch) <= set(range(num_rows))


def test_a_training_learns_labels_once_and_goes_on_as_if_nothing_had_happened(
    toy_file: Path, tiny_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("trl")
    from running import carry_out, weights

    from emollm.train import collate, sft

    seen: list[str] = []
    encode = collate.Collator.__call__

    def watched(self: Any, rows: Any) -> Any:
        if len(rows) > 1:  # before the first step they are looked at one by one
            seen.extend(row["style"] for row in rows)
        return encode(self, rows)

    monkeypatch.setattr(collate.Collator, "__call__", watched)
    few = toy_file.parent / "few_first.jsonl"
    few.write_bytes(b"".join(toy_file.read_bytes().splitlines(keepends=True)[:8]))
    values = {
        "model": str(tiny_dir),
        "train_file": str(few),
        "output_dir": str(tmp_path / "run"),
        "styles": {"label": 1, "sections": 1},
        "label_first": True,
        "max_steps": 9,  # four are an epoch
        "per_device_train_batch_size": 4,
        "lr_scheduler_type": "constant",
        "learning_rate": 1e-3,
        "save_steps": 6,
    }
    whole = carry_out(sft.main, values | {"output_dir": str(tmp_path / "whole")}, tmp_path)
    assert seen[:8] == ["label"] * 8
    assert set(seen[8:]) == {"sections"}
    carry_out(sft.main, values | {"max_steps": 6}, tmp_path)
    again = carry_out(sft.main, values, tmp_path)
    for name, value in weights(whole).items():
        assert torch.equal(weights(again)[name], value), name
