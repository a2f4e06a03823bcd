"""Runs side by side in one page: safe, without a network, and saying what the differences are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image
from test_report import HOSTILE, Elements

from emollm.errors import ConfigError
from eval.compare import main
from eval.differences import compare_runs
from eval.runs import read_run
from eval.score import main as score

FACE = {"aus": {"AU12": {"value": 3.0, "kind": "intensity"}, "AU04": {"value": 0.0, "kind": "intensity"}}}
LABELS = ("happiness", "sadness")


def run(
    folder: Path,
    name: str,
    right: int,
    said: str = "The lip corners are raised.",
    n: int = 24,
    num_subjects: int = 24,
) -> Path:
    """Score a model that has the first `right` of n samples right, as surely as it has the others wrong."""
    samples, predictions = [], []
    for i in range(n):
        gold = LABELS[i % 2]
        answer = gold if i < right else LABELS[1 - i % 2]
        text = f"**Key Observations**: {said}\n**Conclusion**: {answer}"
        media = {"kind": "image", "path": "face.png"}
        samples.append(
            {
                "id": f"f{i:02}",
                "subject": f"s{i % num_subjects}",
                "media": media,
                "faces": [FACE],
                "label": gold,
                "label_set": "basic7",
            }
        )
        sure = 0.95 - 0.01 * i
        scores = {label: sure if label == answer else (1 - sure) for label in LABELS}
        predictions.append({"id": f"f{i:02}", "completion": text, "model": name, "scores": scores})
    for path, records in ((folder / "samples.jsonl", samples), (folder / f"{name}.jsonl", predictions)):
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    output = folder / f"scores-{name}"
    score([str(folder / f"{name}.jsonl"), str(folder / "samples.jsonl"), "-o", str(output), "--num-resamples", "50"])
    return output


def page_of(folder: Path, *runs: Path, options: tuple[str, ...] = ()) -> str:
    path = folder / "compared.html"
    assert main([*map(str, runs), "-o", str(path), "--num-resamples", "50", *options]) == 0
    return path.read_text(encoding="utf-8")


def test_page_tells_the_differences(tmp_path: Path) -> None:
    page = page_of(tmp_path, run(tmp_path, "base", 10), run(tmp_path, "best", 23))
    Elements(page)
    accuracy = re.search(r'<th scope="row" title="Right labels[^"]*">Accuracy</th>(.*?)</tr>', page, re.DOTALL)
    assert accuracy is not None
    for told in ("41.7", "95.8", "+54.2", "better"):
        assert told in accuracy[1]
    told = "The label is right only in scores-base: 0, only in scores-best: 13 (exact McNemar p = 0.000244)."
    assert told in page
    assert page.count('class="curve"') == 2
    assert page.count('class="heat"') == 2


def test_samples_on_which_the_runs_agree_are_left_out(tmp_path: Path) -> None:
    page = page_of(tmp_path, run(tmp_path, "base", 10), run(tmp_path, "best", 13))
    assert page.count("<article") == 3
    assert {"f10", "f11", "f12"} == set(re.findall(r'class="id">(f\d\d)<', page))
    again = page_of(tmp_path, tmp_path / "scores-base", run(tmp_path, "same", 10))
    assert "<article" not in again


def test_hostile_text_stays_text_beside_another(tmp_path: Path) -> None:
    quiet, loud = run(tmp_path, "base", 10), run(tmp_path, "best", 23, said=HOSTILE.replace("\x00", ""))
    found = Elements(page_of(tmp_path, quiet, loud)).found
    assert [name for name, _ in found].count("script") == 1
    assert "img" not in {name for name, _ in found}
    assert not [attribute for _, attributes in found for attribute in attributes if attribute.startswith("on")]


def test_page_of_three_runs_requests_nothing_and_has_each_id_once(tmp_path: Path) -> None:
    runs = [run(tmp_path, name, right) for name, right in (("base", 8), ("sft", 14), ("grpo", 23))]
    page = page_of(tmp_path, *runs)
    assert not re.search(r"https?://|@import|url\(", page)
    found = Elements(page).found
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(str(a["href"]).startswith(("#", "data:")) for _, a in found if "href" in a)
    assert page.count('class="run2') > 2


def test_page_of_a_ladder_draws_each_step_on_one_scale(tmp_path: Path) -> None:
    runs = [run(tmp_path, name, right) for name, right in (("base", 8), ("sft", 14), ("grpo", 23))]
    page = page_of(tmp_path, *runs, options=("--against", "previous"))
    steps = re.findall(r"(scores-\w+ → scores-\w+)</td>", page)
    assert set(steps) == {"scores-base → scores-sft", "scores-sft → scores-grpo"}
    accuracy = page[page.index(">Accuracy</th>") :]
    changes = [float(change) for change in re.findall(r"<b>([+-][\d.]+)</b><small>", accuracy)[:2]]
    places = [float(place) - 50 for place in re.findall(r"--value:([\d.]+)%", accuracy)[:2]]
    assert changes == [25.0, 37.5]
    assert places[1] / places[0] == pytest.approx(1.5, rel=0.01)


def test_pictures_are_shown_where_their_folder_is_named(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), "gray").save(tmp_path / "face.png")
    runs = run(tmp_path, "base", 10), run(tmp_path, "best", 12)
    assert "data:image/jpeg" not in page_of(tmp_path, *runs)
    assert page_of(tmp_path, *runs, options=("--media-root", str(tmp_path))).count("data:image/jpeg") == 2


def test_page_goes_nowhere_but_into_html(tmp_path: Path) -> None:
    folders = [str(run(tmp_path, name, 10)) for name in ("base", "best")]
    report = tmp_path / "scores-best" / "report.html"
    (tmp_path / "folder.html").mkdir()
    before = report.read_bytes()
    for place, problem in (
        (tmp_path / "samples.jsonl", "name a file that ends in .html"),
        (tmp_path / "folder.html", "is a folder"),
        (report, "is the place of the report that `emollm score` writes"),
    ):
        with pytest.raises(ConfigError, match=re.escape(f"-o: {place}: ") + f".*{re.escape(problem)}"):
            main([*folders, "-o", str(place)])
    assert report.read_bytes() == before


def test_the_folder_of_the_page_is_made(tmp_path: Path) -> None:
    folders = [str(run(tmp_path, name, 10)) for name in ("base", "best")]
    page = tmp_path / "new" / "pages" / "compared.html"
    assert main([*folders, "-o", str(page), "--num-resamples", "10"]) == 0
    assert page.is_file()
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=re.escape(str(tmp_path / "file"))):  # one line in the command line
        main([*folders, "-o", str(tmp_path / "file" / "compared.html")])
    assert not list(tmp_path.rglob("*.part"))


def test_what_has_no_interval_is_drawn_without_a_band(tmp_path: Path) -> None:
    runs = [run(tmp_path, name, right, num_subjects=1) for name, right in (("base", 10), ("best", 23))]
    page = page_of(tmp_path, *runs)
    Elements(page)
    assert 'class="forest"' in page
    assert not re.search(r"\bnan\b", page)
    assert 'class="forest" aria-hidden="true"><u></u><i' not in page


def test_what_is_ranked_is_swapped_like_what_adds_up(tmp_path: Path) -> None:
    """The answer is the label with the highest score, so both count the same; one by sums, one by ranks."""
    runs = [read_run(run(tmp_path, name, right)) for name, right in (("base", 10), ("best", 15))]
    [compared] = compare_runs(runs, num_resamples=50, seed=0)
    found = {one.metric: one for one in compared.differences}
    ranked, added = found["selective_accuracy"], found["accuracy"]
    assert 0.01 < added.p < 0.2
    assert ranked[1:7] == pytest.approx(added[1:7])
