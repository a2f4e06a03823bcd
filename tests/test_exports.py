import hashlib
import json
from pathlib import Path

import pytest
from exporting import REASONING, export, lines, sample, write
from PIL import Image

from emollm.answers import parse
from emollm.errors import ConfigError
from emollm.records import Media, Reasoning


@pytest.fixture
def cot(tmp_path: Path) -> Path:
    """Four samples in a folder of their own, with a small picture each."""
    folder = tmp_path / "data"
    (folder / "faces").mkdir(parents=True)
    for number, name in enumerate("abcd"):
        Image.new("RGB", (8 + number, 8), (number * 40, 90, 120)).save(folder / "faces" / f"{name}.png")
    return write(folder / "cot.jsonl", *(sample(name) for name in "abcd"))


def test_messages_have_one_image_block_for_each_picture(cot: Path, tmp_path: Path) -> None:
    assert export(cot, tmp_path / "out", "--format", "messages") == 0
    for row in lines(tmp_path / "out/data.jsonl"):
        user, assistant = row["messages"]
        assert [user["role"], assistant["role"]] == ["user", "assistant"]
        assert [block["type"] for block in user["content"]] == ["image", "text"]
        assert len(row["images"]) == 1
        assert (tmp_path / "out" / row["images"][0]).is_file()


def test_answer_reads_back_as_the_label_and_the_reasoning(cot: Path, tmp_path: Path) -> None:
    export(cot, tmp_path / "out", "--format", "messages", "--style", "think")
    answer = parse(lines(tmp_path / "out/data.jsonl")[0]["messages"][1]["content"][0]["text"], "basic7")
    assert (answer.style, answer.label, answer.observations) == ("think", "happiness", REASONING.observations)


def test_messages_load_with_an_image_feature(cot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    export(cot, tmp_path / "out", "--format", "messages")
    monkeypatch.chdir(tmp_path / "out")
    data = datasets.load_dataset("json", data_files="data.jsonl", cache_dir=str(tmp_path / "cache"))["train"]
    data = data.cast_column("images", datasets.List(datasets.Image()))
    assert [row["images"][0].size for row in data] == [(8, 8), (9, 8), (10, 8), (11, 8)]


@pytest.mark.parametrize("name", ["sharegpt", "llava"])
def test_conversations_alternate_and_placeholders_match_pictures(cot: Path, tmp_path: Path, name: str) -> None:
    export(cot, tmp_path / "out", "--format", name)
    rows = json.loads((tmp_path / "out/data.json").read_text(encoding="utf-8"))
    assert len(rows) == 4
    for row in rows:
        pictures = row["images"] if name == "sharegpt" else [row["image"]]
        assert [turn["from"] for turn in row["conversations"]] == ["human", "gpt"]
        assert sum(turn["value"].count("<image>") for turn in row["conversations"]) == len(pictures)
        assert all((tmp_path / "out" / picture).is_file() for picture in pictures)


def test_sharegpt_names_its_columns_for_llama_factory(cot: Path, tmp_path: Path) -> None:
    export(cot, tmp_path / "out", "--format", "sharegpt")
    entry = json.loads((tmp_path / "out/dataset_info.json").read_text(encoding="utf-8"))["emollm"]
    rows = json.loads((tmp_path / "out" / entry["file_name"]).read_text(encoding="utf-8"))
    assert entry["formatting"] == "sharegpt"
    assert set(entry["columns"].values()) <= set(rows[0])


def test_parquet_holds_the_bytes_of_the_files(cot: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    export(cot, tmp_path / "out", "--format", "parquet")
    data = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "out/data.parquet"), cache_dir=str(tmp_path / "cache")
    )["train"]
    raw = data.cast_column("images", datasets.List(datasets.Image(decode=False)))
    assert data[3]["images"][0].size == (11, 8)
    assert raw[3]["images"][0]["bytes"] == (cot.parent / "faces/d.png").read_bytes()
    assert data[3]["messages"][1]["content"][0]["text"].startswith("**Key Observations**")


def test_label_only_share_writes_bare_labels_for_some(cot: Path, tmp_path: Path) -> None:
    write(cot, *(sample(f"s{number}", media=Media(kind="image", path="faces/a.png")) for number in range(200)))
    export(cot, tmp_path / "out", "--format", "messages", "--label-only", "0.75")
    answers = [row["messages"][1]["content"][0]["text"] for row in lines(tmp_path / "out/data.jsonl")]
    assert 130 <= answers.count("happiness") <= 170


