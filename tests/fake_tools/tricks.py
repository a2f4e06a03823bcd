"""What the fake tools do with a file, as its name says: fail, crash, hang, find no face, or measure it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

from PIL import Image


def look(path: str) -> float:
    """Return the brightness of a picture, 0-1, unless the name of the file has other plans."""
    name = Path(path).stem
    if "crash" in name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "hang" in name:
        print("this takes a while", file=sys.stderr, flush=True)
        time.sleep(3600)
    with Image.open(path) as image:
        red, green, blue = image.convert("RGB").resize((1, 1)).getpixel((0, 0))
    return round((red + green + blue) / (3 * 255), 4)


def is_empty(path: str) -> bool:
    return "nobody" in Path(path).stem


def film(path: str) -> tuple[int, float]:
    """Return (frames, frames a second) of a clip that is a JSON file."""
    told = json.loads(Path(path).read_text())
    return told["frames"], told["fps"]
