"""Chinese texts: what of them is read, and that the list of claims, the text and the face have to agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_teacher import Scripted, attempts, happy, teach

from data_engine.exp_cot.chinese import NAMES, find_unclaimed, read_chinese, say_chinese
from data_engine.exp_cot.loop import Effort
from data_engine.exp_cot.responsible import find_irresponsible
from emollm.claims import Claim
from emollm.labels import LABEL_SETS, find_labels
from emollm.records import Event, Face, Media

SEEN = (
    "嘴角明显上扬（AU12C），两侧脸颊轻微抬起（AU6B），眼周因此略有变化。"
    "没有皱眉（AU4），下颌也没有下落（AU26）。面部正对镜头，其余部位没有引人注意的动作，整张脸都可以看清。"
)
TOLD = [
    {"au": "AU12", "present": True, "side": None, "strength": "C"},
    {"au": "AU6", "present": True, "side": None, "strength": "B"},
    {"au": "AU4", "present": False, "side": None, "strength": None},
]
READ = {
    "interpretation": "嘴角上扬（AU12）与脸颊抬起（AU6）同时出现，这是人们所描述的典型组合，两者相互支持。"
    "这一解读只涉及可见的动作，并不涉及内心。",
    "conclusion": "总体而言，表情与高兴（happiness）一致。",
}


def told_without_strength() -> list[dict[str, object]]:
    return [{**TOLD[0], "strength": None}, *TOLD[1:]]


def chinese(observations: str = SEEN, told: object = TOLD, refine: object = READ, **fields: object) -> object:
    ask = Scripted(describe={"observations": observations, "claims": told}, refine=refine)
    return teach(ask, happy(**fields), Effort(rounds=1), "zh")


def test_sound_chinese_text_is_kept_with_its_claims() -> None:
    draft = chinese()
    assert draft.reasoning is not None, draft.detail
    assert (draft.provenance["language"], draft.label) == ("zh", "happiness")
    assert draft.provenance["claims"][0] == {"au": "AU12", "present": True, "strength": "C"}


def told(**changes: object) -> list[dict[str, object]]:
    return [{**TOLD[0], **changes}, *TOLD[1:]]


@pytest.mark.parametrize(
    ("observations", "claims", "check"),
    [
        (SEEN, None, "claims"),
        (SEEN, told(strength="E"), "strength"),
        (SEEN, told(side="left"), "side"),
        (SEEN, told(au="AU15"), "unsupported"),
        (SEEN, TOLD[1:], "omitted"),
        (SEEN, TOLD[1:], "unclaimed"),
        (SEEN.replace("嘴角明显上扬（AU12C）", "左侧嘴角明显上扬（AU12C）"), told(side="right"), "unclaimed"),
        (SEEN.replace("（AU6B）", "").replace("脸颊轻微抬起", "皮肤隆起"), TOLD, "unsaid"),
        (SEEN.replace("没有皱眉（AU4）", "眉头紧锁（AU4）"), TOLD, "unclaimed"),
        (SEEN.replace("没有皱眉（AU4）", "眉毛明显下压"), TOLD, "unclaimed"),
        (SEEN.replace("嘴角明显上扬", "嘴角没有上扬"), TOLD, "unclaimed"),
        (SEEN.replace("明显上扬（AU12C）", "略微上扬（AU12）"), TOLD, "strength"),
        (SEEN.replace("明显上扬", "极度上扬"), TOLD, "strength"),
        (SEEN.replace("嘴角明显上扬（AU12C）", "可以看到强烈的嘴角上扬（AU12）"), TOLD, "strength"),
        (SEEN.replace("嘴角明显上扬（AU12C）", "嘴角上扬（AU12）得非常强烈"), TOLD, "strength"),
        (SEEN, told_without_strength(), "strength"),
        (SEEN + "眼睛睁得很大。", TOLD, "unclaimed"),
        (SEEN + "鼻孔张开，下巴掉了下来。", TOLD, "unclaimed"),
        (SEEN + "两行眼泪正从脸上流下。", TOLD, "unclaimed"),
        (SEEN + "头转向左侧。", TOLD, "unclaimed"),
        (SEEN + "脸色通红。", TOLD, "unclaimed"),
        (SEEN + "这是一位年轻的女性。", TOLD, "responsible"),
        (SEEN + "看起来很开心。", TOLD, "leak"),
        (SEEN + "抱歉，其他部位无法描述。", TOLD, "talk"),
        ("The lip corners are pulled up (AU12C) and the cheeks are raised (AU6B).", TOLD, "language"),
        ("嘴角明显上扬（AU12C），脸颊轻微抬起（AU6B）。" * 20, TOLD, "length"),
    ],
)
def test_chinese_text_list_and_face_have_to_agree(observations: str, claims: object, check: str) -> None:
    draft = chinese(observations, claims)
    assert draft.reasoning is None
    assert check in attempts(draft)[0][1], attempts(draft)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"interpretation": READ["interpretation"] + "此外还皱鼻（AU9）。"}, "contradicted"),
        ({"interpretation": READ["interpretation"] + "此外两眼含泪。"}, "unclaimed"),
        ({"interpretation": READ["interpretation"] + "此人内心感到愤怒。"}, "responsible"),
        ({"conclusion": "总体而言，表情与悲伤（sadness）一致。"}, "label"),
        ({"conclusion": "Overall, the expression is consistent with happiness."}, "language"),
    ],
)
def test_chinese_ending_has_to_hold(changes: dict[str, str], check: str) -> None:
    assert check in attempts(chinese(refine=READ | changes))[0][1]


@pytest.mark.parametrize(("time", "is_kept"), [("0.9", True), ("2.5", False)])
def test_time_of_a_chinese_text_has_to_be_that_of_an_event(time: str, is_kept: bool) -> None:
    observations = f"{SEEN}嘴角上扬（AU12）在 {time} 秒时最强。"
    event = Event(au="AU12", onset_s=0.4, apex_s=0.9, offset_s=1.6, peak=3.2)
    draft = chinese(observations, media=Media(kind="video", path="a.mp4"), events=[event])
    assert (draft.reasoning is not None) is is_kept, draft.detail
    assert is_kept or attempts(draft)[0][1] == ["time"]


@pytest.mark.parametrize(
    "said",
    [
        "没有流泪，也没有转头。",
        "眼睛没有睁大，鼻孔未见张开。",
        "下巴没有掉下来。",
        "光线均匀，脸色看不清。",
        "整张脸从正面拍摄，其他部位静止。",
        "嘴唇轻轻闭合，看不到牙齿。",
    ],
)
def test_movements_that_are_denied_need_no_claim(said: str) -> None:
    draft = chinese(SEEN + said)
    assert draft.reasoning is not None, draft.detail


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("嘴角上扬（AU12）", ""),
        ("嘴角略微上扬（AU12）", "AB"),
        ("轻微的嘴角上扬", "B"),
        ("有明显的皱眉（AU4）", "C"),
        ("强烈皱眉", "D"),
        ("嘴角上扬幅度极强", "E"),
        ("嘴角上扬（AU12）较为明显", "C"),
        ("嘴角上扬（AU12C）", "C"),
        ("嘴角轻微上扬（AU12C）", "B"),
        ("左侧嘴角明显上扬", "C"),
        ("没有明显的皱眉", ""),
        ("眼周有轻微的变化，嘴角上扬", ""),
    ],
)
def test_words_of_degree_are_read_where_they_touch_a_movement(text: str, letters: str) -> None:
    assert [claim.letters for claim in read_chinese(text)] == [letters]


@given(st.text(alphabet="嘴角明显略微上扬（AU12C），没有皱眉4左侧流泪转头的得很强烈。、", max_size=60))
def test_any_chinese_text_is_read_without_an_error(text: str) -> None:
    read = read_chinese(text)
    assert all(0 <= claim.start < claim.end <= len(text) for claim in read)
    list(find_unclaimed(text, ()))
    find_irresponsible(text, "observations", "zh")


@pytest.mark.parametrize("phrase", sorted(phrase for phrases in NAMES.values() for phrase in phrases))
def test_every_phrase_is_read_as_its_action_there_and_denied(phrase: str) -> None:
    codes = [code for code, phrases in NAMES.items() if phrase in phrases]
    assert [(claim.aus, claim.present) for claim in read_chinese(f"可以看到{phrase}。")] == [((codes[0],), True)]
    assert [(claim.aus, claim.present) for claim in read_chinese(f"没有{phrase}。")] == [((codes[0],), False)]


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("左侧嘴角上扬（AU12D）", [Claim(("AU12",), side="left", letters="D", start=2, end=12)]),
        ("AU 4 没有出现，嘴角上扬而皱眉未见到", ["AU04-", "AU12+", "AU04-"]),
        ("没有皱眉、抿嘴，但嘴唇分开", ["AU04-", "AU24-", "AU25+"]),
        ("可能有轻微的眯眼", ["AU07+?"]),
        ("AU99 与 AU0 都不是动作", []),
    ],
)
def test_chinese_claims(text: str, claims: list[object]) -> None:
    read = read_chinese(text)
    if claims and isinstance(claims[0], str):
        told = [f"{one.aus[0]}{'+' if one.present else '-'}{'?' if one.hedged else ''}" for one in read]
        assert told == claims
    else:
        assert read == claims


@pytest.mark.parametrize("name", sorted(LABEL_SETS))
def test_labels_in_chinese_read_back_as_themselves(name: str) -> None:
    for label in LABEL_SETS[name].labels:
        said = f"总体而言，表情与{say_chinese((label,))}一致。"
        assert {found for found, *_ in find_labels(said, name)} == {label}, said


def test_hidden_face_and_free_words_are_told_in_chinese() -> None:
    ask = Scripted(describe={"observations": SEEN, "claims": TOLD}, infer={"labels": ["得意"]}, refine=READ)
    hidden = Face(aus=happy().faces[0].aus, hidden=["brows", "eyes"])
    teach(ask, happy(faces=[hidden], label_set="open", label="得意"), Effort(rounds=1), "zh")
    assert "看不到，因此不能描述：眉毛、眼睛。" in ask.prompts("describe")[0]
    assert "「得意」" in say_chinese(("得意",))
