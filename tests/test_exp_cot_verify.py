import pytest

from data_engine.exp_cot.verify import find_problems
from data_engine.exp_cot.view import look
from emollm import facs
from emollm.records import AU, Event, Face, Reasoning

MEASURED = ("AU01", "AU02", "AU04", "AU06", "AU09", "AU12", "AU15", "AU25", "AU26")
HAPPY = Face(aus={code: AU(value={"AU06": 1.8, "AU12": 3.2}.get(code, 0.0), kind="intensity") for code in MEASURED})
GOOD = Reasoning(
    observations="The lip corners are markedly pulled up (AU12C) and the cheeks are slightly raised (AU6B). "
    "There is no brow lowering and no jaw dropping. "
    "Nothing else stands out in this view of the face, which is seen from the front.",
    interpretation="Lip corner pulling and cheek raising form the pattern described for happiness. "
    "This reading concerns the visible expression and not an inner state.",
    conclusion="Overall, the expression is consistent with happiness.",
)


def problems(**changes: str) -> list[str]:
    fields = {name: getattr(GOOD, name) for name in ("observations", "interpretation", "conclusion")}
    view = look(HAPPY, facs.THRESHOLDS)
    found = find_problems(Reasoning(**(fields | changes)), view, ("happiness",), "basic7")
    return [problem.partition(":")[0] for problem in found]


def swapped(old: str, new: str) -> str:
    assert old in GOOD.observations
    return GOOD.observations.replace(old, new)


def test_good_explanation_has_no_problems() -> None:
    assert problems() == []


def test_claim_without_its_action_unit_is_refused() -> None:
    assert "unsupported" in problems(observations=swapped("There is no brow lowering and no", "There is"))


def test_omitted_action_unit_is_refused() -> None:
    assert "omitted" in problems(observations=swapped(" and the cheeks are slightly raised (AU6B)", ""))


def test_denied_action_unit_that_is_there_is_refused() -> None:
    assert "contradicted" in problems(observations=swapped("no jaw dropping", "no cheek raising"))


def test_wrong_strength_is_refused() -> None:
    assert "strength" in problems(observations=swapped("markedly pulled up (AU12C)", "slightly pulled up"))


def test_wrong_side_is_refused() -> None:
    assert "side" in problems(observations=swapped("the cheeks are", "the left cheek is"))


def test_label_word_in_the_observations_is_refused() -> None:
    assert problems(observations=swapped("Nothing else stands out", "A happy face; nothing else stands out")) == [
        "leak"
    ]


def test_unsupported_claim_in_the_interpretation_is_refused() -> None:
    assert problems(interpretation=GOOD.interpretation + " The brows are lowered.") == ["contradicted"]


def test_conclusion_of_another_label_is_refused() -> None:
    assert problems(conclusion="Overall, the expression is consistent with sadness.") == ["label"]


@pytest.mark.parametrize("extra", [-40, 120])
def test_length_outside_the_range_is_refused(extra: int) -> None:
    words = GOOD.interpretation.split()
    changed = " ".join(words[: max(1, len(words) + extra)] + ["indeed"] * max(0, extra))
    assert "length" in problems(interpretation=changed)


@pytest.mark.parametrize("markup", ["**bold**", "</think>", "<answer>sadness</answer>", "Conclusion: it is sadness."])
def test_markup_that_would_break_the_answer_is_refused(markup: str) -> None:
    assert "markup" in problems(interpretation=f"{GOOD.interpretation} {markup}")


# --- clips ------------------------------------------------------------------------------------------------------------

EVENTS = [
    Event(au="AU12", onset_s=0.4, apex_s=0.9, offset_s=1.6, peak=3.2),
    Event(au="AU04", onset_s=2.0, apex_s=2.3, offset_s=2.8, peak=2.0),
]


def clip_problems(course: str) -> list[str]:
    told = Reasoning(
        observations=f"{swapped('no brow lowering and ', '')} {course}",
        interpretation=GOOD.interpretation,
        conclusion=GOOD.conclusion,
    )
    found = find_problems(told, look(HAPPY, facs.THRESHOLDS, EVENTS), ("happiness",), "basic7")
    return [problem.partition(":")[0] for problem in found]


@pytest.mark.parametrize(
    "course",
    [
        "Over the clip, lip corner pulling begins at 0.4 s, peaks at 0.9 s and ends at 1.6 s.",
        "Then slight brow lowering (AU4B) is seen from 2.0 s to 2.8 s.",
        "Later on there is slight brow lowering.",
    ],
)
def test_what_the_events_bear_out_has_no_problems(course: str) -> None:
    assert clip_problems(course) == []


@pytest.mark.parametrize(
    ("course", "problem"),
    [
        ("Lip corner pulling begins at 0.9 s.", "contradicted"),
        ("Brow lowering is seen from 0.4 s to 1.6 s.", "contradicted"),
        ("Severe brow lowering is seen from 2.0 s to 2.8 s.", "contradicted"),
        ("Nose wrinkling is seen from 2.0 s to 2.8 s.", "unsupported"),
        ("There is no brow lowering.", "contradicted"),
    ],
)
def test_what_the_events_do_not_bear_out_is_refused(course: str, problem: str) -> None:
    assert problem in clip_problems(course)


def test_what_moves_in_a_clip_is_not_absent() -> None:
    still, clip = look(HAPPY, facs.THRESHOLDS), look(HAPPY, facs.THRESHOLDS, EVENTS)
    assert "AU04" in still.absent
    assert "AU04" not in clip.absent
