"""A stand-in for a batch service: files and batches over real HTTP, run by hand, and it counts what is paid.

    with FakeBatchService(answer) as service:             # answer(body of a request) gives text, a status, or None
        ...                                               # service.url; hand over
        service.run()                                     # every batch that waits is completed

Trouble comes by `faults`, a list of (what is asked, what happens): ("POST /batches", "lost") makes the batch and drops
the line before it is told.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from fake_endpoint import Manners, answer, complaint

Answer = Callable[[dict[str, Any]], str | int | None]
"""The text that answers a request, the status that refuses it, or None: it is not reached before the time is over."""


def by_service(key: str, content: str, finish: str = "stop") -> str:
    """A line of a batch service's output."""
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": finish}
    body = {"model": "m-1", "choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 9}}
    return json.dumps({"custom_id": key, "response": {"status_code": 200, "body": body}}) + "\n"


class FakeBatchService:
    """The service, its files and batches. `paid` counts how often each request was answered."""

    def __init__(self, answer: Answer, key: str | None = None) -> None:
        self.answer = answer
        self.key = key
        self.faults: list[tuple[str, str]] = []
        self.files: dict[str, bytes] = {}
        self.batches: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()

    @property
    def created(self) -> int:
        return len(self.batches)

    def create(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert (asked["endpoint"], asked["completion_window"]) == ("/v1/chat/completions", "24h")
        lines = self.files[asked["input_file_id"]].splitlines()
        batch = {
            **asked,
            "id": f"batch_{len(self.batches) + 1}",
            "object": "batch",
            "created_at": 2_000_000_000 + len(self.batches),
            "status": "in_progress",
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
        }
        self.batches.append(batch)
        return batch

    def run(self, status: str = "completed", **changes: Any) -> None:
        """End every batch that waits: with its answers and errors or, as `failed`, with none."""
        for batch in self.batches:
            if batch["status"] == "in_progress":
                batch["status"] = status
                if status != "failed":
                    self._answer(batch)
                batch.update(changes)

    def _answer(self, batch: dict[str, Any]) -> None:
        output, errors = [], []
        for line in map(json.loads, self.files[batch["input_file_id"]].splitlines()):
            told = self.answer(line["body"])
            line = {"custom_id": line["custom_id"], "response": None, "error": None}
            if isinstance(told, str):
                self.paid[line["custom_id"]] += 1
                body = json.loads(answer(told, Manners()))
                output.append({**line, "response": {"status_code": 200, "body": body}})
            elif told is None:
                errors.append({**line, "error": {"code": "batch_expired", "message": "not in time"}})
            else:
                errors.append({**line, "response": {"status_code": told, "body": json.loads(complaint("no"))}})
        for name, lines in (("output_file_id", output), ("error_file_id", errors)):
            if lines:
                batch[name] = f"file-{batch['id']}-{name}"
                self.files[batch[name]] = b"".join(json.dumps(one).encode() + b"\n" for one in lines)

    def reply(self, method: str, path: str, key: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer to a request; status 0 is no answer."""
        path, _, options = path.removeprefix("/v1").partition("?")
        what = f"{method} /{path.split('/')[1]}"
        self.asked[what] += 1
        fault = next((fault for fault in self.faults if fault[0] == what), None)
        if fault:
            self.faults.remove(fault)
            if fault[1] == "lost":
                self.reply(method, path, key, body)
                return 0, b""
            if fault[1] == "html":
                return 200, b"<html>Sign in to the hotel network</html>"
            return int(fault[1]), complaint(f"trouble with\n{key}")
        if self.key and key != self.key:
            return 401, complaint(f"Incorrect API key provided: {key}.", code="invalid_api_key")
        if what == "POST /files":
            assert re.search(rb'name="purpose"\r\n\r\nbatch\r\n', body)
            name = f"file-{len(self.files) + 1}"
            self.files[name] = re.search(rb'name="file".*?\r\n\r\n(.*)\r\n--', body, re.DOTALL)[1]  # type: ignore[index]
            return 200, json.dumps({"id": name, "object": "file", "purpose": "batch"}).encode()
        if what == "POST /batches":
            return 200, json.dumps(self.create(json.loads(body))).encode()
        if path == "/batches":
            newest = self.batches[::-1]
            after = re.search(r"after=(\w+)", options)
            start = next((i + 1 for i, one in enumerate(newest) if after and one["id"] == after[1]), 0)
            page = newest[start : start + 2]
            return 200, json.dumps({"object": "list", "data": page, "has_more": start + 2 < len(newest)}).encode()
        if path.startswith("/batches/"):
            found = [one for one in self.batches if one["id"] == path.split("/")[2]]
            return (200, json.dumps(found[0]).encode()) if found else (404, complaint("No such batch"))
        kept = self.files.get(path.split("/")[2])
        return (404, complaint("No such File")) if kept is None else (200, kept)

    # --- where it runs ------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                key = self.headers.get("Authorization", "").removeprefix("Bearer ")
                length = int(self.headers.get("Content-Length", 0))
                status, body = service.reply(self.command, self.path, key, self.rfile.read(length))
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Type", "text/html" if body.startswith(b"<") else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST  # noqa: N815 - the names are those of the library

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
