"""The quota of a run: at most so many kept samples of a class, the first ones in the order of the input.

    quota = Quota(500)
    if await quota.begin(label):                 # waits while those under way may still fill the class
        draft = await explain(...)
        quota.end(label, draft)
    draft = quota.limit(draft)                   # in the order of the input: the draft, or the reason `class_full`

No more of a class are under way than it still wants, so that nothing is paid for only to be set aside.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Mapping

from data_engine.exp_cot.draft import Draft
from emollm.records import Sample

DEFERRED = "teacher_deferred"
"""The reason of a sample whose answers a batch service has still to give: it may be kept yet."""


class Quota:
    """Counts what is kept of each class. Its waiting belongs to one event loop.

    A sample of a full class is set aside as `class_full` whatever else is wrong with it, so that the outcome does not
    depend on whether it was still written about.
    """

    def __init__(self, most: int | None) -> None:
        self.most = most
        self._kept: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        """Places that are taken for good: of kept samples, and of those that may be kept yet."""
        self._under_way: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[asyncio.Future[bool]]] = defaultdict(deque)

    def count(self, sample: Sample) -> None:
        """Count a sample that an earlier run has kept."""
        if sample.label is not None:
            self._kept[sample.label] += 1
            self._held[sample.label] += 1

    def share_wanted(self, classes: Mapping[str | None, int]) -> float:
        """Return which share of so many samples of each class may be kept. A sample without a label always may."""
        if self.most is None:
            return 1.0
        wanted = {label: min(n, max(0, self.most - self._kept[label])) if label else n for label, n in classes.items()}
        return sum(wanted.values()) / max(1, sum(classes.values()))

    def limit(self, draft: Draft) -> Draft:
        """Count a draft that is kept, and refuse one whose class is full. A list of labels is no class."""
        if draft.label_set is None or draft.label is None or self.most is None:
            return draft
        if self._kept[draft.label] >= self.most:
            return draft._replace(reasoning=None, reason="class_full", detail=f"{self.most:,} are kept", provenance={})
        self._kept[draft.label] += draft.reasoning is not None
        return draft

    async def begin(self, label: str | None) -> bool:
        """Wait, first come first served, until a place of the class is free; False: it is full."""
        if self.most is None or label is None:
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[label].append(turn)
        self._serve(label)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.end(label, None)
            raise

    def end(self, label: str | None, draft: Draft | None) -> None:
        """Give a place back, or keep it for good. A draft is None where the sample was broken off."""
        if self.most is None or label is None:
            return
        self._under_way[label] -= 1
        self._held[label] += draft is not None and (draft.reasoning is not None or draft.reason == DEFERRED)
        self._serve(label)

    def _serve(self, label: str) -> None:
        assert self.most is not None
        waiting = self._waiting[label]
        while waiting and self._held[label] + self._under_way[label] < self.most:
            if not (turn := waiting.popleft()).done():
                self._under_way[label] += 1
                turn.set_result(True)
        while waiting and self._held[label] >= self.most:
            if not (turn := waiting.popleft()).done():
                turn.set_result(False)
