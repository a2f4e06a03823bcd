"""Shared prompts: the log-probabilities and gradients of TRL's layout, for every family, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from grpo_batches import LENGTHS, Case, build_case  # noqa: E402

from emollm.pictures import open_picture  # noqa: E402
from emollm.train import prefix_layout, shared_prefix  # noqa: E402
from emollm.train.prefix_layout import Branching, Layout, branchings  # noqa: E402
from emollm.train.shared_prefix import MROPE, ROPE, SharedPrefix  # noqa: E402
from emollm.vlm.load import load_model  # noqa: E402

EXACT = 1e-5


class Result(NamedTuple):
    logps: Any
    entropies: Any
    gradients: dict[str, Any]


def make_trainer(shared: bool) -> Any:
    """TRL's trainer, or ours, with nothing but what the method under test needs."""
    from accelerate import Accelerator
    from trl import GRPOTrainer

    class Trainer(SharedPrefix, GRPOTrainer):  # type: ignore[misc]
        pass

    kind = Trainer if shared else GRPOTrainer
    trainer = kind.__new__(kind)
    trainer.accelerator = Accelerator(cpu=True)
    return trainer


def run(case: Case, shared: bool = True, trainer: Any = None, **options: Any) -> Result:
    """Call the method as the trainer does, and go back from a loss that weighs every token differently."""
    trainer = trainer or make_trainer(shared)
    case.model.zero_grad()
    compute = trainer._get_per_token_logps_and_entropies
    logps, entropies, _ = compute(case.model, compute_entropy=True, **case.batch, **options)
    weights = torch.randn(logps.shape, generator=torch.Generator().manual_seed(1))
    ((logps * weights).mean() + 0.1 * (entropies * weights).mean()).backward()
    gradients = {name: p.grad.clone() for name, p in case.model.named_parameters() if p.grad is not None}
    return Result(logps.detach(), entropies.detach(), gradients)


@contextmanager
def forwards(model: Any) -> Iterator[list[tuple[int, int]]]:
    """Within the block, note the rows and tokens of every forward that is trained on; not those of sampling."""
    seen: list[tuple[int, int]] = []

    def note(_module: Any, _inputs: Any, known: dict[str, Any]) -> None:
        if torch.is_grad_enabled():
            seen.append(tuple(known["input_ids"].shape))

    backbone = getattr(model, "get_base_model", lambda: model)().base_model
    handle = backbone.register_forward_pre_hook(note, with_kwargs=True)
    yield seen
    handle.remove()


def assert_same(one: Result, other: Result, tolerance: float = EXACT) -> None:
    torch.testing.assert_close(one.logps, other.logps, atol=tolerance, rtol=0)
    torch.testing.assert_close(one.entropies, other.entropies, atol=tolerance, rtol=0)
    assert one.gradients.keys() == other.gradients.keys()
    for name, gradient in one.gradients.items():
        torch.testing.assert_close(gradient, other.gradients[name], atol=tolerance, rtol=0, msg=lambda m, n=name: n + m)


@pytest.mark.parametrize("family", [*MROPE, *ROPE, "mistral", "qwen3"])
def test_every_family_computes_what_it_computes_in_the_layout_of_trl(family: str) -> None:
    # TRL does not tell LLaVA-OneVision which pictures share a row, so it takes one a row.
    case = build_case(family, (1, 1) if family == "llava_onevision" else (1, 2))
    with forwards(case.model) as seen:
        plain, shared = run(case, shared=False), run(case, shared=True)
    assert_same(shared, plain)
    assert plain.logps.abs().max() > 1
    assert max(gradient.abs().max() for gradient in plain.gradients.values()) > 0.01
    (rows, width), (shared_rows, shared_width) = seen
    assert rows == len(LENGTHS)
    assert shared_rows == 2
    assert shared_rows * shared_width < rows * width * 0.7


