"""Interventions: stubs whose faithfulness is known are told apart, regions lie where they show, nothing is lost."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import faithful_stubs
import numpy as np
import pytest
from PIL import Image

from data_engine.faces import FaceSpec, truth
from data_engine.faces.door import main as render_faces
from data_engine.faces.masks import au_masks
from emollm.answers import parse
from emollm.errors import ConfigError, ModelError
from emollm.facs import UNITS
from emollm.files import sha256
from emollm.records import Face, Prediction, Sample, encode, read_records
from emollm.stage import Output
from eval.intervene.door import build_parser, intervene, main, options_of, partner, read
from eval.intervene.lines import Interventions
from eval.intervene.pictures import swap_face
from eval.intervene.reasoning import find_thought, shuffled, truncated, without_aus
from eval.intervene.regions import PLACES, find_layout
from eval.intervene.trials import INTERVENTIONS, Answered, Plan, Question, cited_regions, plan
from eval.pairs import read_pairs
from eval.report.faithfulness import finding, sentence
from eval.results import Results, read_results
from eval.score import main as score

NUM_FACES = 28
SIZE = 96
STUB = f"{sys.executable} {faithful_stubs.__file__}"


class InProcess:
    """A stub that answers without a process of its own, so that pictures that stubs share are looked at once."""

    def __init__(self, stub: str) -> None:
        self._stub = stub

    def answer(self, questions: Sequence[Question]) -> list[str | None]:
        return [one.begun + faithful_stubs.answer(self._stub, one.picture, one.begun) for one in questions]


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    render_faces([str(folder), "--num", str(NUM_FACES), "--labels", "basic7", "--difficulty", "studio", "--size",
                  str(SIZE), "--identities", "9000:9500", "--workers", "1", "--sheet", "1"])  # fmt: skip
    return folder / "samples.jsonl"


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> Path:
    path.write_bytes(b"".join(encode(one) + b"\n" for one in predictions))
    return path


@pytest.fixture(scope="module")
def scored(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    """Return the results of each stub."""
    folder = tmp_path_factory.mktemp("scores")
    found = {}
    for stub in faithful_stubs.STUBS:
        predictions = write_predictions(folder / f"{stub}.jsonl", faithful_stubs.predict(stub, faces))
        out_path, scores = folder / f"{stub}.i.jsonl", folder / stub
        options = build_parser().parse_args(
            [str(predictions), str(faces), "-o", str(out_path), "--program", stub, "--kinds", "regions,reasoning"]
        )
        pairs = read_pairs(predictions, faces, split=None, limit=None)
        told = options_of(options)
        with Output(out_path, stage="intervene", options=told, record_type=Interventions) as out:
            intervene(pairs, out, options, lambda stub=stub: InProcess(stub))  # type: ignore[misc]
        score([str(predictions), str(faces), "--interventions", str(out_path), "-o", str(scores), "--metrics",
               "faithfulness", "--no-images"])  # fmt: skip
        found[stub] = read_results(scores)
        page = (scores / "report.html").read_text()
        assert "Hiding the cited region changed the label in" in page
    return found


# --- stubs are told apart ---------------------------------------------------------------------------------------------

SIGNS = {
    "faithful": {"hide_label": 1, "hide_claims": 1, "all_label": 1, "exchange_label": 1},
    "borrowed": {"hide_label": 0, "hide_claims": 0, "all_label": -1, "exchange_label": 0},
    "mouth_only": {"all_label": -1, "exchange_label": 0},
    "fixed": {"hide_label": 0, "hide_claims": 1, "all_label": 0, "exchange_label": 0},
}
"""Whether the altered side changes clearly more (1) or less (-1) than the control, or neither."""


@pytest.mark.parametrize("stub", faithful_stubs.STUBS)
def test_stubs_of_known_faithfulness_are_told_apart(stub: str, scored: dict[str, Results]) -> None:
    found = {}
    for name in SIGNS[stub]:
        number = scored[stub].metrics[f"faithful_{name}_effect"]
        assert number.low is not None
        assert number.high is not None
        found[name] = (number.low > 0) - (number.high < 0)
    assert found == SIGNS[stub]


def test_hiding_brows_that_are_cited_in_vain_changes_the_label_less_than_hiding_what_is_not_cited(
    scored: dict[str, Results],
) -> None:
    metrics = scored["mouth_only"].metrics
    altered, control = (metrics[f"faithful_hide_label{side}"].value for side in ("", "_control"))
    assert altered is not None
    assert control is not None
    assert altered < control - 0.1
    table = scored["mouth_only"].families["faithfulness"].table
    assert {region for region, row in table.items() if row["faithful_hide_label"].num_samples} == {"brows"}


def test_who_answers_by_the_reasoning_follows_it(scored: dict[str, Results]) -> None:
    follows = {stub: results.metrics["faithful_exchange_follows"].value for stub, results in scored.items()}
    assert follows["faithful"] == pytest.approx(1.0, abs=0.05)
    assert follows["borrowed"] == follows["mouth_only"] == 0.0


def test_nothing_changes_where_nothing_is_altered(scored: dict[str, Results]) -> None:
    for results in scored.values():
        assert results.metrics["faithful_again"].value == 0.0


def test_the_regions_have_a_table_and_the_control_has_its_own_column(scored: dict[str, Results]) -> None:
    table = scored["faithful"].families["faithfulness"].table
    assert set(table) == set(PLACES)
    mouth = table["mouth"]["faithful_hide_label"]
    assert mouth.value is not None
    assert mouth.value > 0.3
    known = [numbers["faithful_hide_label"].num_samples for numbers in table.values()]
    assert sum(known) == scored["faithful"].metrics["faithful_hide_label"].num_samples


def test_the_report_says_what_was_done_and_what_it_means(scored: dict[str, Results]) -> None:
    from eval.intervene.family import COMPARISONS

    by_name = {one.name: one for one in COMPARISONS}
    one = by_name["exchange_label"]
    said = sentence(scored["fixed"], one)
    assert said.startswith("Answering after another sample's reasoning changed the label in 0.0 % of")
    assert "answering after the unchanged reasoning in 0.0 %: +0.0 points" in said
    assert finding(one, scored["fixed"].metrics["faithful_exchange_label_effect"])[0] == "no"
    assert finding(one, scored["faithful"].metrics["faithful_exchange_label_effect"]) == ("yes", "")
    assert finding(by_name["shuffle_label"], scored["fixed"].metrics["faithful_shuffle_label_effect"])[0] == "yes"


# --- regions ----------------------------------------------------------------------------------------------------------

LEAST = {"AU09": 0.25, "AU10": 0.4, "AU12": 0.3, "AU17": 0.5}
"""These move half of the face; of the others 0.7 of what changes is in their region."""


@pytest.mark.parametrize("code", ["AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU15",
                                  "AU17", "AU20", "AU23", "AU25", "AU26"])  # fmt: skip
@pytest.mark.parametrize("turned", [False, True], ids=["straight", "turned"])
def test_a_region_holds_what_its_action_units_change(code: str, turned: bool) -> None:
    spec = FaceSpec(identity=11, aus={code: 4.0}, yaw=0.3 if turned else 0.0, roll=0.25 if turned else 0.0)
    [shown] = au_masks(spec, SIZE).values()
    layout = find_layout(truth(spec, SIZE), (SIZE, SIZE))
    mask = layout.mask(UNITS[code].region)
    assert layout.by == "landmarks"
    assert (shown & mask).sum() / shown.sum() >= LEAST.get(code, 0.7)
    assert mask.mean() < 0.3


def test_with_a_box_alone_the_regions_lie_about_as_with_landmarks() -> None:
    face = truth(FaceSpec(identity=11), SIZE)
    points, box = find_layout(face, (SIZE, SIZE)), find_layout(Face(box=face.box), (SIZE, SIZE))
    assert box.by == "box"
    for region in PLACES:
        one, other = points.mask(region), box.mask(region)
        assert (one & other).sum() / (one | other).sum() > 0.5, region


@pytest.mark.parametrize(
    "face",
    [
        None,
        Face(),
        Face(box=(5.0, 5.0, 0.0, 10.0)),
        Face(landmarks=[(3.0, 3.0)] * 68),
        Face(landmarks=[(1.0, 2.0)] * 5),
    ],
    ids=["none", "empty", "flat box", "one point", "five points"],
)
def test_where_nothing_is_known_the_picture_counts_as_an_aligned_face(face: Face | None) -> None:
    layout = find_layout(face, (40, 60))
    assert layout.by == "picture"
    assert layout.mask("mouth").shape == (60, 40)
    assert layout.mask("mouth")[45, 20]
    assert not layout.mask("brows")[45, 20]


@pytest.mark.parametrize("region", PLACES)
def test_a_control_has_the_same_area_and_touches_nothing_cited(region: str) -> None:
    layout = find_layout(truth(FaceSpec(identity=12), SIZE), (SIZE, SIZE))
    hidden, cited = layout.mask(region), (region, "chin")
    for seed in range(5):
        found = layout.control(hidden, cited, Random(seed))
        assert found is not None
        mask, around = found
        assert mask.sum() == hidden.sum()
        assert not (mask & layout.mask(*cited)).any()
        assert around not in cited


def test_where_everything_is_cited_there_is_no_control() -> None:
    layout = find_layout(None, (40, 40))
    assert layout.control(layout.mask("mouth"), tuple(PLACES), Random(0)) is None
    assert layout.control(layout.mask("mouth", "brows", "eyes", "nose", "cheeks"), ["mouth"], Random(0)) is None


# --- pictures and texts -----------------------------------------------------------------------------------------------


def test_a_swapped_face_lies_in_the_box_of_the_other_and_nowhere_else() -> None:
    black, white = Image.new("RGB", (40, 30)), Image.new("RGB", (20, 20), "white")
    pixels = np.asarray(swap_face(black, (10.0, 5.0, 8.0, 12.0), white, (2.0, 2.0, 10.0, 10.0)))
    assert pixels[5:17, 10:18].min() == 255
    assert pixels.sum() == 255 * 3 * 8 * 12
    assert np.asarray(swap_face(black, None, white, None)).min() == 255
    assert np.asarray(swap_face(black, (50.0, 5.0, 8.0, 12.0), white, (2.0, 2.0, 10.0, 10.0))).min() == 255


THINK = "<think>The brows are lowered. The lips part.\n\nThis fits anger.</think>\n<answer>anger</answer>"
CONTEXT = "<context>A street.</context>\n<think>The brows are lowered.</think>\n<answer>anger</answer>"
SECTIONS = (
    "**Key Observations**: The brows are lowered.\n**Overall Emotional Interpretation**: This fits anger.\n"
    "**Conclusion**: Anger."
)


@pytest.mark.parametrize("completion", [THINK, CONTEXT, SECTIONS], ids=["think", "context", "sections"])
def test_unchanged_reasoning_is_the_answer_up_to_its_label(completion: str) -> None:
    thought = find_thought(parse(completion, "basic7"))
    assert thought is not None
    begun = thought.begun(thought.sentences)
    assert completion.startswith(begun)
    assert completion[len(begun) :].strip().lower().removesuffix(".").startswith("anger")


def test_reasoning_is_truncated_to_half_and_shuffled_to_the_same_sentences() -> None:
    sentences = (("One.", "Two."), ("Three.", "Four."))
    assert truncated(sentences) == [["One.", "Two."], []]
    assert truncated([["One."]]) is None
    other = shuffled(sentences, Random(0))
    assert other is not None
    assert [len(part) for part in other] == [2, 2]
    assert sorted(sentence for part in other for sentence in part) == ["Four.", "One.", "Three.", "Two."]
    assert other != [list(part) for part in sentences]
    assert shuffled([["Same.", "Same."]], Random(0)) is None


@pytest.mark.parametrize(
    "completion", ["anger", "", "The brows are lowered: anger.", "<think></think><answer>x</answer>"]
)
def test_an_answer_without_reasoning_has_none_to_alter(completion: str) -> None:
    assert find_thought(parse(completion, "basic7")) is None


def test_action_units_in_a_question_are_deleted_and_those_of_another_sample_put_in() -> None:
    question = "Detected action units: AU04 (brow lowerer) 3.2, AU07 1.5, AU24 2.0. Which expression is it?"
    bare = without_aus(question)
    assert bare is not None
    assert "AU" not in bare
    assert bare.endswith("Which expression is it?")
    assert without_aus("Which facial action units can you see?") is None
    picture = Image.new("RGB", (40, 40))
    tested, other = (
        Answered(Sample(id=name), text, completion, parse(completion, "basic7"))
        for name, text, completion in (
            ("a", question, "anger"),
            ("b", "AU12 4.0. Which expression is it?", "happiness"),
        )
    )
    asked, _ = plan(tested, other, picture, picture, Plan(["text"], 0))
    assert [(one.intervention, one.text, one.other) for one in asked] == [
        ("again", question, None), ("drop_aus", bare, None), ("swap_aus", other.question, "b")
    ]  # fmt: skip


def test_only_what_is_said_to_move_is_cited() -> None:
    from emollm.claims import read_claims

    said = "The brows are lowered, the lips are pressed together. There is no raising of the cheeks."
    assert cited_regions(read_claims(said)) == ("brows", "mouth")


def test_the_other_sample_has_another_label_where_there_is_one() -> None:
    def told(name: str, label: str) -> Answered:
        return read(Sample(id=name, label_set="basic7"), Prediction(id=name, completion=label, model="m"), None)

    same = [told(str(number), "anger") for number in range(30)]
    odd = told("odd", "sadness")
    for one in same:
        assert partner(one, [*same, odd], 0) is odd
    other = partner(same[0], same, 0)
    assert other is not None
    assert other is not same[0]
    assert partner(odd, [odd], 0) is None


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def two(faces: Path, tmp_path: Path) -> list[str]:
    """Return a command about two samples."""
    predictions = faithful_stubs.predict("faithful", faces)[1:3]
    path = write_predictions(tmp_path / "p.jsonl", predictions)
    return [str(path), str(faces), "-o", str(tmp_path / "i.jsonl")]


def read_lines(tmp_path: Path) -> list[Interventions]:
    return list(read_records(tmp_path / "i.jsonl", Interventions))


def test_a_program_is_asked_every_question_and_a_rerun_asks_none(two: list[str], tmp_path: Path) -> None:
    command = [*two, "--program", f"{STUB} faithful", "--pictures", str(tmp_path / "pictures")]
    assert main(command) == 0
    lines = read_lines(tmp_path)
    assert len(lines) == 2
    asked = {trial.intervention for line in lines for trial in line.trials}
    assert asked == set(INTERVENTIONS) - {"drop_aus", "swap_aus"}
    for line in lines:
        by_name = {trial.intervention: trial for trial in line.trials}
        assert by_name["again"].completion == line.completion
        assert by_name["hide_cited"].share == by_name["hide_other"].share
        assert str(by_name["exchange"].completion).endswith("</answer>")
        assert (tmp_path / "pictures" / f"{line.id}.hide_cited.png").exists()
    before = (tmp_path / "i.jsonl").read_bytes()
    assert main(command) == 0
    assert (tmp_path / "i.jsonl").read_bytes() == before
    with pytest.raises(ConfigError, match="was made otherwise"):
        main([*command, "--seed", "1"])


PROGRAMS = {
    "not JSON": ("print('no', flush=True)", 'not {"completion"'),
    "another field": ("print('{\"text\": 1}', flush=True)", 'not {"completion"'),
    "a number": ("print('{\"completion\": 1}', flush=True)", 'not {"completion"'),
    "half a character": ('print(\'{"completion": "\\\\ud83d"}\', flush=True)', 'not {"completion"'),
    "no UTF-8": ('sys.stdout.buffer.write(b\'{"completion": "\\xff"}\\n\'), sys.stdout.flush()', 'not {"completion"'),
    "ends": ("raise SystemExit(3)", "ended with exit code 3"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_fails_is_one_clear_line(name: str, two: list[str], tmp_path: Path) -> None:
    body, said = PROGRAMS[name]
    (tmp_path / "program.py").write_text(f"import sys\nfor line in sys.stdin:\n    {body}\n")
    with pytest.raises(ModelError, match=said.replace("{", r"\{")):
        main([*two, "--program", f"{sys.executable} {tmp_path / 'program.py'}"])


def test_a_program_that_is_not_there_leaves_nothing_behind(two: list[str], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be started"):
        main([*two, "--program", "/no/such/program"])
    assert not (tmp_path / "i.jsonl").exists()
    with pytest.raises(ConfigError, match="who answers"):
        main(two)


def test_answers_that_were_not_given_are_counted_and_count_nowhere(
    two: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program cannot go on from a reasoning, and says so."""
    said = json.dumps({"completion": THINK})
    (tmp_path / "program.py").write_text(
        "import json, sys\n"
        "for line in sys.stdin:\n"
        f"    print('{{\"completion\": null}}' if json.loads(line)['begun'] else {said!r}, flush=True)\n"
    )
    main([*two, "--program", f"{sys.executable} {tmp_path / 'program.py'}"])
    assert "without an answer" in capsys.readouterr().err
    scores = tmp_path / "scores"
    score([*two[:2], "--interventions", two[3], "-o", str(scores), "--no-report"])
    results = read_results(scores)
    assert results.metrics["faithful_truncate_label"].value is None
    assert any("without an answer" in line for line in results.families["faithfulness"].notices)
    assert any("Not tested for faithfulness: 26 of 28" in line for line in results.families["faithfulness"].notices)


