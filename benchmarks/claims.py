"""How many texts a second of CPU time the claim reader and the checker take: the median and the best of several runs.

    python benchmarks/claims.py [--texts 2000] [--runs 5]

The texts are explanations of about 120 words with some 15 claims, put together from sentences of the kind that teachers
and models write. `dense` texts, from tests/data/claims.jsonl, hold twice as many claims. The reader remembers no texts
and no sentences, only the short gaps between two words of the lexicon; `forgetful` makes it forget these, too, before
each text. A machine that does other work is slower by up to a third even in CPU time; the best run shows it least.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from emollm.claims import Claim, check, read_claims
from emollm.claims.gaps import read_gap
from emollm.records import AU, Face

PROSE = """
The inner corners of the eyebrows are raised and drawn together, creating faint horizontal lines across the central
forehead. The upper eyelids are slightly lowered (AU43), giving the eyes a heavy, tired look, while the lower lids
show little tension. The cheeks appear flat and relaxed, with no lifting that would suggest a smile. The corners of
the mouth turn clearly downward (AU15), and the chin boss is pushed up (AU17), which wrinkles the skin of the chin.
The lips are closed and gently pressed together, and the jaw remains relaxed. Together, the raised inner brows and the
lowered lip corners form a pattern that is consistent with sorrow rather than with anger. The absence of lid
tightening and of any wrinkling of the nose speaks against disgust. The overall tone of the face is subdued, and the
direction of the gaze adds to the impression of withdrawal. Taken as a whole, the evidence of the upper and the lower
face points in the same direction. The person looks straight into the camera with a broad smile, and the lip corners
are strongly pulled up and back (AU12). The cheeks are lifted (AU6) and form small pouches under the eyes, with crow's
feet at the outer corners. The eyebrows rest in a neutral position and the forehead is smooth, so that nothing
contradicts the impression of the lower face. The combination of cheek raising and lip corner pulling is
characteristic of genuine enjoyment. In conclusion, the facial expression in this picture is most consistent with
happiness. The eyes are wide open, exposing more of the sclera than usual, and the brows are raised high in an even
arch (AU1, AU2). The mouth hangs open with the jaw dropped (AU26), but the lips themselves are not stretched or tense.
In conclusion, the expression is best described as surprise, because the raised brows, the widened eyes and the open
mouth all agree.
"""
SENTENCES = Path(__file__).parents[1] / "tests" / "data" / "claims.jsonl"
NUM_WORDS = 120


def make_texts(sentences: Sequence[str], num: int, seed: int = 0) -> list[str]:
    """Return explanations of about NUM_WORDS words; they differ, so that no text is read twice."""
    draw = random.Random(seed)
    texts = []
    for number in range(num):
        words = f"Sample {number} shows a face.".split()
        while len(words) < NUM_WORDS:
            words += (draw.choice(sentences).rstrip(".") + ".").split()
        texts.append(" ".join(words))
    return texts


def read_forgetful(text: str) -> list[Claim]:
    """Read a text as if it were the first."""
    read_gap.cache_clear()
    return read_claims(text)


def texts_per_second(work: Callable[[str], object], texts: list[str], runs: int) -> list[float]:
    """Return the rate of each run, in process CPU time."""
    rates = []
    for _ in range(runs):
        start = time.process_time()
        for text in texts:
            work(text)
        rates.append(len(texts) / (time.process_time() - start))
    return rates


def show(name: str, rates: list[float]) -> None:
    """Print the median and the best rate."""
    print(f"{name:18s}{statistics.median(rates):8.0f}{max(rates):8.0f}")


def main() -> None:
    """Print the rates, and how the time grows with the length of one text."""
    parser = argparse.ArgumentParser(description="Measure the claim reader.")
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    texts = make_texts(re.findall(r"\S[^.]*\.", PROSE), args.texts)
    rows = SENTENCES.read_text(encoding="utf-8").splitlines()
    dense = make_texts([json.loads(row)["text"] for row in rows], args.texts)
    face = Face(aus={f"AU{number:02d}": AU(value=number % 5, kind="intensity") for number in range(1, 28)})
    read_claims(texts[0])
    print("on one core, in texts a second of process CPU time: the median and the best run")
    print(f"words a text      {statistics.mean(len(text.split()) for text in texts):8.0f}")
    print(f"claims a text     {statistics.mean(len(read_claims(text)) for text in texts):8.1f}")
    show("read", texts_per_second(read_claims, texts, args.runs))
    show("read, forgetful", texts_per_second(read_forgetful, texts, args.runs))
    show("read and check", texts_per_second(lambda text: check(text, face), texts, args.runs))
    show("read dense", texts_per_second(read_claims, dense, args.runs))
    short, long = " ".join(texts[:10]), " ".join(texts[:100])
    ratio = max(texts_per_second(read_claims, [short], args.runs)) / max(
        texts_per_second(read_claims, [long], args.runs)
    )
    print(f"time of 10x text  {ratio:8.1f}x")


if __name__ == "__main__":
    main()
