"""What a call asks for, from fields and arguments."""

from typing import Any

import pytest
from pydantic import BaseModel

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.messages.options import PER_CALL, call_options, schema_of


class Joke(BaseModel):
    """A joke."""

    set_up: str


SCHEMA = {"title": "Joke", "type": "object", "properties": {"set_up": {"type": "string"}}}


def test_argument_wins_over_the_field_and_none_does_not() -> None:
    fields = {"model": "a", "temperature": 0.5, "seed": 3}
    options = call_options(fields, {"model": "b", "temperature": None, "seed": 0})

    assert (options["model"], options["temperature"], options["seed"]) == ("b", 0.5, 0)


@pytest.mark.parametrize("name", ["temprature", "n", "timeout", "host"])
def test_unknown_argument_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match=f"Unknown argument '{name}'"):
        call_options({}, {name: 1})


def test_typing_error_is_told_the_nearest_name() -> None:
    with pytest.raises(InvalidRequest, match="Did you mean 'temperature'"):
        call_options({}, {"temprature": 1})


def test_a_model_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="`model` cannot be 3"):
        call_options({}, {"model": 3})


def test_every_argument_is_taken() -> None:
    call_options({}, dict.fromkeys(PER_CALL))


@pytest.mark.parametrize("name", ["stream", "stream_usage", "ls_structured_output_format"])
def test_what_is_said_to_langchain_does_not_go_on(name: str) -> None:
    assert name not in call_options({}, {name: True})


def test_tools_and_choice_are_in_the_hosts_form() -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    options = call_options({}, {"tools": [tool], "tool_choice": "any"})

    assert options["tool_choice"] == "required"
    assert [one["function"]["name"] for one in options["tools"]] == ["f"]


@pytest.mark.parametrize(
    ("response_format", "schema"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "object"}),
        ({"type": "json_schema", "json_schema": {"name": "Joke", "schema": SCHEMA}}, SCHEMA),
        ({"type": "json_schema", "schema": SCHEMA}, SCHEMA),
        (SCHEMA, SCHEMA),
    ],
)
def test_response_formats(response_format: Any, schema: Any) -> None:
    assert schema_of(response_format) == schema


def test_class_is_a_response_format() -> None:
    schema = schema_of(Joke)

    assert schema is not None
    assert schema["properties"]["set_up"]["type"] == "string"


@pytest.mark.parametrize("wrong", [3, "yaml", {"type": "xml"}])
def test_response_format_that_is_none(wrong: Any) -> None:
    with pytest.raises(InvalidRequest, match="response format"):
        schema_of(wrong)


@pytest.mark.parametrize("quality", [-0.1, 1.1, "high", True])
def test_quality_out_of_range(quality: Any) -> None:
    with pytest.raises(InvalidRequest, match="number from 0 to 1"):
        call_options({}, {"quality": quality})
