"""What the checks of the Exp-CoT loop catch when a teacher lies at a known rate, and what they refuse in vain.

Example:

    python benchmarks/exp_cot.py [N]           N made-up faces with noisy action units, default 1,000

The teacher is a stand-in that reads the prompts and plants faults: an action unit that is not there, one left out, a
side or a strength that is wrong, an emotion named in the observations, an unsupported claim in the interpretation. No
network is used. The last columns say what the checks cost: samples a CPU second, with all that the stand-in does.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests")]

from generate import made_up  # noqa: E402 - lies beside this file
from lying_teacher import LyingTeacher  # noqa: E402 - lies among the tests, which use it too

from data_engine.detectors.oracle import Noise, disturb  # noqa: E402
from data_engine.exp_cot.draft import Draft, Options  # noqa: E402
from data_engine.exp_cot.language_model import ModelWriter, Settings  # noqa: E402
from data_engine.exp_cot.loop import Effort, explain  # noqa: E402
from data_engine.exp_cot.task import Task, admit  # noqa: E402
from data_engine.exp_cot.wording import load_prompts  # noqa: E402
from emollm.claims import check  # noqa: E402
from emollm.labels import find_labels  # noqa: E402
from emollm.records import AU, Sample  # noqa: E402

NOISE = Noise(drop=0.1, spurious=0.03, jitter=0.4, confuse=0.05)


def noisy_face(number: int) -> Sample:
    """Return a made-up face as an imperfect detector sees it; some actions are on one side, some samples unlabelled."""
    sample = made_up(number)
    rng = random.Random(f"side{number}")
    aus = (sample.faces or [])[0].aus or {}
    for code, au in aus.items():
        if au.value >= 1.0 and code not in ("AU25", "AU26") and rng.random() < 0.25:
            weak = round(rng.choice((0.0, au.value / 2)), 2)
            left, right = rng.choice(((au.value, weak), (weak, au.value)))
            aus[code] = AU(value=au.value, kind=au.kind, left=left, right=right)
    if number % 4 == 0:
        sample.label = None
    return disturb(sample, NOISE, seed=1)


async def run(count: int, teacher: LyingTeacher, effort: Effort) -> list[tuple[Task, Draft]]:
    """Explain the faces, some dozens at a time."""
    prompts = load_prompts("en")
    tasks = [task for number in range(count) if isinstance(task := admit(noisy_face(number), Options()), Task)]
    drafts = []
    for start in range(0, len(tasks), 50):
        writers = [
            (task, ModelWriter(teacher, prompts, Settings(), task.sight, task.label_set))
            for task in tasks[start : start + 50]
        ]
        drafts += await asyncio.gather(*(explain(task, writer, effort) for task, writer in writers))
    return list(zip(tasks, drafts, strict=True))


def judge(explained: list[tuple[Task, Draft]], teacher: LyingTeacher) -> dict[str, tuple[int, int]]:
    """Return (hits, of how many) for everything that has a bar, and for each kind of fault."""
    refused = Counter[str]()
    for _, draft in explained:
        refused.update(one["text"] for one in draft.provenance.get("attempts", ()) if one["stage"] == "describe")
    kept = [(task, draft) for task, draft in explained if draft.reasoning]
    told: dict[str, tuple[int, int]] = {}
    faults = [text for text, fault in teacher.planted.items() if fault]
    sound = [text for text, fault in teacher.planted.items() if not fault]
    told["faults caught"] = sum(text in refused for text in faults), len(faults)
    for kind in sorted({str(fault) for fault in teacher.planted.values() if fault}):
        of_kind = [text for text in faults if teacher.planted[text] == kind]
        told[f"  {kind}"] = sum(text in refused for text in of_kind), len(of_kind)
    told["sound texts refused"] = sum(text in refused for text in sound), len(sound)
    texts = [draft.reasoning for _, draft in kept if draft.reasoning]
    told["label named in kept observations"] = (
        sum(bool(find_labels(text.observations, "basic8")) for text in texts),
        len(texts),
    )
    told["kept texts with an unsupported claim"] = (
        sum(has_unsupported(task, draft) for task, draft in kept),
        len(kept),
    )
    told["kept"] = len(kept), len(explained)
    told["kept, label told"] = sum(bool(draft.provenance["label_seen"]) for _, draft in kept), len(kept)
    return told


def has_unsupported(task: Task, draft: Draft) -> bool:
    """Tell whether any claim of a kept text is not borne out by the face.

    As in `verify`, a region may be said to be at rest in which something lies just below the threshold.
    """
    assert draft.reasoning is not None
    whole = " ".join((draft.reasoning.observations, draft.reasoning.interpretation, draft.reasoning.conclusion))
    checked = check(whole, task.sight.view.face).checked
    return any(one.verdict != "supported" and not (one.reason == "borderline" and one.claim.region) for one in checked)


def main() -> None:
    """Print a table for a teacher that lies in a third of its texts, with and without the options of the loop."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for name, effort in {
        "--rounds 3": Effort(rounds=3),
        "--rounds 3 --votes 3 --eliminate --repair": Effort(rounds=3, votes=3, eliminate=True, repair=True),
    }.items():
        teacher = LyingTeacher(lie=0.35)
        started = time.process_time()
        explained = asyncio.run(run(count, teacher, effort))
        seconds = time.process_time() - started
        print(f"\n{name}: {len(explained):,} faces, {sum(teacher.calls.values()):,} calls ({dict(teacher.calls)})")
        for what, (hits, total) in judge(explained, teacher).items():
            print(f"  {what:<40}{hits:>6,} of {total:>6,}  {100 * hits / max(1, total):>6.2f} %")
        num_calls = sum(teacher.calls.values())
        print(f"  {len(explained) / seconds:,.0f} faces and {num_calls / seconds:,.0f} calls a CPU second")


if __name__ == "__main__":
    main()
