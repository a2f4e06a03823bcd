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
    "E": ("极强", "最大程度", "最大限度"),
}
"""FACS letters to the words that mean one of them; the five words that prompts give mean one letter alone."""

_LETTERS = {word: letters for letters, words in STRENGTHS.items() for word in words}
_WORD = "|".join(sorted(_LETTERS, key=len, reverse=True))
_BEFORE = re.compile(rf"({_WORD})[度地的]{{0,2}}(?:[左右两双]侧?|向[上下])?的?$")
_INSIDE = re.compile(_WORD)
_AFTER = re.compile(
    rf"^[）)]?(?:的?(?:程度|幅度|强度|动作))?[得的]?(?:为|是|属|十分|非常|较为|比较|很|显得|有些){{0,2}}({_WORD})"
)

_NEAR = r"[^，。；！？,;!?\n]{0,5}"
_BROWS = rf"(?:眉(?:毛|峰|宇)?|双眉|两眉){_NEAR}"
_LIPS = rf"(?:嘴唇|双唇|两唇|上下唇|嘴巴){_NEAR}"
_EYES = rf"(?:眼睛?|双目|两目){_NEAR}"
_UP = r"(?:扬|挑|翘|抬|耸|竖(?!纹)|提[起高升]|上提|高高|向上)"
MOVES: tuple[tuple[str, str], ...] = (
    ("AU01", rf"(?:眉头|眉毛?内[侧端]|内眉){_NEAR}{_UP}|眉{_NEAR}内[侧端]?高(?!度)|眉{_NEAR}(?<!倒)八字|(?<!倒)八字眉"),
    ("AU02", rf"(?:眉梢|眉尾|眉毛?外[侧端]|外眉){_NEAR}{_UP}"),
    ("AU04 AU02", rf"眉{_NEAR}倒八字|倒八字眉|眉{_NEAR}外[侧端]?高(?!度)"),
    ("AU01 AU02", rf"{_BROWS}{_UP}"),
    ("AU04", rf"(?:眉(?:头|毛|心|间|宇)?|双眉|两眉){_NEAR}(?:皱|蹙|锁|拧|压|聚拢|靠|挤)|愁眉"),
    ("AU04", rf"眉(?:间|心|头|毛)?(?:之间|中间)?{_NEAR}(?:竖纹|纹路|沟|川字)"),
    ("AU01 AU02 AU04", rf"额{_NEAR}{_NEAR}(?:皱|横纹|纹路|褶)|抬头纹"),
    (
        "AU05",
        rf"{_EYES}(?:睁|张|瞪){_NEAR}(?:大|圆)|(?:睁|张|瞪)(?:大|圆)了?(?:双|两)?眼|圆睁|瞪|上眼[睑皮]{_NEAR}(?:提|抬)",
    ),
    ("AU06 AU07", rf"鱼尾纹|眼[角尾周]{_NEAR}(?:皱|细纹|纹路)"),
    ("AU06", rf"(?:眼睛?|双眼|双目|眼眸|眉眼){_NEAR}(?:弯|月牙|笑)|(?:弯|笑)(?:成|着|了)?的?(?:双|两)?眼|笑眼"),
    ("AU06 AU07", rf"(?:下眼[睑皮]|下睑){_NEAR}(?:推|挤|抬|提|隆|鼓|上移)|卧蚕"),
    ("AU07", rf"(?:下眼[睑皮]|下睑){_NEAR}(?:绷|收|紧)"),
    ("AU06", rf"(?:脸颊|面颊|两颊|双颊|颧骨?){_NEAR}(?:抬|提|隆|耸|堆)"),
    ("AU07 AU43", rf"{_EYES}(?:眯|条缝)|眯缝?(?:起|着|成|紧)?了?(?:双|两)?眼"),
    ("AU43", rf"{_EYES}(?:闭|半睁|合上)|闭(?:上|着|紧)了?(?:双|两)?眼|(?:上?眼[皮睑]|眼帘){_NEAR}(?:耷|垂|沉)"),
    ("AU09", rf"鼻(?:子|头|梁|根|翼)?{_NEAR}(?:皱|横纹|褶|缩)"),
    ("AU10", rf"上唇{_NEAR}(?:提|抬|掀|翻起)|牙龈"),
    (
        "AU11 AU09 AU10 AU12",
        rf"(?:法令纹|鼻唇沟|鼻[翼侧]{_NEAR}[沟纹]纹?){_NEAR}(?:深|显|突出|重)|深的?(?:法令纹|鼻唇沟)",
    ),
    ("AU12", rf"嘴角{_NEAR}(?:{_UP}|弯起|勾|咧)|(?:咧嘴|露齿|开怀|哈哈)?大笑|笑意|发笑"),
    ("AU15", rf"嘴角{_NEAR}(?:耷|撇|垂|沉|下弯|下拉|向下)|撇(?:着)?嘴"),
    ("AU16", rf"下唇{_NEAR}(?:下压|下拉|向下)"),
    ("AU17", rf"下巴{_NEAR}(?:皱|抬|顶|上推|隆起)"),
    ("AU17 AU18 AU22", rf"下唇{_NEAR}(?:突|撅|噘|前伸|翻出)"),
    ("AU18 AU22", rf"[撅噘嘟]着?起?嘴|嘴唇?[撅噘嘟]|(?:嘴唇|双唇){_NEAR}(?:突|前伸)"),
    ("AU20", rf"嘴(?:唇|角|巴)?{_NEAR}(?:拉伸|扯|拉开|向两[侧边])"),
    ("AU20 AU25 AU26 AU27", rf"咧(?:着|开)?嘴|嘴巴?{_NEAR}咧|咧开"),
    ("AU23 AU24", rf"(?:嘴唇|双唇|两唇|嘴巴){_NEAR}(?:抿|紧闭|紧绷|绷紧|收紧|压紧|紧压|一条线)|抿(?:着|紧|起)?嘴"),
    ("AU25 AU26 AU27", rf"{_LIPS}(?:张|分开|微启)|(?:露|龇|呲){_NEAR}{_NEAR}牙"),
    ("AU26 AU27", rf"(?:下巴|下颌|下颚){_NEAR}(?:掉|落|垂|(?<!放)松[开弛]|张)(?:下|开|落)?"),
    ("AU27", rf"嘴巴?{_NEAR}(?:张|咧)得{_NEAR}大"),
    ("AU31", r"牙关|咬(?:紧|着|住)?牙"),
    ("AU34", r"(?:腮帮|脸颊|两颊|腮)(?:子)?鼓"),
    ("AU38", rf"鼻孔{_NEAR}(?:张|扩|撑|放)[开大]|鼻翼{_NEAR}(?:张|扩|翕|煽)[开大动]?"),
    ("AU19", r"舌"),
    ("AU32", r"咬(?:着|住)?(?:嘴唇|下唇|上唇)"),
    ("", rf"嘴(?:巴|部|角)?{_NEAR}歪|歪(?:着)?嘴|(?:嘴角|下巴|下颌){_NEAR}[歪偏]"),
    ("", r"泪|哭|抽泣|湿润|泛红|红晕|发红|潮红|通红|涨红|血丝|青筋|冒汗|出汗|汗珠|雀斑|伤疤|痣|煞白"),
    ("", rf"转(?:过)?头|扭头|侧头|偏头|歪头|头部?{_NEAR}(?:转|偏|歪|扭|倾|仰)|(?:转|别)过?脸"),
    ("", r"低(?:下|着)?头|垂(?:下|着)?头|抬(?:起|着)?头|仰(?:起|着)?头|点头|摇头"),
    ("", rf"脸色?{_NEAR}(?:苍白|发白)|脸红|面红"),
    ("", rf"(?:目光|视线|眼神|眼球|双眼){_NEAR}(?:转|移|投|望|盯|看)向?|翻白眼|斜视"),
    ("", r"耸肩|颤|发抖|抽[动搐]"),
    (
        "",
        r"(?:胡须|胡子|胡茬|[长短卷]发|马尾|口罩|头发|发型|刘海|眼镜|墨镜|帽子|耳环|口红|妆容|衣领)(?![^。；！？]{0,8}(?:遮|挡|盖|掩))",
    ),
    ("", r"用手|手(?:指|捂|托|扶|掩)|牙齿(?:洁白|整齐)"),
)
"""Movements that Chinese texts like to add: the actions that cover them, "" where none that can be claimed does."""

