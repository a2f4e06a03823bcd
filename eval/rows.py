"""From samples and predictions to the lines of samples.jsonl, in one label set.

Example:

    label_set = choose_label_set(None, pairs.samples)
    cases = score_cases(pairs, Context(label_set, thresholds, options))
    rows, measured = score_rows(cases, context, families)
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import TypeAlias

import msgspec

from emollm.answers import STYLES
from emollm.claims import Checked
from emollm.errors import ConfigError, did_you_mean
from emollm.labels import LABEL_SETS, canonical
from emollm.records import Prediction, Sample
from emollm.scoring import SampleScore, score_sample, set_f1
from emollm.stage import track
from eval.detections import detected_row
from eval.metrics.family import Case, Context, Family, Measured
from eval.pairs import Pairs
from eval.scored import Scored, ScoredClaim

Chosen: TypeAlias = dict[str, Measured]
"""The families that found gold, by name, and what they measured."""

MAX_LABELS = 64
"""Different gold labels without a named label set, beyond which they are hardly a closed set."""

GOLD_ELSEWHERE = ("labels", "soft", "valence", "arousal", "reasoning", "events", "text")
"""Fields of a sample that metrics are computed from and that are not themselves in its line."""


def choose_label_set(asked: str | None, samples: Sequence[Sample]) -> str | None:
    """Return the label set to score in: the one asked for, else the one that the samples name."""
    named = sorted({sample.label_set for sample in samples if sample.label_set is not None})
    if asked is None and len(named) > 1:
        raise ConfigError(f"--label-set: the samples name several ({', '.join(named)}); choose one")
    chosen = asked or (named[0] if named else None)
    if chosen is not None and chosen not in LABEL_SETS:
        known = ", ".join(LABEL_SETS)
        raise ConfigError(f"--label-set: '{chosen}' is not one of {known}{did_you_mean(chosen, LABEL_SETS)}")
    return chosen


def label_names(label_set: str | None, rows: Sequence[Scored]) -> list[str]:
    """Return the rows of the confusion matrix: the label set, or every gold label there is."""
    gold = Counter(row.gold for row in rows if row.gold is not None)
    if label_set is not None and LABEL_SETS[label_set].labels:
        labels = list(LABEL_SETS[label_set].labels)
        if strange := sorted(set(gold) - set(labels)):
            n = sum(gold[label] for label in strange)
            raise ConfigError(
                f"label: gold outside of {label_set} in {n} of {len(rows)} samples ({', '.join(strange[:5])}); "
                "choose another --label-set, or leave these samples out"
            )
        return labels
    if len(gold) > MAX_LABELS:
        raise ConfigError(
            f"label: {len(gold)} different gold labels are no closed set; "
            "name their set with --label-set, or keep open vocabulary in `labels`"
        )
    return sorted(gold)


def score_rows(cases: Sequence[Case], context: Context, families: Sequence[Family]) -> tuple[list[Scored], Chosen]:
    """Score every sample, one without a prediction as if nothing had been said, and let the families measure.

    Returns the lines of samples.jsonl, and what the families depend on that found gold.
    """
    if context.judged == "detector":
        rows = [detected_row(case, context) for case in cases]
    else:
        rows = [score_row(case, context) for case in cases]
    for row, case in zip(rows, cases, strict=True):
        row.gold_digests = digests(case.sample)
    found: Chosen = {}
    for family in families:
        measured = family.measure(cases, context)
        if all(line is None for line in measured.lines):
            continue
        found[family.name] = measured
        for row, line, detail in zip(rows, measured.lines, measured.details or repeat(None), strict=False):
            row.measures |= {} if line is None else {family.name: line}
            row.details |= {} if detail is None else {family.name: detail}
    return rows, found


def score_cases(pairs: Pairs, context: Context) -> list[Case]:
    """Read and check what was said about every sample."""
    samples = track(pairs.samples, "score", total=len(pairs.samples))
    cases = (score_case(sample, pairs.predictions.get(sample.id), context) for sample in samples)
    return [case._replace(detected=pairs.detected.get(case.sample.id)) for case in cases]


def score_case(sample: Sample, prediction: Prediction | None, context: Context) -> Case:
    """Read and check what was said about a sample."""
    said = prediction.completion if prediction else ""
    style = prediction.style if prediction and prediction.style in STYLES else None
    score = score_sample(sample, said, label_set=context.label_set, thresholds=context.thresholds, style=style)
    return Case(sample, prediction, score if context.aus is None else _listed(score, context.aus))


def digests(sample: Sample) -> dict[str, str]:
    """Return a digest of each field that is known of `GOLD_ELSEWHERE`."""
    values = {name: getattr(sample, name) for name in GOLD_ELSEWHERE}
    return {
        name: hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:12]
        for name, value in values.items()
        if value is not None
    }


def _listed(score: SampleScore, aus: Sequence[str]) -> SampleScore:
    """Leave only listed AUs to be hits or false alarms; without one, nothing is known of the AUs."""
    measured = tuple(au for au in aus if au in (score.au_measured or ()))
    if not measured:
        return score._replace(aus_gold=None, aus_pred=None, au_measured=None)
    return score._replace(aus_gold=tuple(au for au in score.aus_gold or () if au in measured), au_measured=measured)


def score_row(case: Case, context: Context) -> Scored:
    """Put sample, prediction and every score between the two into one line of samples.jsonl."""
    sample, prediction, score, label_set = case.sample, case.prediction, case.score, context.label_set
    said = prediction.completion if prediction else ""
    gold_labels = None if sample.labels is None else tuple(_in_one_word(word, label_set) for word in sample.labels)
    row = Scored(
        id=sample.id,
        subject=sample.subject,
        groups=sample.groups,
        media=sample.media,
        face=score.face,
        model=prediction.model if prediction else None,
        completion=prediction.completion if prediction else None,
        own=(score.answer.start, score.answer.end) if prediction else None,
        gold=score.label_gold,
        predicted=score.label_pred,
        correct=score.correct,
        gold_labels=gold_labels,
        predicted_labels=score.answer.labels,
        labels_f1=None if gold_labels is None else _f1(score.answer.text, score.answer.labels, gold_labels),
        well_formed=score.well_formed,
        claims=tuple(_claim(said, checked) for checked in (score.check.checked if score.check else ())),
    )
    return _with_aus(row, score, context.aus)


def _in_one_word(word: str, label_set: str | None) -> str:
    """Return the canonical word for a gold word, which keeps its own if it is no known emotion."""
    return canonical(word, label_set) or canonical(word) or word.strip().lower()


def _with_aus(row: Scored, score: SampleScore, aus: Sequence[str] | None) -> Scored:
    """Sort the measured AUs, of `aus` those, by whether they are present and whether they were named."""
    counts = score.au_counts
    if counts is None or score.au_measured is None:
        return row
    row.au_hits = tuple(au for au, count in counts.items() if count.tp)
    row.au_false_alarms = tuple(au for au, count in counts.items() if count.fp)
    row.au_misses = tuple(au for au, count in counts.items() if count.fn)
    row.au_rejections = tuple(au for au in score.au_measured if au not in counts)
    row.au_set_f1 = score.au_f1
    row.omitted = score.omitted if aus is None else tuple(au for au in score.omitted if au in aus)
    return row


def _f1(said: str, named: Iterable[str], there: Iterable[str]) -> float:
    """Return the F1 of two sets. Where nothing is there, naming nothing is right, but not answering at all is not."""
    return set_f1(named, there) if said.strip() else 0.0


def _claim(said: str, checked: Checked) -> ScoredClaim:
    claim = checked.claim
    return ScoredClaim(
        text=said[claim.start : claim.end],
        start=claim.start,
        end=claim.end,
        aus=claim.aus,
        present=claim.present,
        verdict=checked.verdict,
        reason=checked.reason,
        side=claim.side,
        uneven=claim.uneven,
        letters=claim.letters,
        hedged=claim.hedged,
        region=claim.region,
        times=claim.times,
        at_peak=claim.at_peak,
    )
