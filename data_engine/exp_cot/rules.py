"""The rules teacher: writes an explanation from action units and a codebook, checks it, and writes again when refused.

    draft = teach(sample, Options(codebook="emfacs", seed=0))

Its wording is drawn from the sample's id and the seed alone. Each attempt is drawn afresh, and what was refused is
kept with the reason. The observations are written before anything about the label is known.
"""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any

from data_engine.exp_cot.conclude import OF_STILLS, REMARKS, conclude, interpret
from data_engine.exp_cot.describe import NOTATIONS, describe
from data_engine.exp_cot.draft import Draft, Options
from data_engine.exp_cot.infer import AGREES, DISAGREES, Finding, infer, settle
from data_engine.exp_cot.narrative import narrate
from data_engine.exp_cot.verify import MIN_WORDS, find_problems
from data_engine.exp_cot.view import View, look
from data_engine.exp_cot.words import given, label_word
from emollm.labels import LABEL_SETS, canonical
from emollm.records import Reasoning, Sample
from emollm.scoring import clip_events, main_face

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
    is_list = word is None and sample.labels is not None
    label_set = sample.label_set or ("open" if is_list else options.label_set)
    if label_set not in LABEL_SETS:
        return Draft(reason="unknown_label_set", label=word, detail=f"'{label_set}' is not known")
    words = given(sample)
    if is_list and not words:
        return Draft(reason="no_label", detail="'labels' is an empty list")
    labels = {one: canonical(one, label_set) for one in words}
    if unknown := [one for one, label in labels.items() if label is None]:
        return Draft(reason="unknown_label", label=word, detail=f"'{unknown[0]}' is not in {label_set}")
    view = look(face, options.thresholds, clip_events(sample), _length_s(sample))
    finding = settle(infer(view, options.codebook, label_set), [label for label in labels.values() if label])
    if finding is None:
        return Draft(reason="too_few_aus", detail=f"nothing is present, and only {len(view.measured)} were measured")
    label = finding.labels[0] if finding.labels and not is_list else None
    draft = Draft(label_set=label_set, label=label, labels=finding.labels, case=finding.case)
    if finding.case in DISAGREES and options.disagreement == "reject":
        reason = "label_contradicts" if finding.case == "other" else "label_not_shown"
        return draft._replace(reason=reason, detail=_explain(finding))
    return _write(sample.id, view, finding, draft, _provenance(finding, bool(words), options), options.seed)


def _length_s(sample: Sample) -> float | None:
    """Return how long a clip is, where the stage that drew or measured it remembers that."""
    known = [stage.get("seconds") for name, stage in (sample.provenance or {}).items() if name in ("faces", "detect")]
    return next((float(seconds) for seconds in known if isinstance(seconds, int | float)), None)


def _write(sample_id: str, view: View, finding: Finding, draft: Draft, provenance: dict[str, Any], seed: int) -> Draft:
    """Draw wordings until one passes every check."""
    refused: list[dict[str, Any]] = []
    for attempt in range(MAX_ATTEMPTS):
        rng = Random(_seed(seed, sample_id, attempt))
        reasoning = compose(view, finding, rng, attempt)
        problems = find_problems(reasoning, view, draft.labels, draft.label_set or "")
        if not problems:
            return draft._replace(reasoning=reasoning, provenance=provenance)
        refused.append({"text": _text(reasoning), "problems": problems})
        provenance["attempts"] = refused
    return draft._replace(reason="unverified", detail="; ".join(problems), provenance=provenance)


def compose(view: View, finding: Finding, rng: Random, attempt: int = 0) -> Reasoning:
    """Write the parts, and fill up with remarks what would be too short."""
    is_terse = len(view.signs) >= TERSE_FROM or attempt >= MAX_ATTEMPTS // 2
    notation = "" if is_terse else rng.choice(NOTATIONS)
    observations = describe(view, rng, notation, is_terse)
    if view.courses:
        observations = narrate(view, observations, rng, notation, is_terse)
    interpretation = interpret(finding, view, rng)
    conclusion = conclude(finding, view, rng)
    for remark in rng.sample(REMARKS, len(REMARKS)):
        if len(f"{observations} {interpretation} {conclusion}".split()) >= MIN_WORDS:
            break
        if view.courses and remark in OF_STILLS:
            continue
        interpretation += f" {remark}"
    return Reasoning(observations=observations, interpretation=interpretation, conclusion=conclusion)


def _text(reasoning: Reasoning) -> str:
    return f"{reasoning.observations} {reasoning.interpretation} {reasoning.conclusion}"


def _seed(seed: int, sample_id: str, attempt: int) -> int:
    """A number that depends on nothing but these three."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{attempt}/{sample_id}".encode()).digest()[:8], "big")


def _provenance(finding: Finding, is_given: bool, options: Options) -> dict[str, Any]:
    """Return what the sample remembers: how the text was written, and how the labels and the action units agree."""
    explained = finding.case == "rest" or (finding.case == "one" and len(finding.labels) == 1)
    kept: dict[str, Any] = {
        "teacher": "rules",
        "codebook": options.codebook,
        "thresholds": dict(options.thresholds),
        "seed": options.seed,
        "case": finding.case,
        "agree": finding.case in AGREES if finding.case in AGREES | DISAGREES else None,
        "label_seen": is_given and not explained,
    }
    if finding.case in ("other", "apart") and finding.best:
        kept["fits"] = finding.best.label
    return kept


def _explain(finding: Finding) -> str:
    if finding.best:
        return f"the action units fit {finding.best.label}"
    return "no action unit is present" if finding.case == "silent" else "the action units fit no pattern"
