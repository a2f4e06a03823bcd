"""AUs that people coded: DISFA and BP4D frame by frame, CASME II and SAMM by onset, apex and offset."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts_on_disk import Run, clip, pictures, text, xlsx

from data_engine.layouts.coded import DISFA_AUS, runs
from data_engine.layouts.micro import coded_aus, span_of
from emollm.records import AU, Event, Sample


def aus_of(sample: Sample) -> dict[str, tuple[float, str]]:
    [face] = sample.faces or []
    return {name: (au.value, au.kind) for name, au in (face.aus or {}).items()}


def disfa(root: Path, *subjects: str) -> Path:
    """Three frames: AU12 goes 0, 2, 4, all others stay 0."""
    for subject in subjects:
        for au in DISFA_AUS:
            values = (0, 2, 4) if au == 12 else (0, 0, 0)
            lines = (f"{frame},{value}" for frame, value in enumerate(values, start=1))
            text(root / f"ActionUnit_Labels/{subject}/{subject}_au{au}.txt", *lines)
    return root


def test_disfa_frames_that_are_pictures_are_samples_with_exact_intensities(tmp_path: Path) -> None:
    root = disfa(tmp_path / "DISFA", "SN001", "SN003")
    for subject in ("SN001", "SN003"):
        pictures(root / f"Images/{subject}", "00001.jpg", "00002.jpg", "00003.jpg")
    run = Run(root)
    assert [(sample.id, sample.subject, sample.split) for sample in run.samples][::3] == [
        ("SN001/00001", "SN001", "train"),
        ("SN003/00001", "SN003", "test"),
    ]
    second = run.samples[1]
    assert len(aus_of(second)) == 12
    assert (aus_of(second)["AU12"], aus_of(second)["AU01"]) == ((2.0, "intensity"), (0.0, "intensity"))
    [face] = second.faces or []
    assert (face.frame, face.time_s, face.detector and face.detector.name) == (2, 0.05, "FACS coders")
    assert second.label_set is None
    assert Run(root, "--fold", "3", output=tmp_path / "third.jsonl").samples[0].split == "test"


def test_disfa_pictures_that_begin_with_0_are_one_off(tmp_path: Path) -> None:
    root = disfa(tmp_path / "DISFA", "SN001")
    pictures(root / "frames/LeftVideoSN001_comp", "frame_0.png", "frame_1.png")
    run = Run(root)
    assert [name for *_, name in run.told] == ["frame_0.png", "frame_1.png"]
    assert run.reasons == {"SN001/00003": "missing_media"}


def test_disfa_without_pictures_is_a_film_with_events(tmp_path: Path) -> None:
    root = disfa(tmp_path / "DISFA", "SN001")
    clip(root / "Videos_RightCamera/RightVideoSN001_Comp.avi")
    clip(root / "Videos_LeftCamera/LeftVideoSN001_comp.avi")
    [sample] = Run(root).samples
    assert sample.media is not None
    assert sample.media.path.endswith("LeftVideoSN001_comp.avi")
    assert sample.events == [Event(au="AU12", onset_s=0.05, apex_s=0.1, offset_s=0.1, peak=4.0)]
    assert aus_of(sample)["AU12"] == (4.0, "intensity")


def test_disfa_lines_that_cannot_be_read_are_kept_aside(tmp_path: Path) -> None:
    root = disfa(tmp_path / "DISFA", "SN001")
    text(root / "ActionUnit_Labels/SN001/SN001_au4.txt", "1,0", "2,7", "3")
    (root / "ActionUnit_Labels/SN001/SN001_au9.txt").unlink()
    pictures(root / "Images/SN001", "1.jpg", "2.jpg", "3.jpg")
    run = Run(root)
    assert sorted(run.reasons.values()) == ["missing_labels", "unreadable_row", "unreadable_row"]
    assert any(line["detail"].endswith("'2,7' is no frame with 0 to 5") for line in run.rejected)
    assert [("AU04" in aus_of(sample), "AU09" in aus_of(sample)) for sample in run.samples] == [
        (True, False),
        (False, False),
        (False, False),
    ]


def test_bp4d_presence_intensity_and_what_was_not_coded(tmp_path: Path) -> None:
    root = tmp_path / "BP4D"
    text(root / "AUCoding/AU_OCC/F001_T1.csv", "0,1,2,6,12,99", "2440,1,9,1,0,1", "2441,0,0,1,9,9", "x,0,0,0,0,0")
    text(root / "AUCoding/AU_INT/AU06/F001_T1_AU06.csv", "2440,3", "2441,9")
    pictures(root / "Sequences/F001/T1", "2440.jpg", "2441.jpg")
    run = Run(root)
    first, second = run.samples
    assert aus_of(first) == {"AU01": (1.0, "presence"), "AU06": (3.0, "intensity"), "AU12": (0.0, "presence")}
    assert aus_of(second) == {"AU01": (0.0, "presence"), "AU02": (0.0, "presence"), "AU06": (1.0, "presence")}
    assert (first.id, first.subject, first.split) == ("F001/T1/2440", "F001", "train")
    assert first.groups == {"gender": "female", "task": "T1"}
    assert run.reasons == {"F001/T1#4": "unreadable_row"}


def test_bp4d_cells_that_are_no_code_are_told_and_the_rest_is_kept(tmp_path: Path) -> None:
    root = tmp_path / "BP4D"
    text(root / "AU_OCC/F001_T1.csv", "0,1,2,6,12", "1,0,x,1,7", "2,1", "3,1,1,0,0")
    text(root / "AU_INT/AU06/F001_T1_AU06.csv", "1,4", "3,7", "2,9")
    pictures(root / "F001/T1", "1.jpg", "2.jpg", "3.jpg")
    run = Run(root)
    assert [aus_of(sample) for sample in run.samples] == [
        {"AU01": (0.0, "presence"), "AU06": (4.0, "intensity")},
        {"AU01": (1.0, "presence")},
        {name: (value, "presence") for name, value in (("AU01", 1.0), ("AU02", 1.0), ("AU06", 0.0), ("AU12", 0.0))},
    ]
    details = {line["id"]: line["detail"].rpartition("csv:")[2] for line in run.rejected}
    assert details == {
        "F001_T1_AU06#2": "2: F001_T1_AU06#2: '3,7' is no frame with 0 to 5 or 9",
        "F001/T1#2": "2: F001/T1#2: AU02 is 'x', not 0, 1 or 9; AU12 is '7', not 0, 1 or 9",
        "F001/T1#3": "3: F001/T1#3: has 2 cells, not 5",
    }
    assert run.code == 1


def test_bp4d_headers_of_one_and_of_names_are_read_alike(tmp_path: Path) -> None:
    text(tmp_path / "BP4D/AU_OCC/M017_T8.csv", "Frame,AU1,AU04", "1,1,0")
    pictures(tmp_path / "BP4D/M017/T8", "0001.jpg")
    [sample] = Run(tmp_path / "BP4D").samples
    assert aus_of(sample) == {"AU01": (1.0, "presence"), "AU04": (0.0, "presence")}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_events_cover_exactly_the_frames_that_are_coded_as_present(values: list[int]) -> None:
    frames = list(range(1, len(values) + 1))
    events = runs(frames, [{"AU12": AU(value=value, kind="intensity")} for value in values], 1.0)
    covered = {frame for event in events for frame in range(round(event.onset_s) + 1, round(event.offset_s) + 2)}
    assert covered == {frame for frame, value in zip(frames, values, strict=True) if value >= 1}
    for event in events:
        within = values[round(event.onset_s) : round(event.offset_s) + 1]
        assert event.peak == max(within) == values[round(event.apex_s)]


CASME2 = ["Subject", "Filename", "", "OnsetFrame", "ApexFrame", "OffsetFrame", "", "Action Units", "Estimated Emotion"]


def casme2(root: Path, shared: bool = True) -> Path:
    xlsx(
        root / "CASME2-coding-20140508.xlsx",
        [
            CASME2,
            [1.0, "EP02_01f", "", 46.0, 59.0, 86.0, "", "12", "happiness"],
            [26.0, "EP18_50", "", 1.0, "/", 11.0, "", "4+L10", "others"],
            [2.0, "EP03_02f", "", 10.0, 5.0, 3.0, "", "4", "disgust"],
            [3.0, "EP07_03", "", 5.0, 6.0, 7.0, "", "?", "repression"],
        ],
        shared,
    )
    pictures(root / "Cropped/sub01/EP02_01f", "reg_img58.jpg", "reg_img59.jpg")
    pictures(root / "CASME2_RAW_selected/sub01/EP02_01f", "img59.jpg")
    pictures(root / "Cropped/sub26/EP18_50", "reg_img6.jpg")
    pictures(root / "Cropped/sub03/EP07_03", "reg_img6.jpg")
    return root


@pytest.mark.parametrize("shared", [True, False], ids=["shared strings", "inline strings"])
def test_casme2_shows_the_apex_and_tells_events(tmp_path: Path, shared: bool) -> None:
    run = Run(casme2(tmp_path / "CASME2", shared))
    first, second, third = run.samples
    assert (first.id, first.subject, first.label) == ("sub01/EP02_01f", "sub01", "happiness")
    assert run.told[0][3] == "reg_img59.jpg"
    assert aus_of(first) == {"AU12": (1.0, "presence")}
    [event] = first.events or []
    assert (event.au, event.onset_s, event.apex_s, event.offset_s) == ("AU12", 45 / 200, 58 / 200, 85 / 200)
    assert (third.label, third.label_set, third.events, aus_of(third)) == ("repression", "casme7", None, {})
    assert run.reasons == {"sub02/EP03_02f": "unreadable_row"}
    # No apex was coded: the middle is shown, and no time is made up.
    assert (second.label, second.events, run.told[1][3]) == ("other", None, "reg_img6.jpg")
    [face] = second.faces or []
    au = (face.aus or {})["AU10"]
    assert (au.value, au.left, au.right) == (1.0, 1.0, 0.0)
    assert "'/'" in (second.provenance or {})["import"]["apex"]


def test_casme2_whole_pictures(tmp_path: Path) -> None:
    assert Run(casme2(tmp_path / "CASME2"), "--whole").told[0][3] == "img59.jpg"


def test_casme2_videos_where_there_are_no_frames(tmp_path: Path) -> None:
    root = tmp_path / "CASME2"
    text(root / "CASME2-coding-20140508.csv", ";".join(CASME2), "1;EP02_01f;;46;59;86;;12;happiness")
    clip(root / "CASME2_compressed/sub01/EP02_01f.avi")
    [sample] = Run(root).samples
    assert sample.media is not None
    assert (sample.media.kind, sample.media.path) == ("video", "CASME2_compressed/sub01/EP02_01f.avi")


def test_samm_has_notes_before_its_table(tmp_path: Path) -> None:
    root = tmp_path / "SAMM"
    columns = ["Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame"]
    header = [*columns, "Duration", "Micro", "Action Units", "Estimated Emotion", "Objective Classes", "Notes"]
    notes: list[list[str | float]] = [["SAMM Micro FACS codes"]] * 13
    row: list[str | float] = ["006", "006_1_2", 1.0, 5562.0, 5588.0, 5632.0, 71.0, "Micro", "R4B+L7", "Anger", 3.0]
    xlsx(root / "SAMM_Micro_FACS_Codes_v2.xlsx", [*notes, header, row])
    pictures(root / "006/006_1_2", "006_05562.jpg", "006_05588.jpg")
    run = Run(root)
    [sample] = run.samples
    assert run.told == [("006_1_2", None, "anger", "006_05588.jpg")]
    [face] = sample.faces or []
    assert (face.aus or {})["AU04"] == AU(value=2.0, kind="intensity", left=0.0, right=2.0)
    assert [event.onset_s for event in sample.events or ()] == [0.0, 0.0]
    assert (sample.events or [])[0].apex_s == pytest.approx(26 / 200)


@pytest.mark.parametrize(
    ("written", "aus"),
    [
        ("4+7", {"AU04": (1.0, None, None), "AU07": (1.0, None, None)}),
        ("L10 + R10", {"AU10": (1.0, 1.0, 1.0)}),
        ("R12A", {"AU12": (1.0, 0.0, 1.0)}),
        ("12E", {"AU12": (5.0, None, None)}),
        ("AU1+AU2", {"AU01": (1.0, None, None), "AU02": (1.0, None, None)}),
        ("4+?", None),
        ("", None),
        ("12 or 14", None),
    ],
    ids=str,
)
def test_coded_aus(written: str, aus: dict[str, tuple[float, float | None, float | None]] | None) -> None:
    found = coded_aus(written)
    assert (found if found is None else {name: (au.value, au.left, au.right) for name, au in found.items()}) == aus


@given(st.text(max_size=20))
def test_any_text_is_aus_or_none(written: str) -> None:
    found = coded_aus(written)
    assert found is None or all(au.value >= 0.0 for au in found.values())


def test_an_apex_outside_of_its_span_is_not_coded() -> None:
    assert span_of("10", "30", "20") == (10, 15, 20, False)
    assert span_of("10", "", "") is None
