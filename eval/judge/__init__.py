"""The judge: a language model that says how far an explanation agrees with the gold description.

    emollm score predictions.jsonl samples.jsonl -o scores/ --metrics auto,judge --judge-model gpt-4o-mini --dry-run

    wording    the prompts: files in `prompts/`, each hashed; the words of others as data that cannot leave their marks
    reading    verdicts out of answers: typed ones, and scores from 1 to 10 in free text
    asking     one question after the other to one judge, and what became of each
    mode       what a way of judging is; `legacy` (EMER's overlaps), `v2` (typed verdicts) and `pairwise` are in `modes`
    rubric     ratings on scales, each rubric a file in `rubrics/` and a family of its own
    lines      votes as numbers that add up
    agreement  judge and people: κ, α, and means that are corrected by human scores (`anchors`)
    preview    what a run would ask, and what that would cost
    plan       what the options ask for
    family     the family of metrics `judge`

Every answer is remembered in a ledger, so that a rerun pays nothing and the gold side is summarised once for all runs.
A question whose answer cannot be read is put again, a few times. Where none can be read, the number is not known: it is
left out of the mean, and the coverage says so. While answers wait for a batch service no number is given at all.
"""
