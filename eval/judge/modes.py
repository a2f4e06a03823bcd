"""The modes of the judge by name.

judged = await MODES["v2"].judge(judge, subject)
judged.votes["judge_clue_recall"]               # one value a verdict, None where it could not be read

A model that said nothing has the least value of each number; nobody is asked about it.
"""

from __future__ import annotations

from eval.judge.legacy import LEGACY
from eval.judge.mode import Mode
from eval.judge.pairwise import PAIRWISE
from eval.judge.v2 import V2

MODES: dict[str, Mode] = {"legacy": LEGACY, "v2": V2, "pairwise": PAIRWISE}
