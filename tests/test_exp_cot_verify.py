import pytest

from data_engine.exp_cot.verify import find_ending_problems, find_observation_problems
from data_engine.exp_cot.view import View, look
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


def checked(reasoning: Reasoning, view: View) -> list[str]:
    """The checks that a whole explanation of happiness does not pass."""
    found = find_observation_problems(reasoning.observations, view, ("happiness",), "basic7")
    found += find_ending_problems(reasoning, view, ("happiness",), "basic7")
    return [problem.partition(":")[0] for problem in found]


def problems(**changes: str) -> list[str]:
    fields = {name: getattr(GOOD, name) for name in ("observations", "interpretation", "conclusion")}
    return checked(Reasoning(**(fields | changes)), look(HAPPY, facs.THRESHOLDS))


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


# --- what teachers write ----------------------------------------------------------------------------------------------

TOLD: dict[str, tuple[str, str, dict[str, float | tuple[float, float]]]] = {
    "happy": (
        "The lip corners are markedly pulled up (AU12), the cheeks are slightly raised (AU6), and the lips are "
        "slightly parted (AU25).",
        "happiness",
        {"AU06": 2.2, "AU12": 3.4, "AU25": 2.1},
    ),
    "anger": (
        "The brows are markedly lowered (AU4), the lids are slightly tightened (AU7), and the lips are slightly "
        "tightened (AU23).",
        "anger",
        {"AU04": 3.4, "AU07": 2.2, "AU23": 2.3},
    ),
    "surprise": (
        "The inner and outer brows are markedly raised (AU1, AU2), the upper lids are slightly raised (AU5), the lips "
        "are markedly parted (AU25), and the jaw is severely dropped (AU26).",
        "surprise",
        {"AU01": 3.1, "AU02": 3.3, "AU05": 2.4, "AU25": 3.0, "AU26": 4.1},
    ),
    "sad": (
        "The inner brows are slightly raised (AU1), the brows are slightly lowered (AU4), and the lip corners are "
        "markedly lowered (AU15).",
        "sadness",
        {"AU01": 2.4, "AU04": 2.1, "AU15": 3.2},
    ),
    "crooked": (
        "The lip corners are severely pulled up (AU12).",
        "happiness",
        {"AU12": (4.3, 2.6)},
    ),
}
SEEN = ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU15", "AU20", "AU23", "AU25", "AU26")


def told_problems(name: str, sentence: str) -> list[str]:
    """Problems of the observations of a face with one more sentence."""
    told, label, values = TOLD[name]
    # One AU of these faces is just below the threshold, as one often is.
    given = {"AU10": 0.7} | values
    aus = {}
    for code in SEEN:
        value = given.get(code, 0.0)
        if isinstance(value, tuple):
            aus[code] = AU(value=max(value), kind="intensity", left=value[0], right=value[1])
        else:
            aus[code] = AU(value=value, kind="intensity")
    found = find_observation_problems(f"{told} {sentence}", look(Face(aus=aus), facs.THRESHOLDS), (label,), "basic7")
    return [problem.partition(":")[0] for problem in found]


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "The rest of the face is at rest.",
        "The remaining facial muscles appear relaxed.",
        "The other facial features are neutral.",
        "All other areas of the face are inactive.",
        "The upper face shows no other activity.",
        "The eyelids are otherwise relaxed.",
        "The eyes are open and directed at the viewer.",
        "The nose is at rest.",
        "There are no tears.",
    ],
)
def test_sound_closings_are_kept(name: str, sentence: str) -> None:
    assert told_problems(name, sentence) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("happy", "The eyes narrow slightly as the cheeks rise."),
        ("happy", "The lower lids are pushed up by the cheeks."),
        ("happy", "The nasolabial folds deepen."),
        ("happy", "Both sides of the face move equally."),
        ("anger", "Tension in the lower lids (AU7) narrows the opening of the eyes."),
        ("anger", "The lips are rolled inward (AU23)."),
        ("surprise", "The mouth is wide open."),
        ("surprise", "The eyes are opened slightly wider than usual as the upper lids rise (AU5)."),
        ("surprise", "White shows above the iris, and there is no tension around the lips."),
        ("sad", "The outer brows remain at rest."),
        ("crooked", "The smile is slightly lopsided, higher on the left."),
        ("crooked", "AU12 is stronger on the left than on the right."),
    ],
)
def test_sound_details_are_kept(name: str, sentence: str) -> None:
    assert told_problems(name, sentence) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("happy", "The eyes bulge."),
        ("happy", "White shows above the iris."),
        ("happy", "The jaw hangs."),
        ("happy", "The mouth gapes."),
        ("happy", "The mouth is wide open."),
        ("happy", "One eyebrow is cocked."),
        ("happy", "The head is bowed."),
        ("happy", "The head leans to the right."),
        ("happy", "The eyes are averted."),
        ("happy", "The person winces."),
        ("happy", "A grimace is seen."),
        ("happy", "She glares."),
        ("happy", "The person is shouting."),
        ("happy", "Tears run down."),
        ("happy", "The smile is lopsided."),
        ("happy", "The pull is far stronger on the left side."),
        ("crooked", "The smile is higher on the right."),
        ("crooked", "The right side is stronger than the left."),
        ("sad", "The inner brows are at rest."),
        ("anger", "The rest of the face smiles."),
        ("anger", "The expression is neutral."),
    ],
)
def test_what_is_made_up_is_refused(name: str, sentence: str) -> None:
    assert told_problems(name, sentence) != []


@pytest.mark.parametrize(
    "interpretation",
    [
        "Nothing such as a dropped jaw or lowered brows speaks against it. ",
        "A dropped jaw, which sometimes accompanies this pattern, is not described. ",
        "The absence of any other activity leaves the upper face at rest but for the cheeks. ",
    ],
)
def test_what_an_interpretation_denies_is_no_claim_that_it_is_there(interpretation: str) -> None:
    assert problems(interpretation=interpretation + GOOD.interpretation) == []


def test_tears_in_the_interpretation_are_refused() -> None:
    assert problems(interpretation=f"{GOOD.interpretation} The tears on the cheeks make it certain.") == ["unseen"]


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
    return checked(told, look(HAPPY, facs.THRESHOLDS, EVENTS))


@pytest.mark.parametrize(
    "course",
    [
        "Over the clip, lip corner pulling begins at 0.4 s, peaks at 0.9 s and ends at 1.6 s.",
        "Then slight brow lowering (AU4B) is seen from 2.0 s to 2.8 s.",
        "Later on there is slight brow lowering.",
        "As the smile fades, the brows lower slightly at 2.0 s.",
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
