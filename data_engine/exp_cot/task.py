"""Tasks: which samples can be explained, and what of them a teacher may know.

    task = admit(sample, options)         # a Task, or a Draft that says why not
    task.sight                            # all that the observations may be written from: no label is in it

Every teacher gets its samples through `admit`, so what is refused before a word is written does not depend on who
writes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.infer import AGREES, DISAGREES, UNREAD, Finding, Reading, choose_codebook, infer, settle
from data_engine.exp_cot.view import View, look
from data_engine.exp_cot.voice import acoustic
from data_engine.exp_cot.words import given, label_word
from data_engine.exp_cot.writer import VOICE
from emollm import facs
from emollm.labels import LABEL_SETS, canonical
from emollm.records import Media, Sample
from emollm.scoring import clip_events, lead_face, main_face


class Sight(NamedTuple):
    """What is known of a sample besides its label: the face, and what was said and how."""

    id: str
    view: View
    media: Media | None
    text: str | None
    """The transcript."""
    prosody: Mapping[str, Any]
    """How it was said: feature to a word or a number from 0 to 1, from `provenance.prosody` of the sample."""


class Task(NamedTuple):
    """A sample that can be explained. The labels are for those who compare; observations are written from `sight`."""

    sight: Sight
    label_set: str
    labels: tuple[str, ...]
    """Given, in the words of the label set; empty where none is."""
    is_list: bool
    """Whether the sample has no more than a list of `labels`."""
    reading: Reading
    finding: Finding
    """How the action units stand to the labels."""
    options: Options
    other_faces: int = 0
    """Faces of the sample that the text is not about."""
    prosody_dropped: int = 0
    """Features of the voice that are not known to be acoustic: nobody who describes is told of them."""
    unknown_aus: tuple[str, ...] = ()
    """Codes of the face that FACS does not have: nothing is known of what they mean."""

    def settled(self, labels: tuple[str, ...]) -> Finding:
        """Return how the action units stand to the labels that a text ends with, those that were read for it included.

        Where a reader names none although a pattern is there, that is a case of its own.
        """
        if self.labels:
            return self.finding
        found = settle(self.reading, labels) or self.finding
        return found if labels or not found.labels else Finding((), UNREAD, found.best)

    def disagreement(self, finding: Finding) -> tuple[str, str] | None:
        """Return reason and detail where the action units do not support a label and that is to be refused."""
        if finding.case not in DISAGREES or self.options.disagreement != "reject":
            return None
        return "label_contradicts" if finding.case == "other" else "label_not_shown", _explain(finding)

    def provenance(self, finding: Finding, label_seen: bool, hears: Collection[str]) -> dict[str, Any]:
        """Return what the sample remembers: how its text was written, and how its labels and action units agree.

        `hears` is what its writer is told of `writer.VOICE`.
        """
        kept: dict[str, Any] = {
            "teacher": "",
            "codebook": choose_codebook(self.options.codebook, self.label_set),
            "thresholds": dict(self.options.thresholds),
            "seed": self.options.seed,
            "case": finding.case,
            "agree": finding.case in AGREES if finding.case in AGREES | DISAGREES else None,
            "label_seen": label_seen,
        }
        if finding.case in ("other", "apart", "outside", UNREAD) and finding.best:
            kept["fits"] = finding.best.label
        if self.other_faces:
            kept["other_faces"] = self.other_faces
        if self.prosody_dropped and "prosody" in hears:
            kept["prosody_dropped"] = self.prosody_dropped
        if self.sight.text or self.sight.prosody:
            unheard = [name for name in VOICE if name not in hears and getattr(self.sight, name)]
            kept |= {"unheard": unheard} if unheard else {}
        if self.unknown_aus:
            kept["unknown_aus"] = list(self.unknown_aus)
        return kept


def admit(sample: Sample, options: Options) -> Task | Draft:
    """Return what is to be written about a sample, or why nothing can be."""
    word = label_word(sample)
    face = main_face(sample)
    if face is None or not face.aus:
        return Draft(reason="no_aus", label=word)
    unknown_aus = tuple(sorted(face.aus.keys() - facs.UNITS.keys()))
    if facs.EXPRESSIVE.isdisjoint(face.aus):
        return Draft(reason="no_aus", label=word, detail=f"{', '.join(face.aus)} is no movement of the face")
    others = {other.face for other in sample.faces or () if other.aus} - {face.face}
    if others and lead_face(sample) is None:
        return Draft(reason="several_faces", label=word, detail="a text could mean any of them")
    is_list = word is None and sample.labels is not None
    label_set = sample.label_set or ("open" if is_list else options.label_set)
    if label_set not in LABEL_SETS:
        return Draft(reason="unknown_label_set", label=word, detail=f"'{label_set}' is not known")
    words = given(sample)
    if is_list and not words:
        return Draft(reason="no_label", detail="'labels' is an empty list")
    known = {one: canonical(one, label_set) for one in words}
    if unknown := [one for one, label in known.items() if label is None]:
        return Draft(reason="unknown_label", label=word, detail=f"'{unknown[0]}' is not in {label_set}")
    labels = tuple(dict.fromkeys(label for label in known.values() if label))
    view = look(face, options.thresholds, clip_events(sample), _length_s(sample))
    reading = infer(view, choose_codebook(options.codebook, label_set), label_set)
    finding = settle(reading, labels)
    if finding is None:
        return Draft(reason="too_few_aus", detail=f"nothing is present, and only {len(view.measured)} were measured")
    prosody, num_dropped = _prosody(sample)
    sight = Sight(sample.id, view, sample.media, sample.text, prosody)
    task = Task(sight, label_set, labels, is_list, reading, finding, options, len(others), num_dropped, unknown_aus)
    if labels and (refused := task.disagreement(finding)):
        return Draft(None, label_set, None if is_list else labels[0], labels, finding.case, *refused)
    return task


def _prosody(sample: Sample) -> tuple[dict[str, Any], int]:
    """Return what is acoustic of the voice, and how much is not: that may be the label by another way."""
    told = (sample.provenance or {}).get("prosody")
    if not isinstance(told, Mapping):
        return {}, 0
    kept = acoustic(told)
    return kept, len(told) - len(kept)


def _length_s(sample: Sample) -> float | None:
    """Return how long a clip is, where the stage that drew or measured it remembers that."""
    known = [stage.get("seconds") for name, stage in (sample.provenance or {}).items() if name in ("faces", "detect")]
    return next((float(seconds) for seconds in known if isinstance(seconds, int | float)), None)


def _explain(finding: Finding) -> str:
    if finding.best:
        return f"the action units fit {finding.best.label}"
    return "no action unit is present" if finding.case == "silent" else "the action units fit no pattern"
