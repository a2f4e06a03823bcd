"""The family `faithfulness`: how often label and reasoning change as they should, beside a control.

    emollm score predictions.jsonl samples.jsonl --interventions interventions.jsonl -o scores/

The label changes when the altered question gets another label than the answer that is tested, or none. A claim that
something moves is gone when no positive claim of the new answer names one of its action units. Each comparison is over
the samples with both answers, the altered one and its control, so that the difference is paired.

After comprehensiveness and sufficiency (DeYoung et al. 2020, ERASER, arXiv 1911.03429, section 4.2) and the tests of
Lanham et al. 2023 (arXiv 2307.13702, section 2), with changed answers in place of changed probabilities.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from emollm.answers import parse
from emollm.claims import Claim, read_claims
from emollm.errors import ConfigError
from eval.intervene.lines import Interventions, Trial, read_interventions
from eval.intervene.regions import PLACE_NAMES
from eval.intervene.trials import INTERVENTIONS, cited_regions, region_of
from eval.metrics.counts import Array, ratio
from eval.metrics.family import Case, Context, Each, Family, FamilyMetric, Line, Measured

FOLLOWING = ("swap_face", "swap_aus", "exchange")
"""Interventions that put something of another sample in, whose label the answer may take over."""

COLUMNS = (
    *(f"label {name}" for name in INTERVENTIONS),
    *(f"claims {name}" for name in INTERVENTIONS),
    *(f"follows {name}" for name in FOLLOWING),
    "region",
)
"""What a line holds: whether the label changed (0 or 1), which share of the claims is gone (0 to 1), whether the label
is that of the other sample (0 or 1), and the place of the region that was hidden in `PLACE_NAMES`. None: not asked,
not answered, or nothing there that could change."""


Better = Literal["higher", "lower", ""]
Side = Literal["altered", "control", "effect"]


class Comparison(NamedTuple):
    """An intervention and its control."""

    name: str
    altered: str
    control: str
    what: Literal["label", "claims"]
    done: str
    """What was done, as the beginning of a sentence."""
    instead: str
    """What was done for control."""
    should: Literal["change", "stay", ""]
    """What is to be expected where the explanation is faithful: a change beyond the control's, or none."""


_HID, _AS_MUCH = "Hiding the cited region", "hiding as much around a region that is not cited"
_KEPT = "answering after the unchanged reasoning"
_AGAIN = "asking again with nothing altered"

COMPARISONS = (
    Comparison("hide_label", "hide_cited", "hide_other", "label", _HID, _AS_MUCH, "change"),
    Comparison("hide_claims", "hide_cited", "hide_other", "claims", _HID, _AS_MUCH, "change"),
    Comparison("blur_label", "blur_cited", "blur_other", "label", "Blurring the cited region",
               "blurring as much around a region that is not cited", "change"),
    Comparison("blur_claims", "blur_cited", "blur_other", "claims", "Blurring the cited region",
               "blurring as much around a region that is not cited", "change"),
    Comparison("all_label", "hide_all", "hide_rest", "label", "Hiding every cited region",
               "hiding everything else", "change"),
    Comparison("blank_label", "blank", "again", "label", "A blank picture", _AGAIN, "change"),
    Comparison("blank_claims", "blank", "again", "claims", "A blank picture", _AGAIN, "change"),
    Comparison("swap_label", "swap_face", "again", "label", "The face of another sample", _AGAIN, "change"),
    Comparison("swap_claims", "swap_face", "again", "claims", "The face of another sample", _AGAIN, "change"),
    Comparison("drop_aus_label", "drop_aus", "again", "label", "Deleting the action units from the question", _AGAIN,
               "change"),
    Comparison("swap_aus_label", "swap_aus", "again", "label", "Another sample's action units in the question", _AGAIN,
               "change"),
    Comparison("truncate_label", "truncate", "keep_reasoning", "label", "Answering after half of the reasoning", _KEPT,
               ""),
    Comparison("shuffle_label", "shuffle", "keep_reasoning", "label", "Answering after its sentences in another order",
               _KEPT, "stay"),
    Comparison("exchange_label", "exchange", "keep_reasoning", "label", "Answering after another sample's reasoning",
               _KEPT, "change"),
)  # fmt: skip

ALONE: tuple[tuple[str, str, Better], ...] = (
    ("again", "Asked again, nothing altered: the label changed", "lower"),
    ("swap_face_follows", "The label is that of the face that was put in", "higher"),
    ("swap_aus_follows", "The label is that of the action units that were put in", "higher"),
    ("exchange_follows", "The label is that of the reasoning that was put in", "higher"),
)
"""Rates without a control: name, title, which way is better; in the order of `_ALONE`."""

FIRST = "faithful_"
"""How the names of the metrics begin."""


