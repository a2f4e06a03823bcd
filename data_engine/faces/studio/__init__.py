"""Where pictures are taken: the head in space, its surface, the light on it, textures, the backdrop, the lens.

Nothing here knows an AU but the jaw, which makes the whole head longer.
"""
