"""The foot of the page: what every number means, what none of them means, and what they were computed from."""

from __future__ import annotations

from collections.abc import Mapping

from eval.report.markup import Markup, section, tag
from eval.results import FamilyFacts, Results

CARE = (
    "These numbers are about expressions that can be seen, not about inner states. A face whose expression is "
    "consistent with sadness is no proof that a person is sad: people differ in what they show, and pictures in what "
    "they hide.",
    "Explanations are checked against measured action units, and a measurement can be wrong. A contradicted claim is a "
    "disagreement between text and measurement: something to look at, not a verdict on either.",
    "The pictures may show real people and may be under a licence that forbids passing them on; "
    "“emollm score --no-images” writes this page without them.",
    "Do not use expression recognition to judge people at work or in education. In the European Union that is "
    "prohibited (AI Act, Article 5(1)(f)).",
)


def glossary(results: Results) -> Markup:
    """Define every number of the page."""
    settings = results.settings
    thresholds = ", ".join(f"{kind} ≥ {value:g}" for kind, value in settings.thresholds.items())
    terms = {
        "Present": f"The measured value of the action unit reaches the threshold of its kind: {thresholds}. An action "
        "unit that was not measured, or whose region is hidden, counts nowhere.",
        "Claim": "What a sentence says about the face: an action unit is there or is not, on which side, how strong.",
        "Interval": f"{100 * settings.confidence:g} % percentile bootstrap, {settings.num_resamples:,} resamples, seed "
        f"{settings.seed}. Whole subjects are drawn, because pictures of one person resemble each other; a sample "
        "without a known subject is drawn by itself.",
    }
    of_families = {name for facts in results.families.values() for name in facts.metrics}
    own = {one.title: one.text for name, one in results.definitions.items() if name not in of_families}
    return section(
        "how-to-read",
        "How to read this",
        "Every number above, defined.",
        _list({**terms, **own}),
        *(_family(results, facts) for facts in results.families.values()),
    )


def _family(results: Results, facts: FamilyFacts) -> Markup:
    """Define the numbers of a family, folded."""
    told = (results.definitions[name] for name in facts.metrics)
    terms = {one.title: one.text + (f" ({one.source})" if one.source else "") for one in told}
    return tag("details", tag("summary", facts.title), _list(terms), class_="family")


def _list(terms: Mapping[str, str]) -> Markup:
    return tag("dl", *(part for term, text in terms.items() for part in (tag("dt", term), tag("dd", text))))


def care() -> Markup:
    """Say what the numbers do not say, and what they must not be used for."""
    paragraphs = (tag("p", paragraph) for paragraph in CARE)
    return tag("section", tag("h2", "What this does not say"), *paragraphs, class_="care", id="care")


def provenance(results: Results, run: str | None = None, place: int = 0) -> Markup:
    """Say what the page, or one run on it, was computed from, precisely enough to compute it again."""
    facts = {name: f"{source.file} · sha256 {source.sha256}" for name, source in results.inputs.items()}
    facts["versions"] = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    entries = [part for name, fact in facts.items() for part in (tag("dt", name), tag("dd", tag("code", fact)))]
    lead = "The same inputs and settings give the same numbers."
    title = "Computed from" if run is None else f"{run}: computed from"
    return section("provenance" if run is None else f"provenance-{place}", title, lead, tag("dl", *entries))
