"""An own model as the teacher: it looks at the picture and writes the whole explanation, as it was trained to.

    model = LocalModel(*load_model("runs/grpo"), name="runs/grpo", batch_size=16)
    writer = WholeWriter(model, image, task.sight, task.label_set)
    draft = await explain(task, writer, Effort(rounds=3))

The third stage of Facial-R1 (Wu et al., AAAI 2026): what a tuned model writes and the checks let pass becomes the next
model's data. The model sees the picture and the question of `emollm.prompts`, no AUs and no label; the first answer is
its most likely one, later ones are drawn. Its label comes from its own answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from data_engine.exp_cot.language import ENGLISH
from data_engine.exp_cot.reading import read_labels, read_whole
from data_engine.exp_cot.task import Sight
from data_engine.exp_cot.writer import AnswerError, Attempt, Said
from emollm.errors import SourceError
from emollm.llm.wire import Ask, Failure, Image, Reply, Request, Turn
from emollm.prompts import ask as question_about
from emollm.records import Reasoning

QUIET_S = 0.02
"""A batch that is not full goes when nobody has asked for this long."""

TEMPERATURE = 0.8
"""How later answers are drawn."""


class WholeWriter:
    """Hands out the parts of one answer: all of an explanation is written at once."""

    language = ENGLISH
    revises = False
    is_whole = True
    hears: Collection[str] = ("text",)

    def __init__(
        self,
        ask: Ask,
        image: Image | None,
        sight: Sight,
        label_set: str,
        *,
        seed: int = 0,
        style: str = "sections",
        max_tokens: int = 700,
    ) -> None:
        self._ask = ask
        self._image = image
        self._label_set = label_set
        self._seed = seed
        self._max_tokens = max_tokens
        self._question = question_about(style, label_set, text=sight.text)
        self._answers: dict[str, tuple[tuple[str, ...], Reasoning]] = {}
        self._asked = 0
        self._model = ""

    async def describe(self, _log: Sequence[Attempt], _index: int) -> Said:
        """Ask for a whole explanation, and return its observations."""
        self._asked += 1
        request = Request(
            turns=(Turn("user", self._question, (self._image,) if self._image else ()),),
            max_tokens=self._max_tokens,
            temperature=0.0 if self._asked == 1 else TEMPERATURE,
            seed=self._seed,
            index=self._asked - 1,
            stage="write",
        )
        reply = await self._ask(request)
        self._model = reply.model
        if reply.finish == "length":
            raise AnswerError("length: the answer was cut off", reply.text)
        try:
            answer, (observations, interpretation, conclusion) = read_whole(reply.text)
            labels = read_labels(answer.answer or conclusion, self._label_set)
        except AnswerError as error:
            raise AnswerError(error.problem, reply.text) from None
        whole = Reasoning(observations=observations, interpretation=interpretation, conclusion=conclusion)
        self._answers[reply.text] = labels, whole
        return Said(observations, text=reply.text)

    async def infer(self, said: Said, _without: Sequence[str], _log: Sequence[Attempt]) -> tuple[str, ...]:
        """Return the labels that the answer ends with."""
        return self._answers[said.text][0]

    async def refine(self, said: Said, _labels: tuple[str, ...], _log: Sequence[Attempt], _is_told: bool) -> Reasoning:
        """Return the rest of the answer."""
        return self._answers[said.text][1]

    def provenance(self) -> dict[str, Any]:
        """Return which model wrote."""
        return {"teacher": "own", "model": self._model or None, "language": "en"}


class LocalModel:
    """A model of this machine as an `Ask`: requests that wait at the same time are answered in one batch."""

    def __init__(self, model: Any, processor: Any, name: str, batch_size: int = 16) -> None:
        self._model = model
        self._processor = processor
        self._name = name
        self._batch_size = batch_size
        self._waiting: list[_Waiting] = []

    async def __call__(self, request: Request) -> Reply:
        """Answer one request, together with others: whoever comes first waits a moment for more, and asks for all."""
        one = _Waiting(request, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if len(self._waiting) == 1:
            await self._wait_for_more()
            waiting, self._waiting = self._waiting, []
            self._answer(waiting)
        return await one.reply

    async def _wait_for_more(self) -> None:
        """Return when the batch is full, or nobody has come for QUIET_S."""
        num_seen = 0
        while num_seen < len(self._waiting) < self._batch_size:
            num_seen = len(self._waiting)
            await asyncio.sleep(QUIET_S)

    def _answer(self, waiting: Sequence[_Waiting]) -> None:
        """Answer all, those that are drawn alike in one batch."""
        groups: dict[tuple[object, ...], list[_Waiting]] = {}
        for one in waiting:
            request = one.request
            drawn = (request.seed, request.index) if request.temperature else ()
            key = (request.max_tokens, request.temperature, request.top_p, drawn)
            groups.setdefault(key, []).append(one)
        try:
            for group in groups.values():
                for start in range(0, len(group), self._batch_size):
                    self._answer_batch(group[start : start + self._batch_size])
        except BaseException as error:
            for one in waiting[1:]:  # the first is the one that raises it
                if not one.reply.done():
                    one.reply.set_exception(error)
            raise

    def _answer_batch(self, batch: Sequence[_Waiting]) -> None:
        from emollm.vlm.generate import Sampling, generate

        ready = []
        for one in batch:
            try:
                ready.append((_turn(one.request), one.reply))
            except SourceError as error:
                one.reply.set_exception(Failure("refused_request", str(error)))
        if not ready:
            return
        first = batch[0].request
        sampling = Sampling(first.max_tokens, first.temperature, first.top_p or 1.0, (first.seed or 0) + first.index)
        completions = generate(self._model, self._processor, [turn for turn, _ in ready], sampling)
        for (_, reply), completion in zip(ready, completions, strict=True):
            finish = "stop" if completion.finished else "length"
            num_tokens = completion.num_tokens
            reply.set_result(Reply(text=completion.text, model=self._name, finish=finish, completion_tokens=num_tokens))


class _Waiting(NamedTuple):
    """A request and the reply it waits for."""

    request: Request
    reply: asyncio.Future[Reply]


def _turn(request: Request) -> Any:
    """Return a request as the model takes it. Raises SourceError for a picture that cannot be used."""
    from emollm.pictures import open_picture
    from emollm.vlm.turns import Turn as ModelTurn

    messages, pictures = [], []
    for turn in request.turns:
        content: list[dict[str, str]] = [{"type": "image"} for _ in turn.images]
        pictures += [open_picture(image.path) for image in turn.images]
        messages.append({"role": turn.role, "content": [*content, {"type": "text", "text": turn.text}]})
    return ModelTurn(messages, tuple(pictures))
