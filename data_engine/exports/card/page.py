"""The data card: README.md of an export, as the Hugging Face Hub shows it. It says what was counted, and nothing else.

    write_card(folder, facts)

`sections.py` tells what is in it, `history.py` where it comes from; what holds for every export is said here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from data_engine.exports.card.facts import Facts
from data_engine.exports.card.history import authors, files, left_out, making, sources
from data_engine.exports.card.sections import action_units, labels, numbers, opening, people
from emollm.files import in_one_step

_CREATIVE = ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")
LICENCES = frozenset(
    (
        *("apache-2.0", "mit", "unlicense", "openrail", "odbl", "odc-by", "pddl", "cdla-permissive-2.0", "cc0-1.0"),
        *(f"cc-{kind}-{version}" for kind in _CREATIVE for version in ("2.0", "3.0", "4.0")),
        *("unknown", "other"),
    )
)
"""Names of licences that the Hub knows, those that data sets have."""

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
TASKS = {"image": "image-text-to-text", "video": "video-text-to-text"}
TAGS = ("facial-expression", "facial-action-units", "facs", "emotion-recognition", "explanation", "emollm")

USE = """\
## Uses

**Made for** research on models that name a facial expression *and* say what they see: training, and checking whether
what a model says is in the face. A label names the emotion that an *expression is consistent with*. An expression is
not a feeling: people feel without showing and show without feeling, and faces, cultures and situations differ.

**Not for** judging people. In the European Union, AI systems that infer emotions of people at work or in education are
prohibited, but for medical or safety reasons (AI Act, Regulation (EU) 2024/1689, Art. 5(1)(f)). Elsewhere too, nothing
here supports decisions about jobs, marks, credit, insurance, health, policing or borders. Nor is it for recognising who
somebody is: no identity was inferred, and a subject is no more than the name that a data set gives a person, so that
splits can be kept apart.

**Biometric data.** Pictures of real faces are personal data and can be biometric data (GDPR, Art. 4(14) and Art. 9).
Consent, terms and licences of the sources hold here as they hold there; who withdraws has to be removed here too."""


def write_card(folder: Path, facts: Facts) -> None:
    """Write README.md in one step."""
    with in_one_step(folder / "README.md") as part:
        part.write_text("\n".join([*front_matter(facts), "", *body(facts), ""]), encoding="utf-8")


def body(facts: Facts) -> Iterator[str]:
    """Yield the lines of the card."""
    for section in (opening, numbers, labels, action_units, people, authors, left_out, sources, making):
        if lines := list(section(facts)):
            yield from lines
            yield ""
    yield USE
    yield ""
    yield from files(facts)


def front_matter(facts: Facts) -> Iterator[str]:
    """Yield the YAML that the Hub reads. JSON strings are YAML strings."""
    yield "---"
    yield from _licence(facts)
    yield from _listed("language", sorted(_code(name) for name in facts.counts.languages) or ["en"])
    yield f"pretty_name: {_text(facts.title)}"
    yield from _listed("task_categories", [TASKS[kind] for kind in sorted(facts.counts.kinds) if kind in TASKS])
    yield from _listed("size_categories", [_size(facts.num_rows)])
    yield from _listed("tags", [*TAGS, *facts.format.tags])
    yield from _configs(facts)
    yield "---"


def _licence(facts: Facts) -> Iterator[str]:
    stated = facts.licence or facts.one_licence or "unknown"
    known = stated.lower().replace(" ", "-")
    if known in LICENCES:
        yield f"license: {known}"
        return
    yield "license: other"
    yield f"license_name: {_text(re.sub(r'[^a-z0-9.]+', '-', stated.lower()).strip('-')[:64] or 'other')}"


def _configs(facts: Facts) -> Iterator[str]:
    """Tell the Hub which files hold the examples, or to show none of them."""
    if not facts.data_files:
        yield "viewer: false"
        return
    yield "configs:"
    for config, path in facts.data_files.items():
        yield f"- config_name: {config}"
        yield f"  data_files: {_text(path)}"


def _listed(key: str, values: list[str]) -> Iterator[str]:
    if values:
        yield f"{key}:"
        yield from (f"- {_text(value)}" for value in values)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _size(num_rows: int) -> str:
    return next((name for most, name in SIZES if num_rows < most), "1M<n<10M" if num_rows < 10**7 else "n>10M")


def _code(language: str) -> str:
    """Two or three letters, as the Hub wants them."""
    return re.sub(r"[^a-z]", "", language.lower())[:3] or "en"
