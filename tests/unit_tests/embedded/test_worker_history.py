import json
from typing import Any

import pytest

from langchain_lmswitch.embedded.worker.history import media_type, to_chat
from langchain_lmswitch.errors import InvalidRequest

TOOL = {"type": "function", "function": {"name": "add", "description": "Add", "parameters": {}}}


def said(role: str, *texts: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text} for text in texts]}


def call(name: str, call_id: str, **arguments: Any) -> dict[str, Any]:
    request = {"type": "function", "id": call_id, "name": name, "arguments": arguments}
    return {"type": "toolCallRequest", "toolCallRequest": request}


def result(content: str, call_id: str) -> dict[str, Any]:
    part = {"type": "toolCallResult", "content": content, "toolCallId": call_id}
    return {"role": "tool", "content": [part]}


def test_leading_system_messages_become_one() -> None:
    chat = to_chat([said("system", "A"), said("system", "B"), said("user", "C")])

    assert chat == [{"role": "system", "content": "A\n\nB"}, {"role": "user", "content": "C"}]


def test_tools_are_described_after_the_users_own_system_prompt() -> None:
    [system, _] = to_chat([said("system", "Be brief."), said("user", "C")], tools=[TOOL])

    assert system["content"].startswith("Be brief.\n\n# Tools")
    assert json.dumps(TOOL) in system["content"]


def test_without_tools_no_system_message_is_invented() -> None:
    assert [message["role"] for message in to_chat([said("user", "C")])] == ["user"]


def test_calls_are_written_as_the_model_writes_them_and_results_name_their_tool() -> None:
    asked = {"role": "assistant", "content": [call("add", "1", a=1), call("add", "2", a=2)]}

    chat = to_chat([said("user", "Q"), asked, result("one", "1"), result("two", "2")])

    assert chat[1:] == [
        {
            "role": "assistant",
            "content": '{"name": "add", "arguments": {"a": 1}}\n'
            '{"name": "add", "arguments": {"a": 2}}',
        },
        {"role": "user", "content": "add returned: one\nadd returned: two"},
    ]


def test_text_before_a_call_is_kept() -> None:
    words = {"type": "text", "text": "Let me see."}
    asked = {"role": "assistant", "content": [words, call("add", "1")]}

    [message] = to_chat([asked])

    assert message["content"].splitlines()[0] == "Let me see."


def test_consecutive_answers_stay_apart() -> None:
    assert len(to_chat([said("assistant", "A"), said("assistant", "B")])) == 2


def test_an_image_becomes_a_data_url_of_its_real_format() -> None:
    image = {"type": "image", "name": "photo.png", "base64": "/9j/AAAA"}
    message = {"role": "user", "content": [{"type": "text", "text": "What?"}, image]}

    [asked] = to_chat([message])

    assert asked["content"] == [
        {"type": "text", "text": "What?"},
        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/AAAA"}},
    ]


@pytest.mark.parametrize("start", ["iVBORw0KGgoAAAA", "unknown"])
def test_png_is_the_format_when_in_doubt(start: str) -> None:
    assert media_type(start) == "image/png"


def test_a_part_that_cannot_be_rendered_is_refused() -> None:
    message = {"role": "user", "content": [{"type": "file", "identifier": "x"}]}

    with pytest.raises(InvalidRequest, match="file"):
        to_chat([message])


def test_user_messages_that_follow_each_other_become_one() -> None:
    """Results of tools are the user's words here, and templates insist that turns alternate."""
    asked = {"role": "assistant", "content": [call("add", "1")]}

    chat = to_chat([said("user", "Q"), asked, result("one", "1"), said("user", "And?")])

    assert chat[2:] == [{"role": "user", "content": "add returned: one\n\nAnd?"}]


def test_image_joins_the_result_before_it() -> None:
    asked = {"role": "assistant", "content": [call("look", "1")]}
    seen = {"role": "user", "content": [{"type": "image", "name": "a.png", "base64": "AAAA"}]}

    *_, last = to_chat([said("user", "Q"), asked, result("see", "1"), seen])

    assert [part["type"] for part in last["content"]] == ["text", "image_url"]
