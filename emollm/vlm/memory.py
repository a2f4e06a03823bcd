"""Memory that does not suffice, in one line that says what takes less.

with memory_said("predict", "lower --batch-size or --max-new-tokens"):
    generate(...)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from emollm.errors import ModelError

FULL = ("out of memory", "DefaultCPUAllocator", "CUBLAS_STATUS_ALLOC_FAILED")
"""Words in the errors that are no OutOfMemoryError of torch's: of CPUs, of cuBLAS, of bitsandbytes."""
NUMBERS = re.compile(r"Tried to allocate ([\d.]+ \wi?B)\.(?: GPU (\d+) has a total capacity of ([\d.]+ \wi?B))?")


@contextmanager
def memory_said(where: str, remedy: str) -> Iterator[None]:
    """Raise ModelError, in one line that ends in the remedy, where the memory of a GPU or the machine is full."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ModelError(f"{where}: {lacking(error)}; {remedy}") from error


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether an error says that memory is full; torch has a class for GPUs, and words for the rest."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in FULL)
    )


def lacking(error: Exception) -> str:
    """Return how much was asked for, of how much, as far as the error tells."""
    told = NUMBERS.search(str(error))
    if told is None:
        return "out of memory"
    asked, gpu, capacity = told.groups()
    return f"out of memory: {asked} more than is free" + (f" of the {capacity} of GPU {gpu}" if gpu else "")
