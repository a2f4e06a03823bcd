"""Phrases: how each action unit is said in plain FACS prose.

`describe` and `infer` build sentences from this table and from nothing else, and a test reads every phrase back
with `emollm.claims`: it must come back as exactly the AU, the side and the strength it was written for.
"""

from __future__ import annotations

from typing import NamedTuple


class Phrases(NamedTuple):
    """The wordings of one AU.

    A clause is a subject, a form of "be", an adverb and a state: "the brows are markedly lowered"; `sided` subjects are
    for one side only. Nouns take an adjective and no article: "marked lowering of the brows".
    """

    subjects: tuple[str, ...]
    states: tuple[str, ...]
    sided: tuple[str, ...]
    nouns: tuple[str, ...]


PHRASES: dict[str, Phrases] = {
    "AU01": Phrases(
        ("the inner brows", "the inner corners of the brows", "the inner ends of the eyebrows"),
        ("raised", "lifted", "pulled up"),
        ("the {side} inner brow", "the {side} inner eyebrow"),
        ("inner brow raising", "raising of the inner brows"),
    ),
    "AU02": Phrases(
        ("the outer brows", "the outer corners of the brows", "the outer ends of the eyebrows"),
        ("raised", "lifted", "pulled up"),
        ("the {side} outer brow", "the {side} outer eyebrow"),
        ("outer brow raising", "raising of the outer brows"),
    ),
    "AU04": Phrases(
        ("the brows", "the eyebrows"),
        ("lowered", "drawn together", "pulled down"),
        ("the {side} brow", "the {side} eyebrow"),
        ("brow lowering", "lowering of the brows"),
    ),
    "AU05": Phrases(
        ("the upper eyelids", "the upper lids"),
        ("raised", "lifted", "pulled up"),
        ("the {side} upper eyelid", "the {side} upper lid"),
        ("upper lid raising", "raising of the upper eyelids"),
    ),
    "AU06": Phrases(
        ("the cheeks",),
        ("raised", "lifted", "pushed up"),
        ("the {side} cheek",),
        ("cheek raising", "raising of the cheeks"),
    ),
    "AU07": Phrases(
        ("the eyelids", "the lower eyelids"),
        ("tightened", "tensed"),
        ("the {side} eyelid", "the {side} lower eyelid"),
        ("lid tightening", "tightening of the eyelids"),
    ),
    "AU09": Phrases(
        ("the nose",),
        ("wrinkled",),
        ("the {side} side of the nose",),
        ("nose wrinkling", "wrinkling of the nose"),
    ),
    "AU10": Phrases(
        ("the upper lip",),
        ("raised", "lifted", "pulled up"),
        ("the {side} side of the upper lip",),
        ("upper lip raising", "raising of the upper lip"),
    ),
    "AU12": Phrases(
        ("the lip corners", "the corners of the mouth", "the mouth corners"),
        ("pulled up", "raised", "drawn up"),
        ("the {side} lip corner", "the {side} mouth corner"),
        ("lip corner pulling", "raising of the lip corners"),
    ),
    "AU14": Phrases(
        ("the lip corners", "the mouth corners"),
        ("dimpled", "pulled inward"),
        ("the {side} lip corner", "the {side} mouth corner"),
        ("dimpling of the lip corners", "dimpling of the mouth corners"),
    ),
    "AU15": Phrases(
        ("the lip corners", "the corners of the mouth", "the mouth corners"),
        ("pulled down", "lowered", "turned down"),
        ("the {side} lip corner", "the {side} mouth corner"),
        ("lip corner depression", "lowering of the lip corners"),
    ),
    "AU16": Phrases(
        ("the lower lip",),
        ("pulled down", "lowered", "depressed"),
        ("the {side} side of the lower lip",),
        ("lower lip depression", "lowering of the lower lip"),
    ),
    "AU17": Phrases(
        ("the chin",),
        ("raised", "pushed up"),
        ("the {side} side of the chin",),
        ("chin raising", "raising of the chin"),
    ),
    "AU18": Phrases(
        ("the lips",),
        ("puckered", "pursed"),
        ("the {side} side of the lips",),
        ("lip puckering", "puckering of the lips"),
    ),
    "AU20": Phrases(
        ("the lips", "the lip corners"),
        ("stretched sideways", "stretched horizontally"),
        ("the {side} lip corner",),
        ("lip stretching", "horizontal stretching of the lips"),
    ),
    "AU22": Phrases(
        ("the lips",),
        ("funneled",),
        ("the {side} side of the lips",),
        ("lip funneling", "funneling of the lips"),
    ),
    "AU23": Phrases(
        ("the lips",),
        ("tightened", "narrowed"),
        ("the {side} side of the lips",),
        ("lip tightening", "tightening of the lips"),
    ),
    "AU24": Phrases(
        ("the lips",),
        ("pressed together", "pressed"),
        ("the {side} side of the lips",),
        ("lip pressing", "pressing of the lips"),
    ),
    "AU25": Phrases(
        ("the lips",),
        ("parted", "separated"),
        ("the {side} side of the lips",),
        ("lip parting", "parting of the lips"),
    ),
    "AU26": Phrases(
        ("the jaw",),
        ("dropped", "lowered"),
        ("the {side} side of the jaw",),
        ("jaw dropping", "dropping of the jaw"),
    ),
    "AU27": Phrases(
        ("the mouth",),
        ("stretched wide", "wide open"),
        ("the {side} side of the mouth",),
        ("mouth stretching", "wide stretching of the mouth"),
    ),
    "AU28": Phrases(
        ("the lips",),
        ("sucked in", "rolled inward"),
        ("the {side} side of the lips",),
        ("lip sucking", "sucking in of the lips"),
    ),
    "AU34": Phrases(
        ("the cheeks",),
        ("puffed", "puffed out"),
        ("the {side} cheek",),
        ("cheek puffing", "puffing of the cheeks"),
    ),
    "AU43": Phrases(
        ("the eyes",),
        ("closed",),
        ("the {side} eye",),
        ("eye closure", "closing of the eyes"),
    ),
    # The rarer ones are named by nouns alone, some by their FACS names.
    "AU08": Phrases((), (), (), ("drawing of the lips toward each other",)),
    "AU11": Phrases(
        (), (), (), ("deepening of the middle part of the nasolabial furrow", "action of the nasolabial deepener")
    ),
    "AU13": Phrases((), (), (), ("action of the sharp lip puller",)),
    "AU19": Phrases((), (), (), ("showing of the tongue", "tongue showing")),
    "AU21": Phrases((), (), (), ("neck tightening", "tightening of the neck")),
    "AU29": Phrases((), (), (), ("jaw thrusting", "thrusting of the jaw")),
    "AU30": Phrases((), (), (), ("shifting of the jaw sideways", "shift of the jaw to the side")),
    "AU31": Phrases((), (), (), ("jaw clenching", "clenching of the jaw")),
    "AU32": Phrases((), (), (), ("lip biting", "biting of the lip")),
    "AU33": Phrases((), (), (), ("blow of air",)),
    "AU35": Phrases((), (), (), ("cheek sucking", "sucking in of the cheeks")),
    "AU36": Phrases((), (), (), ("tongue bulge",)),
    "AU37": Phrases((), (), (), ("lip wipe",)),
    "AU38": Phrases((), (), (), ("nostril dilation", "flaring of the nostrils")),
    "AU39": Phrases((), (), (), ("nostril compression",)),
    "AU41": Phrases((), (), (), ("lid droop",)),
    "AU42": Phrases((), (), (), ("slit of the eyes",)),
    "AU44": Phrases((), (), (), ("action of AU44",)),
    "AU45": Phrases((), (), (), ("blinking",)),
    "AU46": Phrases((), (), (), ("winking",)),
}

