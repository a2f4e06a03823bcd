"""The scale of a file's confidence: 0 to 1, or percent where that is beyond doubt.

    confidence_top(head, layout)        # 1.0, or 100.0 for percent

`data_engine.sources.source` asks for every file. What is neither stays above the top and is kept aside row by row.
"""

from __future__ import annotations

from contextlib import suppress

from data_engine.sources.head import Head
from data_engine.sources.layout import Layout

PERCENT = 100.0
PERCENT_WORDS = ("%", "percent", "pct")
CLEARLY_PERCENT = 50.0
"""Some value is at least this high: scores without an upper end, such as log odds, stay below it."""


def confidence_top(head: Head, layout: Layout) -> float:
    """Return 100 where the column's name says percent, or where its first values can be nothing else; 1 otherwise.

    They can be nothing else when none lies above 100 or within 0 to 1 without being 0, and one is 50 or more.
    """
    column = layout.roles.get("confidence")
    if column is None or column not in head.columns:
        return 1.0
    if any(word in column.lower() for word in PERCENT_WORDS):
        return PERCENT
    known = []
    for cell in head.column_values(column):
        with suppress(ValueError):  # empty, or text, which is reported when its row is read
            known.append(float(cell if head.separator == b"," else cell.replace(",", ".")))
    given = [value for value in known if value == value and value != 0.0]  # NaN is not equal to itself
    is_percent = all(1.0 < value <= PERCENT for value in given) and max(given, default=0.0) >= CLEARLY_PERCENT
    return PERCENT if is_percent else 1.0
