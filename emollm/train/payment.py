"""Payment: our rewards as TRL calls them.

payment = Payment({"label": 1.0, "au_f1": 0.5}, samples, Listening(label_set="basic7", style="think"))
trainer = GRPOTrainer(reward_funcs=payment.functions(), ...)
payment.problem                                  # "reward 'au_f1': sample 'a7': …" once one has failed
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from emollm.answers import render
from emollm.labels import canonical
from emollm.records import Reasoning, Sample
from emollm.scoring import score_sample
from emollm.train.rewards import REWARDS, WORDS, Heard, hear
from emollm.wheel import Wheels

NUM_REMEMBERED = 4096
"""Completions that stay parsed: one rollout of one process, as every reward looks at each of them."""


NUM_LOOKED_AT = 200
"""Samples whose gold texts are paid before a training, to see whether a reward can be earned at all."""


class Listening(NamedTuple):
    """How completions are read."""

    label_set: str | None = None
    style: str | None = None
    wheels: Wheels | None = None
    words: tuple[int, int] = WORDS
    """How many words an answer should have, from and to."""


class Payment:
    """Rewards of completions, by the place of their sample in a list.

    A reward that fails is remembered as `problem` instead of raised: the other processes wait for this one, so all of
    them have to end together.
    """

    def __init__(self, weights: Mapping[str, float], samples: Sequence[Sample], listening: Listening) -> None:
        self.weights, self.samples, self.listening = weights, samples, listening
        self.problem: str | None = None
        self._hear = lru_cache(NUM_REMEMBERED)(self._hear_new)

    def functions(self) -> list[Callable[..., list[float | None]]]:
        """Return one reward function of TRL's for each reward, under its name."""
        return [self._function(name) for name in self.weights]

    def without_gold(self) -> Counter[str]:
        """Return for how many samples each reward is None: it depends on the sample alone, not on what is said."""
        places = range(len(self.samples))
        return Counter(name for place in places for name in self.weights if self.pay(name, place, "") is None)

    def never_earned(self) -> list[str]:
        """Return the rewards that not even the gold texts of the first samples earn: no style of ours asks for them."""
        left = list(self.weights)
        for place, sample in enumerate(self.samples[:NUM_LOOKED_AT]):
            if (text := gold_text(sample, self.listening)) is not None:
                paid = {name: self.pay(name, place, text) for name in left}
                left = [name for name, value in paid.items() if value is None or value <= REWARDS[name].low]
            if not left:
                break
        return left

    def pay(self, name: str, place: int, text: str) -> float | None:
        """Return one reward of a completion about the sample at a place; None without gold, or after a problem."""
        try:
            return REWARDS[name](self._hear(place, text))
        except Exception as error:  # noqa: BLE001 - a reward may be anybody's code; what it raises ends the run
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            self.problem = self.problem or f"reward '{name}': sample '{self.samples[place].id}': {reason}"
            return None

    def _function(self, name: str) -> Callable[..., list[float | None]]:
        def reward(completions: list[list[dict[str, str]]], place: list[int], **_: Any) -> list[float | None]:
            said = (completion[0]["content"] for completion in completions)
            return [self.pay(name, at, text) for at, text in zip(place, said, strict=True)]

        reward.__name__ = name
        return reward

    def _hear_new(self, place: int, text: str) -> Heard:
        # As `emollm predict` writes it, so that a model is paid for what it is later scored by.
        how = self.listening
        sample = self.samples[place]
        return hear(sample, text.strip(), how.label_set, how.style, wheels=how.wheels, band=how.words)


def gold_text(sample: Sample, how: Listening) -> str | None:
    """Return what the sample would teach; of one without a text, its present AUs and label. None without a label."""
    label_set = how.label_set or sample.label_set
    label = canonical(sample.label, label_set) if sample.label else None
    if label is None or how.style is None:
        return None
    named = ", ".join(sorted(score_sample(sample, "", label_set).aus_gold or ()))
    bare = Reasoning(f"{named or 'No AU'}.", f"This fits {label}.", f"The expression is consistent with {label}.")
    return render(how.style, label, sample.reasoning or bare, context=sample.text)
