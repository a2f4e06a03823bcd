"""Open labels as sets in which synonyms are one: the metric of MER2024's open-vocabulary track.

Published (Lian et al. 2024, MER2024, track MER-OV): each word becomes the first word of the last synonym group that
holds it, and itself where none does. Per sample, accuracy is |G ∩ P| / |P| and recall |G ∩ P| / |G|, both 0 where
nothing was predicted; the score is the mean of mean accuracy and mean recall. There, a language model grouped the words
of each sample anew: give its groups with --synonym-groups, or use those of emollm's own lexicon.

Corrected: a word of several groups counts in each of them in equal parts, and forms that mean the same (case, blanks,
`Neutrality` and `neutral`) are one word in every group. Samples with empty gold, at which the published script stops,
are left out by both.
"""

from __future__ import annotations

import hashlib
import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

from emollm.answers.words import label_words
from emollm.errors import SourceError
from emollm.wheel import Overlap, Shares, Wheels, lexicon
from emollm.wheel.lexicon import synonym_groups
from eval.metrics.counts import Array
from eval.metrics.family import Case, Context, Family, FamilyMetric, Line, Measured
from eval.metrics.overlaps import average, counts_in, precision, recall, sums, to_line

SOURCE = "Lian et al. 2024, MER2024 (MER-OV)"
OURS = "emollm: words of several groups are shared, forms of a word are one"

Groups = Sequence[Sequence[str]]


class Grouping:
    """Synonym groups, and which group a word belongs to by both rules."""

    def __init__(self, groups: Groups) -> None:
        """Take the groups; a word may be in several."""
        self.groups = [[word.strip().lower() for word in group] for group in groups]

    def overlap(self, first: Sequence[str], second: Sequence[str]) -> Overlap:
        """Compare two lists by the published rule."""
        one, other = ({self._representative.get(word, word) for word in words} for words in (first, second))
        return Overlap(len(one & other), len(one), len(other))

    def shared(self, first: Sequence[str], second: Sequence[str]) -> Iterator[Overlap]:
        """Compare two lists by the corrected rule."""
        return self._shares.overlaps(first, second, ["case1"])

    @cached_property
    def _representative(self) -> dict[str, str]:
        return {word: group[0] for group in self.groups for word in group}

    @cached_property
    def _shares(self) -> Shares:
        forms: dict[str, list[str]] = {}
        for number, group in enumerate(self.groups):
            for word in group:
                forms.setdefault(word, []).append(str(number))
        names = {name for found in forms.values() for name in found}
        return Shares(Wheels(forms, {name: [name] for name in names}, {}))


class Groupings(NamedTuple):
    """Synonym groups of all samples, or of each by its id."""

    of_all: Grouping
    of_sample: Mapping[str, Grouping]
    sha256: str
    name: str


def default_groupings() -> Groupings:
    """Return the groups of the embedded lexicon."""
    return Groupings(Grouping(synonym_groups()), {}, lexicon().sha256, lexicon().name)


def read_groupings(path: Path) -> Groupings:
    """Read synonym groups: a JSON list of lists of words, or an object of such lists by sample id.

    Raises SourceError for what is neither.
    """
    try:
        content = path.read_bytes()
        found = json.loads(content)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path}: not JSON: {error}") from None
    by_id = found if isinstance(found, dict) else {"": found}
    wrong = next((name for name, groups in by_id.items() if not _are_groups(groups)), None)
    if wrong is not None:
        where = f"{wrong}: " if wrong else ""
        raise SourceError(
            f'{path}: {where}not a list of lists of words; give [["happy", "glad"], …] or {{"sample id": [[…]]}}'
        )
    groupings = {name: Grouping(groups) for name, groups in by_id.items()}
    of_all = groupings.pop("", Grouping([]))
    return Groupings(of_all, groupings, hashlib.sha256(content).hexdigest(), path.name)


def _are_groups(groups: Any) -> bool:
    return isinstance(groups, list) and all(
        isinstance(group, list) and group and all(isinstance(word, str) for word in group) for group in groups
    )


def add_arguments(parser: ArgumentParser) -> None:
    """Add --synonym-groups."""
    parser.add_argument(
        "--synonym-groups",
        type=lambda text: read_groupings(Path(text)),
        metavar="FILE",
        help="JSON: groups of words that count as one, for all samples or by sample id "
        "(default: those of emollm's own lexicon)",
    )


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Keep |P ∩ G|, |P| and |G|, by both rules."""
    counted = [case.sample for case in cases if case.sample.labels is not None]
    if not counted:
        return Measured([None] * len(cases))
    groupings: Groupings = context.options.synonym_groups or default_groupings()
    lines: list[Line | None] = []
    for case in cases:
        if case.sample.labels is None:
            lines.append(None)
            continue
        grouping = groupings.of_sample.get(case.sample.id, groupings.of_all)
        gold = [word.strip().lower() for word in case.sample.labels]
        said = label_words(case.score.answer)
        lines.append(to_line([grouping.overlap(said.published, gold)], grouping.shared(said.words, gold)))
    notices = [f"Words count as one by the groups of {groupings.name} (sha256 {groupings.sha256[:12]})."]
    ungrouped = sum(sample.id not in groupings.of_sample for sample in counted)
    if groupings.of_sample and ungrouped:
        notices.append(
            "Samples without groups, in which only equal words are one, by the corrected rule also those that emollm "
            f"knows as one label: {ungrouped:,} of {len(counted):,}."
        )
    if empty := sum(not sample.labels for sample in counted):
        notices.append(f"Samples with empty gold, left out: {empty:,} of {len(counted):,}.")
    return Measured(lines, {"synonym_groups": groupings.sha256}, notices=notices)


def _metric(title: str, definition: str, function: Callable[..., Array], rule: int) -> FamilyMetric:
    return FamilyMetric(
        title=f"{title} (corrected)" if rule else title,
        definition=definition,
        function=partial(function, rule=rule, variants=(0,)),
        source=OURS if rule else SOURCE,
        is_headline=function is average,
        counts_in=partial(counts_in, rule=rule, variants=(0,)),
    )


_PARTS = {
    "avg": ("Set average", "Mean of set accuracy and set recall.", average),
    "accuracy": ("Set accuracy", "Mean of |G ∩ P| / |P|, synonyms being one.", precision),
    "recall": ("Set recall", "Mean of |G ∩ P| / |G|, synonyms being one.", recall),
}

FAMILY = Family(
    name="label_sets",
    title="Open labels as sets",
    about="Predicted and gold words as sets in which synonyms are one.",
    measure=measure,
    sums=sums,
    metrics={
        f"set_{'corrected_' if rule else ''}{part}": _metric(*told, rule)
        for rule in (0, 1)
        for part, told in _PARTS.items()
    },
    add_arguments=add_arguments,
)
