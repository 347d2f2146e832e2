"""LangChain's messages as LM Studio's history."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.messages.outgoing import has_images, history, text_of

PIXEL = "iVBORw0KGgo="


def text(said: str) -> dict[str, str]:
    return {"type": "text", "text": said}


def sent(*messages: BaseMessage) -> list[Any]:
    return list(history(messages))


def user(*blocks: Any) -> HumanMessage:
    return HumanMessage(content=list(blocks))


def test_plain_conversation() -> None:
    assert sent(
        SystemMessage(content="Be brief."),
        HumanMessage(content="Hi"),
        AIMessage(content="Hello."),
        ChatMessage(role="user", content="Bye"),
    ) == [
        {"role": "system", "content": [text("Be brief.")]},
        {"role": "user", "content": [text("Hi")]},
        {"role": "assistant", "content": [text("Hello.")]},
        {"role": "user", "content": [text("Bye")]},
    ]


def test_system_messages_become_one_at_the_front() -> None:  # 1
    messages = [
        SystemMessage(content="One."),
        HumanMessage(content="Hi"),
        SystemMessage(content=[text("Two."), text("Three.")]),
    ]

    assert sent(*messages) == [
        {"role": "system", "content": [text("One.\n\nTwo.\n\nThree.")]},
        {"role": "user", "content": [text("Hi")]},
    ]


def test_neighbors_of_one_role_are_joined() -> None:  # 2
    messages = [
        HumanMessage(content="a"),
        user(text("b"), {"type": "image", "base64": PIXEL, "mime_type": "image/jpeg"}),
        HumanMessage(content="c"),
        AIMessage(content="d"),
        AIMessage(content="e"),
    ]

    image = {"type": "image", "name": "image.jpeg", "base64": PIXEL}
    assert sent(*messages) == [
        {"role": "user", "content": [text("a\n\nb"), image, text("c")]},
        {"role": "assistant", "content": [text("d\n\ne")]},
    ]


def test_tool_calls_and_results_stay_apart_and_keep_their_ids() -> None:
    call = AIMessage(
        content="", tool_calls=[ToolCall(name="look_up", args={"city_name": "Oslo"}, id="c-1")]
    )
    messages = [
        call,
        ToolMessage(content="cold", tool_call_id="c-1"),
        ToolMessage(content=[text("wet"), text("dark")], tool_call_id="c-2"),
        AIMessage(content="Cold."),
        call,
    ]

    request = {
        "type": "function",
        "name": "look_up",
        "arguments": {"city_name": "Oslo"},
        "id": "c-1",
    }
    called = {
        "role": "assistant",
        "content": [text(""), {"type": "toolCallRequest", "toolCallRequest": request}],  # 3
    }
    assert sent(*messages) == [
        called,
        {
            "role": "tool",
            "content": [{"type": "toolCallResult", "content": "cold", "toolCallId": "c-1"}],
        },
        {
            "role": "tool",
            "content": [{"type": "toolCallResult", "content": "wet\ndark", "toolCallId": "c-2"}],
        },
        {"role": "assistant", "content": [text("Cold.")]},
        called,
    ]


def test_tool_call_without_an_id() -> None:
    call = ToolCall(name="f", args={}, id=None)
    [entry] = sent(AIMessage(content="Well.", tool_calls=[call]))

    assert entry["content"][0] == text("Well.")
    assert "id" not in entry["content"][1]["toolCallRequest"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["city_name", "max_tokens", "toolCallId", "a b"]), JSON))
def test_arguments_arrive_unharmed(arguments: dict[str, Any]) -> None:
    """Whatever the keys are called and however deep they lie."""
    call = ToolCall(name="f", args=arguments, id="1")
    [entry] = sent(AIMessage(content="", tool_calls=[call]))

    assert entry["content"][1]["toolCallRequest"]["arguments"] == arguments


@given(st.lists(st.sampled_from(["system", "user", "assistant"]), max_size=8), st.data())
def test_turns_alternate_and_no_word_is_lost(roles: list[str], data: st.DataObject) -> None:
    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    messages = [kinds[role](content=data.draw(st.text("abc", min_size=1))) for role in roles]
    entries = sent(*messages)

    order = [entry["role"] for entry in entries]
    assert all(one != other for one, other in pairwise(order))
    for role, kind in kinds.items():
        said = [str(one.content) for one in messages if isinstance(one, kind)]
        arrived = [
            part["text"] for one in entries if one["role"] == role for part in one["content"]
        ]
        assert "\n\n".join(arrived) == "\n\n".join(said)


@pytest.mark.parametrize(
    ("block", "name"),
    [
        (
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
            "image.png",
        ),
        ({"type": "image_url", "image_url": f"data:image/webp;base64,{PIXEL}"}, "image.webp"),
        ({"type": "image", "base64": PIXEL, "mime_type": "image/svg+xml"}, "image.svg"),
        ({"type": "image", "base64": PIXEL}, "image.png"),
        ({"type": "image", "url": f"data:image/png;base64,{PIXEL}"}, "image.png"),
        (
            {"type": "image", "source_type": "base64", "data": PIXEL, "mime_type": "image/gif"},
            "image.gif",
        ),
    ],
)
def test_images_of_each_form(block: dict[str, Any], name: str) -> None:
    message = user(text("What is this?"), block)
    [entry] = sent(message)

    assert entry["content"][1] == {"type": "image", "name": name, "base64": PIXEL}
    assert has_images([message])
    assert text_of(message) == "What is this?"


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": "http://example.com/a.png"},
        {"type": "image", "url": "https://example.com/a.png"},
        {"type": "image_url", "image_url": {"url": "data:text/plain;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "data:image/png,raw"}},
        {"type": "image_url", "image_url": {"url": ""}},
    ],
)
def test_remote_images_are_refused(block: dict[str, Any]) -> None:
    """Nothing is fetched from the network on behalf of a message."""
    with pytest.raises(InvalidRequest, match="remote addresses are not fetched"):
        sent(user(block))


@pytest.mark.parametrize(
    "block", [{"type": "audio", "base64": "AAAA"}, {"type": "file", "id": "1"}, {"no": "type"}]
)
def test_unknown_blocks_are_refused(block: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="cannot be sent"):
        sent(user(block))


@pytest.mark.parametrize(
    "message",
    [FunctionMessage(name="f", content="x"), ChatMessage(role="critic", content="x")],
)
def test_unknown_roles_are_refused(message: BaseMessage) -> None:
    with pytest.raises(InvalidRequest, match="cannot be sent"):
        sent(message)


@pytest.mark.parametrize("content", ["", []])
@pytest.mark.parametrize("kind", [SystemMessage, HumanMessage, AIMessage])
def test_empty_messages(kind: type[BaseMessage], content: Any) -> None:
    """They have a text part all the same, as the protocol asks."""
    [entry] = sent(kind(content=content))

    assert entry["content"] == [text("")]


def test_other_text_blocks() -> None:
    message = user(
        "plain", {"type": "output_text", "text": "out"}, {"type": "json", "json": {"ä": 1}}
    )

    assert sent(message)[0]["content"] == [text('plain\n\nout\n\n{"ä": 1}')]


def test_thinking_is_not_sent_back() -> None:
    message = AIMessage(
        content=[{"type": "reasoning", "reasoning": "hm"}, {"type": "thinking"}, text("Yes.")]
    )

    assert sent(message) == [{"role": "assistant", "content": [text("Yes.")]}]


def test_image_in_a_tool_result_is_named() -> None:
    blocks: Any = [text("seen"), {"type": "image", "base64": PIXEL}]
    [entry] = sent(ToolMessage(content=blocks, tool_call_id="1"))

    assert entry["content"][0]["content"] == "seen\n[image]"


def test_messages_are_not_changed() -> None:
    """Joining makes new parts: the caller's lists and mappings stay as they were."""
    first, second = user(text("a")), user(text("b"))
    sent(first, second)

    assert (first.content, second.content) == ([text("a")], [text("b")])
