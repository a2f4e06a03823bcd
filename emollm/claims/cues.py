"""The cues: words that say how surely, how strongly, on which side. Tables, in the notation of `lexicon`.

The words that deny are in `denials`.
"""

from __future__ import annotations

HEDGES: tuple[str, ...] = (
    "may( be|)",
    "might( be|)",
    "could( be|)",
    "possibl(e|y)",
    "perhaps",
    "maybe",
    "appear(s|ed|ing|)( to be| to|)",
    "seem(s|ed|ing|ingly|)( to be| to|)",
    "suggest(s|ed|ing|ive of|)",
    "suggestion of",
    "likely",
    "probabl(e|y)",
    "potential(ly|)",
    "presumably",
    "apparent(ly|)",
    "arguably",
    "hint(s|ing) at",
    "look(s|ed|ing|) (like|as if|as though)",
    "as (if|though)",
    "(uncertain|unclear)",
    "can be (read|seen|interpreted) as",
)

CONDITIONS: tuple[str, ...] = ("if", "unless", "whether", "in case")
"""What they open is not said to be so, up to the end of the sentence."""

WISHES: tuple[str, ...] = (
    "would( not|)",
    "should( not|)",
    "(would|should)n(’|')t",
    "expect(ed|s|ing|)",
    "had there been",
    "were (he|she|it|they|there|this)",
    "hypothetical(ly|)",
    "imagin(e|ed|ing)",
    "one (might|could) (see|find)",
)
"""What stands in one clause with them is not said to be so: "a smile would be expected"."""

CUSTOMS: tuple[str, ...] = (
    "typically",
    "usually",
    "often",
    "commonly",
    "generally",
    "normally",
    "frequently",
    "prototypically",
    "classically",
    "tend(s|) to",
    "by definition",
    "in general",
)
"""They turn a clause into a rule ("AU6 usually accompanies AU12") unless it points at this face ("these brows")."""

TYPICAL_OF: tuple[str, ...] = (
    "typical (of|for|in)",
    "characteristic (of|for)",
    "(closely |strongly |)associated with",
    "(a |the |)hallmark(s|) of",
    "common (in|for)",
    "prototypical (of|for)",
    "linked (to|with)",
    "a (core |classic |key |common |well-known |)(sign|marker|cue|component|feature|indicator) (of|for)",
    "known (to|as|for)",
    "required (for|by)",
    "defined (as|by)",
)
"""They do the same for what is their subject ("AU12 is typical of happiness"), and for what follows them."""

STRENGTHS: dict[str, tuple[str, ...]] = {
    "A": (
        "trace(s|)( of|)",
        "faint(ly|)",
        "barely( visible| perceptible| visibly| perceptibly| noticeable|)",
        "very (slight|subtle|mild|faint|weak)(ly|)",
        "very subtly",
        "hint( of|)",
        "touch of",
        "(only |just |)a touch",
        "minimal(ly|)",
        "(with|at) (only |)(minimal|faint|trace) (force|intensity|strength)",
        "to a (minimal|faint) (degree|extent)",
        "(barely |almost |)imperceptibl(e|y)",
    ),
    "B": (
        "slight(ly|)",
        "mild(ly|)",
        "subtl(e|y)",
        "weak(ly|)",
        "light(ly|)",
        "gentl(e|y)",
        "small",
        "minor",
        "softly",
        "modest(ly|)",
        "somewhat",
        "partial(ly|)",
        "partly",
        "a (little|bit)",
        "(to a |)(slight|small) degree",
        "low( |-)intensity",
        "(with|at) (only |)(slight|mild|little|low|weak) (force|intensity|strength)",
        "to a (mild|minor|modest|limited) (degree|extent)",
        "(slight|subtle|mild|faint|weak)(ly|)(,|) but (clear|noticeable|visible|distinct|perceptible|definite)(,|)",
        "(slight|subt|mild|faint|weak)ly(,|) but (clear|noticeab|visib|distinct|perceptib|definite)ly(,|)",
    ),
    "C": (
        "moderate(ly|)",
        "medium",
        "moderate( |-)intensity",
        "(with|at) (moderate|medium) (force|intensity|strength)",
        "to a moderate (degree|extent)",
    ),
    "CD": (
        "marked(ly|)",
        "pronounced",
        "noticeabl(e|y)",
        "clear(ly|)",
        "distinct(ly|)",
        "considerabl(e|y)",
        "significant(ly|)",
        "substantial(ly|)",
        "prominent(ly|)",
        "notabl(e|y)",
        "broad(ly|)",
        "big",
        "deep(ly|)",
        "firmly",
        "tightly",
        "heavily",
        "widely",
        "sharply",
        "well( |-)marked",
        "(with|at) (marked|considerable|clear) (force|intensity|strength)",
        "to a (marked|considerable|notable) (degree|extent)",
    ),
    "D": (
        "strong(ly|)",
        "high( |-)intensity",
        "powerful(ly|)",
        "very (marked|pronounced)",
        "forceful(ly|)",
        "(with|at) (strong|great|high) (force|intensity|strength)",
        "to a (strong|high|great) (degree|extent)",
    ),
    "DE": (
        "intense(ly|)",
        "severe(ly|)",
        "extreme(ly|)",
        "very (strong|intense|deep|wide)(ly|)",
        "fully",
        "full",
        "huge",
        "(with|at) (severe|extreme|intense) (force|intensity|strength)",
        "to a(n|) (severe|extreme) (degree|extent)",
    ),
    "E": (
        "maximal(ly|)",
        "maximum",
        "fullest",
        "as far as (possible|it can|they can|it will|they will)( go| be|)",
        "(with|at) (maximum|maximal|utmost|the utmost|all|full) (force|intensity|strength)",
        "to (a|the) (maximum|maximal) (degree|extent)",
        "to (its|their) (limit|limits|maximum)",
        "to the (maximum|fullest|utmost)",
    ),
}
"""FACS letters to words. Everyday words name a span: one who writes "clear" may mean C or D."""

