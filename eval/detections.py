"""What a detector measured, held against the gold of the samples, in place of what a model said.

    emollm detect pictures -o detected.jsonl
    emollm score detected.jsonl samples.jsonl -o scores/

An action unit counts as named where its detected value reaches the threshold of its kind; one in a picture without a
face, or that the detector has no number for, is not. So the counts of the action units are those of an explanation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from emollm.errors import EmoLLMError
from emollm.facs import EXPRESSIVE, present, prose
from emollm.records import Box, Face, Sample
from emollm.scoring import au_counts, au_measured, main_face, set_f1
from eval.metrics.family import Case, Context
from eval.protocols import Protocol
from eval.scored import Scored


def aus_of(detected: Iterable[Sample]) -> tuple[str, ...]:
    """Return the AUs that a detector measures. Raises EmoLLMError where there are none."""
    found = {au for sample in detected for face in sample.faces or () for au in face.aus or () if au in EXPRESSIVE}
    if not found:
        raise EmoLLMError("the detected faces hold no action units; write them with `emollm detect`")
    return tuple(sorted(found))


def detected_face(case: Case) -> Face | None:
    """Return the detected face that is the gold one, None where there is none.

    It is the one whose box overlaps most with the gold box, or where boxes are not known the one that the sample is
    about.
    """
    if case.detected is None:
        return None
    faces = [face for face in case.detected.faces or () if face.aus is not None]
    gold = case.score.face.box if case.score.face else None
    is_still = len({face.face for face in faces}) == len(faces)
    if gold is None or not is_still or any(face.box is None for face in faces):
        return main_face(case.detected)
    near = [(iou, face) for face in faces if face.box is not None and (iou := overlap(face.box, gold)) > 0.0]
    return max(near, key=lambda pair: pair[0])[1] if near else None


def overlap(first: Box, second: Box) -> float:
    """Return the intersection over union of two boxes, 0 to 1."""
    sides = [
        min(first[axis] + first[axis + 2], second[axis] + second[axis + 2]) - max(first[axis], second[axis])
        for axis in (0, 1)
    ]
    both = max(sides[0], 0.0) * max(sides[1], 0.0)
    either = first[2] * first[3] + second[2] * second[3] - both
    return both / either if either > 0.0 else 0.0


def counted_aus(case: Case, context: Context) -> tuple[str, ...]:
    """Return the AUs to compare in a sample: those that count and that gold knows of."""
    measured = au_measured(case.score.face) if case.score.face else ()
    return measured if context.aus is None else tuple(au for au in context.aus if au in measured)


def detected_row(case: Case, context: Context) -> Scored:
    """Put sample and detected AUs into one line of samples.jsonl."""
    sample, found = case.sample, detected_face(case)
    row = Scored(
        id=sample.id,
        subject=sample.subject,
        groups=sample.groups,
        media=sample.media,
        face=case.score.face,
        judged="detector",
        model=_name(found) if found else None,
    )
    aus = counted_aus(case, context)
    if not aus or case.score.face is None:
        return row
    there = [au for au in present(case.score.face, context.thresholds) if au in aus]
    named = [au for au in present(found, context.thresholds) if au in aus] if found else []
    counts = au_counts(named, there, aus)
    row.au_hits = tuple(au for au, count in counts.items() if count.tp)
    row.au_false_alarms = tuple(au for au, count in counts.items() if count.fp)
    row.au_misses = tuple(au for au, count in counts.items() if count.fn)
    row.au_rejections = tuple(au for au in aus if au not in counts)
    row.au_set_f1 = set_f1(named, there) if found else 0.0
    return row


def _name(face: Face) -> str:
    made = face.detector
    return "a detector" if made is None else made.name if made.version is None else f"{made.name} {made.version}"


def notices(cases: Sequence[Case], detected: Mapping[str, Sample], protocol: Protocol | None) -> list[str]:
    """Say what the detector has no numbers for, whose faces are other faces, and where gold is no truth."""
    aus = aus_of(detected.values())
    gold = {au for case in cases if case.score.face for au in au_measured(case.score.face)}
    found = []
    if protocol is not None and (lacking := [prose(au) for au in protocol.aus if au not in aus and au in gold]):
        found.append(f"not measured by the detector, and counted as never present: {', '.join(lacking)}")
    if protocol is None and (lacking := [prose(au) for au in sorted(gold - set(aus))]):
        found.append(f"not measured by the detector, and left out: {', '.join(lacking)}")
    if others := sum(
        case.detected is not None and bool(case.detected.faces) and not detected_face(case) for case in cases
    ):
        found.append(f"the detected face lies elsewhere than the gold one, and counts as not found: {others:,} samples")
    by = Counter(_name(face) for case in cases if (face := case.score.face) is not None and face.detector is not None)
    own = {_name(face) for sample in detected.values() for face in sample.faces or () if face.detector is not None}
    found += [
        f"gold was measured by {name}, which is judged here: agreement with itself says nothing ({n:,} samples)"
        for name, n in by.items()
        if name in own
    ]
    return found
