"""Observations: what is seen in a face, in words, from its action units alone.

    describe(look(face, thresholds), rng, "letter")      "The inner brows are slightly raised (AU1B), …"

The gold label is no argument of anything here, so it cannot leak. Every present AU is named once, with its strength
where it was measured as an intensity, and with its side where the sides differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, cycle, repeat
from random import Random

from data_engine.exp_cot.phrases import ADJECTIVES, ADVERBS, AREAS, PHRASES, TENSE, WHERE
from data_engine.exp_cot.view import Sign, View
from emollm import facs

NOTATIONS = ("", "code", "letter")
"""What stands in brackets behind a sign: nothing, its code, or its code with the letter of its strength."""


def describe(view: View, rng: Random, notation: str = "", is_terse: bool = False) -> str:
    """Write the observations: the signs, then what cannot be seen, then sometimes what is clearly not there.

    `is_terse` keeps a face with many signs short.
    """
    leads = chain([""], () if is_terse else rng.sample(LEADS, len(LEADS)), repeat(""))
    plans = cycle(rng.sample(SEEN, len(SEEN)))
    sentences = []
    for (area, group), lead in zip(_groups(view.signs, rng), leads, strict=False):
        has_clauses = not is_terse and rng.random() < 0.55 and all(PHRASES[sign.code].subjects for sign in group)
        plan = "" if has_clauses else next(plans)
        sentences.append(_sentence(group, _lead(area, group, rng) or lead, plan, notation, rng))
    if not view.signs:
        sentences.append(rng.choice(AT_REST))
    if view.hidden:
        sentences.append(_hidden_sentence(view.hidden, rng))
    sentences.extend(_absent_sentences(view.absent, _num_absent(len(view.signs), rng, is_terse), rng))
    return " ".join(sentences)


AT_REST = (
    "None of the scored facial muscle actions reaches a visible level.",
    "Every scored facial muscle action stays below the visible level.",
    "No scored facial muscle action is strong enough to be seen.",
    "Of the facial muscle actions that were scored, none is visible.",
    "All scored facial muscle actions are below the visible level.",
)
"""Of the muscles of the face: head and gaze have codes as well, and may be turned."""


# --- order ------------------------------------------------------------------------------------------------------------


def _groups(signs: Sequence[Sign], rng: Random) -> list[tuple[str, list[Sign]]]:
    """Split the signs into sentences: by area of the face, downward or upward, or by strength.

    Only the first sentence about an area carries its name.
    """
    order = rng.choice(("down", "up", "strength"))
    if order == "strength" and any(sign.strength for sign in signs):
        ranked = sorted(signs, key=lambda sign: sign.strength or "", reverse=True)
        return [("", chunk) for chunk in _chunks(ranked, rng)]
    areas: dict[str, list[Sign]] = {}
    for sign in signs:
        areas.setdefault(AREAS[facs.UNITS[sign.code].region], []).append(sign)
    names = [area for area in WHERE if area in areas]
    if order == "up":
        names.reverse()
    return [
        (area if number == 0 else "", chunk) for area in names for number, chunk in enumerate(_chunks(areas[area], rng))
    ]


def _chunks(signs: list[Sign], rng: Random) -> list[list[Sign]]:
    """Cut a list into sentences of two to four signs."""
    chunks = []
    while signs:
        size = rng.randint(2, 4)
        if len(signs) - size == 1:
            size += 1
        chunks.append(signs[:size])
        signs = signs[size:]
    return chunks


# --- sentences --------------------------------------------------------------------------------------------------------


def _lead(area: str, group: Sequence[Sign], rng: Random) -> str:
    """Sometimes begin with the area, where no "tightened" follows it."""
    is_safe = area and TENSE.isdisjoint(sign.code for sign in group)
    return rng.choice(WHERE[area]) if is_safe and rng.random() < 0.6 else ""


LEADS = ("", "", "in addition, ", "alongside this, ", "also, ")
"""Beginnings of the sentences after the first; each is used once."""


def _sentence(group: Sequence[Sign], lead: str, plan: str, notation: str, rng: Random) -> str:
    """Put one to four signs into a sentence: of nouns after the plan, or of clauses where there is none."""
    if not plan:
        return sentence_case(lead + _join_clauses([clause(sign, notation, rng) for sign in group], rng)) + "."
    nouns = join([noun(sign, notation, rng) for sign in group])
    return sentence_case(plan.format(lead=lead, nouns=nouns, are="are" if len(group) > 1 else "is"))


SEEN = (
    "{lead}there is {nouns}.",
    "{lead}the face shows {nouns}.",
    "{lead}{nouns} {are} visible.",
    "{lead}{nouns} can be seen.",
    "{lead}one can see {nouns}.",
)


def _join_clauses(clauses: Sequence[str], rng: Random) -> str:
    if len(clauses) == 2:
        return rng.choice((" and ", ", and ", ", while ", "; ")).join(clauses)
    return join(clauses)


def clause(sign: Sign, notation: str, rng: Random) -> str:
    """Return "the inner brows are slightly raised (AU1B)"."""
    phrases = PHRASES[sign.code]
    if sign.side:
        subject, be = rng.choice(phrases.sided).format(side=sign.side), "is"
    else:
        subject = rng.choice(phrases.subjects)
        be = "are" if subject.partition(" of ")[0].endswith("s") else "is"
    state = f"{_degree(sign, ADVERBS, rng)}{rng.choice(phrases.states)}"
    return f"{subject} {be} {state}{_stronger(sign)}{_tag(sign, notation)}"


def noun(sign: Sign, notation: str, rng: Random) -> str:
    """Return "slight raising of the inner brows (AU1B)"."""
    side = f" on the {sign.side}" if sign.side else ""
    phrase = rng.choice(PHRASES[sign.code].nouns)
    tag = "" if "AU" in phrase else _tag(sign, notation)
    return f"{_degree(sign, ADJECTIVES, rng)}{phrase}{side}{_stronger(sign)}{tag}"


def _degree(sign: Sign, words: Mapping[str, Sequence[str]], rng: Random) -> str:
    """Return how strong or how likely the sign is, with a blank after it; nothing for a bare presence."""
    key = sign.strength or ("likely" if sign.is_likely else "")
    return f"{rng.choice(words[key])} " if key else ""


def _stronger(sign: Sign) -> str:
    return f", more on the {sign.stronger}" if sign.stronger else ""


def _tag(sign: Sign, notation: str) -> str:
    """Return the code in brackets, with its letter where the notation asks for it and there is one."""
    if not notation:
        return ""
    letter = sign.strength if notation == "letter" and sign.strength else ""
    return f" ({facs.prose(sign.code)}{letter})"


def join(items: Sequence[str], last: str = "and") -> str:
    """Join phrases as in a sentence."""
    if len(items) < 3:
        return f" {last} ".join(items)
    return f"{', '.join(items[:-1])}, {last} {items[-1]}"


def sentence_case(text: str) -> str:
    """Begin with a capital letter."""
    return text[0].upper() + text[1:]


# --- absence and visibility -------------------------------------------------------------------------------------------


def _num_absent(num_signs: int, rng: Random, is_terse: bool) -> int:
    """A face with little to see is described by what it does not show; a busy face seldom needs it."""
    if num_signs == 0:
        return rng.randint(3, 6)
    if num_signs <= 2:
        return rng.randint(1, 3)
    return int(not is_terse and rng.random() < 0.35)


def _absent_sentences(absent: Sequence[str], count: int, rng: Random) -> list[str]:
    """Say of some clearly absent AUs that they are, one to three a sentence."""
    chosen = rng.sample(absent, min(count, len(absent)))
    sentences = []
    while chosen:
        size = rng.randint(1, 3)
        nouns = [rng.choice(PHRASES[code].nouns) for code in chosen[:size]]
        sentences.append(sentence_case(rng.choice(ABSENT[len(nouns)]).format(*nouns)))
        chosen = chosen[size:]
    return sentences


ABSENT = {
    1: ("there is no {0}.", "no {0} is seen.", "{0} is absent.", "no sign of {0} is seen."),
    2: ("there is no {0} and no {1}.", "neither {0} nor {1} is seen.", "no {0} and no {1} can be seen."),
    3: ("there is no {0}, no {1} and no {2}.", "no {0}, no {1} and no {2} can be seen."),
}


def _hidden_sentence(hidden: Sequence[str], rng: Random) -> str:
    """Say which parts of the face cannot be assessed."""
    names = join([f"the {region.replace('-', ' ')}" for region in hidden])
    return sentence_case(rng.choice(HIDDEN).format(names))


HIDDEN = (
    "{0} cannot be assessed because of what covers the face.",
    "nothing can be said about {0} in this view.",
    "{0} cannot be assessed in this view.",
)
