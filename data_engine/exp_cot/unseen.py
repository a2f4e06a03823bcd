"""What no action unit says: tears and colour, hair and glasses, hands. A text that tells of them has made them up.

So has one about a still that tells how long something lasts.

    list(find_unseen("Tears run down, and a beard covers the chin.", hidden=()))     # ["unseen: …", "unseen: …"]

What covers a part of the face may be named where one is hidden, and what somebody said may be about anything. English
only; `chinese_moves` knows what Chinese texts like to add.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

_MADE_UP = (
    r"tears?(?! trough| duct)|tear(?:y|ful)|weep\w*|cry|cries|cried|crying|sob(?:s|bing)"
    r"|shout\w*|scream\w*|yell(?:s|ing)|winc\w+|grimac\w+|glar(?:es?|ing|ed)(?!-like)|contort\w*|twist(?:s|ed|ing)"
    r"|flushed|flush(?:es|ing)|blush\w*|redden\w*|pallor|trembl\w*|quiver\w*|twitch\w*|sweat\w*|perspir\w+"
    r"|veins?|freckle[sd]?|scar(?:s|red)?|stubble|tattoo\w*|saliva|drool\w*|outdoors|indoors"
    r"|moist\w*|wet|water(?:y|ing)|glassy|bloodshot|glisten\w*|glint\w*|gleam\w*|sparkl\w*|twinkl\w*|shin(?:y|ing)"
)
"""Action units tell of no tears, no voice and no wet skin, and know no one unit for a grimace."""
_COLOURS = r"rosy|ruddy|pink|red|pale|ashen"
_SKIN = r"(?:face|cheeks?|skin)"
_COVER = (
    r"hair|beard(?:ed|s)?|mo?ustaches?|(?:eye|sun)?glasses|spectacles|hats?|(?:head)?scarf|helmet|hijab|earrings?"
    r"|jewel(?:le)?ry|necklace|make-?up|lipstick|shirt|collar|wear(?:s|ing)|fingers?|fists?|hands?"
)
_UNSEEN = re.compile(
    rf"\b(?:{_MADE_UP}|(?:{_COLOURS})(?: \w+)? {_SKIN}"
    rf"|{_SKIN} (?:is|are|looks?|(?:has |have )?(?:turned|gone)|turns) (?:{_COLOURS}))\b",
    re.IGNORECASE,
)
_COVERS = re.compile(
    rf"\b(?<!other )(?<!one )(?<!left-)(?<!right-)(?<!left )(?<!right )(?:{_COVER})\b(?! side)", re.IGNORECASE
)
_COUNT = r"(?:a|an|one|half an?|a quarter of an?|(?:a )?fractions? of an?|a split)"
_LASTS = re.compile(
    rf"\b(?:(?:milli)?seconds|\d[ -]?(?:s|secs?|ms|second)|{_COUNT} (?:milli)?second"
    r"(?! (?:look|glance|sight|reading|view|face|person|point|movement|action|sign|row|pair|line|fold|one)\b)"
    r"|minutes?|last(?:s|ed|ing) (?:for|only|about|roughly|around|no|less|more|long)|lingers?|lingering"
    r"|fleeting(?:ly)?|momentar(?:y|ily)|for a (?:\w+ )?(?:moment|instant|while))\b",
    re.IGNORECASE,
)
"""Of how long something lasts, or takes."""
_TIME = r"(?:milli)?seconds?|secs?|m?s|minutes?|last(?:s|ed|ing)|linger\w*|fleeting\w*|momentar\w+|moment|instant|while"
_SUSPECT = re.compile(rf"{_MADE_UP}|{_COLOURS}|{_COVER}|make|{_TIME}")
_WORD = re.compile(r"[a-z]+")
_COVERING = re.compile(
    r"\b(?:hid(?:e|es|den|ing)|cover\w*|conceal\w*|obscur\w*|occlu\w*|mask\w*|block\w*|behind|cannot)\b", re.IGNORECASE
)
_DENIED = re.compile(r"\b(?:no|not|nor|without|never|neither|n['’]t|rather than|instead of)\b[^.;!?]*$", re.IGNORECASE)
_REPORTED = re.compile(r"\b(?:say(?:s|ing)?|said|tells?|talks?|speaks?|mentions?|reports?)\b", re.IGNORECASE)
_MAX_DENIAL = 32
_SENTENCE_END = re.compile(r"[.;!?]")


def find_unseen(text: str, hidden: Sequence[str], is_still: bool = False) -> Iterator[str]:
    """Say what is made up in a text; `hidden` are the regions of the face that cannot be seen.

    Of a still, or a clip of which no course is known, nothing tells how long a movement lasts.
    """
    if not any(map(_is_suspect, _WORD.findall(text.lower()))):
        return
    for found in _UNSEEN.finditer(text):
        if not _DENIED.search(text, max(0, found.start() - _MAX_DENIAL), found.start()):
            yield f"unseen: no action unit says '{found[0]}'"
    for found in _LASTS.finditer(text) if is_still else ():
        is_denied = _DENIED.search(text, max(0, found.start() - _MAX_DENIAL), found.start())
        if not is_denied and not _REPORTED.search(_sentence(text, found)):
            yield f"unseen: nothing was measured over time that says '{found[0]}'"
    for found in _COVERS.finditer(text):
        sentence = _sentence(text, found)
        is_sound = (hidden and _COVERING.search(sentence)) or _REPORTED.search(sentence)
        if not is_sound and not _DENIED.search(text, max(0, found.start() - _MAX_DENIAL), found.start()):
            yield f"unseen: no action unit says '{found[0]}'"


@lru_cache(maxsize=8192)
def _is_suspect(word: str) -> bool:
    """Tell whether a word may be part of what is made up: texts repeat their words, and most hold none."""
    return _SUSPECT.fullmatch(word) is not None


def _sentence(text: str, match: re.Match[str]) -> str:
    start = max((end.end() for end in _SENTENCE_END.finditer(text, 0, match.start())), default=0)
    stop = _SENTENCE_END.search(text, match.end())
    return text[start : stop.start() if stop else len(text)]
