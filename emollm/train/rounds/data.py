"""The data of the rounds: gold texts, samples without texts, and the held-out ones, apart from each other.

counts = divide(recipe, folder)     # folder/gold.jsonl, pool.jsonl, questions.jsonl
join(folder / "gold.jsonl", folder / "round-1/own.jsonl", folder / "round-2/train.jsonl")
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from emollm.errors import ConfigError, SourceError
from emollm.files import in_one_step, write_json
from emollm.pictures import check_picture, is_clip, of_clip
from emollm.records import Sample, encode, media_path
from emollm.stage import manifest_beside, new_manifest
from emollm.train.refused import nothing_left, of_split
from emollm.train.rounds.recipe import Recipe


def divide(recipe: Recipe, folder: Path) -> dict[str, int]:
    """Write the gold texts, the samples to be explained, and both without texts for GRPO. Returns how many of each.

    Raises SourceError where one of them is empty, ConfigError where a held-out sample is among them or has no picture.
    """
    gold = [s for s in of_split(Path(recipe.train_file), recipe.split) if s.reasoning is not None]
    known = {sample.id for sample in gold}
    held_out = list(of_split(recipe.test(), recipe.test_split))
    pool = [_bare(s) for s in of_split(recipe.pool(), recipe.pool_split) if s.id not in known]
    if not gold:
        some = f" in split '{recipe.split}'" if recipe.split else ""
        raise SourceError(f"{recipe.train_file}: no text{some}; give what `emollm generate` wrote")
    if not held_out:
        raise nothing_left(recipe.test(), recipe.test_split, key="test_split")
    if not pool:
        some = f" in pool_split '{recipe.pool_split}'" if recipe.pool_split else ""
        raise SourceError(f"{recipe.pool()}: no sample without a gold text{some}; there is nothing to explain")
    _refuse_held_out([*gold, *pool], held_out)
    _check_pictures(held_out, recipe.root())
    train_file, pool_file = Path(recipe.train_file), recipe.pool()
    write(folder / "gold.jsonl", gold, [train_file])
    write(folder / "pool.jsonl", pool, [pool_file])
    write(folder / "questions.jsonl", [*map(_bare, gold), *pool], [train_file, pool_file])
    return {"gold": len(gold), "pool": len(pool), "held_out": len(held_out)}


def write(path: Path, samples: Iterable[Sample], sources: Sequence[Path]) -> None:
    """Write samples in one step, and the manifest beside them: a card follows it to where they come from."""
    with in_one_step(path) as part, part.open("wb") as file:
        file.writelines(encode(sample) + b"\n" for sample in samples)
    manifest = new_manifest("rounds", {}, list(dict.fromkeys(sources)))
    write_json(manifest_beside(path), manifest | {"status": "done", "counts": {"written": count(path)}})


def join(gold: Path, own: Path | None, path: Path) -> None:
    """Write the training file of a round: the gold texts, then the model's own of the round before."""
    parts = [gold] if own is None else [gold, own]
    write(path, (sample for part in parts for sample in of_split(part, None)), parts)


def count(path: Path) -> int:
    """Return how many lines a file has; 0 where there is none."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _bare(sample: Sample) -> Sample:
    """Return a sample without its text, which neither GRPO nor a teacher is to see."""
    return msgspec.structs.replace(sample, reasoning=None)


def _refuse_held_out(learnt: Iterable[Sample], held_out: Iterable[Sample]) -> None:
    """Raise ConfigError where a held-out sample is learnt from; say on stderr where a held-out person is."""
    ids = {sample.id for sample in held_out}
    people = {sample.subject for sample in held_out if sample.subject is not None}
    both, shared = [], set()
    for sample in learnt:
        if sample.id in ids:
            both.append(sample.id)
        if sample.subject in people:
            shared.add(sample.subject)
    if both:
        raise ConfigError(
            f"{len(both):,} held-out samples are learnt from too, such as '{both[0]}'; make split, pool_split and "
            "test_split disjoint"
        )
    if shared:
        print(f"careful: {len(shared):,} people are both held out and learnt from", file=sys.stderr)


def _check_pictures(samples: Iterable[Sample], root: Path) -> None:
    """Raise ConfigError for a held-out sample that could not be measured, before anything is trained."""
    for sample in samples:
        path = media_path(sample, root)
        if path is None:
            raise ConfigError(f"held-out sample '{sample.id}': has no picture; leave it out of test_split")
        if is_clip(sample):
            raise ConfigError(f"held-out sample '{sample.id}': {of_clip(sample)}")
        try:
            check_picture(path)
        except SourceError as error:
            raise ConfigError(f"held-out sample '{sample.id}': {error}, or set media_root") from None
