"""The batch service of an endpoint: batch files are handed over, and their answers fetched, by the openai package.

    service = BatchService(Path("cot.batch.jsonl"), "https://api.openai.com/v1", "gpt-4o-mini")
    service.submit()                   # every file that was not handed over yet: cot.batch.jsonl, cot.batch-2.jsonl …
    for state in service.fetch():      # any time later, in another process, too
        ...                            # state.paths are there once the batch has ended; `read_batch` reads them

What was handed over is remembered beside the file (`handed`), so that the same file is not paid twice, wherever a run
was killed. Nothing is fast here and nothing has to be: uploads, retries and pages are the package's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from emollm.errors import ConfigError, EmoLLMError, MissingExtraError
from emollm.files import in_one_step
from emollm.llm.address import KEY_ENV, read_address, read_key
from emollm.llm.batch import read_keys
from emollm.llm.handed import Handed, HandedLog, now
from emollm.llm.transport import LOCAL
from emollm.llm.wire import EndpointError

ENDED = ("completed", "failed", "expired", "cancelled")
ADVICE = {
    401: "check the key in {key_env}",
    403: "check the key in {key_env}, and what it may do",
    429: "check the account, or try again later",
}
"""What to do about a status."""
ABSENT = (404, 405, 501)
NO_SERVICE = "there is no batch service at this address; --batch without --submit only writes the file"
BLOCK = 1 << 20
"""Bytes."""
CLOCKS_S = 3600.0
"""How far the clocks of two machines may differ, in seconds."""


class State(NamedTuple):
    """How far a batch has come."""

    file: str
    batch: str
    status: str
    num_done: int
    num_requests: int
    """0 where the service does not tell."""
    paths: tuple[Path, ...] = ()
    """Where its answers and its errors lie, once it has ended."""
    detail: str = ""
    """Why the service did not take it."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ENDED


class _Counts(msgspec.Struct):
    total: int = 0
    completed: int = 0
    failed: int = 0


