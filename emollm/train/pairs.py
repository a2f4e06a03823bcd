"""Pairs: two answers to one question about one picture, of which one is better; from a file, or from completions.

    pairs, refused = find_pairs(Path("preference/data.jsonl"), root)
    pairs, refused = find_pairs(Path("cot.jsonl"), root, Path("runs/grpo/completions"), Choosing(margin=0.5))
    write_pairs(run.directory / "pairs.jsonl", pairs, refused)

The file is that of `emollm export --format preference`, in TRL's form. Completions are those that GRPO paid: of each
group, the best stands against the worst.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from emollm.answers import parse
from emollm.errors import RecordError, SourceError
from emollm.files import in_one_step, write_json
from emollm.pictures import check_picture
from emollm.prompts import Language, ask, language_of
from emollm.records import Sample, media_path, read_records
from emollm.scoring import is_well_formed
from emollm.stage import manifest_beside
from emollm.train.refused import BAD_PICTURE, Refused
from emollm.train.rows import Row


class Pair(NamedTuple):
    """One question about one picture, the better answer and the worse one."""

    id: str
    picture: str
    question: str
    chosen: str
    rejected: str


class Choosing(NamedTuple):
    """How pairs are chosen among completions."""

    margin: float = 0.5
    """By how much the best of a group must be paid more than the worst, in the units of `total`."""
    style: str = "sections"
    label_set: str | None = None
    """The choices in the question; each sample's own unless given."""
    language: Language | None = None
    """Of the questions, as GRPO asked them; that of each sample's explanation unless given."""


def find_pairs(
    path: Path, root: Path, completions: Path | None = None, choosing: Choosing | None = None
) -> tuple[list[Pair], Refused]:
    """Return the pairs of a file or, with `completions`, those that these make about the samples of the file.

    Also returns how many pairs, or groups of completions, were left out for which reason.
    """
    if completions is None:
        return read_pairs(path, root)
    return pairs_of_completions(completions, read_records(path, Sample), root, choosing or Choosing())


def rows_of(pairs: Iterable[Pair]) -> list[Row]:
    """Return the rows of the pairs, two of each."""
    both = ("chosen", "rejected")
    return [Row(pair.id, pair.picture, which, pair.question, getattr(pair, which)) for pair in pairs for which in both]


class Part(msgspec.Struct):
    """A piece of a message: a picture, a clip or a text."""

    type: str
    text: str = ""


