"""Stems of English words, as rouge-score makes them.

    stem("lowered")       # "lower"

Porter's algorithm (Porter 1980, Program 14:130) with the departures of NLTK's default stemmer, which rouge-score calls:
tests compare the two word by word. It is here so that ROUGE needs no package more.
"""

from __future__ import annotations

from functools import lru_cache

_UNTOUCHED = ("news", "howe", "proceed", "exceed", "succeed", "inning", "outing", "canning", "sky")
_IRREGULAR = dict.fromkeys(_UNTOUCHED) | {
    "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie",
    "innings": "inning", "outings": "outing", "cannings": "canning",
}  # fmt: skip

_STEP_1A = (("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", ""))
_STEP_2 = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"),
    ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
    ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
    ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"),
)  # fmt: skip
_STEP_3 = (
    *(("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")),
)
_STEP_4 = (
    *("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion"),
    *("ou", "ism", "ate", "iti", "ous", "ive", "ize"),
)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return the stem of a word in small letters."""
    if word in _IRREGULAR:
        return _IRREGULAR[word] or word
    if len(word) <= 2:
        return word
    for step in (_plural, _past, _final_y, _double_suffix, _suffix, _last_suffix, _final_e, _final_ll):
        word = step(word)
    return word


# --- what the rules ask of a word -------------------------------------------------------------------------------------


def _shape(word: str) -> str:
    """Return each letter as `c` or `v`; y is a vowel behind a consonant."""
    shape = ""
    for letter in word:
        is_vowel = letter in "aeiou" or (letter == "y" and shape[-1:] == "c")
        shape += "v" if is_vowel else "c"
    return shape


def _measure(word: str) -> int:
    """Return how often a vowel is followed by a consonant: m of the paper."""
    return _shape(word).count("vc")


def _has_double_end(word: str) -> bool:
    return len(word) >= 2 and word[-1] == word[-2] and _shape(word)[-1] == "c"


def _is_short(word: str) -> bool:
    """Tell whether it ends in consonant, vowel, consonant, the last not w, x or y; or is a vowel and a consonant."""
    shape = _shape(word)
    return (shape[-3:] == "cvc" and word[-1] not in "wxy") or shape == "vc"


# --- the steps --------------------------------------------------------------------------------------------------------


def _plural(word: str) -> str:
    if word.endswith("ies") and len(word) == 4:
        return word[:-1]
    return next((word.removesuffix(end) + put for end, put in _STEP_1A if word.endswith(end)), word)


def _past(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    end = next((end for end in ("ed", "ing") if word.endswith(end) and "v" in _shape(word.removesuffix(end))), "")
    if not end:
        return word
    rest = word.removesuffix(end)
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if _has_double_end(rest):
        return rest if rest[-1] in "lsz" else rest[:-1]
    return rest + "e" if _measure(rest) == 1 and _is_short(rest) else rest


def _final_y(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and len(word) > 2 and _shape(word)[-2] == "c" else word


def _double_suffix(word: str) -> str:
    if word.endswith("alli") and _measure(word[:-4]):
        return _double_suffix(word[:-2])
    if word.endswith("logi"):
        return word[:-1] if _measure(word[:-3]) else word
    return _replace(word, _STEP_2)


def _suffix(word: str) -> str:
    return _replace(word, _STEP_3)


def _replace(word: str, rules: tuple[tuple[str, str], ...]) -> str:
    """Replace the first suffix that fits, where what stands before it holds a vowel and a consonant."""
    for end, put in rules:
        if word.endswith(end):
            rest = word.removesuffix(end)
            return rest + put if _measure(rest) else word
    return word


def _last_suffix(word: str) -> str:
    for end in _STEP_4:
        if word.endswith(end):
            rest = word.removesuffix(end)
            return rest if _measure(rest) > 1 and (end != "ion" or rest[-1] in "st") else word
    return word


def _final_e(word: str) -> str:
    rest = word[:-1]
    is_gone = word.endswith("e") and (_measure(rest) > 1 or (_measure(rest) == 1 and not _is_short(rest)))
    return rest if is_gone else word


def _final_ll(word: str) -> str:
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word
