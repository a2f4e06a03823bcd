"""`emollm detect`: pictures, clips and AU files of any kind into samples.

`door` is the command, `files` finds what it is given, `choice` says who reads what, `detection` in which order.
`onlooker` looks at pictures and clips (by our own detector, or `by_door`), `gathering` makes samples of what was seen
and of AU files, `labelling` gives them labels, `remeasure` measures samples again. `resuming` tells what an earlier run
has done, `bad_rows` what could not be read. `showing` draws what was seen, for people to look at.
"""
