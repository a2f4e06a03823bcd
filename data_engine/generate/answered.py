"""What a run would not have to ask for: samples that are written, and samples whose every answer is remembered.

    found = find_answered(arguments, options, prompts)
    found.written, found.remembered          # ids in the output; ids whose explanation needs the ledger alone

Nothing is asked and nothing written: the loop runs with the ledger in place of an endpoint, and stops where that has no
answer.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import NamedTuple

from data_engine.exp_cot.draft import Options
from data_engine.exp_cot.wording import Prompts
from data_engine.generate.endpoint import ledger_path
from data_engine.generate.options import open_teacher
from data_engine.generate.preview import LOOKED_AT
from data_engine.generate.quota import Quota
from emollm.llm.wire import Ask, Failure, Reply, Request
from emollm.records import Sample, read_records
from emollm.records.ids import Ids


class Answered(NamedTuple):
    """Ids of samples that cost nothing any more."""

    written: Ids
    remembered: frozenset[str]
    """Among the first that are not written."""


def find_answered(arguments: argparse.Namespace, options: Options, prompts: Prompts) -> Answered:
    """Look at the output and the ledger of a run as they are now."""
    written = Ids(arguments.output)
    if arguments.output.exists() and not arguments.overwrite:
        for _ in read_records(arguments.output, Sample, ids=written, bad=lambda line: None):  # noqa: ARG005
            pass
    if not ledger_path(arguments).exists():
        return Answered(written, frozenset())

    def waiting() -> Iterator[Sample]:
        samples = read_records(arguments.samples, Sample, bad=lambda line: None)  # noqa: ARG005
        return islice((one for one in islice(samples, arguments.limit) if one.id not in written), LOOKED_AT)

    with ExitStack() as stack:
        ask = _remembering(arguments, stack)
        teacher, _ = stack.enter_context(open_teacher(arguments, "openai", options, prompts, Quota(None), ask))
        drafts = teacher.drafts(waiting())
        ids = [one.id for one, draft in drafts if "teacher" in draft.provenance and draft.reason != "teacher_deferred"]
    return Answered(written, frozenset(ids))


def _remembering(arguments: argparse.Namespace, stack: ExitStack) -> Ask:
    """Return who answers from the ledger alone."""
    from emollm.llm.address import read_address
    from emollm.llm.entry import canonical, key_of, to_reply
    from emollm.llm.ledger import Ledger

    ledger = stack.enter_context(Ledger(ledger_path(arguments)))
    url = read_address(arguments.base_url)

    async def ask(request: Request) -> Reply:
        entry = ledger.find(key_of(canonical(url, arguments.model, request)))
        if entry is None:
            raise Failure("deferred", "nobody has answered it yet", tries=0)
        return to_reply(entry, is_remembered=True)

    return ask
