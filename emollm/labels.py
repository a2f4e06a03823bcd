"""Emotion labels: the label sets of the field, and every common way to write their words.

    canonical("Happy", "rafdb7")                # "happiness"
    canonical("joyful", "cexpr7")               # None: not one of the set
    find_labels("neither sad nor angry", "basic7")   # [("sadness", 8, 11), ("anger", 16, 21)]

An emotion has one canonical word in all sets (`happiness`, `fearfully surprised`); only merr9 keeps `worried`.
Words are forms of the same emotion or near synonyms of it, never of its opposite: "unhappy" belongs to no label.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import permutations
from typing import NamedTuple

from emollm.errors import ConfigError, did_you_mean

FORMS: dict[str, tuple[str, ...]] = {
    "neutral": ("neutrality", "emotionless", "expressionless", "no emotion", "中性", "中立", "无表情"),
    "happiness": (
        *("happy", "joy", "joyful", "joyous", "cheerful", "cheerfulness", "delight", "delighted", "glad", "gladness"),
        *("高兴", "开心", "快乐", "喜悦", "愉快", "幸福"),
    ),
    "sadness": ("sad", "sorrow", "sorrowful", "grief", "melancholy", "悲伤", "伤心", "难过", "悲哀"),
    "surprise": (
        *("surprised", "astonished", "astonishment", "amazed", "amazement", "shocked", "startled"),
        *("惊讶", "吃惊", "惊奇", "震惊"),
    ),
    "fear": (
        *("fearful", "afraid", "scared", "frightened", "fright", "terrified", "terror"),
        *("恐惧", "害怕", "惊恐"),
    ),
    "disgust": ("disgusted", "revulsion", "revolted", "repulsed", "repulsion", "厌恶", "恶心", "反感"),
    "anger": ("angry", "angered", "mad", "furious", "fury", "rage", "enraged", "irate", "愤怒", "生气", "恼怒"),
    "contempt": ("contemptuous", "scorn", "scornful", "disdain", "disdainful", "轻蔑", "蔑视", "鄙视"),
    "worry": ("worried", "worrying", "担心", "担忧"),
    "anxiety": ("anxious", "焦虑"),
    "doubt": ("doubtful", "skeptical", "sceptical", "skepticism", "scepticism", "怀疑", "疑惑"),
    "helplessness": ("helpless", "无助"),
    "disappointment": ("disappointed", "失望"),
    "calm": ("calmness", "serene", "serenity", "平静"),
    "appalled": (),
    "hatred": ("hate", "hateful", "憎恨", "仇恨"),
    "awed": ("awe", "awestruck", "敬畏"),
    "repression": ("repressed", "压抑"),
    "other": ("others", "其他", "其它"),
    "positive": ("pos", "积极", "正面"),
    "negative": ("neg", "消极", "负面"),
    "ambivalence": (
        *("ambivalent", "hesitancy", "hesitant", "hesitation", "ambivalence/hesitancy", "ambivalence or hesitancy"),
        *("矛盾", "犹豫"),
    ),
    "no ambivalence": ("no ambivalence/hesitancy", "no ambivalence or hesitancy", "no hesitancy", "not ambivalent"),
}
"""Canonical word to the other forms that mean it; the word itself is always a form."""

ADVERBS: dict[str, str] = {
    "happily": "happiness",
    "sadly": "sadness",
    "fearfully": "fear",
    "angrily": "anger",
    "disgustedly": "disgust",
    "surprisedly": "surprise",
}
"""Adverb to the emotion it adds to a compound."""

NEAREST: dict[str, str] = {"calm": "neutral", "worry": "anxiety", "anxiety": "worry"}
"""An emotion that a set lacks to the one that stands for it there: sets without calm count it as neutral,
and no set tells worry from anxiety."""

BASIC6 = ("happiness", "sadness", "surprise", "fear", "disgust", "anger")

COMPOUND_PARTS: dict[str, frozenset[str]] = {
    name: frozenset((ADVERBS[name.split()[0]], second))
    for name, second in (
        ("happily surprised", "surprise"),
        ("happily disgusted", "disgust"),
        ("sadly fearful", "fear"),
        ("sadly angry", "anger"),
        ("sadly surprised", "surprise"),
        ("sadly disgusted", "disgust"),
        ("fearfully angry", "anger"),
        ("fearfully surprised", "surprise"),
        ("fearfully disgusted", "disgust"),
        ("angrily surprised", "surprise"),
        ("angrily disgusted", "disgust"),
        ("disgustedly surprised", "surprise"),
    )
}
"""Compound emotion to its two basic ones; the names are those of Du, Tao and Martinez 2014."""


class LabelSet(NamedTuple):
    """A named set of labels, in the order of the numbers that the data set uses.

    `first_index` is the number of the first label in the data set's files, None where they hold words.
    An empty `labels` is the open vocabulary: any word is a label.
    """

    name: str
    labels: tuple[str, ...]
    source: str
    first_index: int | None = None

    @property
    def aliases(self) -> dict[str, str]:
        """Every form of one or more words, lower case, to the label of this set that it means."""
        return _aliases(self.name)

    def at(self, index: int) -> str | None:
        """Return the label with this number in the data set's files, or None."""
        place = -1 if self.first_index is None else index - self.first_index
        return self.labels[place] if 0 <= place < len(self.labels) else None


