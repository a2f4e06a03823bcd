"""The mode `legacy`: Clue Overlap and Label Overlap of EMER (Lian et al. 2023, arXiv:2306.15401).

One call compares the two descriptions. For the labels, each side is summed up in words, and one more call compares
these. The steps, the range (1 to 10) and the means are the published ones; the wording is ours. What was published sums
up the gold side anew for every model; here it is the same for all.
"""

from __future__ import annotations

import asyncio
import json

from eval.judge.asking import Judge, Judged, Subject
from eval.judge.mode import SENTENCE, Mode, Number, silent
from eval.judge.reading import read_score, read_words
from eval.judge.wording import as_data

SOURCE = "Lian et al. 2023, EMER (arXiv:2306.15401)"


async def judge_legacy(judge: Judge, subject: Subject) -> Judged:
    """Score the overlap of the clues in one call, that of the labels in three, and the gold side's is shared."""
    gold_words = await _sum_up(judge, subject.gold)
    if subject.is_silent:
        return silent(LEGACY, judge.settings.samples)._replace(gold=[gold_words or ""])
    said, each = subject.said or "", range(judge.settings.samples)
    words = await _sum_up(judge, said)
    clue = await asyncio.gather(*(_score(judge, "clue", subject.gold, said, index) for index in each))
    label: list[float | None] = [None for _ in each]
    if gold_words is not None and words is not None:
        label = await asyncio.gather(*(_score(judge, "labels", gold_words, words, index) for index in each))
    votes = {"judge_clue_overlap": clue, "judge_label_overlap": label}
    read = sum(vote is not None for vote in [*clue, *label])
    detail = {"gold_words": gold_words, "words": words, "clue_scores": clue, "label_scores": label}
    return Judged(votes, 2 * len(each), read, [gold_words or ""], detail)


async def _sum_up(judge: Judge, text: str) -> str | None:
    """Ask for the emotion words of a description."""
    return await judge.ask("words", read_words, description=as_data(text))


async def _score(judge: Judge, prompt: str, gold: str, prediction: str, index: int) -> float | None:
    """Ask how far two texts overlap, 1 to 10."""
    return await judge.ask(prompt, read_score, index=index, gold=as_data(gold), prediction=as_data(prediction))


_SCORE = json.dumps({"score": 7, "reason": SENTENCE})

LEGACY = Mode(
    numbers={
        "judge_clue_overlap": Number(
            "Clue overlap", "How far the clues of prediction and gold overlap, 1 to 10; mean over samples.",
            1, 10, step=1, silent=1, source=SOURCE, is_headline=True,
        ),
        "judge_label_overlap": Number(
            "Label overlap", "How far the emotion words that sum up prediction and gold overlap, 1 to 10; mean over "
            "samples.", 1, 10, step=1, silent=1, source=SOURCE, is_headline=True,
        ),
    },
    judge=judge_legacy,
    prompts=("rule", "again", "clue", "words", "labels"),
    language="zh",
    typical={"clue": _SCORE, "words": "anxious, worried", "labels": _SCORE},
)  # fmt: skip
