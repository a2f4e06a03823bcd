"""The options of an endpoint: the same for whoever asks, the judge with a prefix to each (`--judge-model`).

add_endpoint_arguments(group, "judge-", ledger="beside DIR")
add_batch_arguments(group, "judge-")
options, batch = endpoint_options(arguments, "judge-"), batch_options(arguments, "judge-")
asking = open_asking(options, batch, ledger_path, stack, budget_of(options))     # of `asking`
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from emollm.errors import ConfigError
from emollm.llm.address import KEY_ENV, OPENAI
from emollm.llm.wire import EndpointError
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


class BatchOptions(NamedTuple):
    """Whether requests go into files for a batch service in place of being sent, and how far."""

    batch: Path | None = None
    """The file that requests are written to; None: they are sent."""
    batch_answers: Sequence[Path] = ()
    """Output of a batch service that is used."""
    submit: bool = False
    """Whether the service is given the file, and its answers are fetched."""
    fetch: bool = False
    """Whether its answers are fetched and nothing more is handed over."""
    prefix: str = ""
    """What the names of these options begin with."""

    def named(self, name: str) -> str:
        """Return an option as it is written."""
        return f"--{self.prefix}{name}"


def add_endpoint_arguments(group: argparse._ArgumentGroup, prefix: str = "", *, ledger: str) -> None:
    """Add --model, --base-url and the others, each with the prefix. `ledger` says where answers go by default."""
    add = partial(_add, group, prefix)
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


def add_batch_arguments(group: argparse._ArgumentGroup, prefix: str = "") -> None:
    """Add --batch, --submit, --fetch and --batch-answers, each with the prefix."""
    add, batch = partial(_add, group, prefix), f"with --{prefix}batch: "
    add("batch", type=Path, metavar="FILE", help="write requests for a batch service, send nothing")
    does = "hand them to the batch service of the endpoint; the same command fetches the answers"
    add("submit", action="store_true", help=batch + does)
    add("fetch", action="store_true", help=batch + "use what is answered, hand over nothing more")
    does = "output of a batch service to use"
    add("batch-answers", type=Path, action="append", default=[], metavar="FILE", help=does)


def _add(group: argparse._ArgumentGroup, prefix: str, name: str, **options: Any) -> None:
    group.add_argument(f"--{prefix}{name}", **options)


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


def batch_options(arguments: argparse.Namespace, prefix: str = "") -> BatchOptions:
    """Return the options that stand behind a prefix. Raises ConfigError for those that do not fit together."""
    name = prefix.replace("-", "_")
    batch, answers, submit, fetch, budget = (
        getattr(arguments, f"{name}{field}") for field in ("batch", "batch_answers", "submit", "fetch", "budget")
    )
    options = BatchOptions(batch, answers, submit, fetch, prefix)
    with naming_options(prefix):
        if (submit or fetch) and not batch:
            raise ConfigError("--submit, --fetch: are for the requests of a file; name it with --batch FILE")
        if submit and fetch:
            raise ConfigError("--submit: fetches, too; leave out --fetch, or --submit to hand over nothing more")
        if batch and (budget is not None or arguments.dry_run):
            raise ConfigError("--batch: nothing is sent, so that neither --budget nor --dry-run fits")
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


_NAMES = (*EndpointOptions._fields, *BatchOptions._fields)
_NAMED = re.compile(rf"--({'|'.join(name.replace('_', '-') for name in _NAMES)})\b")


@contextmanager
def naming_options(prefix: str) -> Iterator[None]:
    """Name the options with their prefix in what is found wrong with them."""
    try:
        yield
    except (ConfigError, EndpointError) as error:
        raise type(error)(_NAMED.sub(rf"--{prefix}\1", str(error))) from None
