"""Responsible texts: about a visible expression, and not about who somebody is or what goes on in them.

    find_irresponsible("A young woman looks pleased.", "observations", "en")
    ["responsible: 'young' tells an age", "responsible: 'woman' tells a gender", …]

Age, gender, ethnicity, looks, occupation and identity are in no part of an explanation, an inner state or an intent is
nowhere stated as a fact, and observations name no mood. Nor do they speak to who reads them: a reader who is told what
to answer reads nothing. The words lie in `responsible.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from data_engine.exp_cot.words import is_free
from emollm.claims.letters import plain
from emollm.labels import ADVERBS, COMPOUND_PARTS, FORMS, LABEL_SETS, find_labels

LEXICON = Path(__file__).with_name("responsible.toml")
NO_EMOTIONS = frozenset({"other", "others", "pos", "neg", "no", "正面", "其他", "其它"})
"""Forms of labels that are common words."""

Part = Literal["observations", "ending"]


Phrase = tuple[str, re.Pattern[str]]
"""An expression under a word that it holds: a text without the word is not searched."""


class Kind(NamedTuple):
    """What may not be told, and the words that tell it."""

    name: str
    tells: str
    part: str
    excused: bool
    words: frozenset[str]
    phrases: tuple[Phrase, ...]
    chinese: re.Pattern[str]

    def problem(self, said: str) -> str:
        """Return what is told about words that were found."""
        is_talk = self.name in _TALK
        return f"talk: '{said}' {self.tells}" if is_talk else f"responsible: '{said}' tells {self.tells}"


def find_irresponsible(
    text: str, part: Part, language: str, labels: Sequence[str] = (), transcript: str | None = None
) -> list[str]:
    """Return what a part of an explanation should not say, each as `check: what`.

    `labels` are those that an ending has to name, whatever words they are. What a person said may be told: words of the
    `transcript`, and clauses that report speech, are about no face.
    """
    told = transcript or ""
    text = without_sound(plain(text))
    searched = _without_labels(text, labels)
    find = _find_chinese if language == "zh" else _find_english
    problems = [
        kind.problem(said)
        for kind, said, clause in find(searched, part)
        if not (kind.excused and _EXCUSE.search(clause)) and (kind.name in _TALK or not _is_told(said, clause, told))
    ]
    if language != "zh":
        problems += _stated(text, part, told)
    elif part == "observations":
        problems += [f"responsible: '{word}' tells a mood" for word in emotions_in(text) if word not in told]
    return list(dict.fromkeys(problems))


def without_sound(text: str) -> str:
    """Blank what sounds like a person and means the face: "the lower lip is depressed", "the brows are neutral"."""
    lowered = text.lower()
    for word, phrase in _sound():
        if word in lowered:
            text = phrase.sub(lambda found: " " * len(found[0]), text)
    return text


def emotions_in(text: str) -> list[str]:
    """Return the words of a text that name an emotion or a mood of any label set, in any language of the labels."""
    words = [word for word in _tokens(text) if word in emotion_words()]
    words += [text[start:end] for name in LABEL_SETS for _, start, end in find_labels(text, name)]
    return [word for word in dict.fromkeys(words) if word.lower() not in NO_EMOTIONS]


@cache
def emotion_words() -> frozenset[str]:
    """Return every single English word that names an emotion of a label set, or a mood."""
    forms = [*FORMS, *(form for forms in FORMS.values() for form in forms), *ADVERBS, *COMPOUND_PARTS]
    forms += [label for row in LABEL_SETS.values() for label in row.labels]
    words = {form for form in forms if form.isascii() and form.isalpha()}
    [moods] = (kind.words for kind in _kinds() if kind.name == "mood")
    return frozenset((words | moods) - NO_EMOTIONS)


@cache
def _lexicon() -> dict[str, Any]:
    return tomllib.loads(LEXICON.read_text(encoding="utf-8"))


def _phrases(rows: Mapping[str, str]) -> Iterator[Phrase]:
    """Compile expressions, each under every word of its key, with what stands for parts of them filled in."""
    for words, phrase in rows.items():
        for name, stands in _lexicon()["stands"].items():
            phrase = phrase.replace(f"<{name}>", stands)
        for word in words.split():
            yield word, re.compile(phrase, re.IGNORECASE)


@cache
def _sound() -> tuple[Phrase, ...]:
    return tuple(_phrases(_lexicon()["sound"]))


@cache
def _kinds() -> tuple[Kind, ...]:
    """Read what may not be told."""
    kinds = []
    for name, row in _lexicon().items():
        if "tells" in row:
            phrases, chinese = tuple(_phrases(row.get("phrases", {}))), re.compile("|".join(row["zh"]))
            words = frozenset(row["en"].split())
            kinds.append(Kind(name, row["tells"], row["part"], row["excused"], words, phrases, chinese))
    return tuple(kinds)


@cache
def _triggers(part: Part) -> dict[str, list[tuple[Kind, re.Pattern[str]]]]:
    """Return what to search for where a word is in a text: most texts hold none of them."""
    triggers = defaultdict(list)
    for kind in _kinds():
        if kind.part not in ("any", part):
            continue
        words = emotion_words() | kind.words if kind.name == "mood" else kind.words
        for word, pattern in (*kind.phrases, *((word, re.compile(rf"\b{word}\b", re.IGNORECASE)) for word in words)):
            triggers[word].append((kind, pattern))
    return dict(triggers)


Found = Iterator[tuple[Kind, str, str]]
"""Kind, the words, and the clause they stand in."""

_TALK = ("reader", "answers", "source")
"""Kinds of speech about the task. No transcript excuses them: what was said may be an order, too."""
_TOKEN = re.compile(r"[a-z]+")
_CLAUSE_END = re.compile(r"[.,;:!?，。；：！？]|\b(?:and|but|while)\b")
_EXCUSE = re.compile(
    r"\b(?:not(?! to (?!be\b))|no|nor|never|cannot|without|rather than|whether|(?<!\bas )if)\b|n't\b"
    r"|\b(?:consistent|compatible) with\b"
    r"|不(?![安好快满悦佳爽错适耐甘服])|没有|并非|未必|无法|难以|是否|一致|相符|无关",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"\b(?:says?|said|tells?|asks?|speaks?|mentions?|talks?|reports?)\b|说|提到|谈到|讲到", re.IGNORECASE
)


def _tokens(text: str) -> set[str]:
    return set(_TOKEN.findall(text.lower()))


def _find_english(text: str, part: Part) -> Found:
    triggers = _triggers(part)
    for word in sorted(_tokens(text) & triggers.keys()):
        for kind, pattern in triggers[word]:
            for match in pattern.finditer(text):
                yield kind, match[0].strip(), _clause(text, match)


def _find_chinese(text: str, part: Part) -> Found:
    for kind in _kinds():
        if kind.part in ("any", part):
            for match in kind.chinese.finditer(text):
                yield kind, match[0], _clause(text, match)


def _clause(text: str, match: re.Match[str]) -> str:
    """Return the clause that a match stands in."""
    start = max((end.end() for end in _CLAUSE_END.finditer(text, 0, match.start())), default=0)
    stop = _CLAUSE_END.search(text, match.end())
    return text[start : stop.start() if stop else len(text)]


def _is_told(said: str, clause: str, transcript: str) -> bool:
    """Tell whether words are about what was said, not about the face."""
    return bool(transcript) and (said.lower() in transcript.lower() or _REPORTED.search(clause) is not None)


def _without_labels(text: str, labels: Sequence[str]) -> str:
    """Blank the words that a text has to name: an open vocabulary knows "childish" and "feeling lonely"."""
    for label in filter(is_free, labels):
        text = re.sub(re.escape(label), lambda found: " " * len(found[0]), text, flags=re.IGNORECASE)
    return text


_PERSONS = frozenset(
    {"person", "people", "subject", "individual", "speaker", "someone", "somebody", "they", "he", "she", "man", "woman"}
)
_SEEMING = frozenset({"look", "looks", "seem", "seems", "appear", "appears", "looking", "seeming", "appearing"})
_DEGREE = r"(?:(?:\w+ly|very|so|quite|rather|just|now|still|a bit|a little|both|in|full of|filled with|overcome \w+) )*"
_STATED = re.compile(
    rf"\b(?:{'|'.join(_PERSONS)}) (?:is|are|was|were|must be|becomes?|gets?|grows?) {_DEGREE}(\w+)", re.IGNORECASE
)
_LOOKS = re.compile(rf"\b(?:{'|'.join(_SEEMING)}) (?:to be )?{_DEGREE}(\w+)", re.IGNORECASE)


def _stated(text: str, part: Part, transcript: str) -> Iterator[str]:
    """Say where an emotion is said of a person as a fact, and in observations where a face is said to look like one."""
    tokens = _tokens(text)
    is_seen = part == "observations" and not tokens.isdisjoint(_SEEMING)
    for pattern in [_STATED] * (not tokens.isdisjoint(_PERSONS)) + [_LOOKS] * is_seen:
        for match in pattern.finditer(text):
            clause = _clause(text, match)
            is_emotion = match[1].lower() in emotion_words()
            if is_emotion and not _EXCUSE.search(clause) and not _is_told(match[0], clause, transcript):
                yield f"responsible: '{match[0]}' tells what goes on in somebody"
