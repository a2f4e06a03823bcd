import json
import random
from pathlib import Path

import msgspec
import pytest

from data_engine.exp_cot.rules import MAX_ATTEMPTS
from data_engine.generate import main
from emollm.errors import ConfigError, SourceError
from emollm.records import AU, Face, Media, Sample, encode, read_records

AUS = [f"AU{number:02d}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26)]
PATTERNS = {
    "happiness": ("AU06", "AU12"),
    "sadness": ("AU01", "AU04", "AU15"),
    "surprise": ("AU01", "AU02", "AU05", "AU26"),
    "anger": ("AU04", "AU05", "AU07", "AU23"),
    "neutral": (),
}


def sample(name: str, label: str | None, present: tuple[str, ...], strength: float = 2.6) -> Sample:
    aus = {au: AU(value=strength if au in present else 0.0, kind="intensity") for au in AUS}
    return Sample(id=name, label_set="basic7", label=label, faces=[Face(aus=aus)], subject="kept")


def mixed(count: int) -> list[Sample]:
    rng = random.Random(0)
    labels = [rng.choice(list(PATTERNS)) for _ in range(count)]
    return [sample(f"m{number}", label, PATTERNS[label]) for number, label in enumerate(labels)]


def write(path: Path, samples: list[Sample]) -> Path:
    path.write_bytes(b"".join(encode(one) + b"\n" for one in samples))
    return path


def generate(tmp_path: Path, samples: list[Sample], *options: str, output: str = "cot.jsonl") -> list[Sample]:
    source = write(tmp_path / "samples.jsonl", samples)
    assert main([str(source), "-o", str(tmp_path / output), *options]) == 0
    return list(read_records(tmp_path / output, Sample))


def rejected(tmp_path: Path) -> list[dict]:
    lines = (tmp_path / "cot.rejected.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_sample_gets_reasoning_and_keeps_what_it_had(tmp_path: Path) -> None:
    written = generate(tmp_path, mixed(40))
    assert [one.id for one in written] == [f"m{number}" for number in range(40)]
    assert all(one.reasoning and one.subject == "kept" and one.faces for one in written)


def test_workers_change_neither_texts_nor_order(tmp_path: Path) -> None:
    samples = mixed(230)
    generate(tmp_path, samples, output="one.jsonl")
    generate(tmp_path, samples, "--workers", "2", output="two.jsonl")
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_text_depends_on_the_id_and_not_on_its_neighbours(tmp_path: Path) -> None:
    samples = mixed(30)
    forward = generate(tmp_path, samples, output="one.jsonl")
    backward = generate(tmp_path, samples[::-1][:20], output="two.jsonl")
    assert backward == forward[::-1][:20]


def test_seed_changes_the_wording(tmp_path: Path) -> None:
    zero = generate(tmp_path, mixed(5), output="one.jsonl")
    one = generate(tmp_path, mixed(5), "--seed", "1", output="two.jsonl")
    assert all(a.reasoning != b.reasoning for a, b in zip(zero, one, strict=True))


def test_rerun_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = generate(tmp_path, mixed(20))
    lines = (tmp_path / "cot.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "cot.jsonl").write_bytes(b"".join(lines[:7]) + lines[7][:30])
    assert generate(tmp_path, mixed(20)) == whole


def test_label_the_action_units_contradict_is_kept_and_marked(tmp_path: Path) -> None:
    (written,) = generate(tmp_path, [sample("a", "sadness", PATTERNS["anger"])])
    note = (written.provenance or {})["generate"]
    assert (written.label, note["agree"], note["fits"], note["label_seen"]) == ("sadness", False, "anger", True)
    assert "anger" in written.reasoning.interpretation


def test_label_the_action_units_do_not_support_can_be_rejected(tmp_path: Path) -> None:
    samples = [
        sample("a", "sadness", PATTERNS["anger"]),
        sample("b", "anger", PATTERNS["anger"]),
        sample("c", "sadness", ()),
    ]
    written = generate(tmp_path, samples, "--disagreement", "reject")
    assert [one.id for one in written] == ["b"]
    assert {line["id"]: line["reason"] for line in rejected(tmp_path)} == {
        "a": "label_contradicts",
        "c": "label_not_shown",
    }


def test_without_a_label_the_action_units_give_it(tmp_path: Path) -> None:
    samples = [sample(label, None, present) for label, present in PATTERNS.items()]
    assert [one.label for one in generate(tmp_path, samples)] == list(PATTERNS)


def test_votes_of_annotators_give_the_label(tmp_path: Path) -> None:
    voted = sample("a", None, PATTERNS["anger"])
    voted.soft = {"sadness": 0.6, "anger": 0.4}
    (written,) = generate(tmp_path, [voted])
    assert (written.label, (written.provenance or {})["generate"]["agree"]) == ("sadness", False)


def test_pictures_elsewhere_are_pointed_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = sample("a", "anger", PATTERNS["anger"])
    generate(tmp_path, [bare], output="elsewhere/bare.jsonl")
    assert "--media-root" not in capsys.readouterr().err
    shown = msgspec.structs.replace(bare, media=Media(kind="image", path="a.png"))
    generate(tmp_path, [shown], output="elsewhere/cot.jsonl")
    assert "--media-root" in capsys.readouterr().err


def test_what_cannot_be_explained_is_kept_aside_with_its_reason(tmp_path: Path) -> None:
    two = sample("two", "happiness", PATTERNS["happiness"])
    two.faces = [*(two.faces or ()), Face(face="1", aus={"AU12": AU(value=3.0, kind="intensity")})]
    samples = [
        sample("good", "anger", PATTERNS["anger"]),
        Sample(id="none", label="anger"),
        Sample(id="unmeasured", label="anger", faces=[Face(aus={})]),
        two,
        sample("foreign", "doubt", PATTERNS["anger"]),
        Sample(id="vague", faces=[Face(aus={"AU12": AU(value=0.0, kind="intensity")})]),
        msgspec.structs.replace(sample("own", "anger", PATTERNS["anger"]), label_set="mine"),
    ]
    assert len(generate(tmp_path, samples)) == 1
    assert {line["id"]: line["reason"] for line in rejected(tmp_path)} == {
        "none": "no_aus",
        "unmeasured": "no_aus",
        "two": "several_faces",
        "foreign": "unknown_label",
        "vague": "too_few_aus",
        "own": "unknown_label_set",
    }


def test_refused_texts_are_kept_with_what_was_wrong(tmp_path: Path) -> None:
    unseen = sample("all", "tearful", PATTERNS["sadness"])
    unseen.label_set = "open"
    generate(tmp_path, [unseen, sample("b", "anger", PATTERNS["anger"])])
    (line,) = rejected(tmp_path)
    attempts = line["record"]["provenance"]["generate"]["attempts"]
    assert line["reason"] == "unverified"
    assert len(attempts) == MAX_ATTEMPTS
    assert all(attempt["text"] and attempt["problems"] for attempt in attempts)


def test_codes_that_facs_does_not_have_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strange = {"AU99": AU(value=1.0, kind="presence")}
    some, only = sample("some", "anger", PATTERNS["anger"]), sample("only", "anger", ())
    some.faces = [Face(aus={**((some.faces or [])[0].aus or {}), **strange})]
    only.faces = [Face(aus=strange)]
    (written,) = generate(tmp_path, [some, only])
    assert (written.provenance or {})["generate"]["unknown_aus"] == ["AU99"]
    assert "1 kept without AU99, which is no code of FACS" in capsys.readouterr().err
    (line,) = rejected(tmp_path)
    assert (line["id"], line["reason"], "AU99" in line["detail"]) == ("only", "no_aus", True)


def test_speech_that_the_rules_do_not_use_is_counted_as_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoken = sample("a", "anger", PATTERNS["anger"])
    spoken.text, spoken.provenance = "Well.", {"prosody": {"anger": 0.9, "pitch": "rising"}}
    written, _ = generate(tmp_path, [spoken, sample("b", "anger", PATTERNS["anger"])])
    told = (written.provenance or {})["generate"]
    assert (told["unheard"], "prosody_dropped" in told) == (["text", "prosody"], False)
    said = capsys.readouterr().err
    assert "1 kept with a transcript that this teacher does not use" in said
    assert "features of voices left out" not in said


def test_threshold_decides_what_is_named(tmp_path: Path) -> None:
    faint = [sample("a", "happiness", PATTERNS["happiness"], strength=1.4)]
    (low,) = generate(tmp_path, faint, output="low.jsonl")
    (high,) = generate(tmp_path, faint, "--threshold", "intensity=2", output="high.jsonl")
    assert (low.provenance or {})["generate"]["case"] == "one"
    assert (high.provenance or {})["generate"]["case"] == "silent"


def test_manifest_counts_classes_and_cases(tmp_path: Path) -> None:
    generate(tmp_path, [sample("a", "anger", PATTERNS["anger"]), sample("b", "sadness", PATTERNS["anger"])])
    manifest = json.loads((tmp_path / "cot.manifest.json").read_text(encoding="utf-8"))
    assert manifest["classes"] == {"anger": {"kept": 1}, "sadness": {"kept": 1}}
    assert manifest["cases"] == {"one": 1, "other": 1}


def test_table_at_the_end_shows_kept_and_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generate(tmp_path, [sample("a", "anger", PATTERNS["anger"]), Sample(id="b", label="anger")])
    err = capsys.readouterr().err
    assert "anger" in err
    assert "no_aus 1" in err


def test_malformed_line_ends_with_exit_code_1_and_loses_nothing_else(tmp_path: Path) -> None:
    source = write(tmp_path / "samples.jsonl", mixed(3))
    source.write_bytes(source.read_bytes() + b'{"id": "x", "lable": "anger"}\n')
    assert main([str(source), "-o", str(tmp_path / "cot.jsonl")]) == 1
    assert len(list(read_records(tmp_path / "cot.jsonl", Sample))) == 3


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_file_without_a_sample_is_said_and_nothing_written(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "samples.jsonl").write_bytes(content)
    with pytest.raises(SourceError, match="holds no sample"):
        main([str(tmp_path / "samples.jsonl"), "-o", str(tmp_path / "cot.jsonl")])
    assert [path.name for path in tmp_path.iterdir()] == ["samples.jsonl"]


def test_region_that_does_not_exist_is_a_malformed_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "samples.jsonl", mixed(2))
    hidden = encode(sample("h", "anger", PATTERNS["anger"])).replace(b'"faces":[{', b'"faces":[{"hidden":["whiskers"],')
    source.write_bytes(source.read_bytes() + hidden + b"\n")
    assert main([str(source), "-o", str(tmp_path / "cot.jsonl")]) == 1
    assert "whiskers" in capsys.readouterr().err
    assert [line["reason"] for line in rejected(tmp_path)] == ["malformed"]
    assert len(list(read_records(tmp_path / "cot.jsonl", Sample))) == 2


def test_list_of_words_stays_as_it_is_and_no_label_is_added(tmp_path: Path) -> None:
    listed = msgspec.structs.replace(
        sample("a", None, PATTERNS["happiness"]), label_set=None, labels=["happy", "proud"]
    )
    (written,) = generate(tmp_path, [listed])
    assert (written.label, written.labels, written.label_set) == (None, ["happy", "proud"], "open")
    assert "'proud'" in written.reasoning.conclusion


def test_table_of_an_open_vocabulary_stays_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"word{chr(97 + number % 26)}{chr(97 + number // 26)}" for number in range(60)]
    samples = [sample(word, word, PATTERNS["happiness"]) for word in words]
    for one in samples:
        one.label_set = "open"
    assert len(generate(tmp_path, samples)) == 60
    err = capsys.readouterr().err
    assert len(err.splitlines()) < 40
    assert "30 rarer ones" in err


def test_unknown_label_set_suggests_the_nearest(tmp_path: Path) -> None:
    source = write(tmp_path / "samples.jsonl", mixed(1))
    with pytest.raises(ConfigError, match="did you mean 'basic7'"):
        main([str(source), "-o", str(tmp_path / "cot.jsonl"), "--label-set", "basic6x7"])


@pytest.mark.parametrize("value", ["intensity", "intensity=9", "power=1", "probability=0", "intensity=nan"])
def test_threshold_that_cannot_work_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path / "s.jsonl"), "-o", str(tmp_path / "cot.jsonl"), "--threshold", value])