class _Error(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Errors(msgspec.Struct):
    data: list[_Error] | None = None


class _Told(msgspec.Struct):
    """What we need of a batch, or of an uploaded file, which has an id alone."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    status: str | None = None
    created_at: float | None = None
    metadata: dict[str, str] | None = None
    request_counts: _Counts | None = None
    errors: _Errors | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None


class BatchService:
    """The batches of one batch file and of its further parts.

    Raises MissingExtraError without the openai package, ConfigError without a key, and for a log of another endpoint or
    model. What the service says no to is an EndpointError of one line.
    """

    def __init__(self, path: Path, endpoint: str, model: str, key_env: str = KEY_ENV) -> None:
        try:
            import httpx2
            import openai
        except ImportError:
            raise MissingExtraError("the batch service", "teacher") from None
        self.url = read_address(endpoint)
        self._path = path
        self._model = model
        self._key_env = key_env
        self._key = read_key(key_env, self.url)
        self.log = HandedLog(path, self.url, model)
        self._openai, self._httpx = openai, httpx2
        # As for other requests: a proxy of the environment would not find a server on this machine.
        http = openai.DefaultHttpxClient(trust_env=urlsplit(self.url).hostname not in LOCAL)
        self._client = openai.OpenAI(api_key=self._key or "none", base_url=self.url, max_retries=4, http_client=http)

    # --- there --------------------------------------------------------------------------------------------------------

    def submit(self) -> list[Handed]:
        """Hand over every part that was not, and return what the service has taken; each is remembered at once."""
        self._find_lost()
        return [self._submit(part) for part in self.log.unsent()]

    def _submit(self, part: Path) -> Handed:
        if not sum(1 for _ in read_keys(part, self._model)):  # a file of another kind is not for others to see
            raise ConfigError(f"{part}: holds no request; remove it")
        with self._asking(f"{part} is not handed over"), part.open("rb") as file:
            upload = _read(self._client.files.create(file=(part.name, file), purpose="batch"))
        handed = self.log.remember(part)
        # One try: where only the answer is lost, a second one would be paid a second time. `_find_lost` looks then.
        with self._asking(f"{part} may not be handed over, the same command looks"):
            batch = _read(
                self._client.with_options(max_retries=0).batches.create(
                    completion_window="24h",
                    endpoint="/v1/chat/completions",
                    input_file_id=upload.id,
                    metadata={"file": handed.file, "sha256": handed.sha256},
                )
            )
        return self.log.remember(part, batch.id)

    def _find_lost(self) -> None:
        """Look for the batches that the service made of files whose handing over was cut off."""
        lost = {(handed.file, handed.sha256): handed for handed in self.log.all() if not handed.batch}
        if not lost:
            return
        since = min(datetime.fromisoformat(handed.at).timestamp() for handed in lost.values()) - CLOCKS_S
        with self._asking(f"{self.log.path}: whether {len(lost)} files were handed over cannot be told"):
            for batch in self._client.batches.list(limit=100):
                told = _read(batch)
                key = tuple((told.metadata or {}).get(name) for name in ("file", "sha256"))
                if key in lost:
                    self.log.add(msgspec.structs.replace(lost.pop(key), batch=told.id))
                if not lost or (told.created_at or since) < since:  # the newest come first
                    break

    # --- and back -----------------------------------------------------------------------------------------------------

    def fetch(self) -> Iterator[State]:
        """Yield how far each batch that is under way has come, with its downloaded files where it has ended.

        A batch counts as taken over when the next one is asked for: read the files before that.
        """
        self._find_lost()
        for handed in self.log.under_way():
            with self._asking(f"how far {handed.batch} has come is not known", self._without(handed)):
                batch = _read(self._client.batches.retrieve(handed.batch))
            counts = batch.request_counts or _Counts()
            num_done = counts.completed + counts.failed
            state = State(handed.file, handed.batch, batch.status or "without a status", num_done, counts.total)
            if not state.is_over:
                yield state
                continue
            said = (batch.errors and batch.errors.data) or []
            detail = "; ".join(self._plain(error.message or error.code or "") for error in said[:3])
            yield state._replace(paths=tuple(self._download(handed, batch)), detail=detail)
            self.log.add(msgspec.structs.replace(handed, ended=state.status, at=now()))

    def _download(self, handed: Handed, batch: _Told) -> Iterator[Path]:
        for file_id, kind in ((batch.output_file_id, "output"), (batch.error_file_id, "errors")):
            if not file_id:
                continue
            sent = Path(handed.file)
            path = self._path.with_name(f"{sent.stem}.{kind}{sent.suffix}")
            with (
                in_one_step(path) as part,
                self._asking(f"the {kind} of {batch.id} cannot be fetched", self._without(handed)),
                self._client.files.with_streaming_response.content(file_id) as response,
                part.open("wb") as file,
            ):
                for block in response.iter_bytes(BLOCK):
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            yield path

    # --- trouble ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _asking(self, failed: str, absent: str = NO_SERVICE) -> Iterator[None]:
        """Turn all that can go wrong into one line, beginning with what `failed`; `absent` is for a 404."""
        try:
            yield
        except self._openai.APIStatusError as error:
            status = error.status_code
            advice = ADVICE.get(status, "the same command goes on from here").format(key_env=self._key_env)
            said = error.body.get("message") if isinstance(error.body, dict) else None
            reason = f"{status}, {self._plain(str(said or error.message))}"
            raise self._error(failed, reason, absent if status in ABSENT else advice) from None
        except (self._openai.APIConnectionError, self._httpx.HTTPError) as error:
            reason = self._plain(str(error.__cause__ or error) or type(error).__name__)
            raise self._error(failed, reason, "is the address right, and the server running?") from None
        except (self._openai.OpenAIError, ValueError, RecursionError) as error:
            raise self._error(failed, f"an answer that cannot be read ({self._plain(str(error))})") from None
        except OSError as error:
            raise EmoLLMError(f"{error.filename or self._path}: {error.strerror}; make room and run again") from None

    def _without(self, handed: Handed) -> str:
        return (
            f"is the key that of another account? If it is gone for good, remove the lines of {handed.file} from "
            f"{self.log.path}, and the file, and its requests are asked again"
        )

    def _error(
        self, failed: str, reason: str, advice: str = "is this the address of a batch service?"
    ) -> EndpointError:
        return EndpointError(f"{self.url}: {failed} ({reason}); {advice}")

    def _plain(self, text: str) -> str:
        """Return what a service says in one short line, without the key: some repeat what they were sent."""
        told = " ".join(text.split())
        return (told.replace(self._key, "***") if self._key else told)[:200]


def _read(told: Any) -> _Told:
    """Return what the service tells of a thing; the package hands on anything. Raises ValueError for another thing."""
    if not hasattr(told, "model_dump"):
        raise ValueError(f"it says {str(told)[:80]!r}")
    return msgspec.convert(told.model_dump(warnings=False), _Told)
