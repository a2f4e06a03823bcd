"""Pushing: to a hub that answers what huggingface_hub really asks, and never with the token in a message."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("huggingface_hub")

ROOT = Path(__file__).parent.parent
TOKEN = "hf_secretsecretsecret"


class Hub(ThreadingHTTPServer):
    """The part of the hub's interface that an upload without Xet needs."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.made: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.tokens: set[str | None] = set()
        self.refuses = False
        self._stored: dict[str, bytes] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hub, path = self.server, self.path.split("?")[0]
        hub.tokens.add(self.headers.get("Authorization"))
        if hub.refuses:
            return self._say({"error": f"Bearer {TOKEN} may not write here"}, 403)
        if path == "/api/repos/create":
            hub.made.append(json.loads(body))
            return self._say({"url": f"{hub.address}/lab/faces", "id": "1"})
        if path == "/api/validate-yaml":
            return self._say({"errors": [], "warnings": []})
        if "/preupload/" in path:
            files = json.loads(body)["files"]
            modes = [{"path": one["path"], "uploadMode": mode_of(one["path"]), "shouldIgnore": False} for one in files]
            return self._say({"files": modes})
        if path.endswith("/info/lfs/objects/batch"):
            return self._say(
                {"transfer": "basic", "objects": [self._place(one) for one in json.loads(body)["objects"]]}
            )
        if "/commit/" in path:
            self._commit(body)
            return self._say(
                {"commitUrl": f"{hub.address}/lab/faces/commit/1", "commitOid": "1", "pullRequestUrl": None}
            )
        return self._say({"error": f"not known: {path}"}, 404)

    def do_PUT(self) -> None:
        self.server._stored[self.path.rpartition("/")[2]] = self.rfile.read(int(self.headers["Content-Length"]))
        self._say({})

    def do_GET(self) -> None:
        self._say({"id": "lab/faces", "sha": "1", "siblings": []})

    def _place(self, asked: dict[str, Any]) -> dict[str, Any]:
        return asked | {"actions": {"upload": {"href": f"{self.server.address}/store/{asked['oid']}", "header": {}}}}

    def _commit(self, body: bytes) -> None:
        import base64

        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                self.server.files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                self.server.files[value["path"]] = self.server._stored[value["oid"]]

    def _say(self, answer: dict[str, Any], status: int = 200) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


def mode_of(path: str) -> str:
    return "lfs" if path.endswith(".safetensors") else "regular"


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "merged"
    made.mkdir()
    (made / "model.safetensors").write_bytes(bytes(range(256)) * 64)
    (made / "config.json").write_text("{}")
    (made / "README.md").write_text("---\nlicense: mit\n---\n# a model\n")
    return made


def push(
    folder: Path, hub: Hub | None, repo: str = "lab/faces", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Push in a process of its own: huggingface_hub reads the environment when it is imported."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom emollm.errors import EmoLLMError\n"
        "from emollm.train.push import push\n"
        "try:\n    print(push(Path(sys.argv[1]), sys.argv[2]))\n"
        "except EmoLLMError as error:\n    sys.exit(f'error: {error}')\n"
    )
    cleared = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    settings = {"HF_HUB_DISABLE_XET": "1", "HF_HOME": str(folder.parent / "hf"), "HF_TOKEN": TOKEN} | environment
    address = {} if hub is None else {"HF_ENDPOINT": hub.address}
    return subprocess.run(
        [sys.executable, "-c", program, str(folder), repo],
        env=cleared | settings | address | {"NO_PROXY": "127.0.0.1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_every_file_arrives_in_a_private_repository(hub: Hub, folder: Path) -> None:
    done = push(folder, hub)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{hub.address}/lab/faces"
    assert hub.files == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert [(one["organization"], one["name"], one["visibility"]) for one in hub.made] == [("lab", "faces", "private")]
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in done.stdout + done.stderr


def test_what_the_hub_refuses_is_one_line_without_the_token(hub: Hub, folder: Path) -> None:
    hub.refuses = True
    done = push(folder, hub)
    assert done.returncode == 1
    assert done.stderr.startswith("error: lab/faces: was not uploaded: ")
    assert done.stderr.count("\n") == 1
    assert "403" in done.stderr
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("repo", "environment", "message"),
    [
        ("faces", {}, "whose? write OWNER/faces"),
        ("lab/fa ces", {}, "is no name of a repository; write OWNER/NAME"),
        ("lab/faces", {"HF_TOKEN": ""}, "needs a token that may write; put it into the environment as HF_TOKEN"),
        ("lab/faces", {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set, which forbids it; unset it"),
        ("lab/faces", {"HF_ENDPOINT": "http://127.0.0.1:9"}, "was not uploaded: "),
    ],
    ids=["no owner", "no name", "no token", "offline", "nobody there"],
)
def test_what_cannot_be_pushed_is_one_line(repo: str, environment: dict[str, str], message: str, folder: Path) -> None:
    done = push(folder, None, repo, **environment)
    assert done.returncode == 1
    assert message in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
