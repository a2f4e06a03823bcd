"""Preference: which of two descriptions of a clip do people prefer? The task of EmoPrefer and of MER2026, track 3.

    emollm score predictions.jsonl pairs.jsonl --swapped swapped.jsonl -o scores/

Gold is the label: `a1`, `a2` or `same`. As published (Lian et al. 2026, EmoPrefer; MER2026), an answer is the first of
the three words that it holds, and `same` where it holds none; with two classes, samples whose gold is `same` are left
out and every answer of `same` counts as `a1`, so that giving up is right whenever the first description is. Corrected,
`same` is none of the two, and what cannot be read is no answer. A sample without an answer is wrong in both.

What an answer says are its verdicts: each sentence that is one of the words and nothing else, or names no other behind
its comma, or calls one better than the other. Without a verdict, it is the only word that is named.

`--swapped` brings answers to the same questions with the descriptions exchanged: who prefers a description, and no
position, then says the other word. The file is an input of the scores, as the predictions are.
"""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emollm.answers import parse
from emollm.errors import ConfigError
from emollm.records import Prediction, read_records
from eval.metrics import confusion
from eval.metrics.counts import Array
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

EXCHANGED = {"a1": "a2", "a2": "a1", "same": "same"}
WORDS = tuple(EXCHANGED)
SAME = WORDS.index("same")
SOURCE = "Lian et al. 2026, EmoPrefer, ICLR (arXiv 2507.04278)"

_MARKS = re.compile(r"[*_`\"“”()\[\]]")
_SENTENCE_END = re.compile(r"[.;:!?\n。；：！？]|\s[-–—]+\s")
_WORD = re.compile(r"\b(?:a1|a2|same)\b")
_ALONE = re.compile(r"[\s']*(a1|a2|same)[\s']*(?:[,，]|\Z)")
_BETTER = re.compile(r"\s*(a[12])(?:\s(?!no\b|not\b|never\b|hardly\b|\w*n['’]t\b)[\w'’]+){1,5}?\sbetter\sthan\b")


def read_as_published(said: str) -> str:
    """Return the word that the published scorer reads, from the whole of the answer."""
    found = [(said.lower().find(word), word) for word in WORDS if word in said.lower()]
    return min(found)[1] if found else "same"


def read_preference(said: str) -> str | None:
    """Return the word that an answer gives behind its thoughts: its verdict, or the only one; None: none or several."""
    answer = parse(said)
    text = _MARKS.sub("", answer.conclusion or answer.answer or "").lower()
    verdicts = {verdict for sentence in _SENTENCE_END.split(text) if (verdict := _verdict(sentence))}
    named = verdicts or set(_WORD.findall(text))
    return named.pop() if len(named) == 1 else None


