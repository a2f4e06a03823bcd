"""Facts: all that a model card is written from, gathered from the model's folder and from what its manifests name.

facts = gather(Path("runs/sft"), scores=[Path("scores")])
facts.trainings[0].manifest["options"]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from emollm.cards.origin import Step, read_manifest
from emollm.errors import ModelError
from emollm.train.card.counts import read_pairs
from emollm.train.card.data import DataFile, Reading, read_data
from emollm.train.card.scores import Scores, read_scores
from emollm.train.run import LOG, read_log
from emollm.vlm.weights import Weight, read_weights

MAX_TRAININGS = 32
"""A chain of trainings that is longer goes in a circle."""


class Training(NamedTuple):
    """One training on the way to the model, as its manifest and its log tell."""

    name: str
    manifest: Mapping[str, Any]
    log: Sequence[Mapping[str, Any]]
    """The lines of train_log.jsonl; empty where it is gone."""
    learnt_ids: frozenset[str] | None = None
    """The samples that it learnt from, where it chose some of those it read."""

    @property
    def step(self) -> Step:
        """The training as a step of the lineage."""
        return Step(self.name, "", self.manifest)


class Facts(NamedTuple):
    """What is known of a model."""

    name: str
    folder: str
    """The name of its directory."""
    weights: Mapping[str, Weight]
    config: Mapping[str, Any]
    """config.json of the model; empty for an adapter."""
    adapter: Mapping[str, Any]
    """adapter_config.json; empty for a whole model."""
    merge: Mapping[str, Any]
    """The manifest of `emollm merge`; empty where nothing was merged."""
    trainings: Sequence[Training]
    """The last one first."""
    base: str
    """What the first training began with; empty where that is not known, or it built a model of its own."""
    data: Sequence[DataFile]
    scores: Sequence[Scores]
    licence: str | None
    """As the user states it."""

    @property
    def warnings(self) -> Iterator[str]:
        """What whoever writes the card should look at."""
        for scores in self.scores:
            if self.data and (shared := sum(len(one.shared_ids(scores)) for one in self.data)):
                yield f"{scores.folder}: {shared:,} of the scored samples were learnt from; score others"
            if not scores.is_of(self.folder):
                models = ", ".join(scores.results.models) or "a model not told"
                yield f"{scores.folder}: scores {models}; is that {self.folder}?"
        if not self.trainings:
            yield f"{self.name}: no manifest tells how it was trained, so the card cannot either"


def gather(
    folder: Path,
    *,
    scores: Sequence[Path] = (),
    data: Sequence[Path] = (),
    licence: str | None = None,
    name: str | None = None,
) -> Facts:
    """Read what is known of the model in a folder. Raises ModelError where there is none."""
    config, adapter = read_manifest(folder / "config.json"), read_manifest(folder / "adapter_config.json")
    if not folder.is_dir() or not (config or adapter):
        raise ModelError(f"{folder}: holds no model; give the directory that the training or `emollm merge` wrote")
    manifest = read_manifest(folder / "manifest.json")
    trainings = list(_trainings(folder, manifest))
    measured = [read_scores(path) for path in scores]
    return Facts(
        name=name or folder.resolve().name,
        folder=folder.resolve().name,
        weights=read_weights(folder),
        config={} if adapter else config,
        adapter=adapter,
        merge=manifest if manifest.get("stage") == "merge" else {},
        trainings=trainings,
        base=_base(trainings, adapter, manifest),
        data=read_data([Reading(training.step, training.learnt_ids) for training in trainings], data, measured),
        scores=measured,
        licence=licence,
    )


def _trainings(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Training]:
    """Yield the trainings from the last to the first, as far as their folders are still where they were."""
    for _ in range(MAX_TRAININGS):
        if manifest.get("stage") == "merge":
            # The merge keeps the manifest of the training, whose folder may be gone.
            merged = Step("", "", manifest).options
            folder = Path(str(merged.get("adapter") or merged.get("model") or ""))
            manifest = manifest.get("training") or {}
        if not manifest.get("options"):
            return
        log, chosen = folder / LOG, folder / "pairs.jsonl"  # pairs are written where DPO makes them of completions
        ids = frozenset(str(pair["id"]) for pair in read_pairs(chosen) if pair) if chosen.is_file() else None
        yield Training(folder.name, manifest, read_log(log) if log.is_file() else [], ids)
        options = Step("", "", manifest).options
        before = options.get("adapter") or options.get("model")
        if not isinstance(before, str):
            return
        folder = Path(before)
        manifest = read_manifest(folder / "manifest.json")


def _base(trainings: Sequence[Training], adapter: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Return what it all began with: the model that the first training names, or else the adapter or the merge."""
    first = trainings[-1].step if trainings else Step("", "", manifest)
    return str(first.options.get("model") or ("" if trainings else adapter.get("base_model_name_or_path") or ""))
