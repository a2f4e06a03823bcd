"""Detection and generation on a Ray cluster of this machine: what comes out is what comes out without it."""

from __future__ import annotations

import importlib
import operator
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from detecting import load_squares, run_media, save, use_squares

from data_engine import cluster
from data_engine.detect.door import main as detect
from data_engine.detectors import FaceDetector
from data_engine.generate import main as generate
from data_engine.media import batches
from data_engine.media.batches import look_at_all
from data_engine.media.looking import Look
from data_engine.workers import spread
from emollm.errors import ConfigError, EmoLLMError, MissingExtraError
from emollm.records import AU, Face, Sample, encode

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """A cluster of two workers, joined for the rest of the tests: a run that finds itself on one stays there."""
    pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as environment:  # workers import the functions of this file
        environment.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "tests"), *sys.path]))
        with cluster.joined("local", workers=2) as ray:
            yield ray


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """More than two chunks of samples, some of which cannot be explained, and a line that is none."""
    lines = []
    for number in range(250):
        strength = 0.0 if number % 4 else 3.0
        aus = {au: AU(value=strength, kind="intensity") for au in ("AU06", "AU12")}
        faces = [] if number % 10 == 7 else [Face(aus=aus | {"AU04": AU(value=0.0, kind="intensity")})]
        label = "neutral" if number % 4 else "happiness"
        lines.append(encode(Sample(id=f"s{number}", label_set="basic7", label=label, faces=faces)) + b"\n")
    lines.insert(120, b'{"id":"s3"}\n')
    path = tmp_path / "samples.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def outputs(path: Path) -> tuple[bytes, list[bytes]]:
    """What was written, and what was kept aside; a malformed line is kept aside when it is read, which may be early."""
    return path.read_bytes(), sorted(path.with_name(f"{path.stem}.rejected.jsonl").read_bytes().splitlines())


def remember(folder: Path) -> None:
    """Leave a file each time that a worker begins."""
    number = len(list(folder.iterdir()))
    (folder / f"{os.getpid()}-{number}").touch()


def load_and_remember(folder: Path) -> FaceDetector:
    remember(folder)
    return load_squares("squares")


def refuse(_: object) -> None:
    raise EmoLLMError("photos: there is no such folder")


