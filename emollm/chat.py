"""`emollm chat`: talk with a model about a face.

    emollm chat --model runs/sft --image face.png                          one explanation, and its label
    emollm chat --model runs/sft --image face.png --question "And the brows?"
    emollm chat --model runs/sft                                           a conversation: /image face.png, then ask

Where the AUs of the picture are known (`--samples`), every claim of the answer is checked and coloured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from emollm.answers import STYLES, parse
from emollm.claims.checker import Verdict, check
from emollm.errors import EmoLLMError, SourceError, did_you_mean
from emollm.facs import prose
from emollm.labels import LABEL_SETS
from emollm.prompts import Language, ask
from emollm.records import Face, Sample, media_path, read_records
from emollm.scoring import claims_of, main_face
from emollm.vlm.options import add_model_arguments

if TYPE_CHECKING:
    from PIL.Image import Image

BANNER = (
    "What a face shows is not what a person feels: read every answer as 'expression consistent with …'.\n"
    "Do not use it to judge people, least of all at work or in education."
)
HELP = """/image FILE   look at another picture
/style NAME   answer style: {styles}
/reset        forget the conversation, keep the picture
/help         this text
/quit         leave (also Ctrl-D)
Anything else is a question; an empty line asks for the explanation."""
EPILOG = """examples:
  emollm chat --model runs/sft --image face.png
  emollm chat --model runs/sft --image runs/faces/images/000007.png --samples runs/faces/samples.jsonl"""


def main(argv: Sequence[str] | None = None) -> int:
    """Answer once where a picture or a question is given, else hold a conversation. Returns the exit code."""
    arguments = build_parser().parse_args(argv)
    print(BANNER, file=sys.stderr)
    chat = Chat(arguments)
    if arguments.image is not None:
        chat.look_at(arguments.image)
    if arguments.image is not None or arguments.question is not None:
        chat.answer(arguments.question)
        return 0
    return converse(chat)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the verb."""
    parser = argparse.ArgumentParser(
        prog="emollm chat",
        description="Talk with a vision-language model about a face.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_model_arguments(parser)
    parser.add_argument("--image", type=Path, metavar="FILE", help="the picture; without it, a conversation starts")
    parser.add_argument("--question", metavar="TEXT", help="what to ask (default: the question of --style)")
    parser.add_argument("--label-set", choices=sorted(LABEL_SETS), default="basic7", metavar="NAME", help="choices")
    spoken = "language of the question of --style, and of its answer (default: en)"
    parser.add_argument("--language", choices=get_args(Language), default="en", help=spoken)
    parser.add_argument("--samples", type=Path, metavar="FILE.jsonl", help="samples that know the AUs of the picture")
    return parser


class Chat:
    """A conversation about one picture at a time."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        from emollm.vlm.generate import Sampling
        from emollm.vlm.load import load_model

        self.model, self.processor = load_model(arguments.model, arguments.adapter)
        self.sampling = Sampling(arguments.max_new_tokens, arguments.temperature)
        self.style: str = arguments.style
        self.label_set: str = arguments.label_set
        self.language: Language = arguments.language
        self.samples: Path | None = arguments.samples
        self.picture: Image | None = None
        self.face: Face | None = None
        self.messages: list[dict[str, Any]] = []

    def look_at(self, path: Path) -> None:
        """Open another picture and forget what was said about the last one."""
        from emollm.pictures import open_picture

        self.picture = open_picture(path)
        self.face = None if self.samples is None else find_face(self.samples, path)
        self.messages = []

    def use_style(self, style: str) -> None:
        """Answer in another style from now on."""
        if style not in STYLES:
            raise EmoLLMError(f"/style: '{style}' is not known{did_you_mean(style, STYLES)}; {', '.join(STYLES)}")
        self.style = style

    def reset(self) -> None:
        """Forget the conversation, keep the picture."""
        self.messages = []

    def answer(self, question: str | None) -> None:
        """Ask the model and print what it says, then its label and what its claims are worth."""
        from emollm.vlm.generate import generate
        from emollm.vlm.turns import Turn, ask_about

        asked = question or ask(self.style, self.label_set, language=self.language)
        first = ask_about(None if self.messages else self.picture, asked)
        self.messages += first.messages
        turn = Turn(self.messages, () if self.picture is None else (self.picture,))
        streamer = None if self.face else self._streamer()
        text = generate(self.model, self.processor, [turn], self.sampling, streamer)[0].text
        self.messages.append({"role": "assistant", "content": [{"type": "text", "text": text}]})
        if self.face:
            print_checked(text, self.face)
        label = parse(text, self.label_set).label
        print(f"\nlabel: {label or 'none that can be read'}")

    def _streamer(self) -> Any:
        """Return what prints the words as they come."""
        from transformers import TextStreamer

        return TextStreamer(self.processor.tokenizer, skip_prompt=True, skip_special_tokens=True)


def find_face(samples: Path, picture: Path) -> Face | None:
    """Return the face that the sample of this picture is about, or None. Raises SourceError where no sample has it."""
    wanted = picture.resolve()
    for sample in read_records(samples, Sample, bad=lambda _line: None):
        path = media_path(sample, samples.parent)
        if path is not None and path.resolve() == wanted:
            return main_face(sample)
    raise SourceError(f"{samples}: no sample has the picture {picture}; leave out --samples to chat without checks")


COLOURS: dict[Verdict, str] = {"supported": "green", "contradicted": "red underline", "not_assessable": "yellow"}


def print_checked(text: str, face: Face) -> None:
    """Print an answer with its claims coloured by what the AUs of the face say about them, and a line that counts."""
    from rich.console import Console
    from rich.text import Text

    result = check(claims_of(parse(text)), face)
    coloured = Text(text)
    for checked in result.checked:
        coloured.stylize(COLOURS[checked.verdict], checked.claim.start, checked.claim.end)
    console = Console(soft_wrap=True)
    console.print(coloured)
    counts = Text("\nclaims: ")
    counts.append(", ".join(f"{result.count(verdict)} {verdict.replace('_', ' ')}" for verdict in COLOURS))
    if result.omitted:
        counts.append("; not mentioned: " + ", ".join(prose(code) for code in result.omitted))
    console.print(counts)


def converse(chat: Chat, read: Callable[[str], str] = input) -> int:
    """Read lines until /quit or the end of the input. A mistake is said and the conversation goes on."""
    print(HELP.format(styles=", ".join(STYLES)), file=sys.stderr)
    while True:
        try:
            line = read("> ").strip()
        except EOFError:
            return 0
        if line == "/quit":
            return 0
        try:
            obey(chat, line)
        except EmoLLMError as error:
            print(f"error: {error}", file=sys.stderr)


def obey(chat: Chat, line: str) -> None:
    """Follow one line of a conversation. Raises EmoLLMError for a command that is none, or cannot be followed."""
    command, _, value = line.partition(" ")
    value = value.strip()
    if not command.startswith("/"):
        chat.answer(line or None)
    elif command == "/image":
        chat.look_at(Path(value).expanduser())
    elif command == "/style":
        chat.use_style(value)
    elif command == "/reset":
        chat.reset()
    elif command == "/help":
        print(HELP.format(styles=", ".join(STYLES)), file=sys.stderr)
    else:
        commands = ("/image", "/style", "/reset", "/help", "/quit")
        raise EmoLLMError(f"'{command}' is no command{did_you_mean(command, commands)}; /help lists them")
