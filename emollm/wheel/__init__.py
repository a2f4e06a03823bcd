"""The emotion-wheel metric of open vocabulary: label lists compared in the categories of five emotion wheels.

    wheels = read_wheels(Path("wheel_mapping.json"))               # or lexicon(), the embedded default
    sample_f1(["glad", "calm"], ["happy", "relaxed"], wheels)      # 0 to 1; None: the gold is in no wheel
    score_lists(pairs, wheels)["case3_wheel1_level1"].f            # of a whole test set

A word is looked up in three steps: the form ("joyfully") gives its base labels, each of these the wheel words that mean
it, and a wheel word has a category on each wheel, at two levels. Three cases stop after one, two or three steps:

    case1                   the base label that comes first in the alphabet
    case2                   the wheel word of that label that comes first
    case3_wheelK_levelJ     of all wheel words of all base labels, in the alphabet, the category of the first on wheel K

What no table knows is dropped and costs nothing; `neutral` is in none. Formula and tables: OV-MERD (Lian et al. 2024)
and the track "fine-grained" of the MER challenges, whose score is the mean F of the five `LEVEL1` variants. The tables
are an explicit input file, as scores from different tables are different numbers. `Shares` counts the same without
these three defects.
"""

from emollm.wheel.lexicon import lexicon
from emollm.wheel.scores import Score, sample_f1, sample_jaccard, score_lists
from emollm.wheel.shares import Shares
from emollm.wheel.tables import LEVEL1, LEVEL2, VARIANTS, WHEELS, Overlap, Wheels, read_wheels

__all__ = [
    "LEVEL1",
    "LEVEL2",
    "VARIANTS",
    "WHEELS",
    "Overlap",
    "Score",
    "Shares",
    "Wheels",
    "lexicon",
    "read_wheels",
    "sample_f1",
    "sample_jaccard",
    "score_lists",
]
