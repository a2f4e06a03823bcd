"""How many texts a second the claim reader and the checker take, on one core: the median of several runs.

    python benchmarks/claims.py [--texts 2000] [--runs 5]

The texts are explanations of about 120 words, put together from the sentences of tests/data/claims.jsonl.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from emollm.claims import check, read_claims
from emollm.records import AU, Face

SENTENCES = Path(__file__).parents[1] / "tests" / "data" / "claims.jsonl"
NUM_WORDS = 120


def make_texts(num: int, seed: int = 0) -> list[str]:
    """Return explanations of about NUM_WORDS words; they differ, so that nothing can be remembered."""
    rows = [json.loads(line)["text"] for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    draw = random.Random(seed)
    texts = []
    for number in range(num):
        words = f"Sample {number} shows a face.".split()
        while len(words) < NUM_WORDS:
            words += (draw.choice(rows).rstrip(".") + ".").split()
        texts.append(" ".join(words))
    return texts


def texts_per_second(work: Callable[[str], object], texts: list[str], runs: int) -> float:
    """Return the median rate over the runs."""
    rates = []
    for _ in range(runs):
        start = time.process_time()
        for text in texts:
            work(text)
        rates.append(len(texts) / (time.process_time() - start))
    return statistics.median(rates)


def main() -> None:
    """Print the rates, and how the time grows with the length of one text."""
    parser = argparse.ArgumentParser(description="Measure the claim reader.")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    texts = make_texts(args.texts)
    face = Face(aus={f"AU{number:02d}": AU(value=number % 5, kind="intensity") for number in range(1, 28)})
    read_claims(texts[0])
    print(f"words a text      {statistics.mean(len(text.split()) for text in texts):8.0f}")
    print(f"claims a text     {statistics.mean(len(read_claims(text)) for text in texts):8.1f}")
    print(f"read, texts/s     {texts_per_second(read_claims, texts, args.runs):8.0f}")
    print(f"read+check        {texts_per_second(lambda text: check(text, face), texts, args.runs):8.0f}")
    short, long = " ".join(texts[:10]), " ".join(texts[:100])
    ratio = texts_per_second(read_claims, [short], args.runs) / texts_per_second(read_claims, [long], args.runs)
    print(f"time of 10x text  {ratio:8.1f}x")


if __name__ == "__main__":
    main()
