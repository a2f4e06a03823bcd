"""The machine: versions that fit together, devices, and the traps that cost an evening.

list(check_machine())
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from emollm.doctor.finding import Finding, error, fine, warning

GIB = 1 << 30
LITTLE_DISK = 10
"""GiB below which a checkpoint of a real model does not fit."""
HERE = "this machine"
TRAINING = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


def check_machine() -> Iterator[Finding]:
    """Yield what would stop or slow a training here."""
    yield from _versions()
    yield from _devices()
    yield from _torchvision()
    yield from _threads()
    yield from check_compiler()
    yield from _traps()
    yield from _disk(Path.cwd())


def _versions() -> Iterator[Finding]:
    """Yield the versions, and those that are older or newer than what emollm was made for."""
    yield fine(
        HERE, f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    )
    found = {name: version for name in TRAINING if (version := _version(name))}
    if lacking := [name for name in TRAINING if name not in found]:
        yield error(HERE, f"not installed: {', '.join(lacking)}", "pip install 'emollm[train]' to train or ask a model")
    if found:
        yield fine(HERE, ", ".join(f"{name} {version}" for name, version in found.items()))
    for name, wanted in _wanted().items():
        if name in found and not _fits(found[name], wanted):
            yield error(HERE, f"{name} {found[name]} is not {wanted}", f"pip install '{name}{wanted}'")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _wanted() -> dict[str, str]:
    """Return the versions that the extra 'train' asks for; nothing where they cannot be read."""
    if find_spec("packaging") is None or _version("emollm") is None:
        return {}
    from packaging.requirements import Requirement

    wanted = [Requirement(text) for text in importlib.metadata.requires("emollm") or ()]
    return {
        one.name: str(one.specifier)
        for one in wanted
        if one.marker is not None and one.marker.evaluate({"extra": "train"})
    }


def _fits(version: str, wanted: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(wanted).contains(version, prereleases=True)


def _devices() -> Iterator[Finding]:
    """Yield the accelerators, and a torch that cannot use them."""
    if find_spec("torch") is None:
        return
    import torch

    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(number)
            bf16 = "bf16" if torch.cuda.is_bf16_supported() else "no bf16: set dtype: float16"
            yield fine(HERE, f"GPU {number}: {card.name}, {card.total_memory / GIB:.0f} GiB, {bf16}")
    elif shutil.which("nvidia-smi") and torch.version.cuda is None:
        todo = "install a CUDA build of torch; pip show torch names the index"
        yield error(HERE, f"there is an NVIDIA driver, but torch {torch.__version__} is a CPU build", todo)
    elif torch.backends.mps.is_available():
        yield fine(HERE, "Apple GPU (mps)")
    else:
        yield fine(HERE, "no GPU: emollm-tiny trains in minutes on a CPU, larger models do not")


def _torchvision() -> Iterator[Finding]:
    """Yield a torchvision that is there and does not work: by itself it would break every processor."""
    version = _version("torchvision")
    if version is None or find_spec("torch") is None:
        return
    from emollm.vlm.processors import has_torchvision

    if has_torchvision():
        yield fine(HERE, f"torchvision {version} works")
    else:
        todo = "emollm hides it; other programs here fail: pip uninstall torchvision, or install the one for this torch"
        yield warning(HERE, f"torchvision {version} does not fit this torch", todo)


def _threads() -> Iterator[Finding]:
    """Yield whether waiting threads spin, which on shared cores costs most of the time."""
    policy = os.environ.get("OMP_WAIT_POLICY", "")
    if policy.lower() == "passive" or os.environ.get("OMP_NUM_THREADS") == "1":
        yield fine(HERE, "waiting threads sleep")
    else:
        todo = "export OMP_WAIT_POLICY=passive, or OMP_NUM_THREADS=1 where every process has one core"
        yield warning(HERE, "waiting threads spin (OMP_WAIT_POLICY is not 'passive')", todo)


def check_compiler() -> Iterator[Finding]:
    """Yield whether DeepSpeed could build its parts, which it does when it first starts."""
    if find_spec("deepspeed") is None:
        return
    lacking = [
        name for name in ("c++", "ninja") if shutil.which(name) is None and not (name == "ninja" and find_spec(name))
    ]
    if lacking:
        todo = "install a C++ compiler (g++) and ninja; ZeRO does not start without"
        yield error(HERE, f"DeepSpeed is here, but not {' and '.join(lacking)}", todo)
    else:
        yield fine(HERE, f"DeepSpeed {_version('deepspeed')} finds a compiler")


def _traps() -> Iterator[Finding]:
    """Yield what is installed or set and bites later."""
    if find_spec("kernels") is not None:
        yield warning(HERE, "`kernels` is installed", "bitsandbytes will try to download some: pip uninstall kernels")
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        yield fine(HERE, "HF_HUB_OFFLINE is set: models of the hub are taken from the cache alone")
    if find_spec("yaml") is None:
        yield error(HERE, "PyYAML is missing: no recipe can be read", "pip install 'emollm[train]'")


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free / GIB
    told = f"{free:.0f} GiB free at {folder}"
    if free < LITTLE_DISK:
        yield warning(
            HERE,
            told,
            "a checkpoint holds the weights and twice as much for Adam; make room, or lower save_total_limit",
        )
    else:
        yield fine(HERE, told)
