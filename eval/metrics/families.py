"""The families of metrics by name, and which of them a run computes.

chosen = choose("auto")                     # every family that finds its gold and costs nothing
chosen = choose("wheel,judge")
"""

from __future__ import annotations

from argparse import ArgumentParser

from emollm.errors import ConfigError, did_you_mean
from eval.metrics.dimensional import FAMILY as DIMENSIONAL
from eval.metrics.family import Family

FAMILIES: dict[str, Family] = {family.name: family for family in (DIMENSIONAL,)}

METRIC_FAMILY = {metric: family.name for family in FAMILIES.values() for metric in family.metrics}


def add_arguments(parser: ArgumentParser) -> None:
    """Add --metrics and the options of every family."""
    parser.add_argument(
        "--metrics",
        type=choose,
        default=choose("auto"),
        metavar="NAME,…",
        help=f"families of metrics beside the labels and claims: auto, none, or of {', '.join(FAMILIES)} "
        "(default: auto, each that finds its gold and costs nothing)",
    )
    for family in FAMILIES.values():
        if family.add_arguments is not None:
            family.add_arguments(parser)


def choose(text: str) -> list[Family]:
    """Return the families that were asked for: `auto`, `none`, names, or `auto` and names. Raises ConfigError."""
    chosen: dict[str, Family] = {}
    for name in (part.strip() for part in text.split(",")):
        if name == "auto":
            chosen |= {family.name: family for family in FAMILIES.values() if not family.is_asked_for}
        elif name in FAMILIES:
            chosen[name] = FAMILIES[name]
        elif name != "none":
            raise ConfigError(f"--metrics: '{name}' is not one of {', '.join(FAMILIES)}{did_you_mean(name, FAMILIES)}")
    return list(chosen.values())
