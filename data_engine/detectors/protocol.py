"""What a detector that runs in this process is: anything that turns pictures into faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from emollm.records import Detector, Face

Pixels = NDArray[np.uint8]
"""A picture, (H, W, 3) RGB."""


class FaceDetector(Protocol):
    """Finds faces in pictures and measures their action units."""

    detector: Detector
    """Name, version and weights, as they go into the records."""

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Face]]:
        """Return the faces of each picture, largest first.

        A face has its box and landmarks in pixels, confidence 0–1, pose, AUs as intensities with both sides, and the
        regions that are hidden; AUs that only show in a hidden region are left out.
        """
        ...
