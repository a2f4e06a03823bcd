"""The rules teacher: writes an explanation from action units and a codebook, checks it, and writes again when refused.

    draft = teach(sample, Options(codebook="emfacs", seed=0))

Its wording is drawn from the sample's id and the seed alone. Each attempt is drawn afresh, and what was refused is
kept with the reason. The observations are written before anything about the label is known.
"""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any

from data_engine.exp_cot.conclude import REMARKS, conclude, interpret
from data_engine.exp_cot.describe import describe
from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.infer import AGREES, Finding, infer, settle
from data_engine.exp_cot.verify import MIN_WORDS, find_problems
from data_engine.exp_cot.view import View, look
from emollm.labels import LABEL_SETS, canonical
from emollm.records import Reasoning, Sample
from emollm.scoring import main_face

MAX_ATTEMPTS = 5

TERSE_FROM = 8
"""From this many signs on, sentences are kept short from the first attempt."""


def teach(sample: Sample, options: Options) -> Draft:
    """Explain one sample, or say why not."""
    word = label_word(sample)
    face = main_face(sample)
    if face is None or not face.aus:
        return Draft(reason="no_aus", label=word)
    if len({face.face for face in sample.faces or () if face.aus}) > 1:
        return Draft(reason="several_faces", label=word, detail="a text could mean any of them")
    label_set = sample.label_set or options.label_set
    if label_set not in LABEL_SETS:
        return Draft(reason="unknown_label_set", label=word, detail=f"'{label_set}' is not known")
    label = word and canonical(word, label_set)
    if word and label is None:
        return Draft(reason="unknown_label", label=word, detail=f"'{word}' is not in {label_set}")
    view = look(face, options.thresholds)
    finding = settle(infer(view, options.codebook, label_set), label)
    if finding is None:
        return Draft(reason="too_few_aus", detail=f"nothing is present, and only {len(view.measured)} were measured")
    if finding.label and finding.case not in AGREES and options.disagreement == "reject":
        reason = "label_contradicts" if finding.case == "other" else "label_not_shown"
        return Draft(reason=reason, label=label, case=finding.case, detail=_explain(finding))
    return _write(sample.id, view, finding, label, label_set, options)


def label_word(sample: Sample) -> str | None:
    """Return the label as the data set has it, or the one that most of its annotators gave."""
    if sample.label is None and sample.soft:
        return max(sample.soft, key=sample.soft.__getitem__)
    return sample.label


def _write(sample_id: str, view: View, finding: Finding, gold: str | None, label_set: str, options: Options) -> Draft:
    """Draw wordings until one passes every check."""
    refused: list[dict[str, Any]] = []
    draft = Draft(label_set=label_set, label=finding.label, case=finding.case)
    for attempt in range(MAX_ATTEMPTS):
        rng = Random(_seed(options.seed, sample_id, attempt))
        reasoning = _compose(view, finding, rng, attempt)
        problems = find_problems(reasoning, view, finding.label, label_set)
        if not problems:
            return draft._replace(reasoning=reasoning, provenance=_provenance(finding, gold, options, refused))
        refused.append({"text": _text(reasoning), "problems": problems})
    return draft._replace(
        reason="unverified",
        detail="; ".join(refused[-1]["problems"]),
        provenance=_provenance(finding, gold, options, refused),
    )


def _compose(view: View, finding: Finding, rng: Random, attempt: int) -> Reasoning:
    """Write the parts, and fill up with remarks what would be too short."""
    observations = describe(view, rng, is_terse=len(view.signs) >= TERSE_FROM or attempt >= MAX_ATTEMPTS // 2)
    interpretation = interpret(finding, view, rng)
    conclusion = conclude(finding, view, rng)
    for remark in rng.sample(REMARKS, len(REMARKS)):
        if len(f"{observations} {interpretation} {conclusion}".split()) >= MIN_WORDS:
            break
        interpretation += f" {remark}"
    return Reasoning(observations=observations, interpretation=interpretation, conclusion=conclusion)


def _text(reasoning: Reasoning) -> str:
    return f"{reasoning.observations} {reasoning.interpretation} {reasoning.conclusion}"


def _seed(seed: int, sample_id: str, attempt: int) -> int:
    """A number that depends on nothing but these three."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{attempt}/{sample_id}".encode()).digest()[:8], "big")


def _provenance(finding: Finding, gold: str | None, options: Options, refused: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the sample remembers: how the label and the action units agree, and what was refused."""
    kept: dict[str, Any] = {
        "teacher": "rules",
        "codebook": options.codebook,
        "thresholds": dict(options.thresholds),
        "seed": options.seed,
        "case": finding.case,
        "agree": finding.case in AGREES if finding.label else None,
        "label_seen": gold is not None and finding.case not in ("one", "rest"),
    }
    if finding.case == "other" and finding.best:
        kept["fits"] = finding.best.label
    if refused:
        kept["attempts"] = refused
    return kept


def _explain(finding: Finding) -> str:
    if finding.best:
        return f"the action units fit {finding.best.label}"
    return "no action unit is present" if finding.case == "silent" else "the action units fit no pattern"
