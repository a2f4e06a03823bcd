"""FACS: units, names, strengths, prototypes, constraints and codebooks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emollm import facs
from emollm.labels import LABEL_SETS, canonical
from emollm.records import AU, AUKind, Face

DATA = Path(__file__).parent / "data" / "facs"
AU_NAMES = json.loads((DATA / "au_names.json").read_text("utf-8"))
CODES = json.loads((DATA / "codes.json").read_text("utf-8"))
RANKING = json.loads((DATA / "ranking.json").read_text("utf-8"))

VALUE = {"": 2.5, "A": 1.2, "B": 2.0, "C": 3.0, "D": 4.0, "E": 5.0}


def scored(text: str, kind: AUKind = "intensity") -> dict[str, AU]:
    """The AUs of a FACS shorthand; sides only where it gives one."""
    aus = {}
    for code in facs.read_codes(text) if text else []:
        value = VALUE[code.letter] if kind == "intensity" else 0.9
        sides = {"L": (value, 0.0), "R": (0.0, value), "": (None, None)}[code.prefix]
        aus[code.au] = AU(value=value, kind=kind, left=sides[0], right=sides[1])
    return aus


def best(codebook: str, text: str, measured: tuple[str, ...] = tuple(facs.EXPRESSIVE)) -> facs.Match:
    return facs.CODEBOOKS[codebook].rank(scored(text), measured)[0]


# Names


@pytest.mark.parametrize(("text", "name"), AU_NAMES.items(), ids=repr)
def test_au_name(text: str, name: str | None) -> None:
    assert facs.au_name(text) == name


@pytest.mark.parametrize(("text", "codes"), CODES.items(), ids=repr)
def test_read_codes(text: str, codes: list[list[str]]) -> None:
    assert [list(code) for code in facs.read_codes(text)] == codes


def test_a_code_knows_its_side() -> None:
    assert [code.side for code in facs.read_codes("L12+R12+U12+12")] == ["left", "right", None, None]


def test_prose_drops_the_zero() -> None:
    assert (facs.prose("AU05"), facs.prose("AU12")) == ("AU5", "AU12")


@given(st.sampled_from(sorted(facs.UNITS)), st.sampled_from(["", "_r", "_c", "_intensity"]), st.booleans())
def test_au_name_reads_back_what_tools_write(code: str, ending: str, is_padded: bool) -> None:
    assert facs.au_name((code if is_padded else facs.prose(code)) + ending) == code


@given(st.text(max_size=20))
def test_au_name_takes_any_text(text: str) -> None:
    assert facs.au_name(text) in {None, *facs.UNITS}


@given(st.text(alphabet="LRUTBASMaud+ 0123456789ABCDE", max_size=20))
def test_read_codes_takes_any_text(text: str) -> None:
    codes = facs.read_codes(text)
    assert len(codes) in (0, text.count("+") + 1)
    assert all(code.au in facs.UNITS for code in codes)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", *"LRUTBASM"]), st.sampled_from(sorted(facs.UNITS)), st.sampled_from(["", *"ABCDE"])
        ),
        min_size=1,
        max_size=6,
    )
)
def test_read_codes_gives_back_what_a_coder_wrote(written: list[tuple[str, str, str]]) -> None:
    text = "+".join(f"{prefix}{int(au[2:])}{letter}" for prefix, au, letter in written)
    assert facs.read_codes(text) == [facs.Code(au, prefix, letter) for prefix, au, letter in written]


# Units


def test_codes_agree_with_numbers_and_stand_in_order() -> None:
    assert [unit.code for unit in facs.UNITS.values()] == [f"AU{unit.number:02d}" for unit in facs.UNITS.values()]
    assert list(facs.UNITS) == sorted(facs.UNITS)


def test_units_lie_in_known_regions_on_known_landmarks() -> None:
    for unit in facs.UNITS.values():
        assert unit.region in facs.REGIONS
        assert all(0 <= anchor < 68 for anchor in unit.anchors)
        assert len(set(unit.anchors)) == len(unit.anchors)


def test_two_sided_channels_name_both_sides() -> None:
    assert facs.UNITS["AU12"].blendshapes == ("mouthSmileLeft", "mouthSmileRight")


@pytest.mark.parametrize("table", [facs.DETECTOR_AUS, facs.PROTOCOL_AUS], ids=["detectors", "protocols"])
def test_au_sets_hold_known_aus_once(table: dict[str, tuple[str, ...]]) -> None:
    for codes in table.values():
        assert set(codes) <= facs.EXPRESSIVE
        assert len(set(codes)) == len(codes)


def test_detectors_of_an_au() -> None:
    assert facs.detectors_of("AU28") == ["openface2_presence", "pyfeat", "mediapipe", "feafa"]


# Strength


@pytest.mark.parametrize(
    ("intensity", "letter"),
    [
        (0, None),
        (0.49, None),
        (0.5, "A"),
        (1.49, "A"),
        (1.5, "B"),
        (2.5, "C"),
        (3.5, "D"),
        (4.49, "D"),
        (4.5, "E"),
        (5, "E"),
    ],
)
def test_letter(intensity: float, letter: str | None) -> None:
    assert facs.letter(intensity) == letter


def test_no_word_stands_for_two_strengths() -> None:
    words = [word for letter in facs.LETTERS for word in facs.STRENGTH_WORDS[letter]]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize(
    ("au", "is_present"),
    [
        (AU(value=1.0, kind="intensity"), True),
        (AU(value=0.99, kind="intensity"), False),
        (AU(value=0.5, kind="probability"), True),
        (AU(value=0.49, kind="probability"), False),
        (AU(value=1.0, kind="presence"), True),
        (AU(value=0.0, kind="presence"), False),
    ],
    ids=repr,
)
def test_each_kind_has_its_own_threshold(au: AU, is_present: bool) -> None:
    assert facs.is_present(au) == is_present


def test_present_leaves_out_what_is_weak_or_no_movement_and_sorts() -> None:
    values = {"AU26": 2.0, "AU04": 0.4, "AU01": 1.0, "AU51": 5.0, "AU61": 5.0, "AU73": 5.0, "AU19": 1.5, "AU99": 5.0}
    face = Face(aus={code: AU(value=value, kind="intensity") for code, value in values.items()})
    assert list(facs.present(face)) == ["AU01", "AU19", "AU26"]


def test_a_face_without_measured_aus_has_none_present() -> None:
    assert facs.present(Face()) == {}


def test_thresholds_can_be_given() -> None:
    face = Face(aus={"AU12": AU(value=1.5, kind="intensity")})
    assert facs.present(face, {"intensity": 2.0, "probability": 0.5, "presence": 0.5}) == {}


@pytest.mark.parametrize(
    ("left", "right", "side"),
    [
        (2.0, 0.2, "left"),
        (0.2, 2.0, "right"),
        (2.0, 1.0, None),
        (0.2, 0.4, None),
        (None, None, None),
        (2.0, None, None),
    ],
)
def test_side(left: float | None, right: float | None, side: str | None) -> None:
    value = max((one for one in (left, right) if one is not None), default=2.0)
    assert facs.side(AU(value=value, kind="intensity", left=left, right=right)) == side


# Prototypes and compounds


def test_every_prototype_and_compound_names_known_units() -> None:
    for label, prototypes in facs.PROTOTYPES.items():
        for prototype in prototypes:
            assert prototype.label == label
            assert prototype.required or prototype.one_of
            assert prototype.required.union(prototype.optional, *prototype.one_of) <= set(facs.UNITS)
    for compound in facs.COMPOUNDS.values():
        assert compound.required | set(compound.optional) <= facs.EXPRESSIVE
        assert not compound.required & set(compound.optional)
        assert all(0.2 <= fraction < 0.7 for fraction in compound.optional.values())


def test_anger_may_lack_one_of_its_brow_and_lid_units() -> None:
    variants = {prototype.required for prototype in facs.PROTOTYPES["anger"] if prototype.is_variant}
    assert {frozenset({"AU05", "AU07"}), frozenset({"AU04", "AU07"}), frozenset({"AU04", "AU05"})} <= variants


def test_the_prototype_notation_is_read_whole() -> None:
    surprise = facs.PROTOTYPES["surprise"][0]
    assert surprise.required == {"AU01", "AU02", "AU05"}
    assert surprise.one_of == (frozenset({"AU26", "AU27"}),)
    assert surprise.optional == {"AU25"}
    assert surprise.at_least == (("AU05", "B"),)


def test_compounds_are_the_categories_of_their_label_set() -> None:
    assert set(facs.COMPOUNDS) == set(LABEL_SETS["du22"].labels) - {"neutral"}


def test_codebook_labels_are_canonical_words() -> None:
    labels = {label for book in facs.CODEBOOKS.values() for label in book.prototypes}
    assert {label for label in labels if canonical(label) != label} == set()


# Constraints and pain


@pytest.mark.parametrize(
    ("aus", "pairs"),
    [
        ({"AU26": 2, "AU27": 1}, [("AU26", "AU27")]),
        ({"AU26": 2, "AU27": 0.4}, []),
        ({"AU05": 2, "AU07": 4.5}, [("AU05", "AU07")]),
        ({"AU05": 2, "AU07": 4.4}, []),
        ({"AU16": 1, "AU28": 1}, [("AU16", "AU28")]),
        ({"AU22": 1, "AU28": 1}, [("AU22", "AU28")]),
        ({"AU43": 3, "AU45": 3, "AU05": 1}, [("AU05", "AU43"), ("AU05", "AU45"), ("AU43", "AU45")]),
        ({"AU06": 5, "AU12": 5}, []),
        ({}, []),
    ],
    ids=repr,
)
def test_excluded(aus: dict[str, float], pairs: list[tuple[str, str]]) -> None:
    assert facs.excluded(aus) == pairs


def test_no_required_combination_excludes_itself() -> None:
    required = [compound.required for compound in facs.COMPOUNDS.values()]
    required += [prototype.required for prototypes in facs.PROTOTYPES.values() for prototype in prototypes]
    assert [codes for codes in required if facs.excluded(dict.fromkeys(codes, 3.0))] == []


@pytest.mark.parametrize(
    ("aus", "pain"),
    [
        ({"AU04": 2, "AU06": 3, "AU07": 1, "AU09": 0, "AU10": 1, "AU43": 1}, 7.0),
        ({"AU04": 5, "AU06": 5, "AU09": 5, "AU43": 1}, 16.0),
        ({"AU04": 5, "AU07": 5, "AU10": 5}, 15.0),
        ({"AU04": 2, "AU06": 3}, None),
        ({"AU06": 3, "AU09": 3}, None),
    ],
    ids=repr,
)
def test_pspi(aus: dict[str, float], pain: float | None) -> None:
    assert facs.pspi(aus) == pain


# Codebooks


@pytest.mark.parametrize("case", RANKING, ids=lambda case: f"{case['codebook']}: {case['case']}")
def test_rank(case: dict[str, str]) -> None:
    match = best(case["codebook"], case["aus"])
    assert match.label == case["best"]
    assert float(case.get("at_least", 0)) - 1e-9 <= match.score <= float(case.get("at_most", 1)) + 1e-9


def test_a_match_says_what_speaks_for_and_against_it() -> None:
    matches = {match.label: match for match in facs.CODEBOOKS["emfacs"].rank(scored("1+4+12"), tuple(facs.EXPRESSIVE))}
    assert matches["sadness"].found == ("AU01", "AU04")
    assert matches["sadness"].missing == ("AU15",)
    assert matches["sadness"].against == ("AU12",)


def test_an_unmeasured_au_is_neither_found_nor_missing() -> None:
    matches = facs.CODEBOOKS["emfacs"].rank(scored("1+4"), ("AU01", "AU02", "AU04", "AU06", "AU12", "AU25"))
    assert (matches[0].label, matches[0].missing) == ("sadness", ())
    assert matches[0].score == pytest.approx((2 / 3) ** 0.5)


def test_a_face_of_which_nothing_was_measured_is_not_neutral() -> None:
    assert {match.score for match in facs.CODEBOOKS["emfacs"].rank({}, ())} == {0.0}


def test_an_optional_au_counts_by_the_share_of_people_who_show_it() -> None:
    smile = 1.0 + 0.5  # AU12, and AU25 at half weight
    assert best("compound", "6+12+25").score == pytest.approx((smile + 0.51) / (smile + 1.0))
    assert best("compound", "12+25").score == pytest.approx(smile / (smile + 0.51))
    assert best("compound", "12+25", ("AU12", "AU25")).score == 1.0


def test_contempt_on_both_sides_is_no_contempt() -> None:
    both = AU(value=3.0, kind="intensity", left=3.0, right=3.0)
    matches = facs.CODEBOOKS["emfacs"].rank({"AU14": both}, tuple(facs.EXPRESSIVE))
    assert {match.score for match in matches} == {0.0}


def test_a_probability_is_never_too_weak() -> None:
    match = facs.CODEBOOKS["emfacs"].rank(scored("12", "probability"), tuple(facs.EXPRESSIVE))[0]
    assert (match.label, match.score) == ("happiness", 1.0)


def test_contempt_of_emfacs_is_one_sided() -> None:
    assert all(prototype.is_unilateral for prototype in facs.CODEBOOKS["emfacs"].prototypes["contempt"])


def test_spatial_disgust_has_au10_instead_of_the_slip() -> None:
    aus = facs.CODEBOOKS["spatial"].aus["disgust"]
    assert "AU10" in aus
    assert "AU05" not in aus


@given(
    st.sets(st.sampled_from(sorted(facs.EXPRESSIVE)), max_size=8),
    st.sets(st.sampled_from(sorted(facs.EXPRESSIVE)), max_size=20),
    st.sampled_from(sorted(facs.CODEBOOKS)),
    st.floats(1.0, 5.0),
)
def test_rank_is_total_sorted_and_accounts_for_every_present_au(
    codes: set[str], others: set[str], codebook: str, value: float
) -> None:
    present = {code: AU(value=value, kind="intensity") for code in codes}
    matches = facs.CODEBOOKS[codebook].rank(present, codes | others)
    assert [match.label for match in matches if match.score > 1.0 or match.score < 0.0] == []
    assert [match.score for match in matches] == sorted((match.score for match in matches), reverse=True)
    assert {match.label for match in matches} == set(facs.CODEBOOKS[codebook].prototypes)
    for match in matches:
        assert set(match.found) | set(match.against) == codes - {"AU45"}
        assert not set(match.missing) & codes
