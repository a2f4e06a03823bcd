"""A teacher that lies at a known rate: what the checks catch. `benchmarks/exp_cot.py` does the same on 1,000 faces."""

import asyncio

from lying_teacher import LIES, LyingTeacher
from made_clips import made_clip

from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.language_model import ModelWriter, Settings
from data_engine.exp_cot.loop import Effort, explain
from data_engine.exp_cot.task import Task, admit
from data_engine.exp_cot.wording import load_prompts
from emollm.claims import check
from emollm.labels import find_labels
from emollm.records import Sample


def explained(samples: list[Sample], teacher: LyingTeacher, effort: Effort) -> list[tuple[Task, Draft]]:
    async def run() -> list[tuple[Task, Draft]]:
        prompts = load_prompts("en")
        tasks = [task for sample in samples if isinstance(task := admit(sample, Options()), Task)]
        writers = [ModelWriter(teacher, prompts, Settings(), task.sight, task.label_set) for task in tasks]
        drafts = await asyncio.gather(*(explain(*pair, effort) for pair in zip(tasks, writers, strict=True)))
        return list(zip(tasks, drafts, strict=True))

    return asyncio.run(run())


def test_lies_are_caught_and_sound_texts_are_not_refused() -> None:
    teacher = LyingTeacher(lie=0.5)
    samples = [made_clip(number, label=None) for number in range(150)]
    for sample in samples[::2]:
        sample.events = None
    results = explained(samples, teacher, Effort(rounds=3))
    refused = {
        attempt["text"]
        for _, draft in results
        for attempt in draft.provenance.get("attempts", ())
        if attempt["stage"] == "describe"
    }
    lies = [text for text, lie in teacher.planted.items() if lie]
    sound = [text for text, lie in teacher.planted.items() if not lie]
    assert len(lies) > 100
    assert {str(lie) for lie in teacher.planted.values() if lie} == set(LIES)
    assert sum(text in refused for text in lies) >= 0.99 * len(lies)
    assert sum(text in refused for text in sound) <= 0.01 * len(sound)
    kept = [(task, draft) for task, draft in results if draft.reasoning]
    assert len(kept) > 75
    for task, draft in kept:
        text = " ".join((draft.reasoning.observations, draft.reasoning.interpretation, draft.reasoning.conclusion))
        events = [course.event for course in task.sight.view.courses]
        assert {one.verdict for one in check(text, task.sight.view.face, events=events).checked} <= {"supported"}
        assert find_labels(draft.reasoning.observations, "basic8") == []


def test_labels_decide_only_where_texts_end() -> None:
    texts = []
    for label in ("happiness", "anger", None):
        teacher = LyingTeacher(lie=0.0, misread=0.0)
        samples = [made_clip(number, label=label) for number in range(12)]
        explained(samples, teacher, Effort(rounds=1))
        texts.append(sorted(teacher.planted))
    assert texts[0] == texts[1] == texts[2]
