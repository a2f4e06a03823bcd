"""The peak: which row of a person's track shows the expression best.

    strength = strengths(values, ranking(channels))   # (N, A), each AU weighted, 0-1
    place, score = find_peak(strength)

A row's score is how far its AUs rise above the person's own resting level, summed. `clips.tracks` calls this.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from data_engine.clips.smoothing import smoothed
from data_engine.sources.blocks import Numbers
from data_engine.sources.layout import Channel, Layout
from emollm.facs import UNITS
from emollm.records import AU_RANGE

RULE = "largest sum of AU rises over the person's lower quartile, each AU smoothed by a median of 5 rows"
SCORE_RULE = "largest sum of rises of the emotions but neutral over the person's lower quartile, smoothed likewise"

SPEECH = {"AU25": 0.2, "AU26": 0.2, "AU27": 0.2}
"""The mouth opens with every syllable; it may decide between equals, not against a smile."""
EYES_SHUT = {"AU43": 0.0, "AU45": 0.0, "AU46": 0.0}
"""A blink is no expression."""
PRESENCE_WEIGHT = 0.3
"""A yes counts like an intensity of 1.5: detectors say yes more often than they say 5."""

MIN_ROWS_FOR_REST = 10
"""Below this the rows are taken as they are: a few frames of one smile have no resting level in them."""
REST_QUANTILE = 0.25
"""The lower quartile, not the median: a smile held through most of a clip must not become the resting face."""


class Ranking(NamedTuple):
    """How the channels of a file are weighed: the columns sorted by AU, their weights, where each AU begins."""

    columns: list[int]
    weights: Numbers
    starts: list[int]


def ranking(channels: Sequence[Channel]) -> Ranking:
    """Return the ranking of a file's channels; those that weigh nothing are left out."""
    return _ranking(tuple(channels))


@lru_cache(maxsize=64)
def _ranking(channels: tuple[Channel, ...]) -> Ranking:
    weighed = [(channel.au, place) for place, channel in enumerate(channels) if channel_weight(channel)]
    columns = [place for _, place in sorted(weighed)]
    aus = [channels[place].au for place in columns]
    starts = [place for place, au in enumerate(aus) if place == 0 or au != aus[place - 1]]
    return Ranking(columns, np.array([channel_weight(channels[place]) for place in columns]), starts)


def score_ranking(layout: Layout) -> Ranking:
    """Return the ranking of a file that tells emotions and no AUs: everything but neutral counts alike."""
    pairs = zip(layout.scores, layout.score_places, strict=True)
    columns = [place for label, place in pairs if label != "neutral"]
    return Ranking(columns, np.ones(len(columns)), list(range(len(columns))))


def strengths(values: Numbers, rank: Ranking) -> Numbers:
    """Return (N, A): each AU as a share of its range times its weight; the stronger side; the unknown is at rest."""
    if not rank.columns:
        return np.zeros((len(values), 1))
    weighed = _filled(values[:, rank.columns]) * rank.weights
    return np.maximum.reduceat(weighed, rank.starts, axis=1) if len(rank.starts) < len(rank.columns) else weighed


def _filled(values: Numbers) -> Numbers:
    """Set what was not measured to rest: a region that a hand hides for a while must not win when it is seen again."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    rest = np.zeros(values.shape[1])
    if len(values) >= MIN_ROWS_FOR_REST:
        some = ~missing.all(axis=0)
        rest[some] = np.nanquantile(values[:, some], REST_QUANTILE, axis=0)
    return np.where(missing, rest, values)


def channel_weight(channel: Channel) -> float:
    """What one unit of a channel's value adds to the score; 0 for head, eyes and visibility."""
    if UNITS[channel.au].family != "action":
        return 0.0
    weight = (SPEECH | EYES_SHUT).get(channel.au, 1.0)
    return weight * (PRESENCE_WEIGHT if channel.kind == "presence" else 1.0) / AU_RANGE[channel.kind]


def find_peak(strength: Numbers) -> tuple[int, float]:
    """Return the place of the peak in (N, A) rows in time order, and its score.

    Smoothing levels neighbours; of rows with equal scores the one with the highest own sum is the peak.
    """
    smooth = smoothed(strength)
    rest = np.quantile(smooth, REST_QUANTILE, axis=0) if len(smooth) >= MIN_ROWS_FOR_REST else 0.0
    score = np.maximum(smooth - rest, 0.0).sum(axis=1)
    best = np.flatnonzero(score >= score.max() - 1e-9)
    place = int(best[strength[best].sum(axis=1).argmax()])
    return place, float(score[place])
