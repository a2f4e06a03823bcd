"""Hand-off: files in the shapes that lmms-eval, VLMEvalKit and inspect_ai write, scored by `emollm score`.

The files are made up here; none of the three ran, and the shapes are those of their sources.
"""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from layouts_on_disk import xlsx

from emollm.errors import EmoLLMError, SourceError
from emollm.records import Prediction, Sample, encode
from eval.handoff.reading import recognise
from eval.pairs import Pairs, read_pairs
from eval.results import read_results
from eval.score import main

TASK = Path(__file__).parents[1] / "eval" / "handoff" / "lmms_eval"
LABELS = ("anger", "fear", "sadness", "happiness")
SAID = [f"<think>It seems.</think>\n<answer>{label}</answer>" for label in LABELS]
SAMPLES = [Sample(id=f"faces/{n}", label=label, label_set="basic7") for n, label in enumerate(LABELS)]


def read(path: Path, samples: list[Sample] | None = None) -> Pairs:
    """Read a file with the samples beside it."""
    beside = path.parent / "samples.jsonl"
    beside.write_bytes(b"".join(encode(sample) + b"\n" for sample in samples or SAMPLES))
    return read_pairs(path, beside, split=None, limit=None)


def said(pairs: Pairs) -> list[str | None]:
    found = [pairs.predictions.get(sample.id) for sample in pairs.samples]
    return [None if one is None else one.completion for one in found]


def jsonl(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def as_json(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


# --- lmms-eval --------------------------------------------------------------------------------------------------------


def lmms(doc_id: int, **fields: Any) -> dict[str, Any]:
    """A line as `--log_samples` writes it: without the document, and without `resps` where nothing was filtered."""
    line = {
        "doc_id": doc_id,
        "target": LABELS[doc_id % 4],
        "filtered_resps": SAID[doc_id % 4],
        "doc_hash": "0f",
        **fields,
    }
    return line | {"token_counts": [None], "input": "Look at the face."}


def lmms_file(folder: Path, lines: list[dict[str, Any]]) -> Path:
    return jsonl(folder / "Qwen__Qwen2.5-VL-3B-Instruct" / "20260801_120000_samples_emollm_faces.jsonl", lines)


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


def test_numbers_are_joined_where_the_gold_answers_prove_the_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [lmms(n) for n in (2, 0, 3)]
    lines[1]["target"] = "Angry"  # another form of the label
    pairs = read(lmms_file(tmp_path, lines))
    assert said(pairs) == [SAID[0], None, *SAID[2:]]
    assert pairs.missing == ["faces/1"]
    assert "joined by number; 3 of 3 gold answers in it prove the order" in capsys.readouterr().err


def test_open_labels_prove_an_order_too(tmp_path: Path) -> None:
    samples = [Sample(id=f"open/{n}", labels=[label, "moved"]) for n, label in enumerate(LABELS)]
    pairs = read(lmms_file(tmp_path, [lmms(n, target=str(["moved", LABELS[n]])) for n in range(4)]), samples)
    assert said(pairs) == SAID


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([lmms(n, target=LABELS[3 - n]) for n in range(4)], "the order is another: 'happiness' is gold of number 0"),
        ([lmms(n, target="") for n in range(4)], "no gold answer in it proves"),
        ([lmms(n + 4) for n in range(4)], "its numbers run beyond the 4 samples"),
        ([lmms(0) | {"doc_id": "a"}], "no answer has the id of a sample \\('a' here, 'faces/0' there\\)"),
    ],
    ids=["another order", "no proof", "another file", "no numbers"],
)
def test_numbers_that_prove_nothing_are_refused(lines: list[dict[str, Any]], reason: str, tmp_path: Path) -> None:
    with pytest.raises(EmoLLMError, match=f"{reason}.*; let the task return the id of each sample"):
        read(lmms_file(tmp_path, lines))


