"""What Chinese texts say of a face beyond the phrases that are read as claims: how strong, and other common movements.

    strength_at("嘴角略微上扬（AU12）。", 0, 10)               # "AB"
    list(find_moves("两行眼泪流下来。", covered=()))           # [("泪", "")]: no action of a list of claims is this

A claim that is stated beside a text is checked against the face, so a text may say no more than the list does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

STRENGTHS = {
    "A": ("隐约", "极轻微", "几乎看不出"),
    "AB": ("略微", "微微", "稍微", "稍稍", "略略", "些许", "轻轻", "略", "稍"),
    "B": ("轻微", "轻度"),
    "C": ("明显", "中等", "清晰"),
    "CD": ("显著", "较强"),
    "D": ("强烈", "用力", "剧烈", "很强"),
    "DE": ("极度", "极其", "极为", "非常强烈"),
    "E": ("极强", "最强", "最大程度", "最大限度"),
}
"""FACS letters to the words that mean one of them; the five words that prompts give mean one letter alone."""

_LETTERS = {word: letters for letters, words in STRENGTHS.items() for word in words}
_WORD = "|".join(sorted(_LETTERS, key=len, reverse=True))
_BEFORE = re.compile(rf"({_WORD})[度地的]{{0,2}}(?:[左右两双]侧?|向[上下])?的?$")
_INSIDE = re.compile(_WORD)
_AFTER = re.compile(
    rf"^[）)]?(?:的?(?:程度|幅度|强度|动作))?[得的]?(?:为|是|属|十分|非常|较为|比较|很|显得|有些){{0,2}}({_WORD})"
)

_NEAR = r"[^，。；！？,;!?\n]{0,4}"
MOVES: tuple[tuple[str, str], ...] = (
    ("AU05", rf"(?:眼睛|双眼|两眼|眼){_NEAR}(?:睁|张|瞪){_NEAR}(?:大|圆)|(?:睁|张|瞪)(?:大|圆)了?(?:双|两)?眼|圆睁"),
    ("AU38", rf"鼻孔{_NEAR}(?:张|扩|撑|放)[开大]|鼻翼{_NEAR}(?:张|扩)[开大]?"),
    ("AU26", rf"(?:下巴|下颌|下颚){_NEAR}(?:掉|落|垂|松|张)(?:下|开|落)?"),
    ("AU27", rf"嘴巴?{_NEAR}(?:张|咧)得{_NEAR}大"),
    ("AU04", r"眉(?:头|毛|心)?(?:紧锁|紧皱|紧蹙|深锁|拧)|愁眉"),
    ("AU12", r"(?:咧嘴|露齿|开怀|哈哈)?大笑|笑意|发笑"),
    ("AU34", r"(?:腮帮|脸颊|腮)(?:子)?鼓"),
    ("AU18", r"撅起?嘴|嘟起?嘴|嘴唇撅"),
    ("", r"泪|哭泣|哭|抽泣"),
    ("", rf"转(?:过)?头|扭头|侧头|偏头|歪头|头部?{_NEAR}(?:转|偏|歪|扭|倾|后仰)|(?:转|别)过?脸"),
    ("", r"低(?:下|着)?头|垂(?:下|着)?头|抬(?:起|着)?头|仰(?:起|着)?头|点头|摇头"),
    ("", rf"脸色?{_NEAR}(?:通红|涨红|发红|泛红|苍白|发白)|脸红|面红|冒汗|出汗|汗珠"),
    ("", rf"(?:目光|视线|眼神|眼球|双眼){_NEAR}(?:转|移|投|望|盯|看)向?|翻白眼|斜视"),
    ("", r"咬(?:紧|着|住)?(?:牙|嘴唇|下唇|上唇)|吐舌|(?:伸|吐)出?舌头?|耸肩|颤抖|发抖|抽搐"),
)
"""Movements that Chinese texts like to add: the action that covers them, "" where none that can be claimed does."""

_MOVES = tuple((code, re.compile(pattern)) for code, pattern in MOVES)
_CLAUSE_END = re.compile(r"[，。；！？,;!?\n]|但是?|而是|却")
_DENIED = re.compile(r"没有?|并?未|无(?!法)|不(?!对称)|缺乏|看不到|看不出|看不清|无法")


def strength_at(text: str, start: int, end: int, before: int = 0, after: int | None = None) -> str:
    """Return the letters that the words of degree in, before or behind `text[start:end]` mean; "" where there is none.

    They are looked for from `before` to `after`, and have to touch what they are about.
    """
    found = _INSIDE.search(text, start, end)
    if found:
        return _LETTERS[found[0]]
    if lead := _BEFORE.search(text[before:start]):
        return _LETTERS[lead[1]]
    behind = _AFTER.match(text[end:after])
    return _LETTERS[behind[1]] if behind else ""


def find_moves(text: str, covered: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield words and action of each movement of a text that none of the covered actions is; denied ones are left out.

    The action is "" where the movement is none that a claim can state.
    """
    for code, pattern in _MOVES:
        if code and code in covered:
            continue
        for said in pattern.finditer(text):
            start = max((stop.end() for stop in _CLAUSE_END.finditer(text, 0, said.start())), default=0)
            stop = _CLAUSE_END.search(text, said.end())
            if not _DENIED.search(text, start, stop.start() if stop else len(text)):
                yield said[0], code