@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen3_vl", "idefics3"])
def test_wrong_positions_and_masks_that_leak_are_noticed(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = build_case(family)
    plain = run(case, shared=False)

    def difference(target: Any, name: str, wrong: Callable[..., Any]) -> float:
        with monkeypatch.context() as patch:
            patch.setattr(target, name, wrong)
            return float((run(case, shared=True).logps - plain.logps).abs().max())

    right = shared_prefix.positions

    def shifted(model: Any, rows: Any) -> Any:
        place = right(model, rows).clone()
        place[..., rows.num_prompt :] += 1
        return place

    right_mask = Layout.mask

    def causal(layout: Layout, dtype: Any) -> Any:
        return right_mask(layout._replace(branch=torch.zeros_like(layout.branch)), dtype)

    assert difference(shared_prefix, "positions", shifted) > 100 * EXACT
    assert difference(Layout, "mask", causal) > 100 * EXACT


def test_pictures_are_encoded_once_a_group() -> None:
    case = build_case("qwen3_vl")
    patches: list[int] = []
    case.model.model.visual.register_forward_pre_hook(lambda _module, inputs: patches.append(len(inputs[0])))
    run(case, shared=False)
    run(case, shared=True)
    one = 16  # 64 pixels in patches of 16
    assert patches == [(3 * 1 + 2 * 2) * one, (1 + 2) * one]


@pytest.mark.parametrize("num_pictures", [(0, 0), (0, 2)], ids=["no pictures", "pictures in one group"])
def test_prompts_without_pictures_are_shared_too(num_pictures: tuple[int, int]) -> None:
    case = build_case("qwen2_5_vl", num_pictures)
    with forwards(case.model) as seen:
        assert_same(run(case, shared=False), run(case, shared=True))
    assert seen[1][0] == 2


def test_completions_that_are_masked_out_get_zeros() -> None:
    case = build_case("qwen3_vl")
    start = case.batch["input_ids"].shape[1] - max(LENGTHS)
    for masked in ([2], [1, 4], list(range(5))):
        case.batch["attention_mask"][masked, start:] = 0
        plain, shared = run(case, shared=False), run(case, shared=True)
        assert_same(shared, plain)
        assert not shared.logps[masked].any()


def test_chunks_are_those_of_trl() -> None:
    case = build_case("qwen3_vl")
    with forwards(case.model) as seen:
        assert_same(run(case, shared=True, batch_size=3), run(case, shared=False))
    assert len(seen) == 3  # of 5 rows in two chunks, and of all at once


def test_a_group_in_two_parts_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_two(group: list[int], *known: Any) -> list[Branching]:
        return [*branchings(group[:2], *known), *branchings(group[2:], *known)]

    case = build_case("qwen2_5_vl")
    monkeypatch.setattr(prefix_layout, "branchings", in_two)
    with forwards(case.model) as seen:
        assert_same(run(case, shared=True), run(case, shared=False))
    assert seen[0][0] == 3


@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen3_vl", "idefics3"])
def test_groups_in_one_row_do_not_see_each_other(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = build_case(family)
    monkeypatch.setattr(prefix_layout, "pack", lambda trees: [list(trees)])
    with forwards(case.model) as seen:
        assert_same(run(case, shared=True), run(case, shared=False))
    assert seen[0][0] == 1


def test_eager_attention_and_checkpointing_are_exact_and_bf16_is_near() -> None:
    case = build_case("qwen3_vl")
    plain = run(case, shared=False)
    case.model.gradient_checkpointing_enable({"use_reentrant": False})
    case.model.train()
    assert_same(run(case, shared=True), plain)
    case.model.gradient_checkpointing_disable()
    case.model.set_attn_implementation("eager")
    assert_same(run(case, shared=True), plain)
    half = case._replace(model=case.model.to(torch.bfloat16))
    torch.testing.assert_close(run(half, shared=True).logps, plain.logps, atol=0.1, rtol=0)


def test_an_adapter_is_trained_the_same() -> None:
    from peft import get_peft_model

    from emollm.train.lora import Lora, peft_config

    case = build_case("qwen3_vl")
    adapted = get_peft_model(case.model, peft_config(Lora(r=4, dropout=0.0)))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:  # zero at first, and then no gradient reaches lora_A
            torch.nn.init.normal_(parameter, std=0.1)
    case = case._replace(model=adapted)
    with forwards(adapted) as seen:
        assert_same(run(case, shared=True), run(case, shared=False))
    assert seen[0][0] == 2


@pytest.mark.parametrize("reason", ["architecture", "attention", "window", "field"])
def test_what_cannot_share_prompts_has_a_reason(reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = build_case("qwen2_5_vl")
    text = case.model.config.get_text_config()
    fields: dict[str, Any] = {"num_images": [1], "pixel_values_of_tomorrow": None}
    assert shared_prefix.unshareable(case.model, fields) is None
    if reason == "architecture":
        monkeypatch.setattr(shared_prefix, "MROPE", ("qwen3_vl",))
    elif reason == "attention":
        monkeypatch.setattr(type(text), "_attn_implementation", "flash_attention_2")
    elif reason == "window":
        text.layer_types = ["full_attention", "sliding_attention"]
    else:
        fields["pixel_values_of_tomorrow"] = torch.zeros(1)
    words = {"architecture": "qwen2_5_vl", "attention": "sdpa", "window": "window", "field": "tomorrow"}
    assert words[reason] in str(shared_prefix.unshareable(case.model, fields))


def test_an_architecture_that_cannot_share_is_left_to_trl_and_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    case = build_case("paligemma", (1, 1))
    case.batch["token_type_ids"] = torch.zeros_like(case.batch["input_ids"])
    trainer = make_trainer(shared=True)
    first, again = run(case, trainer=trainer), run(case, trainer=trainer)
    assert_same(first, run(case, shared=False), tolerance=0)
    assert_same(first, again, tolerance=0)
    assert capsys.readouterr().err.count("paligemma") == 1


def test_a_picture_in_a_completion_is_left_to_trl() -> None:
    case = build_case("qwen3_vl")
    rows = shared_prefix.to_rows(
        case.batch["input_ids"], case.batch["attention_mask"], case.batch["logits_to_keep"], case.batch
    )
    assert shared_prefix.shared_layout(case.model, rows) is not None
    rows.input_ids[0, -max(LENGTHS)] = case.model.config.image_token_id
    assert shared_prefix.shared_layout(case.model, rows) is None


def test_a_training_ends_with_the_weights_of_trls_own(tiny_dir: Path, toy_file: Path, tmp_path: Path) -> None:
    """Two groups of four in two micro-batches: TRL mixes them, here each micro-batch is a group in one row."""
    weights, rows = {}, {}
    for shared in (False, True):
        weights[shared], rows[shared] = train_a_little(shared, tiny_dir, toy_file, tmp_path / str(shared))
    assert {count for count, _ in rows[False]} == {4}
    assert {count for count, _ in rows[True]} == {1}
    start = load_model(tiny_dir, device="cpu")[0].state_dict()
    assert max((value - start[name]).abs().max() for name, value in weights[False].items()) > 100 * EXACT
    for name, value in weights[False].items():
        torch.testing.assert_close(weights[True][name], value, atol=EXACT, rtol=0, msg=lambda m, n=name: n + m)


def train_a_little(shared: bool, model_dir: Path, file: Path, output: Path) -> tuple[Any, Any]:
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    class Trainer(SharedPrefix, GRPOTrainer):  # type: ignore[misc]
        pass

    model, processor = load_model(model_dir, device="cpu", trainable=True)
    pictures = [open_picture(file.parent / f"{number}.png") for number in range(4)]
    prompts = [[{"role": "user", "content": f"Which expression is this{'?' * number}"}] for number in range(4)]
    settings = GRPOConfig(
        output_dir=str(output),
        max_steps=2,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        num_generations=4,
        max_completion_length=8,
        learning_rate=0.5,
        optim="sgd",
        max_grad_norm=0.0,
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        seed=1,
    )
    kind = Trainer if shared else GRPOTrainer
    trainer = kind(
        model=model,
        args=settings,
        reward_funcs=lambda completions, **_: [float(sum(map(ord, c[0]["content"])) % 7) for c in completions],
        train_dataset=Dataset.from_dict({"prompt": prompts, "images": [[picture] for picture in pictures]}),
        processing_class=processor,
    )
    with forwards(model) as seen:
        trainer.train()
    return dict(model.state_dict()), seen
