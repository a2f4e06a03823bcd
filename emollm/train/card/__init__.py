"""`emollm card`: README.md of a model: what it is for and not for, what it learnt from, and how well it does what.

    emollm card --model runs/sft --score scores -o README.md

    page.py       the front matter that the Hub reads, and the order of the sections
    sections.py   what the model is, its uses, its limits
    data.py       what it learnt from, traced back by manifests; the section about it
    counts.py     what is in such a file, of samples or of pairs
    procedure.py  how it was trained: recipe, versions, curves
    scores.py     what `emollm score` measured
    results.py    the sections about that
    facts.py      all of this, gathered

The sections are those of Mitchell et al. 2019, "Model Cards for Model Reporting". Nothing is in a card that was not
counted, measured or read from a file: what is not known is said to be not known. The same files give the same card.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from emollm.errors import ConfigError
from emollm.files import in_one_step
from emollm.train.card.facts import gather
from emollm.train.card.page import page
from emollm.train.card.procedure import pictures

EPILOG = """examples:
  emollm card --model runs/sft --score scores
  emollm card --model merged --score scores/rafdb --score scores/ours --license cc-by-nc-4.0 -o README.md --overwrite
  emollm card --model runs/sft --data moved/cot.jsonl

What the model learnt from is found by the manifests of its training; --data says where such a file lies now. The curves
of each training, as far as its log is there, become pictures beside the card: README.1-sft.svg."""

STUBS = ("generated_from_trainer", "[More Information Needed]")
"""What the cards that TRL and PEFT leave in every run folder say; nobody has written those by hand."""


def main(argv: Sequence[str] | None = None) -> int:
    """Write the card and return the exit code."""
    options = build_parser().parse_args(argv)
    output: Path = options.output or options.model / "README.md"
    write_card(
        options.model,
        output,
        scores=options.score,
        data=options.data,
        licence=options.license,
        name=options.name,
        overwrite=options.overwrite,
    )
    print(output)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the verb."""
    parser = argparse.ArgumentParser(
        prog="emollm card",
        description="Write the model card of a trained model.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="a model, an adapter or a merge")
    parser.add_argument(
        "--score", type=Path, action="append", default=[], metavar="DIR", help="what it scored; several"
    )
    parser.add_argument(
        "--data", type=Path, action="append", default=[], metavar="FILE.jsonl", help="what it learnt from"
    )
    parser.add_argument("--license", metavar="NAME", help="of the weights, as you state it (default: not stated)")
    parser.add_argument("--name", metavar="TEXT", help="of the model (default: that of its directory)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.md", help="default: README.md in the model")
    parser.add_argument("--overwrite", action="store_true", help="replace a card that is there and says something else")
    return parser


def write_card(
    folder: Path,
    output: Path,
    *,
    scores: Sequence[Path] = (),
    data: Sequence[Path] = (),
    licence: str | None = None,
    name: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write the card of a model directory, and its pictures beside it.

    Raises ConfigError where a file that says something else would be lost.
    """
    facts = gather(folder, scores=scores, data=data, licence=licence, name=name)
    for warning in facts.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    text = page(facts, output.stem)
    if output.exists() and not overwrite:
        before = output.read_text(encoding="utf-8", errors="replace")
        if before != text and not any(stub in before for stub in STUBS):
            raise ConfigError(f"-o {output}: is there and says something else; use --overwrite, or name another file")
    for path, content in {**pictures(facts, output.stem), output.name: text}.items():
        with in_one_step(output.with_name(path)) as part:
            part.write_text(content, encoding="utf-8")
