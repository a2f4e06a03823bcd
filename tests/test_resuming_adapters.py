"""Adapters and stops: what a rerun ends with, and what lies in the folder."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from running import carry_out, logged, manifest, sft_of_toys, weights  # noqa: E402

from emollm.train import sft  # noqa: E402


@pytest.fixture
def values(toy_file: Path, tiny_dir: Path, tmp_path: Path) -> dict[str, Any]:
    return sft_of_toys(toy_file, tiny_dir, tmp_path) | {"max_steps": 6, "gradient_accumulation_steps": 2}


@pytest.mark.parametrize("quantization", [None, "nf4"])
def test_an_adapter_with_dropout_that_was_stopped_ends_like_one_that_was_not(
    quantization: str | None, values: dict[str, Any], tmp_path: Path
) -> None:
    if quantization:
        pytest.importorskip("bitsandbytes")
    values |= {"lora": {"r": 4, "dropout": 0.3}, "quantization": quantization}
    whole = carry_out(sft.main, values | {"output_dir": str(tmp_path / "whole")}, tmp_path)
    carry_out(sft.main, values | {"max_steps": 3}, tmp_path)
    again = carry_out(sft.main, values, tmp_path)
    for name, value in weights(whole).items():
        assert torch.equal(weights(again)[name], value), name
    assert [line["loss"] for line in logged(again)] == [line["loss"] for line in logged(whole)]
    assert manifest(again)["loss"] == manifest(whole)["loss"]


def test_an_adapter_of_the_embedded_base_names_it_and_the_hub_is_not_asked(
    values: dict[str, Any], tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Could not find a config file|Unable to fetch remote file")
        run = carry_out(sft.main, values | {"model": "emollm-tiny", "lora": {"r": 2}, "max_steps": 2}, tmp_path)
    for folder in (run, run / "checkpoint-2"):
        told = json.loads((folder / "adapter_config.json").read_text())
        assert told["base_model_name_or_path"] == "emollm-tiny"
