"""Parsing: any string in, an `Answer` out; from tags, sections, bare labels or prose, in linear time."""

from __future__ import annotations

import re
from typing import NamedTuple

from emollm.answers.given import concluded_label, only_label
from emollm.answers.renderer import HEADINGS
from emollm.answers.turns import own_turn
from emollm.answers.words import items, one_label, unpacked


class Answer(NamedTuple):
    """A completion, read. `None` means that the part is not there or cannot be told."""

    style: str | None = None
    label: str | None = None
    """The one label the answer gives; None where it gives none, or several."""
    labels: tuple[str, ...] = ()
    """Every label the answer gives, in order."""
    context: str | None = None
    observations: str | None = None
    interpretation: str | None = None
    conclusion: str | None = None
    think: str | None = None
    answer: str | None = None
    is_well_formed: bool = False
    """The text has exactly the parts of its style, in order, and one label where the style has one.

    There is a word in each, and the heading of a section begins a line."""
    text: str = ""
    """All that the model itself answers: its own turn, without the blanks around it. Whatever is read of a completion
    besides is read of this."""
    start: int = 0
    """Where that stands in the completion."""
    is_all: bool = True
    """Nothing else stands there but marks of a chat template."""

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


def parse(text: str, label_set: str | None = None) -> Answer:
    """Read a completion. Labels come from the answer or the conclusion, never from the reasoning before it.

    `label_set` names the labels that count (`labels.LABEL_SETS`); without it, or with `open`, any emotion word does,
    and a short answer that is no known emotion word is kept as it is, in lower case. Of a chat that goes on, or begins
    with the question, the first turn that answers is read.
    """
    label_set = None if label_set == "open" else label_set
    plain = _without_fences(text)
    own = own_turn(plain, list(_TAG.finditer(plain)), lambda before: _is_answer(before, label_set))
    answer = _parse_turn(plain[own.start : own.end], label_set)
    said = answer._replace(text=text[own.start : own.end], start=own.start, is_all=own.is_all)
    return said._replace(is_well_formed=answer.is_well_formed and own.is_all)


def _is_answer(text: str, label_set: str | None) -> bool:
    """Tell whether a turn answers: in form, or by giving one label in what is no question."""
    answer = _parse_turn(text, label_set)
    return answer.is_well_formed or (answer.label is not None and "?" not in text)


def _parse_turn(text: str, label_set: str | None) -> Answer:
    tags = list(_TAG.finditer(text))
    if tags:
        return _parse_tags(text, tags, label_set)
    headings = list(_HEADING.finditer(text))
    if headings:
        return _parse_sections(text, headings, label_set)
    return _parse_bare(text, label_set)


_WORD = re.compile(r"\w")


# --- tags -------------------------------------------------------------------------------------------------------------

_TAG = re.compile(r"<[ \t]{0,3}(?P<slash>/?)[ \t]{0,3}(?P<name>context|think|answer)(?:ing)?[ \t]{0,3}>", re.IGNORECASE)
_TAG_ORDER = {"think": ["think", "answer"], "context": ["context", "think", "answer"]}


def _parse_tags(text: str, tags: list[re.Match[str]], label_set: str | None) -> Answer:
    parts = _tagged_parts(text, tags)
    context, think, answer = (parts.get(name) for name in ("context", "think", "answer"))
    style = "context" if context is not None else "think"
    rest = text[tags[-1].end() :].strip() if tags[-1]["slash"] else ""
    said = answer if answer is not None else rest or None
    label, labels = only_label(unpacked(said, label_set), label_set) if said is not None else (None, ())
    paragraphs = [part.strip() for part in re.split(r"\n[ \t]*\n", think or "") if part.strip()]
    observations, interpretation, conclusion = _thoughts(paragraphs, context)
    return Answer(
        style=style,
        label=label,
        labels=labels,
        context=context,
        observations=observations,
        interpretation=interpretation,
        conclusion=conclusion,
        think=think,
        answer=said,
        is_well_formed=label is not None and _has_exact_tags(text, tags, style),
    )


def _tagged_parts(text: str, tags: list[re.Match[str]]) -> dict[str, str]:
    """Map each tag name to its last body that is not blank; an unclosed body ends at the next tag."""
    parts: dict[str, str] = {}
    for number, tag in enumerate(tags):
        name = tag["name"].lower()
        if tag["slash"]:
            # A chat template may have written the opening tag into the prompt.
            if name not in parts and number == 0:
                parts[name] = text[: tag.start()].strip()
            continue
        end = tags[number + 1].start() if number + 1 < len(tags) else len(text)
        body = text[tag.end() : end].strip()
        if body or name not in parts:
            parts[name] = body
    return {name: body for name, body in parts.items() if body}