_MOVES = tuple((tuple(codes.split()), re.compile(pattern)) for codes, pattern in MOVES)
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


def strength_in(lead: str) -> str:
    """Return the letters of the last word of degree in what a code in brackets names: “脸颊隐约抬起（”; "" without."""
    found = _INSIDE.findall(lead) if lead.endswith(("（", "(")) else []
    return _LETTERS[found[-1]] if found else ""


def find_moves(text: str, covered: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield words and action of each movement of a text that none of the covered actions is; denied ones are left out.

    The action is "" where the movement is none that a claim can state.
    """
    for codes, pattern in _MOVES:
        if any(code in covered for code in codes):
            continue
        for said in pattern.finditer(text):
            if not _is_denied(text, said):
                yield said[0], codes[0] if codes else ""


_MORE = re.compile(
    r"(?P<side>[左右])(?:侧|边)?的?[^左右，。；！？,;!?\n]{0,8}"
    r"(?:(?:比|高于|低于|大于|强于|超过|深于)[^，。；！？,;!?\n]{0,4}[左右]|[更较](?!为?对称)(?!小|弱|少|轻)|[略稍](?:高|强|大|深))"
)
_LESS = re.compile(
    r"[左右](?:侧|边)?的?[^左右，。；！？,;!?\n]{0,10}(?<![不没])(?<!没有)"
    r"(?:(?:小于|低于|弱于|浅于|轻于|不如|不及|赶不上|比不上)[^，。；！？,;!?\n]{0,3}(?P<side>[左右])"
    r"|(?:没有|没)(?P<other>[左右])(?:侧|边)?[^，。；！？,;!?\n]{0,4}(?:高|强|厉害|明显|深|大|多|用力)"
    r"|比(?P<than>[左右])(?:侧|边)?[^，。；！？,;!?\n]{0,4}(?:低|弱|小|浅|轻))"
)
"""One side less than the other, which is named behind; a denial in these words is none of a difference."""
_UNLIKE = re.compile(
    r"一高一低|高低不|(?:左右|两侧|两边)[^，。；！？,;!?\n]{0,4}不(?:太|够|完全)?(?:对称|一致|均匀)|不对称"
)
_SIDES = {"左": "left", "右": "right"}


def find_uneven(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield words and side wherever a text says that a side moves more; None: that the sides differ."""
    less = list(_LESS.finditer(text))
    for said in less:
        yield said[0], _SIDES[said["side"] or said["other"] or said["than"]]
    for said in _MORE.finditer(text):
        if not _is_denied(text, said) and all(said.start() != one.start() for one in less):
            yield said[0], _SIDES[said["side"]]
    for said in _UNLIKE.finditer(text):
        yield said[0], None


def _is_denied(text: str, said: re.Match[str]) -> bool:
    start = max((stop.end() for stop in _CLAUSE_END.finditer(text, 0, said.start())), default=0)
    stop = _CLAUSE_END.search(text, said.end())
    return _DENIED.search(text, start, stop.start() if stop else len(text)) is not None