@pytest.mark.parametrize(
    ("address", "reason"),
    {
        "nobody listens": ("ray://127.0.0.1:1", "Connection refused"),
        "no port": ("127.0.0.1:door", "Port could not be cast"),
        "no address": ("banana", "Invalid address"),
    }.values(),
    ids=["nobody listens", "no port", "no address"],
)
def test_where_no_cluster_is_nothing_is_written(address: str, reason: str, samples: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    (tmp_path / "cot.jsonl").write_text("kept\n")
    with pytest.raises(ConfigError, match=f"--ray {address}: no cluster answers there.*{reason}.*--ray local starts"):
        generate([str(samples), "-o", str(tmp_path / "cot.jsonl"), "--overwrite", "--ray", address])
    assert (tmp_path / "cot.jsonl").read_text() == "kept\n"


def test_without_ray_one_line_names_the_extra(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"--ray needs packages.*pip install 'emollm\[ray\]'"):
        generate([str(samples), "-o", str(tmp_path / "cot.jsonl"), "--ray", "local"])
    save(tmp_path / "a.png")
    with pytest.raises(MissingExtraError, match=r"emollm\[ray\]"):
        detect([str(tmp_path / "a.png"), "-o", str(tmp_path / "seen.jsonl"), "--ray", "local"])
    assert not (tmp_path / "cot.jsonl").exists()
    assert not (tmp_path / "seen.jsonl").exists()


def test_a_cluster_is_refused_where_it_would_do_nothing(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(samples), "-o", str(tmp_path / "out.jsonl"), "--ray", "local"]
    with pytest.raises(ConfigError, match="--ray: not for --teacher openai"):
        generate([*arguments, "--teacher", "openai", "--model", "any"])
    with pytest.raises(SystemExit):
        detect([*arguments, "--detector", "openface"])
    assert "--ray goes with the detectors of this process: tiny" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_starts_a_cluster_and_writes_the_same_bytes(samples: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    command = [sys.executable, "-m", "data_engine.generate", samples, "-o", tmp_path / "ray.jsonl"]
    run = subprocess.run([*command, "--ray", "local", "--workers", "2"], cwd=ROOT, capture_output=True, text=True)
    assert generate([str(samples), "-o", str(tmp_path / "one.jsonl")]) == run.returncode == 1, run.stderr
    assert outputs(tmp_path / "ray.jsonl") == outputs(tmp_path / "one.jsonl")


@pytest.mark.slow
def test_a_run_goes_on_with_and_without_a_cluster(samples: Path, tmp_path: Path, ray: Any) -> None:
    assert ray.is_initialized()
    arguments = [str(samples), "-o", str(tmp_path / "parts.jsonl")]
    generate([*arguments, "--limit", "30"])
    generate([*arguments, "--limit", "160", "--ray", "auto"])
    generate(arguments)
    generate([str(samples), "-o", str(tmp_path / "whole.jsonl")])
    assert (tmp_path / "parts.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.mark.slow
def test_pictures_are_looked_at_in_order_from_relative_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ray: Any
) -> None:
    assert ray.is_initialized()
    for number in range(100):
        squares = [(40, 60, number * 2, 0)] if number % 7 else []
        save(tmp_path / "photos" / f"{number:03d}.png", *squares)
    (tmp_path / "photos" / "050.png").write_text("hello")
    use_squares(monkeypatch)
    monkeypatch.chdir(tmp_path)
    one = run_media(tmp_path / "one", "photos", "--workers", "1")
    two = run_media(tmp_path / "two", "photos", "--ray", "auto")
    assert (two.code, len(two.samples)) == (1, 85 - 1)
    assert outputs(two.path)[1] == outputs(one.path)[1]
    assert [sample.faces for sample in two.samples] == [sample.faces for sample in one.samples]
    assert run_media(tmp_path / "two", "photos", "--workers", "1").path.read_bytes() == two.path.read_bytes()


@pytest.mark.slow
def test_a_worker_loads_the_detector_once(tmp_path: Path, ray: Any) -> None:
    assert ray.is_initialized()
    loads = tmp_path / "loads"
    loads.mkdir()
    paths = [save(tmp_path / f"{number}.png", (40, 60, 9, 9)) for number in range(200)]
    loader = partial(load_and_remember, loads)
    seen = list(look_at_all(paths, load_squares("squares"), loader, Look(), None, ray="auto"))
    assert [one.path for one in seen] == paths
    workers = [path.name.split("-")[0] for path in loads.iterdir()]
    assert len(workers) == len(set(workers)) <= 2


@pytest.mark.slow
def test_no_more_than_a_few_chunks_are_under_way(ray: Any) -> None:
    taken: list[int] = []
    results = spread(operator.neg, iter(lambda: taken.append(1) or len(taken), 0), None, ray="auto")
    assert [next(results) for _ in range(20)] == [-number for number in range(1, 21)]
    results.close()  # type: ignore[attr-defined]
    assert len(taken) <= 20 + (1 + cluster.AHEAD) * int(ray.cluster_resources()["CPU"])


@pytest.mark.slow
def test_what_goes_wrong_in_a_worker_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ray: Any) -> None:
    assert ray.is_initialized()
    with pytest.raises(EmoLLMError, match=r"^photos: there is no such folder$"):
        list(spread(refuse, [1], 2, ray="auto"))
    with pytest.raises(EmoLLMError, match=r"ended a worker again and again.*use fewer --workers"):
        list(spread(os._exit, [1], 2, ray="auto"))
    elsewhere = partial(batches._begin, partial(load_squares, ""), tmp_path / "elsewhere")
    with pytest.raises(EmoLLMError, match=r"elsewhere: a worker does not see this folder .*must see the same files"):
        list(spread(operator.neg, [1], 2, elsewhere, ray="auto"))
    (tmp_path / "of_nobody.py").write_text("def work(chunk): return chunk")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EmoLLMError, match=r"of the Ray cluster: No module named 'of_nobody'; install this emollm"):
        list(spread(importlib.import_module("of_nobody").work, [1], 2, ray="auto"))
    monkeypatch.setattr(cluster, "_version", lambda: "0.0.1")
    with pytest.raises(ConfigError, match=r"a machine of the cluster has emollm .*, not 0\.0\.1; install the same"):
        list(spread(operator.neg, [1], 2, ray="auto"))