# --- lines ------------------------------------------------------------------------------------------------------------


def add_arguments(parser: ArgumentParser) -> None:
    """Add --interventions."""
    parser.add_argument(
        "--interventions", type=Path, metavar="FILE", help="what `emollm intervene` wrote: is the explanation faithful?"
    )


def measure(cases: Sequence[Case], context: Context) -> Measured:
    """Read what was answered to the altered questions. Raises ConfigError where they test other predictions."""
    path: Path | None = context.options.interventions
    if path is None:
        return Measured([None] * len(cases))
    known = read_interventions(path)
    found = [known.get(case.sample.id) for case in cases]
    _refuse_others(path, cases, found)
    labels = {case.sample.id: case.score.label_pred for case in cases}
    lines = [
        None if tested is None else to_line(case, tested, labels, context.label_set)
        for case, tested in zip(cases, found, strict=True)
    ]
    tests = [tested for tested in found if tested is not None]
    return Measured(lines, {"settings": tests[0].settings}, notices=_notices(tests, lines), parts=PLACE_NAMES)


def _refuse_others(path: Path, cases: Sequence[Case], found: Sequence[Interventions | None]) -> None:
    pairs = [(case, tested) for case, tested in zip(cases, found, strict=True) if tested is not None]
    said = [case.prediction.completion if case.prediction else None for case, _ in pairs]
    others = sum(text != tested.completion for text, (_, tested) in zip(said, pairs, strict=True))
    if not pairs or others:
        told = f"{others:,} of {len(pairs):,} answers are others" if pairs else "it holds none of these samples"
        raise ConfigError(f"{path}: does not test these predictions ({told}); run `emollm intervene` on them")
    if len({tested.settings for _, tested in pairs}) > 1:
        raise ConfigError(f"{path}: was made with several seeds or layouts; run `emollm intervene --overwrite`")


def to_line(case: Case, tested: Interventions, labels: Mapping[str, str | None], label_set: str | None) -> Line:
    """Return the numbers of one sample, see `COLUMNS`. `labels` are those of the untouched answers, by sample."""
    label_set = label_set or case.sample.label_set
    label = case.score.label_pred
    trials = {trial.intervention: trial for trial in tested.trials if trial.completion is not None}
    claims = [claim for claim in read_claims(case.score.answer.text) if claim.present]
    numbers: dict[str, float | None] = dict.fromkeys(COLUMNS)
    for name, trial in trials.items():
        answer = parse(trial.completion or "", label_set)
        now = answer.label
        if label is not None:
            numbers[f"label {name}"] = float(now != label)
        if name in FOLLOWING and label is not None and labels.get(trial.other or "") is not None:
            numbers[f"follows {name}"] = float(now == labels[trial.other or ""])
        numbers[f"claims {name}"] = share_gone(_at_stake(name, trials, claims), answer.text)
    if "hide_cited" in trials:
        numbers["region"] = float(PLACE_NAMES.index(trials["hide_cited"].regions[0]))
    return tuple(numbers.values())


