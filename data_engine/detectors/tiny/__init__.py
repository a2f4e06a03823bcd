"""Our own detector, with the weights that it is shipped with. `CARD.md` beside it says what it can and cannot do."""

from data_engine.detectors.tiny.detector import TinyDetector

__all__ = ["TinyDetector"]
