"""Tools and choices in every form that callers give them."""

from typing import Annotated, Any

import pydantic.v1
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.messages.tools import ToolWish, tool_schema, tool_wish


def look_up(city_name: str, days: int = 1) -> str:
    """Look up the weather."""
    return f"{city_name} {days}"


class LookUp(BaseModel):
    """Look up the weather."""

    city_name: str = Field(description="Where.")


class OldLookUp(pydantic.v1.BaseModel):
    """Look up the weather."""

    city_name: str


class TypedLookUp(TypedDict):
    """Look up the weather."""

    city_name: Annotated[str, ..., "Where."]


class Asked(TypedDict):
    city_name: str


JSON_SCHEMA = {
    "title": "look_up",
    "description": "Look up the weather.",
    "type": "object",
    "properties": {"city_name": {"$ref": "#/$defs/place_name"}},
    "$defs": {"place_name": {"type": "string"}},
}
OPENAI = {
    "type": "function",
    "function": {
        "name": "look_up",
        "parameters": {"type": "object", "properties": {"city_name": {"type": "string"}}},
    },
}
ANTHROPIC = {
    "name": "look_up",
    "description": "Look up the weather.",
    "input_schema": {"type": "object", "properties": {"city_name": {"type": "string"}}},
}


@pytest.mark.parametrize(
    "given_tool",
    [
        look_up,
        tool(look_up),
        LookUp,
        OldLookUp,
        TypedLookUp,
        JSON_SCHEMA,
        OPENAI,
        ANTHROPIC,
        RunnableLambda(lambda asked: asked["city_name"]).with_types(input_type=Asked),
    ],
    ids=[
        "function",
        "tool",
        "pydantic",
        "pydantic v1",
        "TypedDict",
        "JSON",
        "OpenAI",
        "Anthropic",
        "runnable",
    ],
)
def test_every_form_names_its_properties(given_tool: Any) -> None:
    schema = tool_schema(given_tool)

    assert schema["type"] == "function"
    assert schema["function"]["name"]
    assert schema["function"]["parameters"]["type"] == "object"
    assert "city_name" in schema["function"]["parameters"]["properties"]


def test_definitions_stay_with_their_references() -> None:
    parameters = tool_schema(JSON_SCHEMA)["function"]["parameters"]

    assert parameters["properties"] == {"city_name": {"$ref": "#/$defs/place_name"}}
    assert parameters["$defs"] == {"place_name": {"type": "string"}}


def test_tool_without_arguments_has_an_empty_object_of_them() -> None:
    """LM Studio's protocol wants the properties, also where there are none."""
    bare = {"type": "function", "function": {"name": "now"}}

    assert tool_schema(bare)["function"]["parameters"] == {"type": "object", "properties": {}}


@pytest.mark.parametrize("strict", [None, True, False])
def test_strict_is_passed_on(strict: bool | None) -> None:  # noqa: FBT001
    assert tool_schema(LookUp, strict=strict)["function"].get("strict") == strict


@pytest.mark.parametrize("wrong", [3, {"foo": 1}, None])
def test_what_is_no_tool_is_refused_by_name(wrong: Any) -> None:
    with pytest.raises(InvalidRequest, match="cannot be used as a tool"):
        tool_schema(wrong)


NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_$-]{0,12}", fullmatch=True)
SCHEMAS = st.recursive(
    st.sampled_from([{"type": "string"}, {"type": "integer"}, {"$ref": "#/$defs/a_b"}]),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3).map(
        lambda properties: {"type": "object", "properties": properties}
    ),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, SCHEMAS, max_size=3), st.dictionaries(NAMES, SCHEMAS, max_size=2))
def test_schemas_in_openai_form_are_left_as_they_are(
    properties: dict[str, Any], definitions: dict[str, Any]
) -> None:
    """No name is respelled and nothing is lost, however deep."""
    parameters = {"type": "object", "properties": properties, "$defs": definitions}
    schema = tool_schema({"type": "function", "function": {"name": "f", "parameters": parameters}})

    assert schema["function"]["parameters"] == parameters


TOOLS: list[Any] = [look_up, {"type": "function", "function": {"name": "add"}}]


def names(wish: ToolWish) -> list[str]:
    return [one["function"]["name"] for one in wish.tools]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        (None, None),
        (False, None),
        ("auto", "auto"),
        ("none", "none"),
        ("any", "required"),
        ("required", "required"),
        (True, "required"),
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
    ],
)
def test_choices_that_name_no_tool(choice: Any, sent: str | None) -> None:
    wish = tool_wish(TOOLS, choice)

    assert (names(wish), wish.choice) == (["look_up", "add"], sent)


@pytest.mark.parametrize(
    "choice",
    [
        "add",
        {"type": "function", "function": {"name": "add"}},
        {"type": "tool", "name": "add"},
        {"name": "add"},
    ],
)
def test_choice_of_one_tool_sends_that_one_and_asks_for_a_call(choice: Any) -> None:
    """LM Studio refuses the object form, and has no choice by name."""
    wish = tool_wish(TOOLS, choice)

    assert (names(wish), wish.choice) == (["add"], "required")


def test_tool_that_is_called_like_a_choice_is_meant() -> None:
    auto = {"type": "function", "function": {"name": "auto"}}

    assert names(tool_wish([*TOOLS, auto], "auto")) == ["auto"]


@pytest.mark.parametrize("choice", ["looc_up", 3, {"type": "function"}, {"function": {}}])
def test_choice_of_nothing_is_refused(choice: Any) -> None:
    with pytest.raises(InvalidRequest, match="is no choice of tool"):
        tool_wish(TOOLS, choice)


def test_misspelled_choice_is_told_the_nearest() -> None:
    with pytest.raises(InvalidRequest, match="Did you mean 'look_up'"):
        tool_wish(TOOLS, "looc_up")


@pytest.mark.parametrize("choice", ["any", True])
def test_call_without_tools_cannot_be_asked_for(choice: Any) -> None:
    with pytest.raises(InvalidRequest, match="there is no tool"):
        tool_wish([], choice)


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_no_tools_at_all(choice: Any) -> None:
    assert tool_wish(None, choice).tools == ()
