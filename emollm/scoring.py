"""Scores of one prediction: is the label right, is the format right, is what it says about the face true?

    score = score_sample(sample, prediction.completion, label_set="basic7")
    score.correct, score.well_formed, score.precision

Rewards and evaluation both call these functions, so a model is paid for what it is later measured by. What gold
information is missing for is None, never 0. Means, intervals and label statistics over many samples are `eval`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from emollm.answers import Answer, parse
from emollm.answers.whole import is_whole
from emollm.claims import Check, Claim, check, named_aus, read_claims
from emollm.facs import EXPRESSIVE, THRESHOLDS, UNITS, present
from emollm.labels import canonical
from emollm.records import AU, Event, Face, Sample

LARGEST = 1.5
"""How many times as large as any other the face of a sample is, in the length of its sides, to be the one meant."""


class Counts(NamedTuple):
    """True positives, false positives and false negatives."""

    tp: int = 0
    fp: int = 0
    fn: int = 0


class SampleScore(NamedTuple):
    """What one completion is worth."""

    label_gold: str | None
    """In the label set; None: the sample has no single label."""
    label_pred: str | None
    """None: the completion gives no label of the set, or several."""
    correct: bool | None
    """None where `label_gold` is."""
    well_formed: bool
    answer: Answer
    face: Face | None
    """The face that was checked against; None: the sample has no measured face, and all below are None or empty."""
    aus_gold: tuple[str, ...] | None = None
    """Those of `au_measured` that are present."""
    aus_pred: tuple[str, ...] | None = None
    """The AUs that the completion says are there, each phrase its likeliest reading; see `claims.named_aus`."""
    au_measured: tuple[str, ...] | None = None
    """The AUs that can be hits or false alarms: measured, an expression (no turn of head or eyes), and not hidden.

    None, and with it all that is counted of AUs, where there is no such AU."""
    check: Check | None = None
    """Every claim with its verdict; the spans are places in the completion."""

    @property
    def supported(self) -> int:
        """Claims that the face bears out."""
        return self.check.count("supported") if self.check else 0

    @property
    def contradicted(self) -> int:
        """Claims that the face contradicts."""
        return self.check.count("contradicted") if self.check else 0

    @property
    def not_assessable(self) -> int:
        """Claims about what was not measured, is hidden, or lies just below the threshold."""
        return self.check.count("not_assessable") if self.check else 0

    @property
    def omitted(self) -> tuple[str, ...]:
        """Present AUs that no positive claim names."""
        return self.check.omitted if self.check else ()

    @property
    def precision(self) -> float | None:
        """Supported / (supported + contradicted); None where no claim could be judged."""
        return self.check.precision if self.check else None

    @property
    def recall(self) -> float | None:
        """Present AUs that are named / present AUs; None where none is present."""
        return self.check.recall if self.check else None

    @property
    def au_counts(self) -> dict[str, Counts] | None:
        """Hits, false alarms and misses per measured AU."""
        if self.aus_gold is None or self.aus_pred is None or self.au_measured is None:
            return None
        return au_counts(self.aus_pred, self.aus_gold, self.au_measured)

    @property
    def au_f1(self) -> float | None:
        """F1 of the AUs said against the AUs present, over the measured ones.

        Where none is present, naming none is right (1) for an answer that is well formed or says anything of the face;
        silence and gibberish get 0.
        """
        if self.aus_gold is None or self.aus_pred is None or self.au_measured is None:
            return None
        named = set(self.aus_pred) & set(self.au_measured)
        is_answer = self.well_formed or (self.check is not None and bool(self.check.checked))
        return set_f1(named, self.aus_gold) if is_answer else 0.0


def score_sample(
    sample: Sample,
    prediction_text: str,
    label_set: str | None = None,
    thresholds: Mapping[str, float] = THRESHOLDS,
    style: str | None = None,
) -> SampleScore:
    """Score a completion against what is known about its sample.

    `label_set` defaults to the sample's own. With `style`, the answer must also be well formed in that style. An empty
    completion has no label and no claims, so it is wrong but nothing in it is false. What stands beside the model's own
    answer, a question or turns that it invents, says nothing (`Answer.text`).
    """
    label_set = label_set or sample.label_set
    answer = parse(prediction_text, label_set)
    gold = None if sample.label is None else canonical(sample.label, label_set) or sample.label
    face = main_face(sample)
    score = SampleScore(
        label_gold=gold,
        label_pred=answer.label,
        correct=label_match(answer.label, gold),
        well_formed=is_well_formed(answer, style),
        answer=answer,
        face=face,
    )
    if face is None or face.aus is None:
        return score
    events = clip_events(sample)
    score = score._replace(check=check(claims_of(answer), face, thresholds, events))
    there = present(face, thresholds)
    passing = {event.au for event in events if event.face == face.face} - there.keys()
    # What moves in a clip and is not there at its peak may be named or not: neither is right or wrong of the peak.
    measured = tuple(code for code in au_measured(face) if code not in passing)
    if not measured or score.check is None:
        return score
    return score._replace(
        aus_gold=tuple(code for code in there if code in measured),
        aus_pred=tuple(sorted(named_aus(one.claim for one in score.check.checked))),
        au_measured=measured,
    )


def claims_of(answer: Answer) -> list[Claim]:
    """Return the claims of an answer; their spans are places in the completion."""
    claims, start = read_claims(answer.text), answer.start
    return [claim._replace(start=start + claim.start, end=start + claim.end) for claim in claims] if start else claims


def au_measured(face: Face) -> tuple[str, ...]:
    """Return the AUs of a face that a text can be right or wrong about: expressions in regions that can be seen."""
    hidden = face.hidden or ()
    return tuple(code for code in sorted(face.aus or ()) if code in EXPRESSIVE and UNITS[code].region not in hidden)


def main_face(sample: Sample) -> Face | None:
    """Return the face that a text about the sample is about: the lead, or where nothing tells it the first with AUs.

    Of a clip that holds several moments of that face, each AU counts at its strongest moment, and a region is hidden
    only when it is hidden at all of them.
    """
    faces = [face for face in sample.faces or () if face.aus is not None]
    name = lead_face(sample) or (faces[0].face if faces else None)
    moments = [face for face in faces if face.face == name]
    if len(moments) < 2:
        return moments[0] if moments else None
    aus: dict[str, AU] = {}
    for moment in moments:
        for code, au in (moment.aus or {}).items():
            if code not in aus or au.value > aus[code].value:
                aus[code] = au
    hidden = set.intersection(*(set(moment.hidden or ()) for moment in moments))
    first = moments[0]
    return Face(face=first.face, aus=aus, hidden=sorted(hidden) or None, detector=first.detector)


def lead_face(sample: Sample) -> str | None:
    """Return the name of the face that the sample is about, wherever it stands; None where it could be any of several.

    It is the only one with AUs, the lead of a rendered picture, or the one that is by far the largest. The plan of the
    picture tells who leads; a detector that has measured it anew has other names for the faces.
    """
    faces, known = sample.faces or (), sample.provenance or {}
    measured = {face.face for face in faces if face.aus}
    if len(measured) < 2:
        return next(iter(measured), None)
    plan = known.get("faces")
    if isinstance(plan, Mapping) and "lead" in plan and "detect" not in known:
        return str(plan["lead"])
    sides: dict[str, float] = {}
    for face in faces:
        if face.box is not None:
            sides[face.face] = max(sides.get(face.face, 0.0), (face.box[2] * face.box[3]) ** 0.5)
        elif face.aus:
            return None
    name, *others = sorted(sides, key=sides.__getitem__, reverse=True)
    is_meant = name in measured and all(sides[name] >= LARGEST * sides[other] for other in others)
    return name if is_meant else None


def clip_events(sample: Sample) -> Sequence[Event]:
    """Return the events that a text about the sample may tell of: a still that was cut from a clip shows none."""
    is_still = sample.media is not None and sample.media.kind == "image"
    return () if is_still else sample.events or ()


def label_match(predicted: str | None, gold: str | None) -> bool | None:
    """Tell whether the label is right; None without gold. No label, or several, is wrong."""
    return None if gold is None else predicted == gold


def is_well_formed(answer: Answer, style: str | None = None) -> bool:
    """Tell whether an answer has the form of its style, no part broken off, and is in the style asked for, if one was.

    Rewards pay for this, and evaluation counts it.
    """
    texts: dict[str | None, tuple[str | None, ...]] = {
        "sections": (answer.observations, answer.interpretation, answer.conclusion),
        "think": (answer.think,),
        "context": (answer.context, answer.think),
        None: (answer.answer,),
    }
    if not all(is_whole(part) for part in texts.get(answer.style, ()) if part):
        return False
    if style == "observations":  # prose that names no label
        return answer.style is None and answer.answer is not None and not answer.labels and answer.is_all
    if style is None or not answer.is_well_formed:
        return answer.is_well_formed
    # One label is also a list of one.
    return answer.style == style or (style == "labels" and answer.style == "label")


def au_counts(predicted: Iterable[str], gold: Iterable[str], measured: Iterable[str]) -> dict[str, Counts]:
    """Return the counts of each measured AU that is predicted or gold; others have nothing to count."""
    said, there = set(predicted), set(gold)
    return {
        code: Counts(int(code in said and code in there), int(code in said - there), int(code in there - said))
        for code in sorted(set(measured) & (said | there))
    }


def set_f1(predicted: Iterable[str], gold: Iterable[str]) -> float:
    """Return F1 = 2 |P ∩ G| / (|P| + |G|) of two sets; 1 when both are empty: nothing there, nothing said."""
    said, there = set(predicted), set(gold)
    total = len(said) + len(there)
    return 2 * len(said & there) / total if total else 1.0
