"""Trials: what is asked about a sample, and altered how.

    questions, layout = plan(tested, other, picture, other_picture, Plan(kinds, seed))

One cited region is drawn by chance and hidden; beside it stands its control, as many pixels around a region that the
explanation does not cite. Cited are the regions of the movements that it says are there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from emollm.answers import Answer
from emollm.claims import Claim, read_claims
from emollm.facs import UNITS
from emollm.records import Face, Sample
from emollm.scoring import lead_face
from eval.intervene.pictures import blank, blur, hide, swap_face
from eval.intervene.reasoning import find_thought, shuffled, truncated, without_aus
from eval.intervene.regions import PLACES, Layout, find_layout

if TYPE_CHECKING:
    from PIL.Image import Image

KINDS = {
    "picture": "a blank picture; the face of another sample",
    "regions": "a cited region hidden or blurred, against as much elsewhere; all that is cited hidden, all but that",
    "text": "action units in the question deleted, or another sample's in their place",
    "reasoning": "the answer forced after the reasoning: unchanged, truncated, shuffled, another sample's",
}

INTERVENTIONS = {
    "again": "asked again, nothing altered",
    "blank": "a grey picture",
    "swap_face": "the face of another sample, of which the model says another label",
    "hide_cited": "a cited region, one flat colour",
    "hide_other": "as many pixels around a region that is not cited",
    "blur_cited": "the same cited region, blurred",
    "blur_other": "the same other pixels, blurred",
    "hide_all": "every cited region, one flat colour",
    "hide_rest": "everything else, one flat colour",
    "drop_aus": "the question without the action units that it gives",
    "swap_aus": "the question of another sample, with that one's action units",
    "keep_reasoning": "answered after the unchanged reasoning",
    "truncate": "answered after the first half of the reasoning",
    "shuffle": "answered after its sentences in another order",
    "exchange": "answered after the reasoning of another sample, whose label is another",
}

BLUR = 0.12
"""Standard deviation of the blur, in widths of the face."""


class Answered(NamedTuple):
    """A sample, the question and the answer that is tested."""

    sample: Sample
    question: str
    completion: str
    answer: Answer


class Question(NamedTuple):
    """What the model is asked, and what a `Trial` remembers of it."""

    intervention: str
    text: str
    picture: Image
    begun: str = ""
    """What the answer begins with."""
    regions: tuple[str, ...] = ()
    share: float | None = None
    other: str | None = None


class Plan(NamedTuple):
    """What is asked about every sample."""

    kinds: Collection[str]
    seed: int


def cited_regions(claims: Sequence[Claim]) -> tuple[str, ...]:
    """Return the regions that positive claims are about and that a picture can lose, in the order of `PLACES`."""
    named = {region_of(claim) for claim in claims if claim.present}
    return tuple(region for region in PLACES if region in named)


def region_of(claim: Claim) -> str:
    """Return the region of a claim, by its likeliest reading."""
    return claim.region or UNITS[claim.aus[0]].region


def pictured_face(sample: Sample) -> Face | None:
    """Return the face that is meant, at the first moment with landmarks, else with a box; None where there is none."""
    name = lead_face(sample)
    faces = [face for face in sample.faces or () if name in (None, face.face)]
    by_points = (face for face in faces if face.landmarks is not None)
    return next(by_points, next((face for face in faces if face.box is not None), None))


def plan(
    tested: Answered, other: Answered | None, picture: Image, other_picture: Image | None, how: Plan
) -> tuple[list[Question], str]:
    """Return everything that is asked about a sample, and what its regions follow from.

    `other` is a sample of which the model says another label, if there is one; None where no other sample is known.
    """
    layout = find_layout(pictured_face(tested.sample), picture.size)
    asked = [Question("again", tested.question, picture)]
    if "picture" in how.kinds:
        asked += _pictures(tested, other, picture, other_picture)
    if "regions" in how.kinds:
        asked += _regions(tested, picture, layout, Random(f"{how.seed} regions {tested.sample.id}"))
    if "text" in how.kinds:
        asked += _texts(tested, other, picture)
    if "reasoning" in how.kinds:
        asked += _reasoning(tested, other, picture, Random(f"{how.seed} reasoning {tested.sample.id}"))
    return asked, layout.by


def _pictures(
    tested: Answered, other: Answered | None, picture: Image, other_picture: Image | None
) -> Iterator[Question]:
    yield Question("blank", tested.question, blank(picture))
    if other is not None and other_picture is not None:
        faces = [pictured_face(one.sample) for one in (tested, other)]
        boxes = [face.box if face else None for face in faces]
        swapped = swap_face(picture, boxes[0], other_picture, boxes[1])
        yield Question("swap_face", tested.question, swapped, other=other.sample.id)


def _regions(tested: Answered, picture: Image, layout: Layout, rng: Random) -> Iterator[Question]:
    """Hide and blur one cited region and its control; hide all cited regions, and all but them."""
    cited = cited_regions(read_claims(tested.answer.text))
    if not cited:
        return
    region = rng.choice(cited)
    radius = BLUR * (layout.face[2] - layout.face[0])
    masks = {"cited": (layout.mask(region), region)}
    control = layout.control(masks["cited"][0], cited, rng)
    if control is not None:
        masks["other"] = control
    for name, (mask, around) in masks.items():
        share = round(float(mask.mean()), 4)
        yield Question(f"hide_{name}", tested.question, hide(picture, mask), regions=(around,), share=share)
        blurred = blur(picture, mask, radius)
        yield Question(f"blur_{name}", tested.question, blurred, regions=(around,), share=share)
    everything = layout.mask(*cited)
    for name, mask in (("hide_all", everything), ("hide_rest", ~everything)):
        share = round(float(mask.mean()), 4)
        yield Question(name, tested.question, hide(picture, mask), regions=cited, share=share)


def _texts(tested: Answered, other: Answered | None, picture: Image) -> Iterator[Question]:
    bare = without_aus(tested.question)
    if bare is None:
        return
    yield Question("drop_aus", bare, picture)
    if other is not None and without_aus(other.question) is not None:
        yield Question("swap_aus", other.question, picture, other=other.sample.id)


def _reasoning(tested: Answered, other: Answered | None, picture: Image, rng: Random) -> Iterator[Question]:
    thought = find_thought(tested.answer)
    if thought is None:
        return
    altered = {
        "keep_reasoning": thought.sentences,
        "truncate": truncated(thought.sentences),
        "shuffle": shuffled(thought.sentences, rng),
    }
    for name, sentences in altered.items():
        if sentences is not None:
            yield Question(name, tested.question, picture, thought.begun(sentences))
    exchanged = find_thought(other.answer) if other is not None else None
    if other is not None and exchanged is not None and exchanged.style == thought.style:
        begun = thought.begun(exchanged.sentences)
        yield Question("exchange", tested.question, picture, begun, other=other.sample.id)
