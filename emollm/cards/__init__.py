"""Cards: what the card of a data set and the card of a model have in common.

    origin.py        sources, licences and lineage, read from manifests
    tables.py        tables in Markdown, and bars made of letters
    classes.py       under which label a sample is counted
    front_matter.py  the YAML that the Hugging Face Hub reads
    uses.py          what neither a data set nor a model of ours is for

Nothing is in a card that was not counted or read from a file.
"""
