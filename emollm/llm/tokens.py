"""Tokens before anything is sent: estimates from characters, no tokenizer needed. What was really used is in `usage`.

    likely_tokens(request)    what the prompt will probably count: paces requests, estimates costs
    most_tokens(request)      what it can count at most: what a budget sets aside

Likely is a token for 4 characters of ASCII and one for every other character, a rule of thumb. At most is a token a
byte, which no byte-level tokenizer passes. What a picture counts depends on the model and the size; for faces up to
512 px it lies between 85 (OpenAI, low detail) and 8,500 (gpt-4o-mini).
"""

from __future__ import annotations

from emollm.llm.wire import Request

TURN_TOKENS = 8
"""What a chat template adds to a message, at most."""
TEMPLATE_TOKENS = 64
"""What it adds of its own, such as a system prompt where there is none, at most."""
LIKELY_IMAGE_TOKENS = 800
MOST_IMAGE_TOKENS = 9_000


def likely_tokens(request: Request) -> int:
    """Return a fair guess of the prompt's tokens."""
    total = 0
    for turn in request.turns:
        num_bytes, num_characters = len(turn.text.encode("utf-8", "replace")), len(turn.text)
        num_wide = min(num_characters, (num_bytes - num_characters + 1) // 2)  # beyond ASCII; mostly 3 bytes each
        total += (num_characters - num_wide) // 4 + num_wide + TURN_TOKENS + LIKELY_IMAGE_TOKENS * len(turn.images)
    return total


def most_tokens(request: Request) -> int:
    """Return what the prompt can count at most, the schema of its answer included."""
    text = sum(len(turn.text.encode("utf-8", "replace")) + TURN_TOKENS for turn in request.turns)
    pictures = sum(len(turn.images) for turn in request.turns)
    return TEMPLATE_TOKENS + text + len(request.schema or "") + MOST_IMAGE_TOKENS * pictures