WHOLE_BROWS = ("raising of the inner and outer brows", "inner and outer brow raising")
"""Nouns for AU1 and AU2 at once, where nothing tells them apart."""

ADVERBS = {
    "A": ("faintly", "barely"),
    "B": ("slightly", "mildly", "subtly"),
    "C": ("markedly", "moderately", "clearly", "distinctly"),
    "D": ("strongly", "severely", "intensely"),
    "E": ("maximally",),
    "likely": ("likely", "probably"),
}
"""Strength, or how sure a detector is, in front of a state; the roots are those of `facs.STRENGTH_WORDS`."""

ADJECTIVES = {
    "A": ("a trace of", "faint"),
    "B": ("slight", "mild", "subtle"),
    "C": ("marked", "pronounced", "moderate", "clear"),
    "D": ("strong", "severe", "intense"),
    "E": ("maximal", "maximum"),
    "likely": ("likely", "probable"),
}
"""The same in front of a noun."""

AREAS = {
    "brows": "upper",
    "eyes": "upper",
    "nose": "middle",
    "cheeks": "middle",
    "mouth": "lower",
    "chin": "lower",
    "jaw": "lower",
    "neck": "lower",
}
"""The area of the face that a region belongs to; those of every expressive AU are here."""

WHERE = {
    "upper": ("in the upper face, ", "in the upper half of the face, "),
    "middle": ("in the middle of the face, ", "in the midface, "),
    "lower": ("in the lower face, ", "in the lower half of the face, "),
}
"""How a sentence about one area may begin; the areas run from the top down. No part of the face is named here: a
reader could join it to the action that follows."""

TENSE = frozenset({"AU07", "AU21", "AU23"})
"""AUs told by "tightened": after the name of an area, all of the area would be tense."""

LINKED: tuple[frozenset[str], ...] = (
    frozenset({"AU04", "AU09"}),
    frozenset({"AU05", "AU07", "AU41", "AU42", "AU43", "AU44", "AU45", "AU46"}),
    frozenset({"AU06", "AU07"}),
    frozenset({"AU09", "AU10", "AU11"}),
    frozenset({"AU12", "AU13", "AU14"}),
    frozenset({"AU15", "AU17"}),
    frozenset({"AU18", "AU22", "AU23", "AU24", "AU28"}),
    frozenset({"AU25", "AU26", "AU27"}),
)
"""AUs that look alike or move the same skin: where one is present, the absence of the others is not asserted."""
