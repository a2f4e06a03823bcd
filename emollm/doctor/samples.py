"""Samples: what is wrong with a samples.jsonl or a cot.jsonl.

list(check_samples(Path("cot.jsonl"), root=Path("."), limit=None))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from emollm.cards.classes import A_LIST, NO_LABEL, class_of
from emollm.cards.origin import thresholds_of
from emollm.claims import check
from emollm.doctor.faults import Fault, Faults
from emollm.doctor.finding import Finding, error, fine, warning
from emollm.doctor.texts import Texts
from emollm.errors import EmoLLMError, did_you_mean
from emollm.facs import UNITS
from emollm.files import sha256
from emollm.labels import LABEL_SETS, canonical, find_labels
from emollm.pictures import check_picture
from emollm.records import BadLine, Reasoning, Sample, media_path, read_records
from emollm.scoring import clip_events, main_face
from emollm.stage import track

FAULTS = {
    "malformed": Fault("error", "lines are no samples", "mend or remove them; every stage keeps them aside"),
    "duplicate": Fault("error", "ids occur again", "give every sample an id of its own"),
    "missing": Fault("error", "pictures are missing", "check the paths, or where they start (--media-root)"),
    "damaged": Fault("error", "pictures cannot be used", "replace or remove them"),
    "changed": Fault("error", "pictures are not those that were measured", "run `emollm detect` on them again"),
    "two_splits": Fault("error", "pictures are in several splits", "keep each in one split: a test on them is none"),
    "subjects": Fault("error", "people are in several splits", "split by subject: a test on known people is none"),
    "label_set": Fault("error", "label sets are not known", "name one of LABEL_SETS in emollm/labels.py"),
    "label": Fault("error", "labels are not in their set", "mend the labels, or name the set they are of"),
    "au": Fault("warning", "AUs are in no FACS table", "check where they come from; no text can name them"),
    "no_face": Fault("warning", "samples have no face", "run `emollm detect`, or leave them out"),
    "no_aus": Fault("warning", "faces have no AUs", "run `emollm detect`; nothing can be checked against them"),
    "contradicted": Fault("error", "explanations contradict the AUs", "write them again with `emollm generate`"),
    "label_named": Fault("warning", "observations name the label", "the model would learn to guess first, look later"),
}
FEW_CONTRADICTED = 0.02
"""The share of explanations up to which a contradiction may be a slip of the claims reader: a warning, no error."""
MANY_NEAR = 0.3
UNBALANCED = 10.0
"""Times that the most frequent label may occur for each of the rarest."""


def check_samples(path: Path, root: Path, limit: int | None) -> Iterator[Finding]:
    """Yield what is wrong with a file of samples; `root` is where media paths start."""
    patient = Samples(root)
    records = read_records(path, Sample, bad=patient.bad)
    for sample in track(islice(records, limit), path.name):
        patient.add(sample)
    yield from patient.findings(path)


class Samples:
    """A file of samples, looked at one by one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.number = self.num_explained = 0
        self.faults = Faults(FAULTS)
        self.texts = Texts()
        self.classes: dict[str, Counter[str]] = {}
        """Split to class to samples."""
        self.label_sets: set[str] = set()
        self._splits: dict[str, set[str]] = {}
        """Person to splits."""
        self._pictures: dict[str, str] = {}
        """Digest or path of a picture to its split."""

    def bad(self, line: BadLine) -> None:
        """Count a line that is no sample, or has an id that was there before."""
        is_copy = line.reason.startswith("id: ") and "is already on line" in line.reason
        self.faults.add("duplicate" if is_copy else "malformed", f"line {line.line}: {line.reason}")

    def add(self, sample: Sample) -> None:
        """Look at a sample."""
        self.number += 1
        split = sample.split or "(none)"
        self.classes.setdefault(split, Counter())[class_of(sample)] += 1
        self._picture(sample, split)
        self._person(sample, split)
        self._label(sample)
        self._face(sample)
        if sample.reasoning is not None:
            self._reasoning(sample, sample.reasoning)

    def _picture(self, sample: Sample, split: str) -> None:
        media = sample.media
        if media is None:
            return
        if self._pictures.setdefault(media.sha256 or media.path, split) != split:
            self.faults.add("two_splits", f"{sample.id} ({split})")
        try:
            path = media_path(sample, self.root)
            if path is None or not path.is_file():
                self.faults.add("missing", media.path)
                return
            if media.sha256 is not None and sha256(path) != media.sha256:
                self.faults.add("changed", media.path)
            elif media.kind == "image":
                check_picture(path)
        except EmoLLMError as problem:
            self.faults.add("damaged", str(problem))

    def _person(self, sample: Sample, split: str) -> None:
        if sample.subject is None:
            return
        splits = self._splits.setdefault(sample.subject, set())
        if split not in splits and splits:
            self.faults.add("subjects", f"{sample.subject} ({', '.join(sorted({*splits, split}))})")
        splits.add(split)

    def _label(self, sample: Sample) -> None:
        if sample.label_set is None:
            return
        if sample.label_set not in LABEL_SETS:
            known = did_you_mean(sample.label_set, LABEL_SETS)
            self.faults.add("label_set", f"{sample.id} '{sample.label_set}'{known}")
            return
        self.label_sets.add(sample.label_set)
        closed = LABEL_SETS[sample.label_set].labels
        for word in [sample.label, *(sample.soft or ())] if closed else ():
            if word is not None and canonical(word, sample.label_set) is None:
                self.faults.add("label", f"{sample.id} '{word}' in {sample.label_set}{did_you_mean(word, closed)}")

    def _face(self, sample: Sample) -> None:
        if not sample.faces:
            self.faults.add("no_face", sample.id)
        for face in sample.faces or ():
            if not face.aus:
                self.faults.add("no_aus", sample.id)
            for code in face.aus or ():
                if code not in UNITS:
                    self.faults.add("au", f"{sample.id} {code}")

    def _reasoning(self, sample: Sample, reasoning: Reasoning) -> None:
        self.num_explained += 1
        text = "\n".join((reasoning.observations, reasoning.interpretation, reasoning.conclusion))
        self.texts.add(text)
        face = main_face(sample)
        if face is not None:
            result = check(text, face, thresholds_of(sample), clip_events(sample))
            wrong = [one.claim for one in result.checked if one.verdict == "contradicted"]
            if wrong:
                self.faults.add("contradicted", f'{sample.id} "{text[wrong[0].start : wrong[0].end]}"')
        label_set = sample.label_set if sample.label_set in LABEL_SETS else None
        named = {label for label, _, _ in find_labels(reasoning.observations, label_set)}
        if sample.label is not None and (canonical(sample.label, label_set) or sample.label) in named:
            self.faults.add("label_named", f"{sample.id} '{sample.label}'")

    def findings(self, path: Path) -> Iterator[Finding]:
        """Yield what was found in the whole file."""
        if not self.number:
            yield error(path, "holds no sample", "give a file that `emollm detect`, `faces` or `generate` wrote")
        for finding in self.faults.findings(path):
            few = self.faults.counts["contradicted"] <= FEW_CONTRADICTED * self.num_explained
            is_slip = few and finding.todo == FAULTS["contradicted"].todo
            yield finding._replace(level="warning") if is_slip else finding
        yield from balance(path, self.classes, self.label_sets)
        todo = "a model learns such texts by heart; write them more freely"
        yield from likeness(path, self.texts, "explanations", todo)
        splits = ", ".join(f"{split} {counts.total():,}" for split, counts in sorted(self.classes.items()))
        yield fine(path, f"{self.number:,} samples ({splits}), {self.num_explained:,} with an explanation")


