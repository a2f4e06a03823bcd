"""Abstention: an answer that says that it cannot tell, as distinct from one that cannot be read.

    abstains("The face is turned away, so I cannot determine the emotion.")    # True
    abstains("Unknown.")                                                       # True
    abstains("The mouth is cut off by the frame.")                             # False

It is asked of answers that give no label: "not sure, but probably fear" is an answer. A refusal to judge a face at all
is an abstention too.
"""

from __future__ import annotations

import re

_CANNOT = (
    r"(?:can(?:not|\snot|['’]t)|could(?:\snot|n['’]t)|(?:unable|not\sable|not\spossible|impossible|hard|difficult)\sto"
    r"|do(?:es)?(?:\snot|n['’]t)|will\snot|won['’]t)"
)
_TELL = (
    r"(?:tell|say|know|determined?|judged?|identif(?:y|ied)|recogni[sz]ed?|classif(?:y|ied)|decided?|inferr?(?:ed)?"
    r"|assess(?:ed)?|interpret(?:ed)?|assign(?:ed)?|answer|make\sout|read|see\s(?:a|any|the)\sface|help|assist|comply)"
)
_ABSTAINS = re.compile(
    rf"""\b{_CANNOT}(?:\s\w+){{0,3}}?\s{_TELL}\b
    | \b(?:not|n['’]t)\s(?:sure|certain|clear|determinable|identifiable|discernible|applicable)\b
    | \b(?:uncertain|undetermined|indeterminate|indeterminable|inconclusive|unidentifiable|unrecogni[sz]able)\b
    | \b(?:insufficient|not\senough)\s(?:\w+\s)?(?:information|evidence|detail|data|context|cues?)\b
    | \bno\s(?:\w+\s)?face\s(?:is\s|can\sbe\s)?(?:visible|present|shown|detected|seen|found)\b
    | \babstain\b
    | 无法(?:\w{{0,4}})?(?:判断|确定|识别|辨认|得知|回答|看清) | 不能(?:判断|确定|识别) | 难以(?:判断|确定|识别|辨认)
    | 不确定 | 不清楚 | 不明 | 不知道 | 看不出 | 看不清 | 没有(?:看到|检测到)人?脸
    """,
    re.IGNORECASE | re.VERBOSE,
)
_WORD = re.compile(
    r"(?:unknown|unclear|undecided|unsure|ambiguous|cannot tell|none|n/?a|not available|null|\?+|未知|不明|不详)",
    re.IGNORECASE,
)
_EDGES = " \t\r\n*_`\"'“”‘’.,;:!()[]{}<>。，；：！"


def abstains(said: str) -> bool:
    """Tell whether the text of an answer says that it cannot tell. Never raises; takes time linear in the length."""
    return _WORD.fullmatch(said.strip(_EDGES)) is not None or _ABSTAINS.search(said) is not None