def test_question_wording_depends_on_the_id_and_not_on_the_order(cot: Path, tmp_path: Path) -> None:
    samples = [sample(f"s{number}", media=Media(kind="image", path="faces/a.png")) for number in range(30)]
    export(write(cot, *samples), tmp_path / "one", "--format", "messages")
    export(write(cot, *reversed(samples)), tmp_path / "two", "--format", "messages")
    one, two = lines(tmp_path / "one/data.jsonl"), lines(tmp_path / "two/data.jsonl")
    assert one == two[::-1]
    assert len({row["messages"][0]["content"][1]["text"] for row in one}) > 1


def test_a_picture_that_is_not_the_one_of_the_sample_is_left_out(cot: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256((cot.parent / "faces/a.png").read_bytes()).hexdigest()
    write(cot, *(sample(name, media=Media(kind="image", path=f"faces/{name}.png", sha256=digest)) for name in "ab"))
    assert export(cot, tmp_path / "out", "--format", "messages") == 0
    assert [(row["id"], row["reason"]) for row in lines(tmp_path / "out/rejected.jsonl")] == [("b", "other_picture")]
    assert [path.name for path in (tmp_path / "out/images/faces").iterdir()] == ["a.png"]


def test_what_has_no_usable_picture_is_left_out_with_its_reason(cot: Path, tmp_path: Path) -> None:
    whole = (cot.parent / "faces/b.png").read_bytes()
    (cot.parent / "faces/b.png").write_bytes(whole[: len(whole) // 2])
    gone = sample("gone")
    clip = sample("clip", media=Media(kind="video", path="faces/a.png"))
    none, no_label = sample("none", media=None), sample("e", label=None)
    foreign = sample("g", label_set="mine")
    write(cot, sample("a"), sample("b"), gone, clip, none, no_label, sample("f", reasoning=None), foreign)
    assert export(cot, tmp_path / "out", "--format", "llava") == 0
    refused = {row["id"]: row["reason"] for row in lines(tmp_path / "out/rejected.jsonl")}
    assert refused == {
        "b": "bad_picture",
        "gone": "missing_picture",
        "clip": "video",
        "none": "no_picture",
        "e": "no_label",
        "f": "no_reasoning",
        "g": "unknown_label_set",
    }


def test_link_out_of_the_media_root_is_not_followed(cot: Path, tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "secret.png")
    (cot.parent / "faces/b.png").unlink()
    (cot.parent / "faces/b.png").symlink_to(tmp_path / "secret.png")
    export(cot, tmp_path / "out", "--format", "messages")
    assert [row["reason"] for row in lines(tmp_path / "out/rejected.jsonl")] == ["outside_media_root"]
    assert not (tmp_path / "out/images/faces/b.png").exists()


def test_transcript_with_an_image_placeholder_is_refused(cot: Path, tmp_path: Path) -> None:
    write(cot, sample("a", text="look <image> here"), sample("b", text="look here"))
    export(cot, tmp_path / "out", "--format", "sharegpt")
    assert [row["reason"] for row in lines(tmp_path / "out/rejected.jsonl")] == ["image_placeholder"]


def test_split_exports_that_split_alone(cot: Path, tmp_path: Path) -> None:
    write(cot, sample("a"), sample("b", split="test"))
    export(cot, tmp_path / "out", "--format", "messages", "--split", "test")
    assert [row["id"] for row in lines(tmp_path / "out/data.jsonl")] == ["b"]


def test_split_that_does_not_exist_is_refused_by_naming_those_that_do(cot: Path, tmp_path: Path) -> None:
    write(cot, sample("a"), sample("b", split="test"), sample("c", split=None))
    with pytest.raises(ConfigError, match=r"no sample of 'nope'; there are \(none\) 1, test 1, train 1"):
        export(cot, tmp_path / "out", "--format", "messages", "--split", "nope")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("variant", ["4", "99", "-1"])
def test_wording_that_does_not_exist_is_refused(cot: Path, tmp_path: Path, variant: str) -> None:
    with pytest.raises(ConfigError, match="use 0 to 3"):
        export(cot, tmp_path / "out", "--format", "messages", "--prompt-variant", variant)
    assert not (tmp_path / "out").exists()


def test_one_wording_is_the_same_for_every_sample(cot: Path, tmp_path: Path) -> None:
    assert export(cot, tmp_path / "out", "--format", "messages", "--prompt-variant", "3") == 0
    rows = lines(tmp_path / "out/data.jsonl")
    assert len({row["messages"][0]["content"][1]["text"] for row in rows}) == 1


OPEN = {"label": None, "label_set": "open", "labels": ["happy", "proud"]}
OPEN_REASONING = Reasoning(
    observations=REASONING.observations,
    interpretation=REASONING.interpretation,
    conclusion="The expression is consistent with happiness and the description 'proud'.",
)


def test_list_of_labels_is_the_answer_of_its_style(cot: Path, tmp_path: Path) -> None:
    write(cot, sample("a", **OPEN, reasoning=None), sample("b"))
    assert export(cot, tmp_path / "out", "--format", "messages", "--style", "labels") == 0
    (row,) = lines(tmp_path / "out/data.jsonl")
    answer = parse(row["messages"][1]["content"][0]["text"], "open")
    assert (row["id"], answer.style, answer.labels) == ("a", "labels", ("happiness", "proud"))
    assert [row["reason"] for row in lines(tmp_path / "out/rejected.jsonl")] == ["no_labels"]


def test_list_of_labels_is_explained_in_sections_with_nothing_added(cot: Path, tmp_path: Path) -> None:
    write(cot, sample("a", **OPEN, reasoning=OPEN_REASONING))
    export(cot, tmp_path / "out", "--format", "messages")
    (row,) = lines(tmp_path / "out/data.jsonl")
    assert row["messages"][1]["content"][0]["text"].endswith(OPEN_REASONING.conclusion)


def test_list_of_labels_is_no_answer_of_one_word(cot: Path, tmp_path: Path) -> None:
    write(cot, sample("a", **OPEN, reasoning=OPEN_REASONING))
    assert export(cot, tmp_path / "out", "--format", "messages", "--style", "think") == 1
    assert [row["reason"] for row in lines(tmp_path / "out/rejected.jsonl")] == ["no_label"]


def test_bare_share_of_a_list_is_the_list(cot: Path, tmp_path: Path) -> None:
    write(cot, sample("a", **OPEN, reasoning=OPEN_REASONING), sample("b"))
    export(cot, tmp_path / "out", "--format", "messages", "--label-only", "1")
    answers = [row["messages"][1]["content"][0]["text"] for row in lines(tmp_path / "out/data.jsonl")]
    assert answers == ["happy, proud", "happiness"]


def test_folder_that_is_no_export_is_never_cleared(cot: Path) -> None:
    with pytest.raises(ConfigError, match="holds no export"):
        export(cot, cot.parent, "--format", "messages", "--overwrite")
    assert (cot.parent / "faces/a.png").is_file()


def test_second_export_needs_overwrite_and_then_replaces_the_first(cot: Path, tmp_path: Path) -> None:
    export(cot, tmp_path / "out", "--format", "messages")
    with pytest.raises(ConfigError, match="--overwrite"):
        export(cot, tmp_path / "out", "--format", "llava")
    assert export(cot, tmp_path / "out", "--format", "llava", "--overwrite") == 0
    assert not (tmp_path / "out/data.jsonl").exists()
    assert len(json.loads((tmp_path / "out/data.json").read_text(encoding="utf-8"))) == 4
    assert (cot.parent / "faces/a.png").is_file()


def test_malformed_line_is_reported_and_the_rest_exported(cot: Path, tmp_path: Path) -> None:
    cot.write_bytes(cot.read_bytes() + b'{"id": "torn", "lab')
    assert export(cot, tmp_path / "out", "--format", "messages") == 1
    assert len(lines(tmp_path / "out/data.jsonl")) == 4


def test_manifest_says_what_was_made(cot: Path, tmp_path: Path) -> None:
    export(cot, tmp_path / "out", "--format", "messages")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text(encoding="utf-8"))
    assert (manifest["status"], manifest["counts"]["rows"]) == ("done", 4)
    assert set(manifest["inputs"]) == {"cot.jsonl"}
