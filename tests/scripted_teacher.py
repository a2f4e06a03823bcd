"""What the tests of teachers share: an `Ask` that answers by a script, and faces to ask about."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.language_model import ModelWriter, Settings
from data_engine.exp_cot.loop import Effort, explain
from data_engine.exp_cot.task import Task, admit
from data_engine.exp_cot.wording import load_prompts
from emollm.llm.wire import Failure, Image, Reply, Request
from emollm.records import AU, Face, Sample

MEASURED = ("AU01", "AU02", "AU04", "AU06", "AU09", "AU12", "AU15", "AU25", "AU26")
HAPPY = {"AU06": 1.8, "AU12": 3.2}
OBSERVED = (
    "The lip corners are markedly pulled up (AU12C) and the cheeks are slightly raised (AU6B). There is no brow "
    "lowering and no jaw dropping. Nothing else stands out in this view of the face, which is seen from the front."
)
READ = {
    "interpretation": "Lip corner pulling and cheek raising form the pattern described for happiness. This reading "
    "concerns the visible expression and not an inner state.",
    "conclusion": "Overall, the expression is consistent with happiness.",
}
Answer = str | Mapping[str, object] | Failure


class Scripted:
    """Answers each stage by its script, one after the other; the last answer of a stage is given again and again."""

    def __init__(self, **scripts: Answer | list[Answer]) -> None:
        standard = {"describe": {"observations": OBSERVED}, "infer": {"label": "happiness"}, "refine": READ}
        scripts = {**standard, "repair": READ, **scripts}
        self.scripts = {stage: list(told) if isinstance(told, list) else [told] for stage, told in scripts.items()}
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        script = self.scripts[request.stage]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Failure):
            raise answer
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        return Reply(text=text, model="scripted", prompt_tokens=10, completion_tokens=5)

    @property
    def calls(self) -> Counter[str]:
        return Counter(request.stage for request in self.requests)

    def prompts(self, *stages: str) -> list[str]:
        """All that was said in the requests of these stages."""
        return ["\n".join(turn.text for turn in one.turns) for one in self.requests if one.stage in stages]


def face(present: Mapping[str, float] = HAPPY) -> Face:
    return Face(aus={code: AU(value=present.get(code, 0.0), kind="intensity") for code in MEASURED})


def happy(**fields: object) -> Sample:
    return Sample(**{"id": "s", "label": "happiness", "label_set": "basic7", "faces": [face()], **fields})


def teach(
    ask: Callable[[Request], object],
    sample: Sample | None = None,
    effort: Effort = Effort(),  # noqa: B008 - it is frozen
    language: str = "en",
    image: Image | None = None,
    options: Options = Options(),  # noqa: B008
) -> Draft:
    task = admit(sample or happy(), options)
    assert isinstance(task, Task), task
    writer = ModelWriter(ask, load_prompts(language), Settings(), task.sight, task.label_set, image)
    return asyncio.run(explain(task, writer, effort))


def attempts(draft: Draft) -> list[tuple[str, list[str]]]:
    """Stage and checks of every refused text."""
    told: Sequence[Mapping[str, list[str]]] = draft.provenance.get("attempts", ())
    return [(str(one["stage"]), [problem.partition(":")[0] for problem in one["problems"]]) for one in told]