class Message(msgspec.Struct):
    """One message of a conversation, in the chat form of transformers."""

    role: Literal["system", "user", "assistant"]
    content: str | list[Part]

    def said(self) -> str:
        """Return the text of the message."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if part.type == "text")


class Line(msgspec.Struct):
    """A line of a file of pairs; what else it holds is not looked at."""

    prompt: list[Message]
    chosen: list[Message]
    rejected: list[Message]
    images: list[str]
    id: str = ""

    def __post_init__(self) -> None:
        if [message.role for message in self.prompt] != ["user"]:
            raise ValueError("prompt: must be one message of the user")
        for name in ("chosen", "rejected"):
            if [message.role for message in getattr(self, name)] != ["assistant"]:
                raise ValueError(f"{name}: must be one message of the assistant")
        if len(self.images) != 1:
            raise ValueError(f"images: must name one picture, not {len(self.images)}")


def read_pairs(path: Path, root: Path) -> tuple[list[Pair], Refused]:
    """Return the pairs of a file, and how many were left out for which reason. Pictures lie under `root`.

    Raises RecordError that names the first line which is no pair, SourceError where the file cannot be read.
    """
    pairs: list[Pair] = []
    refused = Refused()
    for number, line in _lines(path):
        picture = root / line.images[0]
        if not picture.resolve().is_relative_to(root.resolve()):
            raise RecordError(f"{path}:{number}: images: '{line.images[0]}' leads out of {root}; set media_root")
        told = Pair(
            line.id or f"line {number}",
            str(picture),
            line.prompt[0].said(),
            line.chosen[0].said().strip(),
            line.rejected[0].said().strip(),
        )
        reason = _why_not(told)
        if reason:
            refused.add(told.id, *reason)
        else:
            pairs.append(told)
    return pairs, refused


def _lines(path: Path) -> Iterator[tuple[int, Line]]:
    decoder = msgspec.json.Decoder(Line)
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    yield number, decoder.decode(text)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise RecordError(
            f"{path}:{number}: {error}; a pair reads {{prompt, chosen, rejected, images}}, "
            "as `emollm export --format preference` writes it to data.jsonl"
        ) from None


def _why_not(pair: Pair) -> tuple[str, str] | None:
    """Return why a pair cannot teach anything: in one word, and what can be mended."""
    if not pair.question.strip() or not pair.chosen or not pair.rejected:
        return "no_text", ""
    if pair.chosen == pair.rejected:
        return "same_text", ""
    try:
        check_picture(Path(pair.picture))
    except SourceError as error:
        return BAD_PICTURE, str(error)
    return None


def pairs_of_completions(
    directory: Path, samples: Iterable[Sample], root: Path, choosing: Choosing
) -> tuple[list[Pair], Refused]:
    """Return the best and the worst completion of each group, and how many groups were left out for which reason.

    A group is what was said to one question in one step. The best must be whole, in the form that was asked for: a text
    that was cut off would teach to stop in the middle. Raises SourceError where there are no completions.
    """
    groups = list(_groups(directory))
    wanted = {rows[0]["id"] for rows in groups}
    known = {sample.id: sample for sample in samples if sample.id in wanted}
    pairs: dict[Pair, None] = {}  # in order, each once
    refused = Refused()
    for rows in groups:
        sample = known.get(rows[0]["id"])
        pair = "no_sample" if sample is None else _best_and_worst(rows, sample, root, choosing)
        reason = (pair, "") if isinstance(pair, str) else _why_not(pair)
        if reason:
            refused.add(rows[0]["id"], *reason)
        elif isinstance(pair, Pair):
            pairs[pair] = None
    return list(pairs), refused


def _groups(directory: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the completions of each question of each step."""
    from pyarrow import ArrowException, parquet

    columns = ["id", "variant", "completion", "total"]
    paths = sorted(directory.glob("step-*.parquet"))
    if not paths:
        raise SourceError(f"{directory}: holds no completions; give the folder `completions` of a run of `train grpo`")
    for path in paths:
        try:
            rows = parquet.read_table(path, columns=columns).to_pylist()
        except (ArrowException, OSError, KeyError) as error:
            reason = " ".join(str(error).split())[:120]
            raise SourceError(f"{path}: is no file of completions ({reason}); remove it") from None
        groups: dict[Any, list[dict[str, Any]]] = {}
        for row in rows:
            groups.setdefault((row["id"], row["variant"]), []).append(row)
        yield from groups.values()


def _best_and_worst(rows: Iterable[Mapping[str, Any]], sample: Sample, root: Path, choosing: Choosing) -> Pair | str:
    """Return the pair of a group, or why it has none, in one word."""
    paid = [row for row in rows if row["total"] is not None]
    if len(paid) < 2:
        return "not_paid"
    best, worst = max(paid, key=_total), min(paid, key=_total)
    if best["total"] - worst["total"] < choosing.margin or best["total"] == worst["total"]:
        return "too_alike"
    label_set = choosing.label_set or sample.label_set
    chosen = parse(best["completion"], label_set)
    if not is_well_formed(chosen, choosing.style):
        return "not_whole"
    path = media_path(sample, root)
    if path is None:
        return "no_picture"
    language = choosing.language or language_of(sample)
    question = ask(choosing.style, label_set, best["variant"], sample.text, language=language)
    return Pair(sample.id, str(path), question, best["completion"].strip(), worst["completion"].strip())


def _total(row: Mapping[str, Any]) -> float:
    return float(row["total"])


def write_pairs(path: Path, pairs: Iterable[Pair], refused: Mapping[str, int]) -> None:
    """Write the pairs that a run learns from, one a line, and beside them how many groups were left out and why."""
    encode = msgspec.json.encode
    with in_one_step(path) as part:
        part.write_bytes(b"".join(encode(pair._asdict()) + b"\n" for pair in pairs))
    write_json(manifest_beside(path), {"stage": "pairs", "refused": dict(refused)})


def read_written(path: Path) -> tuple[list[Pair], Refused]:
    """Return what `write_pairs` wrote."""
    decode = msgspec.json.decode
    pairs = [Pair(**decode(line, type=dict[str, str])) for line in path.read_bytes().splitlines()]
    refused = Refused()
    refused.update(json.loads(manifest_beside(path).read_text(encoding="utf-8"))["refused"])
    return pairs, refused
