"""The page: front matter for the Hub, then the sections of Mitchell et al. 2019, learning before measuring.

print(page(facts, "README"))
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from emollm.cards.front_matter import MODEL_LICENCES, language, licence, listed, text
from emollm.train.card.data import training_data
from emollm.train.card.facts import Facts
from emollm.train.card.procedure import procedure
from emollm.train.card.results import HEADLINES, evaluation_data, metrics, results
from emollm.train.card.sections import ETHICS, USE, caveats, details, factors, how_to, opening

TAGS = ("facial-expression", "facial-action-units", "facs", "emotion-recognition", "explanation", "emollm")
_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


def page(facts: Facts, stem: str) -> str:
    """Return the whole card, which is to be called STEM.md: the pictures beside it are called after it."""
    lines = [*front_matter(facts), ""]
    use, ethics = USE.splitlines(), ETHICS.splitlines()
    about = (opening(facts), details(facts), use, how_to(facts), factors(facts))
    learnt = (training_data(facts.data), procedure(facts, stem))
    measured = (metrics(facts), evaluation_data(facts), results(facts))
    for section in (*about, *learnt, *measured, ethics, caveats(facts)):
        lines += [*section, ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def front_matter(facts: Facts) -> Iterator[str]:
    """Yield the YAML that the Hub reads."""
    yield "---"
    yield from licence(facts.licence, MODEL_LICENCES)
    spoken = {one for file in facts.data if file.counts is not None for one in file.counts.languages}
    yield from listed("language", sorted({language(one) for one in spoken}))
    if _HUB_NAME.fullmatch(facts.base) and not Path(facts.base).exists():
        yield f"base_model: {text(facts.base)}"
        yield f"base_model_relation: {'adapter' if facts.adapter else 'finetune'}"
    yield f"library_name: {'peft' if facts.adapter else 'transformers'}"
    yield "pipeline_tag: image-text-to-text"
    yield from listed("tags", TAGS)
    yield from _model_index(facts)
    yield "---"


def _model_index(facts: Facts) -> Iterator[str]:
    """Yield the results as the Hub lists them."""
    if not facts.scores:
        return
    yield "model-index:"
    yield f"- name: {text(facts.name)}"
    yield "  results:"
    for scores in facts.scores:
        file = scores.results.inputs.get("samples")
        yield "  - task:"
        yield "      type: image-text-to-text"
        yield "    dataset:"
        yield f"      name: {text(file.file if file else scores.folder)}"
        yield "      type: emollm"
        if scores.results.settings.split:
            yield f"      split: {text(scores.results.settings.split)}"
        yield "    metrics:"
        for key in HEADLINES:
            number, definition = scores.results.metrics.get(key), scores.results.definitions.get(key)
            if number is not None and number.value is not None and definition is not None:
                yield f"    - type: {text(key)}"
                yield f"      name: {text(definition.title)}"
                yield f"      value: {round(number.value, 4)}"
