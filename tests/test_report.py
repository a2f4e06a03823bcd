"""The report: safe against hostile text, self-contained, and saying what the numbers say."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emollm import facs
from emollm.claims.times import Time
from emollm.records import AU, Face, Media
from eval.report import write_report
from eval.report.explanation import marked
from eval.report.markup import Markup, escape, join, tag, void
from eval.report.numbers import notices
from eval.report.samples import choose
from eval.report.thumbnails import SIZE, thumbnail
from eval.results import Coverage, Input, Settings
from eval.scored import Scored, ScoredClaim
from eval.summary import summarise

HOSTILE = "</blockquote><script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover='x' &amp; \x00\u202e"
SMILE = ScoredClaim(text="a smile", start=0, end=7, aus=("AU12",), present=True, verdict="supported")
SETTINGS = Settings(
    label_set="basic7",
    split=None,
    limit=None,
    thresholds=dict(facs.THRESHOLDS),
    num_resamples=20,
    seed=0,
    confidence=0.95,
)


def scored(number: int = 0, **changes: object) -> Scored:
    face = Face(aus={"AU12": AU(value=3.0, kind="intensity"), "AU04": AU(value=0.2, kind="intensity")})
    fields: dict[str, object] = {
        "id": f"face_{number}",
        "subject": f"s{number}",
        "face": face,
        "model": "tiny",
        "completion": "a smile, so happiness",
        "gold": "happiness",
        "predicted": "happiness",
        "correct": True,
        "au_hits": ("AU12",),
        "au_false_alarms": (),
        "au_misses": (),
        "au_rejections": ("AU04",),
        "au_set_f1": 1.0,
        "claims": (SMILE,),
    }
    return Scored(**{**fields, **changes})  # type: ignore[arg-type]


def report(folder: Path, rows: list[Scored], media_root: Path | None = None, max_samples: int = 60) -> str:
    labelled, measured = (sum(getattr(row, name) is not None for row in rows) for name in ("gold", "au_hits"))
    coverage = Coverage(
        samples=len(rows),
        predictions=len(rows),
        missing=0,
        surplus=0,
        malformed=0,
        labelled=labelled,
        measured=measured,
        subjects=len(rows),
        clusters=len(rows),
    )
    inputs = {name: Input(file=f"{name}.jsonl", sha256="0" * 64) for name in ("predictions", "samples")}
    results = summarise(rows, ["happiness", "sadness"] if labelled else [], SETTINGS, coverage, inputs)
    path = write_report(folder, results, rows, media_root=media_root, max_samples=max_samples)
    return path.read_text(encoding="utf-8")


class Elements(HTMLParser):
    """Collects the elements of a page and checks that they are closed in order."""

    VOID = ("meta", "link", "img", "input")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    claim = ScoredClaim(
        text=HOSTILE,
        start=3,
        end=30,
        aus=("AU12",),
        present=True,
        verdict="contradicted",
        reason=HOSTILE,
        region=HOSTILE,
    )
    row = scored(
        id=HOSTILE,
        subject=HOSTILE,
        model=HOSTILE,
        completion=HOSTILE,
        gold="happiness",
        predicted=HOSTILE,
        claims=(claim,),
        groups={HOSTILE: HOSTILE},
        face=Face(aus={"AU12": AU(value=3.0, kind="intensity")}, hidden=[HOSTILE]),
    )
    plain, attacked = (Elements(report(tmp_path, [row])) for row in (scored(), row))
    assert [name for name, _ in attacked.found].count("script") == 1
    assert "img" not in {name for name, _ in attacked.found}
    assert not [attribute for _, attributes in attacked.found for attribute in attributes if attribute.startswith("on")]
    assert {name for name, _ in attacked.found} <= {name for name, _ in plain.found} | {"table", "thead", "small", "li"}


def test_page_requests_nothing(tmp_path: Path) -> None:
    page = report(tmp_path, [scored()])
    assert not re.search(r"https?://|@import|url\(", page)
    for name, attributes in Elements(page).found:
        assert name not in ("iframe", "object", "embed", "base")
        for address in (attributes.get("src"), attributes.get("href")):
            assert address is None or address.startswith(("data:", "#"))


def test_policy_allows_the_own_script_only(tmp_path: Path) -> None:
    page = report(tmp_path, [scored()])
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in page


@given(st.text(), st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)), max_size=12))
def test_marked_text_is_the_text(said: str, spans: list[tuple[int, int]]) -> None:
    claims = [ScoredClaim(text="", start=s, end=e, aus=("AU12",), present=True, verdict="supported") for s, e in spans]
    shown = re.sub(r"</?(mark|b)\b[^>]*>", "", marked(said, claims))
    assert shown.replace("**", "") == escape(said).replace("**", "")


def test_overlapping_claims_show_the_worst_verdict() -> None:
    wrong = ScoredClaim(text="", start=2, end=4, aus=("AU04",), present=True, verdict="contradicted", reason="absent")
    page = marked("a smile", [SMILE, wrong], Face(aus={"AU04": AU(value=0.2, kind="intensity")}))
    assert re.findall(r'class="(\w+)"', page) == ["supported", "contradicted", "supported"]
    assert "AU4 there: contradicted (measured, and not there: AU4\N{NO-BREAK SPACE}0.2)" in page


def test_headings_of_an_answer_are_set_apart() -> None:
    assert marked("**Conclusion**: joy", []) == "<b>Conclusion:</b> joy"


def test_an_endless_completion_is_cut(tmp_path: Path) -> None:
    page = report(tmp_path, [scored(completion="very " * 10_000)])
    assert "more characters in samples.jsonl" in page
    assert page.count("very ") < 1000


def test_cards_show_verdicts_and_omissions_in_words(tmp_path: Path) -> None:
    page = report(tmp_path, [scored(omitted=("AU04",), au_misses=("AU04",), au_rejections=())])
    assert "not mentioned — AU4 Brow lowerer" in page
    assert "1 claim: 1 supported" in page


def test_contradictions_are_listed_once_with_what_was_measured(tmp_path: Path) -> None:
    face = Face(
        aus={
            "AU04": AU(value=0.2, kind="intensity"),
            "AU12": AU(value=4.2, kind="intensity", left=0.3, right=4.2),
        }
    )
    wrong = [("a frown", "AU04", "absent"), ("lowered brows", "AU04", "absent"), ("left smile", "AU12", "side")]
    claims = tuple(
        ScoredClaim(
            text=said, start=0, end=1, aus=(au,), present=True, side="left", verdict="contradicted", reason=reason
        )
        for said, au, reason in wrong
    )
    page = report(tmp_path, [scored(claims=claims, face=face)]).replace("\N{NO-BREAK SPACE}", " ")
    assert "✗ “a frown”, “lowered brows” — measured AU4 0.2" in page
    assert "✗ “left smile” — said left, measured AU12 left 0.3, right 4.2 D" in page


def test_sides_that_differ_and_times_are_said_of_a_claim(tmp_path: Path) -> None:
    face = Face(aus={"AU12": AU(value=3.2, kind="intensity", left=3.2, right=3.1)})
    smile = {"text": "a smile", "start": 0, "end": 1, "aus": ("AU12",), "present": True, "verdict": "contradicted"}
    claims = (
        ScoredClaim(**smile, reason="side", side="left", uneven=True),
        ScoredClaim(**smile, reason="side", uneven=True),
        ScoredClaim(**smile, reason="time", times=(Time("onset", 0.4), Time("offset", 1.0))),
    )
    page = report(tmp_path, [scored(claims=claims, face=face)]).replace("\N{NO-BREAK SPACE}", " ")
    for said in ("more on the left", "uneven", "from 0.4 s until 1 s"):
        assert f"AU12 there, {said}: contradicted" in page
        assert f"— said {said}, measured AU12" in page


def test_missing_and_empty_predictions_are_told_apart(tmp_path: Path) -> None:
    page = report(
        tmp_path, [scored(completion=None, predicted=None, correct=False, claims=()), scored(1, completion=" ")]
    )
    assert "No prediction for this sample." in page
    assert "The prediction is empty." in page


def test_without_gold_the_page_says_so_and_shows_no_label_number(tmp_path: Path) -> None:
    kinds = {f"au_{kind}": None for kind in ("hits", "false_alarms", "misses", "rejections", "set_f1")}
    page = report(tmp_path, [scored(gold=None, correct=None, face=None, **kinds)])
    assert "whether the labels are right is not known" in page
    assert "whether the explanations are true is not known" in page
    assert 'id="labels-right"' not in page


def test_missing_predictions_are_the_first_thing_said() -> None:
    coverage = Coverage(
        samples=30,
        predictions=20,
        missing=10,
        surplus=2,
        malformed=1,
        labelled=30,
        measured=30,
        subjects=30,
        clusters=30,
    )
    assert notices(coverage) == [
        "Without a prediction, and counted as wrong: 10 samples of 30.",
        "Without a sample, and counted nowhere: 2 predictions.",
        "Not readable, and counted nowhere: 1 line; see rejected.jsonl.",
    ]


def test_pictures_are_embedded_and_can_be_left_out(tmp_path: Path) -> None:
    Image.new("RGB", (600, 400), "gray").save(tmp_path / "a.png")
    row = scored(media=Media(kind="image", path="a.png"))
    assert 'src="data:image/jpeg;base64,' in report(tmp_path, [row], media_root=tmp_path)
    assert "data:image/jpeg" not in report(tmp_path, [row], media_root=None)


def test_link_out_of_the_media_folder_is_not_followed(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.png").symlink_to(tmp_path / "secret.png")
    page = report(tmp_path, [scored(media=Media(kind="image", path="a.png"))], media_root=root)
    assert "data:image/jpeg" not in page


@pytest.mark.parametrize("mode", ["RGBA", "L", "CMYK", "I;16", "P"])
def test_thumbnail_of_every_mode(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tiff" if mode == "CMYK" else "a.png")
    Image.new(mode, (700, 300)).save(path)
    found = thumbnail(path)
    assert found is not None
    assert found.startswith("data:image/jpeg;base64,")


def test_thumbnail_shows_the_face(tmp_path: Path) -> None:
    picture = Image.new("RGB", (1000, 500), "white")
    picture.paste("black", (700, 100, 900, 300))
    picture.save(tmp_path / "a.png")
    found = thumbnail(tmp_path / "a.png", box=(700, 100, 200, 200))
    assert found is not None
    (tmp_path / "b.jpg").write_bytes(base64.b64decode(found.partition(",")[2]))
    with Image.open(tmp_path / "b.jpg") as shown:
        assert max(shown.size) <= SIZE
        assert shown.convert("L").getpixel((shown.width // 2, shown.height // 2)) < 30


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n\x00\x00", None], ids=["empty", "text", "torn", "absent"]
)
def test_unreadable_picture_gives_no_thumbnail(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    assert thumbnail(path) is None


def test_box_outside_of_the_picture_shows_the_whole(tmp_path: Path) -> None:
    Image.new("RGB", (50, 50)).save(tmp_path / "a.png")
    assert thumbnail(tmp_path / "a.png", box=(900, 900, 10, 10)) is not None


def test_chosen_samples_are_balanced_and_follow_from_the_seed() -> None:
    rows = [scored(i) for i in range(90)] + [scored(90 + i, correct=False, predicted="sadness") for i in range(10)]
    chosen = choose(rows, 10, seed=0)
    assert [row.correct for row in chosen.worst] == [False] * 5
    assert sum(row.correct is False for row in chosen.drawn) == 3  # in turn with the right ones
    assert chosen == choose(rows[::-1], 10, seed=0)
    assert chosen != choose(rows, 10, seed=1)


def test_the_worst_come_first() -> None:
    wrong = ScoredClaim(text="x", start=0, end=1, aus=("AU04",), present=True, verdict="contradicted")
    rows = [
        scored(0),
        scored(1, claims=(wrong,)),
        scored(2, correct=False),
        scored(3, correct=False, claims=(wrong, wrong)),
        scored(4, correct=False, claims=(wrong,), omitted=("AU04",)),
        scored(5, correct=False, claims=(wrong,)),
    ]
    assert [row.id for row in choose(rows, 10, seed=0).worst] == ["face_3", "face_4", "face_5", "face_2", "face_1"]
    assert [row.id for row in choose(rows, 10, seed=0).drawn] == ["face_0"]
    assert choose([scored(0)], 10, seed=0).worst == []  # nothing is wrong with it


def test_cap_on_samples_is_kept_and_said(tmp_path: Path) -> None:
    page = report(tmp_path, [scored(i) for i in range(30)], max_samples=5)
    assert page.count("<article") == 5
    assert "5 of 30" in page


def test_votes_of_the_judge_are_counted_clue_by_clue(tmp_path: Path) -> None:
    verdicts = [
        {"clues": ["matched", "missing"], "relation": "same", "because": ""},
        None,
        {"clues": ["matched", "contradicted"], "relation": "same", "because": ""},
    ]
    judged = {"clues": ["a smile", "a frown"], "labels": ["joy"], "verdicts": verdicts}
    page = report(tmp_path, [scored(details={"judge": judged, "closed_set": "strict"})])
    assert "by the judge (2 of 3 verdicts read)" in page
    assert '<td>a smile</td><td class="supported">matched 2×</td>' in page
    assert "<td>a frown</td><td" in page
    assert "missing 1×, contradicted 1×</td>" in page
    assert "<td>labels: joy</td><td>same 2×</td>" in page
    assert "<dt>Closed set: strict and normalised</dt><dd><div>strict</div></dd>" in page


@pytest.mark.parametrize(
    "detail",
    [
        HOSTILE,
        {HOSTILE: [HOSTILE, {HOSTILE: None}]},
        {"clues": [HOSTILE], "labels": [HOSTILE], "verdicts": [{"clues": [HOSTILE], "relation": HOSTILE}]},
        {"clues": None, "labels": None, "verdicts": [{"clues": None}, 3, None]},
    ],
    ids=["text", "nested", "votes", "broken votes"],
)
def test_hostile_details_stay_text(tmp_path: Path, detail: object) -> None:
    page = report(tmp_path, [scored(details={"judge": detail, HOSTILE: detail})])
    found = Elements(page).found
    assert [name for name, _ in found].count("script") == 1
    assert "img" not in {name for name, _ in found}
    assert not [attribute for _, attributes in found for attribute in attributes if attribute.startswith("on")]


def test_every_link_of_the_contents_leads_somewhere(tmp_path: Path) -> None:
    found = Elements(report(tmp_path, [scored()])).found
    ids = [attributes["id"] for _, attributes in found if "id" in attributes]
    links = [str(attributes["href"]) for name, attributes in found if name == "a"]
    assert len(ids) == len(set(ids))
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_tag_escapes_children_and_attributes() -> None:
    assert tag("td", "<b>", class_='"') == '<td class="&quot;">&lt;b&gt;</td>'
    assert tag("td", tag("b", "x"), None) == "<td><b>x</b></td>"
    assert void("input", type="radio", checked=True, disabled=False) == '<input type="radio" checked>'
    assert isinstance(join("a", Markup("<br>")), Markup)
