"""Several processes of one training: the first writes and speaks, they decide together, and they end together.

    if is_first_process(): …
    problem = first_problem(reward_problem)      # in all of them, what any of them found
    wait_turn()                                  # before an error is said: one speaks for all

A launcher starts them and tells each its place in the environment; without one there is one process.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from functools import cache
from typing import NoReturn

HEAD_START_S = 5.0
"""How long the first process of a machine may take, after another has failed, to fail from the same cause."""


def is_first_process() -> bool:
    """Tell whether this process writes files; the others of a distributed run only compute."""
    return int(os.environ.get("RANK", "0")) == 0


def is_alone() -> bool:
    """Tell whether no other process takes part."""
    return int(os.environ.get("WORLD_SIZE", "1")) == 1


def in_any_process(flag: bool) -> bool:
    """Tell whether the flag is set in any process. All of them must ask."""
    import torch
    from accelerate import PartialState
    from accelerate.utils import gather

    return bool(gather(torch.tensor([int(flag)], device=PartialState().device)).any())


def first_problem(problem: str | None) -> str | None:
    """Return the first problem that any process has, in all of them. All of them must ask."""
    from accelerate.utils import gather_object

    return next(filter(None, gather_object([problem])), None)


@cache
def wait_turn() -> None:
    """Give the processes before this one on its machine a moment to fail, too; once.

    What fails in all of them is then said by the first, upon whose end the launcher ends the others where they wait.
    What fails here alone is said here, while the others wait for this process in a step.
    """
    if place := int(os.environ.get("LOCAL_RANK", "0")):
        time.sleep(HEAD_START_S + place)


def leave_together() -> None:
    """Wait for the other processes and end the group: one that leaves early can abort those that still save."""
    import torch.distributed as group

    if group.is_available() and group.is_initialized():
        group.barrier()
        group.destroy_process_group()


def leave(code: int) -> NoReturn:
    """Exit; one of several processes without taking Python apart.

    Gloo's threads may outlive their group (DeepSpeed holds on to it), and one that lets go of a tensor while the
    interpreter ends aborts a process whose work is done.
    """
    if not is_alone():
        atexit._run_exitfuncs()  # trackers finish their runs in these
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def is_lost_peer(error: Exception) -> bool:
    """Tell whether an error says no more than that another process has ended."""
    from torch.distributed import DistError

    return not is_alone() and (isinstance(error, DistError) or "by peer" in str(error))
