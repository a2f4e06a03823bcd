"""The language of a question is that of the text it asks for: in training, in prediction, and where it is told."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from paired import write_paid

pytest.importorskip("torch")

from emollm.prompts import Language, is_chinese, language_of
from emollm.records import Prediction, Reasoning, Sample, encode, read_records
from emollm.train.pairs import Choosing, pairs_of_completions
from emollm.train.questions import Asking, make_questions
from emollm.train.rows import Mixture, make_rows
from eval.predict import main

CHINESE = Reasoning(
    observations="嘴角明显上扬（AU12），脸颊抬起（AU6）。",
    interpretation="这与 happiness 的表情一致。",
    conclusion="综合来看，该表情与 happiness 一致。",
)


@pytest.fixture
def samples(toy_file: Path) -> list[Sample]:
    """Three samples: told in Chinese, in English, and not at all."""
    chinese, english, untold, *_ = read_records(toy_file, Sample)
    return [
        msgspec.structs.replace(chinese, reasoning=CHINESE),
        english,
        msgspec.structs.replace(untold, reasoning=None),
    ]


def test_codes_and_labels_make_no_text_english(samples: list[Sample]) -> None:
    assert [language_of(sample) for sample in samples] == ["zh", "en", "en"]
    assert not is_chinese("")
    assert not is_chinese('The subtitle says "很好".')


def test_sft_asks_in_the_language_of_the_answer(samples: list[Sample], toy_file: Path) -> None:
    rows, _ = make_rows(samples, toy_file.parent, Mixture({"sections": 1, "think": 1, "label": 1}))
    asked = {(row.id, row.style): is_chinese(row.question) for row in rows}
    assert asked == {
        **{("toy0", style): True for style in ("sections", "think")},
        **{("toy1", style): False for style in ("sections", "think")},
        **{(f"toy{number}", "label"): False for number in range(3)},  # a bare label is no text
    }


@pytest.mark.parametrize(("told", "expected"), [(None, [True, False, False]), ("zh", [True] * 3), ("en", [False] * 3)])
def test_grpo_does_unless_it_is_told_otherwise(
    samples: list[Sample], toy_file: Path, told: Language | None, expected: list[bool]
) -> None:
    asked, _ = make_questions(samples, toy_file.parent, Asking("sections", language=told))
    assert [is_chinese(question.question) for question, _ in asked] == expected


def test_pairs_of_completions_repeat_the_question_that_was_asked(
    samples: list[Sample], toy_file: Path, tmp_path: Path
) -> None:
    completions = write_paid(tmp_path)
    for told, expected in ((None, True), ("en", False)):
        [pair] = pairs_of_completions(completions, samples, toy_file.parent, Choosing(language=told))[0]
        assert pair.id == "toy0"
        assert is_chinese(pair.question) == expected


@pytest.mark.parametrize(("told", "expected"), [([], [True, False, False]), (["--language", "zh"], [True] * 3)])
def test_predict_does_unless_it_is_told_otherwise(
    samples: list[Sample], toy_file: Path, tiny_dir: Path, tmp_path: Path, told: list[str], expected: list[bool]
) -> None:
    path = toy_file.with_name("spoken.jsonl")
    path.write_bytes(b"".join(encode(sample) + b"\n" for sample in samples))
    output = tmp_path / "p.jsonl"
    asked = ["--model", str(tiny_dir), str(path), "-o", str(output), "--device", "cpu", "--max-new-tokens", "2"]
    assert main([*asked, *told]) == 0
    assert [is_chinese(one.prompt or "") for one in read_records(output, Prediction)] == expected
