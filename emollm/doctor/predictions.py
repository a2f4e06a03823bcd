"""Predictions: what is wrong with a predictions.jsonl, as far as it can be told without the samples.

list(check_predictions(Path("predictions.jsonl"), limit=None))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from emollm.answers import STYLES, parse
from emollm.doctor.faults import Fault, Faults
from emollm.doctor.finding import Finding, error, fine, warning
from emollm.doctor.samples import likeness
from emollm.doctor.texts import Texts
from emollm.labels import canonical
from emollm.records import BadLine, Prediction, read_records
from emollm.scoring import is_well_formed
from emollm.stage import track

FAULTS = {
    "malformed": Fault("error", "lines are no predictions", "mend or remove them; they count nowhere"),
    "duplicate": Fault("error", "ids occur again", "keep one prediction of each sample"),
    "empty": Fault("warning", "completions are empty", "they count as wrong; look at the prompt and the end token"),
    "no_label": Fault("warning", "completions name no emotion that is known", "they count as wrong; compare --style"),
    "form": Fault(
        "warning", "completions are not in the style that was asked for", "raise --max-new-tokens if cut off"
    ),
}
MOST_UNREADABLE = 0.5
"""The share of answers without a label beyond which the file says nothing."""
COLLAPSED = 0.5
"""The share of one and the same answer beyond which a model has stopped looking."""
FEW = 10
"""Predictions below which shares tell nothing."""


def check_predictions(path: Path, limit: int | None) -> Iterator[Finding]:
    """Yield what is wrong with a file of predictions."""
    faults, texts = Faults(FAULTS), Texts()
    labels: Counter[str] = Counter()
    models: Counter[str] = Counter()
    number = 0

    def bad(line: BadLine) -> None:
        is_copy = line.reason.startswith("id: ") and "is already on line" in line.reason
        faults.add("duplicate" if is_copy else "malformed", f"line {line.line}: {line.reason}")

    for prediction in track(islice(read_records(path, Prediction, bad=bad), limit), path.name):
        number += 1
        models[prediction.model] += 1
        if not prediction.completion.strip():
            faults.add("empty", prediction.id)
            continue
        texts.add(prediction.completion)
        answer = parse(prediction.completion)
        known = [label for label in answer.labels if canonical(label) is not None]
        if not known:
            faults.add("no_label", prediction.id)
        labels[answer.label if answer.label in known else ""] += 1
        style = prediction.style if prediction.style in STYLES else None
        if not is_well_formed(answer, style):
            faults.add("form", prediction.id)
    if not number:
        yield error(path, "holds no prediction", "give a file that `emollm predict` wrote")
        return
    yield from faults.findings(path)
    unread = faults.counts["empty"] + faults.counts["no_label"]
    if unread > MOST_UNREADABLE * number:
        yield error(
            path, f"{unread / number:.0%} of the answers name no emotion", "look at some of them before scoring"
        )
    yield from _collapse(path, labels, texts)
    if len(models) > 1:
        yield warning(path, f"several models answered: {', '.join(sorted(models))}", "score them apart")
    yield fine(path, f"{number:,} predictions of {', '.join(sorted(models))}")


def _collapse(path: Path, labels: Counter[str], texts: Texts) -> Iterator[Finding]:
    """Yield whether the model says one and the same about most faces."""
    label, most = labels.most_common(1)[0] if labels else ("", 0)
    if label and texts.number >= FEW and most > COLLAPSED * texts.number:
        told = f"{most / texts.number:.0%} of the answers are '{label}'"
        yield warning(path, told, "compare with the gold labels: does the model look at the picture?")
    if texts.number >= FEW and texts.most > COLLAPSED * texts.number and len(labels) > 1:
        told = f"{texts.most:,} of {texts.number:,} answers are word for word the same"
        yield warning(path, told, "show it a blank picture: does the model look?")
    yield from likeness(path, texts, "answers", "look at some: does the model describe each face?")
