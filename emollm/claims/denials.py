"""The denials: words that say what is not there. Tables, in the notation of `lexicon`."""

from __future__ import annotations

NEGATIONS: tuple[str, ...] = (
    "no",
    "not",
    "(do|does|did|is|are|was|were|has|have|ca|wo)n(’|')t",
    "cannot",
    "never",
    "without( any|)",
    "neither",
    "nor",
    "none of",
    "nothing( such as| like|)",
    "no longer",
    "lack(s|ed|ing|)( of|)",
    "absence of",
    "rather than",
    "instead of",
    "as opposed to",
    "unlike",
    "devoid of",
    "free (of|from)",
    "fail(s|ed|ing) to",
    "hardly",
    "scarcely",
    "little to no",
    "little or no",
    "no (visible |clear |obvious |real |)(sign|evidence|trace|hint|indication)(s|) of",
    "rul(es|ed|ing) out",
    "stop(s|ped)",
    "refrain(s|ing) from",
    "less( of|) a(n|)",
    "little( evidence| sign| indication|)( of|)",
    "far from",
    "anything but",
    "refus(e|es|ed|ing) to",
    "declin(e|es|ed|ing) to",
    "un(able|willing) to",
    "(doubt|doubts|doubtful|unlikely) (that|whether|if|the|he|she|they)",
)
"""They reach to the right, over the rest of their phrase; where nothing is to the right, to the left."""

ENDINGS: tuple[str, ...] = (
    "absent",
    "missing",
    "gone",
    "fad(e|es|ed|ing)",
    "disappear(s|ed|ing|)",
    "vanish(es|ed|ing|)",
    "undetected",
    "replaced by",
    "(gives|giving) way to",
    "none",
    "zero",
    "inactive",
    "nowhere( to be seen| to be found|)",
    "off",
)
"""They say that what stands before them is not there (any more): "AU12 is absent", "the smile has faded"."""

SAID_OF_SUBJECT = (
    r"\s+(?:\w+\s+){0,2}?(?:present|visible|seen|evident|active|activated|observ\w+|detected|apparent|noticeable|there|"
    r"shown|found|discernible|engaged|involved|recorded|noted|recruited|perceptible|scored|coded|measured|described|"
    r"listed|mentioned|reported|at work)\b"
)
"""After "not": what is said of the subject before it."""

NON_NEGATIONS: tuple[str, ...] = (
    "not (only|just|merely|simply)",
    "no doubt",
    "little doubt",
    "(without|beyond) (a |any |)(shadow of a |)doubt",
    "no less",
    "no matter",
    "nothing but",
    "not (without|lacking|devoid of)",
    "no (mistaking|overlooking|missing|denying|lack of|shortage of)",
    "(no one|nobody) (can|could|will|would) (miss|overlook|ignore)",
    "(cannot|can not|could not) (be |)(miss|missed|overlook|overlooked|ignore|ignored)",
    "(ca|could)n(’|')t (be |)(miss|missed|overlook|overlooked|ignore|ignored)",
    "(cannot|can not|could not) help (but |)(see|seeing|notice|noticing)",
    "(ca|could)n(’|')t help (but |)(see|seeing|notice|noticing)",
    "can hardly be (missed|overlooked|ignored)",
    "not to be (missed|overlooked|ignored)",
    "(would be |)(hard|difficult|impossible|not easy) to (miss|overlook|ignore)",
    "(his|her|their) little",
)
