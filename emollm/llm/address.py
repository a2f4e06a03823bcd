"""The address of an endpoint, and the key for it.

read_address("http://localhost:8000/v1/")        # 'http://localhost:8000/v1'
read_key("OPENAI_API_KEY", address)              # from the environment, or None
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from emollm.errors import ConfigError

OPENAI = "https://api.openai.com/v1"
KEY_ENV = "OPENAI_API_KEY"


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

    Raises ConfigError for what can be no key, and for none at all where the address is OpenAI's.
    """
    key = os.environ.get(name, "").strip()
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigError(f"{name}: holds no key (blanks, or letters beyond ASCII); set it again")
    if not key and address == OPENAI:
        raise ConfigError(f"{name}: is not set; put your key into the environment, or name it with --api-key-env")
    return key or None
