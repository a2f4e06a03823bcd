"""Rendered faces: driven by action units, with exact truth, free of anybody's likeness.

    from data_engine.faces import FaceSpec, landmarks, render, truth

    spec = FaceSpec(identity=61, aus={"AU06": 3.0, "AU12": (4.0, 1.0)}, yaw=0.2)
    render(spec, 112)        # (112, 112, 3) uint8 RGB
    landmarks(spec, 112)     # (68, 2) pixels
    truth(spec, 112)         # records.Face

A room a part of the face (`brows`, `eyes`, `nose`, `lips`, `mouth`, `cheeks`, `chin`, `skin`, `hair`), each the one
place where its AUs are written; `features` is how they differ at rest from person to person, `expressiveness` how
differently they move; `picture` puts them together, `door` is the command `emollm faces`.
"""

from data_engine.faces.landmarks import landmarks
from data_engine.faces.picture import render
from data_engine.faces.spec import FaceSpec
from data_engine.faces.truth import truth

__all__ = ["FaceSpec", "landmarks", "render", "truth"]
