"""A stand-in for an OpenAI-compatible endpoint: real HTTP, scripted trouble, and it counts what it was asked.

    with FakeEndpoint(Manners(latency_s=0.2, capacity=32)) as endpoint:
        ...                                                       # endpoint.url, endpoint.calls, endpoint.statuses

    python tests/fake_endpoint.py '{"latency_s": 0.2}'            # as a process: prints its address, GET /stats counts

Trouble comes in three ways: `faults` names what the first calls meet, in order; a prompt that holds `!half` meets the
fault `half`; and `capacity`, `rate` and `closed_s` tell callers to wait with status 429. Standard library only.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self


@dataclass
class Manners:
    """How the endpoint behaves."""

    latency_s: float = 0.0
    capacity: int | None = None
    """Requests that it works on at a time; others are told to wait."""
    rate: float | None = None
    """Requests it takes each second, as a token bucket that holds `burst`; others are told to wait."""
    burst: float = 20.0
    closed_s: tuple[float, float] = (0.0, 0.0)
    """From when to when after its start everybody is told to wait."""
    stray: float = 0.0
    """Share of requests that are told to wait for no reason, as by a gateway one of whose servers is busy."""
    retry_after: str | None = None
    """What it says in Retry-After when it tells to wait."""
    faults: list[str] = field(default_factory=list)
    refuses: list[str] = field(default_factory=list)
    """Parameters that it answers with 400, as OpenAI words it."""
    key: str | None = None
    text: str = ""
    """What it answers; the default names the digest of the request."""
    pad: int = 120
    prompt_tokens: int = 100
    completion_tokens: int = 30


def answer(text: str | None, manners: Manners, **changes: Any) -> bytes:
    """The body of a chat completion."""
    message = {"role": "assistant", "content": text, **changes.pop("message", {})}
    usage = {"prompt_tokens": manners.prompt_tokens, "completion_tokens": manners.completion_tokens}
    choice = {"index": 0, "message": message, "finish_reason": changes.pop("finish", "stop")}
    body = {"id": "c", "object": "chat.completion", "model": "stand-in-1", "choices": [choice], "usage": usage}
    return json.dumps({**body, **changes}).encode()


def complaint(message: str, **details: Any) -> bytes:
    return json.dumps({"error": {"message": message, **details}}).encode()


REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


def response(status: int, body: bytes, content_type: str = "application/json", headers: str = "") -> bytes:
    head = f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\ncontent-type: {content_type}\r\n"
    return f"{head}content-length: {len(body)}\r\n{headers}\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One caller. Requests on a connection are answered one after the other."""

    def __init__(self, endpoint: FakeEndpoint) -> None:
        self.endpoint = endpoint
        self.buffer = bytearray()
        self.missing = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            if self.missing < 0:
                end = self.buffer.find(b"\r\n\r\n")
                if end < 0:
                    return
                self.head = bytes(self.buffer[:end])
                length = re.search(rb"(?i)content-length: *(\d+)", self.head)
                self.missing = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < self.missing:
                return
            body = bytes(self.buffer[len(self.head) + 4 : self.missing])
            del self.buffer[: self.missing]
            self.missing = -1
            self.endpoint.receive(self, self.head, body)

    def send(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)


