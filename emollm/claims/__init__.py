"""Claims: what a text says about a face, and whether the face's action units bear it out.

    claims = read_claims("The left brow is slightly lowered, with no smile.")
    check(claims, face).precision

The data engine, the rewards, the evaluator and the report all read and check claims here.
"""

from emollm.claims.checker import REASONS, VERDICTS, Check, Checked, Verdict, check
from emollm.claims.reader import Claim, named_aus, read_claims

__all__ = ["REASONS", "VERDICTS", "Check", "Checked", "Claim", "Verdict", "check", "named_aus", "read_claims"]
