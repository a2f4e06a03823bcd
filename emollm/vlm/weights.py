"""Weights on disk: what a safetensors file holds, read from its first kilobytes, without torch.

    weights = read_weights(Path("runs/sft"))        # {"lm_head.weight": Weight("F32", (448, 64)), …}
    sum(weight.size for weight in weights.values())

The format: eight bytes with the length of a JSON header (little endian), the header, the tensors one after the other.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from emollm.errors import ModelError

MAX_HEADER = 100_000_000
"""Bytes; no header is longer, by the format's own limit."""
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
"""Endings of files that run code when they are opened."""
INDEX = ".safetensors.index.json"


class Weight(NamedTuple):
    """One tensor: its type as safetensors calls it, such as `BF16`, and its shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of its elements."""
        return math.prod(self.shape)


def read_weights(folder: Path) -> dict[str, Weight]:
    """Return the tensors of all safetensors files of a directory by name; of an adapter, those of the adapter.

    Raises ModelError where a file is cut off or damaged, and where one that the index names is missing.
    """
    files = sorted(folder.glob("*.safetensors"))
    here = {path.name for path in files}
    for index in folder.glob(f"*{INDEX}"):
        if missing := sorted(_named(index) - here):
            raise ModelError(f"{folder}: {missing[0]} is missing, which {index.name} names; copy it again")
    return {name: weight for path in files for name, weight in read_header(path).items()}


def read_header(path: Path) -> dict[str, Weight]:
    """Return the tensors of a file by name. Raises ModelError where it is not whole."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header: Any = json.loads(file.read(length)) if length <= min(MAX_HEADER, size) else None
        entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        end = 8 + length + max((entry["data_offsets"][1] for entry in entries.values()), default=0)
        weights = {name: Weight(entry["dtype"], tuple(entry["shape"])) for name, entry in entries.items()}
    except (ValueError, AttributeError, KeyError, TypeError, IndexError):
        raise ModelError(f"{path}: the weights are damaged; copy the file again") from None
    if size != end:
        raise ModelError(f"{path}: the weights are cut off: {size:,} of {end:,} bytes; copy the file again")
    return weights


def pickles(folder: Path) -> list[Path]:
    """Return the files of a directory that are pickles by their names."""
    return sorted(path for path in folder.iterdir() if path.suffix in PICKLED and path.is_file())


def _named(index: Path) -> set[str]:
    try:
        return set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, AttributeError, TypeError):
        raise ModelError(f"{index}: is damaged; copy it again") from None
