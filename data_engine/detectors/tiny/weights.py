"""The weights of the detector's nets: one safetensors file, eight bits a number.

    weights, told = read_weights(SHIPPED)

Every output of a layer has a scale of its own; a weight is its 8-bit number times the scale, which is exact to half a
step of 1/127 of the largest weight of that output.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from data_engine.detectors.tiny.layers import Array
from emollm.errors import SourceError

SHIPPED = Path(__file__).with_name("weights.safetensors")
STEPS = 127


def write_weights(path: Path, weights: Mapping[str, Array], told: Mapping[str, Any]) -> None:
    """Write weights, `<net>.<layer>.weight` (inputs, outputs) and `.bias`, and what is to be known about them."""
    from safetensors.numpy import save_file

    tensors: dict[str, np.ndarray[Any, Any]] = {}
    for name, values in weights.items():
        if name.endswith(".weight"):
            scale = np.maximum(np.abs(values).max(axis=0), 1e-8) / STEPS
            tensors[name] = np.ascontiguousarray(np.round(values / scale).astype(np.int8))
            tensors[f"{name}.scale"] = scale.astype(np.float32)
        else:
            tensors[name] = np.ascontiguousarray(values.astype(np.float32))
    save_file(tensors, path, {"told": json.dumps(told, sort_keys=True)})


def read_weights(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the weights as float32 and what `write_weights` was told. Raises SourceError for a damaged file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
            told = json.loads((file.metadata() or {})["told"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise SourceError(f"{path}: no weights of the tiny detector ({error}); install emollm again") from None
    weights = {
        name: values.astype(np.float32) * found[f"{name}.scale"] if values.dtype == np.int8 else values
        for name, values in found.items()
        if not name.endswith(".scale")
    }
    return weights, told


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of the file, as it goes into the records."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
