"""`emollm doctor`: what is wrong with a file, a model, a run, a recipe or this machine, before hours are spent on it.

    emollm doctor                                   the machine
    emollm doctor cot.jsonl runs/sft recipes/quickstart/sft.yaml

    finding.py      what is said, and the table of it
    patient.py      what a path is, and who looks at it
    samples.py      samples.jsonl, cot.jsonl            texts.py       texts that say the same
    predictions.py  predictions.jsonl                   model.py       a model or an adapter
    run.py          a run folder                        recipe.py      a recipe
    machine.py      versions, devices, traps

Exit code 1 where anything is an error, 0 otherwise.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from emollm.doctor.finding import Finding, is_well, print_findings
from emollm.doctor.patient import Look, examine
from emollm.stage import positive

EPILOG = """examples:
  emollm doctor                                    versions, devices and traps of this machine
  emollm doctor runs/cot.jsonl --media-root /data/faces
  emollm doctor runs/sft recipes/quickstart/sft.yaml --json

A directory is looked at for what it holds: a model, a run of `emollm train`, or JSON Lines files."""


def main(argv: Sequence[str] | None = None) -> int:
    """Look at everything that is named, print what was found, and return 1 where there is an error."""
    options = build_parser().parse_args(argv)
    look = Look(options.media_root, options.limit)
    found: list[Finding] = []
    if not options.targets:
        from emollm.doctor.machine import check_machine

        found += check_machine()
    for target in options.targets:
        found += examine(target, look)
    if options.json:
        print(json.dumps([finding._asdict() for finding in found], ensure_ascii=False, indent=1))
    else:
        print_findings(found)
    return 0 if is_well(found) else 1


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the verb."""
    parser = argparse.ArgumentParser(
        prog="emollm doctor",
        description="Say what is wrong with a file, a model, a run, a recipe or this machine, and what to do about it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("targets", nargs="*", metavar="FILE|DIR|NAME", help="what to look at (default: this machine)")
    parser.add_argument("--media-root", type=Path, metavar="DIR", help="where media paths start (default: the file's)")
    parser.add_argument("--limit", type=positive, metavar="N", help="look at the first N records of a file")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    return parser
