"""The ledger: every answer of a model, by what was asked. An equal request is answered from it and costs nothing.

    with Ledger(Path("asked.jsonl")) as ledger:
        await ledger.keep(entry)                 # on disk when this returns
        ledger.find(entry.key)                   # the same entry, or None

One JSON line an answer, to be read with any tool: key, when, stage, model, tokens, price, text, and the request with
the digests of its pictures. No picture and no key of an account is in it. In memory is only where each answer lies, 110
to 150 bytes each. Answers that arrive while others are being written share the next write to the disk.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from emollm.errors import ConfigError, EmoLLMError
from emollm.llm.entry import Entry

HEAD = b'{"key":"'
KEY_LENGTH = 64
START = len(HEAD) + KEY_LENGTH
"""Where a line's key ends: it can be read without parsing the line."""
_LINE = re.compile(rb'\{"key":"[0-9a-f]{64}",')
BLOCK = 1 << 13
"""Bytes that are read at once to find an answer; longer ones take several reads."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)


class Ledger:
    """An append-only file of answers, for Linux and macOS. One process at a time may have it open.

    Raises ConfigError where another process has it, or where the file is something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offsets: dict[int, int] = {}
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _lock(self._file, path)
            self._end = self._read()
        except BaseException:
            os.close(self._file)
            raise
        if is_new:
            sync_folder(path.parent)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="ledger")

    def _read(self) -> int:
        """Find every answer, cut off a line that a crash left unfinished, and return where the file ends."""
        beginning = os.pread(self._file, START + 2, 0)
        if not (_LINE.match(beginning) if len(beginning) == START + 2 else HEAD.startswith(beginning[: len(HEAD)])):
            raise ConfigError(f"{self.path}: is no ledger, it begins with {beginning[:20]!r}; name another file")
        end = damaged = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    print(f"{self.path}: the last line was cut off by a crash and is dropped", file=sys.stderr)
                    os.ftruncate(self._file, end)
                    break
                if _LINE.match(line) and line.endswith(b"}\n"):
                    self._offsets[_short(line[len(HEAD) : START])] = end
                else:
                    damaged += 1
                end += len(line)
        if damaged:
            print(f"{self.path}: {damaged:,} lines are damaged and are not used", file=sys.stderr)
        return end

    def __len__(self) -> int:
        return len(self._offsets)

    def find(self, key: str) -> Entry | None:
        """Return what is remembered under a key, or None."""
        offset = self._offsets.get(_short(key))
        if offset is None:
            return None
        line = os.pread(self._file, BLOCK, offset)
        while b"\n" not in line and (more := os.pread(self._file, BLOCK, offset + len(line))):
            line += more
        try:
            entry = _decoder.decode(line[: line.find(b"\n")])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return entry if entry.key == key else None

    async def keep(self, entry: Entry) -> None:
        """Append one answer; it is on the disk when this returns, and is written even where the caller gives up."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((_encoder.encode(entry) + b"\n", done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting())
        await done

    async def _write_waiting(self) -> None:
        """Write what waits in one go, as long as something waits; a thread waits for the disk."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error: EmoLLMError | None = None
            try:
                await asyncio.shield(loop.run_in_executor(self._disk, self._append, [line for line, _ in batch]))
            except EmoLLMError as full:
                error = full
            for done in (done for _, done in batch if not done.done()):
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

    def keep_all(self, entries: Sequence[Entry]) -> None:
        """Append answers that came by another way; all are on the disk when this returns."""
        self._disk.submit(self._append, [_encoder.encode(entry) + b"\n" for entry in entries]).result()

    def _append(self, lines: Sequence[bytes]) -> None:
        if not lines:
            return
        data = memoryview(b"".join(lines))
        try:
            while data:
                data = data[os.write(self._file, data) :]
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, self._end)  # half of an answer is none
            raise EmoLLMError(
                f"{self.path}: {error.strerror}; make room and run again, all that was kept is safe"
            ) from None
        for line in lines:
            self._offsets[_short(line[len(HEAD) : START])] = self._end
            self._end += len(line)

    def entries(self) -> Iterator[Entry]:
        """Yield every answer in the order of arrival, one in memory at a time; damaged lines are passed over."""
        with self.path.open("rb") as file:
            for line in file:
                try:
                    yield _decoder.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue

    def close(self) -> None:
        """Write what still waits, and let others have the file."""
        if self._file < 0:
            return
        waiting, self._waiting = self._waiting, []
        try:
            self._disk.submit(self._append, [line for line, _ in waiting]).result()
        finally:
            self._disk.shutdown()
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def _short(key: str | bytes) -> int:
    """Return the first 64 bits of a key, to save memory. Two keys that share them are asked anew, never mixed up."""
    return int(key[:16], 16)


def _lock(file: int, path: Path) -> None:
    """Take the file for this process; the system gives it back however the process ends."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError(
            f"{path}: another run has this ledger open; wait for it, or give this one a --ledger of its own"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be locked ({error.strerror}); name a place on a local disk") from None


def sync_folder(folder: Path) -> None:
    """Make a new file's name as durable as what is in it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
