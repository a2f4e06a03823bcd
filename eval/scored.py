"""One line of the evaluator's samples.jsonl: a sample, what was predicted, and every score between the two.

`score` writes these lines, `report` and `compare` read them; no number of results.json needs anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from emollm.claims.checker import Verdict
from emollm.claims.times import Time
from emollm.errors import EmoLLMError, RecordError
from emollm.records import Face, Media, Record

Judged = Literal["model", "detector"]
"""Who is judged: a model by what it said, or a detector by what it measured."""


class ScoredClaim(Record):
    """A claim of the explanation and what the measured face says about it."""

    text: str
    start: int
    end: int
    """Characters of the completion."""
    aus: tuple[str, ...]
    """Alternatives, the most likely reading first."""
    present: bool
    verdict: Verdict
    reason: str = ""
    """A key of `claims.checker.REASONS`."""
    side: str | None = None
    uneven: bool = False
    """The sides are said to differ, `side` being the stronger one where that is said."""
    letters: str = ""
    hedged: bool = False
    region: str | None = None
    times: tuple[Time, ...] = ()
    at_peak: bool = False
    """Said of the peak of a clip alone."""


class Scored(Record):
    """The scores of one sample. `None` means that the gold for a score is missing."""

    id: str
    subject: str | None = None
    groups: dict[str, str] | None = None
    media: Media | None = None
    face: Face | None = None
    """The face that the explanation was checked against."""
    judged: Judged = "model"
    model: str | None = None
    """Or the detector; None: it said nothing, or found no face."""
    completion: str | None = None
    """None: the sample has no prediction, which counts as wrong. A detector says nothing."""
    own: tuple[int, int] | None = None
    """From and to which character the completion is the model's own answer, which alone is scored; None: all of it."""
    gold: str | None = None
    predicted: str | None = None
    """None: no label of the set could be read."""
    correct: bool | None = None
    gold_labels: tuple[str, ...] | None = None
    """Open vocabulary: every word that fits."""
    predicted_labels: tuple[str, ...] = ()
    labels_f1: float | None = None
    well_formed: bool = False
    au_hits: tuple[str, ...] | None = None
    """Present and named."""
    au_false_alarms: tuple[str, ...] | None = None
    """Measured below the threshold, yet named."""
    au_misses: tuple[str, ...] | None = None
    """Present, not named."""
    au_rejections: tuple[str, ...] | None = None
    """Measured below the threshold and not named."""
    au_set_f1: float | None = None
    claims: tuple[ScoredClaim, ...] = ()
    omitted: tuple[str, ...] = ()
    """Present AUs that no positive claim mentions under any reading."""
    measures: dict[str, tuple[float | None, ...]] = msgspec.field(default_factory=dict)
    """Family of metrics → its line; see `metrics.family`."""
    details: dict[str, Any] = msgspec.field(default_factory=dict)
    """Family of metrics → what it has to show about this sample."""
    gold_digests: dict[str, str] | None = None
    """Field of the sample → digest of its value, of gold that is not itself in this line; `compare` tells by it whether
    two runs were scored against the same."""

    @property
    def said(self) -> str:
        """What of the completion is scored."""
        start, end = self.own or (0, None)
        return (self.completion or "")[start:end]

    def num_claims(self, verdict: Verdict) -> int:
        """Count the claims with this verdict."""
        return sum(claim.verdict == verdict for claim in self.claims)

    @property
    def is_true(self) -> bool:
        """Whether the explanation holds: no claim contradicted, one supported, and one of the present AUs named."""
        if self.num_claims("contradicted") or not self.num_claims("supported"):
            return False
        return bool(self.au_hits) or not self.au_misses


def read_scored(path: Path) -> Iterator[Scored]:
    """Yield the lines of a samples.jsonl written by `score`."""
    decoder = msgspec.json.Decoder(Scored)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield decoder.decode(line)
                except msgspec.DecodeError as error:
                    raise RecordError(f"{path}:{number}: {error}; write it again with `emollm score`") from None
    except OSError as error:
        raise EmoLLMError(f"{path}: cannot be read: {error.strerror}; is this a folder of `emollm score`?") from None
