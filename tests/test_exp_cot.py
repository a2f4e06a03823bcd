import random
from collections.abc import Iterator, Mapping

import pytest

from data_engine.exp_cot import conclude, describe, interpret
from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.infer import CASES
from data_engine.exp_cot.phrases import ADJECTIVES, ADVERBS, AREAS, PHRASES
from data_engine.exp_cot.rules import teach
from data_engine.exp_cot.view import DENIABLE, look
from data_engine.exp_cot.words import say
from emollm import facs
from emollm.answers import parse, render
from emollm.claims import Claim, read_claims
from emollm.labels import LABEL_SETS, find_labels
from emollm.records import AU, Face, Reasoning, Sample

MEASURED = [f"AU{number:02d}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)]
HAPPY = {"AU06": 1.8, "AU12": 3.2}
LABELS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")

Values = Mapping[str, float | tuple[float, float]]


def au(value: float | tuple[float, float], kind: str = "intensity") -> AU:
    if isinstance(value, tuple):
        return AU(value=max(value), kind=kind, left=value[0], right=value[1])
    return AU(value=value, kind=kind)


def face(present: Values, kind: str = "intensity", **fields: object) -> Face:
    return Face(aus={code: au(present.get(code, 0.0), kind) for code in sorted({*MEASURED, *present})}, **fields)


def sample(one: Face, name: str = "s", label: str | None = None) -> Sample:
    return Sample(id=name, label=label, faces=[one])


def random_face(rng: random.Random, kind: str = "intensity") -> Face:
    top = {"intensity": 5.0, "probability": 1.0, "presence": 1.0}[kind]
    low = facs.THRESHOLDS[kind]
    codes = rng.sample(MEASURED, rng.choice((0, 1, 2, 3, 4, 5, 6, 8)))
    one_sided = {code for code in codes if code not in ("AU25", "AU26") and rng.random() < 0.15}
    values: dict[str, float | tuple[float, float]] = {}
    for code in codes:
        value = 1.0 if kind == "presence" else round(rng.uniform(low, top), 2)
        values[code] = rng.choice(((value, 0.0), (0.0, value))) if code in one_sided else value
    hidden = rng.choice((None, None, None, ["mouth"], ["eyes", "brows"]))
    return face(values, kind, hidden=hidden)


def positive(text: str) -> list[Claim]:
    return [claim for claim in read_claims(text) if claim.present]


def is_degree(claim: Claim, degree: str) -> bool:
    """An everyday word such as "clear" may stand for two letters, never for more; "likely" is a hedge."""
    if degree == "likely":
        return claim.hedged and not claim.letters
    return degree in claim.letters and len(claim.letters) <= 2 and not claim.hedged


def clauses(code: str) -> Iterator[tuple[str, str | None]]:
    """Every clause of an AU without strength, with the side it says."""
    phrases = PHRASES[code]
    for state in phrases.states:
        for subject in phrases.subjects:
            be = "are" if subject.partition(" of ")[0].endswith("s") else "is"
            yield f"{subject} {be} {{}}{state}", None
        for subject in phrases.sided:
            for side in ("left", "right"):
                yield f"{subject.format(side=side)} is {{}}{state}", side


def test_every_expressive_action_unit_has_phrases() -> None:
    assert set(PHRASES) == facs.EXPRESSIVE
    assert {facs.UNITS[code].region for code in PHRASES} <= set(AREAS)


@pytest.mark.parametrize("code", PHRASES)
def test_clauses_read_back_as_their_action_unit_side_and_strength(code: str) -> None:
    for clause, side in clauses(code):
        for degree, adverbs in ADVERBS.items():
            for adverb in adverbs:
                text = describe.sentence_case(clause.format(f"{adverb} ")) + "."
                assert {(claim.aus[0], claim.side) for claim in positive(text)} == {(code, side)}, text
                assert all(is_degree(claim, degree) for claim in positive(text)), text


@pytest.mark.parametrize("code", PHRASES)
def test_nouns_read_back_as_their_action_unit_and_strength(code: str) -> None:
    for noun in PHRASES[code].nouns:
        for degree, adjectives in ADJECTIVES.items():
            for adjective in adjectives:
                text = f"There is {adjective} {noun} on the left."
                assert {(claim.aus[0], claim.side) for claim in positive(text)} == {(code, "left")}, text
                assert all(is_degree(claim, degree) for claim in positive(text)), text


@pytest.mark.parametrize("code", sorted(DENIABLE))
def test_absences_read_back_as_absent(code: str) -> None:
    for noun in PHRASES[code].nouns:
        for template in describe.ABSENT[1]:
            (claim,) = read_claims(describe.sentence_case(template.format(noun)))
            assert (claim.aus[0], claim.present) == (code, False), (template, noun)


@pytest.mark.parametrize("size", [2, 3])
def test_absences_in_lists_are_all_read(size: int) -> None:
    codes = ["AU04", "AU12", "AU26"][:size]
    for template in describe.ABSENT[size]:
        text = describe.sentence_case(template.format(*(PHRASES[code].nouns[0] for code in codes)))
        assert [(claim.aus[0], claim.present) for claim in read_claims(text)] == [(code, False) for code in codes], text


@pytest.mark.parametrize("kind", ["intensity", "probability", "presence"])
def test_texts_of_any_face_pass_every_check(kind: str) -> None:
    rng = random.Random(kind)
    drafts = [teach(sample(random_face(rng, kind), f"r{n}", rng.choice(LABELS)), Options()) for n in range(150)]
    assert [draft.detail for draft in drafts if draft.reasoning is None] == []
    assert sum("attempts" in draft.provenance for draft in drafts) <= 8


def test_observations_are_the_same_whatever_the_label() -> None:
    for number in range(30):
        one = random_face(random.Random(number))
        texts = {teach(sample(one, f"b{number}", label), Options()).reasoning.observations for label in LABELS}
        assert len(texts) == 1


def test_observations_name_no_label_of_any_closed_set() -> None:
    for number in range(60):
        draft = teach(sample(random_face(random.Random(number)), f"n{number}", "fear"), Options())
        for name, label_set in LABEL_SETS.items():
            if label_set.labels:
                assert find_labels(draft.reasoning.observations, name) == []


@pytest.mark.parametrize("present", [{}, {"AU12": 3.0}, HAPPY, {"AU01": 1.2, "AU04": 4.0, "AU15": 2.0, "AU17": 3.0}])
def test_a_hundred_samples_with_the_same_action_units_read_differently(present: Values) -> None:
    drafts = [teach(sample(face(present), f"same{number}", "happiness"), Options()) for number in range(100)]
    assert len({draft.reasoning.observations for draft in drafts}) >= 90
    assert len({text(draft) for draft in drafts}) == 100


def text(draft: Draft) -> str:
    assert draft.reasoning is not None
    return " ".join((draft.reasoning.observations, draft.reasoning.interpretation, draft.reasoning.conclusion))


def test_same_seed_and_id_give_the_same_text() -> None:
    assert teach(sample(face(HAPPY)), Options(seed=3)) == teach(sample(face(HAPPY)), Options(seed=3))


@pytest.mark.parametrize(("kind", "value"), [("probability", 0.9), ("presence", 1.0)])
def test_only_intensities_are_given_strength(kind: str, value: float) -> None:
    for number in range(20):
        draft = teach(sample(face({"AU06": value, "AU12": value}, kind), f"k{number}"), Options())
        assert all(claim.letters == "" for claim in read_claims(text(draft)))


def test_one_sided_action_is_said_to_be_one_sided() -> None:
    for number in range(20):
        draft = teach(sample(face({"AU12": (0.0, 2.0)}), f"u{number}", "contempt"), Options(label_set="basic8"))
        assert {claim.side for claim in positive(draft.reasoning.observations)} <= {"right", None}
        assert any(claim.side == "right" for claim in positive(draft.reasoning.observations))


def test_hidden_region_is_named_and_nothing_is_claimed_there() -> None:
    for number in range(20):
        one = face({"AU04": 3.0, "AU12": 3.0}, hidden=["mouth"])
        draft = teach(sample(one, f"h{number}", "anger"), Options())
        assert "mouth" in draft.reasoning.observations
        assert {claim.aus[0] for claim in positive(draft.reasoning.observations)} == {"AU04"}


def test_absence_is_not_asserted_where_a_present_action_hides_it() -> None:
    assert {"AU25", "AU26"}.isdisjoint(look(face({"AU27": 3.0}), facs.THRESHOLDS).absent)


def test_absence_is_not_asserted_near_the_threshold() -> None:
    assert "AU12" not in look(face({"AU12": 0.7}), facs.THRESHOLDS).absent


def test_face_at_rest_is_described_by_what_is_not_there() -> None:
    draft = teach(sample(face({}), label="neutral"), Options())
    assert draft.case == "rest"
    assert positive(text(draft)) == []
    assert len([claim for claim in read_claims(draft.reasoning.observations) if not claim.present]) >= 3


def test_label_that_the_action_units_do_not_show_is_said_not_to_be_shown() -> None:
    anger = face({"AU04": 3.0, "AU05": 2.0, "AU07": 2.0, "AU23": 3.0})
    draft = teach(sample(anger, label="sadness"), Options())
    assert (draft.case, draft.label, draft.provenance["agree"]) == ("other", "sadness", False)
    assert "anger" in draft.reasoning.interpretation


def test_clip_is_explained_by_each_action_at_its_strongest() -> None:
    moments = [face({"AU12": 1.0, "AU06": 2.0}, time_s=0.0), face({"AU12": 4.0}, time_s=1.0)]
    draft = teach(Sample(id="clip", label="happiness", faces=moments), Options())
    said = {claim.aus[0]: claim for claim in positive(draft.reasoning.observations)}
    assert is_degree(said["AU12"], "D")
    assert is_degree(said["AU06"], "B")


@pytest.mark.parametrize("label_set", [name for name, label_set in LABEL_SETS.items() if label_set.labels])
def test_every_conclusion_reads_back_as_its_label_alone(label_set: str) -> None:
    for label in LABEL_SETS[label_set].labels:
        for template in (template for templates in conclude.CONCLUSIONS.values() for template in templates):
            conclusion = template.format(label=say((label,)))
            whole = Reasoning(observations="o", interpretation="i", conclusion=conclusion)
            assert parse(render("sections", label, whole), label_set).labels == (label,), conclusion


def test_every_case_has_its_interpretations_and_conclusions() -> None:
    assert set(CASES) <= set(interpret.INTERPRETATIONS)
    assert set(CASES) <= set(conclude.CONCLUSIONS)


# --- infer ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("present", "label", "case"),
    [
        ({"AU06": 3.0, "AU12": 3.0}, "happiness", "one"),
        ({"AU01": 3.0, "AU02": 3.0, "AU05": 3.0, "AU26": 3.0}, "surprise", "one"),
        ({"AU04": 3.0, "AU05": 3.0, "AU07": 3.0, "AU23": 3.0}, "anger", "one"),
        ({"AU01": 3.0, "AU04": 3.0, "AU15": 3.0}, "sadness", "one"),
        ({"AU09": 3.0, "AU10": 3.0, "AU17": 3.0}, "disgust", "one"),
        ({"AU01": 3.0, "AU02": 3.0, "AU04": 3.0, "AU05": 3.0, "AU20": 3.0, "AU25": 3.0}, "fear", "one"),
        ({}, "neutral", "rest"),
    ],
)
def test_prototypes_lead_to_their_label(present: Values, label: str, case: str) -> None:
    draft = teach(sample(face(present)), Options())
    assert (draft.label, draft.case) == (label, case)


