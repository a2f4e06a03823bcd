"""Letters: full-width and ornate ones, and digits, made the plain ones that they stand for, each in its place.

plain("ＡＵ４")    # "AU4"
"""

from __future__ import annotations

from unicodedata import is_normalized, normalize


def plain(text: str) -> str:
    """Return a text of the same length in which a sign that NFKC makes one letter or digit is that one."""
    if text.isascii() or is_normalized("NFKC", text):
        return text
    return "".join(map(_plain, text))


def _plain(sign: str) -> str:
    normal = normalize("NFKC", sign)
    return normal if len(normal) == 1 and normal.isalnum() else sign