_BASIC7 = ("neutral", *BASIC6)
_MAFW7 = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
_CEXPR_SURPRISED = tuple(
    f"{adverb} surprised" for adverb in ("fearfully", "happily", "sadly", "disgustedly", "angrily")
)

LABEL_SETS: dict[str, LabelSet] = {
    row.name: row
    for row in (
        LabelSet("basic7", _BASIC7, "six basic emotions and neutral"),
        LabelSet("basic8", (*_BASIC7, "contempt"), "six basic emotions, neutral and contempt"),
        LabelSet(
            "rafdb7",
            ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"),
            "RAF-DB, basic partition, numbers 1-7",
            1,
        ),
        LabelSet(
            "affectnet7",
            ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger"),
            "AffectNet without contempt, numbers 0-6",
            0,
        ),
        LabelSet(
            "affectnet8",
            ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"),
            "AffectNet, numbers 0-7",
            0,
        ),
        LabelSet(
            "fer7",
            ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"),
            "FER2013, numbers 0-6",
            0,
        ),
        LabelSet(
            "ferplus8",
            ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"),
            "FERPlus, order of the vote columns",
            0,
        ),
        LabelSet(
            "dfew7",
            ("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear"),
            "DFEW, numbers 1-7",
            1,
        ),
        LabelSet(
            "mafw11",
            (*_MAFW7, "contempt", "anxiety", "helplessness", "disappointment"),
            "MAFW, single labels",
            1,
        ),
        LabelSet(
            "ravdess8",
            ("neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise"),
            "RAVDESS, third field of the file name, 01-08",
            1,
        ),
        LabelSet(
            "mer6", ("neutral", "anger", "happiness", "sadness", "worry", "surprise"), "MER2023-2026, discrete track", 0
        ),
        LabelSet(
            "merr9",
            ("neutral", "anger", "happiness", "sadness", "worried", "surprise", "fear", "contempt", "doubt"),
            "MERR (Emotion-LLaMA), in the order of its prompt",
        ),
        LabelSet(
            "cexpr7",
            (*_CEXPR_SURPRISED, "sadly fearful", "sadly angry", "other"),
            "C-EXPR-DB, seven compounds and other, numbers 0-7",
            0,
        ),
        LabelSet(
            "rafdb_compound11",
            tuple(name for name in COMPOUND_PARTS if name != "fearfully disgusted"),
            "RAF-DB, compound partition, numbers 1-11",
            1,
        ),
        LabelSet(
            "du22",
            ("neutral", *BASIC6, *COMPOUND_PARTS, "appalled", "hatred", "awed"),
            "Du, Tao and Martinez 2014, 21 categories and neutral",
        ),
        LabelSet(
            "casme7",
            ("happiness", "surprise", "disgust", "sadness", "fear", "repression", "other"),
            "CASME II, words of its table",
        ),
        LabelSet(
            "samm8",
            ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise", "other"),
            "SAMM, words of its table",
        ),
        LabelSet("sentiment3", ("negative", "neutral", "positive"), "sentiment by sign: MOSI, MOSEI, SIMS"),
        LabelSet("bah2", ("no ambivalence", "ambivalence"), "BAH, ambivalence or hesitancy, numbers 0-1", 0),
        LabelSet("open", (), "open vocabulary: any word is a label"),
    )
}

_SPELLED = {("merr9", "worry"): "worried"}

_LONGEST = 100
"""More characters than any label has; what is longer is a text."""

