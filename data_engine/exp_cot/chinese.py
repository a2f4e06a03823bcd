"""Chinese texts: what they say about a face, as far as it can be read: codes, common phrases, 左 and 右, 没有.

    read_chinese("左侧嘴角明显上扬（AU12C），没有皱眉（AU4）。")
    [Claim(("AU12",), side="left", letters="C" …), Claim(("AU04",), present=False …)]

`emollm.claims` reads English prose and its many turns of phrase; this reads less. A teacher that writes Chinese is
therefore asked for codes behind every action and for its claims as a list beside the text: the list is checked against
the action units, and the text against the list (`find_mismatches`), strengths and other common movements included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from data_engine.exp_cot.chinese_moves import find_moves, strength_at, strength_in
from emollm.claims import Claim
from emollm.claims.letters import plain
from emollm.claims.times import TOLERANCE_S
from emollm.facs import UNITS, prose, read_code
from emollm.labels import FORMS, canonical

NAMES: dict[str, tuple[str, ...]] = {
    "AU01": ("眉毛内侧上扬", "内侧眉毛上扬", "内眉上扬", "眉头上扬", "眉头抬起"),
    "AU02": ("眉毛外侧上扬", "外侧眉毛上扬", "外眉上扬", "眉梢上扬", "眉尾上扬"),
    "AU04": ("眉毛下压", "皱眉", "蹙眉", "眉头紧锁", "眉头紧皱", "眉毛压低"),
    "AU05": ("上眼睑提升", "上眼睑抬起", "上睑提升", "瞪眼", "瞪大眼睛"),
    "AU06": ("脸颊抬起", "脸颊上提", "面颊抬起", "面颊上提"),
    "AU07": ("眼睑收紧", "眼睑紧绷", "眯眼"),
    "AU09": ("皱鼻", "鼻子皱起", "鼻梁皱起"),
    "AU10": ("上唇上提", "上唇提升", "上唇抬起"),
    "AU11": ("鼻唇沟加深",),
    "AU12": ("嘴角上扬", "嘴角上提", "嘴角拉起", "微笑", "笑容"),
    "AU13": ("嘴角锐利上提",),
    "AU14": ("嘴角收紧", "酒窝"),
    "AU15": ("嘴角下拉", "嘴角下垂", "嘴角向下"),
    "AU16": ("下唇下压", "下唇下拉"),
    "AU17": ("下巴上推", "下巴抬起", "下巴收紧"),
    "AU18": ("噘嘴", "嘟嘴", "撅嘴"),
    "AU20": ("嘴唇横向拉伸", "嘴唇拉伸", "嘴角横向拉伸"),
    "AU22": ("嘴唇外翻", "嘴唇呈漏斗状"),
    "AU23": ("嘴唇收紧", "嘴唇绷紧"),
    "AU24": ("嘴唇紧压", "抿嘴", "嘴唇紧抿"),
    "AU25": ("嘴唇分开", "双唇分开", "嘴唇张开"),
    "AU26": ("下颌下落", "下巴下落", "下颌下垂", "下颌张开"),
    "AU27": ("嘴巴大张", "嘴巴张大", "张大嘴"),
    "AU28": ("嘴唇内吸", "嘴唇内卷"),
    "AU34": ("鼓腮", "脸颊鼓起"),
    "AU38": ("鼻孔张大", "鼻孔扩张"),
    "AU43": ("闭眼", "眼睛闭合", "双眼紧闭"),
    "AU45": ("眨眼",),
}
"""Action to its phrases; the first is how the teacher is told of it."""

_PHRASES = {phrase: code for code, phrases in NAMES.items() for phrase in phrases}
_MIDDLE = r"[明显轻微略强烈极度地有些的很稍]{0,6}"


def _pattern(phrase: str) -> str:
    """A phrase with room for a word of degree before its movement: 嘴角(明显)上扬."""
    return phrase if len(phrase) < 4 else f"{phrase[:-2]}{_MIDDLE}{phrase[-2:]}"


_GROUPS = {f"p{number}": code for number, code in enumerate(_PHRASES.values())}


@cache
def _mention() -> re.Pattern[str]:
    """One expression for every code and phrase, longer phrases first."""
    phrases = sorted(enumerate(_PHRASES), key=lambda item: -len(item[1]))
    parts = [f"(?P<p{number}>{_pattern(phrase)})" for number, phrase in phrases]
    return re.compile("|".join([r"(?P<code>(?<![A-Za-z0-9])[LR]?(?:AU|au)\s?0?\d{1,2}[A-E]?(?![A-Za-z0-9]))", *parts]))


_CLAUSE_END = re.compile(r"[，。；！？,;!?\n]|但是?|而是|却")
_NEGATION = re.compile(r"没有|没|并?未|无(?!法)|并?不(?!对称)|缺乏|不存在|看不到|看不出")
_DENIED_AFTER = re.compile(r"(?:没有?|并?未|不)(?:被?观察到|出现|存在|看到|可见|见到|发生)|缺失|消失")
_OPENERS = ("", "（", "(")
_SIDES = {"左": "left", "右": "right"}
_HEDGES = re.compile(r"可能|似乎|或许|大概|也许|疑似")


def say_chinese(labels: Sequence[str]) -> str:
    """Return labels as a Chinese sentence holds them, with the label itself in brackets; free words are quoted."""
    return "、".join(_say(label) for label in labels)


def _say(label: str) -> str:
    chinese = next((form for form in FORMS.get(label, ()) if not form.isascii()), None)
    if chinese:
        return f"{chinese}（{label}）"
    return label if canonical(label) else f"「{label}」"


def read_chinese(text: str) -> list[Claim]:
    """Return the claims of a Chinese text that can be read, in their order. Never raises; linear in the length.

    A negation reaches to the end of its clause (“没有皱眉和抿嘴”); one behind an action reaches that alone.
    """
    text = plain(text)
    return [claim for start, end in _clauses(text) for claim in _read_clause(text, start, end)]


def _clauses(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for stop in _CLAUSE_END.finditer(text):
        yield start, stop.start()
        start = stop.end()
    yield start, len(text)


def _read_clause(text: str, start: int, end: int) -> Iterator[Claim]:
    """Read a clause; a code in brackets behind a phrase belongs to it."""
    mentions = list(_mention().finditer(text, start, end))
    before = start
    place = 0
    while place < len(mentions):
        first = last = mentions[place]
        behind = mentions[place + 1] if place + 1 < len(mentions) else None
        if behind and behind["code"] and not first["code"] and text[first.end() : behind.start()].strip() in _OPENERS:
            last, place = behind, place + 1
        code, said_side = _named(last)
        lead = text[before : first.start()]
        after = mentions[place + 1].start() if place + 1 < len(mentions) else end
        is_denied = bool(_NEGATION.search(text, start, first.start()) or _DENIED_AFTER.search(text, last.end(), after))
        if code in UNITS:
            letter = last[0][-1] if last["code"] and last[0][-1].isalpha() else ""
            words = strength_at(text, first.start(), last.end(), before, after) or strength_in(lead)
            letters = letter if letter in words or not words else words  # a word that contradicts the code is read
            yield Claim(
                aus=(code,),
                present=not is_denied,
                side=said_side or _side(lead),
                letters="" if is_denied else letters or words,
                hedged=_HEDGES.search(lead) is not None,
                start=first.start(),
                end=last.end(),
            )
        before, place = last.end(), place + 1


def _named(mention: re.Match[str]) -> tuple[str, str | None]:
    """Return the action that a mention names, and the side that its code says."""
    if mention["code"] is None:
        return _GROUPS[str(mention.lastgroup)], None
    code = read_code(mention["code"].replace(" ", ""))
    return (code.au, code.side) if code else ("", None)


def _side(lead: str) -> str | None:
    """Return the side said before a phrase; both, or none, is None."""
    said = {side for word, side in _SIDES.items() if word in lead}
    return said.pop() if len(said) == 1 else None


_SECONDS = re.compile(
    r"(?<![\d.])(\d{1,5}(?:\.\d{1,3})?)\s?(?:秒|s(?![A-Za-z]))|([半一二两三四五六七八九十几数多零点百]{1,4})[多来]?秒"
)
_NUMERALS = {"半": 0.5, "两": 2.0} | {sign: float(number) for number, sign in enumerate("一二三四五六七八九十", 1)}


def find_stray_times(text: str, moments_s: Sequence[float]) -> Iterator[str]:
    """Say which times of a text are none of the given moments, in seconds: whose they are cannot be read."""
    for said in _SECONDS.finditer(text):
        seconds = float(said[1]) if said[1] else _NUMERALS.get(said[2], -1.0)
        if all(abs(seconds - moment) > TOLERANCE_S for moment in moments_s):
            yield f"time: nothing begins, peaks or ends at '{said[0]}'"


def find_mismatches(text: str, told: Sequence[Claim]) -> Iterator[str]:
    """Say where a text and the claims told beside it differ: an action said otherwise, or in one of the two alone."""
    present = {claim.aus[0] for claim in told if claim.present}
    strengths = {(claim.aus[0], claim.letters) for claim in told if claim.present}
    sides = {claim.aus[0]: claim.side for claim in told if claim.present}
    read = read_chinese(text)
    for claim in read:
        code, said = claim.aus[0], text[claim.start : claim.end]
        if claim.present and code not in present:
            yield f"unclaimed: '{said}' reads as {prose(code)}, which is not in the list of claims"
        elif not claim.present and code in present:
            yield f"unclaimed: '{said}' is denied, and the list of claims says that {prose(code)} is there"
        elif claim.present and claim.side and sides[code] not in (None, claim.side):
            yield f"unclaimed: '{said}' is said of the {claim.side}, the list of claims says {sides[code]}"
        elif claim.present and claim.letters and not any((code, letter) in strengths for letter in claim.letters):
            stated = ", ".join(sorted(letter or "none" for au, letter in strengths if au == code))
            yield f"strength: '{said}' reads as {claim.letters}, the list of claims says {stated}"
    for side, word in (("left", "左"), ("right", "右")):
        if side in sides.values() and word not in text:
            yield f"unsaid: the list of claims says {side}, and the text does not"
    yield from find_unclaimed(text, told)
    said_there = {claim.aus[0] for claim in read if claim.present}
    for code in sorted(present - said_there):
        yield f"unsaid: {prose(code)} is in the list of claims and not in the text"


def find_unclaimed(text: str, told: Sequence[Claim]) -> Iterator[str]:
    """Say which other movements of a text no claim covers; those that are read as claims are checked as such."""
    read = read_chinese(text)
    for said, code in find_moves(text, {claim.aus[0] for claim in told if claim.present}):
        if not any(said in text[claim.start : claim.end] for claim in read):
            what = f"reads as {prose(code)}, which is not in" if code else "is no action of"
            yield f"unclaimed: '{said}' {what} the list of claims"
