"""Conclusion: what the expression is consistent with, and the remarks that fill up a short explanation.

conclude(finding, view, rng)       "Overall, the expression is consistent with anger."
"""

from __future__ import annotations

from random import Random

from data_engine.exp_cot.infer import FITS, Finding
from data_engine.exp_cot.view import View
from data_engine.exp_cot.words import say

CONCLUSIONS = {
    "one": (
        "Overall, the expression is consistent with {label}.",
        "The expression is most consistent with {label}.",
        "Taken together, the visible actions are consistent with {label}.",
        "The face shows an expression consistent with {label}.",
        "The whole is best read as an expression consistent with {label}.",
    ),
    "weak": (
        "The actions are faint, but the expression is consistent with {label}.",
        "With signs as weak as these, the expression is at most consistent with {label}.",
        "The expression is weakly consistent with {label}.",
    ),
    "mixed": (
        "Among mixed signs, the expression is most consistent with {label}.",
        "In the main, the expression is consistent with {label}.",
        "The strongest case is that the expression is consistent with {label}.",
    ),
    "two": (
        "On balance, the expression is consistent with {label}.",
        "The expression is consistent with {label}, though the margin is small.",
        "The closer reading is an expression consistent with {label}.",
    ),
    "none": (
        "The expression as a whole is consistent with {label}, although the action units alone do not decide it.",
        "The expression may be consistent with {label}; the action units leave it open.",
        "As a whole, and not by any single pattern, the expression is consistent with {label}.",
    ),
    "other": (
        "The expression as a whole is consistent with {label}, although the action units alone do not show it.",
        "As a whole, the expression is taken as consistent with {label}, against what its action units suggest.",
        "The overall impression is consistent with {label}; the action units by themselves point elsewhere.",
    ),
    "apart": (
        "The expression is consistent with {label}, which action units alone cannot show.",
        "As a whole, the expression is taken as consistent with {label}; no pattern of action units stands for it.",
        "The overall impression is consistent with {label}, beyond what action units can show.",
    ),
    "unlisted": (
        "The expression is taken as consistent with {label}, which action units alone cannot show.",
        "As a whole, the expression is taken as consistent with {label}; no pattern of action units stands for it.",
        "The overall impression is consistent with {label}, beyond what action units can show.",
    ),
    "rest": (
        "Overall, the expression is consistent with {label}.",
        "The expression is best read as consistent with {label}.",
        "The expression is most consistent with {label}.",
        "What is visible is consistent with {label}.",
    ),
    "plain": (
        "Overall, the expression is closest to {label}.",
        "The expression is consistent with {label}.",
        "With little to go by, the expression is consistent with {label}.",
        "The expression is best read as consistent with {label}.",
    ),
    "silent": (
        "The overall impression is consistent with {label}, although no action unit shows it.",
        "As a whole, the expression is taken as consistent with {label}; the action units do not show it.",
    ),
    "outside": (
        "The action units support none of the labels in question.",
        "None of the labels in question can be given on this evidence.",
        "Among the labels in question, the expression remains open.",
    ),
    "open": (
        "The action units alone support no single label.",
        "What is visible does not decide for any one expression.",
        "No one label can be given on this evidence.",
        "The expression remains open.",
    ),
}

REMARKS = (
    "This reading concerns the visible expression and not an inner state.",
    "The reading rests on the visible muscle actions alone.",
    "Voice, words and situation could change this reading.",
    "A single view shows only one moment of an expression.",
    "The same actions can serve other purposes than showing emotion.",
    "Other readings remain possible when more of the situation is known.",
)
"""True of every face; they fill up an explanation that has little to report."""
OF_STILLS = frozenset({"A single view shows only one moment of an expression."})
"""Those that are not true of a clip."""


def conclude(finding: Finding, view: View, rng: Random) -> str:
    """Name what was given or found, once, and nothing else; or nothing, where nothing is supported."""
    case = finding.case
    if case == "one" and finding.best and finding.best.score < FITS:
        case = "mixed"
    elif case == "one" and all(sign.strength in ("A", "B") for sign in view.signs) and rng.random() < 0.5:
        case = "weak"
    return rng.choice(CONCLUSIONS[case]).format(label=say(finding.labels))
