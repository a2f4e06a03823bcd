"""Hand-off: the files of lmms-eval, VLMEvalKit and inspect_ai, scored by `emollm score`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from handed import HEADER, LABELS, SAID, SAMPLES, inspect_sample, lmms, lmms_file, log_eval, read, said, written

from emollm.records import Prediction, encode
from eval.handoff.reading import recognise
from eval.results import read_results
from eval.score import main


def test_all_give_the_numbers_of_our_own_file(tmp_path: Path) -> None:
    answers = [SAID[0], SAID[1], SAID[1], "I cannot tell."]
    ids = [sample.id for sample in SAMPLES]
    own = [Prediction(id=name, completion=one, model="m") for name, one in zip(ids, answers, strict=True)]
    rows = [[name, "", "", one] for name, one in zip(ids, answers, strict=True)]
    logged = [inspect_sample(name, one) for name, one in zip(ids, answers, strict=True)]
    lines = [
        lmms(n, sample_id=name, filtered_resps=one) for n, (name, one) in enumerate(zip(ids, answers, strict=True))
    ]
    (tmp_path / "samples.jsonl").write_bytes(b"".join(encode(sample) + b"\n" for sample in SAMPLES))
    (tmp_path / "own.jsonl").write_bytes(b"".join(encode(one) + b"\n" for one in own))
    files = [
        tmp_path / "own.jsonl",
        lmms_file(tmp_path, lines),
        written("xlsx", tmp_path, [HEADER, *rows]),
        log_eval(tmp_path / "log.eval", logged),
    ]
    assert recognise(files[0]) is None
    scores = []
    for path in files:
        out = tmp_path / "scores" / path.stem
        command = [str(path), str(tmp_path / "samples.jsonl"), "-o", str(out), "--no-report", "--num-resamples", "50"]
        assert main(command) == 0
        scores.append({name: number.value for name, number in read_results(out).metrics.items()})
    assert scores[0]["accuracy"] == 0.5
    assert scores[1:] == scores[:1] * 3


# --- lmms-eval --------------------------------------------------------------------------------------------------------


def test_lmms_eval_with_the_ids_that_the_task_returned(tmp_path: Path) -> None:
    lines = [lmms(n, sample_id=f"faces/{3 - n}", target="") for n in range(4)]
    pairs = read(lmms_file(tmp_path, lines))
    assert said(pairs) == SAID[::-1]
    assert {one.model for one in pairs.predictions.values()} == {"Qwen/Qwen2.5-VL-3B-Instruct"}


def test_lmms_eval_with_ids_within_the_scores(tmp_path: Path) -> None:
    lines = [lmms(n, emollm_label={"id": f"faces/{n}", "score": 1.0}) for n in range(4)]
    assert said(read(lmms_file(tmp_path, lines[::-1]))) == SAID


def test_the_reasoning_that_lmms_eval_stripped_is_still_read(tmp_path: Path) -> None:
    shapes: list[Any] = [[SAID[0]], [[SAID[1], "later"]], SAID[2], []]
    lines = [lmms(n, sample_id=f"faces/{n}", filtered_resps=LABELS[n], resps=shapes[n]) for n in range(4)]
    assert said(read(lmms_file(tmp_path, lines))) == [*SAID[:3], None]


def test_torn_lines_and_repeats_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lmms_file(tmp_path, [lmms(n % 4, sample_id=f"faces/{n % 4}") for n in range(6)])
    with path.open("a", encoding="utf-8") as file:
        file.write('{"doc_id": 3, "filt')
    pairs = read(path)
    assert said(pairs) == SAID
    assert [line.line for line in pairs.bad] == [7]
    assert "4 documents answered with lmms-eval; 2 later answers to the same" in capsys.readouterr().err


def test_files_of_two_tasks_in_one_keep_all_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each numbers its documents from 0; only the ids tell them apart."""
    lines = [lmms(n % 2, sample_id=f"faces/{n}", filtered_resps=SAID[n]) for n in range(4)]
    pairs = read(lmms_file(tmp_path, lines))
    assert said(pairs) == SAID
    assert "later answers" not in capsys.readouterr().err


def test_two_documents_about_one_sample_are_told(tmp_path: Path) -> None:
    lines = [lmms(n, sample_id="faces/0") for n in range(2)]
    [line] = read(lmms_file(tmp_path, lines)).bad
    assert line.reason == "id: 'faces/0' is already on line 1"
