"""Denial: whether a text says of a word that it is not so, before it ("no sign of relief") or after it.

    is_denied("no sign of relief", 11, 17)           # True
    denial_after("Relief is ruled out.", 6)          # " is ruled out"

What is denied is read in one clause, and by fixed phrases. Time is linear in the length.
"""

from __future__ import annotations

import re

NEGATION = re.compile(
    r"\b(?:not|no|never|neither|nor|cannot|without|than|instead of|unlike|as opposed to|lacks?|lacking|free of|"
    r"rul(?:e|es|ed|ing) out|exclud(?:e|es|ed|ing)|absen(?:ce of|t)|differs? from|compared (?:to|with))\b"
    r"|n['’]t\b|不是|没有|而非|并非|不"
)
_SCOPE_END = re.compile(
    r"[.;:!?\n,\u3002\uff0c\uff1a\uff1b\uff01\uff1f]|而是|但"
    r"|\b(?:but|however|rather(?! than)|instead(?! of)|although|while)\b"
)
_AFTER = re.compile(
    r"""[\s"'”’*_()]{0,4} (?:(?:face|expression|emotion|label|signs?|cues?)\s)?
    (?: [:=?]["']?\s?(?:no|false|absent)\b (?=[\s"'*)]{0,3}(?:[.,;}\n]|$))
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
    | (?:可以|可|被|已|应)?(?:排除|不存在|不成立|不明显|不符合|不像|不对|不太可能)""",
    re.IGNORECASE | re.VERBOSE,
)
_MAX_CLAUSE = 100
"""Characters before a word in which a denial of it is looked for."""


def is_denied(text: str, start: int, end: int) -> bool:
    """Tell whether a text denies what stands from start to end."""
    return denies(text[max(0, start - _MAX_CLAUSE) : start]) or bool(denial_after(text, end))


def denies(before: str) -> bool:
    """Tell whether the last clause of what stands before a word denies it."""
    return is_in_last(NEGATION, before, _SCOPE_END)


def denial_after(text: str, end: int) -> str:
    """Return what denies the word that ends here, as "is absent" does; empty where nothing does."""
    found = _AFTER.match(text, end)
    return found[0] if found else ""


def is_plural(denial: str) -> bool:
    """Tell whether a denial is one of several things: "are absent"."""
    found = _AFTER.match(denial)
    return found is not None and bool(found["plural"] or found["plural_not"])


def is_in_last(words: re.Pattern[str], before: str, end: re.Pattern[str]) -> bool:
    """Tell whether words stand in the last clause before a place."""
    return words.search(end.split(before.lower())[-1]) is not None