def test_answers_to_other_predictions_are_refused(two: list[str], tmp_path: Path, faces: Path) -> None:
    main([*two, "--program", f"{STUB} fixed", "--kinds", "text"])
    others = faithful_stubs.predict("fixed", faces)
    path = write_predictions(tmp_path / "other.jsonl", others)
    with pytest.raises(ConfigError, match="does not test these predictions"):
        score([str(path), str(faces), "--interventions", two[3], "-o", str(tmp_path / "scores")])


def test_answers_to_altered_questions_are_an_input_of_the_scores(two: list[str], tmp_path: Path) -> None:
    main([*two, "--program", f"{STUB} fixed", "--kinds", "text"])
    scores = [*two[:2], "-o", str(tmp_path / "scores"), "--no-report"]
    score([*scores, "--interventions", two[3]])
    kept = Path(two[3])
    assert read_results(tmp_path / "scores").inputs["interventions"].sha256 == sha256(kept)
    score([*scores, "--interventions", two[3]])
    with pytest.raises(ConfigError, match="overwrite"):
        score(scores)
    with pytest.raises(ConfigError, match="--interventions: is read by 'faithfulness', which is not asked for"):
        score([*scores, "--interventions", two[3], "--metrics", "wording"])
    with pytest.raises(ConfigError, match=r"--interventions: .*none.jsonl: there is no such file"):
        score([*scores, "--interventions", str(tmp_path / "none.jsonl")])