SIDES: dict[str, tuple[str, ...]] = {
    "left": (
        "left",
        "left( |-)(sided|side|hand side)",
        "(on|to) (the|its|his|her|their) (own |)left( side|)",
        "(on|to) the (person|subject)(’|')s (own |)left( side|)",
        "(less|weaker) on the right( side|) than on the left( side|)",
        "(both|each|all) on the left( side|)",
        "(confined|limited|restricted) to the left( side| half|)( of the face| of the mouth|)",
        "(confined|limited|restricted) to the left( lip| mouth|) corner( of the mouth| of the lips|)",
    ),
    "right": (
        "right",
        "right( |-)(sided|side|hand side)",
        "(on|to) (the|its|his|her|their) (own |)right( side|)",
        "(on|to) the (person|subject)(’|')s (own |)right( side|)",
        "(less|weaker) on the left( side|) than on the right( side|)",
        "(both|each|all) on the right( side|)",
        "(confined|limited|restricted) to the right( side| half|)( of the face| of the mouth|)",
        "(confined|limited|restricted) to the right( lip| mouth|) corner( of the mouth| of the lips|)",
    ),
    "same": ("(on|at) (that|the same) (side|corner)", "(that|the same|this same) (lip |mouth |)(corner|side)"),
    "both": (
        "both( sides|)",
        "bilateral(ly|)",
        "left and right",
        "right and left",
        "(on|to) both sides",
        "symmetrical(ly|)",
    ),
}
"""The subject's own sides; `same` is the one said before.

The viewer's side ("on the left of the image") says nothing about them.
"""

UNEVEN: tuple[str, ...] = (
    "lopsided(ly|)",
    "asymmetric(al|ally|)",
    "uneven(ly|)",
    "crooked(ly|)",
    "than the other( one| side| half| corner| eye| brow| eyebrow| cheek|)",
    "than (its|the) (twin|counterpart|fellow|partner|neighbour|neighbor|opposite)",
)
"""The two sides differ, and it is not said how."""

STOPS: tuple[str, ...] = (
    "but",
    "however",
    "although",
    "though",
    "even though",
    "while",
    "whereas",
    "yet",
    "instead",
    "except",
    "nevertheless",
    "despite",
    "in contrast",
    "than",
)
"""They end a clause, as a semicolon does."""

LINKS: dict[str, tuple[str, ...]] = {
    "and": ("and( also|)", "as well as", "plus", "&"),
    "or": ("or",),
    "with": (
        "with",
        "along(side|) with",
        "alongside",
        "together with",
        "coupled with",
        "combined with",
        "paired with",
        "accompanied by",
        "accompanying",
        "followed by",
        "complemented by",
        "in (combination|conjunction) with",
        "because",
        "since",
        "which",
        "as",
        "so",
    ),
    "only": ("only",),
    "so": (
        "indicat(es|ing)( that|)",
        "impl(ies|ying)( that|)",
        "(shows|means|meaning|confirms|confirming) that",
        "leav(es|ing)",
    ),
}
"""They join phrases within a clause."""

IGNORED: tuple[str, ...] = (
    "action (unit|descriptor)(s|)",
    "(smile|laugh|frown|expression|worry) line(s|)",
    "(give|gives|giving|gave|given) rise to",
    "rais(e|es|ed|ing) (a |the |)(question|concern|doubt|suspicion|voice|possibility)(s|)",
    "(draw|draws|drawing|drew|drawn) (attention|the eye|focus)",
    "(part|parts) of",
    "corner(s|) of (the|a|this|that) (frame|image|picture|photo|photograph|room|screen)",
    "in part",
    "set of",
    "point(s|ing|ed|) to",
    "level(s|) of",
    "line of",
    "close(ly| up|) to",
    "close( |-)up",
    "open(ness|) to",
    "eye (contact|color)",
    "wide (range|variety)",
    "light(s|ing|) up",
    "we (now |then |can |)move",
    "now move",
    "come(s|) across",
    "hold(s|ing) back",
    "(shown by|show of)",
    "left (of|side of|half of) the (image|picture|photo|frame|viewer)",
    "right (of|side of|half of) the (image|picture|photo|frame|viewer)",
    "(on|to|at) the (left|right) (of|side of|half of) the (image|picture|photo|frame|viewer)",
    "viewer(’|')s (left|right)",
    "appear(s|ed|) (between|on|in|at|around|across|along|near)",
    "into a (thin|tight|firm|straight|narrow) line",
    "right (now|away|above|below|at)",
    "level with",
    "still life",
    "(it |)(should|must) be (noted|said|added|mentioned|stressed|pointed out)( that|)",
    "it (may|might|can|could) be (noted|said|added|mentioned)( that|)",
    "together(,|) (suggest|indicate|form|convey|create|point|give|produce|signal|express|make|contribute)",
    "(more|less) (strong|marked|clear|intense|prominent|noticeable|distinct|pronounced)",
    "(more|less) (strong|marked|clear|intense|prominent|noticeab|distinct)ly",
)
"""Phrases that hold a word of the lexicon and mean something else."""
