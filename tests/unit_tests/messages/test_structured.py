"""Reading the object that was asked for: growing, whole, cut off and wrong."""

import json
from typing import Any

import pydantic.v1
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration
from pydantic import BaseModel

from langchain_lmswitch.errors import InvalidOutput
from langchain_lmswitch.messages.structured import ObjectParser


class Joke(BaseModel):
    """A joke."""

    set_up: str
    rating: int | None = None


class OldJoke(pydantic.v1.BaseModel):
    """A joke."""

    set_up: str


BY_CLASS = ObjectParser(model_class=Joke)
BY_KEYS = ObjectParser(required=("set_up",))
BY_CALL = ObjectParser(required=("set_up",), tool_name="Joke")


def read(parser: ObjectParser, message: AIMessage, *, partial: bool = False) -> Any:
    return parser.parse_result([ChatGeneration(message=message)], partial=partial)


def said(text: str, finish_reason: str = "stop") -> AIMessage:
    return AIMessage(text, response_metadata={"finish_reason": finish_reason})


@pytest.mark.parametrize(
    ("parser", "found"),
    [
        (BY_CLASS, Joke(set_up="Knock")),
        (ObjectParser(model_class=OldJoke), OldJoke(set_up="Knock")),
        (BY_KEYS, {"set_up": "Knock"}),
    ],
)
def test_whole_object(parser: ObjectParser, found: Any) -> None:
    assert read(parser, said('{"set_up": "Knock"}')) == found


def test_optional_field_may_be_there_or_not() -> None:
    assert read(BY_CLASS, said('{"set_up": "K", "rating": 3}')).rating == 3
    assert read(BY_CLASS, said('{"set_up": "K", "rating": null}')).rating is None


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}\n```", "  {} \n"])
def test_fence_around_it_is_no_harm(fence: str) -> None:
    """In JSON mode nothing keeps a model from writing one."""
    assert read(BY_KEYS, said(fence.replace("{}", '{"set_up": "K"}'))) == {"set_up": "K"}


def test_arguments_of_a_call() -> None:
    call = tool_call(name="Joke", args={"set_up": "K"}, id="1")

    assert read(BY_CALL, AIMessage("Here.", tool_calls=[call])) == {"set_up": "K"}


def test_answer_that_first_calls_tools_has_no_object_yet() -> None:
    call = tool_call(name="look_up", args={}, id="1")

    assert read(BY_KEYS, AIMessage("", tool_calls=[call])) is None


@pytest.mark.parametrize(
    ("parser", "message", "reason"),
    [
        (BY_CLASS, said('{"set_up": 3}'), "set_up: Input should be a valid string"),
        (ObjectParser(model_class=OldJoke), said("{}"), "set_up: field required"),
        (BY_KEYS, said("{}"), "it lacks 'set_up'"),
        (BY_KEYS, said("Sorry, no."), "it is not JSON"),
        (BY_KEYS, said("[1]"), "it is a JSON list, not an object"),
        (BY_KEYS, said(""), "it is not JSON"),
        (BY_CALL, said("Sorry, no."), "the model did not call 'Joke'"),
    ],
)
def test_wrong_object_is_an_error_with_the_text(
    parser: ObjectParser, message: AIMessage, reason: str
) -> None:
    with pytest.raises(InvalidOutput, match=reason) as caught:
        read(parser, message)

    assert caught.value.text == message.text
    assert not caught.value.cut_off


def test_cut_off_object_is_told_as_that() -> None:
    """Also where it could be completed: half a list is a valid list."""
    with pytest.raises(InvalidOutput, match="Raise `max_tokens`") as caught:
        read(BY_KEYS, said('{"set_up": "Knoc', "length"))

    assert (caught.value.cut_off, caught.value.text) == (True, '{"set_up": "Knoc')


def test_call_that_was_cut_off_carries_what_was_written() -> None:
    wrong = invalid_tool_call(name="Joke", args='{"set', id="1", error="cut")
    message = AIMessage("", invalid_tool_calls=[wrong])
    message.response_metadata["finish_reason"] = "length"

    with pytest.raises(InvalidOutput) as caught:
        read(BY_CALL, message)

    assert caught.value.text == '{"set'


@given(st.dictionaries(st.text(), st.text() | st.integers(), min_size=1), st.data())
def test_object_grows_key_by_key(found: dict[str, Any], data: st.DataObject) -> None:
    """At any moment there are some of the keys, in their order, and nothing is an error."""
    written = json.dumps({"set_up": "K", **found})
    end = data.draw(st.integers(0, len(written)))
    seen = read(BY_KEYS, AIMessageChunk(content=written[:end]), partial=True)

    keys = list(json.loads(written))
    assert seen is None or list(seen) == keys[: len(seen)]


def test_call_grows_too() -> None:
    piece = tool_call_chunk(name="Joke", args='{"set_up": "Kn', id="1", index=0)

    assert read(BY_CALL, AIMessageChunk(content="", tool_call_chunks=[piece]), partial=True) == {
        "set_up": "Kn"
    }


def test_class_appears_once_it_is_valid() -> None:
    assert read(BY_CLASS, AIMessageChunk(content='{"rat'), partial=True) is None
    assert read(BY_CLASS, AIMessageChunk(content='{"set_up": "K'), partial=True) == Joke(set_up="K")
