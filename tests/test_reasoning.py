"""Metrics of reasoning: label consistency, entailment, the course of a clip.

A defect is shown as the rule that has it, on an answer where it goes wrong, beside ours on the same answer.
"""

from __future__ import annotations

import json
import random
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from answered import case, labelled, measured, metrics
from made_clips import made_clip

from data_engine.exp_cot.draft import Options
from data_engine.exp_cot.rules import teach
from emollm.answers.given import last_label
from emollm.claims import read_claims
from emollm.records import AU, Event, Face, Prediction, Reasoning, Sample, encode
from eval.metrics.consistency import FAMILY as CONSISTENCY
from eval.metrics.consistency import read_conclusion
from eval.metrics.course import FAMILY as COURSE
from eval.metrics.course import longest_common
from eval.metrics.entailment import FAMILY as ENTAILMENT
from eval.metrics.entailment import relation
from eval.metrics.family import Case
from eval.results import read_results
from eval.score import main

GOLD = Reasoning(
    observations="The brows are lowered and drawn together (AU4), and the lips are pressed.",
    interpretation="These signs of tension are consistent with anger.",
    conclusion="The expression is consistent with anger.",
)


def described(said: str | None, label: str = "anger", **aus: float) -> Case:
    faces = [Face(aus={name: AU(value=value, kind="intensity") for name, value in aus.items()})] if aus else None
    return case(Sample(id="s", label=label, label_set="basic7", reasoning=GOLD, faces=faces), said, "basic7")


# --- reasoning and answer ---------------------------------------------------------------------------------------------


def test_labels_of_reasoning_and_answer_are_compared() -> None:
    cases = [
        labelled("anger", "<think>Lowered brows suggest anger.</think><answer>anger</answer>"),
        labelled("anger", "<think>It could be anger; the pulled corners mean happiness.</think><answer>anger</answer>"),
        labelled("anger", "<think>The brows are lowered.</think><answer>anger</answer>"),
        labelled("anger", "<think>Not happiness, rather sadness.</think><answer>sadness</answer>"),
        labelled("anger", "anger"),
        labelled("anger", None),
    ]
    found = metrics(CONSISTENCY, cases)
    assert found["epc"] == pytest.approx(2 / 6)
    assert found["eea"] == pytest.approx(1 / 6)
    assert found["fcr"] == pytest.approx(1 / 6)
    assert found["right_without_reason"] == pytest.approx(3 / 4)
    assert found["reasoning_read_rate"] == pytest.approx(3 / 6)
    told = measured(CONSISTENCY, cases).notices
    assert told == [
        "consistency: 1 of 6 samples have no answer; they agree with nothing",
        "consistency: 1 of 5 answers bring no reasoning; they agree with nothing",
        "consistency: the reasoning of 1 of 4 answers affirms no single label; they agree with nothing",
    ]


def test_the_conclusion_of_sections_is_the_answer_and_no_reasoning() -> None:
    said = "**Key Observations**: A frown.\n**Overall Emotional Interpretation**: {}\n**Conclusion**: It is anger."
    agrees, differs = (labelled("anger", said.format(f"This suggests {word}.")) for word in ("anger", "fear"))
    lines = measured(CONSISTENCY, [agrees, differs]).lines
    assert lines == [(1, 1, 1, 1, 1, 1), (0, 0, 1, 0, 1, 1)]


def test_a_model_that_never_reasons_has_no_consistency() -> None:
    assert measured(CONSISTENCY, [labelled("anger", "anger"), labelled("fear", None)]).lines == [None, None]


NEGATIONS = ("no", "not", "nor", "n't", "never", "without")
KEYWORDS = {"happiness": ("smile", "happy", "happiness"), "anger": ("angry", "anger", "frown"), "sadness": ("sadness",)}


def by_keywords(text: str) -> str | None:
    """The rule of FABA: sentences with a negation, found as a substring, go; then the first keyword decides."""
    sentences = [one for one in text.lower().split(".") if not any(word in one for word in NEGATIONS)]
    hits = [label for one in sentences for label, words in KEYWORDS.items() if any(word in one for word in words)]
    return hits[0] if hits else None


@pytest.mark.parametrize(
    "text",
    [
        "The wrinkled nose and the lowered brows show anger.",
        "Another sign is the noticeable frown, which is consistent with anger.",
        "He seems annoyed, and what we know of the brows points to anger.",
        "Beyond a normal frown, the face is consistent with anger.",
    ],
)
def test_a_nose_is_no_negation(text: str) -> None:
    assert by_keywords(text) is None  # the sentence is gone
    assert read_conclusion(text, "basic7") == "anger"


def test_a_negation_reaches_its_clause_and_no_further() -> None:
    text = "There is no smile, so this is not happiness. The frown is consistent with anger."
    assert read_conclusion(text, "basic7") == "anger"
    assert read_conclusion("The lowered brows do not show anger.", "basic7") is None
    first_hit = next(label for label, words in KEYWORDS.items() if any(word in text for word in words))
    assert first_hit == "happiness"  # the rule without its filter


