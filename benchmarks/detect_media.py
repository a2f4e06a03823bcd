"""How fast `emollm detect` goes through pictures and clips, beside opening them alone, and its peak memory.

    python benchmarks/detect_media.py --pictures 400

Prints, in CPU time and in one run, pictures per second opened by Pillow alone, through `detect` with a detector that
costs nothing (what everything around a detector costs), and with `tiny`; then the same for the frames of a clip, and
the peak memory at a quarter of the pictures and at all of them.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

from data_engine.detect.door import main as detect
from data_engine.detectors import FaceDetector, Pixels, load_detector
from data_engine.faces.picture import render
from data_engine.faces.plan import Plan
from emollm.errors import EmoLLMError
from emollm.records import AU, Detector, Face

SIZES = ((112, 112), (1200, 900), (4000, 3000))
PIXELS = 200_000_000
"""So many in each row of the table: few large pictures, many small ones."""
FACE_SIDE = 0.3
"""Share of the picture's height that the face fills."""
NUM_DRAWN = 16
"""Different faces; the pictures repeat them."""

MEMORY = """
import resource, sys
from unittest.mock import patch
sys.path.insert(0, {folder!r})
from detect_media import free
from data_engine.detect.door import main
with patch("data_engine.detect.onlooker.load_detector", free):
    main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


class FreeDetector:
    """Says the same of every picture, at once."""

    detector = Detector(name="free")

    def detect(self, pictures: Sequence[Pixels]) -> list[list[Face]]:
        """Return one face a picture."""
        aus = {f"AU{number:02d}": AU(value=1.0, kind="intensity", left=0.5, right=1.0) for number in (1, 2, 4, 6, 12)}
        return [[Face(box=(10, 10, 50, 50), confidence=0.9, aus=aus, pose=(0, 0, 0))] for _ in pictures]


def free(_: str) -> FaceDetector:
    """Stand in for `load_detector`."""
    return FreeDetector()


def draw(folder: Path, num: int, size: tuple[int, int]) -> list[Path]:
    """Write JPEG files with a rendered face on grey."""
    folder.mkdir(parents=True)
    plan, drawn = Plan(label_set="basic7"), []
    side = size[1] if size[1] < 200 else round(FACE_SIDE * size[1])
    for index in range(min(num, NUM_DRAWN)):
        page = Image.new("RGB", size, (120, 120, 120))
        face = Image.fromarray(render(plan.draw(index)[0], min(side, 224))).resize((side, side))
        page.paste(face, ((size[0] - side) // 2, (size[1] - side) // 2))
        page.save(folder / f"{index:05d}.jpg", quality=90)
        drawn.append((folder / f"{index:05d}.jpg").read_bytes())
    for index in range(len(drawn), num):
        (folder / f"{index:05d}.jpg").write_bytes(drawn[index % len(drawn)])
    return sorted(folder.iterdir())


def draw_clip(path: Path, num: int, side: int) -> Path:
    """Write an animated WebP of faces, a frame a picture."""
    plan = Plan(label_set="basic7")
    frames = [
        Image.fromarray(render(plan.draw(index % NUM_DRAWN)[0], 112)).resize((side, side)) for index in range(num)
    ]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=40, quality=85)
    return path


def open_all(paths: Sequence[Path]) -> None:
    """Decode every frame of the files, and nothing else."""
    for path in paths:
        with Image.open(path) as file:
            file.draft("RGB", (2048, 2048))
            for number in range(getattr(file, "n_frames", 1)):
                file.seek(number)
                np.asarray(file.convert("RGB"))


def rate(work: Callable[[], object], num: int, repeat: int) -> float:
    """Return the median over the runs, in CPU time, so that other programs on the machine count less."""
    rates = []
    for _ in range(repeat):
        started = time.process_time()
        work()
        rates.append(num / (time.process_time() - started))
    return statistics.median(rates)


def quietly(given: Path, output: Path, *options: str) -> None:
    """Run the door in this process without its summary line."""
    with redirect_stderr(StringIO()):
        detect([str(given), "-o", str(output), "--overwrite", "--workers", "1", "--media-root", "/", *options])


def compare(name: str, given: Path, paths: Sequence[Path], num: int, repeat: int, *options: str) -> None:
    """Print one line: opened alone, everything but the detector, with tiny."""
    output = given.parent / "out" / "samples.jsonl"
    alone = rate(lambda: open_all(paths), num, repeat)
    with patch("data_engine.detect.onlooker.load_detector", free):
        around = rate(lambda: quietly(given, output, *options), num, repeat)
    line = f"{name:28} opened alone {alone:>7,.0f}/s   no detector {around:>7,.0f}/s   ratio {around / alone:.2f}"
    try:
        load_detector("tiny")
    except (EmoLLMError, OSError) as error:
        print(f"{line}   tiny: {str(error).partition(';')[0][-60:]}")
        return
    print(f"{line}   tiny {rate(lambda: quietly(given, output, *options), num, 1):>8,.0f}/s")


def peak_memory(given: Path, output: Path) -> int:
    """Return the largest resident memory of a run, in MiB, in a process of its own."""
    code = MEMORY.format(folder=str(Path(__file__).parent))
    command = [sys.executable, "-c", code, str(given), "-o", str(output), "--overwrite", "--workers", "1"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in SIZES:
            given = folder / f"{size[0]}"
            paths = draw(given, max(8, min(options.pictures, PIXELS // (size[0] * size[1]))), size)
            compare(f"{len(paths)} JPEG {size[0]} x {size[1]}", given, paths, len(paths), options.repeat)
        clip = draw_clip(folder / "clip.webp", options.pictures, 224)
        compare("frames of a clip, every one", clip, [clip], options.pictures, 1, "--stride", "1")
        print()
        for num in (options.pictures // 4, options.pictures):
            draw(folder / f"memory{num}", num, SIZES[1])
            print(f"peak memory at {num:>6,} pictures: {peak_memory(folder / f'memory{num}', folder / 'm.jsonl')} MiB")


if __name__ == "__main__":
    main()
