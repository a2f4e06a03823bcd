"""Questions: yes or no, and one of several choices, as EmoReAlM and other benchmarks of models that see emotion ask.

Gold is the label: `yes` or `no`, or the letter of the right choice. EmoReAlM (AVERE) publishes the accuracy on the
yes-questions as "precision", that on the no-questions as "recall" and their harmonic mean as "F1"; here these have
names of their own, and precision, recall and F1 are those of the answer yes. The mean over kinds of question, each
counting the same, takes the kind from `groups["question"]`; the published scorer leaves missing answers out, here they
are wrong.

An answer is read from what follows the thought: the word or the letter that it begins with or gives as its answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from emollm.records import Sample
from eval.metrics.counts import Array, mean_known, ratio
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

GROUP = "question"
EMOREALM = "Chaubey et al. 2026, AVERE / EmoReAlM (arXiv:2602.07054)"

_YES_OR_NO = {"yes": "yes", "no": "no", "是": "yes", "否": "no", "不是": "no"}
_LETTER = re.compile(r"\(?([A-Ha-h])[).:]?")
_CUE = re.compile(r"\b(?:answer|choice)(?:\sis|\s?[:：])|\boption\b|答案(?:是|为)?", re.IGNORECASE)
_EDGE = " \t\r\n*_`\"'：:"
_WORD_SAID = re.compile(r"(yes|no|不是|是|否)(?![A-Za-z])", re.IGNORECASE)
_LETTER_SAID = re.compile(r"\(([A-Ha-h])\)|([B-H]|A(?!\s[a-z]))(?![\w'’])|([a-h])(?:[).:]|\s*\Z)")
"""An A before a small letter is an article."""


def gold_answer(sample: Sample) -> str | None:
    """Return `yes`, `no` or the letter of the right choice; None: the sample asks no such question."""
    label = (sample.label or "").strip()
    if label.lower() in _YES_OR_NO:
        return _YES_OR_NO[label.lower()]
    letter = _LETTER.fullmatch(label)
    return letter[1].upper() if letter else None


def read_reply(said: str, gold: str) -> str | None:
    """Return what an answer says to a question of the kind of its gold; None where that cannot be read.

    It stands at the beginning, or behind the last "answer:", "the answer is" or the like.
    """
    cues = list(_CUE.finditer(said))
    starts = [cues[-1].end()] if cues else []
    form = _WORD_SAID if gold in ("yes", "no") else _LETTER_SAID
    for start in (0, *starts):
        found = form.match(said[start:].lstrip(_EDGE))
        if found is not None:
            word = next(one for one in found.groups() if one)
            return _YES_OR_NO[word.lower()] if form is _WORD_SAID else word.upper()
    return None


def measure(cases: Sequence[Case], _: Context) -> Measured:
    """Keep the kind of question, gold (1 yes, 0 no, None a choice), whether it is right and whether it says yes."""
    golds = [gold_answer(case.sample) for case in cases]
    kinds = sorted({_kind(case.sample) for case, gold in zip(cases, golds, strict=True) if gold is not None})
    places = {kind: place for place, kind in enumerate(kinds)}
    lines: list[Line | None] = []
    unread = 0
    for case, gold in zip(cases, golds, strict=True):
        if gold is None:
            lines.append(None)
            continue
        answer = case.score.answer
        reply = read_reply(answer.conclusion or answer.answer or "", gold)
        unread += reply is None
        asked = {"yes": 1.0, "no": 0.0}.get(gold)
        lines.append((places[_kind(case.sample)], len(kinds), asked, float(reply == gold), float(reply == "yes")))
    told = f"questions: {unread:,} of {sum(map(bool, golds)):,} answers give no yes, no or letter, and are wrong"
    return Measured(lines, pins={"questions": kinds}, notices=[told] if unread else ())


def _kind(sample: Sample) -> str:
    return (sample.groups or {}).get(GROUP, "")


def sums(lines: Array) -> Array:
    """Return (n, 7 + 2 K): yes-questions and right ones, no-questions and right ones, choices and right ones, said yes
    to a yes-or-no question; then samples and right ones of each kind."""
    kind, asked, right, said_yes = lines[:, 0].astype(np.intp), lines[:, 2], lines[:, 3], lines[:, 4]
    is_yes, is_no, is_choice = asked == 1, asked == 0, np.isnan(asked)
    columns = [is_yes, is_yes * right, is_no, is_no * right, is_choice, is_choice * right, said_yes]
    kinds = np.zeros((len(lines), int(lines[0, 1]), 2))
    kinds[np.arange(len(lines)), kind] = np.stack([np.ones(len(lines)), right], axis=-1)
    return np.concatenate([np.stack(columns, axis=-1), kinds.reshape(len(lines), -1)], axis=1)


_YES, _YES_RIGHT, _NO, _NO_RIGHT, _CHOICE, _CHOICE_RIGHT, _SAID_YES, _KINDS = range(8)


def _ratio(part: int, whole: int) -> Callable[[Array], Array]:
    return lambda sums: ratio(sums[..., part], sums[..., whole])


def over_kinds(sums: Array) -> Array:
    """Return the mean over kinds of question of their accuracy."""
    kinds = sums[..., _KINDS:].reshape(*sums.shape[:-1], -1, 2)
    return mean_known(ratio(kinds[..., 1], kinds[..., 0]))


def yes_f1(sums: Array) -> Array:
    """Return F1 of the answer yes."""
    return ratio(2 * sums[..., _YES_RIGHT], sums[..., _YES] + sums[..., _SAID_YES])


def harmonic(sums: Array) -> Array:
    """Return the harmonic mean of the accuracies on yes- and on no-questions; 0 where both are 0."""
    yes, no = ratio(sums[..., _YES_RIGHT], sums[..., _YES]), ratio(sums[..., _NO_RIGHT], sums[..., _NO])
    return np.where(yes + no == 0, 0.0, ratio(2 * yes * no, yes + no))


FAMILY = Family(
    name="questions",
    title="Questions: yes or no, and choices",
    about="Answers to questions about the face whose gold is yes, no or the letter of a choice.",
    measure=measure,
    sums=sums,
    metrics={
        "questions_mean": FamilyMetric(
            "Accuracy, mean over kinds", "Mean over kinds of question (groups: question) of right answers / questions.",
            over_kinds, source=EMOREALM, is_headline=True,
        ),
        "yes_no_accuracy": FamilyMetric(
            "Yes-or-no accuracy", "Right answers / yes-or-no questions.",
            lambda sums: ratio(sums[..., _YES_RIGHT] + sums[..., _NO_RIGHT], sums[..., _YES] + sums[..., _NO]),
            source=EMOREALM,
        ),
        "yes_accuracy": FamilyMetric(
            "Accuracy where yes is right", "Answered yes / questions whose answer is yes: recall of yes. Published as "
            "“precision”.", _ratio(_YES_RIGHT, _YES), source=EMOREALM,
        ),
        "no_accuracy": FamilyMetric(
            "Accuracy where no is right", "Answered no / questions whose answer is no. Published as “recall”.",
            _ratio(_NO_RIGHT, _NO), source=EMOREALM,
        ),
        "yes_no_harmonic": FamilyMetric(
            "Harmonic mean of the two", "Harmonic mean of both accuracies. Published as “F1”.", harmonic,
            source=EMOREALM, is_detail=True,
        ),
        "yes_precision": FamilyMetric(
            "Precision of yes", "Rightly answered yes / answered yes.", _ratio(_YES_RIGHT, _SAID_YES), is_detail=True,
        ),
        "yes_f1": FamilyMetric("F1 of yes", "Harmonic mean of precision and recall of yes.", yes_f1, is_detail=True),
        "yes_rate": FamilyMetric(
            "Answered yes", "Answered yes / yes-or-no questions.",
            lambda sums: ratio(sums[..., _SAID_YES], sums[..., _YES] + sums[..., _NO]), better="", source=EMOREALM,
            is_detail=True,
        ),
        "choice_accuracy": FamilyMetric(
            "Choice accuracy", "Right letters / questions with choices.", _ratio(_CHOICE_RIGHT, _CHOICE),
            source=EMOREALM,
        ),
    },
)  # fmt: skip
