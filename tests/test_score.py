"""`emollm score` from files to files: joining, counting, refusing, and numbers with intervals."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import pytest

from emollm.claims import Claim, read_claims
from emollm.errors import ConfigError, EmoLLMError
from emollm.records import AU, Face, Media, Prediction, Sample, encode
from eval.metrics.families import headlines, is_detail
from eval.results import Number, read_results
from eval.score import main, thresholds
from eval.scored import Scored, read_scored

SMILE = {"AU06": 2.0, "AU12": 3.2, "AU01": 0.0, "AU15": 0.1, "AU04": 0.0}
SORROW = {"AU06": 0.0, "AU12": 0.1, "AU01": 2.4, "AU15": 2.1, "AU04": 1.8}

HAPPY = "<think>The cheeks are raised and the lip corners are pulled up.</think><answer>happiness</answer>"
SAD = (
    "<think>The inner brows are raised, the brows are lowered and the lip corners are pulled down.</think>"
    "<answer>sadness</answer>"
)


def sample(number: int, aus: dict[str, float] | None = None, **changes: Any) -> Sample:
    measured = {name: AU(value=value, kind="intensity") for name, value in (aus or SMILE).items()}
    fields: dict[str, Any] = {
        "id": f"face_{number}",
        "subject": f"s{number // 2}",
        "split": "test",
        "label_set": "basic7",
        "label": "happiness" if measured["AU12"].value > 1 else "sadness",
        "faces": [Face(aus=measured)],
    }
    return Sample(**{**fields, **changes})


def prediction(number: int, completion: str) -> Prediction:
    return Prediction(id=f"face_{number}", completion=completion, model="tiny", style="think")


FOUR = [sample(0), sample(1), sample(2, SORROW), sample(3, SORROW)]
ANSWERS = [prediction(0, HAPPY), prediction(1, SAD), prediction(2, SAD), prediction(3, SAD)]


def write(path: Path, records: list[Any]) -> Path:
    path.write_bytes(b"".join(encode(record) + b"\n" for record in records))
    return path


def score(folder: Path, samples: list[Sample], predictions: list[Prediction], *options: str) -> Path:
    """Score and return the folder with the results."""
    inputs = (write(folder / "predictions.jsonl", predictions), write(folder / "samples.jsonl", samples))
    out = folder / "scores"
    assert main([*map(str, inputs), "-o", str(out), "--num-resamples", "50", *options]) == 0
    return out


def metrics(out: Path) -> dict[str, Number]:
    return read_results(out).metrics


def rows(out: Path) -> dict[str, Scored]:
    return {row.id: row for row in read_scored(out / "samples.jsonl")}


def test_numbers_of_a_small_run(tmp_path: Path) -> None:
    found = metrics(score(tmp_path, FOUR, ANSWERS))
    expected = {"accuracy": 0.75, "uar": 0.75, "coverage": 1.0, "format_rate": 1.0, "claim_precision": 8 / 11}
    assert {name: found[name].value for name in expected} == pytest.approx(expected)
    assert found["accuracy"].num_samples == 4
    assert found["accuracy"].num_clusters == 2


def test_every_number_says_over_what_and_how_sure(tmp_path: Path) -> None:
    results = json.loads((score(tmp_path, FOUR, ANSWERS) / "results.json").read_text())
    for name, number in results["metrics"].items():
        assert set(number) == {"value", "low", "high", "num_samples", "num_clusters", "note"}, name
        assert results["definitions"][name]["text"]
        if number["low"] is not None:
            assert number["low"] <= number["value"] <= number["high"], name
    assert results["inputs"]["samples"]["file"] == "samples.jsonl"
    assert len(results["inputs"]["samples"]["sha256"]) == 64
    assert results["versions"]["python"]


def test_samples_show_what_was_right_and_why(tmp_path: Path) -> None:
    found = rows(score(tmp_path, FOUR, ANSWERS))
    right, wrong = found["face_0"], found["face_1"]
    assert (right.gold, right.predicted, right.correct, right.is_true) == ("happiness", "happiness", True, True)
    assert (right.au_hits, right.au_false_alarms, right.au_misses) == (("AU06", "AU12"), (), ())
    assert right.au_rejections == ("AU01", "AU04", "AU15")
    assert (wrong.predicted, wrong.correct, wrong.is_true) == ("sadness", False, False)
    assert wrong.au_false_alarms == ("AU01", "AU04", "AU15")
    assert wrong.omitted == ("AU06", "AU12")
    assert {claim.verdict for claim in wrong.claims} == {"contradicted"}


def test_claims_point_into_the_completion(tmp_path: Path) -> None:
    for row in rows(score(tmp_path, FOUR, ANSWERS)).values():
        assert row.claims
        for claim in row.claims:
            assert row.completion is not None
            assert row.completion[claim.start : claim.end] == claim.text


def test_rows_keep_all_that_a_claim_says(tmp_path: Path) -> None:
    clip = {"media": Media(kind="video", path="face.mp4"), "events": []}
    said = (
        "<think>The smile is stronger on the left, and the smile is lopsided. Perhaps the brows are slightly lowered "
        "from 0.4 s to 1.2 s. The forehead is smooth.</think><answer>happiness</answer>"
    )
    [row] = rows(score(tmp_path, [sample(0, **clip)], [prediction(0, said)])).values()
    kept = [tuple(getattr(one, name) for name in Claim._fields) for one in row.claims]
    assert kept == [tuple(claim) for claim in read_claims(said)]
    assert {(one.uneven, one.side) for one in row.claims} >= {(True, "left"), (True, None)}
    assert any(one.times for one in row.claims)


def test_missing_prediction_is_wrong_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = score(tmp_path, FOUR, ANSWERS[:2])
    results = read_results(out)
    assert (results.coverage.predictions, results.coverage.missing) == (2, 2)
    assert results.metrics["accuracy"].value == 0.25
    assert results.metrics["coverage"].value == 0.5
    assert rows(out)["face_3"].completion is None
    assert "counted as wrong: 2 samples of 4" in capsys.readouterr().out


def test_surplus_prediction_counts_nowhere(tmp_path: Path) -> None:
    results = read_results(score(tmp_path, FOUR, [*ANSWERS, prediction(9, HAPPY)]))
    assert results.coverage.surplus == 1
    assert results.metrics["accuracy"].num_samples == 4


def test_predictions_of_another_split_are_no_surplus(tmp_path: Path) -> None:
    train = sample(4, split="train")
    results = read_results(score(tmp_path, [*FOUR, train], [*ANSWERS, prediction(4, SAD)], "--split", "test"))
    assert results.coverage.samples == 4
    assert results.coverage.surplus == 0


@pytest.mark.parametrize(
    "completion", ["", "<think></think>", "I cannot tell.", "\x00" * 50, "<answer>" * 2000, "你好"]
)
def test_unusable_answers_are_wrong_and_never_fatal(tmp_path: Path, completion: str) -> None:
    found = metrics(score(tmp_path, FOUR[:1], [prediction(0, completion)]))
    assert found["accuracy"].value == 0
    assert found["label_read_rate"].value == 0
    assert found["claim_recall"].value == 0


def test_answer_listing_all_emotions_is_not_right(tmp_path: Path) -> None:
    said = prediction(0, "<think>x</think><answer>happiness, sadness, anger, fear, disgust</answer>")
    assert metrics(score(tmp_path, FOUR[:1], [said]))["accuracy"].value == 0


def test_without_gold_nothing_is_right_or_wrong(tmp_path: Path) -> None:
    bare = [Sample(id=f"face_{number}", media=Media(kind="image", path="a.png")) for number in range(4)]
    out = score(tmp_path, bare, ANSWERS)
    found = metrics(out)
    assert found["accuracy"].value is None
    assert found["claim_precision"].value is None
    assert found["mean_words"].value is not None
    assert rows(out)["face_0"].correct is None
    assert read_results(out).confusion is None


def test_thresholds_decide_what_is_present(tmp_path: Path) -> None:
    out = score(tmp_path, FOUR[:1], ANSWERS[:1], "--thresholds", "intensity=2.5")
    assert rows(out)["face_0"].au_hits == ("AU12",)


def test_hidden_and_unmeasured_action_units_count_nowhere(tmp_path: Path) -> None:
    face = Face(aus={name: AU(value=3.0, kind="intensity") for name in ("AU04", "AU12")}, hidden=["brows"])
    said = prediction(
        0, "<think>The lip corners are pulled up and the chin is raised.</think><answer>happiness</answer>"
    )
    row = rows(score(tmp_path, [sample(0, faces=[face])], [said]))["face_0"]
    assert (row.au_hits, row.au_false_alarms, row.au_misses, row.omitted) == (("AU12",), (), (), ())


def test_no_answer_on_a_face_without_movement_is_no_hit(tmp_path: Path) -> None:
    still = [sample(number, {"AU12": 0.0, "AU04": 0.1}, label="neutral") for number in range(3)]
    said = [prediction(0, ""), prediction(1, "<think>The face is at rest.</think><answer>neutral</answer>")]
    found = rows(score(tmp_path, still, said))
    assert [found[f"face_{number}"].au_set_f1 for number in range(3)] == [0.0, 1.0, 0.0]


def test_face_with_no_measured_action_unit_has_no_au_score(tmp_path: Path) -> None:
    out = score(tmp_path, [sample(0, faces=[Face(aus={})], label="happiness")], ANSWERS[:1])
    assert rows(out)["face_0"].au_set_f1 is None
    assert read_results(out).coverage.measured == 0


def test_head_pose_is_no_false_alarm(tmp_path: Path) -> None:
    aus = {"AU12": AU(value=3.0, kind="intensity"), "AU51": AU(value=3.0, kind="intensity")}
    said = prediction(0, "<think>AU12 and AU51 are present.</think><answer>happiness</answer>")
    row = rows(score(tmp_path, [sample(0, faces=[Face(aus=aus)])], [said]))["face_0"]
    assert (row.au_hits, row.au_false_alarms) == (("AU12",), ())


def test_gold_outside_of_the_label_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gold outside of basic7 in 1 of 2 samples \(contempt\)"):
        score(tmp_path, [FOUR[0], sample(1, label="contempt")], ANSWERS[:2])


def test_gold_in_other_words_is_the_same_label(tmp_path: Path) -> None:
    happy = sample(0, label="Happy")
    assert metrics(score(tmp_path, [happy], ANSWERS[:1]))["accuracy"].value == 1


def test_open_vocabulary_is_scored_by_the_words_in_common(tmp_path: Path) -> None:
    bare = sample(0, label=None, label_set="open", labels=["Happy", "proud", "wistful"])
    out = score(tmp_path, [bare], [prediction(0, "joy, proud")])
    assert metrics(out)["labels_f1"].value == pytest.approx(2 * 2 / 5)
    assert metrics(out)["accuracy"].value is None
    assert "Open-vocabulary F1" in (out / "report.html").read_text()


def test_confusion_adds_up_to_the_labelled_samples(tmp_path: Path) -> None:
    results = read_results(score(tmp_path, FOUR, [*ANSWERS[:3], prediction(3, "")]))
    assert results.confusion is not None
    assert results.confusion.columns[-1] == "none of these"
    table = dict(zip(results.confusion.labels, results.confusion.counts, strict=True))
    assert sum(map(sum, results.confusion.counts)) == 4
    assert table["sadness"][-1] == 1
    assert table["happiness"][results.confusion.columns.index("sadness")] == 1


def test_groups_are_reported_apart(tmp_path: Path) -> None:
    grouped = [sample(0, groups={"age": "60+"}), sample(1, groups={"age": "18–30"}), sample(2, SORROW)]
    groups = read_results(score(tmp_path, grouped, ANSWERS[:3])).groups
    assert groups["age"]["60+"]["accuracy"].value == 1
    assert groups["age"]["18–30"]["accuracy"].value == 0


def test_few_subjects_are_said(tmp_path: Path) -> None:
    found = metrics(score(tmp_path, FOUR, ANSWERS))
    assert found["accuracy"].note == "only 2 subjects or samples: the interval is probably too narrow"


def test_one_subject_gives_no_interval(tmp_path: Path) -> None:
    number = metrics(score(tmp_path, FOUR[:2], ANSWERS[:2]))["accuracy"]
    assert (number.value, number.low, number.high) == (0.5, None, None)
    assert "no interval" in number.note


def test_an_interval_without_width_says_what_it_cannot_say(tmp_path: Path) -> None:
    number = metrics(score(tmp_path, [FOUR[0], FOUR[2]], [ANSWERS[0], ANSWERS[2]]))["accuracy"]
    assert (number.value, number.low, number.high) == (1.0, 1.0, 1.0)
    assert "says nothing about samples unlike these" in number.note


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    names = ("results.json", "samples.jsonl", "report.html")
    first = [(score(tmp_path, FOUR, ANSWERS) / name).read_bytes() for name in names]
    assert [(score(tmp_path, FOUR, ANSWERS) / name).read_bytes() for name in names] == first


def test_other_settings_need_overwrite(tmp_path: Path) -> None:
    score(tmp_path, FOUR, ANSWERS)
    with pytest.raises(ConfigError, match="holds the scores of other inputs or settings; use --overwrite"):
        score(tmp_path, FOUR, ANSWERS, "--seed", "1")
    assert read_results(score(tmp_path, FOUR, ANSWERS, "--seed", "1", "--overwrite")).settings.seed == 1


def test_numbers_that_stand_on_something_else_need_overwrite(tmp_path: Path) -> None:
    groups = tmp_path / "groups.json"
    groups.write_text('[["glad", "content"]]')
    samples = [Sample(id="face_0", labels=["glad"])]
    score(tmp_path, samples, ANSWERS[:1], "--synonym-groups", str(groups))
    with pytest.raises(
        ConfigError, match=r"scores of label_sets with synonym_groups '\w+' in place of '\w+'; use --over"
    ):
        score(tmp_path, samples, ANSWERS[:1])
    with pytest.raises(ConfigError, match="label_sets, which --metrics leaves out; use --overwrite"):
        score(tmp_path, samples, ANSWERS[:1], "--metrics", "none")
    before = read_results(score(tmp_path, samples, ANSWERS[:1], "--synonym-groups", str(groups)))
    assert "label_sets" in before.families
    assert not read_results(score(tmp_path, samples, ANSWERS[:1], "--metrics", "none", "--overwrite")).families


def test_inputs_are_never_overwritten(tmp_path: Path) -> None:
    paths = (write(tmp_path / "predictions.jsonl", ANSWERS), write(tmp_path / "samples.jsonl", FOUR))
    with pytest.raises(EmoLLMError, match=r"samples\.jsonl: is an input and would be overwritten"):
        main([*map(str, paths), "-o", str(tmp_path), "--overwrite"])


def test_samples_of_others_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "scores").mkdir()
    write(tmp_path / "scores" / "samples.jsonl", FOUR)
    with pytest.raises(EmoLLMError, match="was not written by `emollm score`"):
        score(tmp_path, FOUR, ANSWERS, "--overwrite")


def test_no_report_leaves_none(tmp_path: Path) -> None:
    out = score(tmp_path, FOUR, ANSWERS)
    assert (out / "report.html").exists()
    score(tmp_path, FOUR, ANSWERS, "--no-report")
    assert not (out / "report.html").exists()


def test_malformed_lines_are_kept_aside_and_end_in_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = write(tmp_path / "samples.jsonl", FOUR)
    predictions = write(tmp_path / "predictions.jsonl", ANSWERS)
    with predictions.open("ab") as file:
        file.write(b'{"id": "face_9", "compl')
    out = tmp_path / "scores"
    assert main([str(predictions), str(samples), "-o", str(out)]) == 1
    assert "predictions.jsonl:5: the line is cut off" in capsys.readouterr().err
    assert json.loads((out / "rejected.jsonl").read_text())["reason"] == "malformed"
    assert read_results(out).coverage.malformed == 1


def test_files_in_the_wrong_order_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples, predictions = write(tmp_path / "s.jsonl", FOUR * 1), write(tmp_path / "p.jsonl", ANSWERS)
    with pytest.raises(EmoLLMError, match=r"p\.jsonl:1: a prediction; give the two files in the order predictions"):
        main([str(samples), str(predictions), "-o", str(tmp_path / "scores")])
    assert capsys.readouterr().err == ""


def test_ids_without_anything_in_common_are_told(tmp_path: Path) -> None:
    with pytest.raises(EmoLLMError, match=re.escape("('face_7' here, 'face_0' there)")):
        score(tmp_path, FOUR, [prediction(7, HAPPY)])


def test_unknown_split_names_the_splits(tmp_path: Path) -> None:
    with pytest.raises(EmoLLMError, match="no sample of split 'tset'; its splits are test; did you mean 'test'"):
        score(tmp_path, FOUR, ANSWERS, "--split", "tset")


def test_unknown_label_set_suggests_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'basic6' is not one of .*; did you mean 'basic"):
        score(tmp_path, FOUR, ANSWERS, "--label-set", "basic6")


def test_samples_of_several_label_sets_need_a_choice(tmp_path: Path) -> None:
    mixed = [FOUR[0], sample(1, label_set="basic8")]
    with pytest.raises(ConfigError, match=r"--label-set: the samples name several \(basic7, basic8\)"):
        score(tmp_path, mixed, ANSWERS[:2])
    assert score(tmp_path, mixed, ANSWERS[:2], "--label-set", "basic8")


def test_limit_scores_the_first_samples(tmp_path: Path) -> None:
    assert metrics(score(tmp_path, FOUR, ANSWERS, "--limit", "1"))["accuracy"].value == 1


def test_limit_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        score(tmp_path, FOUR, ANSWERS, "--limit", "0")


def test_a_wrong_file_does_not_flood_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples, other = write(tmp_path / "s.jsonl", FOUR), tmp_path / "other.jsonl"
    other.write_text('{"text": 1}\n' * 500)
    with pytest.raises(EmoLLMError, match="holds no valid prediction"):
        main([str(other), str(samples), "-o", str(tmp_path / "scores")])
    assert len(capsys.readouterr().err.splitlines()) == 11


def test_thresholds_keep_the_kinds_that_are_not_named(tmp_path: Path) -> None:
    assert thresholds("intensity=2, probability=0.4") == {"intensity": 2.0, "probability": 0.4}
    out = score(tmp_path, FOUR, ANSWERS, "--thresholds", "intensity=2")
    assert read_results(out).settings.thresholds == {"intensity": 2.0, "probability": 0.5, "presence": 0.5}


@pytest.mark.parametrize(
    "text", ["intensity", "intensity=x", "intensity=9", "intensity=0", "intensity=nan", "strength=1"]
)
def test_impossible_thresholds_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        thresholds(text)


def test_table_is_printed_with_intervals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    score(tmp_path, FOUR, ANSWERS)
    printed = capsys.readouterr().out
    assert re.search(r"Accuracy +75\.0 % +\d+\.\d – \d+\.\d +4 +2", printed)
    assert printed.rstrip().endswith("report.html")


def test_the_main_metrics_are_printed_and_every_one_where_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = read_results(score(tmp_path, FOUR, ANSWERS))
    lines = capsys.readouterr().out.splitlines()
    hint = next(line for line in lines if "--all" in line)
    rows = lines[2 : lines.index(hint)]
    titles = [re.split("  +", line)[0] for line in rows]
    assert titles == ["Accuracy", "Right for true reasons", "Claim precision", "AU micro F1"]
    score(tmp_path, FOUR, ANSWERS, "--all")
    printed = capsys.readouterr().out
    assert "--all" not in printed
    every = {re.split("  +", line)[0] for line in printed.splitlines()}
    main = [name for name, number in results.metrics.items() if number.value is not None and not is_detail(name)]
    assert {results.definitions[name].title for name in main} <= every
    assert hint == f"{len(main) - len(rows)} more: --all prints them, results.json holds them"


def test_the_main_metrics_of_a_list_of_action_units_are_those_that_are_published() -> None:
    metrics = ["uar", "au_macro_f1", "au_micro_f1"]
    assert headlines(metrics, None) == ["au_micro_f1"]
    assert headlines(metrics, ("AU12",)) == ["au_macro_f1", "au_micro_f1"]
    assert headlines(["uar", "au_set_f1"], None) == ["uar", "au_set_f1"]  # none is one: all are


def test_a_family_that_finds_gold_is_computed_pinned_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from eval.compare import main as compare

    samples = [sample(number, valence=value) for number, value in enumerate((-0.5, 0.0, 0.5, 1.0))]
    for name, factor in (("exact", 1.0), ("weak", 0.5)):
        (tmp_path / name).mkdir()
        told = [prediction(n, f"{HAPPY} Valence: {factor * value}") for n, value in enumerate((-0.5, 0.0, 0.5, 1.0))]
        score(tmp_path / name, samples, told)
    results = read_results(tmp_path / "exact" / "scores")
    assert results.metrics["ccc_valence"].value == pytest.approx(1)
    assert results.metrics["ccc_arousal"].value is None
    assert "dimensional" in results.families
    assert "Valence and arousal" in (tmp_path / "exact" / "scores" / "report.html").read_text()
    capsys.readouterr()
    assert compare([str(tmp_path / "exact" / "scores"), str(tmp_path / "weak" / "scores"), "--json"]) == 0
    difference = json.loads(capsys.readouterr().out)["differences"]["ccc_valence"]
    assert difference["first"] == pytest.approx(1)
    assert difference["second"] < 0.9
