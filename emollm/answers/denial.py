"""Denial: whether a text says of a word that it is not so, before it ("no sign of relief") or after it.

    is_denied("no sign of relief", 11, 17)           # True
    denial_after("Relief is ruled out.", 6)          # " is ruled out"

What is denied is read in one clause, and by fixed phrases. Time is linear in the length.
"""

from __future__ import annotations

import re

NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|cannot|without|than|instead of|unlike|as opposed to|lacks?|lacking|free of|hardly|"
    r"rul(?:e|es|ed|ing) out|exclud(?:e|es|ed|ing)|absen(?:ce of|t)|differs? from|compared (?:to|with)|anything but|"
    r"nothing (?:suggests|shows|indicates|points to))\b"
    r"|n['’]t\b|没有|而非|与其|排除|未(?=见|能|有|发现|显|表现|出现|呈现)|无(?=明显|任何|法[判认说确])"
    r"|(?<!差)(?<!不得)不(?![安满悦断过仅但只光止管论难错禁由如]|耐烦|得不|外乎)"
)
_SAID = (
    r"(?:is|are|was|makes?|means|shows?|points?|suggests?|indicates?|expresses|conveys|looks?|reads?|seems?|appears?|"
    r"matches|fits|remains|leaves)"
)
"""The verb of a new statement."""

_SCOPE_END = re.compile(
    r"[.;:!?\n,\u3002\uff0c\uff1a\uff1b\uff01\uff1f]|而是|但|所以|因此|因而|因为|情况下|地(?=[表显呈流透])"
    r"|\b(?:(?<!anything )but|however|rather(?! than)|instead(?! of)|although|while|because|since|therefore|hence|thus"
    r"|yet|which|so(?! (?:far|many|much))"
    rf"|and (?:(?:the \w+|it|this|he|she|they) )?(?:(?:also|then|\w+ly) )?{_SAID})\b"
)
_NO_DENIAL = re.compile(
    rf"""\b(?: (?:no|without|not|beyond)\s(?:an?\s|any\s|in\s)?(?:doubt|question) | nothing\sif\snot | hard\snot\sto
          | not\s(?:only|just|merely|simply) | (?:no|nothing)\s(?:more|less)\sthan | than\s(?:usual|normal|average|full)
          | (?:none|nothing|no)\sother\s(?:\w+\s)?than | no\s(?:\w+\s){{1,3}}other\sthan
          | (?:can(?:no|['’])t|can\snot)\sbe\s(?:denied|doubted|(?:anything\s)?(?:but|other\sthan)) )\b
      | n['’]t\s(?:only|just|merely|simply)\b
      | [不无][可能法容]否认 | 不(?![是算像能存])[\u4e00-\u9fff]{{1,2}}的
      | \b(?: without | (?:with|given)\sno | there\s(?:is|are)\sno(?!\s(?:evidence|indication|proof|reason|signs?)\b)
            | (?:absence|lack)\sof | lacking | free\sof | unlike | compared\s(?:to|with)
            | (?:that|who)\sdoes(?:\snot|n['’]t) )
        (?:\s(?!(?:that|which|who|whether|no[tr]?|never|mean|to)\b|\w+n['’]t\b)[\w'’\-]+){{1,8}}?\s{_SAID}\b""",
    re.VERBOSE,
)
"""What denies nothing ("no doubt"), and what denies its own noun alone, up to the verb of what is said ("without any
movement the face is")."""

_AFTER = re.compile(
    r"""[\s"'”’*_()]{0,4} (?:(?:face|expression|emotion|label|signs?|cues?)\s)?
    (?: other\sthan | [:=?]["']?\s?(?:no|false|absent)\b (?=[\s"'*)]{0,3}(?:[.,;}\n]|$))
      | (?: (?: (?P<plural>are|were|have\sbeen) | is|was|has\sbeen|seems?|looks?|appears?|can\sbe|could\sbe ) \s
            (?:(?:all|both|also|clearly|completely|entirely|largely|rather|then|therefore|thus|very)\s){0,2} )?
        (?: (?:absent|missing|lacking)(?!\s(?:an?|any|its|of|only|the)\b) | excluded | dismissed | eliminated | rejected
          | discarded | ruled\sout | out\sof\sthe\squestion | unlikely | implausible | improbable | inconsistent
          | contradicted | less\s(?:likely|plausible|probable) ) (?:\s(?:than|compared\s(?:to|with))\b)?
      | (?: (?P<plural_not>are|were|do|have) | is|was|does|did|has|can|could ) (?:\snot|n['’]t|not) \s
        (?:(?:be|been|really|clearly|well|at\sall)\s){0,2}
        (?: present | seen | visible | shown | there | here | supported | evident | apparent | detected | observed
          | found | indicated | consistent | likely | plausible | possible | it | fit | match | apply | hold | appear
          | show | suit | the\s(?:(?:best|correct|main|right)\s)?(?:answer|case|emotion|expression|fit|label|one)
          | an?\s(?:(?:good|likely|plausible)\s)?(?:candidate|fit|match) )
    )\b
    | (?P<all>都|均)?(?:可以|可|被|已|应)?(?:排除|不存在|不成立|不明显|不符合|不像|不对|不太可能)""",
    re.IGNORECASE | re.VERBOSE,
)
_MAX_CLAUSE = 100
"""Characters before a word in which a denial of it is looked for."""


def is_denied(text: str, start: int, end: int) -> bool:
    """Tell whether a text denies what stands from start to end."""
    return denies(text[max(0, start - _MAX_CLAUSE) : start]) or bool(denial_after(text, end))


def denies(before: str) -> bool:
    """Tell whether the last clause of what stands before a word denies it.

    A denial reaches as far as what it denies: "no smile" ends where the clause says what "the face is".
    """
    clause = _SCOPE_END.split(before.lower())[-1]
    return NEGATION.search(clause) is not None and NEGATION.search(_NO_DENIAL.sub(" ", clause)) is not None


def denial_after(text: str, end: int) -> str:
    """Return what denies the word that ends here, as "is absent" does; empty where nothing does."""
    found = _AFTER.match(text, end)
    return found[0] if found else ""


def is_plural(denial: str) -> bool:
    """Tell whether a denial is one of several things: "are absent"."""
    found = _AFTER.match(denial)
    return found is not None and any(found.group("plural", "plural_not", "all"))
