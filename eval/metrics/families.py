"""The families of metrics by name, and which of them a run computes.

chosen = choose("auto")                     # every family that finds its gold and costs nothing
chosen = choose("wheel,judge")
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Sequence

from emollm.errors import ConfigError, did_you_mean
from eval.intervene.family import FAMILY as FAITHFULNESS
from eval.judge.family import FAMILY as JUDGE
from eval.judge.family import RUBRICS
from eval.metrics import METRICS, Metric
from eval.metrics.ambivalence import FAMILY as AMBIVALENCE
from eval.metrics.au_events import FAMILY as AU_EVENTS
from eval.metrics.au_values import FAMILY as AU_VALUES
from eval.metrics.calibration import FAMILY as CALIBRATION
from eval.metrics.closed_set import FAMILY as CLOSED_SET
from eval.metrics.compound import FAMILY as COMPOUND
from eval.metrics.consistency import FAMILY as CONSISTENCY
from eval.metrics.course import FAMILY as COURSE
from eval.metrics.dimensional import FAMILY as DIMENSIONAL
from eval.metrics.entailment import FAMILY as ENTAILMENT
from eval.metrics.family import Family, FamilyMetric
from eval.metrics.fea_aus import FAMILY as FEA_AUS
from eval.metrics.folds import FAMILY as FOLDS
from eval.metrics.hits import FAMILY as HITS
from eval.metrics.label_sets import FAMILY as LABEL_SETS
from eval.metrics.micro_expressions import FAMILY as MICRO_EXPRESSIONS
from eval.metrics.pain import FAMILY as PAIN
from eval.metrics.preference import FAMILY as PREFERENCE
from eval.metrics.questions import FAMILY as QUESTIONS
from eval.metrics.selective import FAMILY as SELECTIVE
from eval.metrics.sentiment import FAMILY as SENTIMENT
from eval.metrics.soft_labels import FAMILY as SOFT_LABELS
from eval.metrics.wheel import FAMILY as WHEEL
from eval.metrics.wording import FAMILY as WORDING

FAMILIES: dict[str, Family] = {family.name: family for family in (
    CLOSED_SET, FOLDS, CALIBRATION, SELECTIVE, SOFT_LABELS, DIMENSIONAL, SENTIMENT, COMPOUND, AMBIVALENCE,
    MICRO_EXPRESSIONS, PAIN, WHEEL, LABEL_SETS, HITS, QUESTIONS, PREFERENCE, CONSISTENCY, WORDING, ENTAILMENT, COURSE,
    FEA_AUS, AU_VALUES, AU_EVENTS, FAITHFULNESS, JUDGE, *RUBRICS,
)}  # fmt: skip

METRIC_FAMILY = {metric: family.name for family in FAMILIES.values() for metric in family.metrics}


def describe(metric: str) -> Metric | FamilyMetric:
    """Return what a metric of any family is called and means."""
    return METRICS[metric] if metric in METRICS else FAMILIES[METRIC_FAMILY[metric]].metrics[metric]


def is_detail(metric: str) -> bool:
    """Tell whether a metric is left out of every printed table."""
    return metric in METRIC_FAMILY and FAMILIES[METRIC_FAMILY[metric]].metrics[metric].is_detail


def headlines(metrics: Iterable[str], aus: Sequence[str] | None) -> list[str]:
    """Return those of the metrics that are looked at first; all that are no detail, where none of them is.

    `aus` is the list of action units that count, if there is one: what is published for such a list is the mean F1.
    """
    known = [name for name in metrics if not is_detail(name)]
    main = {name for name in known if describe(name).is_headline} | ({"au_macro_f1"} if aus is not None else set())
    return [name for name in known if name in main] or known


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
    parser.add_argument(
        "--dry-run", action="store_true", help="print what families that cost money would ask, and what that costs"
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
