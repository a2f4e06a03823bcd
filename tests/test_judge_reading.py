"""What a judge answers, read: ten is ten, a range is no score, and what cannot be told is not known."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.judge.reading import Gold, Verdict, read_gold, read_preference, read_score, read_verdict, read_words

SCORES = {
    "10": 10,
    "7": 7,
    "7.5": 7.5,
    "7.": 7,
    "**8**": 8,
    "7\nThe clues agree.": 7,
    "7，因为线索一致。": 7,
    "分数：7": 7,
    "分数: 10": 10,
    "分数是 6。": 6,
    "得分：八": 8,
    "评分：十": 10,
    "我给7分。": 7,
    "７分": 7,
    "分数：１０": 10,
    "重合度：6": 6,
    "score 1-10: 8": 8,
    "Score (1-10): 8": 8,
    "Score: 8 (on a scale of 1 to 10)": 8,
    "8/10": 8,
    "10/10": 10,
    "I would say 9 out of 10.": 9,
    "８／１０": 8,
    "在1到10分的范围内，分数：7": 7,
    "The overlap score is 6, for 2 of 3 clues agree.": 6,
    "Score: 7. Reason: 3 clues of 4. Final score: 7": 7,
    '{"score": 10, "reason": "all"}': 10,
    '```json\n{"score": 7, "reason": "2 of 3"}\n```': 7,
    '{"score": "8/10", "reason": "…"}': 8,
    '{"score": "7", "reason": "…"}': 7,
    '{"分数": 7, "理由": "…"}': 7,
    '{"score": 4, "reason": "the text says \\"score: 10\\""}': 4,
    '<think>Perhaps score: 3.</think>{"score": 6}': 6,
    "": None,
    "no idea": None,
    "score 1-10": None,
    "分数范围1-10分": None,
    "There are 2 shared clues.": None,
    "0": None,
    "11": None,
    "-7": None,
    "分数：0": None,
    "分数：100": None,
    "Score: 3 or score: 9": None,
    '{"score": 3} {"score": 9}': None,
    '{"score": true}': None,
    '{"score": null}': None,
    "讨论了7分钟": None,
    "I cannot judge this.": None,
}


@pytest.mark.parametrize(("text", "score"), SCORES.items(), ids=range(len(SCORES)))
def test_scores(text: str, score: float | None) -> None:
    assert read_score(text) == score


@pytest.mark.parametrize("text", ["score 1-10: 8", "Score (1-10): 8", "在1到10分的范围内，分数：7"])
def test_the_published_rule_takes_the_range_for_the_score(text: str) -> None:
    """The published scorer takes the first digits that it finds."""
    published = re.search(r"\d+\.?\d*", text)
    assert published is not None
    assert float(published[0]) == 1.0 != read_score(text)


VERDICT = {"because": "…", "clue_1": "matched", "clue_2": "missing", "label": "same"}


def test_a_typed_verdict() -> None:
    expected = Verdict(("matched", "missing"), "same", "…")
    assert read_verdict(json.dumps(VERDICT), 2, has_label=True) == expected
    assert read_verdict(f"Here it is:\n```json\n{json.dumps(VERDICT)}\n```", 2, has_label=True) == expected
    assert read_verdict(f"<think>{{…</think>{json.dumps(VERDICT)}", 2, has_label=True) == expected
    assert read_verdict(json.dumps(VERDICT), 2, has_label=False) == expected._replace(relation=None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "all matched",
        "[]",
        json.dumps({**VERDICT, "clue_2": "Matched!"}),
        json.dumps({**VERDICT, "clue_2": None}),
        json.dumps({**VERDICT, "label": "10"}),
        json.dumps({name: value for name, value in VERDICT.items() if name != "clue_2"}),
        json.dumps({name: value for name, value in VERDICT.items() if name != "label"}),
        json.dumps(VERDICT) + json.dumps(VERDICT),
        json.dumps(VERDICT)[:-4],
        '{"quoted": ' + json.dumps(VERDICT),
        json.dumps([VERDICT])[:-1] + "{",
    ],
)
def test_what_is_no_typed_verdict_is_not_known(text: str) -> None:
    assert read_verdict(text, 2, has_label=True) is None


def test_gold_side() -> None:
    assert read_gold('{"clues": ["smiles ", "smiles", "nods"], "labels": []}') == Gold(("smiles", "nods"), ())
    for text in ('{"clues": [], "labels": ["happy"]}', '{"clues": ["a"]}', '{"clues": "a", "labels": []}', "a, b"):
        assert read_gold(text) is None
    assert read_gold(json.dumps({"clues": ["x" * 999], "labels": []})) is None


def test_preference_and_words() -> None:
    assert read_preference('{"because": "", "better": "tie"}') == "tie"
    assert read_preference('{"better": "A"}') is None
    assert read_words(" 焦虑，担心。\n") == "焦虑，担心"
    assert read_words("<think>…</think>anxious") == "anxious"
    assert read_words("word " * 99) is None


@given(st.text(alphabet='0123456789{}[]":,.-/ \n分数score一十<think>１', max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    score = read_score(text)
    assert score is None or 1 <= score <= 10
    read_verdict(text, 1, has_label=True)
    read_gold(text)
    read_preference(text)
    read_words(text)
