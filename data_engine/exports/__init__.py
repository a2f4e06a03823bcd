"""`emollm export`: write training files that other trainers read, with the pictures and clips beside them.

    emollm export cot.jsonl -o train --format messages

    messages      data.jsonl, clips.jsonl: messages with content blocks; TRL, ms-swift, axolotl
    sharegpt      data.json, clips.json, dataset_info.json; LLaMA-Factory
    llava         data.json: one image and conversations; LLaVA, VLM-R1, Qwen fine-tuning scripts
    parquet       data.parquet: messages and images with the bytes inside; `datasets`, EasyR1, verl
    preference    what passed the checks against what was refused: data.jsonl for TRL, data.json for LLaMA-Factory
    expllm        description.json and label.json with FEAFA's 24 values; ExpLLM
    fea20k        data.jsonl and config.json; Facial-R1
    merr          MERR_coarse_grained and MERR_fine_grained, .txt and .json; Emotion-LLaMA
    mer-caption   mercaption.csv: name, openset, reason; AffectGPT, MER challenges

A folder can be moved as it is: paths are relative to it and never lead out of it. README.md is its data card, in the
form of the Hugging Face Hub: everything in it was counted. What cannot be exported is listed in rejected.jsonl;
manifest.json says what was made, from what.
"""

from data_engine.exports.door import main

__all__ = ["main"]