def _thoughts(paragraphs: list[str], context: str | None) -> tuple[str | None, str | None, str | None]:
    """Split the paragraphs of a thought into observations, interpretation and conclusion, as `render` joins them."""
    if len(paragraphs) == 2 and context is not None:
        return context, paragraphs[0], paragraphs[1]
    if len(paragraphs) == 2:
        return paragraphs[0], paragraphs[1], None
    if len(paragraphs) > 2:
        return paragraphs[0], "\n\n".join(paragraphs[1:-1]), paragraphs[-1]
    return None, None, None


def _has_exact_tags(text: str, tags: list[re.Match[str]], style: str) -> bool:
    """Each tag of the style opens and closes once, in order, around a word, and nothing stands between or outside."""
    wanted = [(slash, name) for name in _TAG_ORDER[style] for slash in ("", "/")]
    if [(tag["slash"], tag["name"].lower()) for tag in tags] != wanted:
        return False
    edges = [0, *(edge for tag in tags for edge in tag.span()), len(text)]
    gaps = [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return not "".join(gaps[::2]).strip() and all(map(_WORD.search, gaps[1::2]))


# --- sections ---------------------------------------------------------------------------------------------------------

_NAMES = r"""(?:
    (?P<observations> key[ ]observations? | facial[ ]observations? | observations? | 关键观察 | 主要观察 | 观察 )
  | (?P<interpretation> (?:overall[ ])?emotional[ ]interpretation | interpretation | (?:整体)?情[绪感]解读 | 解读 )
  | (?P<conclusion> (?:final[ ])?conclusion | 结论 )
)"""
_LINE_START = r"(?:^ | (?<=\n)) [ \t>]{0,4} (?:\#{1,6}[ \t]{0,3})? (?:\d[.)][ \t]{0,3})?"
_COLON = r"[:\uff1a]"
_HEADING = re.compile(
    rf"""
      (?: {_LINE_START} )? (?P<bold>\*\*|__) [ \t]{{0,3}} NAMES [ ]? {_COLON}? [ ]? (?P=bold) [ \t]{{0,3}} {_COLON}?
    | {_LINE_START} NAMES [ \t]{{0,3}} (?: {_COLON} | (?=\r?\n|$) )
    | (?<=[.!?。]\ ) NAMES {_COLON}
    """.replace("NAMES", _NAMES, 1)
    .replace("NAMES", _NAMES.replace("?P<", "?P<line_"), 1)
    .replace("NAMES", _NAMES.replace("?P<", "?P<inline_"), 1),
    re.IGNORECASE | re.VERBOSE,
)


def _parse_sections(text: str, headings: list[re.Match[str]], label_set: str | None) -> Answer:
    names = [_heading_name(heading) for heading in headings]
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    bodies = [text[heading.end() : end].strip() for heading, end in zip(headings, ends, strict=True)]
    parts = {name: body for name, body in zip(names, bodies, strict=True) if body}
    conclusion = parts.get("conclusion")
    label, labels = concluded_label(unpacked(conclusion, label_set), label_set) if conclusion else (None, ())
    is_exact = names == list(HEADINGS) and all(map(_WORD.search, bodies)) and _are_lines(text, headings)
    return Answer(
        style="sections",
        label=label,
        labels=labels,
        observations=parts.get("observations"),
        interpretation=parts.get("interpretation"),
        conclusion=conclusion,
        is_well_formed=is_exact and label is not None,
    )


def _are_lines(text: str, headings: list[re.Match[str]]) -> bool:
    """Each heading begins a line, and nothing stands before the first."""
    before = [text[: heading.start()].rpartition("\n") for heading in headings]
    return not before[0][0].strip() and not any(line.strip() for *_, line in before)


def _heading_name(heading: re.Match[str]) -> str:
    return next(name for name in HEADINGS for prefix in ("", "line_", "inline_") if heading[prefix + name])


# --- bare labels and prose --------------------------------------------------------------------------------------------

_CUE = re.compile(
    r"(?:(?:final|my) answer|answer|emotion|expression|label|答案|情绪|情感|表情)"
    r"(?:[ \t]{0,3}[:\uff1a]|[ ]is[ ]|\r?\n)",
    re.IGNORECASE,
)


def _parse_bare(text: str, label_set: str | None) -> Answer:
    """Read a text without tags or headings: a label, a list of labels, or prose with a label in it."""
    said = text.strip()
    told = unpacked(said, label_set)
    cues = list(_CUE.finditer(told))
    after = told[cues[-1].end() :].strip() if cues else told
    label, labels = only_label(after, label_set)
    if not labels and after != told:
        label, labels = only_label(told, label_set)
    bare = [one_label(item, label_set) for item in items(said)]
    is_list = bool(bare) and None not in bare
    style = ("label" if len(bare) == 1 else "labels") if is_list else None
    return Answer(style=style, label=label, labels=labels, answer=said or None, is_well_formed=is_list)


_FENCE = re.compile(r"^[ \t]{0,3}```\w{0,16}[ \t]{0,3}$", re.MULTILINE)


def _without_fences(text: str) -> str:
    """Blank the lines that open or close a code block; all else keeps its place."""
    return _FENCE.sub(lambda fence: " " * len(fence[0]), text) if "```" in text else text
