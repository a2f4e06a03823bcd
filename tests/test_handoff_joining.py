"""Joining answers of other harnesses with samples: numbers count where gold answers prove what they number."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from handed import LABELS, SAID, TWELVE, as_json, inspect_sample, lmms, lmms_file, log_json, read, said, tsv

from emollm.errors import EmoLLMError
from emollm.records import Sample
from eval.handoff.joining import orders_of

FIRST = {"lmms-eval": 0, "VLMEvalKit .tsv": 1, "VLMEvalKit .json": 1, "inspect_ai": 1}
HARNESSES = list(FIRST)
GOLDS = LABELS * 3


def numbered(kind: str, folder: Path, numbers: Iterable[int], golds: Sequence[str] = GOLDS) -> Path:
    """A file of a harness that only numbers its documents, each answered with its gold label."""
    answers = [f"<answer>{gold or 'fear'}</answer>" for gold in golds]
    told = list(zip(numbers, golds, answers, strict=True))
    if kind == "lmms-eval":
        return lmms_file(folder, [lmms(n, target=gold, filtered_resps=answer) for n, gold, answer in told])
    if kind == "inspect_ai":
        return log_json(folder / "log.json", [inspect_sample(n, answer, target=gold) for n, gold, answer in told])
    header = ["index", "answer", "prediction"]
    if kind == "VLMEvalKit .tsv":
        return tsv(folder / "m.tsv", [header, *map(list, told)])
    return as_json(folder / "m.json", [dict(zip(header, row, strict=True)) for row in told])


def test_numbers_are_joined_where_the_gold_answers_prove_the_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [lmms(n) for n in (2, 0, *range(3, 12))]
    lines[1]["target"] = "Angry"  # another form of the label
    pairs = read(lmms_file(tmp_path, lines), TWELVE)
    assert said(pairs) == [SAID[0], None, *SAID[2:], *SAID * 2]
    assert pairs.missing == ["faces/1"]
    assert (
        "joined by number; 11 of 11 gold answers in it prove that its numbers are places in the samples file"
        in capsys.readouterr().err
    )


def test_open_labels_prove_an_order_too(tmp_path: Path) -> None:
    samples = [Sample(id=f"open/{n}", labels=[label, "moved"]) for n, label in enumerate(GOLDS)]
    pairs = read(lmms_file(tmp_path, [lmms(n, target=str(["moved", GOLDS[n]])) for n in range(12)]), samples)
    assert said(pairs) == SAID * 3


@pytest.mark.parametrize(
    ("golds", "targets", "reason"),
    [
        (["happiness"] * 12, ["happiness"] * 12, "too few or too alike .*: any order would fit"),
        ([*["happiness"] * 99, "anger"], [*["happiness"] * 99, "anger"], "one of 100 orders would fit"),
        (GOLDS, ["anger"], "any order would fit"),
        (GOLDS, LABELS, "one of 24 orders would fit"),
        (GOLDS, ["anger", *[""] * 11], "11 of 12 have no gold answer that proves whose numbers they are"),
        (GOLDS, ["", *GOLDS[1:]], "1 of 12 have no gold answer"),
        (["", *GOLDS[1:]], GOLDS, "1 of 12 have no gold answer"),
    ],
    ids=["all alike", "all but one alike", "one", "four", "one of twelve", "all but one", "a sample without gold"],
)
def test_gold_answers_that_other_orders_fit_too_prove_nothing(
    golds: Sequence[str], targets: Sequence[str], reason: str, tmp_path: Path
) -> None:
    samples = [Sample(id=f"faces/{n}", label=gold or None, label_set="basic7") for n, gold in enumerate(golds)]
    lines = [lmms(n, target=target) for n, target in enumerate(targets)]
    with pytest.raises(EmoLLMError, match=f"{reason}.*; let the task return the id of each sample") as caught:
        read(lmms_file(tmp_path, lines), samples)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("golds", ["", "a", "aaaa", "aaab", "aabb", "aabbc", "abcde"])
def test_orders_that_gold_tells_apart_are_counted(golds: str) -> None:
    assert orders_of(golds) == len(set(permutations(golds)))


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


NUMBERED = [Sample(id=str(n + 1), label=label, label_set="basic7") for n, label in enumerate(GOLDS)]


@pytest.mark.parametrize("kind", HARNESSES[:3])
def test_a_number_is_no_id_where_gold_says_that_it_is_a_place(kind: str, tmp_path: Path) -> None:
    """Samples are numbered from 1 and documents from 0: taken for ids, the numbers would join each with the next."""
    assert said(read(numbered(kind, tmp_path, range(12)), NUMBERED)) == [f"<answer>{one}</answer>" for one in GOLDS]


def test_a_number_that_can_be_neither_is_refused(tmp_path: Path) -> None:
    """inspect_ai counts from 1, so that a document 0 has no place, and its others are the next sample's by id."""
    with pytest.raises(EmoLLMError, match="'fear' is gold of number 1 in it, and not of '1'; give the samples"):
        read(numbered("inspect_ai", tmp_path, range(12)), NUMBERED)


