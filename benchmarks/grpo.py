"""How long GRPO's update takes with shared prompts, beside TRL's own layout, and whether both compute the same.

    python benchmarks/grpo.py                      a small random Qwen2.5-VL, on one core in about two minutes
    python benchmarks/grpo.py --size 3b            the 3B one with random weights, bf16: needs a GPU

An update is a forward through TRL's own method and a backward, on one picture and G completions a group; the language
model is trained, the vision tower is not. Both layouts run in turn, so that a busy machine slows both. Printed are the
medians and their ratio, the largest difference of a log-probability, the tokens that went through the model; on a GPU
also completion tokens a second, peak memory, and MFU: the share of the peak that the operations of the model make up.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import Any, NamedTuple

from emollm.vlm.processors import import_transformers

transformers = import_transformers()

import torch  # noqa: E402
from accelerate import Accelerator  # noqa: E402
from trl import GRPOTrainer  # noqa: E402
from trl.trainer.utils import add_fused_lm_head  # noqa: E402

from emollm.train.shared_prefix import SharedPrefix, shared_layout, to_rows  # noqa: E402

PATCH, MERGE = 14, 2
NUM_TEXT = (20, 90)
"""Tokens of the prompt before and after the picture."""


class Size(NamedTuple):
    """A Qwen2.5-VL. `3b` is the published one."""

    text: dict[str, Any]
    vision: dict[str, Any]


SIZES = {
    "small": Size(
        {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 6, "num_attention_heads": 8}
        | {"num_key_value_heads": 2, "vocab_size": 8192, "mrope_section": [8, 12, 12]},
        {"depth": 8, "hidden_size": 256, "num_heads": 4, "intermediate_size": 768, "fullatt_block_indexes": [3, 7]},
    ),
    "3b": Size(
        {"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36, "num_attention_heads": 16}
        | {"num_key_value_heads": 2, "vocab_size": 151936, "mrope_section": [16, 24, 24]},
        {"depth": 32, "hidden_size": 1280, "num_heads": 16, "intermediate_size": 3420}
        | {"fullatt_block_indexes": [7, 15, 23, 31]},
    ),
}


class Plain(GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer as it is."""


class Shared(SharedPrefix, GRPOTrainer):  # type: ignore[misc]
    """The same with shared prompts."""


def build(size: Size, device: str) -> Any:
    """Return a model with random weights and TRL's head; bf16 on a GPU. The last token ids stand for pictures."""
    text = dict(size.text)
    vocab = text["vocab_size"]
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": text.pop("mrope_section")}
    vision = size.vision | {"patch_size": PATCH, "spatial_merge_size": MERGE, "temporal_patch_size": 2}
    config = transformers.Qwen2_5_VLConfig(
        text_config=text | {"rope_parameters": rope, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2},
        vision_config=vision | {"out_hidden_size": text["hidden_size"], "window_size": 112},
        image_token_id=vocab - 4,
        video_token_id=vocab - 3,
        vision_start_token_id=vocab - 2,
        vision_end_token_id=vocab - 1,
        tie_word_embeddings=True,
    )
    config._attn_implementation = "sdpa"
    transformers.set_seed(0)
    with torch.device(device):
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        model = transformers.AutoModelForImageTextToText.from_config(config, dtype=dtype)
    model.model.visual.requires_grad_(False)
    add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    return model.train()


