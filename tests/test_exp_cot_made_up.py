"""What teachers add to what they were told: sound sentences pass, and what is made up does not.

`data/made_up.jsonl` holds sentences in the manner of several models. Each stands behind a sound text of its face,
unless it is a whole one.
"""

import json
from pathlib import Path

import pytest

from data_engine.exp_cot.language import LANGUAGES
from data_engine.exp_cot.responsible import find_irresponsible
from data_engine.exp_cot.unseen import find_unseen
from data_engine.exp_cot.verify import find_ending_problems, find_observation_problems
from data_engine.exp_cot.view import View, look
from emollm import facs
from emollm.claims import Claim
from emollm.records import AU, Face, Reasoning

ROWS = [json.loads(line) for line in (Path(__file__).parent / "data/made_up.jsonl").open(encoding="utf-8")]
MEASURED = [f"AU{number:02d}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)]
FACES: dict[str, tuple[str, dict[str, float | tuple[float, float]]]] = {
    "smile": ("happiness", {"AU06": 2.6, "AU12": 3.6, "AU25": 1.8}),
    "frown": ("anger", {"AU04": 3.9, "AU05": 1.9, "AU07": 2.2, "AU23": 2.8}),
    "downturn": ("sadness", {"AU01": 2.1, "AU04": 1.1, "AU15": 3.0, "AU17": 1.2}),
    "opening": ("surprise", {"AU01": 3.2, "AU02": 3.0, "AU05": 3.8, "AU25": 3.0, "AU26": 3.5}),
    "one corner": ("contempt", {"AU12": (0.2, 2.0), "AU14": (0.1, 3.1)}),
    "nose": ("disgust", {"AU09": 3.6, "AU10": 2.4, "AU17": 2.2}),
    "stretch": ("fear", {"AU01": 3.0, "AU02": 1.1, "AU04": 2.0, "AU05": 3.3, "AU20": 2.7, "AU25": 2.1}),
    "uneven smile": ("happiness", {"AU06": 2.0, "AU12": (3.0, 1.6)}),
    "one lip side": ("disgust", {"AU09": 1.8, "AU10": (2.2, 0.0)}),
    "one brow": ("neutral", {"AU02": (2.8, 0.0)}),
    "rest": ("neutral", {}),
}
"""Label, and the intensities of what is there, from left to right where the sides differ."""
ENGLISH = {
    "smile": "The lip corners are severely pulled up (AU12), the cheeks are markedly raised (AU6), and the lips are "
    "slightly parted (AU25).",
    "frown": "The brows are severely lowered (AU4), the upper lids are slightly raised (AU5), the lids are slightly "
    "tightened (AU7), and the lips are markedly tightened (AU23).",
    "downturn": "The inner brows are slightly raised (AU1), with a trace of brow lowering (AU4). The lip corners are "
    "markedly turned down (AU15), with a trace of chin raising (AU17).",
    "opening": "The inner brows (AU1) and the outer brows (AU2) are markedly raised, the upper lids are severely "
    "raised (AU5), the jaw is severely dropped (AU26), and the lips are markedly parted (AU25).",
    "one corner": "The right lip corner is slightly pulled up (AU12), and the right lip corner is markedly dimpled "
    "(AU14).",
    "nose": "The nose is severely wrinkled (AU9), the upper lip is slightly raised (AU10), and the chin is slightly "
    "raised (AU17).",
    "stretch": "The inner brows are markedly raised (AU1), there is a trace of outer brow raising (AU2), and the brows "
    "are slightly lowered (AU4). The upper lids are markedly raised (AU5), the lips are markedly stretched (AU20) and "
    "slightly parted (AU25).",
    "uneven smile": "The lip corners are markedly pulled up (AU12), more on the left side. The cheeks are slightly "
    "raised (AU6).",
}
CHINESE = {
    "smile": "嘴角强烈上扬（AU12D），脸颊明显抬起（AU6C），双唇轻微分开（AU25B）。",
    "frown": "眉毛强烈下压（AU4D），上眼睑轻微提起（AU5B），眼睑轻微收紧（AU7B），嘴唇明显收紧（AU23C）。",
    "downturn": "眉毛内侧轻微抬起（AU1B），眉毛隐约下压（AU4A），嘴角明显下拉（AU15C），下巴隐约上抬（AU17A）。",
    "opening": "眉毛内侧明显抬起（AU1C），眉毛外侧明显抬起（AU2C），上眼睑强烈提起（AU5D），下颌强烈下落（AU26D），"
    "双唇明显分开（AU25C）。",
    "one corner": "右侧嘴角轻微上扬（AU12B），右侧嘴角明显收紧形成酒窝（AU14C）。",
    "nose": "鼻子强烈皱起（AU9D），上唇轻微提起（AU10B），下巴轻微上抬（AU17B）。",
    "stretch": "眉毛内侧明显抬起（AU1C），眉毛外侧隐约抬起（AU2A），眉毛轻微下压（AU4B），上眼睑明显提起（AU5C），"
    "嘴唇明显拉伸（AU20C），双唇轻微分开（AU25B）。",
}
TEXTS = {"en": ENGLISH, "zh": CHINESE}


def seen(face: str) -> View:
    aus = {code: AU(value=0.0, kind="intensity") for code in MEASURED}
    for code, value in FACES[face][1].items():
        left, right = value if isinstance(value, tuple) else (None, None)
        whole = max(value) if isinstance(value, tuple) else value
        aus[code] = AU(value=whole, kind="intensity", left=left, right=right)
    return look(Face(aus=aus), facs.THRESHOLDS)


def problems(row: dict[str, str]) -> list[str]:
    """Everything that is wrong with a row but its length."""
    label, view = FACES[row["face"]][0], seen(row["face"])
    if row.get("part") == "ending":
        interpretation, conclusion = row["text"].rsplit(". ", 1)
        whole = Reasoning("…", interpretation + ".", conclusion)
        found = find_ending_problems(whole, view, (label,), "basic8")
        found += find_irresponsible(row["text"], "ending", "en", (label,))
    else:
        language = LANGUAGES[row["language"]]
        text = row["text"] if row.get("whole") else f"{TEXTS[row['language']][row['face']]} {row['text']}"
        told = [Claim((sign.code,), side=sign.side, letters=sign.strength or "") for sign in view.signs]
        told = told or [Claim(("AU04",), present=False)]
        found = find_observation_problems(text, view, (label,), "basic8", language, told)
        found += find_irresponsible(text, "observations", language.name)
    return [problem for problem in found if not problem.startswith("length")]


@pytest.mark.parametrize("language", TEXTS)
def test_texts_that_the_sentences_stand_behind_are_sound(language: str) -> None:
    for face, text in TEXTS[language].items():
        assert problems({"language": language, "face": face, "text": text, "whole": "yes"}) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{'sound' if row['sound'] else 'false'}: {row['text'][:50]}")
def test_sound_sentences_pass_and_what_is_made_up_does_not(row: dict[str, str]) -> None:
    assert (problems(row) == []) is row["sound"]


def test_what_covers_the_face_may_be_named_where_it_is_hidden() -> None:
    beard = "A beard covers the chin."
    assert list(find_unseen(beard, ())) == ["unseen: no action unit says 'beard'"]
    assert not list(find_unseen(beard, ("chin",)))
    assert list(find_unseen("A beard frames the mouth.", ("chin",)))
    assert not list(find_unseen("On the other hand, no glasses are worn.", ()))
    assert not list(find_unseen("The person says that the hair was cut.", ()))
