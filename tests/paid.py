"""What the tests of the rewards pay for: samples, a gold text, and how to hear one."""

from __future__ import annotations

from emollm.records import AU, Face, Sample
from emollm.train.rewards import REWARDS, Heard, hear
from emollm.train.rewards.boxes import LANDMARKS, regions
from emollm.wheel import WHEELS, Wheels

MEASURED = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26)
LABELS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger")
LISTED = ", ".join(LABELS)
LEGACY = ("label_legacy", "au_f1_legacy")

WORDS = {"happy": "joy", "sad": "grief", "afraid": "fear", "angry": "anger", "surprised": "awe", "disgusted": "disgust"}
FORMS = {"happiness": "happy", "sadness": "sad", "fear": "afraid", "anger": "angry", "surprise": "surprised"}
FORMS |= {word: word for word in WORDS} | {"disgust": "disgusted", "gloomy": "sad", "gloom": "sad", "rueful": "sad"}
TABLE = Wheels(
    {form: [word] for form, word in FORMS.items()},
    {word: [meant] for word, meant in WORDS.items()},
    {wheel: {level: {meant: meant for meant in WORDS.values()} for level in ("level1", "level2")} for wheel in WHEELS},
)


def landmarks() -> list[tuple[float, float]]:
    """Points around each region, and the rest along the jaw."""
    corners = {"brows": (20, 25, 80, 32), "eyes": (25, 36, 75, 44), "nose": (42, 40, 58, 60), "mouth": (33, 66, 67, 80)}
    points = [(5.0 + 5.6 * place, 95.0 if 4 < place < 12 else 60.0) for place in range(68)]
    for region, (left, top, right, bottom) in corners.items():
        for number, place in enumerate(LANDMARKS[region]):
            points[place] = (float(right if number % 2 else left), float(bottom if number % 3 else top))
    return points


def make_face(*present: int) -> Face:
    aus = {f"AU{number:02d}": AU(value=3.0 if number in present else 0.0, kind="intensity") for number in MEASURED}
    return Face(aus=aus, box=(0.0, 10.0, 100.0, 90.0), landmarks=landmarks())


SAD = Sample(id="1", label="sadness", label_set="basic7", faces=[make_face(1, 4, 15)])
REST = Sample(id="2", label="neutral", label_set="basic7", faces=[make_face()])
BARE = Sample(id="3", faces=[Face()])
OPEN = Sample(id="4", labels=["gloomy", "angry"])


def listen(sample: Sample, completion: str, style: str | None = "think") -> Heard:
    return hear(sample, completion, "basic7" if sample.label else None, style, wheels=TABLE, band=(30, 80))


def value(name: str, sample: Sample, completion: str, style: str | None = "think") -> float | None:
    return REWARDS[name](listen(sample, completion, style))


def think(thought: str, answer: str = "sadness") -> str:
    return f"<think>{thought}</think>\n<answer>{answer}</answer>"


def box(region: str) -> str:
    return "[" + ", ".join(f"{edge:.1f}" for edge in regions(listen(SAD, ""))[region]) + "]"


BROWS = f"The inner brows are markedly raised, and the brows are markedly lowered {box('brows')}."
TOLD = f"{BROWS} Besides, the lip corners are markedly pulled down {box('mouth')}. There is no smile."
GOLD = think(
    f"{TOLD}\n\nRaised inner brows with lowered lip corners point to sadness rather than to anger.\n\n"
    "What can be seen here is consistent with sadness."
)
ALL_AUS = " ".join(f"AU{number} is present." for number in MEASURED)


def worth(name: str, thought: str, sample: Sample = SAD) -> float:
    paid = value(name, sample, think(thought))
    assert paid is not None
    return round(paid, 4)
