"""Exp-CoT: explanations written from action units, checked against them, and kept only when every check passes.

    view       what can be seen of a face
    describe   observations from the action units alone; the label is not known there
    narrative  what moves over a clip, and when, from its events alone
    words      the labels that are given, and how they read in a sentence
    infer      what the action units fit, and how that stands to the label
    conclude   interpretation and conclusion
    verify     every claim read back from the text and compared with the action units
    rules      the embedded teacher, which draws wordings until one passes

`data_engine.generate` is the command.
"""
