"""Consistency: does the label that the reasoning leads to agree with the answer and with gold?

Published for reasoning models of emotion (ERV): e is the label that a language model reads out of the thought, p the
answer, g gold; EPC is the share of samples with e = p, EEA of those with e = g, FCR of those with p = g and e = g. What
cannot be read agrees with nothing and stays in the denominator. Here e is read by our own rules, the last emotion that
the reasoning affirms (`answers.given.last_label`), so that the number is the same tomorrow; its coverage stands beside.

Samples without an answer, and answers that bring no reasoning at all, of a model that otherwise reasons, count as
unread. Where no reasoning is read at all, none of this is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from emollm.answers import Answer
from emollm.answers.given import last_label
from eval.metrics.counts import Array, ratio
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured

SOURCE = "ERV: explanation–prediction consistency (EPC), explanation accuracy (EEA), faithful consistency (FCR)"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep which of reasoning, answer and gold agree, and which could be read; silent where no answer reasons."""
    lines: list[Line | None] = []
    details: list[str | None] = []
    num_reasoned = num_missing = 0
    for case in cases:
        gold, answered = case.score.label_gold, case.score.label_pred
        if gold is None:
            lines.append(None)
            details.append(None)
            continue
        thought = reasoning_of(case.score.answer)
        num_reasoned += thought is not None
        num_missing += case.prediction is None
        concluded = read_conclusion(thought or "", context.label_set)
        lines.append((
            float(concluded is not None and concluded == answered), float(concluded == gold), float(answered == gold),
            float(concluded == answered == gold), float(concluded is not None), 1.0,
        ))  # fmt: skip
        details.append(concluded)
    if not num_reasoned:
        return Measured([None] * len(cases))
    return Measured(lines, details=details, notices=_notices(lines, num_reasoned, num_missing))


def reasoning_of(answer: Answer) -> str | None:
    """Return what leads to the answer: the thought, or the sections before the conclusion; None where it is missing."""
    if answer.think is not None:
        return answer.think
    sections = [part for part in (answer.observations, answer.interpretation) if part]
    return "\n".join(sections) or None


def read_conclusion(thought: str, label_set: str | None) -> str | None:
    """Return the last label of the set that a text affirms; None where it affirms none, or ends in a list of several.

    Without a set, or with an open one, any known emotion word counts.
    """
    return last_label(thought, None if label_set == "open" else label_set)[0]


def _notices(lines: Sequence[Line | None], num_reasoned: int, num_missing: int) -> list[str]:
    known = [line for line in lines if line is not None]
    num_answers = len(known) - num_missing
    unread = num_reasoned - sum(bool(line[_READ]) for line in known)
    notices = []
    if num_missing:
        notices.append(f"{num_missing:,} of {len(known):,} samples have no answer")
    if silent := num_answers - num_reasoned:
        notices.append(f"{silent:,} of {num_answers:,} answers bring no reasoning")
    if unread:
        notices.append(f"the reasoning of {unread:,} of {num_reasoned:,} answers affirms no single label")
    return [f"consistency: {one}; they agree with nothing" for one in notices]


_AGREES, _EXPLAINS, _RIGHT, _FAITHFUL, _READ, _ALL = range(6)


def _share(column: int, of: int = _ALL) -> Callable[[Array], Array]:
    return lambda sums: _if_read(sums, ratio(sums[..., column], sums[..., of]))


def _if_read(sums: Array, values: Array) -> Array:
    """Return the values; NaN where no reasoning was read, which may have led to any label."""
    return np.where(sums[..., _READ] > 0, values, np.nan)


FAMILY = Family(
    name="consistency",
    title="Reasoning and answer",
    about="Whether the label that the reasoning affirms is the one answered, and the right one.",
    measure=measure,
    metrics={
        "epc": FamilyMetric(
            "Reasoning = answer (EPC)", "Reasoning that affirms the answered label / samples with a gold label.",
            _share(_AGREES), source=SOURCE,
        ),
        "eea": FamilyMetric(
            "Reasoning = gold (EEA)", "Reasoning that affirms the gold label / samples with a gold label.",
            _share(_EXPLAINS), source=SOURCE,
        ),
        "fcr": FamilyMetric(
            "Both = gold (FCR)", "Reasoning and answer both give the gold label / samples with a gold label.",
            _share(_FAITHFUL), source=SOURCE,
        ),
        "right_without_reason": FamilyMetric(
            "Right, by other reasoning",
            "Right answers whose reasoning affirms another label or none / right answers: the label did not come from "
            "what was written before it.",
            lambda sums: _if_read(sums, ratio(sums[..., _RIGHT] - sums[..., _FAITHFUL], sums[..., _RIGHT])),
            better="lower",
        ),
        "reasoning_read_rate": FamilyMetric(
            "Label read from reasoning", "Reasoning that affirms one label of the set / samples with a gold label.",
            lambda sums: ratio(sums[..., _READ], sums[..., _ALL]), is_detail=True,
        ),
        "epc_read": FamilyMetric(
            "Reasoning = answer, where both are read",
            "Reasoning that affirms the answered label / samples where reasoning affirms a label.",
            _share(_AGREES, _READ), is_detail=True,
        ),
    },
)  # fmt: skip
