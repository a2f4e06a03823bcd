"""The data card: what it says was counted, it reads as the Hub wants it, and nothing in the data breaks it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from exporting import clip, export, golden, sample, write, write_with_media
from hypothesis import given
from hypothesis import strategies as st

from data_engine.exports.card.refused import read_refused
from data_engine.generate import main as generate
from emollm.cards.origin import licence_of, source_of
from emollm.cards.tables import WIDTH, bar, code, name, table
from emollm.records import AU, Detector, Face, Media, encode

GOLDEN = Path(__file__).parent / "data/exports"


def intensity(value: float) -> AU:
    return AU(value=value, kind="intensity")


def face(**aus: float) -> list[Face]:
    return [
        Face(aus={code: intensity(value) for code, value in aus.items()}, detector=Detector(name="tiny", version="1"))
    ]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Samples on disk with what `generate` wrote of them: one of five is refused for want of AUs."""
    faces = [
        face(AU06=2.0, AU12=4.0),
        face(AU06=0.0, AU12=2.0),
        face(AU04=3.0),
        None,
        face(AU01=3.0, AU02=3.0, AU05=3.0),
    ]
    labels = ["happiness", "happiness", "anger", "anger", "surprise"]
    samples = [
        sample(
            f"s{number}",
            faces=faces[number],
            label=labels[number],
            reasoning=None,
            subject=f"p{number // 2}",
            split="test" if number == 4 else "train",
            groups={"age": "old" if number else "young"},
        )
        for number in range(5)
    ]
    source = write_with_media(tmp_path / "data/samples.jsonl", samples)
    generate([str(source), "-o", str(tmp_path / "data/cot.jsonl")])
    return tmp_path / "data/cot.jsonl"


def card(cot: Path, folder: Path, *options: str) -> str:
    export(cot, folder, "--format", "messages", *options)
    return (folder / "README.md").read_text(encoding="utf-8")


def front(text: str) -> dict:
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load(text.split("---\n")[1])


