"""What a completion said, heard once: parsed, checked against the face, and read for the emotions it names.

    heard = hear(sample, completion, label_set="basic7", style="think")
    heard.score.precision, heard.thought, heard.answered

Every reward takes a `Heard`; what only some of them need is worked out when the first of them asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from emollm.answers import Answer
from emollm.answers.denial import is_denied
from emollm.answers.given import last_label
from emollm.answers.words import label_words
from emollm.errors import ConfigError
from emollm.labels import canonical
from emollm.records import Sample
from emollm.scoring import SampleScore, score_sample
from emollm.wheel import Wheels

WORDS = (84, 146)
"""The shortest and the longest of the 3,068 explanations of RAF-DB faces that ExpLLM (2024) released, in words."""

_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W_]+")
_TAG = re.compile(r"<[^<>]{1,20}>")


@dataclass(frozen=True)
class Heard:
    """One completion about one sample, and how it was asked for."""

    sample: Sample
    completion: str
    """All that was written; what counts of it is `answer.text`."""
    score: SampleScore
    label_set: str | None = None
    style: str | None = None
    """The answer style that was asked for; None: any."""
    wheels: Wheels | None = None
    """The tables of the emotion wheels, for the rewards that compare in them."""
    band: tuple[int, int] = WORDS
    """How many words a completion should have, from and to."""

    @property
    def answer(self) -> Answer:
        """The completion, parsed."""
        return self.score.answer

    @property
    def asks_for_label(self) -> bool:
        """Whether the question wants an emotion."""
        return self.style != "observations"

    @property
    def asks_for_text(self) -> bool:
        """Whether the question wants more than labels."""
        return self.style not in ("label", "labels")

    @property
    def asks_for_thought(self) -> bool:
        """Whether the question wants reasoning before an answer."""
        return self.asks_for_label and self.asks_for_text

    @property
    def asks_for_list(self) -> bool:
        """Whether the answer may hold several labels: the style asks for them, or the gold is a list."""
        return self.style == "labels" or (self.sample.label is None and bool(self.sample.labels))

    @property
    def thought(self) -> str:
        """The reasoning before the answer: of tags what is in think, of sections all but the conclusion."""
        answer = self.answer
        if answer.style == "sections":
            return "\n".join(part for part in (answer.observations, answer.interpretation) if part)
        return answer.think or ""

    @cached_property
    def answered(self) -> frozenset[str]:
        """The labels of the answer, in the words of the label set; empty where one was asked for and several given."""
        if self.asks_for_list:
            return frozenset(self.answer.labels)
        return frozenset(filter(None, [self.answer.label]))

    @cached_property
    def thought_labels(self) -> frozenset[str]:
        """The emotions that the reasoning names and does not deny, in the words of the label set."""
        return frozenset(self._thought_read[1])

    @property
    def last_thought(self) -> str | None:
        """The last of `thought_labels` that the reasoning names; None where it ends in a list of several."""
        return self._thought_read[0]

    @cached_property
    def _thought_read(self) -> tuple[str | None, tuple[str, ...]]:
        return last_label(self.thought, None if self.label_set == "open" else self.label_set)

    @cached_property
    def _thought_names(self) -> tuple[str, ...]:
        """The emotions that the reasoning names and does not deny, in the words of `emollm.labels`."""
        return last_label(self.thought, None)[1]

    @cached_property
    def gold_words(self) -> tuple[str, ...]:
        """The sample's open labels, or its one label, as they are written."""
        single = [] if self.sample.label is None else [self.sample.label]
        return _distinct(self.sample.labels or single)

    @cached_property
    def answer_words(self) -> tuple[str, ...]:
        """The labels of the answer as they are written; where it is prose, the emotion words it does not deny."""
        return label_words(self.answer).words

    def thought_words(self, sought: Iterable[str]) -> tuple[str, ...]:
        """Return the emotions that the reasoning names and does not deny: words of `emollm.labels`, and forms of those
        sought, which may be any."""
        thought = self.thought
        named = list(self._thought_names)
        forms = self.need_wheels().forms
        wanted = {base for word in sought for base in forms.get(word, ())}
        for match in _WORD.finditer(thought) if wanted else ():
            word = match[0].lower()
            bases = forms.get(word, ())
            # The words of our own are in `named` already, and one form of a label is enough.
            if not wanted.isdisjoint(bases) and canonical(word) is None and not is_denied(thought, *match.span()):
                named.append(word)
                wanted.difference_update(bases)
        return _distinct(named)

    @cached_property
    def words(self) -> list[str]:
        """All words of the answer in lower case, without tags; a Chinese character is one."""
        return _WORD.findall(_TAG.sub(" ", self.answer.text).lower())

    def need_wheels(self) -> Wheels:
        """Return the wheels. Raises ConfigError where the recipe names no file of them."""
        if self.wheels is None:
            raise ConfigError("rewards: one of them compares on emotion wheels; give the file of them as wheel_mapping")
        return self.wheels


def hear(
    sample: Sample,
    completion: str,
    label_set: str | None = None,
    style: str | None = None,
    *,
    wheels: Wheels | None = None,
    band: tuple[int, int] = WORDS,
) -> Heard:
    """Read and check a completion. Never raises, whatever the text; takes time linear in its length.

    `label_set` defaults to the sample's own.
    """
    label_set = label_set or sample.label_set
    score = score_sample(sample, completion, label_set, style=style)
    return Heard(sample, completion, score, label_set, style, wheels, band)


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip().lower() for word in words))
