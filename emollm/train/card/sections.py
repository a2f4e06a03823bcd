"""Sections of the model card about what it is, whom it is for and not for, and where it fails."""

from __future__ import annotations

from collections.abc import Iterator

from emollm import __version__
from emollm.cards.origin import RENDERED
from emollm.cards.tables import code, name, table
from emollm.cards.uses import BIOMETRIC, NO_FEELING, NOT_FOR
from emollm.train.card.facts import Facts
from emollm.train.card.procedure import shown

UNKNOWN = "not known"

USE = f"""\
## Intended use

**Made for** research on expressions and on explanations that can be checked: what a face shows, in which action units,
and whether a model that names an expression says what is really there. Its users know what an expression can and cannot
tell, and read every answer as 'expression consistent with'.

{NOT_FOR}

{BIOMETRIC}"""

ETHICS = """\
## Ethical considerations

Whoever is looked at by this model has to know it; who deploys it in the European Union has to tell them (AI Act,
Art. 50(3)). A fluent explanation persuades, true or not: show the measured action units beside it. Labels are the
judgement of annotators, or of the rules that drew the face, and carry their culture."""

FACTORS = """\
Known to matter to models of faces: age, gender, skin tone and ethnicity, beards, glasses and other cover, pose, light,
size and sharpness of the picture, posed or spontaneous expression, and the culture of whoever shows it and of whoever
labelled it."""


def opening(facts: Facts) -> Iterator[str]:
    """Say in two sentences what this is."""
    what = "An adapter with which a vision-language model" if facts.adapter else "A vision-language model that"
    yield f"# {name(facts.name)}"
    yield ""
    yield f"{what} names a facial expression, and explains it by what is seen in the face."
    yield from NO_FEELING.splitlines()


def details(facts: Facts) -> Iterator[str]:
    """What kind of model it is, and of whom."""
    yield "## Model details"
    yield ""
    text = facts.config.get("text_config") or {}
    kind = "adapter" if facts.adapter else "whole model, merged" if facts.merge else "whole model"
    base = shown("model", facts.base) if facts.base else "built from random weights" if facts.trainings else UNKNOWN
    architectures = ", ".join(map(str, facts.config.get("architectures") or ())) or "that of its base"
    kinds = sorted({weight.dtype for weight in facts.weights.values()})
    rows = [
        ("kind", kind),
        ("began from", name(base)),
        ("trained by", ", then ".join(f"`train {one.step.stage}`" for one in reversed(facts.trainings)) or UNKNOWN),
        ("date of the training", _date(facts)),
        ("architecture", name(architectures)),
        ("parameters", f"{sum(weight.size for weight in facts.weights.values()):,} ({', '.join(kinds)})"),
    ]
    if layers := text.get("num_hidden_layers"):
        rows.append(("language layers, width", f"{layers}, {text.get('hidden_size', UNKNOWN)}"))
    if facts.adapter:
        rows.append(("rank, alpha", f"{facts.adapter.get('r')}, {facts.adapter.get('lora_alpha')}"))
    rows += [
        ("licence", name(facts.licence) if facts.licence else "not stated; those of the base and of the data hold"),
        ("made with", f"emollm {__version__}"),
        ("developed by, contact", "not stated"),
    ]
    yield from table(("", ""), rows)


def _date(facts: Facts) -> str:
    """Return the day on which the last training began."""
    return str(facts.trainings[0].manifest.get("started") or UNKNOWN)[:10] if facts.trainings else UNKNOWN


def how_to(facts: Facts) -> Iterator[str]:
    """How to ask it."""
    base = shown("model", str(facts.adapter.get("base_model_name_or_path") or "BASE"))
    model = f"--model {base} --adapter {facts.name}" if facts.adapter else f"--model {facts.name}"
    loading = f'load_model("{base}", adapter="{facts.name}")' if facts.adapter else f'load_model("{facts.name}")'
    yield "## How to use"
    yield ""
    yield "```"
    yield f"emollm chat {model} --image face.png"
    yield f"emollm predict {model} samples.jsonl -o predictions.jsonl"
    yield "emollm score predictions.jsonl samples.jsonl -o scores"
    yield "```"
    yield ""
    yield "```python"
    yield "from pathlib import Path"
    yield ""
    yield "from emollm.prompts import ask"
    yield "from emollm.vlm import ask_about, generate, load_model, open_picture"
    yield ""
    yield f"model, processor = {loading}"
    yield 'picture = open_picture(Path("face.png"))'
    yield '[completion] = generate(model, processor, [ask_about(picture, ask("sections", "basic7"))])'
    yield "```"
    yield ""
    if styles := _styles(facts):
        yield f"It learnt the answer styles {', '.join(map(code, styles))}, and knows no others."


def _styles(facts: Facts) -> list[str]:
    for training in facts.trainings:
        options = training.step.options
        told = list(options.get("styles") or ()) or [str(options["style"])] * bool(options.get("style"))
        if told:
            return told
    return []


def factors(facts: Facts) -> Iterator[str]:
    """What its answers depend on, and which of that was looked at."""
    told = sorted({attribute for scores in facts.scores for attribute in scores.results.groups})
    yield "## Factors"
    yield ""
    yield from FACTORS.splitlines()
    yield ""
    looked = ", ".join(map(code, told))
    yield f"Measured apart here: {looked}." if told else "None of them was measured apart here."


def caveats(facts: Facts) -> Iterator[str]:
    """Where it is known, or likely, to fail."""
    yield "## Caveats and limits"
    yield ""
    sources = {source for file in facts.data if file.counts for source, _ in file.counts.sources}
    if sources == {RENDERED}:
        yield "- It learnt from drawn faces alone. On photographs of people it is out of its element."
    if any(file.counts is None for file in facts.data) or not facts.data:
        yield "- Not all that it learnt from could be looked at when this card was written."
    if not facts.scores:
        yield "- How often it is right is not known."
    if not any(scores.results.groups for scores in facts.scores):
        yield "- Whether it is worse for some people than for others is not known."
    yield "- It was trained on single pictures of one face, and answers about that."
    yield "- It always answers, about a picture without a face too; nothing in it says that it does not know."
    yield "- An explanation is checked for what action units can show; its interpretation is not."
