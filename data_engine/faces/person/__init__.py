"""Who: one integer is one person. `identity` puts together how a face rests, how it moves, its looks, its haircut."""
