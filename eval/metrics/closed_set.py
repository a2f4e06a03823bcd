"""Closed set: how much of the accuracy rests on the reading of the answer, and what became of the other answers.

Strict: the answer is the label's own word and nothing else ("happiness"), as scorers by string comparison ask for; in
sections, where a conclusion is a sentence, the label's own word stands in it. Normalised, which is how accuracy is
counted everywhere else: any form or synonym that means the label counts ("Happy", "joyful", "高兴").

Every answer is exactly one of: a label, an abstention (it says that it cannot tell), several labels, unreadable.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from emollm.answers import Answer, abstains
from eval.metrics.counts import Array, ratio
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

MAX_FORMS = 5
"""Wordings that the notice gives as examples."""


def measure(cases: Sequence[Case], _: Context) -> Measured:
    """Keep whether it is right, right as it stands, answered, given up, gives several labels, and cannot be read."""
    lines: list[Line | None] = []
    details: list[str | None] = []
    normalised: Counter[str] = Counter()
    for case in cases:
        if case.score.label_gold is None:
            lines.append(None)
            details.append(None)
            continue
        fate = read_fate(case)
        right = case.score.correct is True
        strict = right and is_strict(case)
        if right and not strict:
            normalised[_wording(case)] += 1
        lines.append((float(right), float(strict), *(float(fate == one) for one in FATES)))
        details.append("normalised" if right and not strict else fate)
    return Measured(lines, details=details, notices=_notices(normalised, lines))


FATES = ("label", "abstention", "several", "unreadable", "missing")
"""What can become of a sample's answer."""


def read_fate(case: Case) -> str:
    """Return what became of the answer: one of `FATES`."""
    if case.prediction is None:
        return "missing"
    label, said = case.score.label_pred, text_of(case.score.answer) or case.score.answer.text
    # Without a label set any short answer is a label, "unknown" as well: it gives up, unless gold says the same.
    if case.score.correct or (label is not None and not abstains(label)):
        return "label"
    if abstains(said):
        return "abstention"
    return "several" if len(case.score.answer.labels) > 1 else "unreadable"


def text_of(answer: Answer) -> str | None:
    """Return the part of a completion that gives its label."""
    return answer.conclusion if answer.style == "sections" else answer.answer


def is_strict(case: Case) -> bool:
    """Tell whether a right answer is the gold label's word as the label set or the sample writes it."""
    answer, sample = case.score.answer, case.sample
    words = {word.strip() for word in (case.score.label_gold, sample.label) if word}
    said = (text_of(answer) or "").strip()
    if answer.style == "sections":
        return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said) for word in words)
    return said in words and (answer.style != "label" or answer.is_well_formed)


def _wording(case: Case) -> str:
    said = " ".join((text_of(case.score.answer) or "").split())
    return said if len(said) <= 40 else "a sentence"


def _notices(normalised: Counter[str], lines: Sequence[Line | None]) -> list[str]:
    """Say how many answers count only because they were normalised, and what became of those without a label."""
    known = [line for line in lines if line is not None]
    right = sum(bool(line[0]) for line in known)
    notices = []
    if normalised:
        forms = ", ".join(f"'{form}' {n:,}" for form, n in normalised.most_common(MAX_FORMS))
        notices.append(
            f"{normalised.total():,} of {right:,} right answers count only because they were normalised ({forms})"
        )
    fates = {fate: sum(bool(line[2 + i]) for line in known) for i, fate in enumerate(FATES)}
    told = {
        "abstention": "say that they cannot tell",
        "several": "name several labels",
        "unreadable": "name no label of the set",
        "missing": "are missing",
    }
    if found := [f"{fates[fate]:,} {what}" for fate, what in told.items() if fates[fate]]:
        notices.append(f"answers that count as wrong for want of a label: {', '.join(found)}")
    return notices


def _rate(column: int) -> Callable[[Array], Array]:
    """Return the function of sums that divides a column by the samples."""
    return lambda sums: ratio(sums[..., column], sums[..., 2:].sum(axis=-1))


FAMILY = Family(
    name="closed_set",
    title="Closed set: strict and normalised",
    about="How much of the accuracy rests on reading synonyms, and what became of the answers without a label.",
    measure=measure,
    metrics={
        "strict_accuracy": FamilyMetric(
            "Strict accuracy",
            "Answers that are right as they stand, the label's own word / samples with a gold label.",
            _rate(1),
        ),
        "normalised_only": FamilyMetric(
            "Right only when normalised",
            "Answers that count because a form or synonym of the label is read as the label / samples with a gold "
            "label. Accuracy is strict accuracy and this.",
            lambda sums: ratio(sums[..., 0] - sums[..., 1], sums[..., 2:].sum(axis=-1)), better="",
        ),
        "answered_accuracy": FamilyMetric(
            "Accuracy of what was answered",
            "Right answers / answers that give one label: selective accuracy at the coverage that the model chose.",
            lambda sums: ratio(sums[..., 0], sums[..., 2]), source="El-Yaniv and Wiener 2010, JMLR 11:1605",
        ),
        "abstention_rate": FamilyMetric(
            "Abstained", "Answers that say that they cannot tell / samples with a gold label.", _rate(3), better="",
        ),
        "several_rate": FamilyMetric(
            "Several labels", "Answers that give more than one label / samples with a gold label.", _rate(4),
            better="lower", is_detail=True,
        ),
        "unreadable_rate": FamilyMetric(
            "Unreadable", "Answers that neither give a label of the set nor abstain / samples with a gold label.",
            _rate(5), better="lower",
        ),
    },
)  # fmt: skip
