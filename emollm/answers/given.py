"""Labels given: which label a text gives, and which it only denies.

    only_label("happy, sad, angry", "basic7")                      # (None, ("happiness", "sadness", "anger"))
    concluded_label("This is fear, perhaps surprise.", "basic7")   # ("fear", ("fear", "surprise"))
    last_label("It is fear at first. Now it is joy.", "basic7")    # ("happiness", ("fear", "happiness"))

`parse` asks for the only label of an answer, and for what a conclusion settles on; reasoning, which may weigh many, is
read for its last one. Time is linear in the length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from emollm.answers.denial import denial_after, denies, is_plural
from emollm.answers.words import read_list
from emollm.claims.letters import plain
from emollm.labels import COMPOUND_PARTS, canonical, find_labels

_ASIDE = re.compile(
    r"\b(?:may|might|could|possibl[ey]|perhaps|maybe|at first|initially|slight(?:ly)?|somewhat|a (?:little|bit)|"
    r"although|though|while|whereas|despite|since|because|against|(?<!but )also|shares|outweighs|"
    r"(?:hints?|traces?|touch|notes?|elements?) of|tinged with|(?:close|similar) to|resembles?|"
    r"(?:mistaken|confused) (?:for|with)|followed by|next|secondar(?:y|ily)|second(?! (?:look|thoughts?|glance))|third|"
    r"alternative(?:ly)?|runner-?up|less(?:er)?)\b|\bthen (?:an? |the )?$"
    r"|可能|也许|或许|虽然|尽管|略带|略显|稍带|一丝|其次|再次|次要|备选|第[二三]|[大多高强]于|[兼夹带]有|夹杂"
)
"""Before a label: it is only granted, possible, slight, second, or named for what it has in common."""

_ASIDE_AFTER = re.compile(
    r"""[\s"'*_)]{0,3} (?:(?:is|was|are|were|as|seems|ranks?|comes?|remains?)\s)?
        (?:also\s|only\s|the\s|an?\s(?:\w+\s)?){0,2}
        (?:second(?:ary)?|third|next|runner-?up|alternative|possible|plausible|conceivable|considered|less|close|minor
          |would|could|might|may|shares|plays\sa\s(?:minor|small|secondary))\b
      | (?:也|次之|其次|可作|略)""",
    re.IGNORECASE | re.VERBOSE,
)
_CLAUSE_END = re.compile(
    r"[.;!?\n,\u3002\uff0c\uff1b\uff01\uff1f]|而是|但|\b(?:but(?! also)|however|rather|instead|yet)\b"
)
_JOINED = r"(?:and|or|nor|和|或|与)?\s*(?:of |an? |the )?"
_LIST_GLUE = re.compile(
    r"[\s,;/|&+\u3001\uff0c\uff1b*\"'\-()]*(?:\d{1,2}[.)])?[\s*\"']*"
    rf"(?:(?:but also|(?:mixed )?with(?: some)?) |又[像是有]?|{_JOINED})"
)
_PAIR_GLUE = re.compile(r"\s?(?:and|or|和|或|与|[&/])\s?(?:an? |the )?")
_NEGATION_GLUE = re.compile(rf"\s?[,/\u3001\uff0c]?\s?{_JOINED}")
_BEST = (
    r"(?<!next\s)(?<!second\s)(?<!third\s)(?:best|closest|strongest|likeliest|"
    r"(?:more|most)\s(?:clearly|closely|consistent|fitting|likely|plausibl[ey]|probabl[ey]))"
)
_CHOSEN_BEFORE = re.compile(
    rf"\b(?:{_BEST}|(?:most of|above) all|overall|primar(?:y|ily)|main(?:ly)?|chiefly|mostly|predominant(?:ly)?|"
    r"dominant|first choice|winner)\b|最(?![后初])|主要|首[先选]|第一|更(?:像|可能|符合|接近|倾向)|总体|整体"
)
_CHOSEN_AFTER = re.compile(
    rf"""[\s"'*_)]{{0,3}} (?: (?:fit|match|suit|explain|describe)(?:s|es)?\s(?:(?!next|second)\w+\s){{0,3}}best
        | (?: (?:is|remains|seems|comes|ranks)\s(?:clearly\s)?(?:the\s)?(?:better|dominant|main|primary|one|answer)
            | (?:(?:is|remains|seems|comes|ranks)\s)?(?:clearly\s)?(?:the\s)?(?:{_BEST}|first) ) )\b
      | (?:的可能性)?(?:最|更(?:符合|接近|可能)|为主|占主导)""",
    re.IGNORECASE | re.VERBOSE,
)
_SHARE = (
    r"(?:(?:confidence|probability|about|around) )?(?:(?P<hundredths>\d{1,3}(?:\.\d{1,9})?)\s?(?:%|\uff05|percent)"
    r"|(?P<share>[01]?\.\d{1,9}))"
)
_SHARE_AFTER = re.compile(rf"[\s:=(\uff1a\uff08]{{0,3}}{_SHARE}")
_SHARE_BEFORE = re.compile(rf"{_SHARE}\s?(?:of )?$")
"""How sure a conclusion says to be of a label, out of 100 or of 1."""

_MAX_WEIGHED = 3
"""Labels between which a conclusion may decide; one that names more of them, as a list of all does, has not."""

_MAX_GLUE = 40
"""Characters; what joins two labels of a list is short, and the bound keeps the time linear."""


class _Named(NamedTuple):
    """A label named in an answer."""

    label: str
    start: int
    end: int
    is_negated: bool
    """The answer says that it is not the one."""


def only_label(said: str, label_set: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the label if the text gives exactly one, and all labels it gives."""
    listed = read_list(said) if label_set is None else None
    given = _labels(listed.words) if listed is not None else _affirmed(_named(said, label_set))
    return given[0] if len(given) == 1 else None, given


def concluded_label(conclusion: str, label_set: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the label on which a conclusion settles, and all it affirms.

    Of two labels, it settles on the likelier one (fear 20%, joy 80%), else on the one that it calls the best or the
    main one, else on the only one that it does not set aside ("perhaps", "although", "followed by"), else on the last.
    Of three it settles likewise, but the best must be the last one named, and the last alone is no choice. None where
    the labels stand in one list ("fear and surprise"), where all are set aside, or there are more: it lists, and does
    not decide. The parts of a compound that it affirms, too, are not counted besides.
    Without a label set, a list is read as one.
    """
    listed = read_list(conclusion, is_sentence=True) if label_set is None else None
    if listed is not None:
        given = _labels(listed.words)
        return given[0] if len(given) == 1 else None, given
    last, labels = last_label(conclusion, label_set)
    parts = frozenset[str]().union(*(COMPOUND_PARTS.get(label, ()) for label in labels))
    weighed = {label for label in labels if label not in parts}
    if len(weighed) < 2 or len(weighed) > _MAX_WEIGHED:
        return (next(iter(weighed)) if len(weighed) == 1 else None), labels
    named = _named(conclusion, label_set)
    chosen = _chosen(conclusion, named) & weighed
    meant = _meant(conclusion, named) & weighed
    final = next(one.label for one in reversed(named) if not one.is_negated)
    is_final = len(weighed) == 2 or final in chosen
    for decided in (_likeliest(conclusion, named) & weighed, chosen if is_final else (), meant):
        if len(decided) == 1:
            return next(iter(decided)), labels
    return last if len(weighed) == 2 and meant else None, labels


def _meant(text: str, named: list[_Named]) -> set[str]:
    """Return the labels that a text affirms and does not set aside."""
    meant: set[str] = set()
    end, is_aside = 0, False
    for one in named:
        between = text[end : one.start]
        is_aside = (is_aside and _is_glue(between, _NEGATION_GLUE)) or _is_in_last_clause(_ASIDE, between)
        if not (is_aside or one.is_negated or _ASIDE_AFTER.match(text, one.end)):
            meant.add(one.label)
        end = one.end
    return meant


def _likeliest(text: str, named: list[_Named]) -> set[str]:
    """Return the labels to which a text gives the greatest share, where it gives each one: "fear 20%, joy 80%"."""
    shares: dict[str, float] = {}
    end = 0
    for one in (one for one in named if not one.is_negated):
        found = _SHARE_BEFORE.search(text[end : one.start]) or _SHARE_AFTER.match(text, one.end)
        if found is None:
            return set()
        end = max(one.end, end + found.end())
        shares[one.label] = float(found["share"] or float(found["hundredths"]) / 100)
    return {label for label, share in shares.items() if share == max(shares.values())}


def _chosen(text: str, named: list[_Named]) -> set[str]:
    """Return the labels that a text calls the best, the main or the most likely, and those that it lists with them."""
    chosen: set[str] = set()
    before, is_chosen = _Named("", 0, 0, False), False
    for one in named:
        between = text[before.end : one.start]
        is_first = _CHOSEN_AFTER.match(text, one.end) is not None
        is_listed = is_chosen and _is_glue(between, _NEGATION_GLUE) and not _ASIDE_AFTER.match(text, one.end)
        is_chosen = is_first or is_listed or _is_in_last_clause(_CHOSEN_BEFORE, between)
        chosen |= {one.label} if is_chosen else set()
        chosen |= {before.label} if is_first and _is_glue(between, _PAIR_GLUE) else set()
        before = one
    return chosen


def last_label(text: str, label_set: str | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the last label that a text affirms, and all it affirms.

    None where the last one stands in a list of different labels ("fear and surprise").
    """
    given = [one for one in _named(text, label_set) if not one.is_negated]
    if not given:
        return None, ()
    labels = _affirmed(given)
    label: str | None = given[-1].label
    for left, right in zip(reversed(given[:-1]), reversed(given[1:]), strict=True):
        if not _is_glue(text[left.end : right.start], _LIST_GLUE):
            break
        if left.label != label:
            label = None
            break
    return label, labels


def _affirmed(named: Iterable[_Named]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.label for one in named if not one.is_negated))


def _named(text: str, label_set: str | None) -> list[_Named]:
    """Return the labels named in a text.

    A negation reaches over the rest of its clause and along a list of labels; one that comes after a label, back along
    a list where it is of several ("fear and anger are absent").
    """
    named: list[_Named] = []
    text, denial = plain(text), ""
    for label, start, end in find_labels(text, label_set):
        before = named[-1] if named else _Named("", 0, 0, False)
        between = text[before.end : start]
        is_listed = not denial and _is_glue(between, _NEGATION_GLUE)
        denial = denial_after(text, end)
        is_negated = (before.is_negated and is_listed) or denies(between) or bool(denial)
        if denial and is_listed:
            _deny_list(named, text, start, is_plural(denial))
        named.append(_Named(label, start, end + len(denial), is_negated))
    return named


def _deny_list(named: list[_Named], text: str, start: int, is_of_all: bool) -> None:
    """Negate the labels of the list that ends where a label starts that is denied: of "fear and anger are absent"."""
    for place in range(len(named) - 1, -1, -1):
        between = text[named[place].end : start]
        # One "or" makes a list of all before it: of "fear, anger or disgust is unlikely".
        is_of_all = is_of_all or re.search(r"\bn?or\b|或", between) is not None
        if named[place].is_negated or not is_of_all or not _is_glue(between, _NEGATION_GLUE):
            break
        start = named[place].start
        named[place] = named[place]._replace(is_negated=True)


def _is_in_last_clause(words: re.Pattern[str], before: str) -> bool:
    """Tell whether words stand in the last clause before a label."""
    return words.search(_CLAUSE_END.split(before.lower())[-1]) is not None


def _is_glue(between: str, glue: re.Pattern[str]) -> bool:
    """Tell whether a text joins two labels of one list."""
    return len(between) <= _MAX_GLUE and glue.fullmatch(between) is not None


def _labels(words: Iterable[str]) -> tuple[str, ...]:
    """Return words of a list as labels: a known emotion in its canonical word, any other as it is."""
    return tuple(dict.fromkeys(canonical(word) or word for word in words))
