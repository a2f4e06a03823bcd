"""Published numbers that fit a run: the same data set, the same labels or action units, the same metric.

    name = choose(None, samples, label_set, aus)   # of the data set that the samples were imported from
    BENCHMARKS["rafdb"].published                  # each with its source, and what keeps it from being comparable

The numbers are in report/published.json, as they stand in publications, their figures and READMEs. None is computed by
us; a caveat says what is known to be different.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files

import msgspec

from emollm.errors import ConfigError, did_you_mean
from emollm.records import Record, Sample
from eval.results import Results


class Published(Record):
    """What a publication says of one method."""

    method: str
    source: str
    values: dict[str, float]
    """Our name of the metric → the number as published, shares in percent."""
    how: str = ""
    """Zero-shot, fine-tuned, or with which inputs."""
    note: str = ""


class Benchmark(Record):
    """A data set with the numbers that are published on it."""

    title: str
    published: tuple[Published, ...]
    layouts: tuple[str, ...] = ()
    """The data sets of `emollm import` that it is made of."""
    label_sets: tuple[str, ...] | None = None
    """In which the numbers were scored; None: it has no closed set."""
    aus: str | None = None
    """The list of action units that they are means over, a name of `--aus`."""
    samples: int | None = None
    """How many the numbers are over; None: not known, or not always the same."""
    caveats: tuple[str, ...] = ()

    @property
    def metrics(self) -> list[str]:
        """The metrics that somebody published."""
        return list(dict.fromkeys(metric for one in self.published for metric in one.values))

    def misfit(self, label_set: str | None, aus: str | None) -> str | None:
        """Say why its numbers are not about a run in these labels and action units; None where they are."""
        if self.label_sets is not None and label_set not in self.label_sets:
            return f"its numbers are in the labels {' or '.join(self.label_sets)}, not {label_set}"
        if self.aus is not None and aus != self.aus:
            return f"its numbers are means over --aus {self.aus}, not {aus or 'all that are measured'}"
        return None


BENCHMARKS: Mapping[str, Benchmark] = msgspec.json.decode(
    files("eval").joinpath("report", "published.json").read_bytes(), type=dict[str, Benchmark]
)


def choose(asked: str | None, samples: Sequence[Sample], label_set: str | None, aus: str | None) -> str | None:
    """Return the benchmark that was asked for, else the one that the samples were imported from.

    None: there is none, none is wanted, or its numbers would not fit. Raises ConfigError where one that was asked for
    does not.
    """
    if asked == "none":
        return None
    if asked is None:
        fitting = [name for name in _imported_from(samples) if BENCHMARKS[name].misfit(label_set, aus) is None]
        return fitting[0] if len(fitting) == 1 else None
    if asked not in BENCHMARKS:
        known = ", ".join(BENCHMARKS)
        raise ConfigError(f"--benchmark: '{asked}' is not one of {known}{did_you_mean(asked, BENCHMARKS)}")
    if misfit := BENCHMARKS[asked].misfit(label_set, aus):
        raise ConfigError(f"--benchmark {asked}: {misfit}; score in these, or leave it out")
    return asked


def _imported_from(samples: Sequence[Sample]) -> list[str]:
    """Return the benchmarks of the one data set that `emollm import` read all samples from."""
    layouts = {((sample.provenance or {}).get("import") or {}).get("layout") for sample in samples}
    layout = layouts.pop() if len(layouts) == 1 else None
    return [name for name, benchmark in BENCHMARKS.items() if layout in benchmark.layouts]


def caveats(results: Results, benchmark: Benchmark) -> list[str]:
    """Say what keeps the numbers of a run from being those that are published."""
    n, published = results.coverage.samples, benchmark.samples
    if published is None or n == published:
        return list(benchmark.caveats)
    return [f"samples here: {n:,}; behind the published numbers: {published:,}", *benchmark.caveats]
