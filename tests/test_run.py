"""Run folders: what a rerun may change, what it goes on from, and who may be at work in them."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from emollm.errors import ConfigError
from emollm.files import write_json
from emollm.train.checkpoints import begin_anew, checkpoints, list_files, newest_whole
from emollm.train.lock import locked
from emollm.train.run import Run, open_run

OPTIONS = {"max_steps": 6, "learning_rate": 0.1}
DEFAULTS = {"max_steps": -1, "num_train_epochs": 3.0, "optim": "adamw", "report_to": "none"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "cot.jsonl"
    path.parent.mkdir()
    path.write_text("{}\n")
    return path


def save_checkpoint(folder: Path, step: int, epoch: float = 0.5) -> Path:
    """A checkpoint of one tensor of four bytes, an archive, and the state of the trainer."""
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    (checkpoint / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with zipfile.ZipFile(checkpoint / "optimizer.pt", "w") as archive:
        archive.writestr("data", bytes(64))
    list_files(checkpoint)
    write_json(checkpoint / "trainer_state.json", {"global_step": step, "epoch": epoch})
    return checkpoint


def reopen(data: Path, folder: Path, stage: str = "sft", overwrite: bool = False, **options: Any) -> Run:
    given = OPTIONS | {"train_file": str(data), "output_dir": str(folder)} | options
    return open_run(folder, stage=stage, options=given, inputs=[data], overwrite=overwrite, defaults=DEFAULTS)


def finish(data: Path, folder: Path, **options: Any) -> Run:
    """A run that is done after as many steps as its recipe says."""
    run = reopen(data, folder, **options)
    save_checkpoint(folder, run.manifest["options"]["max_steps"])
    (folder / "model.safetensors").write_bytes(b"weights")
    run.note(status="done", steps=run.manifest["options"]["max_steps"], saved=["model.safetensors"])
    return run


def test_a_run_cannot_be_made_shorter_than_it_is(data: Path, tmp_path: Path) -> None:
    finish(data, tmp_path / "run")
    before = (tmp_path / "run" / "manifest.json").read_bytes()
    with pytest.raises(ConfigError, match=r"has learnt for 6 steps, and max_steps asks for 4; ask for more"):
        reopen(data, tmp_path / "run", max_steps=4)
    assert (tmp_path / "run" / "manifest.json").read_bytes() == before
    assert not reopen(data, tmp_path / "run", max_steps=8).is_done


def test_epochs_cannot_be_taken_back_either(data: Path, tmp_path: Path) -> None:
    reopen(data, tmp_path / "run", max_steps=-1)
    save_checkpoint(tmp_path / "run", 6, epoch=2.0)
    with pytest.raises(ConfigError, match=r"has learnt for 2 epochs, and num_train_epochs asks for 1"):
        reopen(data, tmp_path / "run", max_steps=-1, num_train_epochs=1)
    reopen(data, tmp_path / "run", max_steps=-1, num_train_epochs=2)


@pytest.mark.parametrize(
    "change",
    [{"report_to": "none"}, {"save_steps": 3}, {"optim": "adamw"}, {"media_root": "elsewhere"}],
    ids=["said where", "saved when", "a default, spelt out", "pictures moved"],
)
def test_what_changes_nothing_is_no_other_run(change: dict[str, Any], data: Path, tmp_path: Path) -> None:
    finish(data, tmp_path / "run")
    assert reopen(data, tmp_path / "run", **change).is_done


def test_a_run_and_its_data_may_be_moved(data: Path, tmp_path: Path) -> None:
    finish(data, tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    data.parent.rename(tmp_path / "other")
    assert reopen(tmp_path / "other" / data.name, tmp_path / "moved").is_done
    (tmp_path / "other" / data.name).write_text("{ }\n")
    with pytest.raises(ConfigError, match=r"cot\.jsonl is another file"):
        reopen(tmp_path / "other" / data.name, tmp_path / "moved")


def test_a_run_whose_model_is_gone_is_not_done(data: Path, tmp_path: Path) -> None:
    finish(data, tmp_path / "run")
    assert reopen(data, tmp_path / "run").is_done
    (tmp_path / "run" / "model.safetensors").unlink()
    assert not reopen(data, tmp_path / "run").is_done


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(("stage", "verb"), [("rounds", "train rounds"), ("merge", "merge")])
def test_a_folder_of_another_verb_is_left_alone(
    stage: str, verb: str, overwrite: bool, data: Path, tmp_path: Path
) -> None:
    reopen(data, tmp_path / "run", stage=stage).note(status="done")
    with pytest.raises(ConfigError, match=rf"run: holds what `emollm {verb}` made; give another output_dir$"):
        reopen(data, tmp_path / "run", overwrite=overwrite)


def test_a_damaged_manifest_is_one_line(data: Path, tmp_path: Path) -> None:
    finish(data, tmp_path / "run")
    (tmp_path / "run" / "manifest.json").write_text("{")
    with pytest.raises(
        ConfigError, match=r"manifest\.json: is damaged, .* put a copy back, or give another output_dir"
    ):
        reopen(data, tmp_path / "run")


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt", "files.json", "trainer_state.json"])
def test_a_damaged_checkpoint_is_passed_over_and_said(name: str, tmp_path: Path) -> None:
    older, newer = save_checkpoint(tmp_path, 4), save_checkpoint(tmp_path, 10)
    said: list[str] = []
    assert newest_whole(tmp_path, said.append) == newer
    assert not said
    (newer / name).write_bytes((newer / name).read_bytes()[:-3])
    assert newest_whole(tmp_path, said.append) == older
    assert [line.startswith(f"{newer}: {name}") for line in said] == [True]
    for content in (b"", b"{", b"[]", b"\xff\xfe{}"):
        (newer / name).write_bytes(content)
        assert newest_whole(tmp_path) == older
    (newer / name).unlink()
    assert newest_whole(tmp_path) == older


def test_what_is_only_named_like_a_checkpoint_is_none(tmp_path: Path) -> None:
    checkpoint = save_checkpoint(tmp_path, 5)
    shutil.copytree(checkpoint, tmp_path / "checkpoint-9.bak")
    shutil.copytree(checkpoint, tmp_path / "checkpoint-5-copy")
    (tmp_path / "checkpoint-best").mkdir()
    (tmp_path / "checkpoint-10").write_text("a note")
    assert checkpoints(tmp_path) == [checkpoint]
    (checkpoint / "notes.bin").write_text("somebody's own")
    assert newest_whole(tmp_path) == checkpoint
    Run(tmp_path, {}).rewind(checkpoint)


@pytest.mark.parametrize("part", ["latest", "global_step9/bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt"])
def test_a_part_of_another_process_that_is_missing_is_not_passed_over(part: str, tmp_path: Path) -> None:
    older, newer = save_checkpoint(tmp_path, 5), save_checkpoint(tmp_path, 9)
    (newer / "global_step9").mkdir()
    (newer / "latest").write_text("global_step9")
    for rank in range(2):
        (newer / f"global_step9/bf16_zero_pp_rank_{rank}_mp_rank_00_optim_states.pt").write_text("tensors")
    list_files(newer)
    assert newest_whole(tmp_path) == newer
    (newer / part).unlink()
    assert newest_whole(tmp_path) == older


def test_a_folder_has_one_training_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / "run"):
        with pytest.raises(ConfigError, match="another training is at work in it"), locked(tmp_path / "run"):
            pass
        with locked(tmp_path / "other"):
            pass
    with locked(tmp_path / "run"):
        assert not any((tmp_path / "run").iterdir())


def test_a_training_that_was_killed_blocks_nobody(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from emollm.train.lock import locked\n"
        "with locked(Path(sys.argv[1])): print('has it', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "has it\n"
        with pytest.raises(ConfigError, match="another training"), locked(tmp_path):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
    with locked(tmp_path):
        pass


def test_the_other_processes_of_a_training_do_not_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with locked(tmp_path):
        monkeypatch.setenv("RANK", "1")
        with locked(tmp_path):
            pass


def test_a_checkpoint_that_is_written_over_is_not_whole_before_its_end(tmp_path: Path) -> None:
    older, newer = save_checkpoint(tmp_path, 5), save_checkpoint(tmp_path, 9)
    begin_anew(newer)
    assert newest_whole(tmp_path) == older
    write_json(newer / "trainer_state.json", {"global_step": 9})
    assert newest_whole(tmp_path) == older
    list_files(newer)
    assert newest_whole(tmp_path) == newer
