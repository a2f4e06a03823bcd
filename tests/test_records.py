from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emollm.errors import EmoLLMError, RecordError
from emollm.records import (
    AU,
    BadLine,
    Face,
    Media,
    Prediction,
    Reasoning,
    Sample,
    decode,
    encode,
    media_path,
    read_records,
)

BAD_LINES = {
    "unknown field": ('{"id":"a","lable":"anger"}', "lable: unknown field; did you mean 'label'?"),
    "unknown inner field": ('{"id":"a","faces":[{"conf":1}]}', "faces[0].conf: unknown field"),
    "AU without padding": (
        '{"id":"a","faces":[{"aus":{"AU5":{"value":1,"kind":"intensity"}}}]}',
        "faces[0]: 'AU5' is not an AU name such as 'AU04'; did you mean 'AU05'?",
    ),
    "probability as a percentage": (
        '{"id":"a","faces":[{"aus":{"AU05":{"value":97,"kind":"probability"}}}]}',
        "faces[0].aus.AU05: probability 97.0 is outside 0 to 1",
    ),
    "one side out of range": (
        '{"id":"a","faces":[{"aus":{"AU05":{"value":1,"kind":"intensity","left":-1}}}]}',
        "faces[0].aus.AU05: intensity -1.0 is outside 0 to 5",
    ),
    "value that is not the stronger side": (
        '{"id":"a","faces":[{"aus":{"AU12":{"value":1,"kind":"intensity","left":3,"right":0.5}}}]}',
        "faces[0].aus.AU12: value 1 is not the stronger of left 3 and right 0.5",
    ),
    "unknown kind": (
        '{"id":"a","faces":[{"aus":{"AU05":{"value":1,"kind":"Intensity"}}}]}',
        "faces[0].aus.AU05.kind: 'Intensity' is not allowed here; did you mean 'intensity'?",
    ),
    "unknown region": (
        '{"id":"a","faces":[{"hidden":["mouht"]}]}',
        "faces[0].hidden[0]: 'mouht' is not allowed here; did you mean 'mouth'?",
    ),
    "confidence in percent": ('{"id":"a","faces":[{"confidence":98}]}', "faces[0]: confidence 98.0 is outside 0 to 1"),
    "nested without end": (
        '{"id":"a","provenance":{"x":' + '{"x":' * 100_000,
        "nested too deeply to be a record; remove it",
    ),
    "UTF-16": ('{"id":"a"}'.encode("utf-16-le").decode("latin-1"), "not UTF-8; save the file as UTF-8"),
    "no id": ('{"label":"anger"}', "id: required field is missing"),
    "empty id": ('{"id":""}', "id: expected `str` of length >= 1"),
    "wrong type": ('{"id":"a","valence":"high"}', "valence: expected `float | null`, got `str`"),
    "valence out of range": ('{"id":"a","valence":7}', "record: valence 7.0 is outside -1 to 1"),
    "soft labels that do not sum to 1": ('{"id":"a","soft":{"anger":0.4}}', "record: soft sums to 0.4, not to 1"),
    "soft labels below 0": ('{"id":"a","soft":{"anger":1.5,"fear":-0.5}}', "record: soft: anger 1.5 is outside 0 to 1"),
    "blank label": ('{"id":"a","label":" "}', "record: label is blank; leave it out where it is not known"),
    "onset after offset": (
        '{"id":"a","events":[{"au":"AU12","onset_s":2,"apex_s":1,"offset_s":0.5,"peak":3}]}',
        "events[0]: onset_s 2, apex_s 1 and offset_s 0.5 do not follow one another",
    ),
    "path that leaves its folder": (
        '{"id":"a","media":{"kind":"image","path":"../../etc/passwd"}}',
        "media: path '../../etc/passwd' must be relative, with '/' and without '..'",
    ),
    "absolute path": (
        '{"id":"a","media":{"kind":"image","path":"/x.png"}}',
        "media: path '/x.png' must be relative, with '/' and without '..'",
    ),
    "list": ("[1]", "record: expected `object`, got `array`"),
    "no JSON": ("id,label", "not JSON (JSON is malformed: invalid character (byte 0)); write it again or remove it"),
}


@pytest.mark.parametrize(("line", "message"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_says_field_and_remedy(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(f'{{"id":"first"}}\n{line}\n')
    with pytest.raises(RecordError) as error:
        list(read_records(path, Sample))
    assert str(error.value) == f"{path}:2: {message}"


def test_good_lines_around_bad_ones_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id":"a"}\n\n{"id":"a"}\n{"id":"\xff"}\n{"id":"b"}\n{"id":"c","lab')
    bad: list[BadLine] = []
    assert [sample.id for sample in read_records(path, Sample, bad=bad.append)] == ["a", "b"]
    assert [(line.line, line.reason) for line in bad] == [
        (3, "id: 'a' is already on line 1"),
        (4, "not UTF-8; save the file as UTF-8"),
        (6, "the line is cut off; write it again or remove it"),
    ]


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(EmoLLMError, match="cannot be read: No such file"):
        list(read_records(tmp_path / "none.jsonl", Sample))


def test_unknown_and_empty_stay_apart() -> None:
    unknown, empty = Sample(id="a"), Sample(id="a", faces=[], labels=[])
    assert encode(unknown) == b'{"id":"a"}'
    assert decode(encode(empty), Sample) == empty != unknown


@given(
    sides=st.tuples(st.floats(0, 5), st.floats(0, 5)),
    text=st.text(),
    box=st.tuples(*[st.floats(-1e4, 1e4)] * 4),
)
def test_samples_survive_the_file(
    sides: tuple[float, float], text: str, box: tuple[float, float, float, float]
) -> None:
    au = AU(value=max(sides), kind="intensity", left=sides[0], right=sides[1])
    sample = Sample(
        id="x",
        media=Media(kind="image", path="a/b.png"),
        text=text,
        faces=[Face(box=box, aus={"AU12": au})],
        reasoning=Reasoning(observations=text, interpretation="", conclusion=text),
        provenance={"detect": {"rows": 3}},
    )
    assert decode(encode(sample), Sample) == sample


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_a_record_error(line: bytes) -> None:
    message = ""
    for record_type in (Sample, Prediction):
        try:
            decode(line, record_type)
        except RecordError as error:
            message += str(error)
    assert "\n" not in message


def test_a_link_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (tmp_path / "secret.png").touch()
    (root / "face.png").symlink_to(tmp_path / "secret.png")
    sample = Sample(id="a", media=Media(kind="image", path="face.png"))
    with pytest.raises(RecordError, match="leads out of"):
        media_path(sample, root)
