"""`emollm wheel`: the published emotion-wheel tables in; one mapping out, which `emollm score --wheel` compares with.

Example:

    emollm wheel MER2026_Track2/emotion_wheel -o wheel_2026.json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from emollm.errors import ConfigError
from emollm.files import sha256, write_json
from emollm.wheel import read_wheels
from emollm.wheel.published import read_published

EPILOG = """\
example:
  emollm wheel MER2026_Track2/emotion_wheel -o wheel_2026.json
  emollm score predictions.jsonl samples.jsonl -o scores/ --wheel wheel_2026.json

The folder holds format.csv, synonym.xlsx and wheel1.xlsx to wheel5.xlsx. MER2025 and MER2026 have published different
tables, and scores are comparable only on the same ones: each score keeps the sha256 of its mapping. A .npz beside the
tables is not opened: it holds pickles.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Convert, check by reading again, and print what the mapping holds."""
    parser = argparse.ArgumentParser(
        prog="emollm wheel",
        description="Make one mapping file of the published emotion-wheel tables.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, help="the published tables")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the mapping, JSON")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE")
    options = parser.parse_args(argv)
    if options.output.exists() and not options.overwrite:
        raise ConfigError(f"{options.output}: exists; replace it with --overwrite, or name another file")
    tables = read_published(options.folder)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.output, tables)
    wheels = read_wheels(options.output)
    print(
        f"{options.output}: {len(wheels.forms):,} forms of {len(wheels.synonyms):,} base labels on "
        f"{len(wheels.categories)} wheels (sha256 {sha256(options.output)})"
    )
    return 0
