"""Metrics of reasoning: ROUGE against rouge-score, label consistency, entailment, the course of a clip, questions.

A defect is shown as the rule that has it, on an answer where it goes wrong, beside ours on the same answer.
"""

from __future__ import annotations

import json
import random
import re
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from answered import case, labelled, measured, metrics
from sklearn.metrics import f1_score

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
from eval.metrics.questions import FAMILY as QUESTIONS
from eval.metrics.questions import read_reply
from eval.metrics.rouge import common_subsequence, overlap, words_of
from eval.metrics.stemmer import stem
from eval.metrics.wording import AUS
from eval.metrics.wording import FAMILY as WORDING
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


# --- ROUGE ------------------------------------------------------------------------------------------------------------

VOCABULARY = """
the brows are lowered and drawn together raised lips pressed tightly smiling happily sadness relational dying skies ties
tied flies agreed hopping falling controlled generously analogically fully AU12, 3.5 y née don't naïve E-MOTION
classification oscillation organization yes eye eyed ab singing news inning
"""
ENDS = " s es ies ied ed ing eed ational logi logy fully ally ness ment ion ize ll e y alli bli ical"


def test_rouge_has_the_digits_of_rouge_score() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rouge1", "rouge2", "rougeL"], True)
    draw = random.Random(5)
    for _ in range(400):
        gold, said = (" ".join(draw.choices(VOCABULARY.split(), k=draw.randint(0, 30))) for _ in range(2))
        ours = overlap(words_of(gold), words_of(said))
        theirs = scorer.score(gold, said)
        assert ours == pytest.approx([theirs[name].fmeasure for name in ("rouge1", "rouge2", "rougeL")], abs=1e-14)


def test_stems_are_those_of_nltk() -> None:
    porter = pytest.importorskip("nltk.stem.porter").PorterStemmer()
    draw = random.Random(6)
    made = {
        "".join(draw.choices("aeiouybtlszwx", k=draw.randint(1, 6))) + draw.choice(ENDS.split(" "))
        for _ in range(20_000)
    }
    text = " ".join(path.read_text(encoding="utf-8") for path in (Path(__file__).parents[1]).glob("*/README.md"))
    words = made | set(re.findall("[a-z]+", text.lower()))
    assert [word for word in sorted(words) if stem(word) != porter.stem(word)] == []


def test_the_common_subsequence_is_that_of_the_table() -> None:
    def by_table(first: list[str], second: list[str]) -> int:
        table = np.zeros((len(first) + 1, len(second) + 1), dtype=int)
        for i, one in enumerate(first):
            for j, other in enumerate(second):
                table[i + 1, j + 1] = table[i, j] + 1 if one == other else max(table[i, j + 1], table[i + 1, j])
        return int(table[-1, -1])

    draw = random.Random(7)
    for _ in range(300):
        first, second = ([draw.choice("abcde") for _ in range(draw.randint(0, 90))] for _ in range(2))
        assert common_subsequence(first, second) == by_table(first, second)


@pytest.mark.parametrize(
    "said",
    [
        "<think>The brows are lowered.</think><answer>anger</answer>",
        "**Key Observations**: The brows are lowered.\n**Overall Emotional Interpretation**: \n**Conclusion**: ",
        "The brows are lowered.",
    ],
)
def test_the_explanation_is_compared_not_its_frame(said: str) -> None:
    [line] = measured(WORDING, [described(said)]).lines
    gold = f"{GOLD.observations}\n{GOLD.interpretation}\n{GOLD.conclusion}"
    assert line is not None
    assert line[:3] == overlap(words_of(gold), words_of("The brows are lowered."))


def test_a_missing_answer_scores_0_and_without_a_description_nothing_counts() -> None:
    silent, bare = measured(WORDING, [described(None), labelled("anger", "anger")]).lines
    assert silent is not None
    assert silent[:4] == (0, 0, 0, 0)
    assert bare is None


def test_chinese_characters_are_words_and_that_is_said() -> None:
    gold = Reasoning(observations="眉头紧锁，嘴唇紧闭。", interpretation="", conclusion="愤怒")
    found = measured(WORDING, [case(Sample(id="s", reasoning=gold), "眉头紧锁。愤怒", "basic7")])
    assert found.lines[0] is not None
    assert found.lines[0][0] == pytest.approx(2 * 6 / (10 + 6))
    assert "hold Chinese" in found.notices[0]


