"""What does not stand where it was said: images, results of broken calls, names."""

from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    InvalidToolCall,
    SystemMessage,
    ToolCall,
    ToolMessage,
)

from langchain_lmswitch.messages.outgoing import has_images, history

PNG = "iVBORw0KGgo="
GIF = "R0lGODlhAQABAAAAACw="


def text(said: str) -> dict[str, str]:
    return {"type": "text", "text": said}


def block(base64: str = PNG) -> dict[str, Any]:
    return {"type": "image", "base64": base64, "mime_type": "image/png"}


def part(base64: str = PNG, extension: str = "png") -> dict[str, Any]:
    return {"type": "image", "name": f"image.{extension}", "base64": base64}


def sent(*messages: BaseMessage) -> list[Any]:
    return list(history(messages))


def calling(*calls: tuple[str, str]) -> AIMessage:
    return AIMessage(
        content="", tool_calls=[ToolCall(name=name, args={}, id=call_id) for name, call_id in calls]
    )


def broken(name: str | None, args: str | None, call_id: str | None) -> InvalidToolCall:
    return InvalidToolCall(
        type="invalid_tool_call", name=name, args=args, id=call_id, error="no JSON"
    )


def result(said: str, call_id: str) -> dict[str, Any]:
    content = {"type": "toolCallResult", "content": said, "toolCallId": call_id}
    return {"role": "tool", "content": [content]}


def test_images_of_tools_follow_all_results_of_the_same_calls() -> None:
    messages = [
        HumanMessage(content="Look around."),
        calling(("camera", "1"), ("map", "2")),
        ToolMessage(content=[text("seen"), block()], tool_call_id="1"),
        ToolMessage(content=[block(GIF), block()], tool_call_id="2", name="atlas"),
        HumanMessage(content="And now?"),
    ]

    assert has_images(messages)
    assert sent(*messages)[2:] == [
        result("seen\n[image 1]", "1"),
        result("[image 2]\n[image 3]", "2"),
        {
            "role": "user",
            "content": [
                text("Image 1, returned by camera:"),
                part(),
                text("Image 2, returned by atlas:"),
                part(GIF, "gif"),
                text("Image 3, returned by atlas:"),
                part(),
                text("And now?"),
            ],
        },
    ]


def test_an_image_of_the_last_result_is_the_last_turn() -> None:
    entries = sent(calling(("f", "1")), ToolMessage(content=[block()], tool_call_id="1"))

    assert [entry["role"] for entry in entries] == ["assistant", "tool", "user"]


def test_images_are_numbered_anew_in_each_turn() -> None:
    seen = ToolMessage(content=[block()], tool_call_id="1")
    entries = sent(calling(("f", "1")), seen, calling(("f", "1")), seen)

    assert entries[:3] == entries[3:]


def test_images_of_the_assistant_and_of_the_system_prompt_become_the_users() -> None:
    """The templates of vision models look for images in user turns only."""
    messages = [
        HumanMessage(content="Draw."),
        AIMessage(content=[text("Here:"), block(), text("Good?")]),
        SystemMessage(content=[text("Draw like this."), block(GIF)]),
        HumanMessage(content="Better."),
    ]

    assert sent(*messages) == [
        {"role": "system", "content": [text("Draw like this.\n\n[image 1]")]},
        {
            "role": "user",
            "content": [text("Image 1, from the system prompt:"), part(GIF, "gif"), text("Draw.")],
        },
        {"role": "assistant", "content": [text("Here:\n\n[image 1]\n\nGood?")]},
        {
            "role": "user",
            "content": [text("Image 1, from the assistant:"), part(), text("Better.")],
        },
    ]


@pytest.mark.parametrize(
    ("said", "arrived"),
    [
        ("no such city", "Error: no such city"),
        ("", "Error: "),
        ("Error: no such city", "Error: no such city"),
        ("ValueError('no such city')", "ValueError('no such city')"),
    ],
)
def test_a_failed_result_says_so_once(said: str, arrived: str) -> None:
    failed = ToolMessage(content=said, tool_call_id="1", status="error")
    fine = ToolMessage(content=said, tool_call_id="1")

    assert sent(failed, fine) == [result(arrived, "1"), result(said, "1")]


