"""HTTP: one POST and its answer, kept within time and size.

    http = Transport("http://localhost:8000/v1/chat/completions", key=None)
    status, body, retry_after_s = await http.post(body, timeout_s=60, most_bytes=200_000)
    await http.close()

aiohttp does the work: with a ledger and all limits on it carries several times the requests a second that the openai
package does (benchmarks/endpoint.py). It is imported when the first request is sent.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from emollm import __version__
from emollm.errors import MissingExtraError
from emollm.llm.chat import Trouble

if TYPE_CHECKING:
    import aiohttp

CONNECT_S = 15.0
LOCAL = {"localhost", "127.0.0.1", "::1"}
LARGE = 1 << 20
"""Bytes."""


class Received(NamedTuple):
    """An answer of any kind."""

    status: int
    body: bytes
    retry_after_s: float | None


class Transport:
    """Connections to one address, kept open between requests. Belongs to one event loop."""

    def __init__(self, url: str, key: str | None) -> None:
        try:
            import aiohttp
        except ImportError:
            raise MissingExtraError("asking an endpoint", "teacher") from None
        self._aiohttp = aiohttp
        self._url = url
        # No compression: an answer of a few bytes could otherwise unpack to gigabytes.
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": f"emollm/{__version__}",
        }
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            headers=headers,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            # A proxy of the environment is for the world outside; it would not find a server on this machine.
            trust_env=urlsplit(url).hostname not in LOCAL,
        )

    async def post(self, body: bytes, timeout_s: float, most_bytes: int) -> Received:
        """Send a request and read the whole answer. Raises Trouble where there is none in time or it is too large."""
        aiohttp = self._aiohttp
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(CONNECT_S, timeout_s))
        data = body if len(body) < LARGE else BytesIO(body)  # large bodies are sent in pieces
        try:
            async with self._session.post(self._url, data=data, timeout=timeout, allow_redirects=False) as response:
                received = await _read(response, most_bytes)
                return Received(response.status, received, read_retry_after(response.headers))
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            raise Trouble(
                "transport", f"cannot connect ({_reason(error)})", may_retry=True, ends_run="at_first"
            ) from None
        except TimeoutError:
            raise Trouble("deadline", f"no whole answer within {timeout_s:.1f} s", may_cost=True) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Trouble("transport", f"broken answer ({_reason(error)})", may_retry=True, may_cost=True) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


async def _read(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    parts, num_bytes = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        num_bytes += len(part)
        if num_bytes > most_bytes:
            response.close()
            raise Trouble("unreadable", f"an answer of more than {most_bytes:,} bytes", may_cost=True)
    return b"".join(parts)


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds to wait: `retry-after-ms` (OpenAI), `retry-after` in seconds or as a date; else None."""
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        text = headers.get(name)
        if text is None:
            continue
        try:
            seconds = float(text) * unit
        except ValueError:
            try:
                seconds = parsedate_to_datetime(text).timestamp() - time.time()
            except (ValueError, TypeError):
                continue
        if seconds < float("inf"):
            return max(0.0, seconds)
    return None
