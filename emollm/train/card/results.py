"""Results: the sections of the card about what was measured, and on whom. Is the label right, the explanation true?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from emollm.cards.tables import code, name, number_of, part_of, table
from emollm.train.card.data import DataFile
from emollm.train.card.facts import Facts
from emollm.train.card.procedure import shown
from emollm.train.card.scores import Definition, Number, Rates, Scores

SIDES = {
    "Is the label right?": ("accuracy", "uar", "macro_f1", "labels_f1"),
    "Is the explanation true?": ("claim_precision", "claim_recall", "au_macro_f1", "true_explanations"),
}
BOTH = "right_for_true_reasons"
HEADLINES = (*(metric for side in SIDES.values() for metric in side), BOTH)
BY_GROUP = ("accuracy", "uar", "claim_precision", "au_macro_f1")
"""What `emollm score` computes for each value of each group."""
CLAIMS = """\
A claim is what a sentence of the explanation says about the face; it is checked against measured action units (AUs) by
one and the same code in data, rewards and evaluation. Intervals are bootstrapped over people where they are known, over
samples otherwise."""
JOINT = (("right", "label right"), ("wrong", "label wrong"))


def metrics(facts: Facts) -> Iterator[str]:
    """Yield what the numbers mean."""
    yield "## Metrics"
    yield ""
    if not facts.scores:
        yield "Nothing was measured, or nobody said where: this card was written without a folder of `emollm score`."
        return
    yield from CLAIMS.splitlines()
    yield ""
    definitions: dict[str, Definition] = {}
    for scores in facts.scores:
        known = scores.results
        definitions |= {key: known.definitions[key] for key in HEADLINES if _is_known(known.metrics, key)}
    yield from table(("metric", "meaning"), ((name(one.title), _plain(one.text)) for one in definitions.values()))
    for scores in facts.scores:
        settings = scores.results.settings
        present = ", ".join(f"{kind} {value:g}" for kind, value in settings.thresholds.items())
        yield ""
        yield (
            f"{code(scores.folder)}: an AU is present from {present or 'a value not told'}; "
            f"{100 * settings.confidence:g} % intervals from {settings.num_resamples:,} resamples; emollm "
            f"{scores.results.emollm}."
        )


def _plain(text: str) -> str:
    return text.replace("|", "\\|")


def evaluation_data(facts: Facts) -> Iterator[str]:
    """Yield what was scored, and whether any of it was learnt from."""
    yield "## Evaluation data"
    yield ""
    if not facts.scores:
        yield "None is known."
    for scores in facts.scores:
        results = scores.results
        file = results.inputs.get("samples")
        split = f", split {code(results.settings.split)}" if results.settings.split else ""
        limit = f", the first {results.settings.limit:,}" if results.settings.limit else ""
        told = {key: results.coverage.get(key, 0) for key in ("samples", "missing", "labelled", "measured", "subjects")}
        yield (
            f"{code(scores.folder)}: {code(file.file if file else 'not told')}{split}{limit}, digest "
            f"{code(scores.samples_sha256[:16])}. {number_of(told['samples'], 'sample')}, of them "
            f"{told['labelled']:,} with a gold label and {told['measured']:,} with measured AUs; "
            f"{number_of(told['subjects'], 'known person', 'known people')}. {told['missing']:,} have no prediction "
            f"and count as wrong. {_answered(facts, scores)}"
        )
        yield ""
        yield from (overlap(file, scores) for file in facts.data)
        yield ""


def _answered(facts: Facts, scores: Scores) -> str:
    """Say whose predictions were scored, and whether that is this model as far as names tell."""
    models = ", ".join(code(shown("model", model)) for model in scores.results.models)
    doubt = "" if scores.is_of(facts.folder) else f", while the folder of this model is called {code(facts.folder)}"
    return f"The predictions are of {models or 'a model not told'}{doubt}."


def overlap(file: DataFile, scores: Scores) -> str:
    """Say whether samples or people that were scored were learnt from."""
    if file.counts is None or not scores.ids:
        return f"- Whether it shares samples or people with {code(file.name)} is not known."
    ids, people = len(file.shared_ids(scores)), len(file.shared_subjects(scores))
    if not scores.subjects or not file.counts.num_subjects:
        told = "whether it shares people is not known, as not both say who is who"
    else:
        told = f"{people:,} of its people were learnt from"
    part = f" ({file.split})" if file.split else ""
    return f"- Of its samples {ids:,} were learnt from in {code(file.name)}{part}; {told}."


def results(facts: Facts) -> Iterator[str]:
    """Yield the numbers: both sides beside each other, then per group, per label and per AU."""
    yield "## Results"
    yield ""
    if not facts.scores:
        yield "Not known. Run `emollm predict` and `emollm score` on people that the model has not seen."
    for scores in facts.scores:
        yield f"### {name(scores.folder)}"
        yield ""
        yield from _side_by_side(scores)
        yield from _joint(scores.results.joint)
        yield from _groups(scores)
        yield from _rates("label", scores.results.labels)
        yield from _rates("AU", scores.results.aus)


def _side_by_side(scores: Scores) -> Iterator[str]:
    known, titles = scores.results.metrics, scores.results.definitions
    sides = [
        [(titles[key].title, known[key].shown(titles[key].unit)) for key in keys if _is_known(known, key)]
        for keys in SIDES.values()
    ]
    height = max(map(len, sides))
    padded = [side + [("", "")] * (height - len(side)) for side in sides]
    rows = [[cell for one in pair for cell in one] for pair in zip(*padded, strict=True)]
    label, explanation = SIDES
    yield from table((label, "", explanation, ""), rows, "lrlr")
    yield ""
    if _is_known(known, BOTH):
        yield f"Both at once, right for true reasons: {known[BOTH].shown()}."
        yield ""
    chance = len(scores.results.labels)
    if chance and _is_known(known, "accuracy"):
        yield f"Guessing evenly among the {chance} labels would be right in {100 / chance:.1f} % of the samples."
        yield ""


def _is_known(numbers: Mapping[str, Number], key: str) -> bool:
    return key in numbers and numbers[key].value is not None


def _joint(joint: Mapping[str, int]) -> Iterator[str]:
    total = sum(joint.values())
    if not total:
        return
    rows = [
        (text, *(part_of(joint.get(f"{word}_{truth}", 0), total) for truth in ("true", "untrue")))
        for word, text in JOINT
    ]
    yield from table(("", "explanation true", "explanation not true"), rows, "lrr")
    yield ""


def _groups(scores: Scores) -> Iterator[str]:
    titles = scores.results.definitions
    if not scores.results.groups:
        yield "No sample names a group, such as age or gender, so nothing is known about differences between groups."
        yield ""
    for attribute, values in scores.results.groups.items():
        keys = [key for key in BY_GROUP if any(_is_known(numbers, key) for numbers in values.values())]
        rows = [
            (name(value), f"{max(one.num_samples for one in numbers.values()):,}", *_shown(numbers, keys))
            for value, numbers in values.items()
        ]
        yield from table(
            (name(attribute), "samples", *(titles[key].title for key in keys)), rows, "lr" + "r" * len(keys)
        )
        yield ""
    if len(scores.results.groups) > 1:
        yield "Groups are told one by one; people who belong to two of them at once were not looked at apart."
        yield ""


def _shown(numbers: Mapping[str, Number], keys: list[str]) -> list[str]:
    return [numbers[key].shown() if key in numbers else "not known" for key in keys]


def _rates(what: str, rates: list[Rates]) -> Iterator[str]:
    there = [one for one in rates if one.support]
    if not there:
        return
    rows = (
        (
            name(one.name if one.name == one.title else f"{one.name} {one.title}"),
            f"{one.support:,}",
            one.precision.shown(),
            one.recall.shown(),
            one.f1.shown(),
        )
        for one in there
    )
    yield from table((what, "samples", "precision", "recall", "F1"), rows, "lrrrr")
    yield ""