def test_words_that_stand_in_several_lists_decide_nothing() -> None:
    """FABA's lists have discomfort for disgust and sadness, curiosity for surprise and fear; no label owns them."""
    for word in ("discomfort", "curiosity", "displeased", "focus"):
        assert last_label(f"The face shows {word}.", "basic7") == (None, ())


# --- entailment -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gold", "said", "expected"),
    [
        ("The brows are lowered.", "AU4 is there.", "entailed"),
        ("The brows are lowered.", "The eyebrows are slightly lowered.", "entailed"),
        ("The forehead is wrinkled.", "AU4 is there.", "entailed"),
        ("AU4 is there.", "The forehead is wrinkled.", "neutral"),
        ("AU1 is there.", "The forehead is wrinkled.", "entailed"),
        ("The brows are slightly lowered.", "The brows are extremely lowered.", "contradicted"),
        ("The left brow is raised.", "The right brow is raised.", "contradicted"),
        ("The left brow is raised.", "The right brow is raised. The left brow is raised.", "entailed"),
        ("The brows are raised.", "The brows are not raised.", "contradicted"),
        ("No smile.", "A broad smile.", "contradicted"),
        ("No smile.", "There is no smile at all.", "entailed"),
        ("The brows are raised.", "There is no movement in the brows.", "contradicted"),
        ("The brows are raised.", "AU2 is absent.", "neutral"),  # AU1 may be meant
        ("AU2 is there.", "The brows are not raised.", "contradicted"),
        ("The brows are raised.", "The mouth is still.", "neutral"),
        ("The brows are raised.", "The lips are parted.", "neutral"),
        ("The brows rise at 0.4 s.", "The brows rise at 0.5 s.", "entailed"),
        ("The brows rise at 0.4 s.", "The brows rise at 2.5 s.", "contradicted"),
        ("The brows are lowered.", "", "neutral"),
        ("The forehead is not wrinkled.", "There is no AU1.", "neutral"),  # AU4 may be there
        ("There is no AU1.", "The forehead is not wrinkled.", "entailed"),
        ("There is no smile.", "The face is at rest.", "entailed"),
        ("The mouth is at rest.", "The face is at rest.", "entailed"),
        ("The face is at rest.", "There is no smile.", "neutral"),
        ("There is a smile.", "The face is at rest.", "contradicted"),
        ("There is no smile on the left.", "No smile.", "entailed"),
        ("No smile.", "There is no smile on the left.", "neutral"),
        ("No smile.", "There is no strong smile.", "neutral"),
        ("There is no strong smile.", "There is no strong smile.", "entailed"),
    ],
)
def test_what_one_text_says_about_a_claim_of_the_other(gold: str, said: str, expected: str) -> None:
    [claim] = read_claims(gold)
    assert relation(claim, read_claims(said)) == expected


def test_entailment_is_counted_in_both_directions() -> None:
    said = "The brows are lowered; the brows are lowered. A broad smile."
    [line] = measured(ENTAILMENT, [described(said)]).lines
    assert line == (2, 1, 0, 2, 1, 0)
    whole_gold = metrics(ENTAILMENT, [described(f"<think>{GOLD.observations}</think><answer>anger</answer>")])
    assert whole_gold["entailment_f1"] == 1
    assert metrics(ENTAILMENT, [described(None)])["entailment_f1"] == 0


def test_a_gold_description_without_a_face_does_not_count_and_is_told() -> None:
    voice = Reasoning(observations="The voice is loud.", interpretation="", conclusion="anger")
    found = measured(ENTAILMENT, [case(Sample(id="s", reasoning=voice), "A frown.", "basic7"), described("A frown.")])
    assert found.lines[0] is None
    assert found.notices == [
        "entailment: 1 gold descriptions say nothing of a face that could be read, and do not count"
    ]


# --- the course of a clip ---------------------------------------------------------------------------------------------


def clip(*events: tuple[str, float, float, float], said: str | None) -> Case:
    """A clip whose peak shows nothing but its last event; all AUs are measured."""
    names = {f"AU{number:02d}" for number in (1, 2, 4, 6, 9, 12, 15, 25, 26, 45)}
    aus = {name: AU(value=3.0 if name == events[-1][0] else 0.0, kind="intensity") for name in names}
    found = [Event(au=au, onset_s=a, apex_s=b, offset_s=c, peak=3.0) for au, a, b, c in events]
    return case(Sample(id="clip", faces=[Face(aus=aus)], events=found), said)


