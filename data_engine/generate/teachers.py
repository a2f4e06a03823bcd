"""Teachers: who writes the explanations of a run, sample after sample, in the order of the input.

    for sample, draft in RulesTeacher(options, workers=2).drafts(samples):
        ...

Each is told the same options and hands back the same drafts; how many processes or requests are under way is its own
affair, and bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.language_model import hash_image
from data_engine.exp_cot.loop import Effort, explain
from data_engine.exp_cot.rules import MAX_ATTEMPTS, teach
from data_engine.exp_cot.task import Task, admit
from data_engine.exp_cot.writer import Writer
from data_engine.generate.quota import Quota
from data_engine.workers import spread
from emollm.errors import EmoLLMError
from emollm.llm.wire import Image
from emollm.pictures import check_picture
from emollm.records import Sample, encode, media_path

if TYPE_CHECKING:
    from data_engine.generate.allowance import Allowance

CHUNK = 100
"""Samples that a worker is handed at a time."""

Drafts = Generator[tuple[Sample, Draft], None, None]


class Teacher(Protocol):
    """Who writes."""

    is_over: bool
    """Whether the budget is used up: what comes now ends the run."""

    def drafts(self, samples: Iterable[Sample]) -> Drafts:
        """Yield each sample with its draft, in order."""
        ...


class RulesTeacher:
    """Writes by rule, on one core or several, or on a cluster."""

    is_over = False

    def __init__(
        self, options: Options, rounds: int = MAX_ATTEMPTS, workers: int | None = 1, ray: str | None = None
    ) -> None:
        """`ray` is the address of a cluster, which has as many workers as cores where `workers` is None."""
        self._write = partial(teach, options=options, effort=Effort(rounds=rounds))
        self._workers = workers
        self._ray = ray

    def drafts(self, samples: Iterable[Sample]) -> Drafts:
        """Yield each sample with its draft, in order; with several workers a bounded number of chunks is under way."""
        if self._ray is None and self._workers in (None, 1):
            for sample in samples:
                yield sample, self._write(sample)
            return
        handed: deque[list[Sample]] = deque()

        def chunks() -> Iterator[list[bytes]]:
            source = iter(samples)
            while chunk := list(islice(source, CHUNK)):
                handed.append(chunk)
                yield [encode(sample) for sample in chunk]

        for written in spread(partial(_write_chunk, self._write), chunks(), self._workers, ray=self._ray):
            yield from zip(handed.popleft(), written, strict=True)


def _write_chunk(write: Callable[[Sample], Draft], lines: list[bytes]) -> list[Draft]:
    """Write drafts in a worker; JSON lines travel faster between processes than pickled records."""
    decoder = msgspec.json.Decoder(Sample)
    return [write(decoder.decode(line)) for line in lines]


class AskingTeacher:
    """Writes by asking a model, many samples at a time."""

    def __init__(
        self,
        options: Options,
        effort: Effort,
        writer: Callable[[Task, Image | None], Writer],
        *,
        in_flight: int,
        within: AbstractAsyncContextManager[Any] | None = None,
        allowance: Allowance | None = None,
        media_root: Path | None = None,
        needs_picture: bool = False,
        quota: Quota | None = None,
    ) -> None:
        self.is_over = False
        self._options = options
        self._effort = effort
        self._writer = writer
        self._in_flight = in_flight
        self._within = within
        self._allowance = allowance
        self._media_root = media_root
        self._needs_picture = needs_picture
        self._quota = quota or Quota(None)

    def drafts(self, samples: Iterable[Sample]) -> Drafts:
        """Yield each sample with its draft, in order. Where the budget is used up, what is under way is the last."""
        from emollm.llm.in_order import in_order  # brings asyncio, which rules do without

        yield from in_order(self._until_over(samples), self._explain, in_flight=self._in_flight, within=self._within)

    def _until_over(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        for sample in samples:
            if self.is_over:
                return
            yield sample

    async def _explain(self, sample: Sample) -> Draft:
        task = admit(sample, self._options)
        if isinstance(task, Draft):
            return task
        label = task.labels[0] if task.labels and not task.is_list else None
        if not await self._quota.begin(label):  # nothing is asked, and paid, for it
            return Draft(label_set=task.label_set, label=label, reason="class_full")
        draft = None
        try:
            draft = await self._admitted(sample, task, label)
            return draft
        finally:
            self._quota.end(label, draft)

    async def _admitted(self, sample: Sample, task: Task, label: str | None) -> Draft:
        """Write about a sample that a text can be written about."""
        try:
            image = self._picture(sample)
        except EmoLLMError as error:
            reason = "bad_picture" if sample.media else "no_picture"
            return Draft(label_set=task.label_set, label=label, reason=reason, detail=str(error))
        draft = await self._written(task, image)
        self.is_over = self.is_over or draft.reason == "budget"
        return draft

    async def _written(self, task: Task, image: Image | None) -> Draft:
        """Write about a sample as soon as the budget has room for it."""
        if self._allowance is None:
            return await explain(task, self._writer(task, image), self._effort)
        await self._allowance.begin()
        draft = None
        try:
            draft = await explain(task, self._writer(task, image), self._effort)
            return draft
        finally:
            self._allowance.end(draft)

    def _picture(self, sample: Sample) -> Image | None:
        """Return the picture of a sample, by its digest; a clip is told by its events alone."""
        if self._media_root is None:
            return None
        path = media_path(sample, self._media_root)
        if path is None or sample.media is None or sample.media.kind != "image":
            if self._needs_picture:
                raise EmoLLMError("an own model looks at a picture, and there is none")
            return None
        check_picture(path)
        image = hash_image(path)
        if sample.media.sha256 not in (None, image.sha256):
            raise EmoLLMError(f"{path}: is not the picture that was measured; run `emollm detect` again")
        return image