def test_rege_is_accuracy_or_au_f1_plus_rouge_l() -> None:
    there = {"AU04": 3.0, "AU12": 0.0, "AU24": 2.0, "AU25": 0.0}
    said = ["AU4. <answer>anger</answer>", "AU4 and AU12.", "AU25 and AU24."]
    cases = [described(f"<think>{one}</think>", **there) for one in said]
    cases.append(described("<think>AU12.</think><answer>anger</answer>", AU04=0.0, AU12=2.0, AU24=0.0, AU25=0.0))
    found = metrics(WORDING, cases)
    gold = [[1, 0, 1, 0]] * 3 + [[0, 1, 0, 0]]
    named = [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 0]]
    macro = f1_score(gold, named, average=None)[[0, 1, 2]].mean()  # AU25 never occurs in gold
    assert found["rege_au"] == pytest.approx(100 * (macro + found["rouge_l"]))
    assert found["rege"] == pytest.approx(100 * (2 / 4 + found["rouge_l"]))
    assert len(AUS) == 20


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
    assert told[0].startswith("consistency: 2 of 6 answers bring no reasoning")
    assert told[1].startswith("consistency: the reasoning of 1 of 4 answers affirms no single label")


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
        ("The brows are slightly lowered.", "The brows are extremely lowered.", "contradicted"),
        ("The left brow is raised.", "The right brow is raised.", "contradicted"),
        ("The left brow is raised.", "The right brow is raised. The left brow is raised.", "entailed"),
        ("The brows are raised.", "The brows are not raised.", "contradicted"),
        ("No smile.", "A broad smile.", "contradicted"),
        ("No smile.", "There is no smile at all.", "entailed"),
        ("The brows are raised.", "There is no movement in the brows.", "contradicted"),
        ("The brows are raised.", "The mouth is still.", "neutral"),
        ("The brows are raised.", "The lips are parted.", "neutral"),
        ("The brows rise at 0.4 s.", "The brows rise at 0.5 s.", "entailed"),
        ("The brows rise at 0.4 s.", "The brows rise at 2.5 s.", "contradicted"),
        ("The brows are lowered.", "", "neutral"),
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
    names = {f"AU{number:02d}" for number in (1, 2, 4, 6, 9, 12, 15, 25, 26)}
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
        ("No smile.", (2, 0, 0, 0, 0)),
        (None, (2, 0, 0, 0, 0)),
    ],
    ids=["in order", "swapped", "by their times", "at no such time", "a false one", "said twice", "not measured",
         "only denied", "missing"],
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


def test_a_still_and_a_clip_without_events_have_no_course() -> None:
    still = Sample(id="s", faces=[Face(aus={"AU04": AU(value=3.0, kind="intensity")})])
    assert measured(COURSE, [case(still, "Lowered brows.")]).lines == [None]


# --- questions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "gold", "reply"),
    [
        ("Yes, there is a smile.", "yes", "yes"),
        ("**No**.", "yes", "no"),
        ("The answer is yes.", "no", "yes"),
        ("Answer: no", "no", "no"),
        ("不是", "no", "no"),
        ("Nothing can be seen.", "no", None),
        ("I am not sure.", "no", None),
        ("(B) anger", "A", "B"),
        ("b) anger", "A", "B"),
        ("c", "A", "C"),
        ("Option D is right.", "A", "D"),
        ("I think the answer is C", "A", "C"),
        ("A smile is visible.", "A", None),
        ("Answer: A person smiles", "A", None),
        ("", "A", None),
    ],
)
def test_replies_to_questions(said: str, gold: str, reply: str | None) -> None:
    assert read_reply(said, gold) == reply


def asked(gold: str, said: str | None, kind: str) -> Case:
    return case(Sample(id="q", label=gold, groups={"question": kind}), said)


def test_accuracies_of_yes_and_of_no_have_their_own_names() -> None:
    """EmoReAlM calls them precision and recall, which a model that always says yes shows."""
    golds = ["yes"] * 2 + ["no"] * 6
    found = metrics(QUESTIONS, [asked(gold, "Yes.", "agreement") for gold in golds])
    right_of_yes, right_of_no = 2 / 2, 0 / 6
    published = {"precision": right_of_yes, "recall": right_of_no}
    assert (found["yes_accuracy"], found["no_accuracy"]) == (published["precision"], published["recall"])
    assert found["yes_precision"] == 2 / 8  # what the word means, and is not 1
    assert found["yes_f1"] == pytest.approx(f1_score([1] * 2 + [0] * 6, [1] * 8))
    assert found["yes_rate"] == 1
    assert found["yes_no_harmonic"] == 0


def test_kinds_of_question_count_the_same_and_missing_answers_are_wrong() -> None:
    cases = [asked("yes", "yes", "agreement")] * 3 + [asked("B", "(B)", "reasoning"), asked("C", None, "reasoning")]
    found = metrics(QUESTIONS, cases)
    assert found["questions_mean"] == pytest.approx((1 + 1 / 2) / 2)
    assert found["choice_accuracy"] == 1 / 2
    assert measured(QUESTIONS, cases).notices[0].startswith("questions: 1 of 5 answers")


def test_other_labels_ask_no_question() -> None:
    assert measured(QUESTIONS, [labelled("anger", "Yes")]).lines == [None]


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
