"""`emollm score` of what a detector measured, and the lists of action units that published numbers are about."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from emollm.cli import main as emollm
from emollm.errors import ConfigError, EmoLLMError
from emollm.records import AU, Detector, Event, Face, Media, Prediction, Sample, encode
from eval.compare import main as compare
from eval.pairs import read_pairs
from eval.protocols import PROTOCOLS, choose
from eval.results import Results, read_results
from eval.score import main
from eval.scored import read_scored

TINY = Detector(name="tiny", version="1")
AUS = ("AU01", "AU04", "AU06", "AU12", "AU17")


def write(path: Path, records: list[Sample | Prediction]) -> Path:
    path.write_bytes(b"".join(encode(record) + b"\n" for record in records))
    return path


def sample(number: int, values: dict[str, float], detector: Detector | None = None, **changes: object) -> Sample:
    aus = {au: AU(value=value, kind="intensity") for au, value in values.items()}
    faces = [Face(aus=aus, detector=detector)]
    return Sample(id=f"f{number}", subject=f"s{number}", faces=faces, groups={"age": "young"}, **changes)  # type: ignore[arg-type]


def gold_and_detected(n: int = 30) -> tuple[list[Sample], list[Sample]]:
    rng, gold, detected = random.Random(0), [], []
    for i in range(n):
        values = {au: float(rng.choice([0, 0, 1, 2, 4])) for au in AUS}
        gold.append(sample(i, values))
        seen = {au: min(max(value + rng.gauss(0, 0.7), 0.0), 5.0) for au, value in values.items() if au != "AU17"}
        detected.append(sample(i, seen, TINY))
    return gold, detected


def score(folder: Path, *options: str, detected: list[Sample] | None = None, name: str = "scores") -> Path:
    gold, found = gold_and_detected()
    paths = write(folder / f"{name}.d.jsonl", [*(detected or found)]), write(folder / "samples.jsonl", [*gold])
    out = folder / name
    assert main([*map(str, paths), "-o", str(out), "--num-resamples", "50", *options]) == 0
    return out


def test_a_detector_is_scored_on_its_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, found = gold_and_detected()
    results = read_results(score(tmp_path, detected=found[:-2]))
    assert (results.settings.judged, results.settings.aus, results.models) == ("detector", AUS[:-1], ["tiny 1"])
    assert list(results.families) == ["au_values"]
    known = {name for name, number in results.metrics.items() if number.value is not None}
    assert known == {"au_macro_f1", "au_micro_f1", "au_set_f1", *results.families["au_values"].metrics}
    assert set(results.families["au_values"].table) == set(AUS[:-1])
    icc = results.families["au_values"].table["AU12"]["au_icc"]
    assert icc.value is not None
    assert (icc.low or 9) < icc.value < (icc.high or -9)
    assert icc.num_samples == 28
    assert results.metrics["au_measured"].value == pytest.approx(28 / 30)
    assert set(results.groups["age"]["young"]) >= {"au_macro_f1"}
    told = capsys.readouterr().out
    assert "Without a detected face, and counted as wrong: 2 samples of 30." in told
    assert "not measured by the detector, and left out: AU17" in told
    assert "gold label" not in told


def test_the_report_shows_each_action_unit(tmp_path: Path) -> None:
    page = (score(tmp_path) / "report.html").read_text(encoding="utf-8")
    assert "Action units: measured values" in page
    assert "Is the explanation true?" not in page
    assert "Measured by tiny 1." in page


def test_a_face_that_is_not_found_misses_all_that_is_there(tmp_path: Path) -> None:
    _, found = gold_and_detected()
    rows = {row.id: row for row in read_scored(score(tmp_path, detected=found[:-1]) / "samples.jsonl")}
    assert rows["f29"].au_hits == ()
    assert rows["f29"].au_set_f1 == 0


def test_a_file_that_mixes_predictions_and_samples_is_refused(tmp_path: Path) -> None:
    gold, found = gold_and_detected()
    said = Prediction(id="f1", completion="A smile.", model="m")
    samples = write(tmp_path / "samples.jsonl", [*gold])
    mixed = write(tmp_path / "mixed.jsonl", [found[0], said, found[2]])
    with pytest.raises(EmoLLMError, match=r"mixed.jsonl:2: a prediction among samples; score .* in two runs$"):
        read_pairs(mixed, samples, split=None, limit=None)
    other = write(tmp_path / "other.jsonl", [said, found[0]])
    with pytest.raises(EmoLLMError, match=r"other.jsonl:2: a sample among predictions"):
        read_pairs(other, samples, split=None, limit=None)


def test_samples_are_not_compared_with_themselves(tmp_path: Path) -> None:
    samples = write(tmp_path / "samples.jsonl", [*gold_and_detected()[0]])
    with pytest.raises(EmoLLMError, match="is compared with itself"):
        read_pairs(samples, samples, split=None, limit=None)


def test_faces_without_action_units_are_one_line(tmp_path: Path) -> None:
    gold, _ = gold_and_detected()
    paths = write(tmp_path / "d.jsonl", [Sample(id="f0", faces=[Face()])]), write(tmp_path / "samples.jsonl", [*gold])
    with pytest.raises(EmoLLMError, match="hold no action units"):
        main([*map(str, paths), "-o", str(tmp_path / "out")])


def test_a_mark_before_the_first_line_hides_nothing(tmp_path: Path) -> None:
    gold, found = gold_and_detected(1)
    detected, samples = write(tmp_path / "d.jsonl", [*found]), write(tmp_path / "samples.jsonl", [*gold])
    detected.write_bytes(b"\xef\xbb\xbf" + detected.read_bytes())
    assert read_pairs(detected, samples, split=None, limit=None).judged == "detector"


def test_scoring_again_is_no_other_run(tmp_path: Path) -> None:
    first = score(tmp_path, "--aus", "disfa8")
    before = (first / "results.json").read_bytes()
    assert (score(tmp_path, "--aus", "disfa8") / "results.json").read_bytes() == before
    with pytest.raises(EmoLLMError, match="--overwrite"):
        score(tmp_path, "--aus", "disfa12")


def test_a_broken_line_of_a_detector_is_counted(tmp_path: Path) -> None:
    gold, found = gold_and_detected()
    detected, samples = write(tmp_path / "d.jsonl", [*found]), write(tmp_path / "samples.jsonl", [*gold])
    detected.write_bytes(detected.read_bytes() + b'{"id": "f30", "faces": [{"aus": {"AU4": 1}}]}\n')
    pairs = read_pairs(detected, samples, split=None, limit=None)
    assert (pairs.judged, len(pairs.detected), len(pairs.bad)) == ("detector", 30, 1)


def test_a_protocol_restricts_orders_and_is_stated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = read_results(score(tmp_path, "--aus", "disfa12"))
    settings = results.settings
    assert (settings.protocol, settings.aus) == ("disfa12", PROTOCOLS["disfa12"].aus)
    assert settings.thresholds["intensity"] == 2
    assert [rate.name for rate in results.aus] == list(PROTOCOLS["disfa12"].aus)
    assert results.families["au_values"].pins["aus"] == list(PROTOCOLS["disfa12"].aus)
    told = capsys.readouterr().out
    assert "disfa12: most published F1 on DISFA are means over 8 action units (disfa8), those of Facial-R1" in told
    assert "not measured by the detector, and counted as never present: AU17" in told
    assert "macro F1 is over 5 of 12: gold measures no AU2, AU5, AU9, AU15, AU20, AU25, AU26" in told
    f1 = {rate.name: rate.f1.value for rate in results.aus}
    assert f1["AU17"] == 0
    assert f1["AU02"] is None


def test_another_threshold_than_the_published_one_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = read_results(score(tmp_path, "--aus", "disfa8", "--thresholds", "intensity=1"))
    assert results.settings.thresholds["intensity"] == 1
    assert "disfa8: scored from intensity 1, published from 2" in capsys.readouterr().out


def test_explanations_are_scored_on_a_list(tmp_path: Path) -> None:
    gold = [sample(0, {"AU06": 3.0, "AU12": 3.0, "AU17": 3.0, "AU04": 0.0})]
    said = "<think>The lip corners are pulled up and the brows are lowered.</think><answer>happiness</answer>"
    paths = (
        write(tmp_path / "p.jsonl", [Prediction(id="f0", completion=said, model="m")]),
        write(tmp_path / "samples.jsonl", [*gold]),
    )
    rows, found = {}, {}
    for name, options in {"all": [], "listed": ["--aus", "12,6"]}.items():
        assert main([*map(str, paths), "-o", str(tmp_path / name), "--num-resamples", "5", *options]) == 0
        results = read_results(tmp_path / name)
        found[name] = {metric: results.metrics[metric].value for metric in ("au_micro_f1", "claim_recall", "au_set_f1")}
        [rows[name]] = read_scored(tmp_path / name / "samples.jsonl")
    assert [rate.name for rate in results.aus] == ["AU12", "AU06"]
    assert (rows["all"].au_false_alarms, rows["all"].au_misses) == (("AU04",), ("AU06", "AU17"))
    assert (rows["listed"].au_false_alarms, rows["listed"].au_misses, rows["listed"].omitted) == (
        (),
        ("AU06",),
        ("AU06",),
    )
    assert found["all"] == pytest.approx({"au_micro_f1": 0.4, "claim_recall": 1 / 3, "au_set_f1": 0.4})
    assert found["listed"] == pytest.approx({"au_micro_f1": 2 / 3, "claim_recall": 1 / 2, "au_set_f1": 2 / 3})


def test_lists_have_the_size_of_their_name() -> None:
    sizes = {"feafa24": 17}
    for name, protocol in PROTOCOLS.items():
        assert len(protocol.aus) == sizes.get(name, int("".join(filter(str.isdigit, name.lstrip("bp4d")))))
        assert list(protocol.aus) == sorted(set(protocol.aus))
        assert protocol.source


@pytest.mark.parametrize(
    ("text", "aus"), [("1,2, AU12", ("AU01", "AU02", "AU12")), ("au6_r", ("AU06",)), ("4,4", ("AU04",))]
)
def test_a_list_of_ones_own(text: str, aus: tuple[str, ...]) -> None:
    assert choose(text).aus == aus


@pytest.mark.parametrize(
    ("text", "hint"), [("disfa9", "did you mean 'disfa"), ("1,AU99", "'AU99' is neither"), ("", "'' is neither")]
)
def test_an_unknown_list_is_one_line(text: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        choose(text)


def test_detectors_are_compared_on_one_list_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fewer = [sample(i, {"AU12": 1.0, "AU04": 0.0}) for i in range(30)]
    first, second = score(tmp_path, name="a"), score(tmp_path, detected=fewer, name="b")
    with pytest.raises(ConfigError, match="not comparable: aus"):
        compare([str(first), str(second)])
    listed = [score(tmp_path, "--aus", "4,12", name="c"), score(tmp_path, "--aus", "4,12", detected=fewer, name="d")]
    capsys.readouterr()
    assert compare([*map(str, listed), "--num-resamples", "50"]) == 0
    told = capsys.readouterr().out
    assert "ICC(3,1)" in told
    assert "30 samples" in told
    assert "label" not in told


def test_events_of_a_clip_are_scored(tmp_path: Path) -> None:
    def clip(onset: float) -> Sample:
        event = Event(au="AU12", onset_s=onset, apex_s=2.0, offset_s=3.0, peak=3.0)
        face = Face(aus={"AU12": AU(value=3.0, kind="intensity")})
        return Sample(id="c", media=Media(kind="video", path="c.mp4"), faces=[face], events=[event])

    paths = write(tmp_path / "d.jsonl", [clip(1.25)]), write(tmp_path / "samples.jsonl", [clip(1.0)])
    assert main([*map(str, paths), "-o", str(tmp_path / "out"), "--num-resamples", "5"]) == 0
    results = read_results(tmp_path / "out")
    assert results.metrics["event_f1"].value == 1
    assert results.families["au_events"].table["AU12"]["event_onset_error"].value == 0.25


def test_pain_is_measured_too(tmp_path: Path) -> None:
    pain = {"AU04": 2.0, "AU06": 1.0, "AU07": 0.0, "AU09": 0.0, "AU10": 3.0}
    paths = (
        write(tmp_path / "d.jsonl", [sample(0, pain | {"AU04": 3.0})]),
        write(tmp_path / "samples.jsonl", [sample(0, pain)]),
    )
    assert main([*map(str, paths), "-o", str(tmp_path / "out"), "--metrics", "pain", "--num-resamples", "5"]) == 0
    assert read_results(tmp_path / "out").metrics["pspi_mae"].value == 1


def run(*arguments: object) -> None:
    assert emollm([*map(str, arguments)]) in (0, None)


def test_the_built_in_detector_on_rendered_faces(tmp_path: Path) -> None:
    run("faces", tmp_path / "f", "--num", 16, "--seed", 5)
    run("detect", tmp_path / "f" / "samples.jsonl", "-o", tmp_path / "d.jsonl")
    options = ("-o", tmp_path / "out", "--num-resamples", 50, "--no-report")
    run("score", tmp_path / "d.jsonl", tmp_path / "f" / "samples.jsonl", *options)
    results: Results = read_results(tmp_path / "out")
    assert (results.metrics["au_auc"].value or 0) > 0.85
    assert (results.metrics["au_icc"].value or 0) > 0.6
    assert (results.metrics["au_micro_f1"].value or 0) > 0.7
