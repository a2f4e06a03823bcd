"""The report of an import: how many samples, of which labels, and what two splits share.

Example:

    RAF-DB, basic partition: EmoLabel/list_patition_label.txt with numbers up to 7
      train  12,271  happiness 4,772, neutral 2,524, sadness 1,982 …
      test    3,068  happiness 1,185, neutral 680, surprise 329 …
      as many as published
      near-copies across splits: 4, 1 with another label: train_00012 ~ test_0003 …; --drop-duplicates …
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from data_engine.layouts import Known
from data_engine.layouts.dataset import DataSet
from emollm.records import Sample
from emollm.stage import Output

NUM_SHOWN = 3


class Pair(NamedTuple):
    """A near-copy and the picture that it is a copy of."""

    copy: str
    kept: str
    same_label: bool


class Report:
    """Counts the samples of an import while they pass."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._splits_of: dict[str, defaultdict[str, set[str]]] = {
            "subjects": defaultdict(set),
            "recordings": defaultdict(set),
        }
        """Subjects and recordings, each to the splits they are in."""
        self.pairs: list[Pair] | None = None
        """None where nobody looked for near-copies."""
        self.has_splits = True
        """Whether near-copies were looked for across splits only."""
        self.drops = False
        """Whether near-copies are kept aside."""

    def add(self, sample: Sample) -> None:
        """Count one sample."""
        split = sample.split or "no split"
        self._labels[split][sample.label or "no label"] += 1
        told = (sample.provenance or {}).get("import") or {}
        for what, name in (("subjects", sample.subject), ("recordings", told.get("recording"))):
            if name is not None:
                self._splits_of[what][name].add(split)

    def note(self, out: Output) -> None:
        """Write the numbers into the manifest."""
        data_set = self._known.data_set
        out.note("layout", {"name": data_set.name, "recognised_by": self._known.mark.why, "licence": data_set.licence})
        out.note("classes", {split: dict(labels.most_common()) for split, labels in self._labels.items()})
        for what, splits_of in self._splits_of.items():
            shared = _shared(splits_of)
            if splits_of:
                told = {"num": len(shared), "of": len(splits_of), "first": shared[:NUM_SHOWN]}
                out.note(f"{what}_in_two_splits", told)
        if self.pairs is not None:
            first = [pair._asdict() for pair in self.pairs[:NUM_SHOWN]]
            num_other = sum(not pair.same_label for pair in self.pairs)
            out.note("near_copies", {"num": len(self.pairs), "other_label": num_other, "first": first})

    def __str__(self) -> str:
        """The report as lines."""
        lines = [f"{self._known.data_set.title}: {self._known.mark.why}"]
        width = max(map(len, self._labels), default=0)
        for split, labels in self._labels.items():
            shown = ", ".join(f"{label} {num:,}" for label, num in labels.most_common())
            lines.append(f"  {split:<{width}}  {labels.total():>7,}  {shown}")
        lines += _published(self._known.data_set, {split: labels.total() for split, labels in self._labels.items()})
        if len(self._labels) > 1:
            for what, splits_of in self._splits_of.items():
                lines += _shared_line(what, splits_of)
        if self.pairs is not None:
            lines.append(f"  {self._copies_line(self.pairs)}")
        return "\n".join(lines)

    def _copies_line(self, pairs: list[Pair]) -> str:
        where = "near-copies across splits" if self.has_splits else "near-copies"
        if not pairs:
            return f"{where}: none"
        shown = ", ".join(f"{pair.copy} ~ {pair.kept}" for pair in pairs[:NUM_SHOWN])
        shown += " …" if len(pairs) > NUM_SHOWN else ""
        num_other = sum(not pair.same_label for pair in pairs)
        told = f"{where}: {len(pairs):,}" + (f", {num_other:,} with another label" if num_other else "")
        what = "kept aside" if self.drops else "--drop-duplicates keeps the first of each pair aside"
        return f"{told}: {shown}; {what}"


def _shared(splits_of: Mapping[str, set[str]]) -> list[str]:
    return [name for name, splits in splits_of.items() if len(splits) > 1]


def _shared_line(what: str, splits_of: Mapping[str, set[str]]) -> list[str]:
    if not splits_of:
        return []
    shared = _shared(splits_of)
    if not shared:
        return [f"  {what}: {len(splits_of):,}, none in two splits"]
    shown = ", ".join(f"{name} ({', '.join(sorted(splits_of[name]))})" for name in shared[:NUM_SHOWN])
    more = " …" if len(shared) > NUM_SHOWN else ""
    return [f"  {what}: {len(splits_of):,}, {len(shared):,} of them in two splits: {shown}{more}"]


def _published(data_set: DataSet, here: dict[str, int]) -> list[str]:
    """How the numbers stand to those that the authors of the data set give."""
    if not data_set.published:
        return []
    here = here | {"all": sum(here.values())}
    differ = [split for split, num in data_set.published.items() if here.get(split, 0) != num]
    if not differ:
        return ["  as many as published"]
    return ["  published: " + ", ".join(f"{split} {data_set.published[split]:,}" for split in differ)]
