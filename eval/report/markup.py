"""HTML by construction: text is escaped unless it is `Markup`, and only `tag` and `join` make `Markup`.

    tag("td", row.completion, class_="num")          Markup('<td class="num">a &lt; b</td>')

Model output is hostile; nothing it contains can become a tag or leave an attribute.
"""

from __future__ import annotations

import html
import re

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Markup(str):
    """HTML that is safe as it stands."""

    __slots__ = ()


Child = str | None


def escape(value: str) -> str:
    """Return the value for use as text or in a quoted attribute; control characters, also those of
    writing direction, become �."""
    return value if isinstance(value, Markup) else html.escape(_UNPRINTABLE.sub("�", value), quote=True)


def join(*parts: Child) -> Markup:
    """Put parts after each other; None is left out."""
    return Markup("".join(escape(part) for part in parts if part is not None))


def tag(name: str, /, *children: Child, **attributes: Child | bool) -> Markup:
    """Return an element. `class_` is written `class`, `data_gold` is `data-gold`; None and False are left out."""
    written = []
    for key, value in attributes.items():
        if value is True:
            written.append(f" {_attribute(key)}")
        elif isinstance(value, str):
            written.append(f' {_attribute(key)}="{escape(value)}"')
    return Markup(f"<{name}{''.join(written)}>{join(*children)}</{name}>")


def void(name: str, /, **attributes: Child | bool) -> Markup:
    """Return an element without content, such as `img` or `input`."""
    return Markup(tag(name, **attributes).removesuffix(f"</{name}>"))


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def section(anchor: str, title: str, lead: str, *body: Child) -> Markup:
    """Put a heading and one sentence over a part of the page."""
    return tag("section", tag("h2", title), tag("p", lead, class_="lead"), *body, id=anchor)


def table(head: list[Markup], rows: list[Markup], caption: str | None = None, class_: str | None = None) -> Markup:
    """Return a table that scrolls by itself where the page is too narrow."""
    title = tag("caption", caption) if caption else None
    body = tag("table", title, tag("thead", tag("tr", *head)), tag("tbody", *rows), class_=class_)
    return tag("div", body, class_="scroll")


def heading(title: str, class_: str | None = None) -> Markup:
    """Return the heading of a column."""
    return tag("th", title, scope="col", class_=class_)
