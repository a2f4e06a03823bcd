"""`emollm score --judge-batch`: a judge that is asked by a batch service gives the scores that it gives when asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fake_batch_service import FakeBatchService, by_service
from stub_judge import StubJudge

from emollm.errors import ConfigError
from emollm.records import Prediction, Reasoning, Sample, encode
from eval import compare
from eval.results import Results, read_results
from eval.score import main
from eval.scored import read_scored

pytest.importorskip("aiohttp", reason="the extra `teacher` is not installed")
pytest.importorskip("openai", reason="the extra `teacher` is not installed")

NUM = 6
UNHEARD = "http://localhost:9/v1"
"""Nobody listens there: whatever is sent fails."""


class Reader(StubJudge):
    """Judges each explanation in its own way, and one so that only its second answer can be read."""

    def verdict(self, prompt: str, obeys: bool) -> dict[str, Any] | str:
        told = super().verdict(prompt, obeys)
        if isinstance(told, dict) and "clue_1" in told:
            if "pressed, 3" in prompt and "attempt 2" not in prompt:
                return "Hard to say."
            told |= {"clue_1": "matched" if "pressed, 1" in prompt else "contradicted", "label": "partly"}
        return told


def answers(body: dict[str, Any]) -> str:
    return Reader().say(json.dumps(body).encode(), "")


class Scoring:
    """`emollm score` with a judge, again and again."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.batch = folder, folder / "judge.jsonl"
        folder.mkdir(exist_ok=True)
        smiles = [Reasoning(observations=f"Smile {n // 2}.", interpretation="", conclusion="") for n in range(NUM)]
        samples = [Sample(id=f"clip_{n}", subject=f"s{n}", reasoning=smile) for n, smile in enumerate(smiles)]
        said = [Prediction(id=f"clip_{n}", completion=f"Lips pressed, {n}.", model="m") for n in range(NUM)]
        self.inputs = [self._write("predictions.jsonl", said), self._write("samples.jsonl", samples)]
        self.command = [*map(str, self.inputs), "-o", str(folder / "scores"), "--num-resamples", "50"]
        self.command += ["--metrics", "judge", "--judge-model", "stub", "--judge-base-url", url]

    def _write(self, name: str, records: list[Any]) -> Path:
        (self.folder / name).write_bytes(b"".join(encode(record) + b"\n" for record in records))
        return self.folder / name

    def __call__(self, *options: str | Path) -> int:
        return main([*self.command, *map(str, options)])

    @property
    def results(self) -> Results:
        return read_results(self.folder / "scores")

    @property
    def values(self) -> dict[str, float]:
        names = self.results.families["judge"].metrics
        found = {name: self.results.metrics[name].value for name in names}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def files(self) -> list[bytes]:
        return [(self.folder / "scores" / name).read_bytes() for name in ("results.json", "samples.jsonl")]


def asked_directly(folder: Path, *options: str) -> Scoring:
    with Reader() as endpoint:
        scoring = Scoring(folder, endpoint.url)
        assert scoring(*options) == 0
    return scoring


