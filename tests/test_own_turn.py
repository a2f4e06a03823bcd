"""The model's own turn: what a model invents behind its answer, or repeats before it, changes no number."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from answered import case, context
from paid import OPEN, SAD, box, listen

from emollm.chat import print_checked
from emollm.records import Prediction, Reasoning, Sample
from emollm.scoring import score_sample
from emollm.train.rewards import REWARDS, Heard
from eval.intervene.door import read
from eval.judge.family import find_subjects
from eval.metrics import compound, dimensional, entailment, pain, wording
from eval.report.explanation import explanation
from eval.rows import score_row

SAID = (
    "**Key Observations**: The cheeks are raised.\n**Overall Emotional Interpretation**: It fits sadness.\n"
    "**Conclusion**: The face shows sadness."
)
CLAIMS = f"AU1C {box('brows')}, AU4C, AU15C. PSPI: 4, valence: -0.5. Sadly fearful."
GOLD = Reasoning(observations="The inner brows are raised.", interpretation="It fits.", conclusion="Sadness.")
EXPLAINED = Sample(
    id="1", label="sadness", label_set="basic7", faces=SAD.faces, reasoning=GOLD, valence=-0.5, arousal=0.1
)
AROUND = {
    "an invented turn": f"{SAID}\nUser: Which action units?\nAssistant: {CLAIMS}",
    "an invented question": f"{SAID}\n\nQuestion: Which action units?\nAnswer: {CLAIMS}",
    "a repeated question": f"user\nMeasured: {CLAIMS}\nassistant\n{SAID}",
    "both": f"user\n{CLAIMS}\nassistant\n{SAID}<|im_end|>\n<|im_start|>user\n{CLAIMS}",
}
BESIDE = pytest.mark.parametrize("text", AROUND.values(), ids=AROUND)


@BESIDE
def test_it_says_nothing_of_the_face(text: str) -> None:
    alone, score, start = score_sample(SAD, SAID), score_sample(SAD, text), text.index(SAID)
    assert (score.precision, score.recall, score.au_f1) == (alone.precision, alone.recall, alone.au_f1) == (0, 0, 0)
    assert alone.check is not None
    assert score.check is not None
    places = [(one.claim.start + start, one.claim.end + start) for one in alone.check.checked]
    assert [(one.claim.start, one.claim.end) for one in score.check.checked] == places
    assert text[slice(*places[0])] == "cheeks are raised"


@BESIDE
@pytest.mark.parametrize("name", [name for name in REWARDS if name != "format"])
def test_no_reward_pays_for_it(name: str, text: str) -> None:
    def paid(completion: str, sample: Sample = SAD) -> float | None:
        return REWARDS[name](listen(sample, completion, "sections"))

    assert paid(text) == paid(SAID)
    assert paid(text, OPEN) == paid(SAID, OPEN)


def test_it_is_out_of_form_in_every_style() -> None:
    def formed(completion: str) -> float | None:
        heard: Heard = listen(SAD, completion, "observations")
        return REWARDS["format"](heard)

    assert formed("The cheeks are raised.") == 1
    assert formed("The cheeks are raised.\nUser: Which?\nAssistant: The brows are lowered.") == 0


@BESIDE
def test_no_family_counts_it(text: str) -> None:
    bare = Sample(id="1", label="sadness", label_set="basic7", reasoning=GOLD)
    for sample in (EXPLAINED, bare, Sample(id="1", label="sadly fearful", label_set="rafdb_compound11")):
        alone, whole = (case(sample, said) for said in (SAID, text))
        for family in (entailment, wording, dimensional, pain, compound):
            assert family.FAMILY.measure([whole], context()).lines == family.FAMILY.measure([alone], context()).lines
        rows = [score_row(one, context()) for one in (alone, whole)]
        assert rows[0].said == rows[1].said == SAID
        assert (rows[0].au_set_f1, rows[0].labels_f1) == (rows[1].au_set_f1, rows[1].labels_f1)
        assert [claim.text for claim in rows[0].claims] == [claim.text for claim in rows[1].claims]


@BESIDE
def test_nobody_else_is_shown_it_as_the_answer(text: str, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_bytes(msgspec.json.encode(Prediction(id="1", completion=text, model="n")))
    (subject,) = find_subjects([case(EXPLAINED, text)], other)
    assert subject is not None
    assert subject.said == subject.other == SAID
    assert read(EXPLAINED, Prediction(id="1", completion=text, model="m"), "basic7").answer.text == SAID


@BESIDE
def test_the_report_sets_it_back_and_marks_the_claims_of_the_answer(text: str) -> None:
    page = str(explanation(score_row(case(EXPLAINED, text), context())))
    assert page.count('class="apart"') == sum(bool(beside) for beside in text.split(SAID))
    assert "cheeks are raised</mark>" in page
    assert page.count("<mark") == 1
    assert page.count("AU15C") == text.count("AU15C")


def test_chat_counts_the_claims_of_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert SAD.faces
    print_checked(AROUND["an invented turn"], SAD.faces[0])
    assert "0 supported, 1 contradicted" in capsys.readouterr().out
