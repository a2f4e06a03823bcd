"""The mode `pairwise`: which of two models agrees better with gold, asked in both orders."""

from __future__ import annotations

import asyncio
import json
from typing import get_args

from eval.judge.asking import Judge, Judged, Subject
from eval.judge.mode import SENTENCE, TEXT, Mode, Number, one_of, schema, tell_transcript
from eval.judge.reading import Preference, read_preference
from eval.judge.wording import as_data


async def judge_pair(judge: Judge, subject: Subject) -> Judged:
    """Ask which of two explanations agrees better with gold, in both orders."""
    mine, other = subject.said or "", subject.other or ""
    if not mine.strip() or not other.strip():
        wins = 0.5 * (1 + bool(mine.strip()) - bool(other.strip()))
        return Judged({"judge_win_rate": [wins] * judge.settings.samples})
    each = range(judge.settings.samples)
    pairs = await asyncio.gather(
        *(_prefer(judge, subject, *order, index) for index in each for order in ((mine, other), (other, mine)))
    )
    rounds = list(zip(pairs[::2], pairs[1::2], strict=True))
    votes = {
        "judge_win_rate": [_wins(*one) for one in rounds],
        "judge_swap_consistency": [_is_consistent(*one) for one in rounds],
        "judge_first_rate": [_first(*one) for one in rounds],
    }
    read = sum(one is not None for one in pairs)
    return Judged(votes, len(pairs), read, detail={"as_first": pairs[::2], "as_second": pairs[1::2]})


async def _prefer(judge: Judge, subject: Subject, first: str, second: str, index: int) -> Preference | None:
    """Ask which of two explanations agrees better with gold."""
    return await judge.ask(
        "pair",
        read_preference,
        index=index,
        schema=schema(because=TEXT, better=one_of(get_args(Preference))),
        gold=as_data(subject.gold),
        transcript=tell_transcript(judge, subject),
        first=as_data(first),
        second=as_data(second),
    )


_WON = {"first": 1.0, "tie": 0.5, "second": 0.0}


def _wins(as_first: Preference | None, as_second: Preference | None) -> float | None:
    """Return the share of the two orders that ours wins, half of one for a tie."""
    if as_first is None or as_second is None:
        return None
    return (_WON[as_first] + 1.0 - _WON[as_second]) / 2


def _is_consistent(as_first: Preference | None, as_second: Preference | None) -> float | None:
    """Return whether the same explanation is preferred in both orders."""
    if as_first is None or as_second is None:
        return None
    return float(_WON[as_first] == 1.0 - _WON[as_second])


def _first(*pair: Preference | None) -> float | None:
    """Return how often the first one was preferred where either was."""
    decided = [one for one in pair if one in ("first", "second")]
    return sum(one == "first" for one in decided) / len(decided) if decided and None not in pair else None


PAIRWISE = Mode(
    numbers={
        "judge_win_rate": Number(
            "Wins", "Share of verdicts that prefer this model to the other, both orders, a tie being half; 0.5: equal.",
            0, 1, step=0.25, is_headline=True,
        ),
        "judge_swap_consistency": Number(
            "Swap consistency", "Pairs on which the judge prefers the same explanation after the two are swapped / "
            "pairs.", 0, 1, step=1, silent=None, source="EmoPrefer, MER2026",
        ),
        "judge_first_rate": Number(
            "First preferred", "Verdicts that prefer the text shown first / verdicts that prefer one; 0.5: no bias of "
            "position.", 0, 1, silent=None, better="",
        ),
    },
    judge=judge_pair,
    prompts=("rule", "again", "pair", "transcript"),
    language="en",
    typical={"pair": json.dumps({"because": SENTENCE, "better": "first"})},
)  # fmt: skip
