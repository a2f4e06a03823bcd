"""The units of FACS: action units, action descriptors, head and eye positions, visibility codes, gross behaviour.

    UNITS["AU12"].name      # "Lip corner puller"
    UNITS["AU12"].region    # "mouth"

Source: Ekman, Friesen and Hager, Facial Action Coding System, 2002. In records every unit is called `AU` and two
digits, whatever its family (AD19 is `AU19`, M51 is `AU51`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from emollm.records import Region

Family = Literal["action", "descriptor", "head", "eye", "visibility", "gross"]

REGIONS: tuple[str, ...] = get_args(Region)
"""Where a unit is seen; the forehead counts as brows, the lids as eyes, lips and lip corners as mouth."""


class Unit(NamedTuple):
    """One code of FACS. `anchors` are dlib-68 landmarks (from 0), `blendshapes` ARKit and mediapipe channels."""

    code: str
    number: int
    name: str
    muscles: tuple[str, ...]
    region: str
    anchors: tuple[int, ...]
    blendshapes: tuple[str, ...]
    family: Family


def _unit(
    number: int,
    name: str,
    region: str,
    muscles: str = "",
    anchors: tuple[int, ...] = (),
    channels: str = "",
    family: Family = "action",
) -> Unit:
    """Build a row: muscles are separated by `;`, channels by blanks, and `LR` ends a channel that has two sides."""
    blendshapes: list[str] = []
    for channel in channels.split():
        stem = channel.removesuffix("LR")
        blendshapes += [channel] if stem == channel else [f"{stem}Left", f"{stem}Right"]
    parts = tuple(part.strip() for part in muscles.split(";") if part)
    return Unit(f"AU{number:02d}", number, name, parts, region, anchors, tuple(blendshapes), family)


_LIDS = tuple(range(36, 48))
_LIPS = tuple(range(48, 60))

_ACTIONS = (
    _unit(1, "Inner brow raiser", "brows", "frontalis, pars medialis", (20, 21, 22, 23), "browInnerUp"),
    _unit(2, "Outer brow raiser", "brows", "frontalis, pars lateralis", (17, 18, 25, 26), "browOuterUpLR"),
    _unit(
        4,
        "Brow lowerer",
        "brows",
        "corrugator supercilii; depressor supercilii; procerus",
        (19, 20, 21, 22, 23, 24, 27),
        "browDownLR",
    ),
    _unit(
        5,
        "Upper lid raiser",
        "eyes",
        "levator palpebrae superioris; superior tarsal muscle",
        (37, 38, 43, 44),
        "eyeWideLR",
    ),
    _unit(6, "Cheek raiser", "cheeks", "orbicularis oculi, pars orbitalis", (36, 41, 45, 46), "cheekSquintLR"),
    _unit(7, "Lid tightener", "eyes", "orbicularis oculi, pars palpebralis", _LIDS, "eyeSquintLR"),
    _unit(8, "Lips toward each other", "mouth", "orbicularis oris", _LIPS, "mouthClose"),
    _unit(
        9,
        "Nose wrinkler",
        "nose",
        "levator labii superioris alaeque nasi",
        (27, 28, 29, 30, 31, 35),
        "noseSneerLR",
    ),
    _unit(10, "Upper lip raiser", "mouth", "levator labii superioris", (31, 35, 50, 52), "mouthUpperUpLR"),
    _unit(11, "Nasolabial deepener", "cheeks", "zygomaticus minor", (31, 35, 48, 54)),
    _unit(12, "Lip corner puller", "mouth", "zygomaticus major", (48, 54), "mouthSmileLR"),
    _unit(13, "Sharp lip puller", "mouth", "levator anguli oris", (48, 54)),
    _unit(14, "Dimpler", "mouth", "buccinator", (48, 54), "mouthDimpleLR"),
    _unit(15, "Lip corner depressor", "mouth", "depressor anguli oris", (5, 11, 48, 54), "mouthFrownLR"),
    _unit(16, "Lower lip depressor", "mouth", "depressor labii inferioris", (55, 56, 57, 58, 59), "mouthLowerDownLR"),
    _unit(17, "Chin raiser", "chin", "mentalis", (7, 8, 9, 57), "mouthShrugLower"),
    _unit(
        18,
        "Lip pucker",
        "mouth",
        "incisivii labii superioris; incisivii labii inferioris",
        _LIPS,
        "mouthPucker",
    ),
    _unit(20, "Lip stretcher", "mouth", "risorius; platysma", (4, 12, 48, 54), "mouthStretchLR"),
    _unit(21, "Neck tightener", "neck", "platysma"),
    _unit(22, "Lip funneler", "mouth", "orbicularis oris", _LIPS, "mouthFunnel"),
    _unit(23, "Lip tightener", "mouth", "orbicularis oris", _LIPS, "mouthPressLR"),
    _unit(24, "Lip pressor", "mouth", "orbicularis oris", _LIPS, "mouthPressLR"),
    _unit(
        25,
        "Lips part",
        "mouth",
        "depressor labii inferioris; relaxation of mentalis or orbicularis oris",
        tuple(range(60, 68)),
        "jawOpen mouthClose",
    ),
    _unit(26, "Jaw drop", "jaw", "relaxation of masseter, temporalis and internal pterygoid", (8, 57), "jawOpen"),
    _unit(27, "Mouth stretch", "jaw", "pterygoids; digastric", (8, 57), "jawOpen"),
    _unit(28, "Lip suck", "mouth", "orbicularis oris", _LIPS, "mouthRollUpper mouthRollLower"),
    _unit(31, "Jaw clencher", "jaw", "masseter"),
    _unit(38, "Nostril dilator", "nose", anchors=(31, 32, 34, 35)),
    _unit(39, "Nostril compressor", "nose", anchors=(31, 32, 34, 35)),
    # 41, 42 and 44 are codes of 1978; the manual of 2002 scores them as strengths of 43 and 7.
    _unit(41, "Lid droop", "eyes", "relaxation of levator palpebrae superioris", _LIDS),
    _unit(42, "Slit", "eyes", "orbicularis oculi, pars palpebralis", _LIDS),
    _unit(
        43,
        "Eyes closed",
        "eyes",
        "relaxation of levator palpebrae superioris; orbicularis oculi, pars palpebralis",
        _LIDS,
        "eyeBlinkLR",
    ),
    _unit(44, "Squint", "eyes", "orbicularis oculi, pars palpebralis", _LIDS),
    _unit(
        45,
        "Blink",
        "eyes",
        "relaxation of levator palpebrae superioris; orbicularis oculi, pars palpebralis",
        _LIDS,
        "eyeBlinkLR",
    ),
    _unit(46, "Wink", "eyes", "orbicularis oculi, pars palpebralis", _LIDS, "eyeBlinkLR"),
)

_DESCRIPTORS = tuple(
    _unit(number, name, region, "", (), channels, "descriptor")
    for number, name, region, channels in (
        (19, "Tongue show", "mouth", "tongueOut"),
        (29, "Jaw thrust", "jaw", "jawForward"),
        (30, "Jaw sideways", "jaw", "jawLR"),
        (32, "Bite", "mouth", ""),
        (33, "Blow", "mouth", ""),
        (34, "Puff", "cheeks", "cheekPuff"),
        (35, "Cheek suck", "cheeks", ""),
        (36, "Tongue bulge", "cheeks", ""),
        (37, "Lip wipe", "mouth", ""),
    )
)

_PLACES: tuple[tuple[int, str, str, Family], ...] = (
    (51, "Head turned left", "head", "head"),
    (52, "Head turned right", "head", "head"),
    (53, "Head up", "head", "head"),
    (54, "Head down", "head", "head"),
    (55, "Head tilted left", "head", "head"),
    (56, "Head tilted right", "head", "head"),
    (57, "Head forward", "head", "head"),
    (58, "Head back", "head", "head"),
    (83, "Head up and turned or tilted", "head", "head"),
    (61, "Eyes turned left", "eyes", "eye"),
    (62, "Eyes turned right", "eyes", "eye"),
    (63, "Eyes up", "eyes", "eye"),
    (64, "Eyes down", "eyes", "eye"),
    (65, "Walleye", "eyes", "eye"),
    (66, "Crosseye", "eyes", "eye"),
    (68, "Eyes rolled", "eyes", "eye"),
    (69, "Eyes on the other person", "eyes", "eye"),
    (70, "Brows and forehead not visible", "brows", "visibility"),
    (71, "Eyes not visible", "eyes", "visibility"),
    (72, "Lower face not visible", "mouth", "visibility"),
    (73, "Entire face not visible", "face", "visibility"),
    (74, "Unscorable", "face", "visibility"),
    (40, "Sniff", "nose", "gross"),
    (50, "Speech", "mouth", "gross"),
    (80, "Swallow", "neck", "gross"),
    (81, "Chewing", "jaw", "gross"),
    (82, "Shoulder shrug", "shoulders", "gross"),
    (84, "Head shake", "head", "gross"),
    (85, "Head nod", "head", "gross"),
    (91, "Flash", "face", "gross"),
    (92, "Partial flash", "face", "gross"),
)

_OTHERS = tuple(_unit(number, name, region, family=family) for number, name, region, family in _PLACES)


UNITS: dict[str, Unit] = {
    unit.code: unit for unit in sorted((*_ACTIONS, *_DESCRIPTORS, *_OTHERS), key=lambda unit: unit.number)
}
"""Every code, in the order of its number."""

EXPRESSIVE: frozenset[str] = frozenset(unit.code for unit in UNITS.values() if unit.family in ("action", "descriptor"))
"""The codes that are movements of the face itself, not positions, visibility or behaviour."""

VISIBILITY: dict[str, tuple[str, ...]] = {
    "AU70": ("brows",),
    "AU71": ("eyes",),
    "AU72": ("mouth", "chin", "jaw"),
    "AU73": ("brows", "eyes", "nose", "cheeks", "mouth", "chin", "jaw", "face"),
    "AU74": ("brows", "eyes", "nose", "cheeks", "mouth", "chin", "jaw", "face"),
}
"""Visibility code to the regions it hides."""
