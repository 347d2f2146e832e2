"""Histories of all shapes: what a chat, an agent or a careless caller may send."""

from typing import Any

from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)


_WORDS = (
    "the harbor opens at nine and Mira keeps the key|we moved the build to port 8123 last week"
    "|always answer in metric units|der Schlüssel liegt unter dem blauen Topf|def area(r):\n    "
    "return 3.14 * r ** 2|钥匙在蓝色花盆下面。会议改到星期三下午三点。|今後は短く答えてください。|ok|"
    "version 2.4.1 of the parser fails on /var/data/report.csv with error E1027"
    "|never mention the surprise party|why?|\n\n|Zürich, 4 May: 17 guests, two dogs"
).split("|")
_PICTURE = {"type": "image", "base64": "aGk=", "mime_type": "image/png"}


@st.composite
def texts(draw: st.DrawFn, giant: int = 5) -> str:
    """Make a text: mostly a sentence or none, now and then one larger than any window."""
    said = " ".join(draw(st.lists(st.sampled_from(_WORDS), max_size=4)))
    if draw(st.integers(1, 100)) <= giant:
        filler = " ".join(f"{said} {at}." for at in range(draw(st.integers(50, 900))))
        said = f"Begin {filler} end"
    return said


@st.composite
def contents(draw: st.DrawFn, giant: int = 5, pictures: bool = True) -> Any:  # noqa: FBT001, FBT002
    """Make a content: a text, or a list of blocks."""
    said = draw(texts(giant))
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return [{"type": "text", "text": said}]
    if kind == 1:
        return [said, {"type": "text", "text": draw(texts(0))}]
    if kind == 2 and pictures:
        return [{"type": "text", "text": said}, _PICTURE]
    return said


@st.composite
def steps(draw: st.DrawFn, number: str) -> list[BaseMessage]:
    """Make a step of a tool loop: calls side by side, and the results of all, some or none."""
    ids = [f"{number}-{at}" for at in range(draw(st.integers(1, 3)))]
    args = [draw(st.dictionaries(st.sampled_from("abc"), _values(), max_size=2)) for _ in ids]
    calls = [ToolCall(name="look_up", args=arg, id=one) for one, arg in zip(ids, args, strict=True)]
    answered = ids if draw(st.integers(0, 9)) else ids[: draw(st.integers(0, len(ids)))]
    results = [ToolMessage(draw(contents(15)), tool_call_id=one) for one in answered]
    return [AIMessage(draw(texts(0)), tool_calls=calls), *results]


def _values() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.integers(0, 99),
        texts(10),
        st.lists(texts(5), max_size=2),
        st.fixed_dictionaries({"old": texts(5), "new": texts(5)}),
    )


@st.composite
def turns(draw: st.DrawFn, number: int) -> list[BaseMessage]:
    """Make a turn: the user, rounds of tool calls, an answer; any of them may be missing."""
    name = draw(st.sampled_from((None, None, "Mira", "Jo hn")))
    said: list[BaseMessage] = []
    if draw(st.integers(0, 9)):
        said.append(HumanMessage(draw(contents()), name=name))
    for step in range(draw(st.sampled_from((0, 0, 0, 1, 3)))):
        said += draw(steps(f"{number}-{step}"))
    if draw(st.integers(0, 9)):
        said.append(AIMessage(draw(contents(5, pictures=False))))
    return said


@st.composite
def histories(draw: st.DrawFn, most: int = 12) -> list[BaseMessage]:
    """Make a history, as well-formed as callers are: system messages anywhere, orphans, no end."""
    said: list[BaseMessage] = []
    for number in range(draw(st.integers(0, most))):
        said += draw(turns(number))
    for _ in range(draw(st.sampled_from((0, 1, 1, 2)))):
        place = draw(st.sampled_from((0, 0, len(said))))
        said.insert(place, SystemMessage(draw(texts(0))))
    if draw(st.integers(0, 4)) == 0:
        orphan = ToolMessage(draw(texts()), tool_call_id="nobody")
        said.insert(draw(st.integers(0, len(said))), orphan)
    ending = draw(st.integers(0, 3))
    if ending == 0:
        said += draw(steps("last"))
    elif ending > 1 or not said:
        said.append(HumanMessage(draw(contents(10))))
    return said
