"""An OpenAI-compatible server on this machine behind which the lying teacher sits.

with lying_endpoint(LyingTeacher(lie=0.2)) as url:
    ...
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lying_teacher import LyingTeacher

from emollm.llm.wire import Request, Turn


class Server(ThreadingHTTPServer):
    request_queue_size = 256


@contextmanager
def lying_endpoint(teacher: LyingTeacher, latency_s: float = 0.0) -> Iterator[str]:
    """Yield its address; every answer counts 100 tokens in and 20 out."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            turns = tuple(Turn(one["role"], text_of(one["content"])) for one in body["messages"])
            properties = body["response_format"]["json_schema"]["schema"]["properties"]
            stage = "describe" if "observations" in properties else "infer" if "label" in properties else "refine"
            time.sleep(latency_s)
            reply = asyncio.run(teacher(Request(turns=turns, seed=body.get("seed"), stage=stage)))
            choice = {"index": 0, "message": {"role": "assistant", "content": reply.text}, "finish_reason": "stop"}
            usage = {"prompt_tokens": 100, "completion_tokens": 20}
            told = json.dumps({"model": "liar-1", "choices": [choice], "usage": usage}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def text_of(content: object) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)  # type: ignore[attr-defined]
