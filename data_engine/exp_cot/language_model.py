"""A language model as the teacher: prompts out, answers in; what they are worth is decided by the loop.

    writer = ModelWriter(ask, load_prompts("en"), Settings(), task.sight, task.label_set)
    draft = await explain(task, writer, Effort())

`describe` and `infer` are given no label: it is no argument of theirs, and this class never sees it before `refine`.
What was refused is told in the same conversation, so that the model has its memory: what was measured, what it wrote,
what was wrong with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from data_engine.exp_cot.chinese import say_chinese
from data_engine.exp_cot.evidence import tell_aus, tell_events, tell_prosody, tell_transcript
from data_engine.exp_cot.language import LANGUAGES
from data_engine.exp_cot.reading import clean, quote, read_ending, read_labels, read_observations, read_told
from data_engine.exp_cot.task import Sight
from data_engine.exp_cot.verify import ENDING, most_words
from data_engine.exp_cot.wording import Prompts
from data_engine.exp_cot.words import say
from data_engine.exp_cot.writer import VOICE, AnswerError, Attempt, Said
from emollm.answers import parse
from emollm.facs import EXPRESSIVE, prose
from emollm.files import sha256
from emollm.labels import COMPOUND_PARTS, LABEL_SETS
from emollm.llm.wire import Ask, Image, Reply, Request, Turn
from emollm.records import Reasoning

FEEDBACK = {"infer": "misread", "read": "reread"}
"""Stage to the prompt that tells what was wrong; `reflect` for the others."""

MAX_REPEATED = 4000
"""Characters of a refused answer that are shown to the model again."""


class Settings(NamedTuple):
    """How a model is asked."""

    temperature: float = 0.7
    """For descriptions and endings; a description is read for its label at 0."""
    top_p: float | None = None
    seed: int = 0
    max_tokens: int = 700
    schema: bool = True
    """Whether the JSON that is wanted is also said as a schema."""
    name: str = "openai"
    """What the samples remember as their teacher."""


class ModelWriter:
    """Writes about one sample by asking a language model."""

    revises = True
    is_whole = False
    hears: Collection[str] = VOICE

    def __init__(
        self, ask: Ask, prompts: Prompts, settings: Settings, sight: Sight, label_set: str, image: Image | None = None
    ) -> None:
        self.language = LANGUAGES[prompts.language]
        self._ask = ask
        self._prompts = prompts
        self._settings = settings
        self._sight = sight
        self._label_set = label_set
        self._image = image
        self._seed = _seed(settings.seed, sight.id)
        self._models: set[str] = set()
        self._tokens = [0, 0]

    async def describe(self, log: Sequence[Attempt], index: int) -> Said:
        """Ask for the observations, after all that was refused so far."""
        turns = [self._system(), self.question(), *self._memory(log, ("describe", "infer"))]
        text = await self._answer("describe", turns, _describe_schema(self.language.states_claims), index)
        told = read_told(text) if self.language.states_claims else None
        return Said(read_observations(text), told)

    async def infer(self, said: Said, without: Sequence[str], log: Sequence[Attempt]) -> tuple[str, ...]:
        """Ask, without the picture, what the description alone is consistent with."""
        choices = self.choices(without)
        turns = [self._system(), self.riddle(said, choices), *self._memory(log, ("read",))]
        text = await self._answer("infer", turns, _infer_schema(choices))
        labels = read_labels(text, self._label_set)
        if ruled_out := set(labels) & set(without):
            raise AnswerError(f"label: read as {ruled_out.pop()}, which was no choice", text)
        return labels

    async def refine(self, said: Said, labels: tuple[str, ...], log: Sequence[Attempt], is_told: bool) -> Reasoning:
        """Ask for interpretation and conclusion; the observations stay as they were checked."""
        stage = "repair" if is_told else "refine"
        turns = [self._system(), self.ending(said, labels, stage), *self._memory(log, (stage,))]
        text = await self._answer(stage, turns, REFINE_SCHEMA)
        interpretation, conclusion = read_ending(text)
        return Reasoning(observations=said.observations, interpretation=interpretation, conclusion=conclusion)

    def provenance(self) -> dict[str, Any]:
        """Return who answered, in which language, to which prompts, and how many tokens that took."""
        return {
            "teacher": self._settings.name,
            "model": ", ".join(sorted(self._models)) or None,
            "language": self.language.name,
            "prompts": self._prompts.digest(),
            "picture": self._image is not None,
            "tokens": {"prompt": self._tokens[0], "completion": self._tokens[1]},
        }

    # --- questions ----------------------------------------------------------------------------------------------------

    def question(self) -> Turn:
        """Return what is asked first: evidence as text, and the picture."""
        sight, language = self._sight, self.language
        kind = "speech" if sight.text or sight.prosody else "clip" if sight.view.courses else "image"
        most = most_words(sight.view, language)
        text = self._prompts.fill(
            f"describe.{kind}",
            aus=tell_aus(sight.view, language.name),
            events=tell_events(sight.view, language.name),
            transcript=tell_transcript(sight.text, language.name),
            prosody=tell_prosody(sight.prosody, language.name),
            picture=self._picture(),
            least=language.least // 2,
            most=most - 4 * ENDING,
        )
        return Turn("user", text, (self._image,) if self._image else ())

    def choices(self, without: Sequence[str] = ()) -> list[str]:
        """Return the labels that a description can be read as; none for the open vocabulary."""
        return [label for label in LABEL_SETS[self._label_set].labels if label not in without]

    def riddle(self, said: Said, choices: Sequence[str]) -> Turn:
        """Return the question which label a description is read as."""
        shown = [self._shown(label) for label in choices]
        name = _infer_prompt(self._label_set)
        text = self._prompts.fill(name, description=quote(said.observations, 4000), choices=", ".join(shown))
        return Turn("user", text)

    def ending(self, said: Said, labels: Sequence[str], stage: str) -> Turn:
        """Return the question for what stands behind the observations."""
        length = self.language.length(said.observations)
        phrase = say(labels) if self.language.name == "en" else say_chinese(labels)
        text = self._prompts.fill(
            stage if labels else "refine.undecided",
            description=quote(said.observations, 4000),
            labels=quote(", ".join(map(self._shown, labels)), 400),
            phrase=quote(phrase, 400),
            least=max(2 * ENDING, self.language.least + ENDING // 2 - length),
            most=most_words(self._sight.view, self.language) - length,
        )
        return Turn("user", text)

    def _system(self) -> Turn:
        return Turn("system", self._prompts.fill("system"))

    def _picture(self) -> str:
        """Return what is said of the picture, and which of several faces is meant."""
        if self._image is None:
            return ""
        box = self._sight.view.face.box
        place = self._prompts.fill("box", box=", ".join(f"{value:.0f}" for value in box)) if box else ""
        return self._prompts.fill("picture", box=place)

    def _shown(self, label: str) -> str:
        """Return a label as a choice; a Chinese prompt shows the Chinese word with it."""
        return label if self.language.name == "en" else say_chinese((label,))

    def _memory(self, log: Sequence[Attempt], stages: Sequence[str]) -> list[Turn]:
        """Return what was refused as turns of the conversation: the answer, and what was wrong. No label is told."""
        turns = []
        for stage, text, problems in log:
            if stage in stages:
                listed = "\n".join(f"- {quote(problem, 300)}" for problem in problems)
                feedback = self._prompts.fill(FEEDBACK.get(stage, "reflect"), problems=listed)
                turns += [Turn("assistant", _as_answered(stage, text)), Turn("user", feedback)]
        return turns

    # --- asking -------------------------------------------------------------------------------------------------------

    async def _answer(self, stage: str, turns: Sequence[Turn], schema: str | None, index: int = 0) -> str:
        """Ask, and return the text of an answer that is whole."""
        is_reading = stage == "infer"
        request = Request(
            turns=tuple(turns),
            max_tokens=self._settings.max_tokens,
            temperature=0.0 if is_reading else self._settings.temperature,
            top_p=None if is_reading else self._settings.top_p,
            seed=self._settings.seed if is_reading else self._seed,
            schema=schema if self._settings.schema else None,
            index=index,
            stage=stage,
        )
        reply: Reply = await self._ask(request)
        self._models.add(reply.model)
        self._tokens[0] += reply.prompt_tokens or 0
        self._tokens[1] += reply.completion_tokens or 0
        if reply.finish == "length":
            raise AnswerError(f"length: the answer was cut off after {self._settings.max_tokens} tokens", reply.text)
        return reply.text


def _as_answered(stage: str, text: str) -> str:
    """Return a refused text in the form that was asked for, or as it came where it has no form."""
    text = clean(text)[:MAX_REPEATED].strip() or "…"
    if text.startswith("{"):
        return text
    if stage == "read":
        return text
    if stage in ("describe", "infer"):
        return json.dumps({"observations": text}, ensure_ascii=False)
    answer = parse(text)
    parts = {"interpretation": answer.interpretation, "conclusion": answer.conclusion}
    return json.dumps(parts, ensure_ascii=False) if all(parts.values()) else text


def _seed(seed: int, sample_id: str) -> int:
    """A number for each sample: two faces with the same AUs need not be put in the same words."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{sample_id}".encode()).digest()[:4], "big") >> 1


