"""Ids: which line of a JSON Lines file holds an id, for files of many millions of records.

    ids = Ids(path)
    first = ids.put(record.id, line=7, offset=1024)    # None, or the line that holds this id already
    "anna/1" in ids

An id costs 16 to 24 bytes, however long it is: 32 bits of its hash, its line, and a place in a table. The answer is
exact all the same. Where the bits agree, the id itself is read from the file, with its neighbours, so that ids that are
asked for in the order of the file cost one reading of it.
"""

from __future__ import annotations

from array import array
from pathlib import Path

import msgspec

BITS = 0xFFFFFFFF
"""The part of a hash that is kept."""
BLOCK = 64
"""Ids that are read from the file together."""
FIRST_SLOTS = 1 << 10


class _Named(msgspec.Struct):
    """What is read of a line; its other fields are passed over."""

    id: str


class Ids:
    """The ids of one file, each with the first line that holds it."""

    def __init__(self, path: Path) -> None:
        """Begin without an id. `path` is read again later; of a pipe, which cannot be, the ids are kept as they are."""
        self._path = path
        self._kept: list[str] | None = None if path.is_file() else []
        self._hashes = array("I")
        self._lines = array("I")
        self._offsets = array("Q")  # of the first id of each block
        self._slots = array("I", [0]) * FIRST_SLOTS  # 0 is free; else the number of an id, from 1
        self._block: dict[int, str] = {}  # line to id, as they were read last

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, record_id: str) -> bool:
        return self._slots[self._slot(record_id)] > 0

    def put(self, record_id: str, line: int, offset: int) -> int | None:
        """Remember that an id stands on `line`, which begins at byte `offset`, unless an earlier line holds it.

        Returns that earlier line, or None. Lines come in the order of the file.
        """
        slot = self._slot(record_id)
        if self._slots[slot]:
            return self._lines[self._slots[slot] - 1]
        if len(self._lines) % BLOCK == 0:
            self._offsets.append(offset)
        self._hashes.append(hash(record_id) & BITS)
        self._lines.append(line)
        if self._kept is not None:
            self._kept.append(record_id)
        self._slots[slot] = len(self._lines)
        if 2 * len(self._lines) > len(self._slots):
            self._grow()
        return None

    def _slot(self, record_id: str) -> int:
        """Return the slot that holds an id, or the free one where it belongs."""
        bits, last = hash(record_id) & BITS, len(self._slots) - 1
        slot = bits & last
        while number := self._slots[slot]:
            if self._hashes[number - 1] == bits and self._id(number - 1) == record_id:
                break
            slot = (slot + 1) & last
        return slot

    def _grow(self) -> None:
        size = 2 * len(self._slots)
        self._slots = array("I")  # the old table goes before the new one comes
        slots = array("I", [0]) * size
        for number, bits in enumerate(self._hashes, start=1):
            slot = bits & (size - 1)
            while slots[slot]:
                slot = (slot + 1) & (size - 1)
            slots[slot] = number
        self._slots = slots

    def _id(self, place: int) -> str | None:
        """Return the id at a place; None where the file is not what it was."""
        if self._kept is not None:
            return self._kept[place]
        line = self._lines[place]
        if line not in self._block:
            self._block = self._read(place // BLOCK)
        return self._block.get(line)

    def _read(self, block: int) -> dict[int, str]:
        """Read the ids of a block by their lines."""
        lines = self._lines[block * BLOCK : (block + 1) * BLOCK]
        wanted, found = set(lines), {}
        try:
            with self._path.open("rb") as file:
                file.seek(self._offsets[block])
                for line in range(lines[0], lines[-1] + 1):
                    text = file.readline()
                    if line in wanted:
                        found[line] = msgspec.json.decode(text.removeprefix(b"\xef\xbb\xbf"), type=_Named).id
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return found
        return found