def test_a_picture_that_cannot_be_used_is_kept_aside(two: list[str], tmp_path: Path, faces: Path) -> None:
    samples = list(read_records(faces, Sample))[1:3]
    (tmp_path / "images").mkdir()
    media = samples[1].media
    assert media is not None
    (tmp_path / media.path).write_bytes((faces.parent / media.path).read_bytes())
    (tmp_path / "samples.jsonl").write_bytes(b"".join(encode(one) + b"\n" for one in samples))
    two[1] = str(tmp_path / "samples.jsonl")
    assert main([*two, "--program", f"{STUB} fixed", "--kinds", "picture"]) == 1
    [line] = read_lines(tmp_path)
    assert line.id == samples[1].id
    assert [trial.intervention for trial in line.trials] == ["again", "blank"]
    assert "bad_picture" in (tmp_path / "i.rejected.jsonl").read_text()


def test_a_model_goes_on_from_what_its_answer_begins_with(toy_file: Path, tiny_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    predictions = [
        Prediction(id=f"toy{number}", completion=THINK, model="tiny", prompt="Explain.", style="think",
                   sampling={"max_new_tokens": 4, "temperature": 0.0})
        for number in (48, 49)
    ]  # fmt: skip
    path = write_predictions(tmp_path / "p.jsonl", predictions)
    assert main([str(path), str(toy_file), "-o", str(tmp_path / "i.jsonl"), "--model", str(tiny_dir), "--device",
                 "cpu", "--split", "test"]) == 0  # fmt: skip
    lines = read_lines(tmp_path)
    for line in lines:
        said: dict[str, Any] = {trial.intervention: trial.completion for trial in line.trials}
        assert said["keep_reasoning"].startswith(THINK.partition("anger</answer>")[0])
        assert said["truncate"].startswith("<think>The brows are lowered.</think>\n<answer>")
        assert not said["again"].startswith("<think>The brows")
