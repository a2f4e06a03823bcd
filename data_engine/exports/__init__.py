"""`emollm export`: write training files that other trainers read, with the pictures beside them.

    emollm export cot.jsonl -o train --format messages

    messages   data.jsonl: messages with content blocks, and images; TRL, ms-swift, axolotl
    sharegpt   data.json and dataset_info.json; LLaMA-Factory
    llava      data.json: one image and conversations; LLaVA, VLM-R1, Qwen fine-tuning scripts
    parquet    data.parquet: messages and images with the bytes inside; `datasets`, EasyR1, verl

A folder can be moved as it is: picture paths are relative to it and never lead out of it. What cannot be exported is
listed in rejected.jsonl; manifest.json says what was made, from what.
"""

from data_engine.exports.door import main

__all__ = ["main"]
