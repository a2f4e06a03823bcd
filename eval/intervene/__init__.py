"""Interventions: does the explanation cause the answer? The model answers again, with something altered.

door        the command, `emollm intervene`
trials      which questions are asked about a sample
regions     where the regions of a face lie in a picture, and a control of the same area
pictures    regions hidden or blurred, faces swapped, blank pictures
reasoning   reasoning truncated, shuffled, exchanged, for the model to answer from; action units in the question
answering   who answers: a model on this machine, or any program
lines       the file of answers
family      the numbers, computed by `emollm score --interventions FILE`
"""
