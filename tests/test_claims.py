"""Claims: sentences with what they say, faces with what is true of them, and what must hold of any text."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emollm import facs
from emollm.claims import Check, Claim, check, named_aus, read_claims
from emollm.claims.actions import ACTIONS, ALONE, DIRECTIONS
from emollm.claims.anchor import readings
from emollm.claims.checker import REASONS
from emollm.claims.lexicon import READINGS, SIGNS
from emollm.claims.parts import PARTS
from emollm.claims.scan import _rows, expand, phrases
from emollm.records import AU, Event, Face

DATA = Path(__file__).parent / "data"
SHARED = Path(__file__).parents[2] / "shared" / "data"


def read_table(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


SENTENCES = read_table("claims.jsonl")
CHECKS = read_table("checks.jsonl")


def as_row(claim: Claim) -> dict[str, Any]:
    """What the table writes of a claim: only what is said."""
    row: dict[str, Any] = {"region": claim.region} if claim.region else {"aus": list(claim.aus)}
    row |= {} if claim.present else {"present": False}
    row |= {"side": claim.side} if claim.side else {}
    row |= {"uneven": True} if claim.uneven else {}
    row |= {"letters": claim.letters} if claim.letters else {}
    row |= {"times": [list(time) for time in claim.times]} if claim.times else {}
    return row | ({"hedged": True} if claim.hedged else {})


@pytest.mark.parametrize("row", SENTENCES, ids=[f"{row['why']}: {row['text'][:40]}" for row in SENTENCES])
def test_sentence(row: dict[str, Any]) -> None:
    assert [as_row(claim) for claim in read_claims(row["text"])] == row["claims"]


@pytest.mark.parametrize("width", range(24, 100, 4))
def test_wrapped_lines_are_read_as_one(width: int) -> None:
    text = (
        "The inner brows are slightly raised (AU1B), there is no visible AU4, and neither the cheeks nor the lip "
        "corners are lifted. AU5, AU6 and AU7 are absent; action unit 15 is there, at level C on the left. The face "
        "has no Duchenne smile, but the lips are tightly pressed together (AU24), and the jaw does not drop."
    )
    claims = read_claims(text)
    assert len(claims) == 11
    wrapped = read_claims("\n".join(textwrap.wrap(text, width, break_on_hyphens=False)))
    assert wrapped == claims


def to_face(row: dict[str, Any]) -> Face:
    """Numbers are intensities; a list is [value, kind] or [value, kind, left, right]."""
    aus = {}
    for code, value in row["aus"].items():
        parts = value if isinstance(value, list) else [value, "intensity"]
        aus[code] = AU(**dict(zip(("value", "kind", "left", "right"), parts, strict=False)))
    return Face(aus=aus, hidden=row.get("hidden"))


def check_row(row: dict[str, Any]) -> Check:
    """Events are [AU, onset, apex, offset, peak]."""
    fields = ("au", "onset_s", "apex_s", "offset_s", "peak")
    events = [Event(**dict(zip(fields, event, strict=True))) for event in row.get("events", [])]
    return check(row["text"], to_face(row), events=events)


@pytest.mark.parametrize("row", CHECKS, ids=[f"{row['why']}: {row['text'][:40]}" for row in CHECKS])
def test_verdict(row: dict[str, Any]) -> None:
    result = check_row(row)
    assert [" ".join([one.verdict, one.reason]).strip() for one in result.checked] == row["verdicts"]
    assert list(result.omitted) == row.get("omitted", [])


def test_precision_and_recall() -> None:
    face = Face(aus={f"AU{number:02d}": AU(value=3.0, kind="intensity") for number in (4, 6, 7, 12)})
    face.aus = {**(face.aus or {}), "AU01": AU(value=0.0, kind="intensity")}
    result = check("AU4, AU6 and AU1, and the chin is raised.", face)
    assert result.precision == pytest.approx(2 / 3)
    assert result.recall == pytest.approx(0.5)
    assert result.count("not_assessable") == 1


def test_precision_and_recall_without_anything_to_count() -> None:
    result = check("A face.", Face(aus={"AU01": AU(value=0.0, kind="intensity")}))
    assert result.precision is None
    assert result.recall is None


def test_a_face_without_aus_decides_nothing() -> None:
    assert check("The brows are lowered.", Face()).checked[0].verdict == "not_assessable"


def test_thresholds_decide_what_is_present() -> None:
    face = Face(aus={"AU04": AU(value=1.5, kind="intensity")})
    strict = {**facs.THRESHOLDS, "intensity": 2.0}
    assert check("AU4", face).count("supported") == 1
    assert check("AU4", face, strict).checked[0].reason == "borderline"


SIDES = Face(
    aus={
        "AU12": AU(value=4.3, kind="intensity", left=4.3, right=2.6),
        "AU06": AU(value=2.1, kind="intensity", left=2.0, right=2.1),
        "AU25": AU(value=2.0, kind="intensity"),
    }
)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("AU12 is stronger on the left.", "supported"),
        ("AU12 is stronger on the right.", "contradicted side"),
        ("The smile is lopsided.", "supported"),
        ("The cheek raising is lopsided.", "contradicted side"),
        ("AU6 is stronger on the right.", "contradicted side"),
        ("AU25 is stronger on the right.", "supported"),
        ("The left side is stronger than the right.", "supported"),
        ("The right side is stronger than the left.", "contradicted side"),
    ],
)
def test_sides_are_compared(text: str, verdict: str) -> None:
    """A difference too small to see is none; sides that were not measured decide nothing."""
    (one,) = check(text, SIDES).checked
    assert " ".join([one.verdict, one.reason]).strip() == verdict


def test_sides_of_a_face_are_not_compared_where_none_was_measured() -> None:
    face = Face(aus={"AU12": AU(value=3.0, kind="intensity")})
    assert check("The right side is stronger than the left.", face).checked[0].verdict == "not_assessable"


def test_every_reason_is_explained() -> None:
    assert {one.reason for row in CHECKS for one in check_row(row).checked} == set(REASONS)


def test_named_aus_are_the_first_readings_of_what_is_there() -> None:
    assert named_aus("Raised eyebrows, no smile, a relaxed jaw and AU12?") == {"AU01", "AU12"}


# --- the lexicon ------------------------------------------------------------------------------------------------------


def test_no_phrase_stands_in_two_tables() -> None:
    assert {phrase: meanings for phrase, meanings in phrases().items() if len(meanings) > 1} == {}


def test_no_group_stands_within_a_group() -> None:
    """`expand` reads one level: of "(a(b|c)|d)" it would make phrases that nobody writes."""
    assert [one for _, _, patterns in _rows() for one in patterns if re.search(r"\([^()]*\(", one)] == []


def test_no_phrase_is_a_fragment() -> None:
    assert [phrase for phrase in phrases() if len(phrase) < 2 and phrase != "&"] == []


def test_readings_name_known_parts_actions_and_units() -> None:
    actions = {*ACTIONS, *DIRECTIONS, "motion"}
    assert set(READINGS) <= set(PARTS)
    assert {action for row in READINGS.values() for action in row} <= actions
    assert set(ALONE) <= set(ACTIONS)
    texts = [*SIGNS, *ALONE.values(), *(text for row in READINGS.values() for text in row.values())]
    assert {code for text in texts for codes, _ in readings(text) for code in codes} <= set(facs.UNITS)


def test_expand_spells_out_every_alternative() -> None:
    assert list(expand("(eye|)brow(s|)")) == ["eyebrows", "eyebrow", "brows", "brow"]


VISIBLE = [
    code for code in sorted(facs.EXPRESSIVE) if code not in ("AU08", "AU33", "AU36", "AU37", "AU41", "AU42", "AU44")
]


@pytest.mark.parametrize("code", VISIBLE)
def test_each_unit_has_an_everyday_phrase(code: str) -> None:
    assert any(
        claim["aus"][0] == code
        for row in SENTENCES
        for claim in row["claims"]
        if "aus" in claim and "AU" not in row["text"]
    )


@pytest.mark.parametrize("code", sorted(facs.EXPRESSIVE))
def test_the_name_of_a_unit_is_the_unit(code: str) -> None:
    name = facs.UNITS[code].name
    assert [claim.aus[0] for claim in read_claims(f"{name} is seen.")] in (
        [code],
        ["AU07"] if code == "AU44" else [code],
    )


@pytest.mark.parametrize("letter", facs.LETTERS)
def test_every_strength_word_reads_as_its_letter(letter: str) -> None:
    for word in facs.STRENGTH_WORDS[letter]:
        (claim,) = read_claims(f"{word} brow lowering")
        assert letter in claim.letters, word


# --- any text ---------------------------------------------------------------------------------------------------------

words = st.sampled_from(sorted(phrases()))
joints = st.sampled_from(
    [
        *(" ", ", ", ". ", "; ", "\n", " and ", " the ", " AU", " AU1+2", " (AU12)", ": 2.4", "(", ")", " no "),
        *(", however, ", ", are ", " - though ", " - is ", " (while ", ") is ", "Ａ", "４", "ﬁ"),
    ]
)
texts = st.lists(words | joints | st.text(max_size=6), max_size=30).map("".join)


@given(texts)
def test_claims_of_any_text_lie_in_the_text(text: str) -> None:
    claims = read_claims(text)
    assert all(0 <= claim.start < claim.end <= len(text) for claim in claims)
    assert all(claim.aus and set(claim.aus) <= set(facs.UNITS) for claim in claims)
    assert all(set(claim.letters) <= set(facs.LETTERS) for claim in claims)


@given(texts)
def test_blanks_more_or_less_change_nothing(text: str) -> None:
    def without_spans(claims: list[Claim]) -> list[Claim]:
        return [claim._replace(start=0, end=0) for claim in claims]

    once = re.sub(r"[^\S\n]+", " ", text)
    # An empty line would end the sentence.
    wide = once.replace(" ", "   ").replace("\n", " \n  ")
    assert without_spans(read_claims(wide)) == without_spans(read_claims(once))


@given(texts)
def test_every_claim_gets_a_verdict(text: str) -> None:
    face = Face(aus={"AU04": AU(value=2.0, kind="intensity"), "AU12": AU(value=0.6, kind="probability")})
    result = check(text, face)
    assert len(result.checked) == len(read_claims(text))
    assert all(one.reason in REASONS for one in result.checked)


def test_spans_fit_a_text_with_a_letter_that_grows_in_lower_case() -> None:
    text = "İİİ   the  brows are lowered"
    (claim,) = read_claims(text)
    assert text[claim.start : claim.end] == "brows are lowered"


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("İİ  The left brow,  however, is   lowered.", ["brow,  however, is   lowered"]),
        (
            "The brows, though only slightly, are raised, no smile.",
            ["brows, though only slightly, are raised", "smile"],
        ),
        ("The brows, despite a  grin, are raised.", ["brows, despite a  grin, are raised", "grin"]),
        ("ﬁne ＡＵ４ and ＮＯ ｓｍｉｌｅ", ["ＡＵ４", "ｓｍｉｌｅ"]),
    ],
)
def test_spans_fit_a_text_with_asides_and_full_width_letters(text: str, spans: list[str]) -> None:
    assert [text[claim.start : claim.end] for claim in read_claims(text)] == spans


@pytest.mark.parametrize(
    "piece",
    [
        "no smile ",
        "brows, however, are ",
        "brows, though the lips, are ",
        "brows (though ",
        " - while - are",
        "AU1+",
        "\n",
        "brows ",
        "raised ",
        "AU4, ",
        "( ",
        "brow  \n",
        "AU4: no (",
        ", which AU4 is, ",
        "AU4? no ",
        "AU4 at 0.4 s. ",
        "AU4 to 1 s; ",
        "from 1 to ",
        "stronger on the left ",
        "the other face is relaxed ",
        "the left more than ",
    ],
)
def test_a_long_text_is_read(piece: str) -> None:
    """Would take hours if the time were not linear in the length."""
    assert isinstance(read_claims(piece * (100_000 // len(piece))), list)


# --- real lists -------------------------------------------------------------------------------------------------------

AU_LISTS = SHARED / "au" / "au_to_text_300.jsonl"


@pytest.mark.skipif(not AU_LISTS.exists(), reason="shared data not here")
@pytest.mark.parametrize("part", ["AU values: (.*)\n", "AU descriptions: (.*)"])
def test_lists_of_codes_and_of_names_come_back(part: str) -> None:
    for line in AU_LISTS.read_text(encoding="utf-8").splitlines():
        text = json.loads(line)["input"]
        gold = re.findall(r"AU\d\d", re.search("AU values: (.*)\n", text)[1])  # type: ignore[index]
        claims = read_claims(re.search(part, text)[1])  # type: ignore[index]
        assert [claim.aus[0] for claim in claims] == gold
        assert all(claim.present and claim.letters for claim in claims)
