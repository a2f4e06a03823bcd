"""Joining what a file of another harness tells with the samples, by id or by number.

    ids = join(harness, path, told, samples)      # line of the file → id of its sample

A number proves nothing by itself: a harness counts from 0 or from 1, and samples may have numbers for ids as well. It
is the id of a sample, or its place in the samples file, only where the gold answers in the file show it: every document
that is joined has the gold of its sample, and of 1,000 orders of the documents at most one would fit as well. Of n
documents, n_c of them with gold c, a share of Π n_c! / n! fits: all orders where all have the same gold.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from math import comb
from pathlib import Path
from typing import NamedTuple

from emollm.answers.words import split_labels
from emollm.errors import EmoLLMError
from emollm.labels import canonical
from emollm.records import Sample
from eval.handoff.told import Harness, Told

MIN_ORDERS = 1_000
"""So many orders of the documents the gold answers must tell apart to prove one."""


class Way(NamedTuple):
    """A way to join by number, and what the gold answers in the file say to it."""

    what: str
    ids: dict[int, str]
    """Line of the file to id of the sample."""
    num_joined: int
    num_proofs: int
    """Answers whose gold is that of the sample; of the others, one of the two is not known."""
    num_orders: int
    """Orders that the gold of these tells apart; see `orders_of`."""
    against: Told | None
    """The first answer whose gold is not that of the sample."""

    @property
    def fits(self) -> bool:
        """Whether nothing speaks against it."""
        return self.num_proofs > 0 and self.against is None

    @property
    def is_proven(self) -> bool:
        """Whether another order would have shown."""
        return self.fits and self.num_proofs == self.num_joined and self.num_orders >= MIN_ORDERS


def join(harness: Harness, path: Path, told: Sequence[Told], samples: Sequence[Sample]) -> dict[int, str]:
    """Return line of the file to id of its sample; an id may be of no sample, and a line may have none.

    Raises EmoLLMError where the documents are only numbered and nothing proves whose numbers these are.
    """
    known = {sample.id: sample for sample in samples}
    named = {one.line: next((name for name in one.ids if name in known), one.ids[0]) for one in told if one.ids}
    if not told or any(name in known for name in named.values()):
        return named
    places = _places(harness, told, samples)
    by_name = {one.line: one.name for one in told}
    by_place = {one.line: samples[place].id for one, place in zip(told, places, strict=False)}
    ways = [_try("ids of samples", told, by_name, known), _try("places in the samples file", told, by_place, known)]
    proven = next((way for way in ways if way.is_proven), None)
    if proven is None:
        raise EmoLLMError(f"{path}: {_doubt(harness, told, samples, ways)}; {harness.cure}")
    if all(way.fits for way in ways) and by_name != by_place:
        what = "its numbers may be ids of samples, or places in the samples file: the gold answers fit both"
        raise EmoLLMError(f"{path}: {what}; {harness.cure}")
    proofs = f"{proven.num_proofs:,} of {len(told):,} gold answers in it prove that its numbers are"
    print(f"{path.name}: joined by number; {proofs} {proven.what}", file=sys.stderr)
    return proven.ids


def _places(harness: Harness, told: Sequence[Told], samples: Sequence[Sample]) -> list[int]:
    """Return the place of each document in the samples file, by its number; none, where not all can have one."""
    numbers = [one.number for one in told if one.number is not None]
    if len(numbers) < len(told) or (harness.first is None and len(told) != len(samples)):
        return []
    places = [number - (min(numbers) if harness.first is None else harness.first) for number in numbers]
    return places if all(0 <= place < len(samples) for place in places) else []


def _try(what: str, told: Sequence[Told], ids: dict[int, str], known: Mapping[str, Sample]) -> Way:
    joined = [one for one in told if ids.get(one.line) in known]
    fits = [has_target(known[ids[one.line]], one.target) for one in joined]
    golds = (_gold(known[ids[one.line]]) for one, fit in zip(joined, fits, strict=True) if fit)
    against = joined[fits.index(False)] if False in fits else None
    return Way(what, ids, len(joined), fits.count(True), orders_of(golds), against)


def orders_of(golds: Iterable[Hashable]) -> int:
    """Return how many orders of these can be told apart, n! / Π n_c!; not counted on from MIN_ORDERS."""
    orders, num = 1, 0
    for count in Counter(golds).values():
        num += count
        orders *= comb(num, count)
        if orders >= MIN_ORDERS:
            break
    return orders


def _doubt(harness: Harness, told: Sequence[Told], samples: Sequence[Sample], ways: Sequence[Way]) -> str:
    """Say why nothing proves what the numbers stand for."""
    first = told[0]
    what = "no answer has the id of a sample" if first.ids else "its documents are only numbered"
    what += f" ('{(first.ids or (first.name,))[0]}' here, '{samples[0].id}' there)"
    if fitting := [way for way in ways if way.fits]:
        return f"{what}, and {_weakness(max(fitting, key=lambda way: way.num_proofs))}"
    for way in reversed(ways):
        if way.against is not None:
            return (
                f"{what}, and the order is another: '{way.against.target}' is gold of number {way.against.name} in it, "
                f"and not of '{way.ids[way.against.line]}'"
            )
    if any(way.num_joined for way in ways):
        return f"{what}, and no gold answer in it proves that its numbers are theirs"
    if harness.first is None or any(one.number is None for one in told):
        return what
    return f"{what}, and its numbers run beyond the {len(samples):,} samples"


def _weakness(way: Way) -> str:
    """Say why gold answers that fit prove nothing."""
    if lacking := way.num_joined - way.num_proofs:
        return f"{lacking:,} of {way.num_joined:,} have no gold answer that proves whose numbers they are"
    orders = f"one of {way.num_orders:,} orders" if way.num_orders > 1 else "any order"
    return f"its gold answers are too few or too alike to prove that its numbers are theirs: {orders} would fit"


def has_target(sample: Sample, target: str) -> bool | None:
    """Tell whether a gold answer is the sample's; None where one of them is missing."""
    gold, said = _gold(sample), split_labels(target)
    if not gold or not said:
        return None
    return gold == {_word(label, sample.label_set) for label in said}


def _gold(sample: Sample) -> frozenset[str]:
    """Return the words of a sample's gold; none where it has no label."""
    labels = [sample.label] if sample.label is not None else sample.labels or ()
    return frozenset(_word(label, sample.label_set) for label in labels)


def _word(label: str, label_set: str | None) -> str:
    return canonical(label, label_set) or label.strip().lower()
