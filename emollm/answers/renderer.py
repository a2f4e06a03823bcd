"""Rendering: the answers that a model is taught to write, in every style. `parse` reads them back."""

from __future__ import annotations

import re

from emollm.errors import EmoLLMError
from emollm.records import Reasoning

STYLES = ("sections", "think", "context", "label", "labels", "observations")

HEADINGS = {
    "observations": "Key Observations",
    "interpretation": "Overall Emotional Interpretation",
    "conclusion": "Conclusion",
}


def render(style: str, label: str | None, reasoning: Reasoning | None = None, context: str | None = None) -> str:
    """Write an answer such that `parse` gives every part back.

    For `labels`, `label` is the comma-separated list; `observations` needs none. For `context`, `context` is what is
    known besides the face; where it is None the observations take its place. A conclusion that does not name the label
    gets a sentence that does.
    Raises EmoLLMError for an unknown style, and where a style needs a label or reasoning and there is none.
    """
    if style not in STYLES:
        raise EmoLLMError(f"style '{style}': not an answer style; use one of {', '.join(STYLES)}")
    if reasoning is None and style not in ("label", "labels"):
        raise EmoLLMError(f"style '{style}': the sample has no reasoning; run `emollm generate` or use style 'label'")
    if style == "observations" and reasoning is not None:
        return reasoning.observations.strip()
    if label is None:
        raise EmoLLMError(f"style '{style}': the sample has no label; give it one or use style 'observations'")
    if reasoning is None or style in ("label", "labels"):
        return label
    parts = [_one_paragraph(part) for part in (reasoning.observations, reasoning.interpretation)]
    conclusion = _one_paragraph(reasoning.conclusion)
    if style == "sections":
        if not re.search(rf"\b{re.escape(label)}\b", conclusion, re.IGNORECASE):
            stop = "" if not conclusion or conclusion.endswith((".", "!", "?")) else "."
            conclusion = f"{conclusion}{stop} The expression is consistent with {label}.".lstrip()
        parts.append(conclusion)
        return "\n".join(f"**{name}**: {part}" for name, part in zip(HEADINGS.values(), parts, strict=True))
    parts.append(conclusion)
    head = ""
    if style == "context":
        head = f"<context>{_one_paragraph(parts.pop(0) if context is None else context)}</context>\n"
    thoughts = "\n\n".join(parts)
    return f"{head}<think>{thoughts}</think>\n<answer>{label}</answer>"


def _one_paragraph(text: str) -> str:
    """A blank line ends a paragraph, and a paragraph is a part; so a part has none inside."""
    return re.sub(r"\s*\n\s*", "\n", text.strip())
