"""One-hot gold and an open list: does the list hit the label? The metric of four sets of MER-UniBench.

Published (MER-UniBench in AffectGPT, Lian et al. 2025, for MER2023, MER2024, MELD and IEMOCAP): the gold word g and the
predicted list are mapped to level-1 categories of each wheel, P is the predicted set. The hit rate is the mean of
|P ∩ {g}|, 0 or 1 a sample, averaged over the wheels; samples whose gold is in no table, as neutral, are left out. It
rewards long lists: who names every category hits always. `mscore`, which the published code computes and drops, is the
mean of |P ∩ {g}| / |P ∩ C|, where C are the categories of all gold labels of the test set; 0 where P ∩ C is empty.

Corrected: neutral counts, ties are shared, and precision is over all that was named: see `emollm.wheel.Shares`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from emollm.answers.words import label_words
from emollm.wheel import LEVEL1, Overlap, Shares, lexicon
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured, to_array
from eval.metrics.overlaps import counts_in, f_score, precision, recall, sums, to_line
from eval.metrics.wheel import OURS, about_tables, pins, said_notices, skipped

SOURCE = "Lian et al. 2025, AffectGPT (MER-UniBench)"


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep hits and sizes on each wheel, by both rules, for samples with a label and no list of labels."""
    gold = [case.sample.label if case.sample.labels is None else None for case in cases]
    candidates = sorted({label.strip().lower() for label in gold if label is not None})
    wheels = context.options.wheel or lexicon()
    shares = Shares(wheels)
    lines: list[Line | None] = []
    for case, label in zip(cases, gold, strict=True):
        if label is None:
            lines.append(None)
            continue
        said = label_words(case.score.answer)
        hits = wheels.overlaps(said.published, [label], LEVEL1)
        named = wheels.overlaps(said.published, candidates, LEVEL1)
        published = [Overlap(hit.both, among.both, hit.num_second) for hit, among in zip(hits, named, strict=True)]
        lines.append(to_line(published, shares.overlaps(said.words, [label], LEVEL1)))
    if not candidates:
        return Measured(lines)
    known = to_array([line for line in lines if line is not None])
    counted = [case for case, label in zip(cases, gold, strict=True) if label is not None]
    notices = [about_tables(wheels), *skipped(known, wheels, LEVEL1), *said_notices(counted, wheels)]
    return Measured(lines, pins(wheels) | {"candidates": candidates}, notices=notices)


_ALL = range(len(LEVEL1))

FAMILY = Family(
    name="hits",
    title="Hits of one label by an open list",
    about="The list of labels that was named, against the one gold label, in the categories of emotion wheels.",
    measure=measure,
    sums=sums,
    is_asked_for=True,
    metrics={
        "hit_rate": FamilyMetric(
            "Hit rate", "Lists that hold the category of the gold label, averaged over wheels; long lists are free.",
            partial(recall, rule=0, variants=_ALL), source=SOURCE, is_headline=True,
            counts_in=partial(counts_in, rule=0, variants=_ALL),
        ),
        "hit_mscore": FamilyMetric(
            "mscore", "Hit / categories named among those of all gold labels, averaged over wheels.",
            partial(precision, rule=0, variants=_ALL), source=SOURCE,
            counts_in=partial(counts_in, rule=0, variants=_ALL),
        ),
        "hit_corrected_f": FamilyMetric(
            "Hit F (corrected)", "Harmonic mean of corrected hit rate and precision, averaged over wheels.",
            partial(f_score, rule=1, variants=_ALL), source=OURS, is_headline=True,
            counts_in=partial(counts_in, rule=1, variants=_ALL),
        ),
        "hit_corrected_rate": FamilyMetric(
            "Hit rate (corrected)", "Share of the gold label's categories that the list holds, neutral as any other.",
            partial(recall, rule=1, variants=_ALL), source=OURS,
            counts_in=partial(counts_in, rule=1, variants=_ALL),
        ),
        "hit_corrected_precision": FamilyMetric(
            "Hit precision (corrected)", "Share of all named categories that are the gold label's.",
            partial(precision, rule=1, variants=_ALL), source=OURS,
            counts_in=partial(counts_in, rule=1, variants=_ALL),
        ),
    },
)  # fmt: skip
