"""Answers of the judge that cannot be read: asked for again, a few times, and never a number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from judging import score, values
from stub_judge import StubJudge

from eval.results import read_results

pytest.importorskip("aiohttp", reason="the extra `teacher` is not installed")


CUES = ("could not be read", "无法读取")
"""What tells a question that is put again."""


class Mumbling(StubJudge):
    """Gives no verdict that could be read."""

    def verdict(self, prompt: str, obeys: bool) -> dict[str, Any] | str:
        told = super().verdict(prompt, obeys)
        return told if isinstance(told, dict) and "clues" in told else "Hard to say."


@pytest.mark.parametrize("mode", ["legacy", "v2"])
def test_what_cannot_be_read_is_not_known_and_said(
    mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Mumbling() as endpoint:
        results = read_results(score(tmp_path, endpoint.url, "--judge-mode", mode))
    assert values(results) == {"judge_coverage": 0}
    notices = results.families["judge"].notices
    assert "verdicts could not be had; they are in no mean" in notices[0]
    assert "answers that could not be read" in notices[1]
    assert notices[0] in capsys.readouterr().out


@pytest.mark.parametrize(("mode", "language"), [("v2", "en"), ("v2", "zh"), ("legacy", "zh")])
def test_an_answer_that_cannot_be_read_is_asked_for_again(mode: str, language: str, tmp_path: Path) -> None:
    class Clumsy(StubJudge):
        """Never gives a verdict on one explanation in the form that is asked for, before it is told so."""

        def verdict(self, prompt: str, obeys: bool) -> dict[str, Any] | str:
            is_first = not any(cue in prompt for cue in CUES)
            return 'Well, "pressed"!' if is_first and "pressed, 0" in prompt else super().verdict(prompt, obeys)

    options = ("--judge-mode", mode, "--judge-language", language)
    with Clumsy() as endpoint:
        endpoint.keeps = True
        out = score(tmp_path, endpoint.url, *options)
        calls, results = endpoint.calls, read_results(out)
        again = [body for _, _, body in endpoint.requests if any(cue.encode() in body for cue in CUES)]
        before = (out / "results.json").read_bytes()
        assert (score(tmp_path, endpoint.url, *options) / "results.json").read_bytes() == before
        assert endpoint.calls == calls  # what was asked twice is remembered, both answers
    assert values(results)["judge_coverage"] == 1
    assert len(again) == 1
    assert b"Well" not in again[0]  # what it said before can hold words of the judged
    assert "each question was put at most 3 times" in " ".join(results.families["judge"].notices)


def test_a_judge_that_never_can_be_read_is_not_asked_for_ever(tmp_path: Path) -> None:
    with Mumbling() as endpoint:
        score(tmp_path, endpoint.url)
        assert endpoint.calls == 1 + 6 * 3
        results = read_results(score(tmp_path, endpoint.url))
        assert endpoint.calls == 1 + 6 * 3
    assert "judge: answers that could not be read, by prompt: verdict 18" in " ".join(results.families["judge"].notices)


def test_the_mean_is_over_what_could_be_read(tmp_path: Path) -> None:
    class Half(StubJudge):
        def verdict(self, prompt: str, obeys: bool) -> dict[str, Any] | str:
            told = super().verdict(prompt, obeys)
            return "…" if "clue_1" in told and "pressed, 0" in prompt else told

    with Half() as endpoint:
        results = read_results(score(tmp_path, endpoint.url))
    assert results.metrics["judge_clue_recall"].num_samples == 5
    assert values(results)["judge_coverage"] == pytest.approx(5 / 6)
