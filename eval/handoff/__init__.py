"""Hand-off: answers that another evaluation harness collected, scored here.

    emollm score 20260801_samples_emollm_faces.jsonl samples.jsonl -o scores/     lmms-eval (--log_samples)
    emollm score Qwen2.5-VL-7B_Faces.xlsx samples.jsonl -o scores/                VLMEvalKit; also .tsv, .json
    emollm score 2026-08-01_faces.eval samples.jsonl -o scores/                   inspect_ai; also .json

A file is recognised by what it holds (`reading`), each harness having a reader of its own; all give `Told`, which is
joined with the samples by id or, where the harness only numbers its documents, by number, if the gold answers in the
file prove whose numbers they are (`joining`). `lmms_eval/` is a task for lmms-eval to copy.
"""
