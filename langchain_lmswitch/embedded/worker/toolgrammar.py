"""The grammar that makes any model call tools well-formed. Pure.

llama.cpp's own tool parsing found none of the calls of our starter models, so the worker tells
the model of the tools in the system prompt (`history`) and constrains the answer to lines of
`{"name": ..., "arguments": {...}}`, or to anything that does not begin like one. Leaving the
answer free text, and not a JSON branch beside the calls, is what measured best: on 13 first
requests Qwen2.5-Coder-0.5B chose rightly between tools and answer 12 times, against at most 9
with six wordings of an `{"answer": ...}` branch; and free text needs no decoding.

The grammar is llguidance's dialect of Lark, which this llama.cpp is built with; `%json` embeds a
JSON schema. Each tool's parameters are a schema document of their own, so `$defs` and `$ref`
mean what they meant to their author.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_lmswitch.types.requests import JsonObject

HEADER = "%llguidance {}"
SPACING: Mapping[str, Any] = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
    "coerce_one_of": True,
    "lenient": True,
}
"""One way to write a call, and unknown schema keywords are passed over."""

MOST_CALLS = 8
"""In one answer; small models tend to repeat a call for ever."""

FREE_TEXT = r"/([^\s{`<\[]|```[a-ik-z])(.|\n)*/"
"""An answer in words: it may begin with a code block, but not like JSON or a tag."""


def tool_grammar(
    tools: Sequence[JsonObject], *, must_call: bool, answer_schema: JsonObject | None = None
) -> str:
    """Write the grammar of an answer that may call `tools`.

    Args:
        tools: In OpenAI's form.
        must_call: Whether an answer in words is ruled out.
        answer_schema: What an answer that calls nothing must follow; `None` is free text.
    """
    functions = [tool["function"] for tool in tools]
    names = " | ".join(f"call{n}" for n in range(len(functions)))
    answer = "TEXT" if answer_schema is None else "answer"
    lines = [
        HEADER,
        "start: calls" if must_call else f"start: calls | {answer}",
        rf'calls: call ("\n" call){{0,{MOST_CALLS - 1}}}',
        f"call: {names}",
        *(_call_rule(n, function) for n, function in enumerate(functions)),
    ]
    if not must_call:
        lines.append(
            f"TEXT: {FREE_TEXT}"
            if answer_schema is None
            else f"answer: %json {json.dumps(_guided(answer_schema))}"
        )
    return "\n".join(lines) + "\n"


def call_text(name: str, arguments: Mapping[str, Any]) -> str:
    """Write a call the way the grammar makes the model write it."""
    return f"{_call_head(name)}{json.dumps(arguments, ensure_ascii=False)}}}"


def _call_rule(n: int, function: JsonObject) -> str:
    parameters = {"type": "object", **(function.get("parameters") or {})}
    head = json.dumps(_call_head(function["name"]))
    return (
        f'call{n}: {head} arguments{n} "}}"\narguments{n}: %json {json.dumps(_guided(parameters))}'
    )


def _call_head(name: str) -> str:
    return f'{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments": '


def _guided(schema: JsonObject) -> dict[str, Any]:
    return {**_closed(schema), "x-guidance": SPACING}


def _closed(schema: Any) -> Any:
    """Forbid properties nobody named, which small models invent; a said word is kept.

    Only objects that stand alone are closed: beside `allOf` and its kin, or inside them, a property
    may be named by a sibling.
    """
    if not isinstance(schema, Mapping):
        return schema
    closed = {key: _closed_below(key, value) for key, value in schema.items()}
    if "properties" in closed and not closed.keys() & {"allOf", "anyOf", "oneOf"}:
        closed.setdefault("additionalProperties", False)
    return closed


def _closed_below(key: str, value: Any) -> Any:
    match key:
        case "properties" | "$defs" | "definitions":
            return {name: _closed(schema) for name, schema in value.items()}
        case "items" | "additionalProperties":
            return _closed(value)
        case "anyOf" | "oneOf" | "prefixItems":
            return [_closed(schema) for schema in value]
        case _:
            return value
