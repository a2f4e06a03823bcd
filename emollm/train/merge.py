"""`emollm merge`: an adapter and its base become one model, and it is checked that they say the same.

    emollm merge --model Qwen/Qwen2.5-VL-3B-Instruct --adapter runs/lora -o merged
    emollm merge --model runs/zero3/checkpoint-200 -o whole        what DeepSpeed split, as one model again

The result is an ordinary model directory: safetensors, the processor with its image pipeline, and manifest.json with
the digests of what went in. It takes its name only after it was loaded from disk and gave the logits of base and
adapter; until then it is called DIR.part, and a check that fails removes it.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from emollm.cards.origin import Step, read_manifest
from emollm.errors import ConfigError, ModelError
from emollm.files import fingerprint, write_json
from emollm.stage import new_manifest

EPILOG = """examples:
  emollm merge --model Qwen/Qwen2.5-VL-3B-Instruct --adapter runs/qwen2.5-vl-3b-lora -o merged
  emollm merge --adapter runs/lora -o merged --dtype float32        the base is the one the adapter names
  emollm merge --model runs/zero3/checkpoint-200 -o whole           what DeepSpeed split, as one model again
  emollm merge --adapter runs/lora -o merged --push lab/face-explainer

--push needs a token that may write in HF_TOKEN. A new repository is private, and gets a model card if DIR has none."""

MAX_SHARD = "5GB"
"""Larger models are saved in several files."""


def main(argv: Sequence[str] | None = None) -> int:
    """Merge, check, save, and upload if asked to. Returns the exit code."""
    options = build_parser().parse_args(argv)
    if options.push:
        from emollm.train.push import check_push

        check_push(options.push)
    source = find_source(options)
    manifest = new_manifest("merge", settings(options, source), [])
    manifest["inputs"] = dict(digests(source))
    if is_done(options.output, manifest, overwrite=options.overwrite):
        print(f"{options.output}: is done already; --overwrite merges again", file=sys.stderr)
    else:
        merge(options, source, manifest)
    if options.push:
        upload(options.output, options.push)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the verb."""
    parser = argparse.ArgumentParser(
        prog="emollm merge",
        description="Merge an adapter into its base, and check that the result says the same.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", metavar="DIR|NAME", help="the base (default: the one that the adapter names)")
    parser.add_argument("--adapter", type=Path, metavar="DIR", help="what a training with LoRA wrote")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="where the model goes")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16 (default: as the base)")
    parser.add_argument("--device", metavar="NAME", help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument("--overwrite", action="store_true", help="merge again; a result that is done is kept otherwise")
    parser.add_argument("--push", metavar="OWNER/NAME", help="upload the result to this repository of the hub")
    return parser


class Source(NamedTuple):
    """What is merged: a base and an adapter, or the parts of a model alone."""

    model: str
    adapter: Path | None


def find_source(options: argparse.Namespace) -> Source:
    """Return what to merge. Raises ConfigError where there is nothing, ModelError where it cannot be used."""
    from emollm.train.consolidate import is_sharded
    from emollm.vlm.load import check_adapter, read_adapter_config, read_config

    if options.adapter is None:
        if options.model is None:
            raise ConfigError("--adapter: what is to be merged? give the directory that the training wrote")
        if parts := next(Path(options.model).glob("pytorch_model_fsdp*"), None):
            raise ConfigError(f"{options.model}: was split by FSDP; run: accelerate merge-weights {parts} OUTPUT")
        if not is_sharded(Path(options.model)):
            raise ConfigError(f"--adapter: is missing; {options.model} alone is no checkpoint that DeepSpeed split")
        return Source(options.model, None)
    check_adapter(str(options.adapter))
    named = read_adapter_config(str(options.adapter)).base_model_name_or_path
    model = options.model or named
    if not model:
        raise ConfigError(f"--model: {options.adapter} names no base; give it")
    config = read_config(model)
    if getattr(config, "quantization_config", None) is not None:
        raise ModelError(f"{model}: is quantised, and merging would round it again; name its full base as --model")
    if named and named != model:
        print(f"{options.adapter}: was trained on {named}, and is merged into {model}", file=sys.stderr)
    return Source(model, options.adapter)


def settings(options: argparse.Namespace, source: Source) -> dict[str, Any]:
    """Return what shapes the result, for the manifest."""
    adapter = None if source.adapter is None else str(source.adapter)
    return {"model": source.model, "adapter": adapter, "dtype": options.dtype}


def digests(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the files that decide the result, with what tells whether they are still the same.

    Of a base that is taken from the hub or its cache there is only the name.
    """
    folders = {"base": Path(source.model)} | ({} if source.adapter is None else {"adapter": source.adapter})
    for label, folder in folders.items():
        for pattern in ("*config.json", "*.safetensors", "global_step*/*.pt"):
            for path in sorted(folder.glob(pattern)):
                yield f"{label}/{path.relative_to(folder)}", fingerprint(path)


def is_done(folder: Path, manifest: Mapping[str, Any], *, overwrite: bool) -> bool:
    """Tell whether the folder holds this very merge. Raises ConfigError where it holds anything else of value."""
    options, before = manifest["options"], read_manifest(folder / "manifest.json")
    is_ours = before.get("stage") == "merge"
    if folder.resolve() in {Path(options[name]).resolve() for name in ("model", "adapter") if options[name]}:
        raise ConfigError(f"-o {folder}: is what is merged; name another directory")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"-o {folder}: is a file; name a directory")
    if folder.exists() and any(folder.iterdir()) and not is_ours:
        raise ConfigError(f"-o {folder}: is not empty and no result of `emollm merge`; name another directory")
    if not is_ours or overwrite:
        return False
    if any(before.get(key) != manifest[key] for key in ("options", "inputs")):
        raise ConfigError(f"-o {folder}: holds another merge; use --overwrite to replace it, or another directory")
    return is_whole(folder, before)


def is_whole(folder: Path, manifest: Mapping[str, Any]) -> bool:
    """Tell whether every file that was written is there in its full length."""
    files = [(folder / name, one["bytes"]) for name, one in manifest.get("files", {}).items()]
    return bool(files) and all(path.is_file() and path.stat().st_size == size for path, size in files)


def merge(options: argparse.Namespace, source: Source, manifest: dict[str, Any]) -> None:
    """Merge into DIR.part, check what lies there, and give it its name."""
    training = read_manifest(run_of(source) / "manifest.json")
    if kind := Step("", "", training).options.get("quantization"):
        print(f"{source.adapter}: was trained on a base in {kind}, and is merged into the full one", file=sys.stderr)
    with under_another_name(options.output) as part:
        facts = write_merged(source, options.dtype, options.device, part)
        manifest |= facts | {
            "status": "done",
            "files": {path.name: fingerprint(path) for path in sorted(part.iterdir())},
        }
        # The folder of the training may be gone when somebody asks where this model comes from.
        manifest["training"] = training
        write_json(part / "manifest.json", manifest)
    print(f"{options.output}: {facts['parity']}")


def run_of(source: Source) -> Path:
    """Return the run folder of what is merged: its own, or the one that the checkpoint lies in."""
    folder = source.adapter or Path(source.model)
    return folder.parent if folder.name.startswith("checkpoint-") else folder


@contextmanager
def under_another_name(folder: Path) -> Iterator[Path]:
    """Hand out DIR.part, which becomes DIR at the end and is removed where anything goes wrong."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_merged(source: Source, dtype: str, device: str | None, folder: Path) -> dict[str, Any]:
    """Write the merged model, load it again and compare. Returns the facts for the manifest.

    Raises ModelError where what was saved is not the model that was meant.
    """
    from emollm.vlm.load import load_model
    from emollm.vlm.parity import compare, read_probes
    from emollm.vlm.processors import save_processor

    model, processor = load_source(source, dtype, device)
    before = read_probes(model, processor)
    without = None
    if source.adapter is not None:
        with model.disable_adapter():
            without = read_probes(model, processor)
        model = merge_weights(model, source)
    model.save_pretrained(folder, max_shard_size=MAX_SHARD)
    save_processor(processor, folder)
    check_names(folder, Path(source.model))
    del model
    gc.collect()  # an adapter and its base hold on to each other, and two models may not fit
    saved, its_processor = load_model(folder, device=device)
    parity = compare(before, read_probes(saved, its_processor), str(saved.dtype).removeprefix("torch."), without)
    parity.check(f"{source.adapter or source.model}, merged")
    if not parity.shows_something:
        print("warning: what the adapter changes is below the tolerance; check with --dtype float32", file=sys.stderr)
    return {"parity": str(parity), "delta": parity.delta, "tolerance": parity.tolerance, "effect": parity.effect}


def load_source(source: Source, dtype: str, device: str | None) -> tuple[Any, Any]:
    """Return the model as it was trained, the adapter beside its base, and the processor it was trained with."""
    from emollm.train.consolidate import consolidate
    from emollm.vlm.load import default_device, load_model, read_config, read_dtype

    if source.adapter is not None:
        return load_model(source.model, source.adapter, device=device, dtype=dtype)
    saved = read_config(source.model).dtype or read_dtype("float32")
    wanted = saved if dtype == "auto" else read_dtype(dtype)
    model, processor = consolidate(Path(source.model))
    return model.to(device or default_device(), wanted), processor


def merge_weights(model: Any, source: Source) -> Any:
    """Return the base with the adapter in its weights. Raises ModelError where these are no numbers."""
    try:
        merged = model.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise ModelError(f"{source.adapter}: cannot be merged: {' '.join(str(error).split())}") from None
    return merged


def check_names(folder: Path, base: Path) -> None:
    """Raise ModelError where a weight is saved under a name that the base does not know, and other engines neither.

    A base that is no directory, or holds no safetensors of its own, is not compared.
    """
    from emollm.vlm.weights import read_weights

    known, saved = read_weights(base).keys(), read_weights(folder).keys()
    # A head that was tied to the embeddings has no name of its own in the base.
    strange = sorted(name for name in saved - known if known and not name.endswith("lm_head.weight"))
    if strange:
        raise ModelError(f"{folder}: {len(strange)} weights have names that {base} does not know, such as {strange[0]}")


def upload(folder: Path, repo: str) -> None:
    """Upload the model, with a card: one that says what is known is written where there is none."""
    from emollm.train.push import push

    if not (folder / "README.md").exists():
        from emollm.train.card import write_card

        write_card(folder, folder / "README.md")
    print(push(folder, repo))
