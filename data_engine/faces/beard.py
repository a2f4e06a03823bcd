"""Beards: where they grow, how dense they are, and how their edges thin out."""

from __future__ import annotations

from data_engine.faces.curves import Field, bump, clamp, smoothstep
from data_engine.faces.identity import Identity
from data_engine.faces.surface import Surface

STUBBLED = 0.1
"""Below this, stubble is not seen."""


def grow_beard(face: Surface, person: Identity) -> None:
    """Mix the hair's colour into jaw, upper lip and chin."""
    if person.beard <= 0 and person.stubble <= STUBBLED:
        return
    face = face.window(top=0.0, bottom=1.6)
    if not face.x.size:
        return
    rough = 1 + 0.45 * face.grain
    shadow = 0.42 * person.stubble * area(face, "full", person.mouth_y) * (0.8 + 0.2 * rough)
    if person.beard > 0:
        dense = area(face, person.beard_shape, person.mouth_y) * (0.25 + person.beard)
        dense = smoothstep(1.5 * dense - 0.35 + 0.20 * face.grain * (1 - dense)) * (0.62 + 0.33 * person.beard)
        shadow = clamp(shadow + dense, 0, 0.95)
    face.cover(shadow * clamp(4 * face.front), person.hair * 0.9 + 0.02)
    face.colour[...] *= 1 + 0.20 * shadow * (rough - 1)


def area(face: Surface, shape: str, mouth_y: float) -> Field:
    """Return how thickly a beard of this shape grows, 0–1, soft over a tenth of the face."""
    x, y = face.lateral, face.y
    below = y - mouth_y
    chin = bump(x / 0.30, (below - 0.27) / 0.20)
    moustache = bump(clamp(x - 0.10) / 0.13, (below + 0.095 - 0.10 * x) / 0.055)
    if shape == "moustache":
        return clamp(1.3 * moustache)
    if shape == "chin":
        return clamp(1.25 * chin)
    if shape == "goatee":
        ring = bump((x - 0.33) / 0.07, (below - 0.05) / 0.16)
        return clamp(1.2 * (chin + moustache + ring))
    # The upper edge falls from the sideburns towards the moustache.
    edge = (
        0.10 + 0.36 * smoothstep((0.72 - x) / 0.36) if shape == "full" else 0.12 + 0.66 * smoothstep((0.80 - x) / 0.42)
    )
    jaw = smoothstep((y - edge) / 0.20) * smoothstep((x - 0.16) / 0.20)
    patch = 1 - 0.5 * bump((x - 0.12) / 0.10, (below - 0.13) / 0.06)  # bare beside the tuft under the lip
    return clamp(jaw + (chin + moustache if shape == "full" else chin) * patch)
