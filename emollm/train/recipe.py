"""A recipe: one YAML file, one experiment; `key=value` on the command line goes over it.

    values = read_values(Path("recipes/quickstart/sft.yaml"), ["learning_rate=1e-3", "lora.r=8"])
    recipe, trainer = check_values(values, Recipe, SFTConfig)

Keys are the fields of the stage's own recipe or, under their own names, those of the trainer's arguments. Every problem
is reported at once, because a run that fails one key at a time wastes a start of the cluster each.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from emollm.errors import ConfigError, did_you_mean
from emollm.train.limits import LOSSES, ROLLOUT, TRAINER

T = TypeVar("T", bound=msgspec.Struct)


def recipe_parser(stage: str, example: str) -> argparse.ArgumentParser:
    """Return the parser that every stage of training shares."""
    parser = argparse.ArgumentParser(
        prog=f"emollm train {stage}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"example:\n  {example}\n\nThe keys of a recipe are described in recipes/README.md.",
    )
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE.yaml", help="the recipe")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="goes over the recipe; lora.r=8 for nested")
    parser.add_argument("--overwrite", action="store_true", help="start again; the default goes on where it stopped")
    parser.add_argument("--print-config", action="store_true", help="print the checked recipe and stop")
    return parser


def read_values(path: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """Read a recipe and put the overrides over it. Raises ConfigError where either is no YAML mapping."""
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: must hold 'key: value' lines")
    for override in overrides:
        _override(values, override)
    return values


def _override(values: dict[str, Any], override: str) -> None:
    import yaml

    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"'{override}': an override reads key=value")
    *outer, last = key.split(".")
    for name in outer:
        if not isinstance(values.get(name), dict):
            values[name] = {}
        values = values[name]
    try:
        values[last] = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"'{override}': the value is not YAML; put it in quotes") from None


def check_values(
    values: dict[str, Any], own: type[T], trainer: type | None = None, refused: Mapping[str, str] | None = None
) -> tuple[T, dict[str, Any]]:
    """Split the values into the stage's own recipe and the trainer's arguments, with numbers made numbers.

    `refused` are arguments of the trainer that cannot work here, with what to do instead.
    Raises ConfigError that lists every unknown, refused or missing key, wrong type and number out of range.
    """
    refused = refused or {}
    own_types = typing.get_type_hints(own, include_extras=True)
    trainer_types = _argument_types(trainer)
    problems: list[str] = []
    mine: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    for key, value in values.items():
        if key in own_types:
            mine[key] = _convert(key, value, own_types[key], problems)
        elif key in refused:
            problems.append(f"{key}: {refused[key]}")
        elif key in trainer_types:
            theirs[key] = _convert(key, value, trainer_types[key], problems)
        else:
            problems.append(f"{key}: unknown key{did_you_mean(str(key), [*own_types, *trainer_types])}")
    missing = [field.name for field in msgspec.structs.fields(own) if field.required and field.name not in values]
    problems += [f"{name}: is missing" for name in missing]
    recipe = None
    if not problems:
        try:
            recipe = own(**mine)
        except ValueError as error:
            problems.append(str(error))
    if recipe is None:
        raise ConfigError(f"the recipe has {len(problems)} problem(s):\n  " + "\n  ".join(problems))
    return recipe, theirs


def _argument_types(trainer: type | None) -> dict[str, Any]:
    """Return the plain types of a trainer's arguments; what is not a plain type is taken as it comes."""
    if trainer is None:
        return {}
    hints = typing.get_type_hints(trainer)
    limits = TRAINER | ROLLOUT | LOSSES.get(trainer.__name__, {})
    hints |= {name: limited for name, limited in limits.items() if name in hints}
    return {field.name: hints.get(field.name, Any) for field in dataclasses.fields(trainer) if field.init}


def _convert(key: str, value: Any, wanted: Any, problems: list[str]) -> Any:
    """Return the value in the wanted type; YAML reads `2e-5` as a string and `no` as false, and neither is meant so."""
    if value is False and bool not in _members(wanted):
        value = "no"
    if isinstance(value, str) and str not in _members(wanted):
        value = _number(value)
    if isinstance(value, dict) and (glued := next((name for name in value if ":" in str(name)), None)):
        problems.append(f"{key}: '{glued}' is one word to YAML; put a blank after the colon")
        return value
    if not _is_finite(value):
        problems.append(f"{key}: expected a finite number")
        return value
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        problems.append(_fault(key, str(error), wanted))
    except TypeError:
        pass  # a type that msgspec does not know, such as an enumeration of the trainer's own: the trainer checks it
    return value


def _fault(key: str, message: str, wanted: Any) -> str:
    """Say what msgspec has found wrong in the words of a recipe, with what would be right where it is a word."""
    what, _, path = message.partition(" - at `$")
    where = key + path.removesuffix("`")
    if unknown := _UNKNOWN.fullmatch(what):
        fields = list(_fields(_at(wanted, path)))
        return f"{where}.{unknown[1]}: unknown key{did_you_mean(unknown[1], fields)}; {', '.join(fields)}"
    if invalid := _INVALID.fullmatch(what):
        words = [word for word in _leaves(_at(wanted, path)) if isinstance(word, str)]
        return f"{where}: '{invalid[1]}' is not known{did_you_mean(invalid[1], words)}; {', '.join(words)}"
    return f"{where}: {what[0].lower()}{what[1:]}"


_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_INVALID = re.compile(r"Invalid enum value '(.*)'")


def _at(wanted: Any, path: str) -> Any:
    """Return the type of what stands at a path such as `.vision` within a type."""
    for name in path.strip(".`").split("."):
        wanted = _fields(wanted).get(name, wanted)
    return wanted


def _fields(wanted: Any) -> dict[str, Any]:
    """Return the types of the fields of a recipe's section; none for any other type."""
    sections = [member for member in _members(wanted) if hasattr(member, "__struct_fields__")]
    return typing.get_type_hints(sections[0], include_extras=True) if sections else {}


def _leaves(wanted: Any) -> Iterator[Any]:
    """Yield what a type is made of, down to the words of a Literal."""
    inner = typing.get_args(wanted)
    for member in inner:
        yield from _leaves(member)
    if not inner:
        yield wanted


def _is_finite(value: Any) -> bool:
    """Tell whether no number in the value, however deep, is NaN or infinite: those slip through a range."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _members(wanted: Any) -> tuple[Any, ...]:
    return typing.get_args(wanted) or (wanted,)


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text
