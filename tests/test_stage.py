from __future__ import annotations

import json
from pathlib import Path

import pytest

from emollm import stage
from emollm.errors import ConfigError, RecordError
from emollm.records import Sample, read_records
from emollm.stage import Output, track


def copy(source: Path, target: Path, *, stop_after: int | None = None, overwrite: bool = False, seed: int = 0) -> int:
    """A stage that copies; `stop_after` breaks off as a crash would."""
    with Output(target, stage="copy", options={"seed": seed}, inputs=[source], overwrite=overwrite) as out:
        for number, sample in enumerate(out.read(source, Sample)):
            if number == stop_after:
                raise KeyboardInterrupt
            if sample.label == "refuse":
                out.reject(sample.id, "no_aus", "nothing measured", sample)
            else:
                out.write(sample)
    return out.exit_code


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(f'{{"id":"{i}"}}\n' for i in range(10)))
    return path


def test_a_rerun_goes_on_where_it_stopped(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        copy(source, target, stop_after=4)
    assert json.loads((tmp_path / "out.manifest.json").read_text())["status"] == "stopped"
    assert copy(source, target) == 0
    manifest = json.loads((tmp_path / "out.manifest.json").read_text())
    assert (manifest["counts"], manifest["status"]) == ({"resumed": 4, "written": 6}, "done")
    assert target.read_text() == source.read_text()


def test_a_line_torn_by_a_crash_is_written_again(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.jsonl"
    copy(source, target)
    target.write_bytes(target.read_bytes()[:-4])
    assert copy(source, target) == 0
    assert target.read_text() == source.read_text()
    assert "the last line was cut off and is written again" in capsys.readouterr().err


def test_malformed_input_is_kept_aside_and_ends_with_1(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with source.open("a") as file:
        file.write('{"id":"11","lable":"anger"}\n{"id":"3"}\n{"id":"12","label":"refuse"}\n{"id":"13","la')
    assert copy(source, tmp_path / "out.jsonl") == 1
    assert len(list(read_records(tmp_path / "out.jsonl", Sample))) == 10
    rejected = lines(tmp_path / "out.rejected.jsonl")
    assert [(entry["id"], entry["reason"]) for entry in rejected] == [
        (None, "malformed"),
        (None, "malformed"),
        ("12", "no_aus"),
        (None, "malformed"),
    ]
    shown = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(shown) == 3
    assert "did you mean 'label'?" in shown[0]


def test_refusals_alone_are_no_error_while_something_is_kept(source: Path, tmp_path: Path) -> None:
    source.write_text('{"id":"a"}\n{"id":"b","label":"refuse"}\n')
    assert copy(source, tmp_path / "out.jsonl") == 0
    source.write_text('{"id":"b","label":"refuse"}\n')
    assert copy(source, tmp_path / "none.jsonl") == 1


def test_other_options_do_not_mix_with_an_earlier_run(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    copy(source, target)
    with pytest.raises(ConfigError, match=r"seed 0 → 1.*--overwrite"):
        copy(source, target, seed=1)
    assert copy(source, target, seed=1, overwrite=True) == 0


def test_a_clean_run_leaves_no_rejected_file(source: Path, tmp_path: Path) -> None:
    source.write_text('{"id":"a"}\n{"id":"b","label":"refuse"}\n')
    copy(source, tmp_path / "out.jsonl")
    assert (tmp_path / "out.rejected.jsonl").exists()
    source.write_text('{"id":"a"}\n{"id":"b"}\n')
    copy(source, tmp_path / "out.jsonl")
    assert not (tmp_path / "out.rejected.jsonl").exists()


def test_progress_in_a_log_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "LOG_EVERY_S", 0.0)
    assert list(track("ab", "eyes", 2)) == ["a", "b"]
    assert capsys.readouterr().err == "eyes: 1 of 2\neyes: 2 of 2\n"
    monkeypatch.setattr(stage, "LOG_EVERY_S", 30.0)
    assert list(track("ab", "eyes")) == ["a", "b"]
    assert capsys.readouterr().err == ""


def test_an_input_is_never_written_over(source: Path) -> None:
    before = source.read_text()
    for overwrite in (False, True):
        with pytest.raises(ConfigError, match="is an input of this run"):
            copy(source, source.parent / "." / source.name, overwrite=overwrite)
    assert source.read_text() == before


@pytest.mark.parametrize("name", ["out.manifest.json", "out.rejected.jsonl"])
def test_an_input_is_not_written_over_by_what_lies_beside_the_output(source: Path, name: str) -> None:
    mine = source.rename(source.with_name(name))
    before = mine.read_text()
    with pytest.raises(ConfigError, match="is an input of this run"):
        copy(mine, source.parent / "out.jsonl")
    assert mine.read_text() == before


def test_outputs_that_differ_in_their_suffix_share_nothing(source: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "out.jsonl", tmp_path / "out.txt"
    copy(source, first)
    before = (tmp_path / "out.manifest.json").read_bytes()
    copy(source, second, seed=1)
    assert (tmp_path / "out.manifest.json").read_bytes() == before
    assert [copy(source, path, seed=seed) for path, seed in ((first, 0), (second, 1))] == [0, 0]


def test_a_file_that_nobody_wrote_here_is_not_adopted(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text('{"id":"foreign"}\n')
    with pytest.raises(ConfigError, match=r"no out\.manifest\.json says how it was made"):
        copy(source, tmp_path / "out.jsonl")


def test_an_output_of_other_files_is_not_continued(source: Path, tmp_path: Path) -> None:
    copy(source, tmp_path / "out.jsonl")
    other = tmp_path / "other.jsonl"
    other.write_text('{"id":"z"}\n')
    with pytest.raises(ConfigError, match=r"was made otherwise \(from samples.jsonl\)"):
        copy(other, tmp_path / "out.jsonl")


def test_appended_rows_are_done_without_a_word(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy(source, tmp_path / "out.jsonl")
    with source.open("a") as file:
        file.write('{"id":"new"}\n')
    capsys.readouterr()
    assert copy(source, tmp_path / "out.jsonl") == 0
    assert "has changed" not in capsys.readouterr().err
    assert [line["id"] for line in lines(tmp_path / "out.jsonl")][-1] == "new"


def test_changed_rows_are_pointed_out(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy(source, tmp_path / "out.jsonl")
    source.write_text(source.read_text().replace('"3"', '"3","label":"anger"'))
    assert copy(source, tmp_path / "out.jsonl") == 0
    assert "samples.jsonl: has changed; what is written stays" in capsys.readouterr().err


def test_a_device_or_folder_is_no_output(source: Path, tmp_path: Path) -> None:
    for place in (Path("/dev/full"), tmp_path):
        with pytest.raises(ConfigError, match="no ordinary file"):
            copy(source, place)


def test_what_is_done_is_known_in_any_order(source: Path, tmp_path: Path) -> None:
    names = [f"face {number}" for number in range(300)]
    source.write_text("".join(f'{{"id":"{name}"}}\n' for name in names))
    with pytest.raises(KeyboardInterrupt):
        copy(source, tmp_path / "out.jsonl", stop_after=200)
    source.write_text("".join(f'{{"id":"{name}"}}\n' for name in reversed(names)))
    copy(source, tmp_path / "out.jsonl")
    assert [line["id"] for line in lines(tmp_path / "out.jsonl")] == names[:200] + names[:199:-1]


def test_an_output_with_an_id_twice_is_not_continued(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    copy(source, target)
    with target.open("a") as file:
        file.write('{"id":"4"}\n')
    with pytest.raises(RecordError, match=r"out\.jsonl:11: id: '4' is already on line 5"):
        copy(source, target)
