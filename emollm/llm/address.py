"""The address of an endpoint, and the key for it.

read_address("http://localhost:8000/v1/")        # 'http://localhost:8000/v1'
read_key("OPENAI_API_KEY", address)              # from the environment, or None
"""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from emollm.errors import ConfigError

OPENAI = "https://api.openai.com/v1"
KEY_ENV = "OPENAI_API_KEY"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_SURELY_A_NAME = re.compile(r"[A-Z][A-Z0-9]{0,31}(?:_[A-Z0-9]{1,31}){0,7}")
"""Capitals in short parts: what looks otherwise may be a key, and is not repeated."""


def read_address(text: str) -> str:
    """Return an address as it is used and remembered: without `/chat/completions` and without a slash at its end.

    Raises ConfigError for one that is none, or that holds a password or options.
    """
    try:
        parts = urlsplit(text.strip())
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port)
    except ValueError:
        is_address = False
    if not is_address:
        raise ConfigError(f"--base-url: '{text}' is no address; it looks like http://localhost:8000/v1 or {OPENAI}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            f"--base-url: the address of {parts.hostname} holds more than a place; keys come from the environment"
        )
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def read_key(name: str, address: str) -> str | None:
    """Return the key from the environment variable `name`; None where it is not set, which suits a server of one's own.

    Raises ConfigError for what can be no key, for none at all where the address is OpenAI's, and for a `name` that is
    no name of a variable: it may be the key itself, and is not repeated.
    """
    if not _VARIABLE.fullmatch(name):
        raise ConfigError(
            f"--api-key-env: takes the name of an environment variable, such as {KEY_ENV}, and not a key; put the key "
            "into the environment (a key that was typed here may be in the history of your shell)"
        )
    is_name = name in os.environ or _SURELY_A_NAME.fullmatch(name)
    shown = name if is_name else "--api-key-env: the variable that it names"
    key = os.environ.get(name, "").strip()
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigError(f"{shown}: holds no key (blanks, or letters beyond ASCII); set it again")
    if not key and address == OPENAI:
        raise ConfigError(f"{shown}: is not set; put your key into the environment, or name it with --api-key-env")
    return key or None
