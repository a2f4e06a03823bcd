"""What the Facial Action Coding System (FACS) knows: units, names, strengths, prototypes and codebooks.

Example:

    from emollm import facs

facs.au_name("AU06_r")                                             # "AU06"
facs.CODEBOOKS["emfacs"].rank(facs.present(face), face.aus or ())  # how well each emotion fits
"""

from emollm.facs.au_sets import DETECTOR_AUS, PROTOCOL_AUS, detectors_of
from emollm.facs.codebooks import CODEBOOKS, Codebook
from emollm.facs.codes import Code, au_name, prose, read_code, read_codes
from emollm.facs.compounds import COMPOUNDS, Compound
from emollm.facs.constraints import ENTAILMENTS, EXCLUSIONS, NEGATIVE_PAIRS, POSITIVE_PAIRS, Entailment, excluded
from emollm.facs.pain import pspi
from emollm.facs.prototypes import PROTOTYPES, STATES, Prototype
from emollm.facs.ranking import Match
from emollm.facs.strength import LETTERS, STRENGTH_WORDS, THRESHOLDS, is_present, letter, present, side
from emollm.facs.units import EXPRESSIVE, REGIONS, UNITS, VISIBILITY, Unit

__all__ = [
    "CODEBOOKS",
    "COMPOUNDS",
    "DETECTOR_AUS",
    "ENTAILMENTS",
    "EXCLUSIONS",
    "EXPRESSIVE",
    "LETTERS",
    "NEGATIVE_PAIRS",
    "POSITIVE_PAIRS",
    "PROTOCOL_AUS",
    "PROTOTYPES",
    "REGIONS",
    "STATES",
    "STRENGTH_WORDS",
    "THRESHOLDS",
    "UNITS",
    "VISIBILITY",
    "Code",
    "Codebook",
    "Compound",
    "Entailment",
    "Match",
    "Prototype",
    "Unit",
    "au_name",
    "detectors_of",
    "excluded",
    "is_present",
    "letter",
    "present",
    "prose",
    "pspi",
    "read_code",
    "read_codes",
    "side",
]
