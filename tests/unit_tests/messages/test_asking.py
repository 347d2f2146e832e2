"""What a conversation tells the router and the host, besides its words."""

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_lmswitch.messages.asking import facts, request
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.requests import PredictRequest

TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
CONVERSATION: list[BaseMessage] = [
    SystemMessage(content="s" * 40),
    HumanMessage(content="a" * 400),
    AIMessage(content="b" * 400),
    HumanMessage(content="c" * 80),
    AIMessage(content="", tool_calls=[{"name": "f", "args": {}, "id": "1"}]),
    ToolMessage(content="d" * 80, tool_call_id="1"),
]


def test_last_user_turn_is_looked_at() -> None:
    """Also inside a tool loop, where the last message is not the user's."""
    found = facts(CONVERSATION, {})

    assert (found.user_text, found.system_text) == ("c" * 80, "s" * 40)


def test_sizes_are_estimated() -> None:
    """The least is the system prompt and the question; what is wanted is all, and an answer."""
    found = facts(CONVERSATION, {"max_tokens": 100})

    assert found.context_tokens == (40 + 80) // 4
    assert found.wanted_tokens == (40 + 400 + 400 + 80 + 80) // 4 + 100
    assert facts(CONVERSATION, {}).wanted_tokens == 250 + 512


@pytest.mark.parametrize(
    ("options", "tools"),
    [
        ({}, False),
        ({"tools": []}, False),
        ({"tools": [TOOL]}, True),
        ({"tools": [TOOL], "tool_choice": "none"}, False),
        ({"tools": [TOOL], "tool_choice": "required"}, True),
    ],
)
def test_tools_are_a_need_where_they_may_be_called(options: RouterOptions, tools: bool) -> None:  # noqa: FBT001
    assert facts(CONVERSATION, options).tools is tools


def test_images_structure_and_hint() -> None:
    image = HumanMessage(content=[{"type": "image", "base64": "AAAA"}])
    found = facts([image], {"json_schema": {"type": "object"}, "task": "math"})

    assert (found.images, found.structure, found.hint) == (True, True, "math")
    assert facts(CONVERSATION, {}).images is False


def test_conversation_without_a_user() -> None:
    assert facts([SystemMessage(content="s")], {}).user_text == ""


def test_options_reach_the_request() -> None:
    options: RouterOptions = {
        "temperature": 0.0,
        "max_tokens": 5,
        "stop": ["a", "b"],
        "seed": 1,
        "top_p": 0.5,
        "tools": [TOOL],
        "tool_choice": "auto",
        "json_schema": {"type": "object"},
    }
    asked = request([HumanMessage(content="Hi")], options)

    assert asked == PredictRequest(
        messages=({"role": "user", "content": [{"type": "text", "text": "Hi"}]},),
        temperature=0.0,
        max_tokens=5,
        stop=("a", "b"),
        seed=1,
        top_p=0.5,
        tools=(TOOL,),
        tool_choice="auto",
        json_schema={"type": "object"},
    )


@pytest.mark.parametrize("options", [{}, {"stop": None, "tools": None, "temperature": None}])
def test_what_is_not_said_is_the_models_choice(options: RouterOptions) -> None:
    asked = request([], options)

    assert asked == PredictRequest(messages=())
