"""Boxes: does the text point at the part of the face that it speaks of?

TAG (2026) pays for the overlap of the boxes a text gives with those of a detector; its formula is not published, and
this one is ours. A box is four numbers, x1, y1, x2, y2 in pixels of the picture, as `[16, 40, 88, 70]`,
`<bbox>16, 40, 88, 70</bbox>` or `(16,40),(88,70)`, and belongs to the last claim before it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from emollm.facs import UNITS
from emollm.records import Box
from emollm.train.rewards.heard import Heard

LANDMARKS: dict[str, tuple[int, ...]] = {
    "brows": tuple(range(17, 27)),
    "eyes": tuple(range(36, 48)),
    "nose": tuple(range(27, 36)),
    "cheeks": (2, 14, 40, 41, 46, 47, 48, 54),
    "mouth": tuple(range(48, 68)),
    "chin": (6, 7, 8, 9, 10, 57),
    "jaw": tuple(range(3, 14)),
}
"""Region to the landmarks of dlib-68 around it."""

MARGIN = 0.05
"""How far a region reaches beyond its landmarks, as a share of the face's width."""

_NUMBER = r"\s{0,3}(-?\d{1,5}(?:\.\d{1,6})?)\s{0,3}"
_BOX = re.compile(rf"[\[(>]{_NUMBER},{_NUMBER}\)?,\(?{_NUMBER},{_NUMBER}[\])<]")


def box_overlap(heard: Heard) -> float | None:
    """Return 2 sum(IoU) / (boxes given + regions with a present AU), 0 to 1: F1 with part marks for part overlap.

    IoU is that of a region and the best box said of it. Without landmarks the one region is the face, where its box is
    known. None where neither is known, or nothing is present; 0 for a text without boxes.
    """
    wanted = regions(heard)
    if not wanted:
        return None
    own = heard.answer
    given = [(match.start(), _corners(match)) for match in _BOX.finditer(heard.completion, own.start, own.end)]
    best = dict.fromkeys(wanted, 0.0)
    for (_, box), region in zip(given, _spoken_of(heard, [start for start, _ in given]), strict=True):
        region = "face" if "face" in wanted else region
        if region in wanted:
            best[region] = max(best[region], iou(box, wanted[region]))
    return 2 * sum(best.values()) / (len(given) + len(wanted))


def regions(heard: Heard) -> dict[str, Box]:
    """Return the boxes, as corners, of the regions in which an AU is present; or that of the face."""
    face = heard.score.face or next(iter(heard.sample.faces or ()), None)
    if face is None:
        return {}
    if face.landmarks is not None and len(face.landmarks) == 68:
        present = dict.fromkeys(UNITS[code].region for code in heard.score.aus_gold or ())
        return {region: _around(face.landmarks, region) for region in present if region in LANDMARKS}
    return {} if face.box is None else {"face": _face_corners(face.box)}


def _face_corners(box: Box) -> Box:
    x, y, width, height = box
    return x, y, x + width, y + height


def _around(landmarks: Sequence[tuple[float, float]], region: str) -> Box:
    points = [landmarks[place] for place in LANDMARKS[region]]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    margin = MARGIN * (max(x for x, _ in landmarks) - min(x for x, _ in landmarks))
    return min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin


def _spoken_of(heard: Heard, places: Sequence[int]) -> list[str | None]:
    """Return the region of the last positive claim before each place."""
    checked = heard.score.check.checked if heard.score.check else ()
    claims = sorted((one.claim.end, UNITS[one.claim.aus[0]].region) for one in checked if one.claim.present)
    ends = [end for end, _ in claims]
    before = [bisect_right(ends, place) for place in places]
    return [claims[place - 1][1] if place else None for place in before]


def _corners(match: re.Match[str]) -> Box:
    x1, y1, x2, y2 = (float(number) for number in match.groups())
    return x1, y1, x2, y2


def iou(one: Box, other: Box) -> float:
    """Return intersection over union of two boxes given as corners, 0 to 1; 0 for a box without area."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0.0) * max(height, 0.0)
    if both == 0.0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)
