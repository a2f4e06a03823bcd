"""Numbers of the random streams of one person: what is new in one leaves all else of the person as it was.

`np.random.default_rng([seed, HAIRCUT])` draws the haircut of the person with this seed, and so on; the seed alone draws
the head, the colours and the glasses of `identity`. A number is never changed or given away a second time.
"""

FEATURES, MAKEUP, EXPRESSIVENESS = 11, 12, 13
HAIRCUT, BUILD, COMPLEXION, WARDROBE, GREY_HAIR, SPECTACLES = 21, 22, 23, 24, 25, 26
