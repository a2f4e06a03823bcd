"""A teacher that lies at a known rate: it reads the prompts as a model would, and writes what they ask for, or not.

ask = LyingTeacher(lie=0.3, seed=0)
reply = await ask(request)
ask.planted[observations]          # "add", "drop", "flip", "everyday", "strength", "label", or None for a sound text

It knows nothing but the prompts: the AUs are read from their lines, the description from between its marks. So a prompt
that says too little, or a label that finds its way into one, shows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from random import Random

from data_engine.exp_cot.conclude import conclude
from data_engine.exp_cot.describe import NOTATIONS, describe
from data_engine.exp_cot.infer import infer, settle
from data_engine.exp_cot.interpret import interpret
from data_engine.exp_cot.narrative import narrate
from data_engine.exp_cot.phrases import PHRASES
from data_engine.exp_cot.view import Sign, View, look
from emollm import facs
from emollm.claims import read_claims
from emollm.facs import LETTERS
from emollm.llm.wire import Reply, Request
from emollm.records import AU, Event, Face

LIES = ("add", "everyday", "drop", "flip", "strength", "label")
EMOTIONS = ("happy", "an angry look", "sadness", "fearful", "looks surprised", "disgust", "neutral")
LABELS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")

EVERYDAY = {
    "AU01": "The forehead shows raised inner brows.",
    "AU04": "The person frowns.",
    "AU05": "The eyes are wide open.",
    "AU06": "The cheeks are bunched up under the eyes.",
    "AU09": "The nose is scrunched up.",
    "AU12": "There is a hint of a smile on the lips.",
    "AU15": "The corners of the mouth droop.",
    "AU17": "The chin is pushed up.",
    "AU25": "The lips are parted.",
    "AU26": "The jaw hangs open.",
}
"""What is not there, said as people say it."""

_AU = re.compile(
    r"^- AU(?P<au>\d+)(?: \([^)]*\))?: (?:\w+ \((?P<letter>[A-E])\), [\d.]+ of 5"
    r"|likely, with a probability of (?P<chance>[\d.]+)|(?P<there>present))"
    r"(?:, (?P<how>on the|more on the) (?P<side>left|right) side)?",
    re.MULTILINE,
)
_EVENT = re.compile(
    r"^- AU(?P<au>\d+)(?: \([^)]*\))?: from (?P<on>[\d.]+) s to (?P<off>[\d.]+) s, strongest at (?P<apex>[\d.]+) s, "
    r"then (?:\w+ \((?P<letter>[A-E])\)|likely, with a probability of (?P<chance>[\d.]+)|present)",
    re.MULTILINE,
)
_ABSENT = re.compile(r"^Measured, and clearly not there: (.*)\.$", re.MULTILINE)
_HIDDEN = re.compile(r"^Cannot be seen, so that nothing can be said about it: (.*)\.$", re.MULTILINE)
_DATA = re.compile(r"<data>\n(.*?)\n</data>", re.DOTALL)


class LyingTeacher:
    """An `Ask` that answers describe, infer and refine."""

    def __init__(self, lie: float = 0.3, misread: float = 0.1, seed: int = 0) -> None:
        self.lie = lie
        self.misread = misread
        self.seed = seed
        self.planted: dict[str, str | None] = {}
        self.requests: list[Request] = []
        self.calls: Counter[str] = Counter()

    async def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        self.calls[request.stage] += 1
        said = "\n".join(turn.text for turn in request.turns) + f"{request.seed} {request.index}"
        rng = Random(hashlib.sha256(f"{self.seed}{said}".encode()).digest())
        answer = {"describe": self._describe, "infer": self._infer, "refine": self._refine, "repair": self._refine}
        text = json.dumps(answer[request.stage](request, rng))
        return Reply(text=text, model="liar", prompt_tokens=len(said) // 4, completion_tokens=len(text) // 4)

    def _describe(self, request: Request, rng: Random) -> dict[str, str]:
        view = read_view(request.turns[1].text)
        is_lie = rng.random() < self.lie
        said = [phrase for code, phrase in EVERYDAY.items() if code in view.absent]
        lies = [lie for lie in LIES if plant(lie, view, rng) is not None]
        lie = rng.choice([*lies, "label", *(["everyday"] if said else [])]) if is_lie else None
        seen = (plant(lie, view, rng) if lie else None) or view
        notation = rng.choice(NOTATIONS)
        observations = describe(seen, rng, notation, is_terse=len(seen.signs) > 7)
        if seen.courses:
            observations = narrate(seen, observations, rng, notation)
        if lie == "label":
            observations += f" In all, {rng.choice(EMOTIONS)}."
        if lie == "everyday":
            observations += f" {rng.choice(said)}"
        self.planted[observations] = lie
        return {"observations": observations}

    def _infer(self, request: Request, rng: Random) -> dict[str, str]:
        """Read the description with the claims reader, and name what fits, or something else."""
        if rng.random() < self.misread:
            return {"because": "a hunch", "label": rng.choice(LABELS)}
        labels = settle(infer(described(request), "emfacs", "basic7"), ())
        return {"because": "the pattern", "label": labels.labels[0] if labels and labels.labels else "neutral"}

    def _refine(self, request: Request, rng: Random) -> dict[str, str]:
        text = request.turns[1].text
        match = re.search(r"It reads as ([^.]*)\.|people who know the face say: ([^.]*)\.", text)
        label = (match[1] or match[2]).strip() if match else "neutral"
        view = described(request)
        finding = settle(infer(view, "emfacs", "basic7"), (label,))
        if finding is None:
            return {"interpretation": "Little can be said.", "conclusion": f"It is consistent with {label}."}
        interpretation = interpret(finding, view, rng) + FILLER
        conclusion = conclude(finding, view, rng)
        if rng.random() < self.lie / 2:
            absent = [code for code in view.absent if PHRASES[code].nouns]
            noun = PHRASES[rng.choice(absent)].nouns[0] if absent else "nose wrinkling"
            interpretation += f" There is {noun} as well."
        return {"interpretation": interpretation, "conclusion": conclusion}


FILLER = (
    " This reading concerns what is visible and not an inner state, and it rests on the described movements alone; "
    "others remain possible when more of the situation is known than a face can show."
)


def read_view(prompt: str) -> View:
    """Return what a prompt says of a face."""
    aus: dict[str, AU] = {}
    for line in _AU.finditer(_DATA.findall(prompt)[0]):
        kind = "intensity" if line["letter"] else "probability" if line["chance"] else "presence"
        value = LETTERS.index(line["letter"]) + 1.0 if line["letter"] else float(line["chance"] or 1)
        left = right = None
        if line["side"]:
            weak = 0.0 if line["how"] == "on the" else value - 1.0
            left, right = (value, weak) if line["side"] == "left" else (weak, value)
        aus[f"AU{int(line['au']):02d}"] = AU(value=value, kind=kind, left=left, right=right)
    kinds = {au.kind for au in aus.values()} or {"intensity"}
    for part in re.findall(r"AU(\d+)", absent[1] if (absent := _ABSENT.search(prompt)) else ""):
        aus[f"AU{int(part):02d}"] = AU(value=0.0, kind=min(kinds))
    hidden = match[1].split(", ") if (match := _HIDDEN.search(prompt)) else None
    events = [
        Event(
            au=f"AU{int(line['au']):02d}",
            onset_s=float(line["on"]),
            apex_s=float(line["apex"]),
            offset_s=float(line["off"]),
            peak=LETTERS.index(line["letter"]) + 1.0 if line["letter"] else float(line["chance"] or 1),
        )
        for line in _EVENT.finditer(prompt)
    ]
    return look(Face(aus=aus, hidden=hidden), facs.THRESHOLDS, events)


def described(request: Request) -> View:
    """Return what a description says of a face."""
    text = _DATA.findall(request.turns[1].text)[0]
    aus = {}
    for claim in read_claims(text):
        value = LETTERS.index(claim.letters[0]) + 1.0 if claim.letters else 2.0
        aus[claim.aus[0]] = AU(value=value if claim.present else 0.0, kind="intensity")
    measured = {code: AU(value=0.0, kind="intensity") for code in ("AU04", "AU06", "AU09", "AU12", "AU15", "AU25")}
    return look(Face(aus=measured | aus), facs.THRESHOLDS)


def plant(lie: str, view: View, rng: Random) -> View | None:
    """Return the face as a liar would describe it, None where there is nothing to lie about."""
    signs: list[Sign] = list(view.signs)
    if lie == "add" and view.absent:
        code = rng.choice(view.absent)
        return seen_as(view, [*signs, Sign(code, signs[0].strength if signs else None, False, None, None)])
    if lie == "drop" and signs:
        gone = rng.choice(signs)
        signs.remove(gone)
        courses = tuple(course for course in view.courses if course.event.au != gone.code)
        return seen_as(view, signs)._replace(courses=courses)
    places = [place for place, sign in enumerate(signs) if (sign.side if lie == "flip" else sign.strength)]
    if lie in ("flip", "strength") and places:
        place = rng.choice(places)
        sign = signs[place]
        if lie == "flip":
            signs[place] = sign._replace(side="left" if sign.side == "right" else "right")
        else:
            letter = LETTERS.index(sign.strength or "A")
            signs[place] = sign._replace(strength=LETTERS[letter - 3 if letter >= 3 else letter + 2])
        return seen_as(view, signs)
    return None


def seen_as(view: View, signs: Sequence[Sign]) -> View:
    there = {sign.code for sign in signs}
    return view._replace(
        signs=tuple(signs),
        present={code: au for code, au in view.present.items() if code in there},
        absent=tuple(code for code in view.absent if code not in there),
    )
