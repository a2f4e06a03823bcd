"""Rows: what a sample teaches, and the check that rows fit the model before the first step."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from emollm.answers import parse
from emollm.errors import ConfigError
from emollm.pictures import open_picture
from emollm.records import Event, Media, Sample, read_records
from emollm.train.collate import Collator, check_rows
from emollm.train.questions import Asking, make_questions
from emollm.train.rows import Mixture, Row, make_rows
from emollm.vlm.load import load_model
from emollm.vlm.turns import IGNORED, ask_about, encode_prompts


@pytest.fixture(scope="module")
def samples(toy_file: Path) -> list[Sample]:
    return [sample for sample in read_records(toy_file, Sample) if sample.split == "train"]


def test_a_mixture_gives_each_style_its_number_of_rows(samples: list[Sample], toy_file: Path) -> None:
    rows, refused = make_rows(samples, toy_file.parent, Mixture({"label": 3, "sections": 1}))
    assert Counter(row.style for row in rows) == {"label": 144, "sections": 48}
    assert not refused


def test_half_a_share_takes_about_half_of_the_samples_once(samples: list[Sample], toy_file: Path) -> None:
    rows, _ = make_rows(samples, toy_file.parent, Mixture({"think": 0.5}))
    ids = [row.id for row in rows]
    assert len(set(ids)) == len(ids)
    assert 14 <= len(ids) <= 34


def test_rows_do_not_depend_on_the_order_of_the_file(samples: list[Sample], toy_file: Path) -> None:
    mixture = Mixture({"label": 1.5, "sections": 1})
    there, back = (make_rows(list(order), toy_file.parent, mixture)[0] for order in (samples, reversed(samples)))
    assert there == back


def test_label_first_puts_every_bare_label_before_the_first_explanation(samples: list[Sample], toy_file: Path) -> None:
    rows, _ = make_rows(samples, toy_file.parent, Mixture({"sections": 1, "label": 1}, label_first=True))
    styles = [row.style for row in rows]
    assert styles == ["label"] * 48 + ["sections"] * 48


def test_every_answer_reads_back_as_its_label(samples: list[Sample], toy_file: Path) -> None:
    gold = {sample.id: sample.label for sample in samples}
    rows, _ = make_rows(samples, toy_file.parent, Mixture({"label": 1, "sections": 1, "think": 1, "context": 1}))
    for row in rows:
        answer = parse(row.answer, "basic7")
        assert (answer.style, answer.label, answer.is_well_formed) == (row.style, gold[row.id], True)


def test_samples_that_teach_nothing_are_refused_with_a_reason(toy_file: Path, samples: list[Sample]) -> None:
    picture = Media(kind="image", path="0.png")
    bad = [
        Sample(id="a", label="fear", label_set="basic7"),
        Sample(id="b", media=picture),
        Sample(id="c", media=picture, label="fear", label_set="basic7"),
        Sample(id="d", media=Media(kind="image", path="none.png"), label="fear", reasoning=samples[0].reasoning),
        Sample(id="e", media=picture, label="bored", label_set="basic7", reasoning=samples[0].reasoning),
    ]
    rows, refused = make_rows(bad, toy_file.parent, Mixture({"sections": 1}))
    assert not rows
    assert refused == {"no_picture": 1, "no_label": 2, "no_reasoning": 1, "bad_picture": 1}


def test_a_sample_without_a_picture_is_asked_about_in_words(toy_file: Path, samples: list[Sample]) -> None:
    mixed = [msgspec.structs.replace(one, media=None) if at % 2 else one for at, one in enumerate(samples)]
    rows, refused = make_rows(mixed, toy_file.parent, Mixture({"sections": 1, "label": 1}))
    assert not refused
    shown = {one.id for one in mixed if one.media is not None}
    for row in rows:
        assert bool(row.images) == (row.id in shown)
        assert row.question.startswith("Measured in a face that is not shown: AU") == (row.id not in shown)
        assert parse(row.answer, "basic7").is_well_formed
    assert Counter(bool(row.images) for row in rows) == {True: 48, False: 48}


def test_a_model_that_needs_pictures_gets_no_other_rows(toy_file: Path, samples: list[Sample]) -> None:
    clip = msgspec.structs.replace(samples[0], media=Media(kind="video", path="0.webp"))
    unseen = msgspec.structs.replace(samples[1], media=None)
    moving = msgspec.structs.replace(unseen, events=[Event(au="AU12", onset_s=0.0, apex_s=0.1, offset_s=0.2, peak=3.0)])
    rows, refused = make_rows([clip, unseen, moving], toy_file.parent, Mixture({"label": 1}), takes_text=False)
    assert not rows
    assert refused == {"clip": 1, "no_picture": 1, "model_needs_picture": 1}


def test_a_clip_is_left_out_with_what_to_do(toy_file: Path, samples: list[Sample]) -> None:
    assert samples[0].faces
    peak = msgspec.structs.replace(samples[0].faces[0], time_s=0.8)
    clip = msgspec.structs.replace(samples[0], media=Media(kind="video", path="0.webp"), faces=[peak])
    for refused in (
        make_rows([clip], toy_file.parent, Mixture({"label": 1}))[1],
        make_questions([clip], toy_file.parent, Asking("sections"))[1],
    ):
        assert refused == {"clip": 1}
        assert "cut out the frame of its peak, at 0.80 s, and detect that" in refused.entries[0]["detail"]


# --- the check before the first step ----------------------------------------------------------------------------------


def row_of(toy_file: Path, **fields: str) -> Row:
    values = {"id": "r1", "picture": str(toy_file.parent / "0.png"), "style": "label", "question": "?", "answer": "a"}
    return Row(**values | fields)


def test_a_row_that_is_too_long_is_named(tiny_dir: Path, toy_file: Path) -> None:
    processor = load_model(tiny_dir)[1]
    with pytest.raises(ConfigError, match=r"row 'r1' .* tokens, but the model reads 16"):
        check_rows(processor, [row_of(toy_file)], max_tokens=16)


def test_a_batch_has_loss_on_answers_only(tiny_dir: Path, toy_file: Path) -> None:
    processor = load_model(tiny_dir)[1]
    row = {**row_of(toy_file)._asdict(), "images": [str(toy_file.parent / "0.png")]}
    batch = Collator(processor)([row, {**row, "answer": "fear and more"}])
    prompt = encode_prompts(processor, [ask_about(open_picture(toy_file.parent / "0.png"), "?")])["input_ids"].shape[1]
    assert (batch["labels"][:, :prompt] == IGNORED).all()
    assert (batch["labels"][:, prompt] != IGNORED).all()
    assert (batch["labels"][batch["attention_mask"] == 0] == IGNORED).all()


def test_observations_are_learnt_without_a_label(toy_file: Path) -> None:
    samples = [msgspec.structs.replace(sample, label=None) for sample in read_records(toy_file, Sample)]
    rows, refused = make_rows(samples, toy_file.parent, Mixture({"observations": 1, "label": 1}))
    assert not refused
    assert {row.style for row in rows} == {"observations"}
    assert {row.answer for row in rows} == {sample.reasoning.observations for sample in samples if sample.reasoning}
