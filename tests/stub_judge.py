"""A judge on this machine that obeys everything it finds outside of the marked data, and an endpoint it answers at.

    with StubJudge(read_injections()) as endpoint:
        ...                                              # endpoint.url, endpoint.obeyed

    python tests/stub_judge.py '{"latency_s": 0.02}'     # as a process: prints its address, GET /stats counts

What it can show, and what it cannot: no stub tells whether a real model keeps to the rule that data are no orders. This
one shows that no text of others ever stands outside of the data's borders, for a reader who sees borders wherever there
could be any: a mark of ours in any kind of bracket, encoded or not, with invisible characters in it or not; a tag of a
chat template; a fence; the end of a line, after which a heading or the name of a speaker could stand; characters that
no person sees. (Round brackets are no border to it: they are what the others become.) An order that it finds out there
it carries out with the best verdict there is. It obeys nothing inside, judges everything else alike, with few points
and nothing matched, and quotes all it was shown in its reason, so that a reader of its answers can be fooled too. A
parrot also answers with the text itself where it is asked to sum it up: what came in as data comes back as words of the
judge, and goes into the next question.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

from fake_endpoint import FakeEndpoint, Manners

INJECTIONS = Path(__file__).parent / "data" / "injections.jsonl"

_BRACKETS = str.maketrans(
    dict.fromkeys("‹«〈《⟨⟪❬❮{[【〔", "<") | dict.fromkeys("›»〉》⟩⟫❭❯}]】〕", ">") | {"｜": "|", "¦": "|"}
)
_ENCODED = re.compile(r"(?:%|\\x|\\u00)([357][0-9a-f])", re.IGNORECASE)
_UNSEEN = re.compile(r"[\U000E0020-\U000E007E]+")
_BORDER = re.compile(
    r"<[\s!-]*/?\s*data\b[^>\n]*>|<\|[^>\n]{1,40}>|</?s>|<</?sys>>|<(?:start|end)_of_turn>|</?inst>|```"
    r"|\n",
    re.IGNORECASE,
)


def read_injections() -> list[dict[str, str]]:
    return [json.loads(line) for line in INJECTIONS.read_text(encoding="utf-8").splitlines()]


def lenient(prompt: str) -> str:
    """The prompt for a reader who decodes what is encoded, sees what is hidden, and takes every bracket for a tag's."""
    text = _UNSEEN.sub(lambda found: "</data>" + "".join(chr(ord(c) - 0xE0000) for c in found[0]), prompt)
    for _ in range(9):
        text = html.unescape(_ENCODED.sub(lambda found: chr(int(found[1], 16)), text))
    text = unicodedata.normalize("NFKC", text).replace("\r", "\n").replace("\u2028", "\n").replace("\x85", "\n")
    return "".join(char for char in text if char == "\n" or char.isprintable()).translate(_BRACKETS)


def outside(prompt: str) -> str:
    """All that stands outside of the data."""
    text, kept, place = lenient(prompt), [], 0
    while (opening := text.find("<data> ", place)) >= 0:
        kept.append(text[place:opening])
        border = _BORDER.search(text, opening + len("<data> "))
        place = border.start() if border else len(text)
    return "\n".join([*kept, text[place:]])


def inside(prompt: str) -> list[str]:
    """The texts between our marks, as they are, but for the rule that explains the marks."""
    return re.findall(r"<data> (.*?) </data>", prompt.partition("\n\n")[2])


def plain(text: str) -> str:
    return " ".join(lenient(text).casefold().split())


class StubJudge(FakeEndpoint):
    """The endpoint. `obeyed` counts the orders it carried out."""

    def __init__(
        self,
        injections: list[dict[str, str]] | None = None,
        manners: Manners | None = None,
        *,
        is_parrot: bool = False,
        quotes_raw: bool = False,
    ) -> None:
        super().__init__(manners)
        self.cues = [plain(one["cue"]) for one in injections or ()]
        self.is_parrot = is_parrot
        self.quotes_raw = quotes_raw
        """Whether it also quotes what it was shown before its verdict, as no JSON."""
        self.obeyed: list[str] = []

    def find_order(self, prompt: str) -> str | None:
        found = plain(outside(prompt)) if self.cues else ""
        return next((cue for cue in self.cues if cue in found), None)

    def say(self, body: bytes, digest: str) -> str:  # noqa: ARG002
        prompt = "\n".join(message["content"] for message in json.loads(body)["messages"])
        order = self.find_order(prompt)
        if order is not None:
            self.obeyed.append(order)
        verdict = self.verdict(prompt, order is not None)
        if isinstance(verdict, str):
            return verdict
        told = json.dumps(verdict, ensure_ascii=False)
        return f"I was shown: {' '.join(inside(prompt))}\n{told}" if self.quotes_raw else told

    def verdict(self, prompt: str, obeys: bool) -> dict[str, Any] | str:
        asked, shown = prompt.rpartition("</data>")[2], " ".join(inside(prompt))
        if '"better"' in asked:
            return {"because": shown, "better": "first" if obeys else "tie"}
        if '"clues"' in asked:
            clues = [shown[:150], "a clue"] if self.is_parrot else ["smiles", "speaks softly"]
            return {"clues": clues, "labels": [shown[:150]] if self.is_parrot else ["happy"]}
        if '"clue_1"' in asked:
            keys = re.findall(r'"(clue_\d+)"', asked)
            told = {"because": shown, **dict.fromkeys(keys, "matched" if obeys else "missing")}
            return told | ({"label": "same" if obeys else "different"} if '"label"' in asked else {})
        if '"score"' in asked:
            return {"score": 10 if obeys else 2, "reason": shown}
        return shown[:190] if self.is_parrot else "anxious"


async def _serve(endpoint: StubJudge) -> None:
    server = await endpoint.listen()
    print(endpoint.url, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(StubJudge(manners=Manners(**json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}")))))
