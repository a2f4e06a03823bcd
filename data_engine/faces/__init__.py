"""Rendered faces: driven by action units, with exact truth, free of anybody's likeness.

    from data_engine.faces import FaceSpec, landmarks, render, truth

    spec = FaceSpec(identity=61, aus={"AU06": 3.0, "AU12": (4.0, 1.0)}, yaw=0.2)
    render(spec, 112)        # (112, 112, 3) uint8 RGB
    landmarks(spec, 112)     # (68, 2) pixels
    truth(spec, 112)         # records.Face

The words: `spec` says what a picture shows, with all signs and units; `actions` and `codes` are its AUs, inside and
outside; `curves` the shapes that everything is made of.

The rooms, each importing only those before it:

    person/      who: one integer is one person, at rest and in motion
    studio/      the head in space, its surface, light, textures, backdrop, lens
    head/        what no AU moves: hair, beard, ears, neck and clothes, spectacles, hats
    parts/       brows, eyes, nose, cheeks, lips, mouth, chin, skin: the one place where each AU is drawn
    occluders/   masks, hands, scarves … before the face: one area paints them and decides the truth
    film/        AUs over time with exact events, performances, several people, files

`picture` puts a face together. What is known of it: `landmarks`, `visibility` (what is hidden), `truth` (the record),
`masks` (the pixels of each AU). A data set: `expressions` (which AUs for which emotion), `views` (pose, light, camera),
`plan` (who and what in picture n), `album` and `sheet` (the folder), `door` (the command `emollm faces`).
"""

from data_engine.faces.landmarks import landmarks
from data_engine.faces.picture import render
from data_engine.faces.spec import FaceSpec
from data_engine.faces.truth import truth

__all__ = ["FaceSpec", "landmarks", "render", "truth"]
