"""The command `emollm generate`.

door        options, and what is written where
options     the options of the teachers that are asked, and which of them fit together
teachers    who writes: rules on several cores, an endpoint, an own model
preview     what a run would ask and cost
tally       counts per class and reason, and the quota of a class
"""

from data_engine.generate.door import main

__all__ = ["main"]
