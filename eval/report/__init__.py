"""report.html: one file that shows every number with its interval and every claim with its verdict.

    write_report(folder, results, rows, media_root=samples_path.parent)

The page needs no network and no other file. Its policy forbids every request and every script but its own,
so that nothing a model wrote can act.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from eval.report import families, notes, numbers, tables
from eval.report.markup import Markup, escape, join
from eval.report.samples import View, choose, samples
from eval.results import REPORT_NAME, Results
from eval.scored import Scored


def write_report(
    folder: Path, results: Results, rows: Sequence[Scored], *, media_root: Path | None, max_samples: int
) -> Path:
    """Write the report into `folder` and return its path. `media_root` None leaves the pictures out."""
    path = folder / REPORT_NAME
    shown = choose(rows, max_samples, results.settings.seed)
    view = View(results.settings.thresholds, media_root, total=len(rows))
    path.write_text(page(results, samples(shown, view)), encoding="utf-8")
    return path


def page(results: Results, cards: Markup) -> str:
    """Return the whole page."""
    script, style = _asset("report.js"), _asset("report.css")
    body = join(
        numbers.header(results),
        numbers.headlines(results),
        numbers.joint(results),
        tables.labels(results),
        tables.aus(results),
        families.families(results),
        numbers.groups(results),
        cards,
        notes.glossary(results),
        notes.care(),
        notes.provenance(results),
    )
    return Template(_asset("page.html")).substitute(
        title=escape(f"{', '.join(results.models)} · emollm report"),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=style,
        script=script,
        body=body,
    )


def _asset(name: str) -> str:
    return files("eval.report").joinpath(name).read_text(encoding="utf-8")
