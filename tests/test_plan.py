"""The plan of a training: counts are exact, estimates near what a step allocates, and the text says what helps."""

from __future__ import annotations

import json
import math
import weakref
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from stand_ins import STAND_INS, build_stand_in, save_stand_in  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_iter  # noqa: E402

from emollm.errors import ConfigError, ModelError  # noqa: E402
from emollm.pictures import open_picture  # noqa: E402
from emollm.train import grpo, sft  # noqa: E402
from emollm.train.launch import DEFAULTS  # noqa: E402
from emollm.train.lora import Lora, Train, freeze, part_of, peft_config, trained_parts  # noqa: E402
from emollm.train.plan import memory as accounts  # noqa: E402
from emollm.train.plan.anatomy import dissect  # noqa: E402
from emollm.train.plan.compute import Row, arithmetic, card  # noqa: E402
from emollm.train.plan.lengths import picture_tokens  # noqa: E402
from emollm.train.plan.memory import DOUBT, GB, Batch, Setup, activations, kept, output_layer  # noqa: E402
from emollm.train.plan.plan import Launcher, Plan, make_plan, read_launcher, remedies  # noqa: E402
from emollm.train.plan.table import fits, render, trainer_defaults  # noqa: E402
from emollm.vlm.bases import BASES, build_without_weights, published_config  # noqa: E402
from emollm.vlm.turns import ask_about, encode_prompts  # noqa: E402

ROOT = Path(__file__).parent.parent
TEXTS = ["Which expression is this? Choose from: happiness, sadness.", "AU12 is clearly there, so happiness."] * 9


def sft_options(**values: Any) -> dict[str, Any]:
    from trl import SFTConfig

    recipe = sft.Recipe(model="Qwen/Qwen2.5-VL-3B-Instruct", train_file="none.jsonl")
    own = {field: getattr(recipe, field) for field in recipe.__struct_fields__}
    return trainer_defaults(SFTConfig) | DEFAULTS | own | values


@pytest.mark.parametrize("name", BASES)
def test_a_base_of_the_table_has_the_parameters_that_are_published(name: str) -> None:
    model = build_without_weights(published_config(name))
    assert sum(parameter.numel() for parameter in model.parameters()) == BASES[name].num_parameters


@pytest.mark.parametrize("arch", STAND_INS)
@pytest.mark.parametrize("lora", [None, Lora(r=4, dora=True)], ids=["whole", "dora"])
def test_the_counts_are_those_of_the_real_model(arch: str, lora: Lora | None, monkeypatch: pytest.MonkeyPatch) -> None:
    from peft import get_peft_model
    from transformers.models.smolvlm import processing_smolvlm

    monkeypatch.setattr(processing_smolvlm, "num2words", str)
    parts = trained_parts(Train(vision="none", projector="all"), lora)
    model, _ = build_stand_in(arch, TEXTS)
    anatomy = dissect(model.config, parts, lora)
    whole = {part: sum(p.numel() for n, p in model.named_parameters() if part_of(n) == part) for part in anatomy.parts}
    assert {name: part.parameters for name, part in anatomy.parts.items()} == whole
    freeze(model, parts)
    if lora is not None:
        model = get_peft_model(model, peft_config(lora, parts, model))
    learns = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    assert anatomy.total("trained") + anatomy.total("adapter") == learns
    assert anatomy.total("parameters") + anatomy.kept_aside + anatomy.total("adapter") == sum(
        parameter.numel() for parameter in model.parameters()
    )


class Live(TorchDispatchMode):
    """Counts the bytes of the tensors that are alive, and the most there were; `known` were there before."""

    def __init__(self, known: list[Any]) -> None:
        super().__init__()
        self.held = [tensor.untyped_storage() for tensor in known]
        self.seen = {storage._cdata for storage in self.held}
        self.live = self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_iter(result):
            if isinstance(tensor, torch.Tensor) and tensor.untyped_storage()._cdata not in self.seen:
                storage = tensor.untyped_storage()
                self.seen.add(storage._cdata)
                self.live += storage.nbytes()
                self.peak = max(self.peak, self.live)
                weakref.finalize(storage, self.gone, storage._cdata, storage.nbytes())
        return result

    def gone(self, key: int, size: int) -> None:
        self.seen.discard(key)
        self.live -= size


