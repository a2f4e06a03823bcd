"""What an interpretation says a pattern rests on, and which codebook knows the patterns of a label set."""

import random

import pytest

from data_engine.exp_cot import interpret
from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.infer import AGREES, infer, settle
from data_engine.exp_cot.phrases import PHRASES
from data_engine.exp_cot.rules import teach
from data_engine.exp_cot.view import View, look
from emollm import facs
from emollm.claims import read_claims
from emollm.labels import LABEL_SETS, find_labels
from emollm.records import AU, Face, Sample

MEASURED = [f"AU{number:02d}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)]


def face(present: dict[str, float]) -> Face:
    values = dict.fromkeys(MEASURED, 0.0) | present
    return Face(aus={code: AU(value=value, kind="intensity") for code, value in values.items()})


def explained(present: dict[str, float], name: str = "s", codebook: str = "auto", **told: object) -> Draft:
    draft = teach(Sample(id=name, faces=[face(present)], **told), Options(codebook=codebook))
    assert draft.reasoning is not None, draft
    return draft


def claimed(text: str) -> set[str]:
    return {code for claim in read_claims(text) for code in claim.aus if claim.present}


# --- which codebook ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", LABEL_SETS["rafdb_compound11"].labels)
def test_compound_emotions_are_read_by_their_own_codebook(label: str) -> None:
    present = dict.fromkeys(facs.COMPOUNDS[label].required, 3.0)
    draft = explained(present, label_set="rafdb_compound11", label=label)
    assert draft.case in AGREES
    assert (draft.provenance["codebook"], draft.provenance["agree"]) == ("compound", True)


def test_codebook_that_is_named_goes_before_that_of_the_label_set() -> None:
    smile = {"AU06": 3.0, "AU12": 3.0}
    for codebook, used in (("merr", "merr"), ("auto", "emfacs")):
        draft = explained(smile, codebook=codebook, label_set="basic7", label="happy")
        assert draft.provenance["codebook"] == used


SAD = dict.fromkeys(("AU01", "AU04", "AU15", "AU17"), 3.0)


@pytest.mark.parametrize(
    ("present", "label", "case", "fits"),
    [
        (SAD, "ambivalence", "apart", "sadness"),
        (SAD, "no ambivalence", "apart", "sadness"),
        ({"AU20": 3.0}, "ambivalence", "unlisted", None),
        ({}, "ambivalence", "unlisted", None),
        (SAD, None, "outside", "sadness"),
    ],
)
def test_labels_that_no_codebook_knows_are_neither_shown_nor_denied(
    present: dict[str, float], label: str | None, case: str, fits: str | None
) -> None:
    for number in range(12):
        draft = explained(present, f"b{number}", label_set="bah2", label=label)
        assert (draft.case, draft.label, draft.provenance["agree"]) == (case, label, None)
        assert draft.provenance.get("fits") == fits
        assert fits is None or fits in draft.reasoning.interpretation
        assert label != "no ambivalence" or "the class 'no ambivalence'" in draft.reasoning.conclusion
        assert label is not None or not find_labels(draft.reasoning.conclusion, "bah2")


# --- what it rests on -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "core", "others"),
    [
        ("fear", ("AU01", "AU02", "AU04", "AU05", "AU20"), ("AU07", "AU25", "AU26")),
        ("anger", ("AU04", "AU05", "AU07", "AU10", "AU23"), ("AU25", "AU26")),
        ("happiness", ("AU06", "AU12"), ("AU07", "AU25", "AU26")),
    ],
)
def test_interpretation_names_all_that_makes_up_the_pattern(
    label: str, core: tuple[str, ...], others: tuple[str, ...]
) -> None:
    for number in range(40):
        draft = explained(dict.fromkeys((*core, *others), 3.0), f"{label}{number}", label_set="basic7", label=label)
        first = draft.reasoning.interpretation.partition(".")[0]
        assert draft.case == "one"
        assert claimed(first) >= set(core), first


def test_two_patterns_are_told_by_what_makes_up_both() -> None:
    both = dict.fromkeys(("AU02", "AU06", "AU10", "AU12", "AU15", "AU25"), 3.0)
    for number in range(20):
        draft = explained(both, f"t{number}", label_set="basic7", label="happiness")
        assert draft.case == "two"
        assert claimed(draft.reasoning.interpretation.partition(".")[0]) >= {"AU06", "AU12", "AU15"}


def test_part_of_what_is_there_is_not_said_to_be_all_of_it() -> None:
    many = dict.fromkeys(("AU02", "AU06", "AU14", "AU17", "AU23", "AU26"), 3.0)
    for number in range(20):
        draft = explained(many, f"m{number}", label_set="basic7", label="surprise")
        assert draft.case == "none"
        assert "further actions" in draft.reasoning.interpretation


def views() -> list[View]:
    rng = random.Random(0)
    patterns = [prototype.required for rows in facs.PROTOTYPES.values() for prototype in rows]
    faces = (
        {code: rng.uniform(1.0, 5.0) for code in sorted({*rng.choice(patterns), *rng.sample(MEASURED, 2)})}
        for _ in range(200)
    )
    return [look(face(present), facs.THRESHOLDS) for present in faces]


def test_details_of_a_pattern_are_true() -> None:
    told = set()
    for view in views():
        finding = settle(infer(view, "emfacs", "basic7"), ())
        for sentence in interpret.details(finding, view, random.Random(1)):
            codes = {claim.aus[0] for claim in read_claims(sentence)}
            if "strongest" in sentence:
                told.add("strongest")
                letters = {code: facs.letter(view.present[code].value) for code in finding.best.core}
                assert [code for code in letters if letters[code] == max(letters.values())] == sorted(codes), sentence
            elif finding.next_best and finding.next_best.label in sentence.lower():
                told.add("distinct")
                assert codes <= set(finding.best.core) - set(finding.next_best.found), sentence
            else:
                told.add("whole")
                assert not finding.best.missing
    assert told == {"strongest", "distinct", "whole"}


# --- busy, still and rare ---------------------------------------------------------------------------------------------


def test_face_with_many_actions_is_explained_whole() -> None:
    rng = random.Random(0)
    codes = sorted(code for code, phrases in PHRASES.items() if phrases.subjects)
    for number in range(5):
        present = {code: rng.uniform(1.0, 5.0) for code in rng.sample(codes, 22)}
        draft = explained(present, f"busy{number}", label_set="basic7", label="anger")
        assert claimed(draft.reasoning.observations) >= set(present)


def test_face_whose_eyes_are_turned_is_not_said_to_have_no_action_unit() -> None:
    for number in range(12):
        draft = explained({"AU62": 3.9}, f"e{number}", label_set="basic7", label="neutral")
        assert "facial muscle action" in draft.reasoning.observations


def test_head_and_gaze_alone_are_nothing_to_explain() -> None:
    turned = Face(aus={"AU62": AU(value=3.9, kind="intensity")})
    draft = teach(Sample(id="g", label="neutral", label_set="basic7", faces=[turned]), Options())
    assert draft.reason == "no_aus"


def test_no_action_is_called_by_the_name_of_its_muscle() -> None:
    for code, phrases in PHRASES.items():
        name = facs.UNITS[code].name.lower()
        assert not (name.endswith("er") and name in phrases.nouns)