def balance(path: Path, classes: dict[str, Counter[str]], label_sets: set[str]) -> Iterator[Finding]:
    """Yield where a split has far more of one label than of another, or none of it."""
    for split, counted in sorted(classes.items()):
        counts = Counter({label: num for label, num in counted.items() if label not in (NO_LABEL, A_LIST)})
        if not counts:
            continue
        lacking = [label for one in sorted(label_sets) for label in LABEL_SETS[one].labels if not counts[label]]
        if lacking:
            names = ", ".join(dict.fromkeys(lacking))
            yield warning(path, f"split {split} has no sample of {names}", "add some, or choose another label set")
        most, largest = max(counts.items(), key=lambda one: (one[1], one[0]))
        least, smallest = min(counts.items(), key=lambda one: (one[1], one[0]))
        if largest > UNBALANCED * smallest:
            todo = "report UAR beside accuracy; add samples of the rare ones"
            yield warning(path, f"split {split} has {largest:,} of {most} and {smallest:,} of {least}", todo)


def likeness(path: Path, texts: Texts, what: str, todo: str) -> Iterator[Finding]:
    """Yield how many texts say what an earlier one said."""
    if not texts.number:
        return
    alike = texts.num_copies + texts.num_near
    told = (
        f"{alike:,} of {texts.number:,} {what} ({alike / texts.number:.0%}) are copies or near-copies of earlier ones"
    )
    if alike > MANY_NEAR * texts.number:
        yield warning(path, told, todo)
    else:
        yield fine(path, told)
