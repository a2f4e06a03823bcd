"""Media: pictures and clips, opened frame by frame, looked at by a detector, and told as rows.

`opening` opens any of them: `pictures` stills and moving pictures, `film` videos; `frames` says which frames are taken.
`looking` runs a detector over the frames of many files, `batches` does that on several cores, `rows` writes what was
found as a table. From there on a picture is read as an AU file is: see `data_engine.clips`.
"""