def wide_config() -> Any:
    """A Qwen3-VL whose activations outweigh its weights, in the proportions of the real one."""
    from transformers import Qwen3VLConfig

    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [6, 5, 5], "mrope_interleaved": True}
    text = {
        "hidden_size": 128,
        "intermediate_size": 448,
        "num_hidden_layers": 4,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "vocab_size": 64,
        "rope_parameters": rope,
    }
    vision = {
        "depth": 3,
        "hidden_size": 64,
        "intermediate_size": 256,
        "num_heads": 4,
        "out_hidden_size": 128,
        "deepstack_visual_indexes": [1],
        "num_position_embeddings": 256,
    }
    ids = {"image_token_id": 7, "video_token_id": 8, "vision_start_token_id": 9, "vision_end_token_id": 10}
    return Qwen3VLConfig(text_config=text, vision_config=vision, **ids)


def wide_batch(rows: int = 2, side: int = 16, words: int = 240) -> dict[str, Any]:
    ids = torch.randint(20, 60, (rows, words))
    image = torch.full((rows, side * side // 4), 7)
    ids = torch.cat([ids[:, :5], torch.full((rows, 1), 9), image, torch.full((rows, 1), 10), ids[:, 5:]], 1)
    return {
        "input_ids": ids,
        "labels": ids.clone(),
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == 7).long(),
        "pixel_values": torch.randn(rows * side * side, 3 * 2 * 16 * 16),
        "image_grid_thw": torch.tensor([[1, side, side]] * rows),
    }


CASES = {
    "whole": (None, torch.float32, False, False),
    "whole, checkpointed": (None, torch.float32, False, True),
    "whole, autocast": (None, torch.float32, True, False),
    "LoRA on 16 bits": (Lora(dropout=0.0), torch.bfloat16, True, False),
    "LoRA, checkpointed": (Lora(dropout=0.0), torch.bfloat16, True, True),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_step_allocates_is_what_the_plan_says(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import trl.trainer.utils
    from peft import get_peft_model

    lora, dtype, is_autocast, is_checkpointed = CASES[case]
    # The tile is as wide as the vocabulary of a large model; here it would outweigh everything.
    monkeypatch.setattr(trl.trainer.utils, "_CHUNKED_LOGPROB_CHUNK_SIZE", 256)
    monkeypatch.setattr(accounts, "TILE", (4096, 256))
    config, parts = wide_config(), trained_parts(lora=lora)
    model = build_without_weights(config).to_empty(device="cpu").to(dtype).train()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    base = model
    if lora is not None:
        model = get_peft_model(model, peft_config(lora, parts, model))
    if is_checkpointed:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    trl.trainer.utils.add_fused_lm_head(base)
    learns = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learns, fused=True)
    batch = wide_batch()

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=is_autocast):
            loss = model(**batch, fused_lm_head=True).loss
        loss.backward()

    step()
    optimizer.step()
    setup = Setup(
        weight_bytes=dtype.itemsize, compute_bytes=2 if is_autocast else dtype.itemsize, checkpointing=is_checkpointed
    )
    lines = kept(dissect(config, parts, lora), setup)
    states = [value for state in optimizer.state.values() for value in state.values() if value.dim()]
    gradients = [parameter.grad for parameter in learns]
    assert lines["weights"] + lines["adapter"] == sum(parameter.nbytes for parameter in model.parameters())
    assert lines["gradients"] == sum(gradient.nbytes for gradient in gradients)
    assert lines["optimizer"] == sum(state.nbytes for state in states)

    with Live([*model.parameters(), *model.buffers(), *batch.values(), *gradients, *states]) as live:
        step()
    tokens = batch["input_ids"].shape[1]
    shape = Batch(2, tokens, tokens - 1, 256)
    anatomy = dissect(config, parts, lora)
    said = activations(anatomy, setup, shape)
    estimate = said["activations"] + max(said["work"], output_layer(anatomy, setup, shape))
    assert estimate == pytest.approx(live.peak, rel=DOUBT)


@pytest.mark.parametrize(("optim", "cls"), [("adamw_8bit", "AdamW8bit"), ("paged_adamw_32bit", "PagedAdamW32bit")])
def test_the_states_of_small_optimizers_are_counted(optim: str, cls: str) -> None:
    bitsandbytes = pytest.importorskip("bitsandbytes")
    layer = torch.nn.Linear(512, 256, bias=False).to(torch.bfloat16)
    optimizer = getattr(bitsandbytes.optim, cls)(layer.parameters())
    layer(torch.ones(1, 512, dtype=torch.bfloat16)).sum().backward()
    optimizer.step()
    state = next(iter(optimizer.state.values()))
    size = sum(
        value.nbytes for name, value in state.items() if hasattr(value, "nbytes") and not name.startswith("qmap")
    )
    assert accounts._state_bytes(Setup(optimizer=optim), 2) * 512 * 256 == pytest.approx(size, rel=0.01)


def test_four_bit_weights_take_what_the_plan_says() -> None:
    functional = pytest.importorskip("bitsandbytes.functional")
    packed, state = functional.quantize_4bit(torch.randn(512, 1024), quant_type="nf4", compress_statistics=True)
    size = packed.nbytes + state.absmax.nbytes + state.state2.absmax.nbytes
    assert size == pytest.approx(accounts.NF4 * 512 * 1024, rel=0.001)


def test_arithmetic_is_six_operations_a_weight_and_four_where_it_is_frozen() -> None:
    config = wide_config()
    row = Row(tokens=1e-9, answer=0, image=0, patches=0)  # so short that attention counts nothing
    whole = dissect(config, trained_parts())
    assert arithmetic(whole, row).training == pytest.approx(6 * whole.language.matrices * row.tokens)
    lora = Lora(vision=False)
    frozen = dissect(config, trained_parts(lora=lora), lora)
    expected = (4 * frozen.language.matrices + 6 * frozen.language.adapter) * row.tokens
    assert arithmetic(frozen, row).training == pytest.approx(expected)
    long = row._replace(tokens=1000.0)
    attention = 12 * whole.language_stack.layers * whole.language_stack.queries * 1000**2
    assert arithmetic(whole, long).training == pytest.approx(6 * whole.language.matrices * 1000 + attention)
    pictures = Row(tokens=0, answer=0, image=0, patches=1e-9)
    assert arithmetic(frozen, pictures).backward == 0


@pytest.mark.parametrize("arch", sorted(set(STAND_INS) - {"idefics3", "smolvlm", "internvl"}))
def test_a_picture_has_as_many_tokens_as_the_processor_gives_it(arch: str, toy_file: Path) -> None:
    model, processor = build_stand_in(arch, TEXTS)
    picture = open_picture(toy_file.parent / "0.png")
    inputs = encode_prompts(processor, [ask_about(picture, "?")])
    image_id = processor.tokenizer.convert_tokens_to_ids(processor.tokenizer.image_token)
    said, patches = picture_tokens(model.config, (picture.height, picture.width), 64 * 64)
    assert said == int((inputs["input_ids"] == image_id).sum())
    if "image_grid_thw" in inputs:
        assert patches == int(inputs["image_grid_thw"].prod())


def test_the_plan_of_a_file_counts_rows_and_steps_as_the_run_does(toy_file: Path, tmp_path: Path) -> None:
    folder = save_stand_in("qwen3_vl", TEXTS, tmp_path / "base")
    values = {"model": str(folder), "train_file": str(toy_file), "per_device_train_batch_size": 5}
    values |= {"gradient_accumulation_steps": 2, "num_train_epochs": 1.0}
    plan = make_plan("sft", sft_options(**values), Launcher())
    assert (plan.lengths.rows, plan.steps_per_epoch, plan.steps) == (48, 5, 5)
    assert "measured on" in plan.lengths.origin
    (tmp_path / "r.yaml").write_text(json.dumps({**values, "output_dir": str(tmp_path / "run"), "save_strategy": "no"}))
    assert sft.main(["--config", str(tmp_path / "r.yaml")]) == 0
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["steps"] == plan.steps


@pytest.mark.slow
def test_grpo_takes_the_steps_that_the_plan_says(toy_file: Path, tmp_path: Path) -> None:
    from trl import GRPOConfig

    folder = save_stand_in("qwen3_vl", TEXTS, tmp_path / "base")
    values: dict[str, Any] = {"model": str(folder), "train_file": str(toy_file), "output_dir": str(tmp_path / "run")}
    values |= {"split": "test", "rewards": {"format": 1.0}, "num_generations": 2, "per_device_train_batch_size": 5}
    values |= {"gradient_accumulation_steps": 2, "max_completion_length": 4, "num_train_epochs": 1.0}
    (tmp_path / "r.yaml").write_text(json.dumps(values | {"save_strategy": "no"}))
    own = {name: getattr(grpo.Recipe(model="", train_file=""), name) for name in grpo.Recipe.__struct_fields__}
    plan = make_plan("grpo", trainer_defaults(GRPOConfig) | DEFAULTS | own | values, Launcher())
    assert grpo.main(["--config", str(tmp_path / "r.yaml")]) == 0
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["steps"] == plan.steps == 2


def plan_of(**values: Any) -> Plan:
    return make_plan("sft", sft_options(**values), Launcher())


def test_zero_divides_what_each_stage_says() -> None:
    whole = kept(dissect(wide_config(), trained_parts()), Setup(deepspeed=True))
    for stage in (1, 2, 3):
        lines = kept(dissect(wide_config(), trained_parts()), Setup(deepspeed=True, world=8, zero_stage=stage))
        for place, name in enumerate(("optimizer", "gradients", "weights")):
            assert lines[name] == whole[name] / (8 if place < stage else 1)
    assert sum(whole[name] for name in ("weights", "gradients", "optimizer")) == whole["weights"] / 2 * 16


def test_memory_goes_where_it_is_expected() -> None:
    lora = {"lora": {"r": 16}, "dtype": "bfloat16", "activation_checkpointing": True}
    plain = plan_of(**lora)
    assert plain.lines["weights"] == pytest.approx(3_754_622_976 * 2)
    assert plan_of(**lora, quantization="nf4").lines["weights"] < plain.lines["weights"] / 2
    assert plan_of(**lora | {"activation_checkpointing": False}).lines["activations"] > 3 * plain.lines["activations"]
    smoothed = plan_of(**lora, label_smoothing_factor=0.1)
    assert smoothed.lines["work"] > 2 * plain.lines["work"]


def test_a_plan_that_does_not_fit_says_what_would_help() -> None:
    options = sft_options(dtype="float32", per_device_train_batch_size=8)
    plan = make_plan("sft", options, Launcher())
    text = "\n".join(render("sft", options, Launcher(), plan, card("4090"), 0.25))
    assert "fits into 24 GB: no" in text
    helping = {name: changed.total for name, changed in remedies("sft", options, Launcher(), plan)}
    assert set(helping) >= {"activation_checkpointing=true", "lora={}", "optim=adamw_8bit"}
    assert all(total < plan.total for total in helping.values())
    assert all(name in text for name in helping)


def test_the_doubt_decides_between_yes_and_perhaps() -> None:
    plan = plan_of()
    total, doubt = plan.total / GB, accounts.doubt(plan.lines) / GB
    verdicts = [fits(plan, total + share * doubt) for share in (1.1, 0.5, -0.5, -1.1)]
    assert verdicts == ["yes", "perhaps", "perhaps", "no"]


def test_sixteen_bit_weights_without_a_copy_are_warned_of() -> None:
    for launcher, dtype, is_warned in ((Launcher(), "bfloat16", True), (Launcher(), "float32", False)):
        options = sft_options(dtype=dtype)
        plan = make_plan("sft", options, launcher)
        assert ("careful: 16-bit" in "\n".join(render("sft", options, launcher, plan, None, 0.25))) == is_warned


def test_a_launcher_file_says_how_many_processes_and_which_stage() -> None:
    found = read_launcher(ROOT / "recipes" / "accelerate" / "zero3.yaml")
    assert found._replace(num_processes=8) == Launcher(8, 3, deepspeed=True)
    with pytest.raises(ConfigError, match="no distributed_type"):
        read_launcher(ROOT / "recipes" / "quickstart" / "sft.yaml")


def test_the_command_plans_without_loading(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    recipe = ["--config", "recipes/qwen2.5-vl-3b/sft_lora.yaml", "train_file=none.jsonl", "--plan"]
    assert sft.main([*recipe, "--gpu", "4090"]) == 0
    shown = capsys.readouterr().out
    for part in ("3,754,622,976", "nothing is loaded", "fits into 24 GB: yes", "at 25% of 165 TFLOP/s", "± 25%"):
        assert part in shown
    with pytest.raises(ConfigError, match="--gpu 4080: not known; did you mean '4090'"):
        sft.main([*recipe, "--gpu", "4080"])
    with pytest.raises(ModelError, match="no such directory"):
        sft.main([*recipe, "model=somebody/unknown"])


def test_the_longest_row_counts_for_memory_and_the_mean_for_time() -> None:
    plan = plan_of(styles={"label": 3.0, "sections": 1.0})
    assert plan.batch.tokens == math.ceil(plan.lengths.longest.tokens) > plan.lengths.mean.tokens
    assert plan.work == arithmetic(plan.anatomy, plan.lengths.mean)
