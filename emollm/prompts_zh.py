"""The wordings of `prompts` in Chinese, for texts that are Chinese. Tables only; headings, tags and labels are English.

A bare label is the same in all languages, so it is asked for in English alone.
"""

from __future__ import annotations

EVIDENCE = (
    "请观察这张脸，并解释其表情。",
    "可以看到哪些面部动作单元？它们说明了怎样的表情？",
    "请逐块肌肉地描述这张脸，再说明它与哪种表情一致。",
    "请一步一步地解读这张脸的表情，从看得到的动作到它可能的含义。",
)
EVIDENCE_OF_CLIPS = (
    "请观察这段视频中的脸，并解释其表情。",
    "这段视频中可以看到哪些面部动作单元，各在什么时候？它们说明了怎样的表情？",
    "请描述这张脸在视频中的动作变化，再说明它与哪种表情一致。",
    "请一步一步地解读这段视频中的表情，从什么时候有什么动作到它可能的含义。",
)
OBSERVE = (
    "可以看到哪些面部动作单元？",
    "请逐块肌肉地描述这张脸。",
    "这张脸的眉毛、眼睛、鼻子和嘴各有什么动作？",
    "请说明这张脸上有哪些动作，有多强，在哪一侧。",
)
OBSERVE_CLIPS = (
    "这段视频中可以看到哪些面部动作单元，各在什么时候？",
    "请描述这张脸在视频中的动作变化。",
    "在这段视频中，这张脸的眉毛、眼睛、鼻子和嘴各有什么动作？",
    "请说明这段视频中的脸有哪些动作，在什么时候，有多强，在哪一侧。",
)
FORMATS = {
    "sections": "请用中文分三个部分回答：**Key Observations**、**Overall Emotional Interpretation**、**Conclusion**。",
    "think": "请在 <think></think> 中用中文推理，再在 <answer></answer> 中给出一个词。",
    "context": "请在 <context></context> 中描述情境，在 <think></think> 中用中文推理，"
    "再在 <answer></answer> 中给出一个词。",
    "prose": "请用完整的中文句子回答。",
    "observations": "请用中文，只说看得到的动作，不要提到任何情绪。",
}
"""The styles that hold a text."""
CHOICES = "请从以下标签中选择：{labels}。"
TRANSCRIPT = "此人说：“{text}”"
