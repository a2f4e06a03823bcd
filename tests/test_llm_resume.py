"""A run that is killed loses nothing that it has handed on, and pays again for no more than was in flight."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import asking
import pytest
from fake_endpoint import FakeEndpoint, Manners

from emollm.llm.ledger import Ledger

pytest.importorskip("aiohttp", reason="the extra `teacher` is not installed")


@pytest.mark.parametrize("stop", ["kill", "interrupt"])
def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, stop: str) -> None:
    num, in_flight = 300, 16
    ledger, output = tmp_path / "asked.jsonl", tmp_path / "output.txt"
    with FakeEndpoint(Manners(latency_s=0.02)) as endpoint:
        script = [sys.executable, asking.__file__, endpoint.url, str(ledger), str(output), str(num), str(in_flight)]
        root = Path(__file__).parents[1]
        process = subprocess.Popen(script, cwd=root, env={"PYTHONPATH": str(root)}, stderr=subprocess.DEVNULL)
        while endpoint.bodies.total() < num // 2:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL if stop == "kill" else signal.SIGINT)
        process.wait()
        time.sleep(0.05)  # until the endpoint has done what nobody waits for any more

        handed_on = output.read_text("utf-8").splitlines(keepends=True)
        with Ledger(ledger) as opened:
            kept = {entry.text for entry in opened.entries()}
        assert {line.rstrip("\n") for line in handed_on if line.endswith("\n")} <= kept
        assert len(kept) > num // 4

        client = asking.run(endpoint.url, ledger, output, num, in_flight)
        assert endpoint.paid_twice <= in_flight
        assert client.accounts.total().remembered == len(kept)
        assert len(output.read_text("utf-8").splitlines()) == len(set(endpoint.bodies)) == num

        paid = endpoint.bodies.total()
        asking.run(endpoint.url, ledger, output, num + 1, in_flight)
        assert endpoint.bodies.total() == paid + 1
