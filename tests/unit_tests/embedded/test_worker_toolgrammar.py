import json
from typing import Any

from langchain_lmswitch.embedded.worker.toolgrammar import call_text, tool_grammar


def tool(name: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    function = {"name": name, "description": "", "parameters": parameters}
    return {"type": "function", "function": function}


def rule(grammar: str, name: str) -> str:
    return next(line for line in grammar.splitlines() if line.startswith(f"{name}:"))


def schema(grammar: str, name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(rule(grammar, name).partition("%json ")[2])
    return parsed


def test_words_are_allowed_only_where_no_call_is_due() -> None:
    assert "TEXT" in rule(tool_grammar([tool("add")], must_call=False), "start")
    assert "TEXT" not in tool_grammar([tool("add")], must_call=True)


def test_every_tool_can_be_called() -> None:
    grammar = tool_grammar([tool("add"), tool("look up")], must_call=True)

    assert rule(grammar, "call") == "call: call0 | call1"
    assert json.dumps('{"name": "look up", "arguments": ') in rule(grammar, "call1")


def test_definitions_stay_with_the_parameters_that_refer_to_them() -> None:
    parameters = {
        "type": "object",
        "properties": {"node": {"$ref": "#/$defs/Node"}},
        "$defs": {
            "Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}},
        },
    }

    arguments = schema(tool_grammar([tool("walk", parameters)], must_call=True), "arguments0")

    assert arguments["properties"]["node"] == {"$ref": "#/$defs/Node"}
    assert arguments["$defs"]["Node"]["properties"]["next"] == {"$ref": "#/$defs/Node"}


def test_properties_nobody_named_are_forbidden_unless_said_otherwise() -> None:
    parameters = {
        "properties": {
            "closed": {"type": "object", "properties": {"a": {}}},
            "open": {"type": "object", "properties": {}, "additionalProperties": True},
            "additionalProperties": {"type": "string"},
            "shared": {"anyOf": [{"type": "string"}], "properties": {"a": {}}},
        },
    }

    arguments = schema(tool_grammar([tool("f", parameters)], must_call=True), "arguments0")

    assert arguments["additionalProperties"] is False
    assert arguments["properties"]["closed"]["additionalProperties"] is False
    assert arguments["properties"]["open"]["additionalProperties"] is True
    assert arguments["properties"]["additionalProperties"] == {"type": "string"}
    assert "additionalProperties" not in arguments["properties"]["shared"]


def test_a_tool_without_parameters_takes_an_object() -> None:
    assert schema(tool_grammar([tool("now")], must_call=True), "arguments0")["type"] == "object"


def test_an_answer_that_calls_nothing_follows_its_schema() -> None:
    answer = {"type": "object", "properties": {"city": {"type": "string"}}}

    grammar = tool_grammar([tool("now")], must_call=False, answer_schema=answer)

    assert rule(grammar, "start") == "start: calls | answer"
    assert schema(grammar, "answer")["properties"] == answer["properties"]


def test_a_call_is_written_as_json() -> None:
    assert json.loads(call_text('a"b', {"x": "é"})) == {"name": 'a"b', "arguments": {"x": "é"}}
