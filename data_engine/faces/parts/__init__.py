"""The parts of the face: a module each, the one place where its AUs are drawn.

A part works on its own window of the `Surface` in up to three steps: `sculpt` raises relief and folds before the light
falls, `pigment` colours the bare skin, `detail` paints over the lit skin what is not skin. Parts whose shape landmarks
need too keep it apart, as a function of person and AUs (`brow`, `lids`, `nose_shape`, `mouth_shape`).
"""
