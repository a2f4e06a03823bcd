"""Accounts: what was asked, paid and remembered, by stage and model.

accounts.of("infer", "gpt-4o-mini").paid += 1
print(accounts)                              # infer gpt-4o-mini: 1,200 paid ($0.41), 300 remembered, 2 refusal
out.note("llm", accounts.as_json())          # for the manifest
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import msgspec

from emollm.llm.entry import Entry


class Account(msgspec.Struct):
    """Counts of one stage and model in this run."""

    paid: int = 0
    """Answers that the endpoint gave now and that are in the ledger, where there is one."""
    remembered: int = 0
    """Answers that cost nothing: from the ledger, or asked by someone else at the same moment."""
    failed: dict[str, int] = {}
    """Requests that got no answer, by kind of failure."""
    retries: int = 0
    told_to_wait: int = 0
    """Tries that were answered with 429."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Of all that was paid, refusals included; what the endpoint does not tell is not in them."""
    usd: float = 0.0
    usd_in_doubt: float = 0.0
    """What tries whose fate is not known have cost at most; it is no part of `usd`, but a budget counts it."""
    usd_saved: float = 0.0
    """What the remembered answers cost when they were paid."""

    @property
    def asked(self) -> int:
        """Requests that have an outcome."""
        return self.paid + self.remembered + sum(self.failed.values())

    def book(self, entry: Entry) -> None:
        """Count an answer that was paid, and what it cost."""
        self.paid += 1
        self.prompt_tokens += entry.prompt_tokens or 0
        self.completion_tokens += entry.completion_tokens or 0
        self.usd += entry.usd or 0.0


class Accounts:
    """The accounts of one run."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str, str], Account] = {}

    @classmethod
    def of_ledger(cls, entries: Iterable[Entry]) -> Self:
        """Return what all the answers of a ledger have cost, in all runs: `Accounts.of_ledger(ledger.entries())`."""
        accounts = cls()
        for entry in entries:
            accounts.of(entry.stage, entry.model).book(entry)
        return accounts

    def of(self, stage: str, model: str) -> Account:
        """Return the account to write to."""
        account = self._accounts.get((stage, model))
        if account is None:
            account = self._accounts[stage, model] = Account(failed={})
        return account

    def total(self) -> Account:
        """Return the sum over stages and models."""
        total = Account(failed={})
        for account in self._accounts.values():
            for name in Account.__struct_fields__:
                if name == "failed":
                    for kind, count in account.failed.items():
                        total.failed[kind] = total.failed.get(kind, 0) + count
                else:
                    setattr(total, name, getattr(total, name) + getattr(account, name))
        return total

    def as_json(self) -> dict[str, Any]:
        """Return the accounts for a manifest: stage, then model, then counts."""
        told: dict[str, Any] = {}
        for (stage, model), account in sorted(self._accounts.items()):
            told.setdefault(stage, {})[model] = _plain(account)
        return told

    def __str__(self) -> str:
        lines = [f"{stage} {model}: {_line(account)}" for (stage, model), account in sorted(self._accounts.items())]
        return "\n".join(lines if len(lines) < 2 else [*lines, f"total: {_line(self.total())}"])


def _plain(account: Account) -> dict[str, Any]:
    told = msgspec.to_builtins(account)
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in told.items()}


def _line(account: Account) -> str:
    tokens = account.prompt_tokens + account.completion_tokens
    cost = [f"{tokens:,} tokens"] * bool(tokens) + [f"${account.usd:.4f}"] * bool(account.usd)
    cost += [f"${account.usd_in_doubt:.4f} in doubt"] * bool(account.usd_in_doubt)
    parts = [f"{account.paid:,} paid" + (f" ({', '.join(cost)})" if cost else "")]
    if account.remembered:
        saved = f" (${account.usd_saved:.4f} saved)" if account.usd_saved else ""
        parts.append(f"{account.remembered:,} remembered{saved}")
    parts += [f"{count:,} {kind}" for kind, count in sorted(account.failed.items())]
    return ", ".join(parts)
