"""The mode `v2`: typed verdicts on the clues and the labels of the gold description.

The gold side is summarised once, as clues and labels, and the ledger gives the same summary to every run. A verdict
says of each clue whether the explanation matches it, contradicts it or misses it, and how the labels relate.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import get_args

from eval.judge.asking import Judge, Judged, Subject
from eval.judge.mode import SENTENCE, TEXT, Mode, Number, one_of, schema, tell_transcript
from eval.judge.reading import ClueVerdict, Gold, Relation, Verdict, read_gold, read_verdict
from eval.judge.wording import as_data


async def judge_v2(judge: Judge, subject: Subject) -> Judged:
    """Get typed verdicts on every clue of gold and on the labels."""
    gold = await _gold(judge, subject.gold)
    if gold is None:
        asked = 0 if subject.is_silent else judge.settings.samples
        return Judged({name: [None] for name in V2.numbers}, asked)
    told = [*gold.clues, *gold.labels]
    if subject.is_silent:
        missing: ClueVerdict = "missing"
        nothing = Verdict((missing,) * len(gold.clues), "none" if gold.labels else None, "")
        return Judged(_votes([nothing] * judge.settings.samples, gold), gold=told)
    each = range(judge.settings.samples)
    verdicts = await asyncio.gather(*(_verdict(judge, subject, gold, index) for index in each))
    detail = {
        "clues": list(gold.clues),
        "labels": list(gold.labels),
        "verdicts": [None if one is None else one._asdict() for one in verdicts],
    }
    return Judged(_votes(verdicts, gold), len(verdicts), sum(one is not None for one in verdicts), told, detail)


def _votes(verdicts: Sequence[Verdict | None], gold: Gold) -> dict[str, list[float | None]]:
    """Return verdicts as shares of the clues, and as 0 or 1 for the labels."""

    def share(verdict: Verdict | None, word: ClueVerdict) -> float | None:
        return None if verdict is None else verdict.clues.count(word) / len(gold.clues)

    def is_one(verdict: Verdict | None, *relations: Relation) -> float | None:
        return None if verdict is None or verdict.relation is None else float(verdict.relation in relations)

    return {
        "judge_clue_recall": [share(one, "matched") for one in verdicts],
        "judge_clue_contradiction": [share(one, "contradicted") for one in verdicts],
        "judge_label_same": [is_one(one, "same") for one in verdicts],
        "judge_label_related": [is_one(one, "same", "partly") for one in verdicts],
    }


async def _gold(judge: Judge, text: str) -> Gold | None:
    """Ask for the clues and the labels of the gold description; the ledger gives the same ones to every run."""
    listed = {"type": "array", "items": TEXT}
    return await judge.ask("gold", read_gold, schema=schema(clues=listed, labels=listed), gold=as_data(text))


async def _verdict(judge: Judge, subject: Subject, gold: Gold, index: int) -> Verdict | None:
    """Ask for one verdict. The data come before the task, and each clue has a line and a key."""
    keys = [f"clue_{number}" for number in range(1, len(gold.clues) + 1)]
    clues = "\n".join(f"{key}: {as_data(clue)}" for key, clue in zip(keys, gold.clues, strict=True))
    prompts, has_label = judge.prompts, bool(gold.labels)
    known = prompts.fill("known", labels=as_data(", ".join(gold.labels))) + "\n" if has_label else ""
    choices = dict.fromkeys(keys, get_args(ClueVerdict)) | ({"label": get_args(Relation)} if has_label else {})
    form = {"because": "…", **{key: "|".join(words) for key, words in choices.items()}}
    return await judge.ask(
        "verdict",
        lambda text: read_verdict(text, len(keys), has_label),
        index=index,
        schema=schema(because=TEXT, **{key: one_of(words) for key, words in choices.items()}),
        clues=clues,
        labels=known,
        transcript=tell_transcript(judge, subject),
        prediction=as_data(subject.said or ""),
        relation=prompts.fill("relation") if has_label else "",
        form=json.dumps(form, ensure_ascii=False),
    )


V2 = Mode(
    numbers={
        "judge_clue_recall": Number(
            "Clue recall", "Clues of the gold description that the explanation holds / clues; mean over samples.",
            0, 1, is_headline=True,
        ),
        "judge_clue_contradiction": Number(
            "Clues contradicted", "Clues of the gold description that the explanation contradicts / clues; mean over "
            "samples.", 0, 1, better="lower",
        ),
        "judge_label_same": Number(
            "Labels same", "Explanations whose emotions are the gold ones or synonyms / samples whose gold "
            "description names an emotion.", 0, 1, step=1, is_headline=True,
        ),
        "judge_label_related": Number(
            "Labels same or partly", "Explanations that share at least one emotion with gold / the same samples.",
            0, 1, step=1,
        ),
    },
    judge=judge_v2,
    prompts=("rule", "again", "gold", "verdict", "relation", "known", "transcript"),
    language="en",
    typical={
        "gold": json.dumps({"clues": [f"a clue of the usual length, {n}" for n in range(6)], "labels": ["anxious"]}),
        "verdict": json.dumps({"because": SENTENCE, **{f"clue_{n}": "matched" for n in range(1, 7)}, "label": "same"}),
    },
)  # fmt: skip