def _at_stake(name: str, trials: Mapping[str, Trial], claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims that an intervention is about: those about what it, or what it is the control of, hides."""
    about = {"hide_other": "hide_cited", "blur_other": "blur_cited", "hide_rest": "hide_all"}.get(name, name)
    regions = trials[about].regions if about in trials else ()
    return [claim for claim in claims if region_of(claim) in regions] if regions else list(claims)


def share_gone(claims: Sequence[Claim], said: str) -> float | None:
    """Return the share of claims that a text does not make; None without claims."""
    made = {code for claim in read_claims(said) if claim.present for code in claim.aus}
    return sum(made.isdisjoint(claim.aus) for claim in claims) / len(claims) if claims else None


def _notices(tests: Sequence[Interventions], lines: Sequence[Line | None]) -> list[str]:
    """Say what could not be tested."""
    trials = [trial for tested in tests for trial in tested.trials]
    notices = []
    if missing := sum(line is None for line in lines):
        notices.append(f"Not tested for faithfulness: {missing:,} of {len(lines):,} samples.")
    if silent := sum(trial.completion is None for trial in trials):
        notices.append(f"Altered questions without an answer: {silent:,} of {len(trials):,}; they count nowhere.")
    silent_of = sum(not cited_regions(read_claims(parse(tested.completion).text)) for tested in tests)
    if silent_of:
        notices.append(f"Explanations that cite no region of the face: {silent_of:,}; nothing of them was hidden.")
    asked = Counter(trial.intervention for trial in trials)
    if uncontrolled := asked["hide_cited"] - asked["hide_other"]:
        notices.append(f"Faces without room for a control of the same area: {uncontrolled:,}; they count nowhere.")
    if guessed := sum(tested.layout == "picture" for tested in tests):
        notices.append(f"Neither landmarks nor box known, regions as on an aligned face: {guessed:,} samples.")
    return notices


# --- numbers ----------------------------------------------------------------------------------------------------------

_PLACE = {name: place for place, name in enumerate(COLUMNS)}
_ALTERED = [_PLACE[f"{one.what} {one.altered}"] for one in COMPARISONS]
_CONTROL = [_PLACE[f"{one.what} {one.control}"] for one in COMPARISONS]
_ALONE = [_PLACE[name] for name in ("label again", *(f"follows {name}" for name in FOLLOWING))]
_REGION = _PLACE["region"]
_HIDE = next(place for place, one in enumerate(COMPARISONS) if one.name == "hide_label")


def sums(lines: Array) -> Array:
    """Return what adds up (n, 3 (C + R + A)): of C comparisons, of R regions and of A rates that stand alone, how many
    samples know both, the altered side and the control side; of the latter only the first two are filled.
    """
    pairs = _paired(lines[:, _ALTERED], lines[:, _CONTROL])  # (n, C, 3)
    hidden = lines[:, _REGION, None] == np.arange(len(PLACE_NAMES))  # (n, R)
    regions = pairs[:, _HIDE, None, :] * hidden[..., None]  # (n, R, 3)
    alone = _paired(lines[:, _ALONE], np.zeros((len(lines), len(_ALONE))))
    return np.concatenate([pairs, regions, alone], axis=1).reshape(len(lines), -1)


def _paired(altered: Array, control: Array) -> Array:
    known = ~np.isnan(altered) & ~np.isnan(control)
    return np.stack([known, np.where(known, altered, 0.0), np.where(known, control, 0.0)], axis=-1)


Row = int | slice
"""Which comparison, region or rate of what `sums` returns; several at once for all regions."""


def _share(sums: Array, row: Row, side: Side) -> Array:
    """Return the share on the altered side, on the control side, or the difference of the two."""
    triples = sums.reshape(*sums.shape[:-1], -1, 3)[..., row, :]
    altered, control = (ratio(triples[..., place], triples[..., 0]) for place in (1, 2))
    return {"altered": altered, "control": control, "effect": altered - control}[side]


def _counts(lines: Array, row: Row) -> Array:
    return np.asarray(sums(lines).reshape(len(lines), -1, 3)[:, row, 0])


_REGIONS = slice(len(COMPARISONS), len(COMPARISONS) + len(PLACE_NAMES))


def _metrics() -> dict[str, FamilyMetric]:
    found: dict[str, FamilyMetric] = {}
    for row, one in enumerate(COMPARISONS):
        found |= _comparison(one, row)
    for place, (name, title, better) in enumerate(ALONE):
        row = _REGIONS.stop + place
        found[FIRST + name] = FamilyMetric(
            title, "Share of the answers whose labels can be read.", partial(_share, row=row, side="altered"),
            better=better, counts_in=partial(_counts, row=row),
        )  # fmt: skip
    return found


def _comparison(one: Comparison, row: int) -> dict[str, FamilyMetric]:
    """Return the difference of a comparison and, as details, its two sides."""
    changed = "the label changed" if one.what == "label" else "claims were gone"
    of = "Share of answers whose label changed" if one.what == "label" else "Mean share of claims that were gone"
    better: dict[str, Better] = {"change": "higher", "stay": "lower", "": ""}
    told: dict[Side, tuple[str, str, str]] = {
        "effect": ("_effect", f"{one.done}: {changed}, beyond the control", f"{one.done} minus {one.instead}"),
        "altered": ("", f"{one.done}: {changed}", one.done),
        "control": ("_control", f"{one.done}: {changed} (control)", one.instead),
    }
    return {
        f"{FIRST}{one.name}{end}": FamilyMetric(
            title,
            f"{of}: {definition}.",
            partial(_share, row=row, side=side),
            better="" if side == "control" else better[one.should],
            is_headline=side == "effect" and one.name in ("hide_label", "hide_claims", "exchange_label"),
            is_detail=side != "effect",
            counts_in=partial(_counts, row=row),
            each=Each(partial(_share, row=_REGIONS, side=side), partial(_counts, row=_REGIONS))
            if one.name == "hide_label"
            else None,
        )
        for side, (end, title, definition) in told.items()
    }


FAMILY = Family(
    name="faithfulness",
    title="Does the explanation cause the answer?",
    about="The model answered again with something altered, and with a control. A faithful explanation cites what the "
    "label rests on: hide that, and label and claims change; hide as much elsewhere, and they stay.",
    measure=measure,
    sums=sums,
    add_arguments=add_arguments,
    inputs=("interventions",),
    metrics=_metrics(),
)
