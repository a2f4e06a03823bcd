"""A Ray cluster: the same work on many chunks, on the machines of a cluster, results in order.

    with joined("auto"):                # before anything is written: it fails where there is no cluster
        for result in spread_on_cluster(partial(draw_chunk, plan), chunks, "auto"):
            ...

Stages call it by `data_engine.workers.spread`. These are Ray tasks and not Ray Data, whose sources are whole files or
lists. The input of a stage is a stream that one reader decides about, line by line: what is done, what is malformed,
where the limit is. And a result is written as soon as its chunk is, not after a block of megabytes. A task whose
machine is lost is run again elsewhere.
"""

from __future__ import annotations

import os
import re
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from emollm.errors import ConfigError, EmoLLMError, MissingExtraError

C = TypeVar("C")
R = TypeVar("R")

LOCAL = "local"
"""The address that starts a cluster on this machine, for the run."""
AHEAD = 2
"""Chunks that wait for each core, beside the one in its hands."""
PATIENCE_S = 10.0
"""How long a machine may take to answer at all."""
HELP = (
    "spread the work over a Ray cluster: 'local' starts one on this machine, 'auto' or ray://HOST:PORT joins one "
    "(pip install 'emollm[ray]'). Each of its machines needs this version of emollm"
)


class Job(NamedTuple):
    """What every worker of a run is told."""

    run: str
    version: str
    work: Callable[[Any], Any]
    begin: Callable[[], None] | None


_begun: set[str] = set()
"""The runs that this worker process has begun."""


def spread_on_cluster(
    work: Callable[[C], R],
    chunks: Iterable[C],
    address: str,
    workers: int | None = None,
    begin: Callable[[], None] | None = None,
) -> Iterator[R]:
    """Yield `work` of each chunk, in order; `begin` is called once in every process of the cluster that works.

    `workers` is the size of a cluster that is started; of one that is joined, so many chunks are under way at most.
    Without it that follows the cores of the cluster as it grows and shrinks, and is bounded all the same.
    Raises EmoLLMError where there is no such cluster, or where it ends the workers.
    """
    with joined(address, workers) as ray:
        task = ray.remote(_work)
        job = Job(uuid4().hex, _version(), work, begin)
        ahead: deque[Any] = deque()
        # Who stops early leaves the few chunks that are under way to themselves: `ray.cancel` of a task that ends at
        # that moment can abort this process (a failed check of Ray 2.60's task manager).
        for chunk in chunks:
            ahead.append(_handed(task, job, chunk))
            while len(ahead) > _most(ray, address, workers):
                yield _result(ray, ahead.popleft())
        while ahead:
            yield _result(ray, ahead.popleft())


@contextmanager
def joined(address: str | None, workers: int | None = None) -> Iterator[Any]:
    """Join a cluster, or start one of so many workers, and leave it again; yield `ray`. None joins none.

    What is joined already is used, and not left. Raises ConfigError where no cluster is, MissingExtraError without Ray.
    """
    if address is None:
        yield None
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # what is done here is told to nobody
    try:
        import ray
    except ImportError:
        raise MissingExtraError("--ray", "ray") from None
    if ray.is_initialized():
        yield ray
        return
    settings: dict[str, Any] = {}
    if address == LOCAL:  # at an address that no other machine can reach
        settings = {"include_dashboard": False, "num_cpus": workers, "_node_ip_address": "127.0.0.1"}
    try:
        _knock(address)
        ray.init(address=address, logging_level="ERROR", **settings)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0]
        raise ConfigError(f"--ray {address}: no cluster answers there ({reason}); --ray local starts one") from None
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raise OSError where nobody listens, ValueError for no port: Ray itself would wait for minutes."""
    place = urlsplit(address if "://" in address else f"//{address}")
    if place.hostname and place.port:
        socket.create_connection((place.hostname, place.port), PATIENCE_S).close()


def _most(ray: Any, address: str, workers: int | None) -> int:
    """Return how many chunks may be under way; more than there are cores, or a cluster would not know to grow."""
    if workers is not None and address != LOCAL:
        return workers
    return (1 + AHEAD) * max(1, int(ray.cluster_resources().get("CPU", 1)))


def _work(job: Job, chunk: Any) -> Any:
    """Do the work in a worker."""
    if job.run not in _begun:
        if job.version != (here := _version()):
            raise ConfigError(f"--ray: a machine of the cluster has emollm {here}, not {job.version}; install the same")
        if job.begin is not None:
            job.begin()
        _begun.add(job.run)
    return job.work(chunk)


def _version() -> str:
    try:
        return version("emollm")
    except PackageNotFoundError:
        return "(not installed)"


def _handed(task: Any, job: Job, chunk: Any) -> Any:
    try:
        return task.remote(job, chunk)
    except ModuleNotFoundError as error:  # a ray:// address: the head of the cluster unpacks the job already
        raise _lacks(error) or error from None


def _lacks(error: Exception) -> EmoLLMError | None:
    """Return the error for a machine on which something is not installed, if that is what went wrong."""
    missing = re.search(r"No module named '[^']+'", str(error))
    return EmoLLMError(f"a machine of the Ray cluster: {missing[0]}; install this emollm there") if missing else None


def _result(ray: Any, reference: Any) -> Any:
    errors = ray.exceptions
    try:
        return ray.get(reference)
    except errors.RayTaskError as error:
        ours = error.cause if isinstance(error.cause, EmoLLMError) else _lacks(error)
        raise ours or error from None
    except (errors.WorkerCrashedError, errors.OutOfMemoryError, errors.NodeDiedError):
        raise EmoLLMError(
            "the Ray cluster ended a worker again and again, most likely because memory ran out; use fewer --workers"
        ) from None
