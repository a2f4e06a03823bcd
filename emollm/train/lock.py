"""A lock on a run folder: two starts of one command would write over each other.

with locked(directory):
    run = open_run(directory, …)
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emollm.errors import ConfigError
from emollm.train.processes import is_first_process


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep a folder, which is made if need be, for this training; the first of several processes keeps it for all.

    The system gives it back however the process ends. Raises ConfigError where another training has it.
    """
    if not is_first_process():
        yield
        return
    directory.mkdir(parents=True, exist_ok=True)
    folder = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(folder)
        raise ConfigError(f"{directory}: another training is at work in it; wait for it, or stop it first") from None
    except OSError:
        pass  # some network disks lock no folders; a training there must not fail for it
    try:
        yield
    finally:
        os.close(folder)
