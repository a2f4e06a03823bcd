"""The options of an endpoint: the same for whoever asks, the judge with a prefix to each (`--judge-model`).

add_endpoint_arguments(group, "judge-", ledger="beside DIR")
options = endpoint_options(arguments, "judge-")
client = open_client(options, ledger, budget_of(options))
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from emollm.errors import ConfigError
from emollm.llm.address import KEY_ENV, OPENAI
from emollm.stage import positive

if TYPE_CHECKING:
    from emollm.llm.budget import Budget, Price
    from emollm.llm.client import Client
    from emollm.llm.ledger import Ledger


class EndpointOptions(NamedTuple):
    """Who is asked, and within which limits."""

    model: str | None
    base_url: str
    api_key_env: str
    ledger: Path | None
    budget: float | None
    price: str | None
    in_flight: int
    requests_per_minute: int | None
    tokens_per_minute: int | None
    deadline: float


def add_endpoint_arguments(group: argparse._ArgumentGroup, prefix: str = "", *, ledger: str) -> None:
    """Add --model, --base-url and the others, each with the prefix. `ledger` says where answers go by default."""

    def add(name: str, **options: object) -> None:
        group.add_argument(f"--{prefix}{name}", **options)  # type: ignore[arg-type]

    add("model", metavar="NAME", help="the model, as the endpoint calls it")
    add("base-url", default=OPENAI, metavar="URL", help=f"any OpenAI-compatible API ({OPENAI})")
    add("api-key-env", default=KEY_ENV, metavar="NAME", help=f"variable with the key ({KEY_ENV})")
    add("ledger", type=Path, metavar="FILE", help=f"remembers every answer (default: {ledger})")
    add("budget", type=_usd, metavar="USD", help="stop before this run has cost more")
    add("price", metavar="IN,OUT", help="USD per 1M tokens, where the built-in table does not know")
    add("in-flight", type=positive, default=64, metavar="N", help="requests at a time (default: 64)")
    add("requests-per-minute", type=positive, metavar="N", help="at most")
    add("tokens-per-minute", type=positive, metavar="N", help="at most")
    add("deadline", type=float, default=180.0, metavar="S", help="seconds for a request (default: 180)")


def _usd(text: str) -> float:
    try:
        usd = float(text)
    except ValueError:
        usd = -1.0
    if not 0 <= usd < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is no amount of USD")
    return usd


def endpoint_options(arguments: argparse.Namespace, prefix: str = "") -> EndpointOptions:
    """Return the options that stand behind a prefix. Raises ConfigError for a deadline that is no time."""
    name = prefix.replace("-", "_")
    options = EndpointOptions(*(getattr(arguments, f"{name}{field}") for field in EndpointOptions._fields))
    if not options.deadline > 0:
        raise ConfigError(f"--{prefix}deadline: {options.deadline:g} is no time; give seconds, more than 0")
    return options


def prices_of(options: EndpointOptions) -> Mapping[str, Price]:
    """Return what models cost: --price goes before the built-in table."""
    from emollm.llm.budget import PRICES, read_price

    return {**PRICES, str(options.model): read_price(options.price)} if options.price else PRICES


def budget_of(options: EndpointOptions) -> Budget | None:
    """Return the cap of this run; None where there is none."""
    from emollm.llm.budget import Budget

    return None if options.budget is None else Budget(options.budget)


def open_client(options: EndpointOptions, ledger: Ledger, budget: Budget | None = None) -> Client:
    """Return the client, with its limits. Raises ConfigError for an address, a key or a price that is none."""
    from emollm.llm.client import Client
    from emollm.llm.pace import Limits

    limits = Limits(
        in_flight=options.in_flight,
        requests_per_minute=options.requests_per_minute,
        tokens_per_minute=options.tokens_per_minute,
        deadline_s=options.deadline,
    )
    return Client(
        options.base_url,
        str(options.model),
        ledger=ledger,
        limits=limits,
        budget=budget,
        prices=prices_of(options),
        key_env=options.api_key_env,
    )


_NAMED = re.compile(rf"--({'|'.join(name.replace('_', '-') for name in EndpointOptions._fields)})\b")


@contextmanager
def naming_options(prefix: str) -> Iterator[None]:
    """Name the options with their prefix in what the client finds wrong with them."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(_NAMED.sub(rf"--{prefix}\1", str(error))) from None
