"""`emollm detect`: pictures, clips and AU files of any kind into samples.

`door` is the command, `choice` says who reads what, `detection` in which order; `gathering` makes samples of AU files,
`onlooker` of pictures and clips (by our own detector, or `by_door`), `remeasure` of samples that are measured again.
"""
