"""The conversation as the host gets it: the messages, and what the request adds to them. Pure."""

import json
from collections.abc import Sequence
from typing import Final

from langchain_core.messages import BaseMessage

from langchain_lmswitch.messages.outgoing import history
from langchain_lmswitch.types.options import RouterOptions
from langchain_lmswitch.types.requests import JsonObject

_SCHEMA_NOTE: Final = "Answer with a JSON object that follows this JSON schema:"
"""A grammar holds a model to the schema and tells it nothing of what the fields mean: without this,
small models run on to the token limit and make up what they have not read."""


def conversation(messages: Sequence[BaseMessage], options: RouterOptions) -> tuple[JsonObject, ...]:
    """Turn messages into LM Studio's wire form, with the schema of the answer in the system prompt.

    Raises:
        InvalidRequest: A message has a role or a content block that cannot be sent.
    """
    entries = history(messages, send_reasoning=options.get("send_reasoning", False))
    schema = options.get("json_schema")
    if not schema or not schema.keys() - {"type"}:
        return entries
    note = {"type": "text", "text": f"{_SCHEMA_NOTE}\n{json.dumps(schema, ensure_ascii=False)}"}
    return _with_note(entries, note)


def _with_note(entries: tuple[JsonObject, ...], note: JsonObject) -> tuple[JsonObject, ...]:
    if not entries or entries[0]["role"] != "system":
        return ({"role": "system", "content": [note]}, *entries)
    system = entries[0]
    said = "\n\n".join(part["text"] for part in [*system["content"], note] if part["text"])
    return ({**system, "content": [{"type": "text", "text": said}]}, *entries[1:])