def make_batch(model: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Return a micro-batch as TRL's trainer has it: groups of one prompt, completions padded on the right."""
    rng = torch.Generator().manual_seed(1)
    config = model.config
    side = options.pixels // PATCH // MERGE * MERGE
    picture = torch.full((side * side // MERGE**2,), config.image_token_id)
    marks = torch.tensor([[config.vision_start_token_id], [config.vision_end_token_id]])

    def words(count: int) -> torch.Tensor:
        return torch.randint(10, config.text_config.vocab_size - 10, (count,), generator=rng)

    lengths = torch.randint(*options.completion, (options.groups * options.group,), generator=rng).tolist()
    rows, pixels = [], []
    for group in range(options.groups):
        prompt = torch.cat([words(NUM_TEXT[0]), marks[0], picture, marks[1], words(NUM_TEXT[1])])
        pixels += [torch.randn(side * side, 3 * 2 * PATCH**2, generator=rng)] * options.group
        here = lengths[group * options.group : (group + 1) * options.group]
        rows += [torch.cat([prompt, words(length)]) for length in here]
    num_prompt, num_completion = len(rows[0]) - lengths[0], max(lengths)
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=2)
    ends = torch.tensor(lengths)[:, None] + num_prompt
    return {
        "input_ids": ids,
        "attention_mask": (torch.arange(num_prompt + num_completion)[None] < ends).long(),
        "logits_to_keep": num_completion,
        "pixel_values": torch.cat(pixels).to(model.dtype),
        "image_grid_thw": torch.tensor([[1, side, side]] * len(rows)),
        "num_images": [1] * len(rows),
        "mm_token_type_ids": (ids == config.image_token_id).long(),
    }


def update(kind: type, model: Any, batch: dict[str, Any]) -> tuple[float, Any]:
    """Run a forward and a backward. Returns seconds, and the log-probabilities (B, C).

    On a CPU these are seconds of CPU time, so that other programs on the machine count less.
    """
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    trainer = kind.__new__(kind)  # the method needs nothing else of a trainer
    trainer.accelerator = Accelerator()
    model.zero_grad()
    wait()
    started = clock()
    logps, _, _ = trainer._get_per_token_logps_and_entropies(model, compute_entropy=True, **batch)
    (-logps.sum() / batch["attention_mask"][:, -batch["logits_to_keep"] :].sum()).backward()
    wait()
    return clock() - started, logps.detach().float()


def wait() -> None:
    """Wait for the GPU, if there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def operations(model: Any, num_rows: int, width: int, num_pictures: int, batch: dict[str, Any]) -> float:
    """Return the floating-point operations of an update: 2 a weight and token forward, twice that backward.

    Attention counts whole rows, as both layouts compute them; the frozen vision tower has no backward.
    """
    text = model.config.get_text_config()
    layers = sum(p.numel() for p in model.model.language_model.layers.parameters())
    tower = sum(p.numel() for p in model.model.visual.parameters())
    patches = int(batch["image_grid_thw"][0].prod())
    scored = int(batch["attention_mask"][:, -batch["logits_to_keep"] :].sum())
    attention = 4 * text.hidden_size * text.num_hidden_layers * num_rows * width**2
    head = 2 * text.hidden_size * text.vocab_size * scored
    return 3.0 * (2 * layers * num_rows * width + attention + head) + 2.0 * tower * patches * num_pictures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--group", type=int, default=8, help="completions a group")
    parser.add_argument("--groups", type=int, default=1, help="groups a micro-batch")
    parser.add_argument("--completion", type=int, nargs=2, default=(100, 200), help="least and most tokens")
    parser.add_argument("--pixels", type=int, default=448, help="side of the picture")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peak-tflops", type=float, default=989.0, help="of the GPU; an H100 or H200 in bf16")
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)  # threads that wait for each other would count as CPU time
    model = build(SIZES[options.size], device)
    batch = {k: v.to(device) if hasattr(v, "to") else v for k, v in make_batch(model, options).items()}
    rows = to_rows(batch["input_ids"], batch["attention_mask"], batch["logits_to_keep"], batch)
    layout = shared_layout(model, rows)
    if layout is None:
        raise SystemExit("this batch shares nothing that is worth it")
    shapes = {
        Plain: (*batch["input_ids"].shape, len(rows.input_ids)),
        Shared: (*layout.source.shape, len(layout.first_rows)),
    }
    seconds: dict[type, list[float]] = {Plain: [], Shared: []}
    logps, peak = {}, {}
    for run in range(options.repeat + 1):
        for kind in (Plain, Shared):
            if device == "cuda":
                torch.cuda.reset_peak_memory_stats()
            taken, logps[kind] = update(kind, model, batch)
            peak[kind] = torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else 0.0
            if run:  # the first is to warm up
                seconds[kind].append(taken)
    scored = int(batch["attention_mask"][:, -batch["logits_to_keep"] :].sum())
    print(
        f"Qwen2.5-VL {options.size}, {sum(p.numel() for p in model.parameters()) / 1e6:,.0f} M weights, {device}, "
        f"{model.dtype}, {options.groups} × {options.group} completions of {options.completion[0]} to "
        f"{options.completion[1]} tokens, prompt {rows.num_prompt}, load {os.getloadavg()[0]:.1f}\n"
    )
    print(f"{'layout':8} {'s/update':>9} {'least':>7} {'most':>7} {'tokens':>7} {'pictures':>8}", end="")
    print(f" {'tokens/s':>9} {'GiB':>6} {'MFU':>6}" if device == "cuda" else "")
    for name, kind in (("TRL", Plain), ("shared", Shared)):
        middle = statistics.median(seconds[kind])
        num_rows, width, num_pictures = shapes[kind]
        print(f"{name:8} {middle:>9.3f} {min(seconds[kind]):>7.3f} {max(seconds[kind]):>7.3f}", end="")
        print(f" {num_rows * width:>7,} {num_pictures:>8}", end="")
        share = operations(model, *shapes[kind], batch) / middle / options.peak_tflops / 1e12
        print(f" {scored / middle:>9,.0f} {peak[kind]:>6.1f} {share:>6.1%}" if device == "cuda" else "")
    ratio = statistics.median(seconds[Plain]) / statistics.median(seconds[Shared])
    print(f"\nratio {ratio:.2f}, max |Δlogp| {(logps[Plain] - logps[Shared]).abs().max():.1e}")


if __name__ == "__main__":
    main()
