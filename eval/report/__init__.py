"""report.html: one file that shows every number with its interval and every claim with its verdict.

    write_report(folder, results, rows, media_root=samples_path.parent)

The page needs no network and no other file. Its policy forbids every request and every script but its own,
so that nothing a model wrote can act.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from eval.report import families, notes, numbers, tables
from eval.report.markup import Markup, escape, join, tag
from eval.report.published import published
from eval.report.samples import View, choose, samples
from eval.results import REPORT_NAME, Results
from eval.scored import Scored

ANCHOR = re.compile(r'<section id="([a-z-]+)"')


def write_report(
    folder: Path,
    results: Results,
    rows: Sequence[Scored],
    *,
    media_root: Path | None,
    max_samples: int,
) -> Path:
    """Write the report into `folder` and return its path. `media_root` None leaves the pictures out."""
    path = folder / REPORT_NAME
    shown = choose(rows, max_samples, results.settings.seed)
    view = View(results.settings.thresholds, media_root, total=len(rows))
    path.write_text(page(results, samples(shown, view)), encoding="utf-8")
    return path


def page(results: Results, cards: Markup) -> str:
    """Return the whole page."""
    parts = (
        ("Right or wrong", numbers.headlines(results)),
        ("Both", numbers.joint(results)),
        ("Published", published(results)),
        ("Labels", tables.labels(results)),
        ("Action units", tables.aus(results)),
        ("More", families.families(results)),
        ("Groups", numbers.groups(results)),
        ("Samples", cards),
        ("Glossary", notes.glossary(results)),
    )
    return frame(
        f"{', '.join(results.models)} · emollm report",
        numbers.header(results),
        contents(parts),
        *(part for _, part in parts),
        notes.care(),
        notes.provenance(results),
    )


def contents(parts: Sequence[tuple[str, Markup | None]]) -> Markup:
    """Link to each part that is there, by the anchor of its first section."""
    found = [(title, ANCHOR.search(part)) for title, part in parts if part]
    return tag("nav", *(tag("a", title, href=f"#{anchor[1]}") for title, anchor in found if anchor))


def frame(title: str, *body: Markup | None) -> str:
    """Put a body into the page that forbids every request and every script but its own."""
    script, style = _asset("report.js"), _asset("report.css")
    return Template(_asset("page.html")).substitute(
        title=escape(title),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=style,
        script=script,
        body=join(*body),
    )


def _asset(name: str) -> str:
    return files("eval.report").joinpath(name).read_text(encoding="utf-8")
