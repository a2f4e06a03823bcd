"""Sections of the data card about what is in the export: numbers in words, tables and bars.

    list(labels(facts))     # ["## Labels", "", "| label | samples | …", …]

Each takes the facts and yields lines of Markdown, none where there is nothing to tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from data_engine.exports.card.facts import Facts
from emollm.cards.tables import MOST, bar, bars, code, name, number_of, part_of, rest, share, shares, table
from emollm.facs import UNITS, prose

MAX_SPLITS = 4
"""More splits than these get no columns of their own in the table of labels."""


def opening(facts: Facts) -> Iterator[str]:
    """Say in a sentence what this is."""
    counts = facts.counts
    parts = {"image": "picture", "video": "clip"}
    media = " and ".join(number_of(counts.kinds[kind], word) for kind, word in parts.items() if counts.kinds[kind])
    what = "pair" if facts.format_name == "preference" else "example"
    yield f"# {name(facts.title)}"
    yield ""
    yield (
        f"{number_of(facts.num_rows, what)} from {media or 'no picture'} of faces, in the format "
        f"{code(facts.format_name)}. {facts.format.about}"
    )
    if counts.num_generated:
        yield ""
        yield (
            f"The texts of {part_of(counts.num_generated, counts.num_samples)} samples were written by "
            "`emollm generate` from measured action units (AUs), and kept because every claim found in them agrees "
            "with what was measured."
        )


def numbers(facts: Facts) -> Iterator[str]:
    """The size of it all."""
    counts, lengths = facts.counts, facts.counts.lengths
    rows: list[tuple[str, str]] = [("format", code(facts.format_name)), ("examples", f"{facts.num_rows:,}")]
    rows.append(
        ("samples they are from", f"{counts.num_samples:,} of {counts.num_read:,} in {code(facts.steps[0].name)}")
    )
    rows += [
        (label, f"{counts.kinds[kind]:,}")
        for kind, label in (("image", "pictures"), ("video", "clips"))
        if counts.kinds[kind]
    ]
    rows.append(("with measured AUs", part_of(counts.num_with_aus, counts.num_samples)))
    if counts.num_with_events:
        rows.append(("with timed AU events", part_of(counts.num_with_events, counts.num_samples)))
    if counts.num_transcripts:
        rows.append(("with a transcript", part_of(counts.num_transcripts, counts.num_samples)))
    if lengths.number:
        mean = lengths.total / lengths.number
        rows.append(("words of an explanation", f"{mean:.0f} on average, {lengths.least} to {lengths.most}"))
    known = counts.agreement["yes"] + counts.agreement["no"]
    if known:
        rows.append(("label supported by the AUs", f"{part_of(counts.agreement['yes'], known)} where that can be told"))
    if counts.num_generated:
        rows.append(("ending written with the label known", part_of(counts.num_label_seen, counts.num_generated)))
    yield "## In numbers"
    yield ""
    yield from table(("", ""), rows)


def labels(facts: Facts) -> Iterator[str]:
    """How many samples each label has, per split where there are a few."""
    counts = facts.counts
    yield "## Labels"
    yield ""
    sets = ", ".join(f"{code(one)} {num:,}" for one, num in counts.label_sets.most_common())
    yield f"Label sets: {sets}."
    yield ""
    splits = sorted(counts.splits) if 1 < len(counts.splits) <= MAX_SPLITS else []
    totals = Counter({label: by_split.total() for label, by_split in counts.classes.items()})
    heads = ("label", "samples", *(name(split) for split in splits), "share", "")
    yield from table(
        heads,
        (
            (name(label), f"{num:,}", *(f"{counts.classes[label][split]:,}" for split in splits), *bars(num, totals))
            for label, num in totals.most_common(MOST)
        ),
        "lr" + "r" * len(splits) + "r",
    )
    yield from rest(totals)
    if counts.words:
        yield ""
        yield f"Open-vocabulary lists hold {len(counts.words):,} different words; the most frequent:"
        yield ""
        yield from shares(("word", "samples", "of all samples"), counts.words, counts.num_samples)
        yield from rest(counts.words)


def action_units(facts: Facts) -> Iterator[str]:
    """How often each AU was measured and present, and how strong it is then."""
    counts = facts.counts
    if not counts.aus:
        return
    yield "## Action units"
    yield ""
    thresholds = "; ".join(f"{told} ({num:,})" for told, num in counts.thresholds.most_common(MOST))
    yield (
        "An AU that is missing was not measured; it is not absent. Shares are of the samples in which it was measured. "
        f"Present means at or above: {thresholds}. Strength is the mean FACS intensity, 0 to 5, where present; "
        "probabilities have none."
    )
    yield ""
    yield from table(
        ("AU", "", "measured", "present", "share", "", "strength"),
        (
            (
                prose(au),
                UNITS[au].name,
                f"{count.measured:,}",
                f"{count.shown:,}",
                share(count.shown, count.measured),
                bar(count.shown / count.measured),
                "–" if count.mean is None else f"{count.mean:.1f}",
            )
            for au, count in sorted(counts.aus.items())
        ),
        "llrrrlr",
    )


def people(facts: Facts) -> Iterator[str]:
    """Splits, subjects and groups."""
    counts = facts.counts
    yield "## Splits, people and groups"
    yield ""
    yield from table(
        ("split", "samples", "people", "share", ""),
        (
            (
                name(split),
                f"{num:,}",
                f"{sum(split in of for of in counts.subjects.values()):,}",
                *bars(num, counts.splits),
            )
            for split, num in counts.splits.most_common(MOST)
        ),
        "lrrr",
    )
    yield from rest(counts.splits)
    yield ""
    if counts.subjects:
        shared = sum(len(splits) > 1 for splits in counts.subjects.values())
        known = part_of(counts.num_with_subject, counts.num_samples)
        yield (
            f"The person is known for {known} samples: {number_of(len(counts.subjects), 'person', 'people')}, "
            f"of whom {shared:,} {'is' if shared == 1 else 'are'} in more than one split."
        )
    else:
        yield "No sample says who it shows, so it is not known whether splits share people."
    for group, values in sorted(counts.groups.items()):
        yield ""
        yield f"**{name(group)}** is known for {part_of(values.total(), counts.num_samples)} samples."
        yield ""
        yield from shares((name(group), "samples", "share"), values, values.total())
        yield from rest(values)
