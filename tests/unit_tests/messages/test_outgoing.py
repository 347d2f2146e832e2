"""LangChain's messages as LM Studio's history."""

import json
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
        user(text("b"), {"type": "image", "base64": PIXEL, "mime_type": "image/png"}),
        HumanMessage(content="c"),
        AIMessage(content="d"),
        AIMessage(content="e"),
    ]

    image = {"type": "image", "name": "image.png", "base64": PIXEL}
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


ANY_TEXT = st.text(st.characters(), max_size=8)  # lone surrogates too
KEY = ANY_TEXT | st.sampled_from(["city_name", "toolCallId", "$ref", "a b", "", "type"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(KEY, JSON, max_size=4))
def test_arguments_arrive_unharmed(arguments: dict[str, Any]) -> None:
    """Whatever the keys are called and however deep they lie, byte for byte as JSON."""
    written = json.dumps(arguments)
    call = ToolCall(name="f", args=arguments, id="1")
    [entry] = sent(AIMessage(content="", tool_calls=[call]))

    assert json.dumps(entry["content"][1]["toolCallRequest"]["arguments"]) == written


@given(JSON, st.booleans())
def test_results_arrive_unharmed(value: Any, ascii_only: bool) -> None:  # noqa: FBT001
    written = json.dumps(value, ensure_ascii=ascii_only)
    blocks: list[str | dict[str, Any]] = [text(written)]
    for content in (written, blocks):
        [entry] = sent(ToolMessage(content=content, tool_call_id="1", artifact=value))

        assert entry["content"] == [
            {"type": "toolCallResult", "content": written, "toolCallId": "1"}
        ]


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
    "kind",
    ["file", "input_file", "document", "audio", "input_audio", "video", "media", "pdf"],
)
def test_other_media_are_refused(kind: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{kind}.* cannot be sent.* text and images only"):
        sent(user(text("Look:"), {"type": kind, "base64": "AAAA", "mime_type": "x/y"}))


@pytest.mark.parametrize(
    ("block", "named"),
    [
        (
            {"type": "non_standard", "value": {"type": "citation_list"}},
            "non_standard: citation_list",
        ),
        ({"type": "non_standard", "value": {}}, "non_standard: unnamed"),
        ({"type": "server_tool_call", "name": "search"}, "server_tool_call"),
        ({"type": ["image"]}, "None"),
        ({"no": "type"}, "None"),
    ],
)
def test_unknown_blocks_are_refused_by_name(block: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequest, match=f"{named}.* cannot be sent .*'text', 'image'"):
        sent(user(block))
    with pytest.raises(InvalidRequest, match=named):
        text_of(user(block))


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
        "plain",
        {"type": "output_text", "text": "out"},
        {"type": "json", "json": {"ä": 1}},
        {"type": "refusal", "refusal": "no"},
        {"type": "text-plain", "text": "page", "mime_type": "text/plain"},
        {"type": "file", "source_type": "text", "text": "old page", "mime_type": "text/plain"},
    )

    said = 'plain\n\nout\n\n{"ä": 1}\n\nno\n\npage\n\nold page'
    assert sent(message)[0]["content"] == [text(said)]


def test_an_answer_cut_by_citations_is_whole_again() -> None:
    cited = {"type": "text", "text": "green", "annotations": [{"type": "citation"}]}
    message = AIMessage(content=[text("The grass is "), cited, text(".")])

    assert sent(message)[0]["content"] == [text("The grass is green.")]


def test_text_blocks_with_other_keys() -> None:
    cached = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}, "id": "1"}

    assert sent(SystemMessage(content=[cached]), user(cached)) == [
        {"role": "system", "content": [text("a")]},
        {"role": "user", "content": [text("a")]},
    ]


def test_content_of_no_kind_is_empty() -> None:
    message = AIMessage.model_construct(content=None, tool_calls=[], invalid_tool_calls=[])

    assert sent(message) == [{"role": "assistant", "content": [text("")]}]
    assert text_of(message) == ""
    assert not has_images([message])


def test_messages_are_not_changed() -> None:
    """Joining makes new parts: the caller's lists and mappings stay as they were."""
    first, second = user(text("a")), user(text("b"))
    sent(first, second)

    assert (first.content, second.content) == ([text("a")], [text("b")])
