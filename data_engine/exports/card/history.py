"""History: the sections of the data card about where it all comes from and what did not get in.

    list(left_out(facts))       # per class and reason, in lines of Markdown

What manifests tell is taken as it is; one that is no manifest of ours must not stop an export that is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from data_engine.exports.card.facts import Facts
from emollm import __version__
from emollm.cards.origin import RENDERED, Step
from emollm.cards.tables import MOST, bar, code, name, number_of, rest, share, shares, table
from emollm.prompts import prompt_hash


def authors(facts: Facts) -> Iterator[str]:
    """Who measured the faces and who wrote the texts, with the digests of the prompts."""
    counts = facts.counts
    yield "## Who measured, who wrote"
    yield ""
    rows = [("AUs measured by", name(who), f"{num:,}") for who, num in counts.detectors.most_common(MOST)]
    rows += [("text written by", name(who), f"{num:,}") for who, num in counts.teachers.most_common(MOST)]
    rows += [("language", name(which), f"{num:,}") for which, num in counts.languages.most_common(MOST)]
    yield from table(("", "", "samples"), rows, "llr")
    digests = [(f"{step.stage} {key}", digest) for step in facts.steps for key, digest in step.prompts.items()]
    digests += [(f"prompts of the teacher ({num:,} texts)", digest) for digest, num in counts.prompts.most_common(MOST)]
    if facts.format.asks:
        digests.append(("questions of this export", prompt_hash()))
    if digests:
        yield ""
        yield f"Digests of the prompts: {', '.join(f'{name(key)} {code(digest)}' for key, digest in digests)}."


def left_out(facts: Facts) -> Iterator[str]:
    """What was refused before, per class, and what this export left out."""
    yield "## What was left out"
    yield ""
    yield from _refused(facts)
    yield ""
    if facts.left_out:
        reasons = ", ".join(f"{name(reason)} {num:,}" for reason, num in facts.left_out.most_common())
        yield f"This export left out {facts.left_out.total():,}, listed in `rejected.jsonl`: {reasons}."
    else:
        yield "This export left nothing out."
    if facts.problems:
        yield ""
        yield "Why the worse texts of the pairs were refused; one text can have several reasons:"
        yield ""
        yield from shares(("check", "pairs", "share"), facts.problems, facts.num_rows)


def _refused(facts: Facts) -> Iterator[str]:
    counts, refused, manifest = facts.counts, facts.refused, facts.steps[0].manifest
    source = code(facts.steps[0].name)
    if not manifest:
        yield f"No manifest lies beside {source}: what was refused before it was written is not known."
        return
    told = facts.steps[0].rejected
    if not refused.is_listed:
        reasons = ", ".join(f"{name(reason)} {num:,}" for reason, num in told.most_common())
        what = f"{told.total():,} refused ({reasons}); the list of them is not here" if told else "nothing was refused"
        yield f"Before {source}: {what}."
        return
    classes = Counter(counts.read_classes)
    classes.update({label: reasons.total() for label, reasons in refused.classes.items()})
    yield f"Refused by `{name(str(manifest.get('stage', '')))}` before {source} was written, per class:"
    yield ""
    yield from table(
        ("class", "kept", "refused", "kept share", "", "reasons"),
        (
            (
                name(label),
                f"{counts.read_classes[label]:,}",
                f"{total - counts.read_classes[label]:,}",
                share(counts.read_classes[label], total),
                bar(counts.read_classes[label] / total),
                ", ".join(
                    f"{name(reason)} {num:,}" for reason, num in refused.classes.get(label, Counter()).most_common()
                ),
            )
            for label, total in classes.most_common(MOST)
        ),
        "lrrr",
    )
    yield from rest(classes)
    if notes := list(_doubts(facts, told)):
        yield ""
        yield " ".join(notes)


def _doubts(facts: Facts, told: Counter[str]) -> Iterator[str]:
    """Where the files do not agree, or do not count the same samples."""
    refused = facts.refused
    if facts.options.get("limit"):
        yield f"Kept counts only the first {facts.options['limit']:,} samples, which this export was limited to."
    elif facts.options.get("split") is None and told != refused.reasons:
        yield f"The manifest tells of {told.total():,} refused samples, the list of {refused.reasons.total():,}."
    if refused.num_unreadable:
        yield f"{number_of(refused.num_unreadable, 'line')} of the list cannot be read."


def sources(facts: Facts) -> Iterator[str]:
    """Where the pictures are from, and under which licences."""
    yield "## Sources and licences"
    yield ""
    if facts.licence:
        yield f"Whoever made this export states the licence {code(facts.licence)}."
        yield ""
    yield from table(
        ("source", "licence", "samples"),
        (
            (
                name(source) or "not told",
                name(licence) or ("drawn, nobody's likeness" if source == RENDERED else "not told"),
                f"{num:,}",
            )
            for (source, licence), num in facts.counts.sources.most_common(MOST)
        ),
        "llr",
    )
    if any(not licence and source != RENDERED for source, licence in facts.counts.sources):
        yield ""
        yield "Where no licence is told, ask whoever has the pictures before they are passed on."


def making(facts: Facts) -> Iterator[str]:
    """The lineage by digests."""
    yield "## How it was made"
    yield ""
    yield (
        f"Written by emollm {__version__}. Each file was read by the stage above it; digests are the first 16 digits "
        "of SHA-256."
    )
    yield ""
    export = Step("", "", {"stage": "export", "options": dict(facts.options)})
    stages = [("export", "this folder", "", _told(export)), *(_stage(step) for step in facts.steps)]
    yield from table(
        ("stage", "file", "digest", "options"),
        ((name(stage), code(file), digest and code(digest), options) for stage, file, digest, options in stages),
    )
    kept_aside = [line for step in facts.steps[1:] if (line := _kept_aside(step))]
    if kept_aside:
        yield ""
        yield f"Kept aside on the way: {'; '.join(kept_aside)}."


def _stage(step: Step) -> tuple[str, str, str, str]:
    return step.stage or "no manifest", step.name, step.sha256[:16], _told(step)


def _told(step: Step) -> str:
    """Options that say something, in one cell."""
    return ", ".join(name(one) for one in step.told_options)


def _kept_aside(step: Step) -> str:
    reasons = ", ".join(f"{name(reason)} {num:,}" for reason, num in step.rejected.most_common())
    return f"{name(step.stage)} {reasons}" if reasons else ""


def files(facts: Facts) -> Iterator[str]:
    """What lies in the folder, and what the format leaves open."""
    yield "## Files"
    yield ""
    others = {
        "images": "the pictures, under the paths that they have in the data set",
        "videos": "the clips, under the paths that they have in the data set",
        "rejected.jsonl": "what this export left out: `id`, `reason`, `detail`",
        "manifest.json": "options, versions, digests and counts of this export",
    }
    told = {**facts.format.files, **others}
    yield from table(("file", ""), ((code(file), told[file]) for file in told if file in facts.written))
    for note in facts.format.notes:
        yield ""
        yield note
