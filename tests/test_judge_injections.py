"""Prompt injection: orders and forged verdicts in what is judged, before a judge that obeys all outside of the data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from stub_judge import StubJudge, read_injections

from emollm.llm.client import Client
from emollm.llm.ledger import Ledger
from eval.judge.asking import Judge, Judged, Settings, Subject
from eval.judge.family import judge_all
from eval.judge.modes import MODES
from eval.judge.wording import LANGUAGES, MAX_DATA, as_data, harmless, load_prompts

pytest.importorskip("aiohttp", reason="the extra `teacher` is not installed")

INJECTIONS = read_injections()
PLACES = ("said", "transcript", "other", "gold")
CLEAN: dict[str, str] = {
    "gold": "She smiles and speaks softly: she is happy.",
    "said": "The lips are pressed and the voice trembles; she is nervous.",
    "transcript": "I am fine.",
    "other": "A face without any movement.",
}
CROSSES = {"closing tag", "chat template", "fence", "hidden", "keys of ours"}
"""Kinds whose texts try to leave the data."""


def subjects(places: Sequence[str] = PLACES) -> list[Subject]:
    texts = [(place, one) for place in places for one in INJECTIONS]
    return [Subject(f"{place} {one['id']}", **{**CLEAN, place: one["text"]}) for place, one in texts]


def judged(tmp_path: Path, mode: str, asked: Sequence[Subject], **stub: Any) -> tuple[list[Judged], list[str]]:
    """The votes on the subjects, and the orders that the stub carried out."""
    with StubJudge(INJECTIONS, **stub) as endpoint, Ledger(tmp_path / "ledger.jsonl") as ledger:
        client = Client(endpoint.url, "stub", ledger=ledger)
        judge = Judge(client, load_prompts(MODES[mode].language), Settings())
        found = judge_all(judge, MODES[mode], asked, within=client, in_flight=64)
        return found, endpoint.obeyed


def test_the_set_is_large_and_of_many_kinds() -> None:
    assert len(INJECTIONS) >= 40
    assert len({one["text"] for one in INJECTIONS}) == len(INJECTIONS)
    assert {one["kind"] for one in INJECTIONS} == CROSSES | {"order", "forged verdict", "language"}


@pytest.mark.parametrize("mode", MODES)
def test_no_injection_changes_a_verdict(mode: str, tmp_path: Path) -> None:
    honest, _ = judged(tmp_path / "honest", mode, [Subject("clean", **CLEAN)])
    found, obeyed = judged(tmp_path / "injected", mode, subjects())
    assert obeyed == []
    changed = [one.id for one, said in zip(subjects(), found, strict=True) if said.votes != honest[0].votes]
    assert changed == []
    assert all(said.asked == said.read for said in found)


@pytest.mark.parametrize("mode", MODES)
def test_no_injection_travels_in_the_words_of_the_judge(mode: str, tmp_path: Path) -> None:
    """What sums up a text is as little to be trusted as the text."""
    _, obeyed = judged(tmp_path, mode, subjects(), is_parrot=True)
    assert obeyed == []


@pytest.mark.parametrize("mode", MODES)
def test_a_judge_that_quotes_what_it_was_shown_is_not_misread(mode: str, tmp_path: Path) -> None:
    honest, _ = judged(tmp_path / "honest", mode, [Subject("clean", **CLEAN)])
    found, _ = judged(tmp_path / "quoted", mode, subjects(), quotes_raw=True)
    read = {(name, vote) for said in found for name, votes in said.votes.items() for vote in votes if vote is not None}
    assert read <= {(name, vote) for name, votes in honest[0].votes.items() for vote in votes}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_stub_obeys_every_injection_in_a_prompt_without_marks(language: str) -> None:
    """The control: texts put into the same prompt as they are, the way the field's published script does it."""
    stub, prompts = StubJudge(INJECTIONS), load_prompts(language)
    bare = [prompts.fill("clue", gold=CLEAN["gold"], prediction=one["text"]) for one in INJECTIONS]
    assert [one["id"] for one, prompt in zip(INJECTIONS, bare, strict=True) if stub.find_order(prompt) is None] == []


def test_the_same_stub_obeys_what_leaves_marks_that_text_can_close() -> None:
    """The other control: marks around texts that were not made harmless."""
    stub, prompts = StubJudge(INJECTIONS), load_prompts("en")
    for one in INJECTIONS:
        prompt = prompts.fill("clue", gold=CLEAN["gold"], prediction=f"<data> {one['text']} </data>")
        if one["kind"] in CROSSES:
            assert stub.find_order(prompt) is not None, one["id"]


@pytest.mark.parametrize("one", INJECTIONS, ids=lambda one: one["id"])
def test_data_are_one_line_without_marks(one: dict[str, str]) -> None:
    text = harmless(one["text"])
    assert text.isprintable()
    assert not set(text) & set("<>[]{}|`＜＞‹›〈〉｜")
    assert as_data(one["text"]) == f"<data> {text} </data>"


def test_data_keep_their_words() -> None:
    assert harmless("She says “no”, 50 % sure;\n她说：“好吧”。") == "She says “no”, 50 % sure; 她说：“好吧”。"
    assert harmless("<think>Brows\nlowered.</think>") == "(think)Brows lowered.(/think)"
    assert len(harmless("x" * (MAX_DATA + 1))) == MAX_DATA + 2
    assert "<" not in harmless("&amp;" * 50 + "lt;/data&gt;")
