"""Rollouts: what TRL's GRPOTrainer does for us in our own way, from the question to the completion on disk.

    class Trainer(Rollouts, Careful, GRPOTrainer): ...

Questions are encoded by the function that prediction uses; pictures are opened once a rollout; completions go to
parquet with what they were paid. `is_whole` tells whether the completions at hand are used up: a rerun may go on here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emollm.train.collate import open_shown
from emollm.train.completions import share_alike, totals, write_completions
from emollm.train.payment import Payment
from emollm.train.processes import first_problem, is_first_process
from emollm.train.run import Run
from emollm.vlm.turns import Turn, ask_about, encode_prompts, neutralise

if TYPE_CHECKING:
    from trl import GRPOTrainer
else:
    GRPOTrainer = object  # mixed in later; importing it here would cost seconds

KEPT = ("id", "variant")
"""Columns of the questions that are kept beside the completions."""


class Rollouts(GRPOTrainer):  # type: ignore[misc]
    """To the left of `Careful` and GRPOTrainer. Its data set has the columns of `Question`, and `place`."""

    def __init__(self, payment: Payment, run: Run, **arguments: Any) -> None:
        self.payment, self.run = payment, run
        super().__init__(reward_funcs=payment.functions(), **arguments)

    def is_whole(self) -> bool:
        """Tell whether the completions of the last rollout are used up; a checkpoint does not hold them."""
        return bool(self._step % (self.args.steps_per_generation * self.num_iterations) == 0)

    def _generate_and_score_completions(self, inputs: Sequence[Mapping[str, Any]]) -> Any:
        """Sample and pay the completions of a rollout, and keep them."""
        pictures = {path: open_shown(record_id, path) for path, record_id in _shown(inputs).items()}
        turns = [
            ask_about(pictures[row["picture"]], neutralise(row["question"], self.processing_class)) for row in inputs
        ]
        for name in KEPT:
            self._log_completion_extra(name, [row[name] for row in inputs])
        asked = [
            {**row, "prompt": turn.messages, "images": list(turn.pictures)}
            for row, turn in zip(inputs, turns, strict=True)
        ]
        try:
            batch = super()._generate_and_score_completions(asked)
        except RuntimeError as error:
            if "probability tensor" not in str(error):
                raise
            self.give_up("the model's probabilities are no numbers any more; lower learning_rate")
        if problem := first_problem(self.payment.problem):
            self.give_up(problem)
        self._keep_completions()
        return batch

    def _tokenize_prompts(self, prompts: Sequence[list[dict[str, Any]]]) -> tuple[list[list[int]], Any, dict[str, Any]]:
        """Encode questions as prediction does, in the form that TRL wants: ids without padding, pictures, the rest."""
        turns = [Turn(messages, tuple(_pictures(messages))) for messages in prompts]
        inputs = encode_prompts(self.processing_class, turns)
        kept = inputs.pop("attention_mask").bool()
        rows = {name: value for name, value in inputs.items() if tuple(value.shape) == tuple(kept.shape)}
        per_token = {
            name: [row[keep].tolist() for row, keep in zip(value, kept, strict=True)] for name, value in rows.items()
        }
        return per_token.pop("input_ids"), [list(turn.pictures) for turn in turns], inputs | per_token

    def _keep_completions(self) -> None:
        """Write what TRL has gathered of this rollout, and correct its share of groups that teach nothing."""
        log = self._logs
        rewards = {name: list(log["rewards"][name]) for name in self.payment.weights}
        sums = totals(rewards, self.payment.weights)
        # TRL compares a standard deviation with 0, which the noise of its sums seldom is.
        self._metrics["train"]["frac_reward_zero_std"][-1] = share_alike(sums, self.num_generations)
        if not is_first_process():
            return
        columns = {name: list(log["extra"][name]) for name in KEPT}
        columns |= {"completion": [messages[0]["content"] for messages in log["completion"]]}
        columns |= {"total": sums, "advantage": list(log["advantages"])}
        step = self.state.global_step + 1
        write_completions(self.run.completions_path(step), step, columns, rewards)


def _shown(inputs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the files of the pictures asked about, each with a sample that shows it."""
    return {row["picture"]: row["id"] for row in inputs}


def _pictures(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [part["image"] for message in messages for part in message["content"] if part["type"] == "image"]
