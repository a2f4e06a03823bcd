"""The 24 FEAFA values of ExpLLM's files: a JSON list of `{"file_name": …, "emo": …, "au": [24 numbers, 0-1]}`.

The files name no AU. The order is FEAFA's own, left before right; 0-1 is the strength of the movement and is read as
0-5. FEAFA's "brow raise" does not part AU1 from AU2, and its "jaw drop" not AU26 from AU27.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from data_engine.sources.head import Head
from data_engine.sources.layout import Channel, Dialect, Layout
from emollm.records import Detector

NUM_VALUES = 24

# Place in the list → AU and side. Two places with the same AU and no side (upper and lower lip suck) give the stronger.
PLACES: tuple[tuple[int, str, Literal["left", "right"] | None], ...] = (
    (0, "AU43", "left"),
    (1, "AU43", "right"),
    (2, "AU05", "left"),
    (3, "AU05", "right"),
    (4, "AU04", "left"),
    (5, "AU04", "right"),
    (6, "AU01", "left"),
    (7, "AU01", "right"),
    (6, "AU02", "left"),
    (7, "AU02", "right"),
    (8, "AU26", None),
    (9, "AU30", "left"),
    (10, "AU30", "right"),
    (11, "AU12", "left"),
    (12, "AU12", "right"),
    (13, "AU20", "left"),
    (14, "AU20", "right"),
    (15, "AU28", None),
    (16, "AU28", None),
    (17, "AU29", None),
    (18, "AU10", None),
    (19, "AU16", None),
    (20, "AU17", None),
    (21, "AU18", None),
    (22, "AU34", None),
    (23, "AU09", None),
)


def recognises(head: Head) -> str | None:
    """A list of 24 numbers named `au`."""
    if not any(_has_vector(item) for item in head.items[:16]):
        return None
    return f"{len(head.items)} objects with a list 'au' of {NUM_VALUES} values"


def layout(head: Head) -> Layout:
    """FEAFA's order, each value on a scale of 0 to 1."""
    channels = tuple(Channel(au, f"au[{place}]", "intensity", side) for place, au, side in PLACES)
    roles = {"media": "file_name", "label": "emo"}
    return Layout(Detector(name="feafa"), channels, {r: c for r, c in roles.items() if c in head.items[0]})


def rows(head: Head) -> Iterator[dict[str, Any]]:
    """One row an image, the list unfolded."""
    for item in head.items:
        values = item.get("au")
        # A list of another length is left as it is, so that its row is reported.
        whole = isinstance(values, list) and len(values) == NUM_VALUES
        yield item | {f"au[{place}]": values[place] if values and whole else str(values) for place in range(NUM_VALUES)}


def _has_vector(item: dict[str, Any]) -> bool:
    return isinstance(item.get("au"), list) and len(item["au"]) == NUM_VALUES


FEAFA = Dialect("feafa", recognises, layout, rows)
