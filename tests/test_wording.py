"""ROUGE against rouge-score, its stems against nltk, CIDEr against pycocoevalcap, and REGE against scikit-learn."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest
from answered import case, labelled, measured, metrics
from sklearn.metrics import f1_score

from emollm.records import AU, Face, Reasoning, Sample
from eval.metrics.cider import Cider, plain_words
from eval.metrics.family import Case
from eval.metrics.rouge import common_subsequence, overlap, words_of
from eval.metrics.stemmer import stem
from eval.metrics.wording import AUS
from eval.metrics.wording import FAMILY as WORDING

GOLD = Reasoning(
    observations="The brows are lowered and drawn together (AU4), and the lips are pressed.",
    interpretation="These signs of tension are consistent with anger.",
    conclusion="The expression is consistent with anger.",
)


def described(said: str | None, label: str = "anger", **aus: float) -> Case:
    faces = [Face(aus={name: AU(value=value, kind="intensity") for name, value in aus.items()})] if aus else None
    return case(Sample(id="s", label=label, label_set="basic7", reasoning=GOLD, faces=faces), said, "basic7")


VOCABULARY = """
the brows are lowered and drawn together raised lips pressed tightly smiling happily sadness relational dying skies ties
tied flies agreed hopping falling controlled generously analogically fully AU12, 3.5 y née don't naïve E-MOTION
classification oscillation organization yes ye was wa eye eyed ab singing news inning
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


def test_cider_has_the_digits_of_pycocoevalcap() -> None:
    scorer = pytest.importorskip("pycocoevalcap.cider.cider_scorer").CiderScorer(n=4, sigma=6.0)
    draw = random.Random(8)
    words = VOCABULARY.split()[:14]
    pairs = [[draw.choices(words, k=draw.randint(low, 30)) for low in (1, 0)] for _ in range(200)]
    for gold, said in pairs:
        scorer += (" ".join(said), [" ".join(gold)])
    mean, theirs = scorer.compute_score()
    cider = Cider(gold for gold, _ in pairs)
    ours = [cider.score(gold, said) for gold, said in pairs]
    assert mean > 0.1
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_cider_of_one_description_is_not_known() -> None:
    alone = described(f"{GOLD.observations} {GOLD.interpretation} {GOLD.conclusion}")
    assert np.isnan(metrics(WORDING, [alone])["cider"])
    other = Sample(id="t", reasoning=Reasoning("The lip corners are pulled up.", "They smile.", "Joy."))
    assert metrics(WORDING, [alone, case(other, None, "basic7")])["cider"] == pytest.approx(10 / 2)


def test_words_of_cider_are_written_words() -> None:
    assert plain_words("Née: AU12, don't 眉头") == ["née", "au12", "don", "t", "眉", "头"]


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
    assert silent[:5] == (0, 0, 0, None, 0)
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
