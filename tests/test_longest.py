"""The check before the first step: the row that does not fit is named, whatever makes it long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from PIL import Image
from stand_ins import build_stand_in

from emollm.errors import ConfigError
from emollm.train.collate import Collator, check_rows, encodable
from emollm.train.longest import count_tokens, longest, picture_tokens, text_of
from emollm.train.questions import Question, check_questions
from emollm.train.rows import Row

ANSWER = "The brow is lowered and the lips are pressed, which is consistent with anger. "
WORDS = [ANSWER, "What does the face show?", "眉毛压低，嘴唇紧闭，这与愤怒一致。"]


@pytest.fixture(scope="module")
def processor() -> Any:
    """That of a Qwen2.5-VL which cuts a picture of any size into tokens."""
    found = build_stand_in("qwen2_5_vl", WORDS)[1]
    found.image_processor.size = {"shortest_edge": 32 * 32, "longest_edge": 4000 * 4000}
    return found


@pytest.fixture
def rows(tmp_path: Path) -> list[Row]:
    """Rows with long answers about small pictures, of which one with a short answer is about a large one."""
    Image.new("RGB", (64, 64)).save(tmp_path / "small.png")
    Image.new("RGB", (1600, 1400)).save(tmp_path / "large.png")
    small, large = str(tmp_path / "small.png"), str(tmp_path / "large.png")
    rows = [Row(f"small{number}", small, "sections", "What?", ANSWER * 4) for number in range(30)]
    rows[11] = Row("large", large, "label", "What?", "anger")
    return rows


def num_tokens(processor: Any, row: Row) -> int:
    return int(Collator(processor)([encodable(row)])["input_ids"].shape[1])


def test_the_row_with_the_large_picture_is_named(processor: Any, rows: list[Row]) -> None:
    room = num_tokens(processor, rows[0])
    assert num_tokens(processor, rows[11]) > room
    with pytest.raises(ConfigError, match=rf"row 'large' .*large\.png.* tokens, but the model reads {room}"):
        check_rows(processor, rows, room)
    check_rows(processor, rows, num_tokens(processor, rows[11]))


def test_the_question_about_the_large_picture_is_named(processor: Any, rows: list[Row]) -> None:
    asked = [Question(row.id, str(row.picture), 0, row.question if row.id == "large" else ANSWER) for row in rows]
    with pytest.raises(ConfigError, match=r"sample 'large' .* tokens with max_completion_length"):
        check_questions(processor, asked, max_new_tokens=40, max_tokens=2000)
    check_questions(processor, asked, max_new_tokens=40, max_tokens=2400)


def test_texts_are_compared_by_tokens_and_not_by_letters(processor: Any, rows: list[Row], tmp_path: Path) -> None:
    small = str(tmp_path / "small.png")
    dense = "鼾鼿龌龊" * 40  # characters that the tokenizer has never seen: three tokens each
    plain = ANSWER * 6
    assert len(dense) < len(plain)
    rows = [Row(f"plain{number}", small, "sections", "What?", plain) for number in range(30)]
    rows.append(Row("dense", small, "sections", "What?", dense))
    room = num_tokens(processor, rows[0])
    assert num_tokens(processor, rows[-1]) > room
    with pytest.raises(ConfigError, match="row 'dense'"):
        check_rows(processor, rows, room)


@pytest.mark.parametrize("arch", ["qwen2_5_vl", "qwen3_vl", "llava", "llava_onevision", "paligemma"])
def test_the_tokens_of_a_picture_follow_from_its_size(arch: str, tmp_path: Path) -> None:
    processor = build_stand_in(arch, WORDS)[1]
    for number, size in enumerate([(64, 64), (90, 240), (500, 300)]):
        Image.new("RGB", size).save(tmp_path / f"{number}.png")
    rows = [Row("r", str(path), "label", "?", "a") for path in sorted(tmp_path.glob("*.png"))]
    image = processor.tokenizer.convert_tokens_to_ids(processor.image_token)
    expected = {row.picture: int((Collator(processor)([encodable(row)])["input_ids"] == image).sum()) for row in rows}
    assert picture_tokens(processor, rows) == expected


def test_texts_are_counted_in_batches(processor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emollm.train.longest.AT_ONCE", 2)
    texts = [ANSWER * number for number in range(1, 6)]
    whole = [len(processor.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts]
    assert list(count_tokens(processor, iter(texts))) == whole


def test_the_longest_are_those_with_the_most_tokens(processor: Any, rows: list[Row]) -> None:
    found = longest(processor, rows, text_of, max_tokens=16, number=3)
    assert found[0].id == "large"
    assert list(count_tokens(processor, iter([]))) == []
    texts = [text_of(row) for row in rows]
    whole = [len(processor.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts]
    assert list(count_tokens(processor, iter(texts))) == whole