def _verdict(sentence: str) -> str | None:
    """Return the word that a sentence says by itself, or calls better than the other."""
    named = _WORD.findall(sentence)
    if (alone := _ALONE.match(sentence)) and set(named) == {alone[1]}:
        return alone[1]
    if (better := _BETTER.match(sentence)) and named == [better[1], EXCHANGED[better[1]]]:
        return better[1]
    return None


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep the places in `WORDS` of gold, the answer as published and as read here, and whether it holds when swapped.

    Raises RecordError for a malformed line of the swapped answers, ConfigError where they do not belong to these.
    """
    path: Path | None = getattr(context.options, "swapped", None)
    golds = [(case.sample.label or "").strip().lower() for case in cases]
    if {"a1", "a2"}.isdisjoint(golds):
        if path is not None:
            raise ConfigError(f"--swapped: {path}: no sample has a1 or a2 as its label; leave it out")
        return Measured([None] * len(cases))
    swapped = None if path is None else _read_swapped(path, cases, getattr(context.options, "predictions", None))
    lines = [_line(case, gold, swapped) for case, gold in zip(cases, golds, strict=True)]
    known = [line for line in lines if line is not None]
    unread = sum(line[1] is not None and line[2] is None for line in known)
    notices = [f"preference: {unread:,} of {len(known):,} answers name none or several of a1, a2, same"] * (unread > 0)
    if swapped is not None and (absent := sum(case.sample.id not in swapped for case in cases)):
        notices.append(f"preference: {absent:,} samples have no swapped answer; no preference of theirs holds")
    return Measured(lines, notices=notices)


def _read_swapped(path: Path, cases: Sequence[Case], predictions: Path | None) -> Mapping[str, Prediction]:
    cure = "give the answers to the same samples with their descriptions exchanged"
    if predictions is not None and path.resolve() == predictions.resolve():
        raise ConfigError(f"--swapped: {path}: is compared with itself; {cure}")
    swapped = {one.id: one for one in read_records(path, Prediction)}
    answered = [case.sample.id for case in cases if case.prediction]
    if not swapped:
        raise ConfigError(f"--swapped: {path}: holds no prediction; {cure}")
    if swapped.keys().isdisjoint(answered):
        ids = f"'{next(iter(swapped))}' here, '{answered[0]}' there"
        raise ConfigError(f"--swapped: {path}: no record has the id of a prediction that is scored ({ids}); {cure}")
    others = {one.model for one in swapped.values()} - {case.prediction.model for case in cases if case.prediction}
    if others:
        told = ", ".join(sorted(others))
        raise ConfigError(f"--swapped: {path}: holds answers of {told}; give those of the model that is scored")
    return swapped


def _line(case: Case, gold: str, swapped: Mapping[str, Prediction] | None) -> Line | None:
    if gold not in WORDS:
        return None
    said = case.prediction.completion if case.prediction else None
    choice, published = (None, None) if said is None else (read_preference(said), read_as_published(said))
    holds = None
    if swapped is not None:
        other = swapped.get(case.sample.id)
        holds = float(
            choice is not None and other is not None and read_preference(other.completion) == EXCHANGED[choice]
        )
    return (_place(gold), _place(published), _place(choice), holds)


def _place(word: str | None) -> float | None:
    return None if word is None else float(WORDS.index(word))


def sums(lines: Array) -> Array:
    """Return the confusions as published, as read here, and of gold with itself where it holds: (n, 3, 3, 4)."""
    gold, published, choice, holds = lines.T
    readings = (published, choice, np.where(holds == 1, gold, np.nan))
    confusions = np.stack([confusion.one_hot(gold, reading, len(WORDS)) for reading in readings], axis=1)
    confusions[np.isnan(holds), 2] = 0
    return confusions


def _three(sums: Array) -> Array:
    return np.asarray(sums[..., 0, :, :])


def _two(sums: Array, reading: int, same: int) -> Array:
    """Return the confusion (..., 2, 3) of a1 and a2, answers of `same` added to a column: 0 is a1, 2 neither."""
    rows = sums[..., reading, :SAME, :]
    two: Array = rows[..., [0, 1, 3]]
    two[..., same] += rows[..., SAME]
    return two


def _published(sums: Array) -> Array:
    return _two(sums, 0, same=0)


def _apart(sums: Array) -> Array:
    return _two(sums, 1, same=2)


def _decided(lines: Array) -> Array:
    return np.asarray(lines[:, 0] != SAME, dtype=np.float64)


def add_arguments(parser: ArgumentParser) -> None:
    """Add --swapped."""
    what = "predictions for the same samples, their two descriptions (gold a1, a2, same) shown in the other order"
    parser.add_argument("--swapped", type=Path, metavar="FILE", help=what)


FAMILY = Family(
    name="preference",
    title="Preferred descriptions",
    about="Which of two descriptions of a clip is chosen, against the choice of people.",
    measure=measure,
    sums=sums,
    add_arguments=add_arguments,
    inputs=("swapped",),
    metrics={
        "preference_wf1": FamilyMetric(
            "2-class weighted F1", "F1 of a1 and a2 weighted by their samples; an answer of same is a1.",
            lambda sums: confusion.weighted_f1(_published(sums)), source=SOURCE, is_headline=True, counts_in=_decided,
        ),
        "preference_accuracy": FamilyMetric(
            "2-class accuracy", "Right answers / samples whose gold is a1 or a2; an answer of same is a1.",
            lambda sums: confusion.accuracy(_published(sums)), source=SOURCE, counts_in=_decided,
        ),
        "preference_wf1_corrected": FamilyMetric(
            "2-class weighted F1, corrected", "The same with an answer of same counted as wrong.",
            lambda sums: confusion.weighted_f1(_apart(sums)), is_headline=True, counts_in=_decided,
        ),
        "preference_accuracy_corrected": FamilyMetric(
            "2-class accuracy, corrected", "The same with an answer of same counted as wrong.",
            lambda sums: confusion.accuracy(_apart(sums)), counts_in=_decided,
        ),
        "preference_three_wf1": FamilyMetric(
            "3-class weighted F1", "F1 of a1, a2 and same weighted by their samples; what names none of them is same.",
            lambda sums: confusion.weighted_f1(_three(sums)), source=SOURCE,
        ),
        "preference_three_accuracy": FamilyMetric(
            "3-class accuracy", "Right answers / samples; what names none of the three is same.",
            lambda sums: confusion.accuracy(_three(sums)), source=SOURCE,
        ),
        "preference_swap_consistency": FamilyMetric(
            "Swap consistency", "Samples on which the same description is preferred after the two are exchanged / "
            "samples; an answer that is missing or cannot be read prefers none.",
            lambda sums: confusion.accuracy(sums[..., 2, :, :]), source=SOURCE, is_headline=True,
            counts_in=lambda lines: np.asarray(~np.isnan(lines[:, 3]), dtype=np.float64),
        ),
    },
)  # fmt: skip