@pytest.mark.parametrize("mode", ["v2", "legacy"])
def test_same_command_again_and_again_ends_in_the_scores_of_asking_directly(
    mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--judge-mode", mode, "--judge-language", "en", "--judge-samples", "2")
    direct = asked_directly(tmp_path / "direct", *options)
    rounds = 0
    with FakeBatchService(answers) as service:
        scoring = Scoring(tmp_path / "batch", service.url)
        while scoring(*options, "--judge-batch", scoring.batch, "--judge-submit"):
            rounds += 1
            captured = capsys.readouterr()
            assert f"handed over: {scoring.batch.stem}{f'-{rounds}' if rounds > 1 else ''}.jsonl" in captured.err
            assert "no figure of the judge before all of them are" in captured.out
            assert "questions without an answer: deferred" in captured.out
            assert set(scoring.values) <= {"judge_coverage"}  # no mean over those that came first
            assert scoring.values["judge_coverage"] < 1
            service.run()
        assert service.created == rounds == (3 if mode == "v2" else 2)  # v2: gold, verdicts, and one a second time
        assert set(service.paid.values()) == {1}
    assert scoring.values["judge_coverage"] == 1
    assert scoring.files == direct.files


def test_files_may_be_carried_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    direct = asked_directly(tmp_path / "direct")
    scoring = Scoring(tmp_path / "batch", UNHEARD)
    given: list[str | Path] = []
    for number, num_asked in enumerate((NUM // 2, NUM, 1)):
        batch = tmp_path / f"{number}.jsonl"
        assert scoring("--judge-batch", batch, *given) == 1
        told = capsys.readouterr().err
        assert f"{num_asked} requests wait in {batch}: hand them to the batch service" in told
        assert "run again with --judge-batch-answers OUTPUT and a new --judge-batch FILE, or without it" in told
        lines = [json.loads(line) for line in batch.read_text("utf-8").splitlines()]
        output = tmp_path / f"output{number}.jsonl"
        told = [by_service(line["custom_id"], answers(line["body"])) for line in lines]
        output.write_text("".join(told).replace('"m-1"', '"stand-in-1"'), "utf-8")
        given = ["--judge-batch-answers", output]
    assert scoring(*given) == 0  # nobody is asked for what is answered
    assert "judge.verdict stub: 0 paid, 7 remembered" in capsys.readouterr().err
    assert scoring.files == direct.files


def test_what_the_service_refuses_is_no_verdict_and_not_waited_for(tmp_path: Path) -> None:
    def refusing(body: dict[str, Any]) -> str | int:
        return 400 if "pressed, 2" in str(body) else answers(body)

    with FakeBatchService(refusing) as service:
        scoring = Scoring(tmp_path, service.url)
        codes = []
        for _ in range(5):
            codes.append(scoring("--judge-batch", scoring.batch, "--judge-submit"))
            service.run()
    assert codes == [1, 1, 1, 1, 0]  # asked again in the fourth run, and refused again: that is its last word
    assert scoring.values["judge_coverage"] == pytest.approx(5 / 6)
    assert scoring.values["judge_clue_recall"] == pytest.approx(0.5 / 5)
    assert "questions without an answer: refused_request 1" in " ".join(scoring.results.families["judge"].notices)


def test_a_run_that_waits_shows_votes_and_is_not_compared(tmp_path: Path) -> None:
    direct = asked_directly(tmp_path / "direct")

    def late(body: dict[str, Any]) -> str | None:
        return None if "pressed, 2" in str(body) else answers(body)

    with FakeBatchService(late) as service:
        scoring = Scoring(tmp_path / "batch", service.url)
        for _ in range(3):
            assert scoring("--judge-batch", scoring.batch, "--judge-submit") == 1
            service.run("expired")
        assert scoring("--judge-batch", scoring.batch, "--judge-fetch") == 1
    rows = {row.id: row for row in read_scored(scoring.folder / "scores" / "samples.jsonl")}
    assert rows["clip_1"].details["judge"]["verdicts"][0]["clues"] == ["matched", "missing"]
    assert scoring.values == {"judge_coverage": pytest.approx(5 / 6)}
    with pytest.raises(ConfigError, match="other judge: deferred None and 1"):
        compare.main([str(direct.folder / "scores"), str(scoring.folder / "scores")])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--judge-submit"], "--judge-submit, --judge-fetch: are for .* name it with --judge-batch FILE"),
        (["--judge-batch", "b.jsonl", "--judge-submit", "--judge-fetch"], "--judge-submit: fetches, too; leave out"),
        (["--judge-batch", "b.jsonl", "--judge-budget", "1"], "--judge-batch: nothing is sent, so .* --judge-budget"),
        (["--judge-batch", "b.jsonl", "--dry-run"], "--judge-batch: nothing is sent, so .* nor --dry-run fits"),
        (
            ["--judge-batch", "b.jsonl", "--metrics", "judge,fea"],
            "one family of the judge at a time, not for judge, fea",
        ),
        (["--judge-batch", "samples.jsonl"], "--judge-batch samples.jsonl: is another file of this run"),
        (["--judge-batch", "scores/samples.jsonl"], "--judge-batch scores/samples.jsonl: is another file of this run"),
        (["--judge-batch", "judge.ledger.jsonl"], "--judge-batch judge.ledger.jsonl: is another file of this run"),
        (["--judge-batch", "there.jsonl"], "there.jsonl: is there already; send it and remove it"),
        (["--judge-batch", "there.jsonl", "--judge-fetch"], r"there.jsonl:1: is no request .* another --judge-batch"),
    ],
)
def test_options_that_do_not_fit_are_one_line(
    options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.jsonl").write_text("precious\n")
    scoring = Scoring(tmp_path, UNHEARD)
    with pytest.raises(ConfigError, match=message):
        scoring(*options)
    assert Path("there.jsonl").read_text() == "precious\n"
    assert not (tmp_path / "scores" / "results.json").exists()
