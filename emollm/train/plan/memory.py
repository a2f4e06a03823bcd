"""Memory on each GPU: what a training keeps there, line by line, in bytes.

    lines = memory(anatomy, setup, batch)
    sum(lines.values())

Weights, adapter, gradients and optimizer states are counted. ZeRO divides them as in Rajbhandari et al. (2020, §3): in
16-bit training, 2 + 2 + 12 bytes a weight, of which stage 1 divides the 12, stage 2 also the gradients, stage 3 all.

Activations are an estimate. They are what autograd keeps for the backward pass, counted from the layers as transformers
writes them: Korthikanti et al. (2022, §4) do the same for GPT, but today's layers have gates, grouped keys, norms that
compute in 32 bits, and an attention that never stores its matrix. With checkpointing, only the input of each layer
stays, and one layer at a time is computed again.
"""

from __future__ import annotations

from typing import NamedTuple

from emollm.train.plan.anatomy import Anatomy, Stack

GB = 2**30
"""A gigabyte as memory is sold: a card of 24 GB holds about 24 times this."""
CONTEXT = 1.0 * GB
"""Assumed for the CUDA context, workspaces and what the allocator cannot use."""
PER_PROCESS = 0.5 * GB
"""Assumed for the buffers of NCCL, where several processes take part."""
REDUCE_BUCKET = 500_000_000
"""Numbers in DeepSpeed's buffer for gradients (`reduce_bucket_size`)."""
TILE = (4096, 32_768)
"""Tokens and vocabulary entries whose logits TRL's output layer holds at a time (`trl/kernels/chunked_logprob.py`)."""
NF4 = 0.5 + 1 / 64 + 4 / (64 * 256)
"""Bytes a weight in NF4 with double quantisation: four bits, an 8-bit constant for every 64 weights, and a 32-bit one
for every 256 constants (Dettmers et al. 2023, §3)."""
BLOCKWISE = 1 + 4 / 256
"""Bytes a number of an 8-bit optimizer state: a 32-bit constant for every 256 (Dettmers et al. 2022)."""
STATES = {"adamw": 2, "adam": 2, "lion": 1, "adafactor": 0, "sgd": 0, "rmsprop": 1, "ademamix": 3}
"""States that an optimizer keeps for each weight; Adafactor's rows and columns are next to nothing."""
ESTIMATED = ("activations", "work", "generation")
DOUBT = 0.25
"""How far the estimated lines may be off."""


class Setup(NamedTuple):
    """How a training is carried out, as far as memory goes."""

    weight_bytes: int = 2
    compute_bytes: int = 2
    """2 under bf16 or fp16, else 4."""
    quantised: bool = False
    adapter_bytes: int = 4
    """PEFT keeps adapters in 32 bits; TRL casts them to 16 on a quantised base and under ZeRO-3."""
    dropout: bool = False
    """The adapter has dropout, whose mask is kept."""
    optimizer: str = "adamw_torch_fused"
    checkpointing: bool = False
    world: int = 1
    zero_stage: int = 0
    """3 also stands for FSDP's full sharding."""
    deepspeed: bool = False
    offload_optimizer: bool = False
    offload_weights: bool = False
    offload_gradients: bool = False
    whole_logits: bool = False
    """The logits of all tokens exist at once, instead of a tile."""
    reference: bool = False
    """A copy of the first model stays, to measure drift against."""

    def share(self, stage: int) -> int:
        """Return over how many processes ZeRO divides what this stage and later ones divide."""
        return self.world if self.zero_stage >= stage else 1


class Batch(NamedTuple):
    """What one GPU holds at a time: rows, and of the longest row its tokens, those of the answer, and its patches."""

    rows: int
    tokens: int
    answer: int
    patches: int
    rollouts: int = 0
    """Answers that are generated at once."""


