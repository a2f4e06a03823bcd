"""Curves: what was logged is in the picture, whatever it was, and the picture is drawn while the training runs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from running import carry_out, logged

from emollm.errors import ConfigError, TrainingError
from emollm.train import callbacks, sft
from emollm.train.curves import HEIGHT, MAX_POINTS, draw, draw_curves, number, read_panels, ticks, write_curves

SVG = "{http://www.w3.org/2000/svg}"

GRPO = [
    {"step": step, "loss": 0.1 / step, "reward": step / 4, "rewards/label/mean": step / 5, "rewards/label/std": 0.1}
    | {"completions/mean_length": 40 - step, "learning_rate": 2e-5, "step_time": 3.0}
    for step in (1, 2, 3, 4)
]


def drawn(lines: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the panels of the picture: title to all other texts."""
    panels = ElementTree.fromstring(draw(lines)).findall(f"{SVG}g")
    texts = [[str(one.text) for one in panel.iter() if one.text and one.text.strip()] for panel in panels]
    return {first: rest for first, *rest in texts}


def heights(lines: list[dict[str, Any]], mark: str = "line") -> list[float]:
    """Return how high the points of the first line lie, in pixels above the panel's bottom."""
    (path, *_) = re.findall(rf'class="a {mark}" d="([^"]*)"', draw(lines))
    return [HEIGHT - float(point.split()[1].rstrip("Z")) for point in re.split("[ML]", path)[1:]]


def test_every_quantity_has_its_panel_with_its_last_value() -> None:
    panels = drawn([*GRPO, {"step": 4, "train_runtime": 9.0, "train_loss": 0.05}])
    titles = ["loss", "reward", "reward label", "length of answers, tokens", "learning rate"]
    assert list(panels) == titles
    assert [texts[0] for texts in panels.values()] == ["0.025", "1", "0.8", "36", "2e−5"]
    assert all(texts[-1] == "step" for texts in panels.values())


def test_what_is_larger_lies_higher() -> None:
    lines = [{"step": step, "loss": loss} for step, loss in enumerate([4.0, 1.0, 2.0, 3.0], start=1)]
    first, *rest = heights(lines)
    assert first == max(heights(lines))
    assert rest == sorted(rest)


def test_losses_of_training_and_of_held_out_rows_share_a_panel() -> None:
    panels = drawn([{"step": 5, "loss": 1.5}, {"step": 5, "eval_loss": 1.75}, {"step": 5, "validation_accuracy": 0.9}])
    assert panels["loss"][:2] == ["training 1.5", "held out 1.75"]
    assert panels["validation accuracy"][0] == "0.9"


def test_values_that_are_no_numbers_are_marked() -> None:
    lines = [{"step": 1, "loss": 1.0}, {"step": 2, "loss": float("nan")}, {"step": 3, "loss": float("inf")}]
    text = draw(lines)
    assert text.count('class="lost"') == 2
    assert drawn(lines)["loss"][0] == "no number"
    assert "nan" not in text.lower().replace("nats", "")


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [{"step": 1, "loss": 0.0}],
        [{"step": 7, "loss": 3.0}] * 3,
        [{"step": 1, "loss": 1e300}, {"step": 2, "loss": -1e300}],
        [{"step": 1, "loss": float("nan")}],
        [{"step": 1, "loss": "1.0", "reward": None, "rewards/<b>&/mean": 0.5}],
    ],
    ids=["nothing", "one zero", "all alike", "huge", "no number at all", "strange keys and values"],
)
def test_any_log_becomes_a_picture(lines: list[dict[str, Any]]) -> None:
    ElementTree.fromstring(draw(lines))
    assert "nan" not in re.sub(r'<text.*?</text>|aria-label="[^"]*"', "", draw(lines))


def test_a_long_log_is_no_large_picture_and_keeps_its_extremes() -> None:
    lines = [{"step": step, "loss": 5.0 if step == 777 else step % 2} for step in range(1, 20_001)]
    assert len(draw(lines)) < 20_000
    assert len(heights(lines)) <= MAX_POINTS + 1
    around = heights(lines, "all")
    assert max(around) == pytest.approx(HEIGHT - next(iter(read_panels(lines))).y(5.0), abs=0.1)
    assert max(heights(lines)) < max(around) - 50  # the mean is not the largest


def test_a_schedule_is_not_smoothed_and_noise_is() -> None:
    warm_up = [{"step": step, "learning_rate": min(step, 10)} for step in range(1, 61)]
    assert heights(warm_up) == heights(warm_up, "all")[:60]
    noise = [{"step": step, "reward": step % 2} for step in range(1, 61)]
    line, whole = heights(noise), heights(noise, "all")
    assert max(line) - min(line) < (max(whole) - min(whole)) / 2


