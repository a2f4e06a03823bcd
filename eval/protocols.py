"""Protocols: which action units a published number is about, and from which intensity one counts as present.

    emollm score detected.jsonl samples.jsonl -o scores/ --aus disfa8

A mean over other action units, or at another threshold, is another number. A list of one's own is `--aus 1,2,4,12`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from emollm.errors import ConfigError, did_you_mean
from emollm.facs import DETECTOR_AUS, PROTOCOL_AUS, THRESHOLDS, au_name, prose
from eval.scored import Scored

_DISFA = MappingProxyType({"intensity": 2.0})


class Protocol(NamedTuple):
    """The action units that count, in the order in which they are reported."""

    name: str
    aus: tuple[str, ...]
    source: str = ""
    thresholds: Mapping[str, float] = MappingProxyType({})
    """Kind to the value from which an AU is present, where the protocol has its own."""
    caveat: str = ""
    """What a reader must know who compares the numbers with published ones."""


PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in (
    Protocol("bp4d12", PROTOCOL_AUS["bp4d"], "Zhang et al. 2014, BP4D, IVC 32:692"),
    Protocol("disfa8", PROTOCOL_AUS["disfa"], "Mavadati et al. 2013, DISFA, IEEE TAC 4:151", _DISFA),
    Protocol(
        "disfa12", PROTOCOL_AUS["disfa12"], "Mavadati et al. 2013, DISFA, IEEE TAC 4:151", _DISFA,
        "most published F1 on DISFA are means over 8 action units (disfa8), those of Facial-R1 over these 12: "
        "the two are not comparable",
    ),
    Protocol("gft19", PROTOCOL_AUS["gft"], "Girard et al. 2017, GFT, FG; list of Li et al. 2024, EmoLA"),
    Protocol("emotionet12", PROTOCOL_AUS["emotionet"], "Benitez-Quiroz et al. 2016, CVPR; list of Li et al. 2024"),
    Protocol("faba20", PROTOCOL_AUS["faba"], "Li et al. 2024, FABA-Bench, ECCV"),
    Protocol(
        "feafa24", DETECTOR_AUS["feafa"], "Yan et al. 2019, FEAFA, ICME Workshops",
        caveat="the 24 values of FEAFA are 17 action units here: left and right are one, a raised brow is AU1 and AU2",
    ),
    Protocol("pyfeat20", DETECTOR_AUS["pyfeat"], "Cheong et al. 2023, Py-Feat, Affective Science 4:781"),
    Protocol("openface17", DETECTOR_AUS["openface2"], "Baltrušaitis et al. 2018, OpenFace 2.0, FG"),
    Protocol("openface18", DETECTOR_AUS["openface2_presence"], "Baltrušaitis et al. 2018, OpenFace 2.0, FG"),
)}  # fmt: skip


def choose(text: str) -> Protocol:
    """Return the protocol of a name, or that of AUs such as `1,2,AU12`. Raises ConfigError."""
    if text in PROTOCOLS:
        return PROTOCOLS[text]
    parts = [part.strip() for part in text.split(",")]
    aus = {part: au_name(f"AU{part}" if part.isdigit() else part) for part in parts}
    if strange := [part for part, au in aus.items() if au is None]:
        known = ", ".join(PROTOCOLS)
        raise ConfigError(
            f"--aus: '{strange[0]}' is neither an action unit nor one of {known}{did_you_mean(strange[0], PROTOCOLS)}"
        )
    listed = tuple(dict.fromkeys(au for au in aus.values() if au is not None))
    return Protocol(",".join(map(prose, listed)), listed)


def in_force(protocol: Protocol | None, asked: Mapping[str, float]) -> dict[str, float]:
    """Return the threshold of each kind: what was asked for, else the protocol's, else the usual one."""
    return THRESHOLDS | dict(protocol.thresholds if protocol else {}) | dict(asked)


def notices(protocol: Protocol, rows: Sequence[Scored], thresholds: Mapping[str, float]) -> list[str]:
    """Say how far the numbers are those of the protocol: its caveat, other thresholds, action units without gold."""
    found = [f"{protocol.name}: {protocol.caveat}"] if protocol.caveat else []
    found += [
        f"{protocol.name}: scored from {kind} {thresholds[kind]:g}, published from {value:g}"
        for kind, value in protocol.thresholds.items()
        if thresholds[kind] != value
    ]
    there = {au for row in rows for kind in (row.au_hits, row.au_misses) for au in kind or ()}
    measured = there | {au for row in rows for kind in (row.au_false_alarms, row.au_rejections) for au in kind or ()}
    unknown, absent = _spelt(set(protocol.aus) - measured, protocol), _spelt(measured - there, protocol)
    why = [f"gold measures no {unknown}"] if unknown else []
    why += [f"gold never has {absent}"] if absent else []
    if why:
        found.append(f"{protocol.name}: macro F1 is over {len(there)} of {len(protocol.aus)}: {'; '.join(why)}")
    return found


def _spelt(aus: Collection[str], protocol: Protocol) -> str:
    return ", ".join(prose(au) for au in protocol.aus if au in aus)