def test_torn_lines_and_repeats_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lmms_file(tmp_path, [lmms(n % 4, sample_id=f"faces/{n % 4}") for n in range(6)])
    with path.open("a", encoding="utf-8") as file:
        file.write('{"doc_id": 3, "filt')
    pairs = read(path)
    assert said(pairs) == SAID
    assert [line.line for line in pairs.bad] == [7]
    assert "4 documents answered with lmms-eval; 2 later answers to the same" in capsys.readouterr().err


def test_two_documents_about_one_sample_are_told(tmp_path: Path) -> None:
    lines = [lmms(n, sample_id="faces/0") for n in range(2)]
    [line] = read(lmms_file(tmp_path, lines)).bad
    assert line.reason == "id: 'faces/0' is already on line 1"


# --- VLMEvalKit -------------------------------------------------------------------------------------------------------

HEADER = ["index", "question", "answer", "prediction"]


def tsv(path: Path, rows: list[list[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", quoting=csv.QUOTE_ALL).writerows(rows)
    return path


def written(kind: str, folder: Path, rows: list[list[Any]]) -> Path:
    path = folder / f"Qwen2.5-VL_Faces.{kind}"
    if kind == "json":
        return as_json(path, [dict(zip(rows[0], row, strict=True)) for row in rows[1:]])
    return tsv(path, rows) if kind == "tsv" else xlsx(path, rows)


@pytest.mark.parametrize("kind", ["xlsx", "tsv", "json"])
@pytest.mark.parametrize("has_ids", [True, False])
def test_vlmevalkit_by_id_and_by_index(kind: str, has_ids: bool, tmp_path: Path) -> None:
    rows = [[n + 1, "Which?\nChoose.", LABELS[n], SAID[n]] for n in range(4)]
    rows = [[*HEADER, "id"], *([*row, f"faces/{n}"] for n, row in enumerate(rows))] if has_ids else [HEADER, *rows]
    pairs = read(written(kind, tmp_path, rows))
    assert said(pairs) == SAID
    assert pairs.predictions["faces/0"].model == "Qwen2.5-VL_Faces"


def test_the_index_may_be_the_id(tmp_path: Path) -> None:
    rows = [[f"faces/{n}", "", "", SAID[n]] for n in (3, 1, 2, 0)]
    assert said(read(written("tsv", tmp_path, [HEADER, *rows]))) == SAID


def test_a_part_of_a_numbered_table_is_refused(tmp_path: Path) -> None:
    rows = [[n, "", LABELS[n], SAID[n]] for n in range(3)]
    with pytest.raises(EmoLLMError, match="give the data set's table a column `id`"):
        read(written("tsv", tmp_path, [HEADER, *rows]))


def test_thoughts_of_their_own_column_and_failed_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = ["anger", "Failed to obtain answer via API.", float("nan"), "happiness"]
    thoughts = ["A frown.", "", None, "<think>A smile."]
    rows = [[f"faces/{n}", answers[n], thoughts[n]] for n in range(4)]
    pairs = read(written("json", tmp_path, [["index", "prediction", "thinking"], *rows]))
    assert said(pairs) == ["<think>A frown.</think>\nanger", None, "", "<think>A smile.</think>\nhappiness"]
    assert "1 of them without success, which count as missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pkl", b"\x80\x04.", "is a pickle"),
        ("a.xlsx", b"no zip", "is no readable Excel file"),
        ("a.tsv", b"id\tsaid\n1\tx\n", "has no columns index and prediction \\(id, said\\)"),
        ("a.tsv", b"", "it is empty"),
        ("a.tsv", b"index\tprediction\n1\t\xff\xfe\n", "is no readable table"),
        ("a.eval", b"no zip", "holds no log of inspect_ai"),
        ("a.json", b"[1, 2]", "holds no valid prediction"),
    ],
)
def test_files_that_cannot_be_read_are_one_line(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EmoLLMError, match=reason) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)


# --- inspect_ai -------------------------------------------------------------------------------------------------------


def inspect_sample(
    sample_id: str | int, content: Any, target: Any = "", epoch: int = 1, **fields: Any
) -> dict[str, Any]:
    choice = {"message": {"role": "assistant", "content": content, "source": "generate"}, "stop_reason": "stop"}
    output = {"model": "gpt-4o-2024-08-06", "choices": [choice], "time": 1.7}
    return {
        "id": sample_id,
        "epoch": epoch,
        "input": "Which?",
        "target": target,
        "output": output,
        "scores": {},
        **fields,
    }


