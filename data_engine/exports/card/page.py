"""The data card: README.md of an export, as the Hugging Face Hub shows it. It says what was counted, and nothing else.

    write_card(folder, facts)

`sections.py` tells what is in it, `history.py` where it comes from; what holds for every export is said here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from data_engine.exports.card.facts import Facts
from data_engine.exports.card.history import authors, files, left_out, making, sources
from data_engine.exports.card.sections import action_units, labels, numbers, opening, people
from emollm.cards.front_matter import DATA_LICENCES, language, licence, listed, text
from emollm.cards.uses import BIOMETRIC, NO_FEELING, NOT_FOR
from emollm.files import in_one_step

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
TASKS = {"image": "image-text-to-text", "video": "video-text-to-text"}
TAGS = ("facial-expression", "facial-action-units", "facs", "emotion-recognition", "explanation", "emollm")

USE = f"""\
## Uses

**Made for** research on models that name a facial expression *and* say what they see: training, and checking whether
what a model says is in the face. {NO_FEELING}

{NOT_FOR}

{BIOMETRIC}"""


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
    yield from licence(facts.licence or facts.one_licence, DATA_LICENCES)
    yield from listed("language", sorted(language(name) for name in facts.counts.languages) or ["en"])
    yield f"pretty_name: {text(facts.title)}"
    yield from listed("task_categories", [TASKS[kind] for kind in sorted(facts.counts.kinds) if kind in TASKS])
    yield from listed("size_categories", [_size(facts.num_rows)])
    yield from listed("tags", [*TAGS, *facts.format.tags])
    yield from _configs(facts)
    yield "---"


def _configs(facts: Facts) -> Iterator[str]:
    """Tell the Hub which files hold the examples, or to show none of them."""
    if not facts.data_files:
        yield "viewer: false"
        return
    yield "configs:"
    for config, path in facts.data_files.items():
        yield f"- config_name: {config}"
        yield f"  data_files: {text(path)}"


def _size(num_rows: int) -> str:
    return next((name for most, name in SIZES if num_rows < most), "1M<n<10M" if num_rows < 10**7 else "n>10M")
