"""From scored samples to results.json: sums, metrics, and a bootstrap over whole subjects.

Example:

    results = summarise(rows, ["happiness", "sadness"], settings, coverage, inputs)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emollm import __version__, facs
from emollm.claims.checker import VERDICTS
from emollm.stage import versions
from eval.intervals import FEW_CLUSTERS, Index, number_clusters, percentile_interval, resample
from eval.metrics import BASES, METRICS, Array, Counts, Metric, Tally, tally, total
from eval.metrics import aus as au_metrics
from eval.metrics import labels as label_metrics
from eval.metrics.families import FAMILIES
from eval.metrics.family import Family, FamilyMetric, Measured, drawn, to_array, whole
from eval.results import Confusion, Coverage, Definition, FamilyFacts, Input, Number, Rates, Results, Settings
from eval.scored import Scored

NONE_OF_THESE = "none of these"
"""The last column of the confusion matrix: no prediction, no readable label, or one outside of the set."""

GROUP_METRICS = ("accuracy", "uar", "claim_precision", "au_macro_f1")
"""What is reported for each value of each attribute in `Sample.groups`."""

Mask = npt.NDArray[np.bool_]


class Evidence(NamedTuple):
    """What every number is computed from: the samples, their counts, and resamples of these."""

    rows: Sequence[Scored]
    tally: Tally  # (n, ...)
    whole: Counts  # (...)
    draws: Counts  # (num_resamples, ...)
    clusters: Index  # (n,)
    confidence: float


def gather(rows: Sequence[Scored], labels: Sequence[str], aus: Sequence[str], settings: Settings) -> Evidence:
    """Count the samples and resample them by subject, or by sample where the subject is not known."""
    counts = tally(rows, labels, aus)
    clusters = number_clusters([cluster_key(row) for row in rows])
    draws = resample(counts, clusters, num_resamples=settings.num_resamples, seed=settings.seed)
    return Evidence(rows, counts, total(counts), Counts._make(draws), clusters, settings.confidence)


def cluster_key(row: Scored) -> tuple[str, str]:
    """Return what a sample is drawn together with."""
    return ("subject", row.subject) if row.subject is not None else ("sample", row.id)


def summarise(
    rows: Sequence[Scored],
    labels: Sequence[str],
    settings: Settings,
    coverage: Coverage,
    inputs: Mapping[str, Input],
    measured: Mapping[str, Measured] = MappingProxyType({}),
) -> Results:
    """Compute every number of results.json. `labels` are the rows of the confusion matrix."""
    aus = known_aus(rows) if settings.aus is None else settings.aus
    evidence = gather(rows, labels, aus, settings)
    has_labels = any(row.gold is not None for row in rows)
    numbers, tables = {name: headline(evidence, name) for name in METRICS}, {}
    definitions = {name: _definition(metric) for name, metric in METRICS.items()}
    for name in measured:
        found = family_numbers(rows, FAMILIES[name], measured[name].parts, settings)
        numbers |= found.whole
        tables[name] = found.parts
        definitions |= {metric: _definition(one) for metric, one in FAMILIES[name].metrics.items()}
    return Results(
        emollm=__version__,
        settings=settings,
        inputs=dict(inputs),
        versions=versions(),
        models=sorted({row.model for row in rows if row.model is not None}),
        coverage=coverage,
        metrics=numbers,
        definitions=definitions,
        families={name: _facts(FAMILIES[name], found, tables[name]) for name, found in measured.items()},
        labels=_label_rates(evidence, labels) if has_labels else [],
        confusion=_confusion(evidence.whole, labels) if has_labels else None,
        aus=_au_rates(evidence, aus),
        claims={verdict: int(n) for verdict, n in zip(VERDICTS, evidence.whole.claims, strict=True)},
        joint=_joint(evidence.whole),
        groups=_groups(rows, labels, settings),
    )


def known_aus(rows: Sequence[Scored]) -> list[str]:
    """Return every AU that is measured in some sample."""
    kinds = (kind for row in rows for kind in (row.au_hits, row.au_false_alarms, row.au_misses, row.au_rejections))
    return sorted({au for kind in kinds for au in kind or ()})


def headline(evidence: Evidence, name: str) -> Number:
    """Compute one metric of the registry."""
    metric = METRICS[name]
    mask = np.array([BASES[metric.base](row) for row in evidence.rows], dtype=np.bool_)
    return _number(evidence, metric.function(evidence.whole), metric.function(evidence.draws), mask)


class FamilyNumbers(NamedTuple):
    """The numbers of a family: of all its parts together, and part by part."""

    whole: dict[str, Number]
    parts: dict[str, dict[str, Number]]


def family_numbers(rows: Sequence[Scored], family: Family, parts: Sequence[str], settings: Settings) -> FamilyNumbers:
    """Compute the metrics of a family over the samples that have its gold."""
    lines = [row.measures.get(family.name) for row in rows]
    mask = np.array([line is not None for line in lines], dtype=np.bool_)
    clusters = number_clusters([cluster_key(row) for row in rows])
    draws = drawn(family, lines, clusters, num_resamples=settings.num_resamples, seed=settings.seed)
    sums, measured_in = whole(family, lines), clusters[mask]
    known = to_array([line for line in lines if line is not None])
    numbers: dict[str, Number] = {}
    table: dict[str, dict[str, Number]] = {part: {} for part in parts}
    for name, metric in family.metrics.items():
        counted = measured_in if metric.counts_in is None else measured_in[metric.counts_in(known) > 0]
        numbers[name] = number(metric.function(sums), metric.function(draws), counted, settings.confidence)
        if metric.each is None or not parts:
            continue
        values, spread = metric.each.function(sums), metric.each.function(draws)  # (K,), (R, K)
        for k, (part, counts) in enumerate(zip(parts, metric.each.counts_in(known).T, strict=True)):
            table[part][name] = number(values[k], spread[:, k], measured_in[counts > 0], settings.confidence)
    return FamilyNumbers(numbers, table)


def _facts(family: Family, measured: Measured, table: Mapping[str, dict[str, Number]]) -> FamilyFacts:
    return FamilyFacts(
        title=family.title,
        about=family.about,
        metrics=list(family.metrics),
        pins=dict(measured.pins),
        notices=list(measured.notices),
        table=dict(table),
    )


def _definition(metric: Metric | FamilyMetric) -> Definition:
    source = metric.source if isinstance(metric, FamilyMetric) else ""
    return Definition(title=metric.title, text=metric.definition, better=metric.better, unit=metric.unit, source=source)


def _number(evidence: Evidence, value: Array, draws: Array, mask: Mask) -> Number:
    return number(value, draws, evidence.clusters[mask], evidence.confidence)


def number(value: Array, draws: Array, clusters: Index, confidence: float) -> Number:
    """Put a value, its draws (R,) and the clusters of the samples it is computed over (n,) together."""
    num_clusters = len(np.unique(clusters))
    if np.isnan(value):
        return Number(value=None, low=None, high=None, num_samples=len(clusters), num_clusters=num_clusters)
    low, high = percentile_interval(draws, confidence)
    note = interval_note(num_clusters, float(low), float(high))
    is_known = num_clusters > 1 and not np.isnan(low)
    return Number(
        value=float(value),
        low=float(low) if is_known else None,
        high=float(high) if is_known else None,
        num_samples=len(clusters),
        num_clusters=num_clusters,
        note=note,
    )


def interval_note(num_clusters: int, low: float, high: float) -> str:
    """Say what the interval cannot say."""
    if num_clusters < 2:
        return "one subject or sample: no interval can be given"
    if low == high:
        return "no resample differs: the interval says nothing about samples unlike these"
    if num_clusters < FEW_CLUSTERS:
        return f"only {num_clusters} subjects or samples: the interval is probably too narrow"
    return ""


def _label_rates(evidence: Evidence, labels: Sequence[str]) -> list[Rates]:
    place = evidence.tally.confusion.place[:, None]  # (n, 1)
    gold, named = np.divmod(place, len(labels) + 1)
    known = place >= 0
    seen = Seen(
        gold=known & (gold == np.arange(len(labels))),
        named=known & (named == np.arange(len(labels))),
        measured=np.broadcast_to(known, (len(place), len(labels))),
    )
    functions = (label_metrics.class_precision, label_metrics.class_recall, label_metrics.class_f1)
    return _rates(evidence, [(label, label) for label in labels], seen, functions)


def _au_rates(evidence: Evidence, aus: Sequence[str]) -> list[Rates]:
    hits, false_alarms, misses, rejections = np.moveaxis(evidence.tally.aus > 0, -1, 0)  # (n, A) each
    seen = Seen(gold=hits | misses, named=hits | false_alarms, measured=hits | misses | false_alarms | rejections)
    functions = (au_metrics.au_precision, au_metrics.au_recall, au_metrics.au_f1)
    titles = [(au, facs.UNITS[au].name) for au in aus]
    return _rates(evidence, titles, seen, functions)


class Seen(NamedTuple):
    """In which samples each label or AU is there, was named, and is known at all."""

    gold: Mask  # (n, K)
    named: Mask  # (n, K)
    measured: Mask  # (n, K)


def _rates(
    evidence: Evidence,
    titles: Sequence[tuple[str, str]],
    seen: Seen,
    functions: Sequence[Callable[[Counts], Array]],
) -> list[Rates]:
    """Compute precision, recall and F1, each over the samples that it depends on."""
    values = [(function(evidence.whole), function(evidence.draws)) for function in functions]
    bases = (seen.named, seen.gold, seen.gold | seen.named)
    rates = []
    for k, (name, title) in enumerate(titles):
        precision, recall, f1 = (
            _number(evidence, value[k], draws[:, k], base[:, k])
            for (value, draws), base in zip(values, bases, strict=True)
        )
        measured, support, named = (int(mask[:, k].sum()) for mask in (seen.measured, seen.gold, seen.named))
        rates.append(Rates(name=name, title=title, measured=measured, support=support, named=named,
                           precision=precision, recall=recall, f1=f1))  # fmt: skip
    return rates


def _confusion(whole: Counts, labels: Sequence[str]) -> Confusion:
    return Confusion(
        labels=list(labels),
        columns=[*labels, NONE_OF_THESE],
        counts=[[int(n) for n in row] for row in whole.confusion],
    )


def _joint(whole: Counts) -> dict[str, int]:
    names = {"right_true": (1, 1), "right_untrue": (1, 0), "wrong_true": (0, 1), "wrong_untrue": (0, 0)}
    return {name: int(whole.joint[cell]) for name, cell in names.items()}


def _groups(
    rows: Sequence[Scored], labels: Sequence[str], settings: Settings
) -> dict[str, dict[str, dict[str, Number]]]:
    """Compute the group metrics over the samples of each value of each attribute."""
    members: dict[str, dict[str, list[Scored]]] = {}
    for row in rows:
        for attribute, value in (row.groups or {}).items():
            members.setdefault(attribute, {}).setdefault(value, []).append(row)
    return {
        attribute: {value: _group_numbers(found, labels, settings) for value, found in sorted(values.items())}
        for attribute, values in sorted(members.items())
    }


def _group_numbers(rows: Sequence[Scored], labels: Sequence[str], settings: Settings) -> dict[str, Number]:
    evidence = gather(rows, labels, known_aus(rows), settings)
    return {name: headline(evidence, name) for name in GROUP_METRICS}
