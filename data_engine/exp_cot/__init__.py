"""Exp-CoT: explanations written from action units, checked against them, and kept only when every check passes.

    task            which samples can be explained, and what of them a teacher may know
    loop            describe, infer, verify, reflect, refine: the way of every text, whoever writes it
    verify          every claim read back from the text and compared with the action units
    responsible     what no text says: who somebody is, what goes on in them, what a reader is to answer
    writer          what a teacher has to be, and what the loop remembers of its texts

    rules           the embedded teacher, which draws wordings until one passes
    language_model  any language model as the teacher: evidence as text, prompts from files, answers read tolerantly
    own_model       a fine-tuned model that writes the whole from the picture

    view            what can be seen of a face
    describe        observations from the action units alone; the label is not known there
    narrative       what moves over a clip, and when, from its events alone
    words           the labels that are given, and how they read in a sentence
    infer           what the action units fit, and how that stands to the label
    conclude        interpretation and conclusion

    evidence        what a language model is told of a face
    wording         the prompt files: read, checked, filled, hashed
    reading         what was asked for, found in whatever a model answers
    language        English and Chinese: how texts are read and measured; `chinese` reads the second

`data_engine.generate` is the command.
"""
