"""Clips: what a file or a detector says frame by frame, gathered by clip and person into samples.

`reading` gathers rows, `linking` says who each row is, `tracks` checks and counts a person's rows, `peak` finds where
the expression is strongest, `timeline` and `events` when each AU rises and is gone, `smoothing` takes spikes out,
`samples` writes the records.
"""
