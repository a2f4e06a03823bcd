"""The options of every verb that asks a model: which model, and how its answers are drawn.

`emollm predict` and `emollm chat` add them to their parsers.
"""

from __future__ import annotations

import argparse

from emollm.answers import STYLES
from emollm.stage import positive


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model, --adapter, --style, --max-new-tokens and --temperature."""
    parser.add_argument("--model", required=True, metavar="DIR|NAME", help="a model directory or a hub name")
    parser.add_argument("--adapter", metavar="DIR", help="a LoRA adapter that was trained on this model")
    parser.add_argument("--style", choices=STYLES, default="sections", help="answer style (default: sections)")
    parser.add_argument(
        "--max-new-tokens", type=positive, default=512, metavar="N", help="longest answer (default: 512)"
    )
    parser.add_argument(
        "--temperature", type=temperature, default=0.0, metavar="T", help="0 takes the likeliest token (default: 0)"
    )


def temperature(text: str) -> float:
    """Read a temperature: 0, or 0.01 to 100. Nearer to 0 the numbers overflow; higher up all tokens are alike."""
    value = _number(text)
    if value != 0.0 and not 0.01 <= value <= 100.0:
        raise argparse.ArgumentTypeError(f"'{text}' is no temperature; 0, or 0.01 to 100")
    return value


def share(text: str) -> float:
    """Read a share of the likely tokens: more than 0, at most 1."""
    value = _number(text)
    if not 0.0 < value <= 1.0:
        raise argparse.ArgumentTypeError(f"'{text}' is no share; more than 0 and at most 1")
    return value


def _number(text: str) -> float:
    """Return the number, or NaN, which lies in no range."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
