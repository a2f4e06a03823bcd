"""Chat: one answer, a conversation, and claims that are coloured where the AUs are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from emollm.chat import Chat, build_parser, converse, find_face, main, print_checked
from emollm.errors import EmoLLMError, SourceError
from emollm.prompts import ask
from emollm.records import AU, Face


@pytest.fixture(scope="module")
def chat(tiny_dir: Path) -> Chat:
    return Chat(build_parser().parse_args(["--model", str(tiny_dir), "--max-new-tokens", "4"]))


def lines(*said: str) -> Iterator[str]:
    yield from said
    raise EOFError


def test_one_picture_gets_one_answer_and_its_label(
    tiny_dir: Path, toy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = toy_file.parent / "0.png"
    assert main(["--model", str(tiny_dir), "--image", str(picture), "--max-new-tokens", "4"]) == 0
    shown = capsys.readouterr()
    assert "label: " in shown.out
    assert "expression consistent with" in shown.err


def test_a_conversation_survives_mistakes_and_ends_with_the_input(
    chat: Chat, toy_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = toy_file.parent / "1.png"
    said = lines("/image nowhere.png", "/stile think", f"/image {picture}", "/style think", "", "Why?")
    assert converse(chat, lambda _prompt: next(said)) == 0
    shown = capsys.readouterr()
    assert "no such file" in shown.err
    assert "did you mean '/style'" in shown.err
    assert shown.out.count("label: ") == 2
    assert [message["role"] for message in chat.messages] == ["user", "assistant", "user", "assistant"]
    assert chat.style == "think"


def test_a_new_picture_and_a_reset_forget_the_conversation(chat: Chat, toy_file: Path) -> None:
    chat.look_at(toy_file.parent / "0.png")
    chat.answer("What is it?")
    chat.reset()
    assert chat.messages == []
    assert chat.picture is not None
    chat.answer("And now?")
    chat.look_at(toy_file.parent / "1.png")
    assert chat.messages == []


def test_a_question_can_be_asked_in_chinese(tiny_dir: Path) -> None:
    chat = Chat(build_parser().parse_args(["--model", str(tiny_dir), "--max-new-tokens", "4", "--language", "zh"]))
    chat.answer(None)
    assert chat.messages[0]["content"][-1]["text"] == ask("sections", "basic7", language="zh")


def test_quit_leaves(chat: Chat) -> None:
    said = lines("/help", "/quit", "never read")
    assert converse(chat, lambda _prompt: next(said)) == 0
    assert next(said) == "never read"


def test_an_unknown_style_is_refused_with_a_hint(chat: Chat) -> None:
    with pytest.raises(EmoLLMError, match="did you mean 'sections'"):
        chat.use_style("section")


def test_the_aus_of_a_picture_are_found_in_the_samples(toy_file: Path) -> None:
    face = find_face(toy_file, toy_file.parent / "0.png")
    assert face is not None
    assert face.aus is not None
    assert face.aus["AU12"].value == 3.0


@pytest.mark.parametrize("wrong", [["--temperature", "-1"], ["--max-new-tokens", "0"]], ids=" ".join)
def test_a_number_out_of_its_range_is_a_usage_error(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--model", "any", *wrong])
    assert caught.value.code == 2
    assert f"argument {wrong[0]}: '{wrong[1]}'" in capsys.readouterr().err


def test_a_picture_that_no_sample_has_is_refused(toy_file: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no sample has the picture"):
        find_face(toy_file, tmp_path / "0.png")


def test_claims_are_counted_by_what_the_aus_say(capsys: pytest.CaptureFixture[str]) -> None:
    aus = {"AU04": AU(value=3, kind="intensity"), "AU12": AU(value=0, kind="intensity")}
    print_checked("The brows are lowered (AU4). The lip corners are pulled up (AU12).", Face(aus=aus))
    shown = capsys.readouterr().out
    assert "AU12" in shown
    assert "contradicted" in shown
    assert "0 supported" not in shown
