"""From predictions to numbers with intervals, and a report that shows every claim.

Import from the modules, `from eval.score import main`; a bare import of the package would hide the builtin.
"""
