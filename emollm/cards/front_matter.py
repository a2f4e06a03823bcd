"""Front matter: the YAML at the head of a card, in the keys that the Hugging Face Hub knows.

    "\n".join(["---", *licence("CC BY 4.0", DATA_LICENCES), *listed("tags", ["facs"]), "---"])

Every text is written as a JSON string, which is a YAML string too, so nothing in a name can break the head.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence

_CREATIVE = ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")
_SHARED = (
    *("apache-2.0", "mit", "unlicense", "openrail", "cc0-1.0", "unknown", "other"),
    *(f"cc-{kind}-{version}" for kind in _CREATIVE for version in ("2.0", "3.0", "4.0")),
)
DATA_LICENCES = frozenset((*_SHARED, "odbl", "odc-by", "pddl", "cdla-permissive-2.0"))
MODEL_LICENCES = frozenset(
    (
        *(*_SHARED, "bsd-2-clause", "bsd-3-clause", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "mpl-2.0"),
        *("bigscience-openrail-m", "creativeml-openrail-m", "bigcode-openrail-m", "openrail++", "gemma"),
        *("llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4"),
    )
)
"""Names of licences that the Hub knows: those that data sets have, and those that models have."""


def licence(stated: str | None, known: Collection[str]) -> Iterator[str]:
    """Yield the lines of a licence as it was stated; one that the Hub does not know goes under its own name."""
    stated = stated or "unknown"
    slug = stated.lower().replace(" ", "-")
    if slug in known:
        yield f"license: {slug}"
        return
    yield "license: other"
    yield f"license_name: {text(re.sub(r'[^a-z0-9.]+', '-', stated.lower()).strip('-')[:64] or 'other')}"


def listed(key: str, values: Sequence[str]) -> Iterator[str]:
    """Yield a key with a list of texts; nothing where there are none."""
    if values:
        yield f"{key}:"
        yield from (f"- {text(value)}" for value in values)


def text(value: str) -> str:
    """Return a text as YAML."""
    return json.dumps(value, ensure_ascii=False)


def language(name: str) -> str:
    """Return two or three letters, as the Hub wants them."""
    return re.sub(r"[^a-z]", "", name.lower())[:3] or "en"
