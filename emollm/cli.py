"""The command line: `emollm VERB …`. Each verb is a module's `main(argv) -> int`, imported only when called.

Exit codes: 0 done, 1 an error the user can mend (one line, no traceback), 2 usage, 130 Ctrl-C.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple, cast

from emollm import __version__
from emollm.errors import EmoLLMError, did_you_mean


class Verb(NamedTuple):
    """Where a verb lives and what it does."""

    module: str
    help: str


VERBS = {
    "quickstart": Verb("emollm.quickstart", "the whole pipeline, offline, on a CPU, ending in a report"),
    "faces": Verb("data_engine.faces.door", "render faces with exact action units, landmarks and labels"),
    "import": Verb("data_engine.layouts.door", "read a data set as it lies on disk: RAF-DB, AffectNet, DFEW, DISFA …"),
    "detect": Verb("data_engine.detect.door", "measure faces in pictures and clips, or read AU files"),
    "generate": Verb("data_engine.generate", "write verified explanations (Exp-CoT) for samples"),
    "export": Verb("data_engine.exports.door", "write training files for TRL, LLaMA-Factory, LLaVA, datasets"),
    "train": Verb("emollm.train", "fine-tune a vision-language model: emollm train sft --config recipes/…"),
    "predict": Verb("eval.predict", "let a model explain samples"),
    "intervene": Verb("eval.intervene.door", "let it answer again with picture or reasoning altered: is it faithful?"),
    "score": Verb("eval.score", "score labels and explanations, with intervals and a report"),
    "compare": Verb("eval.compare", "compare scored runs, sample by sample"),
    "wheel": Verb("eval.wheel_tables", "make one file of the published emotion-wheel tables, to score open labels"),
    "merge": Verb("emollm.train.merge", "make one model of an adapter and its base, and check that it says the same"),
    "card": Verb("emollm.train.card", "write the model card: uses, data, training, results"),
    "doctor": Verb("emollm.doctor", "say what is wrong with a file, a model, a run, a recipe or this machine"),
    "chat": Verb("emollm.chat", "talk with a model about a face"),
}

USAGE = "usage: emollm VERB [OPTIONS]     emollm VERB --help shows a verb's options"
FLOW = "faces | import  →  detect  →  generate  →  export · train  →  predict  →  score  →  compare · chat"


def help_text() -> str:
    """Return what `emollm --help` prints."""
    verbs = "\n".join(f"  {name:<11} {verb.help}" for name, verb in VERBS.items())
    return (
        "emollm turns faces into explained emotion.\n\n"
        f"{USAGE}\n\n{verbs}\n\n{FLOW}\n\n"
        "Start here:  emollm quickstart --out quickstart\n"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(help_text(), end="")
        return 0 if arguments else 2
    if arguments[0] in ("-V", "--version", "version"):
        print(f"emollm {__version__}")
        return 0
    name = arguments[0]
    if name not in VERBS:
        print(f"error: '{name}' is no verb{did_you_mean(name, VERBS)}\n{USAGE}", file=sys.stderr)
        return 2
    return run(VERBS[name].module, arguments[1:])


def run(module: str, arguments: Sequence[str]) -> int:
    """Call a stage's `main`, turning errors the user can mend into one line and an exit code."""
    try:
        return cast(int, importlib.import_module(module).main(arguments))
    except EmoLLMError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (`| head`) has left: point stdout elsewhere, so that the exit does not fail on flushing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.filename is None and error.strerror is None:
            raise
        print(f"error: {error.filename or 'writing'}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