def test_the_picture_is_readable_on_light_and_on_dark_pages() -> None:
    light, _, dark = draw(GRPO).partition("prefers-color-scheme:dark")
    for name in (".paper", "text", ".title", ".a"):
        assert f".curves {name}{{" in light
        assert f".curves {name}{{" in dark


def test_ticks_are_few_round_and_within() -> None:
    for low, high in ((0, 1), (0.137, 0.142), (-3, 5000), (1e-7, 9e-7)):
        found = ticks(low, high)
        assert 2 <= len(found) <= 6
        assert all(low <= tick <= high for tick in found)
    assert ticks(0, 3, least=1) == [0, 1, 2, 3]
    assert [number(value) for value in (0, 1.39865, 2000, -0.5, 2e-5, 1.23e8)] == [
        "0", "1.399", "2,000", "−0.5", "2e−5", "1.23e8",
    ]  # fmt: skip


def test_a_log_that_a_crash_tore_is_drawn_up_to_there(tmp_path: Path) -> None:
    log = tmp_path / "train_log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in GRPO) + '{"step": 5, "lo')
    assert draw_curves(log) == draw(GRPO)
    write_curves(tmp_path)
    assert (tmp_path / "curves.svg").read_text() == draw(GRPO)
    with pytest.raises(OSError, match="none"):
        draw_curves(tmp_path / "none.jsonl")


# --- while a training runs --------------------------------------------------------------------------------------------


@pytest.fixture
def run(toy_file: Path, tiny_dir: Path, tmp_path: Path) -> Callable[..., Path]:
    """Carry out four steps with changes and return the run folder."""
    pytest.importorskip("trl")
    values = {
        "model": str(tiny_dir),
        "train_file": str(toy_file),
        "output_dir": str(tmp_path / "run"),
        "max_steps": 4,
        "per_device_train_batch_size": 2,
        "learning_rate": 2e-3,
        "logging_steps": 1,
        "save_steps": 2,
    }
    return lambda *options, **changes: carry_out(sft.main, values | changes, tmp_path, *options)


def test_the_picture_is_drawn_with_each_checkpoint_and_at_the_end(
    run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = []

    def noted(folder: Path) -> None:
        write_curves(folder)
        reached.append(len(logged(folder)))

    monkeypatch.setattr(callbacks, "write_curves", noted)
    folder = run()
    assert reached == [2, 4, 4]
    assert (folder / "curves.svg").read_text() == draw_curves(folder / "train_log.jsonl")


def test_a_training_that_failed_shows_its_curves(run: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="lower learning_rate"):
        run(learning_rate=1e30, save_strategy="no")
    assert 'aria-label="Curves of a training up to step 1.' in (tmp_path / "run" / "curves.svg").read_text()


TENSORBOARD = """
import json, pathlib
class SummaryWriter:
    def __init__(self, log_dir): self.path = pathlib.Path({path!r})
    def add_text(self, *_): pass
    def add_scalar(self, name, value, step):
        with self.path.open("a") as file: file.write(json.dumps([name, value, step]) + "\\n")
    def flush(self): pass
    def close(self): pass
"""


def test_a_tool_that_is_named_gets_what_is_logged_and_the_log_is_written_all_the_same(
    run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorBoard is not installed for the tests; what stands in for it writes down what it is told."""
    from transformers.integrations import integration_utils

    (tmp_path / "tensorboardX.py").write_text(TENSORBOARD.format(path=str(tmp_path / "told.jsonl")))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    monkeypatch.setattr(integration_utils, "is_tensorboard_available", lambda: True)
    validation = {"split": "test", "every": 4, "num_samples": 2, "max_new_tokens": 2}
    folder = run(report_to="tensorboard", validation=validation)
    told = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    assert [value for name, value, _ in told if name == "train/loss"] == [line["loss"] for line in logged(folder)]
    assert [step for name, _, step in told if name == "train/validation_accuracy"] == [4]


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        ("tensorbord", r"report_to: 'tensorbord' is not known; did you mean 'tensorboard'\?"),
        ("wandb", r"report_to: wandb is not installed; pip install wandb, .* curves\.svg are always written"),
    ],
)
def test_a_tool_that_is_not_there_is_said_before_anything_is_loaded(
    tool: str, message: str, run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.integrations import integration_utils

    monkeypatch.setattr(integration_utils, "is_wandb_available", lambda: False)
    with pytest.raises(ConfigError, match=message):
        run(report_to=tool, model="no/such/model")
    assert not (tmp_path / "run").exists()
