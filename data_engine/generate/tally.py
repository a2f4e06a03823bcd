"""Counts of a run: what was kept and refused per class.

tally.add(draft)
print(tally)                     # a table
"""

from __future__ import annotations

from collections import Counter

from data_engine.exp_cot.draft import Draft
from data_engine.exp_cot.infer import CASES, UNREAD
from emollm.errors import EmoLLMError
from emollm.records import Sample

SAID = {**CASES, UNREAD: "no label is given, and the reader named none"}
"""How action units stand to the label of a kept text."""

OF_READERS = {"teacher": "read by the teacher", "rules": "by the rules"}
"""Where the label of a sample that had none comes from: `label_from` in its provenance."""

SPEECH = {"text": "transcript", "prosody": "voice (prosody)"}

MAX_CLASSES = 30
"""Rows of the table; an open vocabulary can have thousands."""

USELESS = 20
"""Samples whose answers cannot be read that end a run in which no text has been kept."""
UNREADABLE = ("empty:", "form:", "length: an answer", "length: the answer was cut off", "unreadable:")
"""How the fault of an answer begins in which there is nothing to check."""


class UselessTeacherError(EmoLLMError):
    """A teacher has said nothing of use so far, and would be paid for more of it."""


class Answers:
    """Ends a run whose teacher has said nothing that can be read, before all of it is paid."""

    def __init__(self) -> None:
        self._num_useless = 0
        self._is_useful = False

    def check(self, draft: Draft) -> None:
        """Learn from one more draft. Raises UselessTeacherError where `USELESS` came to nothing before any was kept."""
        self._is_useful = self._is_useful or draft.reason is None
        self._num_useless += _is_useless(draft)
        if self._num_useless >= USELESS and not self._is_useful:
            raise UselessTeacherError(
                f"no text is kept yet, and answers about {USELESS} samples cannot be read "
                f"({draft.detail.partition('; ')[0]}); "
                "try another model, or --max-tokens where answers are empty or break off (what was answered is kept)"
            )


def _is_useless(draft: Draft) -> bool:
    """Tell whether a teacher was asked and said nothing that could be checked; a polite refusal is a text, too."""
    if draft.reason in ("teacher_refusal", "teacher_unreadable"):
        return True
    said_nothing = draft.detail.startswith(UNREADABLE) or "silent: " in draft.detail
    return draft.reason is not None and "teacher" in draft.provenance and said_nothing


class Tally:
    """Counts of a run per class, for the table at its end and the manifest."""

    def __init__(self) -> None:
        self.classes: dict[str, Counter[str]] = {}
        self.cases: Counter[str] = Counter()
        self.read_cases: dict[str, Counter[str]] = {}
        """The same for labels that the samples did not have, by where these come from."""
        self.by_elimination = 0
        self.other_faces = 0
        """Kept samples with other faces than the one that is meant."""
        self.prosody_dropped = 0
        """Features of voices that are not known to be acoustic, told to nobody."""
        self.unheard: Counter[str] = Counter()
        """Kept samples with speech that their teacher is not told of, by its kind (`writer.VOICE`)."""
        self.unknown_aus: Counter[str] = Counter()
        """Codes that FACS does not have, in kept samples."""
        self.problems: Counter[str] = Counter()
        """Refused texts by the check that refused them, those of kept samples included."""
        self.has_media = False
        """Whether a sample names a picture or a clip."""
        self.rewritten = 0
        self.label_seen = 0

    def add(self, draft: Draft) -> None:
        """Count one draft."""
        counts = self.classes.setdefault(draft.label or ("(list)" if draft.labels else "(no label)"), Counter())
        counts[draft.reason or "kept"] += 1
        for attempt in draft.provenance.get("attempts", ()):
            self.problems.update({problem.partition(":")[0] for problem in attempt["problems"]})
        self.prosody_dropped += draft.provenance.get("prosody_dropped", 0)
        if draft.reasoning is not None and draft.case:
            source = draft.provenance.get("label_from")
            (self.read_cases.setdefault(source, Counter()) if source else self.cases)[draft.case] += 1
            self.by_elimination += bool(draft.provenance.get("by_elimination"))
            self.other_faces += bool(draft.provenance.get("other_faces"))
            self.unheard.update(draft.provenance.get("unheard", ()))
            self.unknown_aus.update(draft.provenance.get("unknown_aus", ()))
            self.rewritten += bool(draft.provenance.get("attempts"))
            self.label_seen += bool(draft.provenance.get("label_seen"))

    def recall(self, sample: Sample) -> None:
        """Count a sample that an earlier run has kept."""
        told = (sample.provenance or {}).get("generate", {})
        labels = tuple(sample.labels or ())
        self.add(Draft(sample.reasoning, sample.label_set, sample.label, labels, told.get("case"), provenance=told))

    def _remarks(self) -> list[tuple[int, str]]:
        """Return what deserves a row where it is not 0."""
        return [
            (self.label_seen - self.by_elimination, "kept with an ending that was told the label (label_seen)"),
            (self.by_elimination, "kept with a label that was read after wrong ones had been ruled out (label_seen)"),
            (self.other_faces, "kept with other faces in the picture"),
            (self.prosody_dropped, "features of voices left out: not known to be acoustic"),
            *((n, f"kept with a {SPEECH[name]} that this teacher does not use") for name, n in self.unheard.items()),
            *((n, f"kept without {code}, which is no code of FACS") for code, n in self.unknown_aus.items()),
        ]

    def __str__(self) -> str:
        """A small table: what was kept and refused per class, and how the action units stood to the labels."""
        shown = dict(sorted(self.classes.items(), key=lambda item: -item[1].total())[:MAX_CLASSES])
        rows = [f"{'class':<22}{'kept':>9}{'refused':>9}{'kept %':>8}  reasons"]
        for label, counts in sorted(shown.items()):
            total = counts.total()
            reasons = ", ".join(f"{reason} {n:,}" for reason, n in counts.most_common() if reason != "kept")
            share = 100 * counts["kept"] / total
            rows.append(f"{label:<22}{counts['kept']:>9,}{total - counts['kept']:>9,}{share:>8.1f}  {reasons}".rstrip())
        if hidden := len(self.classes) - len(shown):
            rows.append(f"… and {hidden:,} rarer ones, all in the manifest")
        rows += [f"{n:>31,} kept: {SAID[case]}" for case, n in self.cases.most_common()]
        for source, cases in sorted(self.read_cases.items()):
            rows += [
                f"{n:>31,} kept, without a label of their own ({OF_READERS[source]}): "
                f"{SAID[case].replace('the label', 'that label')}"
                for case, n in cases.most_common()
            ]
        rows += [f"{n:>31,} {told}" for n, told in self._remarks() if n]
        if self.problems:
            found = ", ".join(f"{check} {n:,}" for check, n in self.problems.most_common())
            rows.append(f"texts written again or given up, by what was wrong: {found}")
        return "\n".join(rows)