RISE_THEN_SMILE = (("AU04", 0.2, 0.5, 1.0), ("AU12", 2.0, 2.5, 3.0))


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("The brows are lowered, then the lip corners are pulled up.", (2, 2, 2, 2, 2)),
        ("The lip corners are pulled up, after the brows were lowered.", (2, 2, 2, 2, 1)),
        ("The lip corners rise, strongest at 2.5 s; the brows are lowered at 0.5 s.", (2, 2, 2, 2, 2)),
        ("The brows are lowered at 2.5 s.", (2, 0, 1, 0, 0)),
        ("The brows are lowered. The nose is wrinkled.", (2, 1, 2, 1, 1)),
        ("The brows are lowered. Lowered brows, once more.", (2, 1, 1, 1, 1)),
        ("The brows are lowered, and the chin is raised.", (2, 1, 1, 1, 1)),
        ("The brows are lowered, and AU45 is there.", (2, 1, 1, 1, 1)),
        ("No smile.", (2, 0, 0, 0, 0)),
        (None, (2, 0, 0, 0, 0)),
    ],
    ids=["in order", "swapped", "by their times", "at no such time", "a false one", "said twice", "not measured",
         "a blink", "only denied", "missing"],
)  # fmt: skip
def test_events_told_and_their_order(said: str | None, line: tuple[float, ...]) -> None:
    assert measured(COURSE, [clip(*RISE_THEN_SMILE, said=said)]).lines == [line]


def test_simultaneous_events_stand_in_any_order() -> None:
    events = (("AU04", 0.2, 0.5, 1.0), ("AU06", 2.0, 2.5, 3.0), ("AU12", 2.1, 2.5, 3.0))
    for smile in ("raised cheeks, then pulled lip corners", "pulled lip corners, then raised cheeks"):
        [line] = measured(COURSE, [clip(*events, said=f"Lowered brows, then {smile}.")]).lines
        assert line == (3, 3, 3, 3, 3), smile


def test_the_longest_common_sequence_is_that_of_all_subsets() -> None:
    def by_search(matches: list[list[bool]]) -> int:
        pairs = [(i, j) for i, row in enumerate(matches) for j, is_match in enumerate(row) if is_match]
        for size in range(min(len(matches), len(matches[0])), 0, -1):
            for chosen in combinations(pairs, size):
                if all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(chosen)):
                    return size
        return 0

    draw = random.Random(8)
    events = [Event(au="AU04", onset_s=float(n), apex_s=n + 0.1, offset_s=n + 0.2, peak=3.0) for n in range(4)]
    for _ in range(200):
        matches = [[draw.random() < 0.35 for _ in range(draw.choice((3, 4)))] for _ in range(4)]
        width = min(map(len, matches))
        matches = [row[:width] for row in matches]
        assert longest_common(matches, events) == by_search(matches)


@pytest.mark.parametrize("kind", ["intensity", "presence"])
def test_what_the_narrator_tells_of_any_clip_is_true_and_in_order(kind: str) -> None:
    cases = []
    for number in range(40):
        sample = made_clip(number, kind, random.Random(number).choice(("anger", "happiness", "fear")))
        draft = teach(sample, Options())
        assert draft.reasoning is not None
        cases.append(case(sample, draft.reasoning.observations))
    found = metrics(COURSE, cases)
    assert found["event_told_precision"] == 1
    assert found["tem_lcs_recall"] == found["event_told_recall"] > 0.98  # the strongest six are told


def test_a_still_and_a_clip_without_events_have_no_course() -> None:
    still = Sample(id="s", faces=[Face(aus={"AU04": AU(value=3.0, kind="intensity")})])
    assert measured(COURSE, [case(still, "Lowered brows.")]).lines == [None]


# --- all of it --------------------------------------------------------------------------------------------------------


def test_score_reports_reasoning_where_there_is_gold(tmp_path: Path) -> None:
    samples = [
        Sample(id=f"s{n}", label="anger", label_set="basic7", reasoning=GOLD, subject=f"p{n % 4}") for n in range(8)
    ]
    said = f"<think>{GOLD.observations}\n\nThis suggests anger.</think><answer>anger</answer>"
    predictions = [Prediction(id=f"s{n}", completion=said if n else "anger", model="m") for n in range(8)]
    paths = [tmp_path / "predictions.jsonl", tmp_path / "samples.jsonl"]
    for path, records in zip(paths, (predictions, samples), strict=True):
        path.write_bytes(b"\n".join(encode(record) for record in records))
    out = tmp_path / "out"
    assert main([*map(str, paths), "-o", str(out), "--num-resamples", "50"]) == 0
    results = read_results(out)
    assert {"wording", "consistency", "entailment"} <= set(results.families)
    assert not {"course", "questions"} & set(results.families)
    assert results.metrics["epc"].value == pytest.approx(7 / 8)
    rows = [json.loads(line) for line in (out / "samples.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["details"]["consistency"] for row in rows[1:]] == ["anger"] * 7
    assert (out / "report.html").read_text(encoding="utf-8").count("ROUGE-L") >= 1
