"""Models and adapters: would they load, see, answer and stop? Nothing is loaded but the first bytes of the weights.

list(check_model(Path("runs/sft")))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emollm.doctor.finding import Finding, error, fine, warning
from emollm.errors import EmoLLMError, ModelError
from emollm.train.consolidate import is_sharded
from emollm.vlm.weights import Weight, pickles, read_weights

STATE = ("training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt")
"""Pickles of a trainer: they hold no weights, and nobody else needs them."""
BLOCK = 64
"""Numbers that NF4 scales together; a row of a weight has to be a multiple of it."""
WHOLE = ("embed", "lm_head", "pos_embed", "norm")
"""Parts of the names of weights that are never quantised."""


def check_model(folder: Path) -> Iterator[Finding]:
    """Yield what is wrong with a model directory, or with an adapter and its base."""
    if is_sharded(folder):
        todo = f"emollm merge --model {folder} -o {folder}-whole"
        yield error(folder, "the weights lie in parts, as DeepSpeed split them", todo)
    else:
        yield from _weights(folder)
    if not (folder / "adapter_config.json").exists():
        yield from _speech(str(folder), folder)
        return
    try:
        base = base_of(folder)
    except EmoLLMError as problem:
        yield error(folder, str(problem), "put the base where adapter_config.json names it, or mend the name there")
        return
    yield fine(folder, f"its base is there: {base}")
    yield from _speech(base, folder)


def base_of(adapter: Path) -> str:
    """Return the base of an adapter. Raises ModelError where the adapter is damaged, or its base is not to be had."""
    from emollm.vlm.load import check_adapter, read_adapter_config, read_config

    check_adapter(str(adapter))
    base = read_adapter_config(str(adapter)).base_model_name_or_path
    if not base:
        raise ModelError(f"{adapter}: adapter_config.json names no base; set base_model_name_or_path")
    read_config(base)
    return str(base)


def _weights(folder: Path) -> Iterator[Finding]:
    unsafe = [path.name for path in pickles(folder) if path.name not in STATE and not path.name.startswith("rng_state")]
    state = [path.name for path in pickles(folder) if path.name not in unsafe]
    try:
        weights = read_weights(folder)
    except EmoLLMError as problem:
        yield error(folder, str(problem), "copy it again")
        return
    if unsafe and not weights:
        yield error(
            folder, f"has only pickles: {', '.join(unsafe)}", "save it as safetensors; no pickle is opened here"
        )
    elif unsafe:
        yield warning(folder, f"holds pickles too: {', '.join(unsafe)}", "remove them; opening one runs its code")
    if state:
        yield warning(folder, f"holds what only its trainer reads: {', '.join(state)}", "do not pass these on")
    if not weights:
        if not unsafe:
            yield error(folder, "has no weights (*.safetensors)", "copy the model again, or train it to its end")
        return
    size, kinds = sum(weight.size for weight in weights.values()), sorted({one.dtype for one in weights.values()})
    yield fine(folder, f"{len(weights):,} weights are whole: {size:,} numbers of {', '.join(kinds)}")
    yield from _widths(folder, weights)


def _widths(folder: Path, weights: Mapping[str, Weight]) -> Iterator[Finding]:
    """Yield whether the weights can be quantised to 4 bits."""
    odd = {
        name: weight.shape[1]
        for name, weight in weights.items()
        if len(weight.shape) == 2 and weight.shape[1] % BLOCK and not any(part in name for part in (*WHOLE, "lora_"))
    }
    if odd:
        name, width = next(iter(sorted(odd.items())))
        told = f"{len(odd):,} layers are no multiple of {BLOCK} wide, such as {name}: {width}"
        yield warning(folder, told, "LoRA works; QLoRA fails on some of them, on CPUs above all")


def _speech(base: str, folder: Path) -> Iterator[Finding]:
    """Yield whether questions and pictures reach the model, and whether it can end an answer."""
    from emollm.vlm.load import find_processor, read_config
    from emollm.vlm.turns import answer_end

    try:
        config = read_config(base)
        processor = find_processor(base, folder, config.model_type)
    except EmoLLMError as problem:
        yield error(folder, str(problem), "copy the files of its base; `emollm merge` saves them all")
        return
    yield fine(folder, f"{config.model_type}: config, tokenizer, chat template and image pipeline work")
    yield from _picture(folder, processor)
    yield from _vocabulary(folder, config, processor)
    try:
        end = answer_end(processor)
    except EmoLLMError as problem:
        yield error(folder, str(problem), "a model that learns no end never stops")
        return
    yield from _end(base, folder, processor, end)


def _picture(folder: Path, processor: Any) -> Iterator[Finding]:
    """Yield how many tokens a picture becomes."""
    from emollm.vlm.parity import PICTURE_SIZE, probe_picture
    from emollm.vlm.turns import ask_about, encode_prompts

    try:
        inputs = encode_prompts(processor, [ask_about(probe_picture(), "?")])
    except (ValueError, RuntimeError, TypeError, IndexError) as problem:
        yield error(
            folder, f"a picture cannot be encoded: {' '.join(str(problem).split())}", "copy its processor again"
        )
        return
    image_id = processor.tokenizer.convert_tokens_to_ids(processor.image_token)
    number = int((inputs["input_ids"] == image_id).sum())
    size = " x ".join(map(str, PICTURE_SIZE))
    if number:
        yield fine(
            folder, f"a picture of {size} becomes {number:,} tokens; limits {dict(processor.image_processor.size)}"
        )
    else:
        yield error(folder, "a picture becomes no token: the chat template drops it", "copy chat_template.jinja again")


def _vocabulary(folder: Path, config: Any, processor: Any) -> Iterator[Finding]:
    rows, tokens = config.get_text_config().vocab_size, len(processor.tokenizer)
    if tokens > rows:
        todo = "copy the tokenizer that belongs to these weights"
        yield error(folder, f"the tokenizer has {tokens:,} tokens, the model {rows:,} rows for them", todo)


def _end(base: str, folder: Path, processor: Any, end: str) -> Iterator[Finding]:
    """Yield whether the token that ends an answer is one at which generation stops."""
    import transformers

    ids = processor.tokenizer(end, add_special_tokens=False)["input_ids"]
    try:
        saved = transformers.GenerationConfig.from_pretrained(base).eos_token_id
    except OSError:
        saved = None
    stops = {processor.tokenizer.eos_token_id, *(saved if isinstance(saved, list) else [saved])}
    if ids and ids[0] in stops:
        yield fine(folder, f"an answer ends with {end}, where generation stops")
    else:
        todo = "set eos_token_id in generation_config.json to the token that the template writes"
        yield error(folder, f"an answer ends with {end}, where generation does not stop", todo)
