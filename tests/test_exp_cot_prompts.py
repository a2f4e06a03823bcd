"""The prompts: both languages have the same files with the same slots, and one's own take their place."""

import re
from pathlib import Path

import pytest

from data_engine.exp_cot.wording import FOLDER, load_prompts
from emollm.errors import ConfigError

SLOTS = re.compile(r"\{([a-z_]+)\}")
NAMES = sorted(path.name for path in (FOLDER / "en").iterdir())


def test_languages_have_the_same_prompts() -> None:
    assert [sorted(path.name for path in folder.iterdir()) for folder in sorted(FOLDER.iterdir())] == [NAMES, NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_prompt_has_the_same_slots_in_every_language(name: str) -> None:
    english, chinese = (set(SLOTS.findall((FOLDER / one / name).read_text("utf-8"))) for one in ("en", "zh"))
    assert english == chinese


@pytest.mark.parametrize("language", ["en", "zh"])
def test_quoted_material_stands_between_marks_that_close(language: str) -> None:
    for path in (FOLDER / language).glob("*.md"):
        text = path.read_text("utf-8")
        assert text.count("<data>") == text.count("</data>"), path


def test_slots_are_filled_once_and_other_braces_stay() -> None:
    prompts = load_prompts("en")
    filled = prompts.fill("infer", description="it says {choices}", choices="anger")
    assert "it says {choices}" in filled
    assert '{"because"' in filled
    with pytest.raises(KeyError):
        prompts.fill("infer", description="…")


def test_prompts_of_one_s_own_take_the_place_of_ours_and_change_the_digest(tmp_path: Path) -> None:
    (tmp_path / "infer.md").write_text("{description}: which of {choices}?\n", encoding="utf-8")
    own, ours = load_prompts("en", tmp_path), load_prompts("en")
    assert own.fill("infer", description="a", choices="b, c") == "a: which of b, c?"
    assert own.digest() != ours.digest()
    assert {name for name, digest in own.digests().items() if digest != ours.digests()[name]} == {"infer"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("infer.md", "{description} {labels} {choices}", "infer.md has an unknown slot {labels}"),
        ("infer.md", "{choices}", "infer.md lacks the slot {description}"),
        ("inferr.md", "x", "replaces no prompt; did you mean 'infer'"),
        ("notes.txt", "x", "holds no .md file"),
    ],
)
def test_prompt_that_cannot_work_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_prompts("en", tmp_path)


def test_digest_differs_between_languages() -> None:
    assert load_prompts("en").digest() != load_prompts("zh").digest()