def hash_image(path: Path) -> Image:
    """Return a picture by the digest of its file as it is now."""
    return Image(path=path, sha256=sha256(path))


def _infer_prompt(label_set: str) -> str:
    """Return the prompt that suits a label set."""
    if label_set == "bah2":
        return "infer.ambivalence"
    if not LABEL_SETS[label_set].labels:
        return "infer.open"
    is_compound = not COMPOUND_PARTS.keys().isdisjoint(LABEL_SETS[label_set].labels)
    return "infer.compound" if is_compound else "infer"


# --- schemas ----------------------------------------------------------------------------------------------------------


def _schema(**properties: object) -> str:
    """Return a strict JSON schema of an object, as canonical JSON."""
    required = sorted(properties)
    whole = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


_TEXT = {"type": "string"}
REFINE_SCHEMA = _schema(interpretation=_TEXT, conclusion=_TEXT)


def _describe_schema(states_claims: bool) -> str:
    if not states_claims:
        return _schema(observations=_TEXT)
    properties = {
        "au": {"type": "string", "enum": [prose(code) for code in sorted(EXPRESSIVE)]},
        "present": {"type": "boolean"},
        "side": {"type": ["string", "null"], "enum": ["left", "right", None]},
        "strength": {"type": ["string", "null"], "enum": [*"ABCDE", None]},
        "apex_s": {"type": ["number", "null"]},
    }
    claim = {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}
    return _schema(observations=_TEXT, claims={"type": "array", "items": claim})


def _infer_schema(choices: Sequence[str]) -> str:
    if not choices:
        return _schema(because=_TEXT, labels={"type": "array", "items": _TEXT})
    return _schema(because=_TEXT, label={"type": "string", "enum": [*choices, "none"]})