def test_a_broken_call_is_sent_as_it_was_written() -> None:
    message = AIMessage(
        content="Let me see.",
        tool_calls=[ToolCall(name="now", args={}, id="2")],
        invalid_tool_calls=[broken("look_up", '{"city": ', "1")],
    )
    messages = [
        message,
        ToolMessage(content="no JSON", tool_call_id="1", status="error"),
        ToolMessage(content="noon", tool_call_id="2"),
    ]

    request = {"type": "function", "name": "now", "arguments": {}, "id": "2"}
    call = {"type": "toolCallRequest", "toolCallRequest": request}
    assert sent(*messages) == [
        {"role": "assistant", "content": [text('Let me see.\n\nlook_up {"city": '), call]},
        result("noon", "2"),
        {"role": "user", "content": [text("look_up returned: Error: no JSON")]},
    ]


def test_a_broken_call_without_a_name_and_an_id() -> None:
    messages = [
        AIMessage(content="", invalid_tool_calls=[broken(None, "<call>f(</call>", None)]),
        ToolMessage(content="Error: unreadable", tool_call_id=""),
        calling(("f", "")),
        ToolMessage(content="fine", tool_call_id=""),
    ]

    assert [entry["role"] for entry in sent(*messages)] == [
        "assistant",
        "user",
        "assistant",
        "tool",
    ]
    assert sent(*messages)[:2] == [
        {"role": "assistant", "content": [text("<call>f(</call>")]},
        {"role": "user", "content": [text("a tool returned: Error: unreadable")]},
    ]


def test_an_identifier_that_was_broken_may_be_used_again() -> None:
    """Some models number the calls of each turn from one."""
    wrong = AIMessage(content="", invalid_tool_calls=[broken("f", "{", "1")])
    told = ToolMessage(content="x", tool_call_id="1")

    roles = [entry["role"] for entry in sent(wrong, told, calling(("f", "1")), told, wrong, told)]
    assert roles == ["assistant", "user", "assistant", "tool", "assistant", "user"]


ADA = HumanMessage(content="Hi", name="Ada")
BOB = HumanMessage(content="Hello", name="Bob")


def test_one_name_is_left_out() -> None:  # 1
    messages = [ADA, AIMessage(content="Yes?"), HumanMessage(content="Bye"), ADA]

    assert sent(*messages) == [
        {"role": "user", "content": [text("Hi")]},
        {"role": "assistant", "content": [text("Yes?")]},
        {"role": "user", "content": [text("Bye\n\nHi")]},
    ]


def test_of_several_people_each_is_named() -> None:  # 2
    shown = HumanMessage(content=[block(), text("this")], name=" Ada \n Lovelace ")
    silent = HumanMessage(content="", name="Cy")
    unnamed = HumanMessage(content="And I?")

    assert sent(ADA, BOB, unnamed, shown, silent) == [
        {
            "role": "user",
            "content": [
                text("Ada: Hi\n\nBob: Hello\n\nAnd I?\n\nAda Lovelace:"),
                part(),
                text("this"),
            ],
        }
    ]


def test_names_of_assistants_are_left_out() -> None:  # 3
    coder, critic = (
        AIMessage(content="Done.", name="coder"),
        AIMessage(content="No.", name="critic"),
    )

    [entry] = sent(coder, critic)
    assert entry["content"] == [text("Done.\n\nNo.")]
    assert sent(ADA, coder)[0]["content"] == [text("Hi")]


def test_other_ways_to_say_a_role() -> None:
    messages = [
        ChatMessage(role="user", content="Hi", name="Ada"),
        ChatMessage(role="assistant", content=[text("Look: "), block()]),
    ]

    assert [entry["role"] for entry in sent(*messages)] == ["user", "assistant", "user"]
