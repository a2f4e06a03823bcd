"""Rows of an AU file that cannot be read: a few are shown, all are kept aside with their line.

bad = BadRows(out, source)
for clip in read_clips(source, …, bad=bad): ...
bad.close()
"""

from __future__ import annotations

import sys

from data_engine.detect.labelling import NUM_SHOWN
from data_engine.sources.source import Source
from emollm.stage import Output


class BadRows:
    """Rows of one file that cannot be read: the first few are shown, all are kept aside."""

    def __init__(self, out: Output, source: Source) -> None:
        self._out = out
        self._source = source
        self._num = 0

    def __call__(self, row: int, reason: str, detail: str) -> None:
        """Report one row, counted from 0 after the header."""
        head = self._source.head
        self._num += 1
        where = f"{head.path}:{head.skip_lines + row + 1}" if head.is_table else f"{head.path}: object {row + 1}"
        if self._num <= NUM_SHOWN:
            print(f"error: {where}: {detail}; the row is kept aside", file=sys.stderr)
        self._out.reject(f"{self._source.name}#{row:06d}", reason, f"{where}: {detail}")
        self._out.exit_code = 1

    def close(self) -> None:
        """Say how many more there were."""
        if self._num > NUM_SHOWN:
            more = self._num - NUM_SHOWN
            print(f"error: {self._source.head.path}: {more:,} more such rows are kept aside", file=sys.stderr)
