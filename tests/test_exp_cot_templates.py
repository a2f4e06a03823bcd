import functools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import pytest
from made_clips import made_clip

from data_engine.exp_cot import conclude, describe, interpret, narrative, phrases
from data_engine.exp_cot.draft import Options
from data_engine.exp_cot.infer import Finding, infer, settle
from data_engine.exp_cot.responsible import find_irresponsible
from data_engine.exp_cot.rules import compose, teach
from data_engine.exp_cot.verify import find_ending_problems, find_observation_problems
from data_engine.exp_cot.view import View, look
from emollm import facs
from emollm.records import AU, Event, Face, Reasoning, Sample

MEASURED = [f"AU{number:02d}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)]

BY_CASE = [
    (case, template)
    for table in (interpret.INTERPRETATIONS, interpret.TOGETHER, conclude.CONCLUSIONS)
    for case, templates in table.items()
    for template in templates
]
OF_ANY_CASE = [
    *interpret.BEYOND,
    *interpret.TIPS,
    *interpret.UNDECIDED,
    *interpret.STRONGEST,
    *interpret.WHOLE,
    *interpret.DISTINCT,
    *interpret.LACKS,
    *interpret.EXTRAS,
    *conclude.REMARKS,
    *describe.AT_REST,
    *describe.HIDDEN,
    *describe.SEEN,
    *filter(None, describe.LEADS),
    *(template for templates in describe.ABSENT.values() for template in templates),
    *(template for templates in describe.WHERE.values() for template in templates),
]
OF_CLIPS = [
    *narrative.PEAK,
    *narrative.ALL,
    *narrative.SOME,
    *narrative.MOST,
    *narrative.STEPS,
    *narrative.RETURNS,
    *narrative.SPANS,
    *narrative.SPANS_OF_CLAUSES,
    *narrative.MOMENTS,
    *narrative.MOMENTS_OF_CLAUSES,
    *phrases.WHOLE_BROWS,
    *narrative.BLINKS,
    *filter(None, narrative.MEANWHILE),
    *filter(None, narrative.THEN),
]
ALSO_USED_IN = {"passing": "rest", "part": "one", "mixed": "one", "weak": "one"}
"""Tables have wordings for more than the cases; a finding has only those."""


class Insisting(random.Random):
    """Draws at random, but takes `wanted` wherever it is offered."""

    wanted = ""

    def choice(self, seq: Sequence) -> object:
        return self.wanted if self.wanted in seq else super().choice(seq)

    def sample(self, population: Sequence, k: int) -> list:
        drawn = super().sample(population, k)
        return sorted(drawn, key=lambda one: one != self.wanted)


def measured(present: Mapping[str, float], kind: str = "intensity", hidden: list | None = None) -> Face:
    values = {code: present.get(code, 0.0) for code in sorted({*MEASURED, *present})}
    return Face(aus={code: AU(value=value, kind=kind) for code, value in values.items()}, hidden=hidden)


def faces() -> Iterator[Face]:
    """Faces of every kind of measurement, hidden, faint and at rest among them, and one action alone."""
    rng = random.Random(1)
    for codes in ("", "AU12", "AU14", "AU06 AU12", "AU04 AU05 AU07 AU23", "AU01 AU04 AU15", "AU01 AU02 AU05"):
        for top in (1.4, 3.0, 4.6):
            yield measured(dict.fromkeys(codes.split(), top))
    for _ in range(200):
        kind = rng.choice(("intensity", "intensity", "probability", "presence"))
        low, high = facs.THRESHOLDS[kind], {"intensity": 5.0, "probability": 1.0, "presence": 1.0}[kind]
        present = {code: rng.uniform(low, high) for code in rng.sample(MEASURED, rng.randint(0, 6))}
        yield measured(present, kind, rng.choice((None, None, ["mouth"], ["eyes", "brows"])))


def clips() -> Iterator[View]:
    """Clips of every kind of measurement; some with the brows moving twice, some with many events."""
    for number in range(90):
        clip = made_clip(number, ("intensity", "intensity", "probability", "presence")[number % 4])
        events = list(clip.events or ())
        if number % 3 == 0:
            for au, onset_s in (("AU01", 0.2), ("AU02", 0.2), ("AU01", 2.5), ("AU02", 2.5)):
                events.append(Event(au=au, onset_s=onset_s, apex_s=onset_s + 0.5, offset_s=onset_s + 1, peak=0.95))
        if number % 3 == 1:
            for place, au in enumerate(("AU09", "AU17", "AU20", "AU04", "AU15", "AU10", "AU24")):
                events.append(Event(au=au, onset_s=place / 2, apex_s=place / 2 + 0.2, offset_s=place / 2 + 0.6, peak=1))
        yield look(clip.faces[0], facs.THRESHOLDS, events, 4.0)


@functools.cache
def findings() -> list[tuple[View, Finding]]:
    """Every face with no label, one or several."""
    found = []
    for view in (*(look(face, facs.THRESHOLDS) for face in faces()), *clips()):
        reading = infer(view, "emfacs", "open")
        for labels in ((), ("neutral",), ("sadness",), ("fear",), ("schadenfreude",), ("happiness", "tense", "fear")):
            finding = settle(reading, labels)
            if finding:
                found.append((view, finding))
        foreign = infer(view, "emfacs", "bah2")
        for labels in ((), ("ambivalence",), ("no ambivalence",)):
            if finding := settle(foreign, labels):
                found.append((view, finding))
    return found


def is_written(template: str, text: str) -> bool:
    """Tell whether the fixed parts of a template stand in a text one after the other."""
    place = 0
    for part in re.split(r"\{\w*\}", template.lower()):
        place = text.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return True


def uses(template: str, case: str | None) -> Iterator[tuple[View, Finding, Reasoning]]:
    """Texts in which a template was used."""
    rng = Insisting(0)
    rng.wanted = template
    for view, finding in findings():
        if case in (None, finding.case):
            text = compose(view, finding, rng)
            if any(
                is_written(template, part.lower()) for part in (text.observations, text.interpretation, text.conclusion)
            ):
                yield view, finding, text


def find_problems(text: Reasoning, view: View, labels: tuple[str, ...]) -> list[str]:
    """What the loop finds wrong with a text, from its first part to its last."""
    ending = f"{text.interpretation} {text.conclusion}"
    return [
        *find_observation_problems(text.observations, view, labels, "open"),
        *find_irresponsible(text.observations, "observations", "en"),
        *find_ending_problems(text, view, labels, "open"),
        *find_irresponsible(ending, "ending", "en", labels),
    ]


@pytest.mark.parametrize(
    ("case", "template"), [*BY_CASE, *((None, template) for template in (*OF_ANY_CASE, *OF_CLIPS))]
)
def test_every_template_passes_every_check(case: str | None, template: str) -> None:
    tried = list(islice(uses(template, ALSO_USED_IN.get(case, case)), 12))
    problems = [find_problems(text, view, finding.labels) for view, finding, text in tried]
    assert tried
    assert sum(found == [] for found in problems) >= 0.75 * len(tried), problems


def test_one_action_alone_is_not_called_a_pattern_of_itself() -> None:
    for number in range(60):
        draft = teach(Sample(id=f"p{number}", faces=[measured({"AU12": 3.0})]), Options())
        sentence = draft.reasoning.interpretation.partition(".")[0]
        assert not re.search(r"pattern of (AU12|lip corner pulling|raising)|form.? the pattern|add up", sentence)