_EDGES = " \t\r\n*_`\"'“”‘’.,;:!?()[]{}<>。，；：！？、"
_GAP = re.compile(r"[\s_\-]+")
_JOIN = re.compile(r"\s*[,+&/]\s*|\s+(?:and|with)\s+|\s+")


def check_label_set(name: str | None, where: str = "label_set") -> None:
    """Raise ConfigError for the name of a label set that there is not; `where` says who gave it."""
    if name is not None and name not in LABEL_SETS:
        raise ConfigError(f"{where}: '{name}' is not known{did_you_mean(name, LABEL_SETS)}; {', '.join(LABEL_SETS)}")


def canonical(word: str, label_set: str | None = None) -> str | None:
    """Return the label that a word or compound name means, None when it means none of the set.

    Case, hyphens, underscores, quotes and markdown around the word do not matter, nor does the order of a
    compound's parts. Without a set, the canonical word of all sets. In `open` any other word is its own label.
    Raises KeyError for an unknown set.
    """
    return _canonical(word, label_set or "") if len(word) <= _LONGEST else None


@lru_cache(maxsize=8192)
def _canonical(word: str, name: str) -> str | None:
    form = _GAP.sub(" ", word.strip(_EDGES).casefold()).strip()
    label = _aliases(name).get(form) or _compound(form, name)
    return (label or form or None) if name == "open" else label


def find_labels(text: str, label_set: str | None) -> list[tuple[str, int, int]]:
    """Return (label, start, end) of every label of the set that the text names, in the order of the text.

    Whole words only; the longest reading wins, so a compound is not also its parts. Negation is not looked at.
    """
    matches = ((match, canonical(match[0], label_set)) for match in _pattern(label_set or "").finditer(text))
    return [(label, match.start(), match.end()) for match, label in matches if label is not None]


def _labels(name: str) -> tuple[str, ...]:
    """All labels of a set; those of no set and of the open one are the canonical words."""
    return LABEL_SETS[name].labels if name and name != "open" else (*FORMS, *COMPOUND_PARTS)


@cache
def _aliases(name: str) -> dict[str, str]:
    """Map every form to the set's label; the set's own words win over those of a nearest emotion."""
    labels = set(_labels(name))
    aliases: dict[str, str] = {}
    for word, forms in FORMS.items():
        label = _SPELLED.get((name, word), word)
        if label not in labels:
            near = NEAREST.get(word, word)
            label = _SPELLED.get((name, near), near)
        if label in labels:
            aliases |= dict.fromkeys((word, *forms), label)
    return aliases


def _compound(form: str, name: str) -> str | None:
    """Read two emotion words in any form and order as the compound they make."""
    words = [ADVERBS.get(part) or _aliases("").get(part) for part in _JOIN.split(form)]
    pair = frozenset(word for word in words if word)
    label = _COMPOUNDS.get(pair) if len(pair) == len(words) == 2 else None
    return label if label in _labels(name) else None


_COMPOUNDS = {parts: name for name, parts in COMPOUND_PARTS.items()}

_NOT_LETTER = r"(?<![A-Za-zÀ-ɏ0-9])(?<!non-)(?<!un-)"


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """One expression for all forms of a set, compounds first, longer forms before shorter ones."""
    compounds = [
        rf"(?:{_words(first)})(?:  ?|[_\-]| ?\+ ?)(?:{_words(second)})"
        for label in _labels(name)
        if label in COMPOUND_PARTS
        for first, second in permutations(sorted(COMPOUND_PARTS[label]))
    ]
    latin = [form for form in _aliases(name) if form.isascii()]
    chinese = [form for form in _aliases(name) if not form.isascii()]
    parts = [rf"{_NOT_LETTER}(?:{'|'.join(filter(None, [*compounds, _any(latin)]))})(?![A-Za-zÀ-ɏ0-9])"]
    if chinese:
        parts.append(rf"(?<![不没无非])(?:{_any(chinese)})")
    return re.compile("|".join(parts), re.IGNORECASE | re.ASCII)


def _words(emotion: str) -> str:
    """Latin forms of a basic emotion, its adverb included, as alternatives."""
    adverbs = [adverb for adverb, word in ADVERBS.items() if word == emotion]
    return _any([*adverbs, emotion, *(form for form in FORMS[emotion] if form.isascii())])


def _any(forms: list[str]) -> str:
    ordered = sorted(forms, key=lambda form: (-len(form), form))
    return "|".join(re.escape(form).replace(r"\ ", r"[\s_\-]{1,3}") for form in ordered)