class FakeEndpoint:
    """The endpoint and its counts. As a context manager it runs in a thread of its own."""

    def __init__(self, manners: Manners | None = None) -> None:
        self.manners = manners or Manners()
        self.statuses: Counter[int] = Counter()
        self.bodies: Counter[str] = Counter()
        """Digest of a request to how often it was answered, and so paid."""
        self.requests: list[tuple[float, bytes, bytes]] = []
        """Time, head and body of every request, where `keeps` is set."""
        self.keeps = False
        self.at_work = self.most_at_work = 0
        self.started = self._filled = time.monotonic()
        self._tokens = self.manners.burst
        self._rng = random.Random(0)
        self.url = ""

    @property
    def calls(self) -> int:
        return self.statuses.total()

    @property
    def paid_twice(self) -> int:
        """How many answers were given for requests that had been answered before."""
        return self.bodies.total() - len(self.bodies)

    def receive(self, connection: Connection, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET"):
            stats = {"calls": self.calls, "answered": self.bodies.total(), "paid_twice": self.paid_twice}
            told = {str(status): count for status, count in self.statuses.items()}
            connection.send(response(200, json.dumps({**stats, "statuses": told, "most": self.most_at_work}).encode()))
            return
        if self.keeps:
            self.requests.append((time.monotonic(), head, body))
        if refusal := self._refusal(head, body):
            self.statuses[int(refusal[9:12])] += 1
            connection.send(refusal)
            return
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        fault = self.manners.faults.pop(0) if self.manners.faults else None
        if fault is None and (marked := re.search(rb"!([a-z_0-9]+)", body)):
            fault = marked[1].decode()
        asyncio.get_running_loop().call_later(self.manners.latency_s, self._answer, connection, body, fault)

    def _refusal(self, head: bytes, body: bytes) -> bytes | None:
        manners = self.manners
        if manners.key and f"authorization: bearer {manners.key}".encode() not in head.lower():
            given = re.search(rb"(?i)authorization: bearer (\S*)", head)
            shown = given[1].decode() if given else ""
            return response(401, complaint(f"Incorrect API key provided: {shown}.", code="invalid_api_key"))
        for name in manners.refuses:
            if f'"{name}":'.encode() in body:
                message = f"Unsupported parameter: '{name}' is not supported with this model."
                return response(400, complaint(message, param=name, code="unsupported_parameter"))
        if self._is_full():
            headers = f"retry-after: {manners.retry_after}\r\n" if manners.retry_after else ""
            return response(429, complaint("Rate limit reached", code="rate_limit_exceeded"), headers=headers)
        return None

    def _is_full(self) -> bool:
        manners, now = self.manners, time.monotonic()
        first, last = manners.closed_s
        if first <= now - self.started < last:
            return True
        if manners.capacity is not None and self.at_work >= manners.capacity:
            return True
        if self._rng.random() < manners.stray:
            return True
        if manners.rate is not None:
            self._tokens = min(manners.burst, self._tokens + (now - self._filled) * manners.rate)
            self._filled = now
            if self._tokens < 1:
                return True
            self._tokens -= 1
        return False

    def _answer(self, connection: Connection, body: bytes, fault: str | None) -> None:
        self.at_work -= 1
        if fault is not None and fault != "ok":
            FAULTS[fault](self, connection)
            return
        ends = body[:2048] + body[-2048:]  # a picture's middle would only cost time
        digest = hashlib.blake2b(ends, digest_size=12).hexdigest()
        self.bodies[digest] += 1
        self.statuses[200] += 1
        connection.send(response(200, answer(self.say(body, digest), self.manners)))

    def say(self, body: bytes, digest: str) -> str:  # noqa: ARG002 - what stands in the body matters to others
        """What it answers to a request."""
        return self.manners.text or f"answer to {digest} ".ljust(self.manners.pad, ".")

    # --- where it runs ------------------------------------------------------------------------------------------------

    async def listen(self) -> asyncio.Server:
        server = await asyncio.get_running_loop().create_server(lambda: Connection(self), "127.0.0.1", 0, backlog=1024)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self.started = self._filled = time.monotonic()
        return server

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()

        def run() -> None:
            server = self._loop.run_until_complete(self.listen())
            ready.set()
            self._loop.run_forever()
            server.close()
            self._loop.close()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


# --- faults -----------------------------------------------------------------------------------------------------------


def _status(status: int, message: str = "trouble", **details: Any) -> Callable[[FakeEndpoint, Connection], None]:
    return _body(complaint(message, **details), status=status)


def _body(
    body: bytes, status: int = 200, content_type: str = "application/json", headers: str = ""
) -> Callable[[FakeEndpoint, Connection], None]:
    def send(endpoint: FakeEndpoint, connection: Connection) -> None:
        endpoint.statuses[status] += 1
        connection.send(response(status, body, content_type, headers))

    return send


def _cut(endpoint: FakeEndpoint, connection: Connection) -> None:
    """Half an answer, then the line is dead."""
    whole = response(200, answer("as good as there", endpoint.manners))
    endpoint.statuses[200] += 1
    connection.send(whole[: len(whole) - 40])
    connection.transport.close()


def _reset(endpoint: FakeEndpoint, connection: Connection) -> None:
    endpoint.statuses[0] += 1
    connection.transport.abort()


def _hang(endpoint: FakeEndpoint, _: Connection) -> None:
    endpoint.statuses[0] += 1


def _garbage(endpoint: FakeEndpoint, connection: Connection) -> None:
    endpoint.statuses[0] += 1
    connection.send(b"\x16\x03\x01 this is no HTTP\r\n\r\n")


def _echo(endpoint: FakeEndpoint, connection: Connection) -> None:
    """Repeat what it was sent, the key included."""
    endpoint.statuses[200] += 1
    connection.send(response(200, b"x" * 150 + connection.head + b"\r\n"))


def _drip(endpoint: FakeEndpoint, connection: Connection) -> None:
    """One byte every 50 ms."""
    whole = response(200, answer("slow", endpoint.manners))
    endpoint.statuses[200] += 1

    def drop(place: int) -> None:
        if place < len(whole) and not connection.transport.is_closing():
            connection.send(whole[place : place + 1])
            asyncio.get_running_loop().call_later(0.05, drop, place + 1)

    drop(0)


_PLAIN = Manners()
FAULTS: dict[str, Callable[[FakeEndpoint, Connection], None]] = {
    "400": _status(400, "Invalid image."),
    "403": _status(403, "Country not supported."),
    "404": _status(404, "The model does not exist."),
    "429": _status(429, "Rate limit reached", code="rate_limit_exceeded"),
    "500": _status(500),
    "503": _status(503),
    "busy": _body(complaint("overloaded"), status=503, headers="retry-after: 0.02\r\n"),
    "quota": _status(429, "You exceeded your current quota.", code="insufficient_quota"),
    "filtered": _status(400, "The prompt was filtered.", code="content_filter"),
    "moved": _body(b"", 307, headers="location: https://elsewhere.example/v1/chat/completions\r\n"),
    "html": _body(b"<html><body>Sign in to the hotel network</body></html>", content_type="text/html"),
    "half": _body(answer("as good as there", _PLAIN)[:-40]),
    "event": _body(b'data: {"choices": []}\n\n', content_type="text/event-stream"),
    "plain": _body(answer("fine, whatever the type says", _PLAIN), content_type="text/plain"),
    "error_200": _body(complaint("upstream is busy", code=502)),
    "no_choices": _body(b'{"choices": []}'),
    "null": _body(b"null"),
    "bad_utf8": _body(b'{"choices": [{"message": {"content": "\xff\xfe"}}]}'),
    "deep": _body(b"[" * 100_000),
    "types": _body(answer("x", _PLAIN, usage="many")),
    "parts": _body(answer(None, _PLAIN, message={"content": [{"type": "text", "text": "in "}, {"text": "parts"}]})),
    "no_usage": _body(answer("free?", _PLAIN, usage=None)),
    "refusal": _body(answer(None, _PLAIN, message={"refusal": "I cannot help with that."})),
    "filter": _body(answer("The face", _PLAIN, finish="content_filter")),
    "length": _body(answer("The face shows", _PLAIN, finish="length")),
    "empty": _body(answer("", _PLAIN)),
    "huge": _body(answer("AU12 " * 200_000, _PLAIN)),
    "cut": _cut,
    "echo": _echo,
    "garbage": _garbage,
    "reset": _reset,
    "hang": _hang,
    "drip": _drip,
}


async def _serve(endpoint: FakeEndpoint) -> None:
    server = await endpoint.listen()
    print(endpoint.url, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(FakeEndpoint(Manners(**json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}")))))
