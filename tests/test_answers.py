"""Any text in, an answer out: styles, broken formats, labels, and the way back from `render`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emollm.answers import STYLES, Answer, parse, render
from emollm.answers.words import label_words
from emollm.errors import EmoLLMError
from emollm.labels import LABEL_SETS
from emollm.records import Reasoning

REASONING = Reasoning(
    observations="The inner brows are raised and the lip corners turn down.",
    interpretation="Raised inner brows with lowered lip corners point to sorrow.",
    conclusion="The expression is consistent with sadness.",
)

SECTIONS = "**Key Observations**: Brows low.\n**Overall Emotional Interpretation**: Tension.\n**Conclusion**: "

# text, label, what the case is
LABELS = [
    ("sadness", "sadness", "the bare label"),
    ("Sad.", "sadness", "case, stop and word form"),
    ('"Happy"', "happiness", "quotes"),
    ("**Happiness**", "happiness", "bold"),
    ("The expression is happy.", "happiness", "prose with one label"),
    ("Answer: surprised", "surprise", "a cue before the label"),
    ("Final Answer: the person is afraid", "fear", "a cue and prose"),
    ("I see anger cues at first. Emotion: disgust", "disgust", "what follows the cue counts"),
    ("答案\uff1a悲伤", "sadness", "Chinese"),
    ('{"emotion": "anger"}', "anger", "JSON"),
    ("Choose from: neutral, happiness, sadness.\nassistant\nsadness", "sadness", "prompt echo before a chat turn"),
    ("The person is not happy.", None, "a negated label is not given"),
    ("unhappy", None, "unhappy is not happy"),
    ("sadness, not anger", "sadness", "one given, one denied"),
    ("happy, sad, angry, fearful, disgusted, surprised, neutral", None, "all labels is no answer"),
    ("happy\nsad\nangry", None, "all labels, one a line"),
    ("It could be happiness or sadness.", None, "two labels in prose"),
    ("", None, "empty"),
    ("   \n ", None, "blank"),
    ("I cannot tell.", None, "no label"),
    ("<think>Joy at first.</think><answer>anger</answer>", "anger", "the thought is not the answer"),
    ("<think>Joy at first.</think> anger", "anger", "text after the thought"),
    ("Joy at first.</think>\n\nanger", "anger", "the template opened the thought"),
    ("<think>Joy at first, then anger", None, "cut off while thinking"),
    ("<think>Joy</think><answer>", None, "cut off before the answer"),
    ("<answer>joy</answer> Wait. <answer>anger</answer>", "happiness", None),
    ("<answer>fear</answer><answer></answer>", "fear", "an empty last answer does not count"),
    ("<ANSWER> fear </ANSWER>", "fear", "case of the tags"),
    ("<think>a</think><answer><answer>fear</answer></answer>", "fear", "nested tags"),
    ("<think><answer>joy</answer>?</think><answer>fear</answer>", "fear", "an answer inside the thought"),
    ("```xml\n<think>a</think>\n<answer>fear</answer>\n```", "fear", "a code fence"),
    ("<answer>happy, sad, angry, fear</answer>", None, "a list in the answer tag"),
    ("Write <think></think><answer></answer>. <think>x</think><answer>fear</answer>", "fear", "echoed format"),
    (SECTIONS + "The expression is consistent with anger.", "anger", "sections"),
    (SECTIONS + "Rather than anger, this is most consistent with sadness.", "sadness", "rather than, before"),
    (SECTIONS + "This is sadness rather than anger, fear or disgust.", "sadness", "rather than, after, with a list"),
    (SECTIONS + "This is not anger but fear.", "fear", "not … but …"),
    (SECTIONS + "Sadness is ruled in and no anger is seen.", "sadness", "no anger after the label"),
    (SECTIONS + "It isn't joy. It is neither fear nor anger; it is disgust.", "disgust", "neither … nor"),
    (
        SECTIONS + "It may be fear at first, but the face settles on surprise.",
        "surprise",
        "a runner-up, then the last one",
    ),
    (SECTIONS + "happiness, sadness, anger, fear, disgust, surprise", None, "a list of all in the conclusion"),
    (SECTIONS + "This is not anger. Sadness fits best.", "sadness", "a full stop ends a denial"),
    (SECTIONS + "Not anger; sadness.", "sadness", "a semicolon ends a denial"),
    (SECTIONS + "This is not anger, fear or disgust but joy.", "happiness", "a denied list"),
    (SECTIONS + "1. happy 2. sad 3. angry", None, "a numbered list in the conclusion"),
    (SECTIONS + "fear and surprise", None, "two labels in one breath"),
    (SECTIONS + "happiness (joy)", "happiness", "a label and its synonym"),
    (SECTIONS, None, "an empty conclusion"),
    ("## Key Observations\nanger\n## Conclusion\nThis is joy.", "happiness", "Markdown headings"),
    ("Key Observations: anger. Conclusion: joy.", "happiness", "headings without bold"),
    ("KEY OBSERVATIONS:\nanger\nCONCLUSION:\njoy", "happiness", "upper case headings"),
    ("**关键观察**\uff1a皱眉。\n**结论**\uff1a愤怒", "anger", "Chinese headings and colons"),
    ("1. **Key Observations:** anger\n3. **Conclusion:** joy", "happiness", "numbered headings"),
    (SECTIONS + "anger. " + SECTIONS + "joy.", "happiness", "the last conclusion counts"),
    (SECTIONS + "joy.\n\nuser: thanks! anger", "happiness", "a turn of the user after the conclusion"),
    (SECTIONS + "joy.\nUser\nAnd this?\nassistant\nanger", "happiness", "a chat that goes on by itself"),
    (SECTIONS + "\n\njoy, as the user sees it.", "happiness", "a user who is no turn"),
]
LABELS = [(text, "anger", "the last answer wins") if why is None else (text, label, why) for text, label, why in LABELS]


@pytest.mark.parametrize(("text", "label"), [row[:2] for row in LABELS], ids=[row[2] for row in LABELS])
def test_label(text: str, label: str | None) -> None:
    assert parse(text, "basic7").label == label


DATA = Path(__file__).parent / "data"
ANSWERS, CONCLUSIONS = (
    [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]
    for name in ("answers.jsonl", "conclusions.jsonl")
)


@pytest.mark.parametrize("case", ANSWERS, ids=[case["why"] for case in ANSWERS])
def test_an_answer_gives_the_label_that_it_means(case: dict[str, Any]) -> None:
    answer = parse(case["text"], case.get("label_set", "basic7"))
    assert answer.label == case["label"]
    assert answer.label is None or answer.labels == (answer.label,)


@pytest.mark.parametrize("case", CONCLUSIONS, ids=[case["why"] for case in CONCLUSIONS])
def test_a_conclusion_gives_the_label_it_settles_on(case: dict[str, Any]) -> None:
    answer = parse(SECTIONS + case["text"], case.get("label_set", "basic7"))
    assert answer.label == case["label"]
    assert answer.is_well_formed == (case["label"] is not None)


def test_label_outside_the_set_is_no_label() -> None:
    assert parse("<answer>contempt</answer>", "basic7").label is None
    assert parse("<answer>contempt</answer>", "basic8").label == "contempt"


@pytest.mark.parametrize("label_set", [None, "open"])
def test_open_vocabulary_keeps_unknown_short_answers(label_set: str | None) -> None:
    assert parse("Wistful", label_set).label == "wistful"
    assert parse("wistful, happy and more", label_set).labels == ("wistful", "happy and more")
    assert parse("There is nothing at all to be said about this", label_set).label is None


def test_labels_are_given_in_order_without_repeats() -> None:
    answer = parse("sad, angry, sadness", "basic7")
    assert answer.labels == ("sadness", "anger")
    assert answer.style == "labels"


def test_parts_of_sections() -> None:
    answer = parse(SECTIONS + "anger", "basic7")
    assert answer.style == "sections"
    assert answer.observations == "Brows low."
    assert answer.interpretation == "Tension."
    assert answer.conclusion == "anger"
    assert answer.is_well_formed


def test_a_turn_after_the_conclusion_is_not_part_of_it() -> None:
    answer = parse(SECTIONS + "joy.\n\nuser: thanks! anger", "basic7")
    assert answer.conclusion == "joy."
    assert not answer.is_well_formed


MORE_TURNS = (
    *("\n\nUser: And now?\nAssistant: joy", "<|im_end|>\n<|im_start|>assistant\n" + SECTIONS + "joy", "\nAI: joy"),
    *("\n\nQuestion: And now?\nAnswer: joy", "\nQ: And now?\nA: joy", "\n### Instruction: x\n### Response: joy"),
    *("<|user|>\nAnd now?<|assistant|>\njoy", "<\uff5cUser\uff5c>And now?<\uff5cAssistant\uff5c>joy"),
    *("\nSystem: You are glad.\njoy", "\n问\uff1a然后\uff1f\n答\uff1a高兴", "\n\nQuestion: And is it joy?"),
)


@pytest.mark.parametrize("answer", ["fear", "fear, anger", "<think>a</think><answer>fear</answer>", SECTIONS + "fear"])
def test_a_chat_that_goes_on_is_not_well_formed_and_what_it_invents_is_not_read(answer: str) -> None:
    alone = parse(answer, "basic7")
    assert alone.is_well_formed
    assert parse(answer + "<|im_end|>", "basic7") == alone
    for more in MORE_TURNS:
        assert parse(answer + more, "basic7") == alone._replace(is_well_formed=False, is_all=False)


def test_parts_of_context_style() -> None:
    answer = parse("<context>A meeting.</context><think>Brows low.</think><answer>anger</answer>", "basic7")
    assert (answer.style, answer.context, answer.think, answer.answer) == (
        "context",
        "A meeting.",
        "Brows low.",
        "anger",
    )
    assert answer.is_well_formed


ILL_FORMED = {
    "text before the tags": "Sure! <think>a</think><answer>fear</answer>",
    "text after the tags": "<think>a</think><answer>fear</answer> Anything else?",
    "text between the tags": "<think>a</think> so <answer>fear</answer>",
    "an empty thought": "<think> </think><answer>fear</answer>",
    "an empty answer": "<think>a</think><answer></answer>",
    "no thought": "<answer>fear</answer>",
    "tags swapped": "<answer>fear</answer><think>a</think>",
    "a tag twice": "<think>a</think><think>b</think><answer>fear</answer>",
    "two labels": "<think>a</think><answer>fear, anger</answer>",
    "a missing section": "**Key Observations**: a. **Conclusion**: fear",
    "sections swapped": "**Conclusion**: fear\n**Key Observations**: a\n**Overall Emotional Interpretation**: b",
    "headings within a line": SECTIONS.replace("\n", " ") + "fear",
    "a section within a word": "**Key Observations**: a\n**Interpretation**: No com**Conclusion**: fear",
    "sections of dots": "**Key Observations**: .\n**Overall Emotional Interpretation**: ...\n**Conclusion**: fear",
    "text before the sections": "Sure! " + SECTIONS + "fear",
    "a section twice": SECTIONS + "fear **Conclusion**: fear",
    "prose": "The expression is happy.",
    "nothing": "",
}


@pytest.mark.parametrize("text", ILL_FORMED.values(), ids=ILL_FORMED.keys())
def test_ill_formed(text: str) -> None:
    assert not parse(text, "basic7").is_well_formed


words = st.text(alphabet="abcdefgh .,;'\n", max_size=60).map(lambda text: f"x {text} y".replace("\n\n", "\n"))


@given(
    style=st.sampled_from([style for style in STYLES if style != "observations"]),
    label=st.sampled_from(LABEL_SETS["basic7"].labels),
    parts=st.tuples(words, words),
    context=st.none() | words,
)
def test_parse_gives_back_what_render_wrote(
    style: str, label: str, parts: tuple[str, str], context: str | None
) -> None:
    reasoning = Reasoning(
        observations=parts[0], interpretation=parts[1], conclusion=f"This is consistent with {label}."
    )
    answer = parse(render(style, label, reasoning, context), "basic7")
    assert answer.label == label
    assert answer.is_well_formed
    if style in ("label", "labels"):
        return
    assert answer.style == style
    assert (answer.observations or "").split() == reasoning.observations.split()
    assert (answer.interpretation or "").split() == reasoning.interpretation.split()
    assert answer.conclusion == reasoning.conclusion
    if style == "context" and context is not None:
        assert (answer.context or "").split() == context.split()


def test_labels_come_back() -> None:
    assert parse(render("labels", "happiness, surprise"), "basic7").labels == ("happiness", "surprise")


def test_render_names_the_label_in_a_conclusion_that_does_not() -> None:
    reasoning = Reasoning(observations="a", interpretation="b", conclusion="That is all")
    assert parse(render("sections", "anger", reasoning), "basic7").label == "anger"


def test_render_without_reasoning_says_what_to_do() -> None:
    with pytest.raises(EmoLLMError, match="emollm generate"):
        render("think", "anger")


def test_render_refuses_an_unknown_style() -> None:
    with pytest.raises(EmoLLMError, match="'haiku'"):
        render("haiku", "anger", REASONING)


FRAGMENTS = (
    *(
        "<think>",
        "</think>",
        "<answer>",
        "</answer>",
        "<context>",
        "< / answer >",
        "**Conclusion**:",
        "## Key Observations",
    ),
    *("happy", "not", "rather than", ", ", "\n", "```", "\uff1a", "**", " ", "sad", "no", "Answer:"),
    *("User:", "\nassistant\n", "\nQuestion: ", "\nAnswer: ", "<|im_end|>", " is absent", " or ", "[", "]"),
    *('{"label": ', '"', "}", "Emotions: "),
)


@given(
    st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=40).map("".join),
    st.sampled_from([None, "basic7", "open"]),
)
def test_parse_never_raises(text: str, label_set: str | None) -> None:
    answer = parse(text, label_set)
    assert isinstance(answer, Answer)
    assert answer.label is None or answer.label in answer.labels
    assert text[answer.start : answer.end] == answer.text


@pytest.mark.parametrize("piece", ["<think>", "happy, ", "** ", "not ", "\n", "<", "Conclusion: x. ", " " * 50 + "sad"])
def test_a_megabyte_is_read(piece: str) -> None:
    """Would take hours if the time were not linear in the length."""
    text = piece * (1_000_000 // len(piece)) + "<answer>fear</answer>"
    assert parse(text, "basic7").label == "fear"


PIECES = (
    *(
        "\nuser\n",
        "x\nassistant\n",
        "x\nQuestion: x",
        "x\nAnswer: x",
        "\nQ: x\nA: x",
        "x. Human: ",
        "<|im_end|>",
        "sad or ",
        "sad is absent or ",
        "sad fits best, ",
        "sad: ",
        "emotion: ",
    ),
    *('{"label": ', '"label": "x', "'label': '", "{ ", "[", "[[sad], ", ":0", "0", "x y ", "\uff41"),
)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("label_set", [None, "basic7"])
def test_a_hundred_thousand_signs_of_lists_and_turns_are_read(piece: str, label_set: str | None) -> None:
    """Would take minutes if the time were not linear in the length."""
    text = piece * (100_000 // len(piece))
    assert isinstance(label_words(parse(text, label_set)).words, tuple)
    assert isinstance(parse(SECTIONS + text, label_set), Answer)


def test_observations_are_rendered_without_a_label() -> None:
    reasoning = Reasoning(observations="The brows are lowered.", interpretation="It may be anger.", conclusion="Anger.")
    assert render("observations", None, reasoning) == "The brows are lowered."
    with pytest.raises(EmoLLMError, match="no label"):
        render("sections", None, reasoning)