def log_json(path: Path, samples: list[dict[str, Any]]) -> Path:
    return as_json(path, {"version": 2, "status": "success", "eval": {"model": "openai/gpt-4o"}, "samples": samples})


def log_eval(path: Path, samples: list[dict[str, Any]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps({"eval": {"model": "openai/gpt-4o"}}))
        for sample in samples:
            name = f"samples/{str(sample['id']).replace('/', '_')}_epoch_{sample['epoch']}.json"
            archive.writestr(name, json.dumps(sample))
        archive.writestr("header.json", json.dumps({"status": "success", "eval": {"model": "openai/gpt-4o"}}))
    return path


LOGS = [pytest.param(log_json, "log.json", id="json"), pytest.param(log_eval, "log.eval", id="eval")]


@pytest.mark.parametrize(("write", "name"), LOGS)
def test_inspect_logs_by_id(write: Callable[..., Path], name: str, tmp_path: Path) -> None:
    pairs = read(write(tmp_path / name, [inspect_sample(f"faces/{n}", SAID[n]) for n in (2, 0, 1, 3)]))
    assert said(pairs) == SAID
    assert {one.model for one in pairs.predictions.values()} == {"openai/gpt-4o"}


@pytest.mark.parametrize(("write", "name"), LOGS)
def test_inspect_numbers_its_samples_from_1(write: Callable[..., Path], name: str, tmp_path: Path) -> None:
    """All labels but the last are the same, so that a reader who counts from 0 finds nothing wrong."""
    samples = [Sample(id=f"faces/{n}", label="anger" if n < 3 else "fear", label_set="basic7") for n in range(4)]
    logged = [inspect_sample(n, SAID[n - 1], target=["anger"]) for n in (1, 2)]
    assert said(read(write(tmp_path / name, logged), samples)) == [*SAID[:2], None, None]


def test_parts_of_a_message_attachments_epochs_and_failures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = [{"type": "reasoning", "reasoning": "A frown."}, {"type": "text", "text": "<answer>anger</answer>"}]
    hidden = [{"type": "reasoning", "reasoning": "gAAA", "redacted": True}, {"type": "text", "text": "fear"}]
    logged = [
        inspect_sample("faces/0", "later", epoch=2),
        inspect_sample("faces/0", parts),
        inspect_sample("faces/1", hidden, error=None),
        inspect_sample("faces/2", "attachment://6ed", attachments={"6ed": "A long answer: sadness."}, epoch=2),
        inspect_sample("faces/3", "", error={"message": "rate limit"}),
    ]
    pairs = read(log_eval(tmp_path / "log.eval", logged))
    assert said(pairs) == ["<think>A frown.</think>\n<answer>anger</answer>", "fear", "A long answer: sadness.", None]
    told = capsys.readouterr().err
    assert "4 documents answered with inspect_ai; 1 of them without success" in told
    assert "1 later answers to the same" in told


def test_the_id_may_stand_in_the_metadata(tmp_path: Path) -> None:
    logged = [inspect_sample(n + 1, SAID[n], metadata={"id": f"faces/{3 - n}"}) for n in range(4)]
    assert said(read(log_json(tmp_path / "log.json", logged))) == SAID[::-1]


def test_a_log_in_zstandard_names_the_way_out(tmp_path: Path) -> None:
    path = log_eval(tmp_path / "log.eval", [inspect_sample("faces/0", SAID[0])])
    deflated, zstandard = (8).to_bytes(2, "little"), (93).to_bytes(2, "little")
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = raw.find(mark)
        while start >= 0:
            assert raw[start + at : start + at + 2] == deflated
            raw[start + at : start + at + 2] = zstandard
            start = raw.find(mark, start + 4)
    path.write_bytes(bytes(raw))
    with pytest.raises(SourceError, match="run: inspect log convert --to json"):
        read(path)


# --- all three --------------------------------------------------------------------------------------------------------


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
