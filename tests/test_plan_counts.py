"""What a plan counts: parameters exactly, memory near what a step allocates, six operations a weight."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from stand_ins import STAND_INS, build_stand_in  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_iter  # noqa: E402

from emollm.pictures import open_picture  # noqa: E402
from emollm.train.lora import Lora, Train, freeze, part_of, peft_config, trained_parts  # noqa: E402
from emollm.train.plan import memory as accounts  # noqa: E402
from emollm.train.plan.anatomy import dissect  # noqa: E402
from emollm.train.plan.compute import Row, arithmetic  # noqa: E402
from emollm.train.plan.lengths import picture_tokens  # noqa: E402
from emollm.train.plan.memory import DOUBT, Batch, Setup, activations, kept, output_layer  # noqa: E402
from emollm.vlm.bases import BASES, build_without_weights, published_config  # noqa: E402
from emollm.vlm.turns import ask_about, encode_prompts  # noqa: E402

TEXTS = ["Which expression is this? Choose from: happiness, sadness.", "AU12 is clearly there, so happiness."] * 9


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


def test_zero_divides_what_each_stage_says() -> None:
    whole = kept(dissect(wide_config(), trained_parts()), Setup(deepspeed=True))
    for stage in (1, 2, 3):
        lines = kept(dissect(wide_config(), trained_parts()), Setup(deepspeed=True, world=8, zero_stage=stage))
        for place, name in enumerate(("optimizer", "gradients", "weights")):
            assert lines[name] == whole[name] / (8 if place < stage else 1)
    assert sum(whole[name] for name in ("weights", "gradients", "optimizer")) == whole["weights"] / 2 * 16


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
