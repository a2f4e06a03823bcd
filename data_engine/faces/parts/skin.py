"""Skin: its tone, blush, blotches, freckles and moles, before any light falls on it, and how it takes the light."""

from __future__ import annotations

import numpy as np

from data_engine.faces.curves import Field, bump, clamp
from data_engine.faces.head.beard import grow_beard
from data_engine.faces.person.identity import Identity
from data_engine.faces.studio.surface import Head, Surface, coarse_step
from data_engine.faces.studio.texture import atlas, enlarge

FRECKLED, WITH_MOLES = 0.35, 0.35
"""Below these, freckles and moles are not seen."""


def paint_skin(head: Head, person: Identity) -> None:
    """Give the whole face the colour of its skin, with what grows and folds in it."""
    face = head.surface
    blotches = atlas("blotches").take(head.texel)
    tone = 1 + (0.012 + 0.026 * person.blotches) * blotches + (0.005 + 0.015 * person.pores) * face.grain
    warm, cold = _blood(face, person)
    cold *= tone - (0.02 * person.ruddiness) * blotches
    np.multiply(warm, tone * float(person.skin[0]), out=face.colour[0])
    np.multiply(cold, person.skin[1:, None, None], out=face.colour[1:])
    if person.freckles > FRECKLED or person.moles > WITH_MOLES:
        _spot(head, person)
    grow_beard(face, person)
    face.colour[...] *= 1 - 0.52 * clamp(face.crease, 0, 1.2) * face.front


def _blood(face: Surface, person: Identity) -> tuple[Field, Field]:
    """What blood under cheeks and nose, and the dark skin under the eyes, do to red, and to green and blue: factors."""
    step = coarse_step(face.pixel)
    lateral, y = face.lateral[::step, ::step], face.y[::step, ::step]
    cheeks = bump((lateral - 0.46) / 0.24, (y - 0.18) / 0.20)
    nose = bump(lateral / 0.14, (y - 0.22) / 0.13)
    socket = bump((lateral - person.eye_x + 0.05) / 0.20, (y - person.eye_y - 0.11) / 0.075)
    dark = (0.04 + 0.20 * person.under_eyes) * socket
    pale = float(person.skin.mean()) > 0.45
    red = (0.03 + 0.10 * person.ruddiness) * (1.0 if pale else 0.5) * (cheeks + 0.7 * nose)
    tones = np.stack([1 + 0.25 * red - dark, 1 - 0.75 * red - 0.85 * dark])
    warm, cold = enlarge(tones, face.x.shape, step=step)
    return warm, cold


def _spot(head: Head, person: Identity) -> None:
    """Freckles on nose and cheeks, moles anywhere."""
    face = head.surface
    dark: Field = np.zeros_like(face.x)
    if person.freckles > FRECKLED:
        around_nose = bump((face.lateral - 0.25) / 0.42, (face.y - 0.10) / 0.26)
        dark += 0.32 * person.freckles * around_nose * clamp(atlas("freckles").take(head.texel) - 0.9)
    if person.moles > WITH_MOLES:
        dark += 0.5 * clamp(4 * (atlas("moles").take(head.texel) - 3.35 + 0.35 * person.moles))
    face.colour[...] *= 1 - dark * face.front


def shine_on(face: Surface, person: Identity, bounce: Field) -> None:
    """Multiply the skin by its light, and its shadows by the colour that falls into them; add what it mirrors."""
    dark = clamp(1 - face.shade)
    for channel, share in zip(face.colour, bounce.tolist(), strict=True):
        channel *= face.shade + share * dark
    strength = (0.05 + 0.16 * person.oiliness) * (1 + 0.12 * face.grain)
    face.colour[...] += strength * face.gloss * (1 - clamp(face.crease))
