"""The house rules: who may import whom, and what an import may cost."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("emollm", "data_engine", "eval")
WORDS = (
    *("records", "facs", "labels", "claims", "answers", "scoring", "prompts", "prompts_zh", "errors", "wheel"),
    "xlsx",
)
DOORS = {"emollm.cli", "emollm.quickstart"}
HEAVY = {
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
    "openai",
    "aiohttp",
    "deepspeed",
    "bitsandbytes",
    "ray",
    "rich",
}

TRAINING = "data_engine.detectors.tiny.training"
"""A program of its own, run by hand to make weights: it is about torch from end to end."""


def modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(path: Path, *, late: bool) -> set[str]:
    """Names a file imports; `late` also looks inside functions. Type-only imports do not count."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not late:
            return
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(str(node.module))
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


def room(name: str) -> str:
    return name.split(".")[0]


@pytest.mark.parametrize("name", MODULES)
def test_rooms_only_use_the_doors_they_may(name: str) -> None:
    ours = {room(used) for used in imports(MODULES[name], late=True)} & set(PACKAGES)
    if name in DOORS:
        return
    allowed = {"emollm"} if room(name) == "emollm" else {"emollm", room(name)}
    assert ours <= allowed, f"{name} imports {ours - allowed}"


@pytest.mark.parametrize(
    "name", [name for name in MODULES if name.split(".")[:2][-1] in WORDS and room(name) == "emollm"]
)
def test_words_import_only_the_standard_library_and_the_record_library(name: str) -> None:
    for used in imports(MODULES[name], late=True):
        top = room(used)
        if top == "emollm":
            assert used.split(".")[1] in (*WORDS, "errors"), f"{name} imports {used}"
        else:
            assert top == "msgspec" or top in sys.stdlib_module_names, f"{name} imports {used}"


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith(TRAINING)])
def test_heavy_libraries_are_imported_late(name: str) -> None:
    assert not {room(used) for used in imports(MODULES[name], late=False)} & HEAVY


def test_nobody_imports_the_roof() -> None:
    users = [name for name in MODULES if "emollm.cli" in imports(MODULES[name], late=True) and name not in DOORS]
    assert users == []


def test_there_is_no_import_circle() -> None:
    graph = defaultdict(set)
    for name, path in MODULES.items():
        for used in imports(path, late=True):
            target = used if used in MODULES else used.rpartition(".")[0]
            if target in MODULES and target != name:
                graph[name].add(target)

    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " → ".join([*trail[trail.index(name) :], name])
        if name not in done:
            for target in sorted(graph[name]):
                walk(target, (*trail, name))
            done.add(name)

    for name in sorted(MODULES):
        walk(name, ())


def test_recipes_and_tests_are_not_packages() -> None:
    assert [path for folder in ("recipes", "tests") for path in (ROOT / folder).rglob("__init__.py")] == []


def test_nothing_is_called_utils() -> None:
    drawers = {"utils", "common", "helpers", "misc", "core"}
    assert [name for name in MODULES if name.split(".")[-1] in drawers] == []


@pytest.mark.parametrize(
    "module",
    ["emollm", "emollm.cli", "eval.score", "data_engine.generate", "data_engine.detect.door", "emollm.llm.client"],
)
def test_import_loads_no_torch(module: str) -> None:
    code = f"import sys, {module}; print(sorted({HEAVY!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"


def test_nobody_imports_the_training_of_the_detector() -> None:
    outside = [name for name in MODULES if not name.startswith(TRAINING)]
    assert not [
        name for name in outside if any(used.startswith(TRAINING) for used in imports(MODULES[name], late=True))
    ]
