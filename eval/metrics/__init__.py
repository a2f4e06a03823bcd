"""The metrics: name → title, definition and a function of summed counts.

    METRICS["uar"].function(total(tally(rows, labels, aus)))

A new metric is a function of `Counts`, a row here, and a golden case in tests/data/metrics/.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from eval.metrics import answers, aus, claims, labels
from eval.metrics.counts import Array, Counts, Tally, mean_known, ratio, tally, total
from eval.scored import Scored

__all__ = ["BASES", "METRICS", "Array", "Counts", "Metric", "Tally", "mean_known", "ratio", "tally", "total"]

Base = Literal["samples", "predictions", "labels", "words", "faces", "both"]


class Metric(NamedTuple):
    """What a number is called, what it means, over which samples it runs, and which way is better."""

    title: str
    definition: str
    function: Callable[[Counts], Array]
    base: Base
    better: Literal["higher", "lower", ""]
    unit: Literal["share", "words"] = "share"
    is_headline: bool = False
    """Printed in every table of a terminal."""


BASES: dict[Base, Callable[[Scored], bool]] = {
    "samples": lambda _: True,
    "predictions": lambda row: row.completion is not None,
    "labels": lambda row: row.gold is not None,
    "words": lambda row: row.gold_labels is not None,
    "faces": lambda row: row.au_hits is not None,
    "both": lambda row: row.gold is not None and row.au_hits is not None,
}
"""Which samples a metric is computed over."""

METRICS: dict[str, Metric] = {
    "accuracy": Metric(
        "Accuracy",
        "Right labels / samples with a gold label. Missing and unreadable answers count as wrong. Also called WAR.",
        labels.accuracy,
        "labels",
        "higher",
        is_headline=True,
    ),
    "uar": Metric(
        "UAR",
        "Unweighted average recall: the mean of the recall of each label that occurs in gold, so that a rare "
        "emotion counts as much as a frequent one.",
        labels.uar,
        "labels",
        "higher",
    ),
    "macro_f1": Metric("Macro F1", "Mean F1 over the labels that occur in gold.", labels.macro_f1, "labels", "higher"),
    "weighted_f1": Metric(
        "Weighted F1",
        "F1 of each label, weighted by how often it occurs in gold. Also called WAF.",
        labels.weighted_f1,
        "labels",
        "higher",
    ),
    "labels_f1": Metric(
        "Open-vocabulary F1",
        "Mean over samples of the F1 between the words named and the words in gold, synonyms taken together.",
        labels.labels_f1,
        "words",
        "higher",
        is_headline=True,
    ),
    "right_for_true_reasons": Metric(
        "Right for true reasons",
        "Samples whose label is right and whose explanation is true / samples with a gold label and measured action "
        "units.",
        claims.right_for_true_reasons,
        "both",
        "higher",
        is_headline=True,
    ),
    "true_explanations": Metric(
        "True explanations",
        "Samples whose explanation is true, whatever the label / the same samples. True: no claim is contradicted, at "
        "least one is supported, and at least one of the action units that are present is named.",
        claims.true_explanations,
        "both",
        "higher",
    ),
    "claim_precision": Metric(
        "Claim precision",
        "Supported / (supported + contradicted) claims about the face.",
        claims.claim_precision,
        "faces",
        "higher",
        is_headline=True,
    ),
    "claim_recall": Metric(
        "Claim recall",
        "Action units that are present and said to be there / action units that are present.",
        claims.claim_recall,
        "faces",
        "higher",
    ),
    "contradiction_rate": Metric(
        "Contradiction rate",
        "Contradicted / all claims: what the explanation says and the face does not show.",
        claims.contradiction_rate,
        "faces",
        "lower",
    ),
    "omission_rate": Metric(
        "Omission rate",
        "Action units that are present and never mentioned / action units that are present (1 − claim recall).",
        claims.omission_rate,
        "faces",
        "lower",
    ),
    "not_assessable_rate": Metric(
        "Not assessable",
        "Claims that the measured action units can neither support nor contradict / all claims.",
        claims.not_assessable_rate,
        "faces",
        "",
    ),
    "au_macro_f1": Metric(
        "AU macro F1",
        "Mean over action units of the F1 between named and present; action units never present are left out.",
        aus.au_macro_f1,
        "faces",
        "higher",
    ),
    "au_micro_f1": Metric(
        "AU micro F1",
        "F1 of all action units counted together.",
        aus.au_micro_f1,
        "faces",
        "higher",
        is_headline=True,
    ),
    "au_set_f1": Metric(
        "AU set F1",
        "Mean over samples of the F1 between the set of named and the set of present action units.",
        aus.au_set_f1,
        "faces",
        "higher",
    ),
    "coverage": Metric("Coverage", "Samples with a prediction / samples.", answers.coverage, "samples", "higher"),
    "label_read_rate": Metric(
        "Label read",
        "Samples whose answer names one label of the set / samples.",
        answers.label_read_rate,
        "samples",
        "higher",
    ),
    "format_rate": Metric(
        "Well formed",
        "Samples whose answer has the form that was asked for, no part broken off / samples.",
        answers.format_rate,
        "samples",
        "higher",
    ),
    "mean_words": Metric("Length", "Words per prediction.", answers.mean_words, "predictions", "", "words"),
}