@pytest.mark.parametrize("kind", HARNESSES)
def test_a_number_is_an_id_where_gold_says_so(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = [sample for sample in NUMBERED[::-1] if sample.id != "2"]
    golds = [GOLDS[0], *GOLDS[2:]]
    path = numbered(kind, tmp_path, [1, *range(3, 13)], golds)
    assert said(read(path, samples)) == [f"<answer>{one}</answer>" for one in golds[::-1]]
    assert "joined by number; 11 of 11 gold answers in it prove that its numbers are ids" in capsys.readouterr().err


@pytest.mark.parametrize("kind", HARNESSES)
@pytest.mark.parametrize(
    ("targets", "reason"),
    [
        (GOLDS[::-1], "its documents are only numbered .*, and the order is another"),
        ([""] * 12, "no gold answer in it proves that its numbers are theirs"),
    ],
    ids=["contradicted", "unproven"],
)
def test_numbers_that_look_like_ids_are_refused_without_proof(
    kind: str, targets: Sequence[str], reason: str, tmp_path: Path
) -> None:
    first = FIRST[kind]
    with pytest.raises(EmoLLMError, match=reason) as caught:
        read(numbered(kind, tmp_path, range(first, first + 12), targets), NUMBERED)
    assert "\n" not in str(caught.value)


def test_numbers_that_fit_both_ways_are_refused(tmp_path: Path) -> None:
    """The sample at place 0 has the id 4, and the one whose id is 0 has the same gold."""
    samples = [Sample(id=str((n + 4) % 12), label=label, label_set="basic7") for n, label in enumerate(GOLDS)]
    with pytest.raises(EmoLLMError, match=r"may be ids of samples, or places .*; let the task return the id"):
        read(lmms_file(tmp_path, [lmms(n) for n in range(12)]), samples)


def test_an_id_that_the_task_gave_needs_no_proof_though_it_is_a_number(tmp_path: Path) -> None:
    samples = NUMBERED[:4]
    lines = [lmms(n, sample_id=str(4 - n), target="") for n in range(4)]
    assert said(read(lmms_file(tmp_path, lines), samples)) == SAID[::-1]
    logged = [inspect_sample(n, SAID[n], metadata={"id": 4 - n}) for n in range(4)]
    assert said(read(log_json(tmp_path / "log.json", logged), samples)) == SAID[::-1]
    rows = [[n, SAID[n], 4 - n] for n in range(4)]
    assert said(read(tsv(tmp_path / "m.tsv", [["index", "prediction", "id"], *rows]), samples)) == SAID[::-1]


def test_an_answer_without_the_id_that_others_have_is_told(tmp_path: Path) -> None:
    """Its number is no way to a sample: it would be another's id."""
    lines = [lmms(n, **({"sample_id": str(n + 1)} if n != 1 else {})) for n in range(4)]
    pairs = read(lmms_file(tmp_path, lines), NUMBERED[:4])
    assert said(pairs) == [SAID[0], None, *SAID[2:]]
    assert [(line.line, line.reason.split(";")[0]) for line in pairs.bad] == [
        (2, "id: is missing, which other answers have")
    ]


def test_a_number_without_end_is_no_number(tmp_path: Path) -> None:
    with pytest.raises(EmoLLMError, match="no answer has the id of a sample"):
        read(lmms_file(tmp_path, [lmms(0) | {"doc_id": "9" * 5000}]))