def test_whole_pattern_among_other_actions_is_found_and_said_to_be_mixed() -> None:
    busy = face(dict.fromkeys(("AU01", "AU02", "AU06", "AU10", "AU12", "AU14", "AU25"), 0.9), "probability")
    draft = teach(sample(busy), Options())
    assert (draft.label, draft.case) == ("happiness", "one")
    assert draft.reasoning.conclusion in [text.format(label="happiness") for text in conclude.CONCLUSIONS["mixed"]]


def test_one_action_is_no_pattern_when_the_rest_of_it_is_hidden() -> None:
    draft = teach(sample(face({"AU06": 3.0}, hidden=["mouth"])), Options())
    assert (draft.case, draft.label, draft.provenance["agree"]) == ("open", None, None)


def test_no_label_is_named_where_nothing_fits_and_none_is_given() -> None:
    for number in range(100):
        draft = teach(sample(face({"AU14": 2.0, "AU18": 3.0}), name=f"s{number}"), Options())
        assert (draft.case, draft.label) == ("open", None)
        assert parse(render("sections", "", draft.reasoning), "basic7").label is None


def test_face_at_rest_is_not_called_neutral_when_little_of_it_was_measured() -> None:
    little = Face(aus={"AU12": au(0.0), "AU25": au(0.0)})
    assert teach(sample(little), Options()).reason == "too_few_aus"
    assert teach(sample(little, label="neutral"), Options()).case == "rest"


def test_weak_actions_of_no_pattern_agree_with_neutral() -> None:
    draft = teach(sample(face({"AU14": 1.2}), label="neutral"), Options())
    assert (draft.case, draft.provenance["agree"]) == ("plain", True)


def test_compound_codebook_names_compounds() -> None:
    awed = face({"AU01": 3.0, "AU02": 3.0, "AU12": 3.0, "AU25": 3.0})
    draft = teach(sample(awed), Options(codebook="compound", label_set="rafdb_compound11"))
    assert draft.label == "happily surprised"
    assert "a happily surprised expression" in draft.reasoning.conclusion
