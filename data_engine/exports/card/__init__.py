"""The data card of an export: counted while it is written, traced back by manifests, shown as the Hub shows it.

    page.py       README.md: front matter, and what holds for every export; facts.py is what it is written from
    sections.py   what is in the export
    history.py    where it comes from, and what did not get in
    counts.py     counts, taken sample by sample
    refused.py    what `generate` kept aside

What it shares with the card of a model, such as tables and lineage, is in `emollm/cards`. Nothing is in the card that
was not counted or read from a manifest.
"""
