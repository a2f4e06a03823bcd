"""`emollm score --metrics judge` against a judge on this machine: numbers, pins, coverage, money, and people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from judging import ANSWERS, SAMPLES, score, values, write
from stub_judge import StubJudge

from emollm.errors import ConfigError, RecordError
from emollm.records import Prediction, Reasoning, Sample
from eval import compare
from eval.results import read_results
from eval.score import main
from eval.scored import read_scored

pytest.importorskip("aiohttp", reason="the extra `teacher` is not installed")


class Moody(StubJudge):
    """Matches the first clue in every second verdict, and the labels always."""

    def verdict(self, prompt: str, obeys: bool) -> dict[str, Any] | str:
        told = super().verdict(prompt, obeys)
        if isinstance(told, dict) and "clue_1" in told:
            told |= {"clue_1": "matched" if self.calls % 2 else "contradicted", "label": "same"}
        return told


# --- the modes --------------------------------------------------------------------------------------------------------


def test_legacy_scores_both_overlaps(tmp_path: Path) -> None:
    with StubJudge() as endpoint:
        endpoint.keeps = True
        results = read_results(score(tmp_path, endpoint.url, "--judge-mode", "legacy"))
        prompts = [json.loads(body)["messages"][0]["content"] for _, _, body in endpoint.requests]
    assert values(results) == {"judge_clue_overlap": 2, "judge_label_overlap": 2, "judge_coverage": 1}
    assert results.families["judge"].pins["language"] == "zh"
    assert all("<data> " in prompt for prompt in prompts)
    # Six answers are scored and summed up; one gold description, and the two words of it and them, are the same.
    assert len(prompts) == 6 + (6 + 1) + 1


def test_v2_counts_clues_and_labels(tmp_path: Path) -> None:
    with Moody() as endpoint:
        out = score(tmp_path, endpoint.url, "--judge-samples", "3")
    results = read_results(out)
    found = values(results)
    assert found["judge_clue_recall"] + found["judge_clue_contradiction"] == pytest.approx(0.5)
    assert (found["judge_label_same"], found["judge_label_related"], found["judge_label_same_noise"]) == (1, 1, 0)
    assert found["judge_clue_recall_noise"] == pytest.approx(found["judge_clue_contradiction_noise"])
    assert 0 < found["judge_clue_recall_noise"] < 0.3
    assert results.metrics["judge_clue_recall"].num_clusters == 3
    detail = next(read_scored(out / "samples.jsonl")).details["judge"]
    assert detail["clues"] == ["smiles", "speaks softly"]
    assert len(detail["verdicts"]) == 3


def test_noise_is_the_spread_of_the_mean_over_verdicts(tmp_path: Path) -> None:
    with Moody() as endpoint:
        out = score(tmp_path, endpoint.url, "--judge-samples", "4")
    rows = [row.details["judge"]["verdicts"] for row in read_scored(out / "samples.jsonl")]
    shares = [[verdict["clues"].count("matched") / 2 for verdict in row] for row in rows]
    means = [sum(row) / 4 for row in shares]
    variance = sum(sum((x - m) ** 2 for x in row) / 3 / 4 for row, m in zip(shares, means, strict=True))
    found = values(read_results(out))
    assert found["judge_clue_recall"] == pytest.approx(sum(means) / 6)
    assert found["judge_clue_recall_noise"] == pytest.approx(1.959964 * variance**0.5 / 6)


def test_pairs_are_asked_in_both_orders(tmp_path: Path) -> None:
    class First(StubJudge):
        """Always prefers what stands first."""

        def verdict(self, *_: Any) -> dict[str, Any] | str:
            return {"because": "", "better": "first"}

    class Knowing(StubJudge):
        """Always prefers the pressed lips."""

        def verdict(self, prompt: str, *_: Any) -> dict[str, Any] | str:
            return {"because": "", "better": "first" if prompt.index("pressed") < prompt.index("A face") else "second"}

    other = [Prediction(id=f"clip_{n}", completion=f"A face, {n}.", model="other") for n in range(6)]
    options = ("--judge-mode", "pairwise", "--judge-against", str(write(tmp_path / "other.jsonl", other)))
    expected = {First: (0.5, 0, 1), Knowing: (1, 1, 0.5)}
    for kind, (wins, consistency, first) in expected.items():
        with kind() as endpoint:
            found = values(read_results(score(tmp_path, endpoint.url, *options, out=kind.__name__)))
            assert endpoint.calls == 12
        assert found["judge_win_rate"] == wins
        assert found["judge_swap_consistency"] == consistency
        assert found["judge_first_rate"] == first


def test_a_rubric_of_the_field_is_a_family_of_its_own(tmp_path: Path) -> None:
    class Rating(StubJudge):
        def verdict(self, prompt: str, *_: Any) -> dict[str, Any] | str:
            return {"because": "", "agreement": 11 if "pressed, 0" in prompt else 6}

    with Rating() as endpoint:
        results = read_results(score(tmp_path, endpoint.url, "--metrics", "fea"))
    assert results.metrics["fea_agreement"].value == 6
    assert results.metrics["fea_coverage"].value == pytest.approx(5 / 6)
    assert list(results.families) == ["fea"]


# --- nothing to judge -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "least"),
    [
        ("legacy", {"judge_clue_overlap": 1, "judge_label_overlap": 1}),
        ("v2", dict.fromkeys(("judge_clue_recall", "judge_label_same"), 0)),
    ],
)
def test_a_model_that_says_nothing_has_the_least(mode: str, least: dict[str, float], tmp_path: Path) -> None:
    nothing = [Prediction(id="clip_0", completion=" ", model="m")]
    with Moody() as endpoint:
        results = read_results(score(tmp_path, endpoint.url, "--judge-mode", mode, answers=nothing))
        assert endpoint.calls == 1  # the gold side, which every run has
    found = values(results)
    assert {name: found[name] for name in least} == least
    assert "judge_coverage" not in found
    assert "6 samples without an explanation" in " ".join(results.families["judge"].notices)


def test_samples_without_a_gold_description_stay_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = [Sample(id=f"clip_{n}", label="happiness") for n in range(6)]
    with StubJudge() as endpoint:
        assert "judge" not in read_results(score(tmp_path, endpoint.url, samples=bare)).families
        some = read_results(score(tmp_path, endpoint.url, samples=[*SAMPLES[:2], *bare[2:]], out="some"))
    assert "nothing is judged" in capsys.readouterr().err
    assert some.metrics["judge_clue_recall"].num_samples == 2


# --- money and memory -------------------------------------------------------------------------------------------------


def test_a_rerun_pays_nothing_and_a_second_model_shares_the_gold_side(tmp_path: Path) -> None:
    smiles = [Reasoning(observations=f"Smile {n}.", interpretation="", conclusion="") for n in range(6)]
    samples = [Sample(id=f"clip_{n}", reasoning=smile) for n, smile in enumerate(smiles)]
    with StubJudge() as endpoint:
        first = score(tmp_path, endpoint.url, "--judge-samples", "2", samples=samples)
        assert endpoint.calls == 6 + 12
        before = (first / "results.json").read_bytes()
        again = score(tmp_path, endpoint.url, "--judge-samples", "2", samples=samples)
        assert (endpoint.calls, (again / "results.json").read_bytes()) == (18, before)
        others = [Prediction(id=one.id, completion=f"{one.id}: nothing moves.", model="o") for one in ANSWERS]
        score(tmp_path, endpoint.url, "--judge-samples", "2", samples=samples, answers=others, out="other")
        assert endpoint.calls == 18 + 12


def test_a_dry_run_shows_the_prompts_and_asks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with StubJudge() as endpoint:
        inputs = write(tmp_path / "predictions.jsonl", ANSWERS), write(tmp_path / "samples.jsonl", SAMPLES)
        judge = ["--metrics", "judge", "--judge-model", "gpt-4o-mini", "--judge-base-url", endpoint.url, "--dry-run"]
        assert main([*map(str, inputs), "-o", str(tmp_path / "scores"), *judge]) == 0
        assert endpoint.calls == 0
    told = capsys.readouterr().out
    assert "<data> The lips are pressed, 0. </data>" in told
    assert "6 samples to judge: 7 requests, about" in told
    assert "$" in told
    assert not (tmp_path / "scores").exists()


def test_a_dry_run_knows_what_the_ledger_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with StubJudge() as endpoint:
        score(tmp_path, endpoint.url)
        score(tmp_path, endpoint.url, "--dry-run", "--judge-samples", "2", "--judge-temperature", "0")
    told = capsys.readouterr().out
    assert "6 samples to judge: 6 requests" in told
    assert "7 more are in the ledger" in told


def test_a_budget_ends_the_asking_and_says_so(tmp_path: Path) -> None:
    with StubJudge() as endpoint:
        out = score(tmp_path, endpoint.url, "--judge-budget", "0.002", "--judge-price", "1,1")
        notices = " ".join(read_results(out).families["judge"].notices)
        assert "budget" in notices
        assert "--judge-budget goes on from here" in notices
        assert 0 < endpoint.calls < 7
        whole = read_results(score(tmp_path, endpoint.url))
    assert values(whole)["judge_coverage"] == 1
    assert endpoint.paid_twice == 0


# --- what a score stands on -------------------------------------------------------------------------------------------


def test_other_judges_and_prompts_are_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with StubJudge() as endpoint:
        first = score(tmp_path, endpoint.url)
        same = score(tmp_path, endpoint.url, out="same", answers=ANSWERS[:3])
        options = (
            ("--judge-model", "another"),
            ("--judge-language", "zh"),
            ("--judge-samples", "2"),
            ("--judge-mode", "legacy"),
        )
        others = [score(tmp_path, endpoint.url, *option, out=f"other{n}") for n, option in enumerate(options)]
    assert compare.main([str(first), str(same), "--num-resamples", "20"]) == 0
    assert "Clue recall" in capsys.readouterr().out
    for other, named in zip(others, ("model", "prompts", "samples", "mode"), strict=True):
        with pytest.raises(ConfigError, match=rf"not comparable: other judge: .*{named}"):
            compare.main([str(first), str(other)])


def test_another_gold_side_is_not_compared(tmp_path: Path) -> None:
    class Chatty(StubJudge):
        def verdict(self, prompt: str, obeys: bool) -> dict[str, Any] | str:
            told = super().verdict(prompt, obeys)
            return {**told, "clues": ["smiles", "nods"]} if "clues" in told else told

    with StubJudge() as one, Chatty() as other:
        first = score(tmp_path, one.url, "--judge-ledger", str(tmp_path / "one.jsonl"))
        second = score(tmp_path, other.url, "--judge-ledger", str(tmp_path / "other.jsonl"), out="second")
    with pytest.raises(ConfigError, match="other judge: gold"):
        compare.main([str(first), str(second)])


OTHERWISE = [
    (("--judge-model", "another"), r"judge with model 'stub' in place of 'another'"),
    (("--judge-mode", "legacy"), r"judge with mode 'v2' in place of 'legacy', .*language"),
    (("--judge-samples", "2"), r"judge with samples 1 in place of 2, temperature 0.0 in place of 0.7"),
    (("--metrics", "auto"), r"judge, which --metrics leaves out"),
]


@pytest.mark.parametrize(("options", "told"), OTHERWISE, ids=["model", "mode", "samples", "metrics"])
def test_scores_of_another_judge_are_only_replaced_when_asked_to(
    options: tuple[str, str], told: str, tmp_path: Path
) -> None:
    with StubJudge() as endpoint:
        out = score(tmp_path, endpoint.url)
        before, calls = (out / "results.json").read_bytes(), endpoint.calls
        with pytest.raises(ConfigError, match=rf"scores: holds the scores of {told}.*; use --overwrite"):
            score(tmp_path, endpoint.url, *options)
        assert ((out / "results.json").read_bytes(), endpoint.calls) == (before, calls)  # nobody was asked
        score(tmp_path, endpoint.url, *options, "--overwrite")
    assert (out / "results.json").read_bytes() != before


def test_a_judge_may_be_added_to_the_scores_that_are_there(tmp_path: Path) -> None:
    with StubJudge() as endpoint:
        score(tmp_path, endpoint.url, "--metrics", "auto")
        results = read_results(score(tmp_path, endpoint.url, "--metrics", "auto,judge"))
    assert values(results)["judge_coverage"] == 1


# --- people -----------------------------------------------------------------------------------------------------------


def test_people_correct_the_judge(tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.jsonl"
    scored = [("clip_0", 4), ("clip_0", 6), ("clip_1", 7), ("elsewhere", 3)]
    anchors.write_text("".join(json.dumps({"id": one, "score": value}) + "\n" for one, value in scored))
    with StubJudge() as endpoint:
        results = read_results(score(tmp_path, endpoint.url, "--judge-mode", "legacy", "--anchors", str(anchors)))
    assert values(results)["judge_ppi"] == pytest.approx(2 + (3 + 5) / 2)
    assert results.metrics["judge_kappa"].num_samples == 2
    told = " ".join(results.families["judge"].notices)
    assert "1 of 3 ids have no verdict here" in told
    assert "people scored 2 of 6" in told
    assert "mean 6.000" in told
    assert "judge alone 2.000, corrected by people 6.000" in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"id": "a", "score": 11}', r"anchors.jsonl:1: score: must be a number from 1 to 10"),
        ('{"id": "a"}', r":1: score: must be"),
        ('{"score": 3}', r":1: id: is missing"),
        ('{"id": "a", "score": 3, "metric": "judge_label_overlp"}', r"did you mean 'judge_label_overlap'"),
        ("3", r":1: is no object"),
        ("{", r"not JSON Lines"),
        ("", r"holds no score"),
    ],
)
def test_scores_of_people_that_cannot_be_used(text: str, message: str, tmp_path: Path) -> None:
    anchors = tmp_path / "anchors.jsonl"
    anchors.write_text(text)
    with StubJudge() as endpoint, pytest.raises(RecordError, match=message):
        score(tmp_path, endpoint.url, "--judge-mode", "legacy", "--anchors", str(anchors))
    assert endpoint.calls == 0


def test_options_that_do_not_fit_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--judge-base-url: 'nowhere' is no address"):
        score(tmp_path, "nowhere")
    with pytest.raises(ConfigError, match="--judge-against: belongs to --judge-mode pairwise"):
        score(tmp_path, "http://localhost:1/v1", "--judge-mode", "pairwise")
    with pytest.raises(ConfigError, match=r"--judge-budget: the price of 'stub' is not known.*--judge-price IN,OUT"):
        score(tmp_path, "http://localhost:1/v1", "--judge-budget", "1")
    inputs = write(tmp_path / "p.jsonl", ANSWERS), write(tmp_path / "s.jsonl", SAMPLES)
    with pytest.raises(ConfigError, match="name the model with --judge-model"):
        main([*map(str, inputs), "-o", str(tmp_path / "out"), "--metrics", "judge"])
    with pytest.raises(ConfigError, match="--dry-run: none of the --metrics costs anything"):
        main([*map(str, inputs), "-o", str(tmp_path / "out"), "--dry-run"])
