"""Parity: do two models say the same? Their logits are compared on prompts of ours, with a picture of ours.

    before = read_probes(model, processor)
    after = read_probes(other, its_processor)
    compare(before, after, "bfloat16").check()        # raises ModelError where they differ

What is asked and shown never changes, so that two runs on one machine give the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from emollm.errors import ModelError
from emollm.prompts import ask
from emollm.vlm.turns import ask_about, encode_prompts

if TYPE_CHECKING:
    from PIL.Image import Image

STYLES = ("label", "sections", "think")
"""Answer styles whose questions are asked."""
NUM_POSITIONS = 16
"""Tokens at the end of each prompt whose logits are compared; all of them have seen the picture."""
PICTURE_SIZE = (640, 480)
"""Pixels; larger than most limits on the size of a picture, so that a limit that got lost shows."""

TOLERANCE = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}
"""How far logits may lie apart, as a share of the largest one. Merges that were right came to 3e-6, 6e-3 and 6e-2 at
most, on models of 24 and 48 layers with random weights."""


class Probes(NamedTuple):
    """What a model makes of the prompts."""

    inputs: list[dict[str, Any]]
    logits: list[Any]
    """One (NUM_POSITIONS, vocabulary) tensor of float32 a prompt, on the CPU."""
    picture_size: dict[str, int]
    """The limits of the image pipeline."""


class Parity(NamedTuple):
    """The largest difference between the logits of two models, and how large it may be."""

    delta: float
    tolerance: float
    dtype: str
    effect: float | None = None
    """The largest difference that the adapter makes; a check with a tolerance above it shows nothing."""

    @property
    def holds(self) -> bool:
        """Tell whether the models say the same. NaN never does."""
        return self.delta <= self.tolerance

    @property
    def shows_something(self) -> bool:
        """Tell whether the check would have failed without the adapter."""
        return self.effect is None or self.effect > self.tolerance

    def __str__(self) -> str:
        effect = "" if self.effect is None else f"; the adapter changes them by up to {self.effect:.3g}"
        return f"logits differ by at most {self.delta:.3g}, tolerance {self.tolerance:.3g} in {self.dtype}{effect}"

    def check(self, where: object) -> None:
        """Raise ModelError unless the models say the same."""
        if not self.holds:
            raise ModelError(f"{where}: is not the same model: {self}")


def probe_picture() -> Image:
    """Draw a face of a disc, two eyes and a mouth on a gradient: nobody's, and the same on every machine."""
    from PIL import Image, ImageDraw

    width, height = PICTURE_SIZE
    across, down = Image.linear_gradient("L").rotate(90).resize(PICTURE_SIZE), Image.linear_gradient("L")
    picture = Image.merge("RGB", (across, down.resize(PICTURE_SIZE), Image.new("L", PICTURE_SIZE, 96)))
    pen = ImageDraw.Draw(picture)
    middle, radius = width // 2, height * 2 // 5
    pen.ellipse((middle - radius, height // 2 - radius, middle + radius, height // 2 + radius), fill=(224, 184, 152))
    for x in (middle - radius // 2, middle + radius // 2):
        pen.ellipse((x - 18, 180, x + 18, 204), fill=(40, 40, 60))
    pen.arc((middle - 90, 220, middle + 90, 340), 20, 160, fill=(120, 16, 16), width=14)
    return picture


def read_probes(model: Any, processor: Any) -> Probes:
    """Ask the model and return the inputs and the logits at the end of each prompt."""
    import torch

    picture = probe_picture()
    inputs, logits = [], []
    for style in STYLES:
        encoded = encode_prompts(processor, [ask_about(picture, ask(style, "basic7"))])
        on_device = {name: value.to(model.device) for name, value in encoded.items() if hasattr(value, "to")}
        with torch.inference_mode():
            logits.append(model(**on_device).logits[0, -NUM_POSITIONS:].float().cpu())  # (NUM_POSITIONS, V)
        inputs.append(encoded)
    return Probes(inputs, logits, dict(processor.image_processor.size))


def compare(before: Probes, after: Probes, dtype: str, base: Probes | None = None) -> Parity:
    """Compare two models; `base` is the one without the adapter, which tells what the adapter does.

    Raises ModelError where the processors do not give the same tensors.
    """
    check_inputs(before, after)
    largest = max(float(logits.abs().max()) for logits in before.logits)
    return Parity(
        delta=_largest_difference(before.logits, after.logits),
        tolerance=TOLERANCE[dtype] * largest,
        dtype=dtype,
        effect=None if base is None else _largest_difference(before.logits, base.logits),
    )


def check_inputs(before: Probes, after: Probes) -> None:
    """Raise ModelError where one picture and one question become different tensors."""
    import torch

    if before.picture_size != after.picture_size:
        raise ModelError(
            f"the saved image pipeline has other limits: {before.picture_size} became {after.picture_size}"
        )
    for one, other in zip(before.inputs, after.inputs, strict=True):
        for name, value in one.items():
            if torch.is_tensor(value) and not (name in other and torch.equal(value, other[name])):
                raise ModelError(f"the saved processor makes other tensors of the same prompt and picture: {name}")


def _largest_difference(one: Sequence[Any], other: Sequence[Any]) -> float:
    """Return max |Δ|; NaN where either holds one."""
    differences = [float((left - right).abs().max()) for left, right in zip(one, other, strict=True)]
    return next((value for value in differences if value != value), max(differences))