def memory(anatomy: Anatomy, setup: Setup, batch: Batch) -> dict[str, float]:
    """Return what each kind of thing takes on one GPU at the worst moment, in bytes. Lines of 0 are left out."""
    training = activations(anatomy, setup, batch)
    # The logits are gone when the layers compute their gradients: the larger of the two counts.
    training["work"] = max(training["work"], output_layer(anatomy, setup, batch))
    generation = {"generation": generating(anatomy, setup, batch)}
    # Answers are generated before the training step begins: those two never meet either.
    worst = training if sum(training.values()) >= generation["generation"] else generation
    lines = kept(anatomy, setup) | worst | {"CUDA": CONTEXT + (PER_PROCESS if setup.world > 1 else 0)}
    return {name: size for name, size in lines.items() if size}


def kept(anatomy: Anatomy, setup: Setup) -> dict[str, float]:
    """Return what stays from the first step to the last."""
    whole, adapter = anatomy.total("trained"), anatomy.total("adapter")
    packed = anatomy.quantisable if setup.quantised else 0
    # Beside an adapter, what is trained whole is held in 32 bits; see `lora.widen`.
    whole_bytes = 4 if adapter and not setup.deepspeed else setup.weight_bytes
    frozen = anatomy.total("parameters") + anatomy.kept_aside - whole - packed
    weights = packed * NF4 + frozen * setup.weight_bytes + whole * whole_bytes
    held = 0 if setup.offload_weights else 1 / setup.share(3)
    trained_bytes = whole * whole_bytes + adapter * setup.adapter_bytes
    states = whole * _state_bytes(setup, whole_bytes) + adapter * _state_bytes(setup, setup.adapter_bytes)
    reference = anatomy.total("parameters") * setup.weight_bytes if setup.reference else 0
    return {
        "weights": weights * held,
        "adapter": adapter * setup.adapter_bytes * held,
        "gradients": 0 if setup.offload_gradients else trained_bytes / setup.share(2),
        "optimizer": 0 if setup.offload_optimizer else states / setup.share(1),
        "communication": _communication(anatomy, setup, trained_bytes),
        "reference": reference / setup.share(3),
    }


def _state_bytes(setup: Setup, weight_bytes: int) -> float:
    """Return the bytes of optimizer state for one trained weight."""
    name = setup.optimizer.removeprefix("paged_").removeprefix("schedule_free_")
    number = next((count for family, count in STATES.items() if name.startswith(family)), 2)
    if "8bit" in name:
        return number * BLOCKWISE
    if setup.deepspeed and weight_bytes == 2:
        return 4 + number * 4.0  # a 32-bit copy of the weights comes with the states
    in_32_bits = "32bit" in name or setup.optimizer.startswith("paged_")
    return number * (4.0 if in_32_bits else float(weight_bytes))


def _communication(anatomy: Anatomy, setup: Setup, trained_bytes: float) -> float:
    """Return the buffers through which processes exchange gradients, or gathered weights under stage 3."""
    if setup.world == 1:
        return 0
    if setup.zero_stage == 3:
        stack = anatomy.language_stack
        layer = anatomy.language.matrices / stack.layers
        return (2 * layer + anatomy.head) * setup.weight_bytes + REDUCE_BUCKET * 2.0 * setup.deepspeed
    if setup.zero_stage:
        return REDUCE_BUCKET * 2.0
    return trained_bytes


def activations(anatomy: Anatomy, setup: Setup, batch: Batch) -> dict[str, float]:
    """Return what autograd keeps of one batch, and what the widest layer needs while it is worked on."""
    total = work = 0.0
    flows = False
    for name, tokens in (("vision", batch.patches), ("language", batch.tokens)):
        part = anatomy.parts[name]
        stack = anatomy.vision_stack if name == "vision" else anatomy.language_stack
        # A part that nothing before it and nothing in it learns needs no backward pass, and keeps nothing.
        flows = flows or bool(part.trained or part.adapter)
        layer = kept_by_layer(stack, setup, bool(part.trained)) + _adapter_inputs(part.adapted_inputs, stack, setup)
        working = setup.compute_bytes * (3 * stack.inner + 2 * stack.queries + 2 * stack.width)
        if flows:
            per_layer = setup.weight_bytes * stack.width if setup.checkpointing else layer
            total += tokens * per_layer * stack.layers
        recomputed = layer if flows and setup.checkpointing else 0
        work = max(work, tokens * (working + recomputed))
        flows = flows or bool(anatomy.projector.trained or anatomy.projector.adapter)
    stack = anatomy.language_stack
    unpacked = stack.inner * stack.width * setup.compute_bytes if setup.quantised else 0
    return {"activations": batch.rows * total + _copies(anatomy, setup), "work": batch.rows * work + unpacked}


