"""The endpoint behind `--teacher openai`: client, ledger and budget, or a batch file, from the options of the command.

with ExitStack() as stack:
    asking, allowance = open_endpoint(arguments, stack)
    teacher = AskingTeacher(…, within=asking.within)      # entered in the event loop, where it asks
asking.notes()                                            # tokens and cost, for the manifest
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from emollm.llm.asking import Asking, open_asking
from emollm.llm.options import batch_options, budget_of, endpoint_options, prices_of
from emollm.stage import beside, places_of

if TYPE_CHECKING:
    from data_engine.generate.allowance import Allowance


def ledger_path(arguments: argparse.Namespace) -> Path:
    """Return where answers are remembered: `cot.ledger.jsonl` beside `cot.jsonl`, unless a file is named."""
    output: Path = arguments.output
    named: Path | None = arguments.ledger
    return named or beside(output, "ledger.jsonl")


def open_endpoint(arguments: argparse.Namespace, stack: ExitStack) -> tuple[Asking, Allowance | None]:
    """Return who answers and, where there is a budget, who says when a sample may begin."""
    from data_engine.generate.allowance import Allowance
    from emollm.llm.budget import price_of

    options = endpoint_options(arguments)
    price, budget = price_of(arguments.model, prices_of(options)), budget_of(options)
    taken = [*places_of(arguments.output), arguments.samples]
    asking = open_asking(options, batch_options(arguments), ledger_path(arguments), stack, budget, taken)
    return asking, None if budget is None or price is None else Allowance(budget, price, arguments.max_tokens)