def row(text: str, first: str) -> list[str]:
    """Return the cells of the table line that begins with a cell."""
    (line,) = (line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_front_matter_is_what_the_hub_reads(made: Path, tmp_path: Path) -> None:
    told = front(card(made, tmp_path / "out"))
    assert told["task_categories"] == ["image-text-to-text"]
    assert told["size_categories"] == ["n<1K"]
    assert told["language"] == ["en"]
    assert told["license"] == "unknown"
    assert told["configs"] == [{"config_name": "default", "data_files": "data.jsonl"}]


def test_hugging_face_takes_the_card(made: Path, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    text = card(made, tmp_path / "out", "--license", "CC BY-NC 4.0")
    assert hub.DatasetCard(text).data.to_dict()["license"] == "cc-by-nc-4.0"


def test_clips_are_a_part_of_their_own(tmp_path: Path) -> None:
    cot = write_with_media(tmp_path / "data/cot.jsonl", [sample("a"), clip("x")])
    told = front(card(cot, tmp_path / "out"))
    assert told["task_categories"] == ["image-text-to-text", "video-text-to-text"]
    assert [one["config_name"] for one in told["configs"]] == ["default", "clips"]


def test_files_that_the_hub_cannot_show_are_not_shown(tmp_path: Path) -> None:
    cot = write_with_media(tmp_path / "data/cot.jsonl", [clip("x")])
    export(cot, tmp_path / "out", "--format", "merr")
    assert front((tmp_path / "out/README.md").read_text())["viewer"] is False


def test_labels_and_aus_are_counted(made: Path, tmp_path: Path) -> None:
    text = card(made, tmp_path / "out").partition("## What was left out")[0]
    assert row(text, "happiness")[1:5] == ["2", "0", "2", "50.0 %"]  # all, test, train, share
    assert row(text, "AU12") == ["AU12", "Lip corner puller", "2", "2", "100.0 %", "█" * WIDTH, "3.0"]
    assert row(text, "AU6")[2:5] == ["2", "1", "50.0 %"]
    assert row(text, "AUs measured by")[1:] == ["tiny 1", "4"]
    assert row(text, "text written by")[1:] == ["rules, codebook emfacs, seed 0", "4"]
    assert "**age** is known for 4 of 4 (100.0 %) samples." in text


def test_aus_without_intensities_have_no_strength(tmp_path: Path) -> None:
    faces = [Face(aus={"AU12": AU(value=0.9, kind="probability")})]
    cot = write_with_media(tmp_path / "data/cot.jsonl", [sample("a", faces=faces)])
    assert row(card(cot, tmp_path / "out"), "AU12")[2:] == ["1", "1", "100.0 %", "█" * WIDTH, "–"]


def test_what_generate_refused_is_told_per_class_and_reason(made: Path, tmp_path: Path) -> None:
    text = card(made, tmp_path / "out").partition("## What was left out")[2]
    assert row(text, "anger") == ["anger", "1", "1", "50.0 %", "█" * (WIDTH // 2), "no\\_aus 1"]
    assert row(text, "happiness")[:4] == ["happiness", "2", "0", "100.0 %"]


def test_refusals_of_another_split_do_not_count(made: Path, tmp_path: Path) -> None:
    text = card(made, tmp_path / "out", "--split", "test").partition("## What was left out")[2]
    assert row(text, "surprise")[:4] == ["surprise", "1", "0", "100.0 %"]
    assert "anger" not in text.partition("## Sources")[0]


def test_list_that_does_not_agree_with_the_manifest_is_told(made: Path, tmp_path: Path) -> None:
    with (made.parent / "cot.rejected.jsonl").open("a") as file:
        file.write(
            '{"id": "z", "reason": "no_aus", "record": null}\n{"id": "torn',
        )
    text = card(made, tmp_path / "out")
    assert "The manifest tells of 1 refused samples, the list of 2." in text
    assert "1 line of the list cannot be read." in text


def test_nothing_is_said_of_refusals_that_nobody_wrote_down(tmp_path: Path) -> None:
    cot = write_with_media(tmp_path / "data/cot.jsonl", [sample("a")])
    text = card(cot, tmp_path / "out")
    assert "No manifest lies beside `cot.jsonl`" in text
    assert "emollm generate" not in text


def test_lineage_reaches_back_by_digests_and_no_further(made: Path, tmp_path: Path) -> None:
    text = card(made, tmp_path / "out")
    told = json.loads((tmp_path / "out/manifest.json").read_text())["lineage"]
    assert [step["file"] for step in told] == ["cot.jsonl", "samples.jsonl"]
    assert all(f"`{step['sha256'][:16]}`" in text for step in told)
    write(made.parent / "samples.jsonl", sample("other"))
    (made.parent / "samples.manifest.json").write_text('{"stage": "detect", "inputs": {}}')
    assert "detect" not in card(made, tmp_path / "two").partition("## How it was made")[2].partition("## Uses")[0]


def test_samples_in_another_folder_are_found_under_the_media_root(made: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else"
    elsewhere.mkdir()
    for file in made.parent.glob("cot.*"):
        file.rename(elsewhere / file.name)
    (made.parent / "samples.manifest.json").write_text('{"stage": "detect", "rejected": {"no_face": 3}, "inputs": {}}')
    text = card(elsewhere / "cot.jsonl", tmp_path / "out", "--media-root", str(made.parent))
    assert "| detect | `samples.jsonl` |" in text
    assert "Kept aside on the way: detect no\\_face 3." in text


def test_manifests_of_any_shape_do_not_stop_an_export(made: Path, tmp_path: Path) -> None:
    for number, manifest in enumerate(
        ("[]", "{", '{"inputs": 3, "options": [], "rejected": "x", "prompts": {"en": 3}}')
    ):
        (made.parent / "cot.manifest.json").write_text(manifest)
        assert "## How it was made" in card(made, tmp_path / str(number))


def test_digests_of_prompts_in_manifests_are_told(made: Path, tmp_path: Path) -> None:
    place = made.parent / "cot.manifest.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"prompts": {"en/describe.md": "ab12"}}))
    assert "generate prompts.en/describe.md `ab12`" in card(made, tmp_path / "out")


def test_features_of_a_voice_are_no_licence_and_no_source() -> None:
    provenance = {"prosody": {"source": "chest", "licence": "poetic"}, "import": {"dataset": "toy", "licence": "free"}}
    one = sample("s", provenance=provenance)
    assert (source_of(one), licence_of(one)) == ("toy", "free")


@pytest.mark.parametrize(
    ("licences", "option", "stated", "named"),
    [
        (["cc-by-4.0", "cc-by-4.0"], [], "cc-by-4.0", None),
        (["cc-by-4.0", "mit"], [], "unknown", None),
        (["cc-by-4.0", None], [], "unknown", None),
        (["research only: ask", "research only: ask"], [], "other", "research-only-ask"),
        (["cc-by-4.0", "mit"], ["--license", "apache-2.0"], "apache-2.0", None),
    ],
)
def test_licence_is_the_one_that_all_samples_state(
    tmp_path: Path, licences: list[str | None], option: list[str], stated: str, named: str | None
) -> None:
    provenance = [{"import": {"dataset": "toy", **({"licence": one} if one else {})}} for one in licences]
    samples = [sample(f"s{number}", provenance=one) for number, one in enumerate(provenance)]
    cot = write_with_media(tmp_path / "data/cot.jsonl", samples)
    told = front(card(cot, tmp_path / "out", *option))
    assert (told["license"], told.get("license_name")) == (stated, named)


def test_people_in_two_splits_are_counted(tmp_path: Path) -> None:
    people = [("p", "train"), ("p", "test"), ("q", "train"), (None, "test")]
    samples = [sample(f"s{n}", subject=who, split=split) for n, (who, split) in enumerate(people)]
    text = card(write_with_media(tmp_path / "data/cot.jsonl", samples), tmp_path / "out")
    assert "known for 3 of 4 (75.0 %) samples: 2 people, of whom 1 is in more than one split." in text


def test_open_vocabulary_is_counted_by_words(tmp_path: Path) -> None:
    lists = [["proud", "happy"], ["proud"]]
    samples = [sample(f"s{n}", label=None, label_set="open", labels=words) for n, words in enumerate(lists)]
    cot = write_with_media(tmp_path / "data/cot.jsonl", samples)
    text = card(cot, tmp_path / "out", "--style", "labels")
    assert row(text, "proud")[1:3] == ["2", "100.0 %"]
    assert row(text, "happy")[1:3] == ["1", "50.0 %"]


def test_card_says_why_pairs_were_refused(tmp_path: Path) -> None:
    cot = write_with_media(tmp_path / "data/cot.jsonl", golden(GOLDEN / "cot.jsonl"))
    export(cot, tmp_path / "out", "--format", "preference")
    text = (tmp_path / "out/README.md").read_text()
    assert row(text, "omitted")[1:3] == ["2", "66.7 %"]
    assert row(text, "unsupported")[1:3] == ["2", "66.7 %"]


def test_no_path_of_the_machine_is_told(made: Path, tmp_path: Path) -> None:
    text = card(made, tmp_path / "out", "--media-root", str(made.parent))
    assert str(tmp_path) not in text
    assert str(tmp_path) not in (tmp_path / "out/manifest.json").read_text()


def test_export_of_nothing_has_a_card_that_says_so(tmp_path: Path) -> None:
    cot = write_with_media(tmp_path / "data/cot.jsonl", [sample("a", reasoning=None)])
    assert export(cot, tmp_path / "out", "--format", "messages") == 1
    text = (tmp_path / "out/README.md").read_text()
    assert "0 examples from no picture of faces" in text
    assert "no\\_reasoning 1" in text


def test_stopped_export_has_no_card(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("data_engine.exports.export.place", stop)
    with pytest.raises(KeyboardInterrupt):
        export(made, tmp_path / "out", "--format", "messages")
    assert not (tmp_path / "out/README.md").exists()
    assert json.loads((tmp_path / "out/manifest.json").read_text())["status"] == "stopped"


def test_card_of_an_earlier_export_is_replaced(made: Path, tmp_path: Path) -> None:
    before = card(made, tmp_path / "out")
    assert card(made, tmp_path / "out", "--overwrite", "--split", "test") != before


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=120)


@given(WORDS, WORDS)
def test_no_name_breaks_a_table(first: str, second: str) -> None:
    heads, rule, line = table(("a", "b"), [(name(first), code(second))], "lr")
    assert "\n" not in line
    assert "<" not in name(first)
    assert {len(re.split(r"(?<!\\)(?:\\\\)*\|", one)) for one in (heads, rule, line)} == {4}


@given(st.floats(0, 1))
def test_bars_grow_with_their_share_and_never_vanish(share: float) -> None:
    assert len(bar(share)) <= WIDTH
    assert bool(bar(share)) == (share > 0)
    assert bar(1.0) == "█" * WIDTH


def test_refused_samples_are_read_without_what_they_hold(tmp_path: Path) -> None:
    one = json.loads(encode(sample("a", media=Media(kind="image", path="a.png"), label=None, soft={"fear": 1.0})))
    entries = [
        {"id": "a", "reason": "unverified", "detail": "", "record": one},
        {"id": None, "reason": "malformed", "detail": "", "record": "{torn"},
        {"id": "b", "reason": "no_aus", "detail": "", "record": {**one, "labels": ["x"], "soft": None}},
    ]
    (tmp_path / "cot.rejected.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    told = read_refused(tmp_path / "cot.jsonl")
    assert told.classes == {"fear": {"unverified": 1}, "(no label)": {"malformed": 1}, "(a list)": {"no_aus": 1}}
    assert read_refused(tmp_path / "cot.jsonl", split="train").reasons == {"unverified": 1, "no_aus": 1}