def kept_by_layer(stack: Stack, setup: Setup, trained: bool) -> float:
    """Return the bytes that one layer keeps of one token for the backward pass, adapters aside.

    The inputs of the two norms in 32 bits; queries, keys, values (repeated for every query head) and the result of the
    attention; what goes into the activation function, and, where there is a gate, the two factors of the product. A
    layer whose weights learn also keeps what these are multiplied with.
    """
    e = setup.compute_bytes
    norms = 2 * 4 * stack.width
    if stack.normed_heads:
        norms += 4 * (stack.queries + stack.keys)
    attention = e * 4 * stack.queries
    feed_forward = e * stack.inner * (3 if stack.gated else 1)
    inputs = e * (2 * stack.width + stack.inner) + setup.weight_bytes * 2 * stack.width if trained else 0
    return norms + attention + feed_forward + inputs


def _adapter_inputs(inputs: int, stack: Stack, setup: Setup) -> float:
    """Return the bytes that the adapters of one layer keep of one token: their inputs, and the masks of dropout."""
    return inputs / stack.layers * (setup.compute_bytes + setup.dropout)


def _copies(anatomy: Anatomy, setup: Setup) -> float:
    """Return the 16-bit copies of 32-bit weights that autocast keeps for the backward pass."""
    if setup.weight_bytes == setup.compute_bytes or setup.deepspeed:
        return 0
    share = 1 / anatomy.language_stack.layers if setup.checkpointing else 1
    return anatomy.total("matrices") * setup.compute_bytes * share


def output_layer(anatomy: Anatomy, setup: Setup, batch: Batch) -> float:
    """Return the logits that exist at once, and the gradients of the output layer in 32 bits.

    TRL's trainers compute the answer's logits in tiles and never hold them all; label smoothing holds them all, in
    compute precision, in 32 bits, and as probabilities.
    """
    if setup.whole_logits:
        return batch.rows * batch.tokens * anatomy.vocabulary * (setup.compute_bytes + 8)
    answers = batch.rows * batch.answer
    tile = min(answers, TILE[0]) * TILE[1] * setup.compute_bytes
    states = answers * anatomy.language_stack.width * (4 + setup.compute_bytes)
    learns = bool(anatomy.language.trained)
    return tile + states + (anatomy.head * 4 if learns else 0)


def generating(anatomy: Anatomy, setup: Setup, batch: Batch) -> float:
    """Return what it takes to generate the answers of a batch: keys and values, the prompts' pass, the next tokens."""
    if not batch.rollouts:
        return 0
    stack, e = anatomy.language_stack, setup.compute_bytes
    cache = 2 * stack.layers * stack.keys * e * batch.tokens
    prompt = e * (3 * stack.inner + 2 * stack.queries + 2 * stack.width) * (batch.tokens - batch.answer)
    vision = anatomy.vision_stack
    picture = e * (3 * vision.inner + 2 * vision.queries + 2 * vision.width) * batch.patches
    next_token = anatomy.vocabulary * 3 * 4
    return batch.rollouts * (cache + max(prompt, picture) + next_token)


def doubt(lines: dict[str, float]) -> float:
    """Return how far the sum of the lines may be off, in bytes: a quarter of what is estimated, and half a gigabyte."""
    return DOUBT * sum(lines.get(name, 0) for name in ESTIMATED) + 0.5 * GB
