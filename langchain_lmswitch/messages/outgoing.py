"""LangChain's messages as LM Studio's history."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.types.requests import JsonObject

Part = dict[str, Any]

_NOT_SENT = {"reasoning", "thinking", "tool_call", "tool_use", "invalid_tool_call"}
"""Thinking stays here, and calls are read from `tool_calls`."""


def history(messages: Sequence[BaseMessage]) -> tuple[JsonObject, ...]:
    """Turn messages into LM Studio's wire form, in an order every chat template accepts.

    1. All system messages become one, at the front: most templates take no other.
    2. Neighbors of one role are joined, since templates expect turns to alternate; tool results
       and messages with tool calls stay apart.
    3. An assistant entry starts with text, which may be empty, as the protocol asks.

    Raises:
        InvalidRequest: A message has a role or a content block that cannot be sent.
    """
    system = [part for one in messages if isinstance(one, SystemMessage) for part in _parts(one)]
    entries: list[dict[str, Any]] = []
    if system:  # 1
        entries.append({"role": "system", "content": _joined(system)})
    for message in messages:
        if not isinstance(message, SystemMessage):
            _append(entries, _entry(message))
    return tuple(entries)


def text_of(message: BaseMessage) -> str:
    """All text of a message, without images and other blocks."""
    return "\n".join(part["text"] for part in _content_parts(message) if part["type"] == "text")


def has_images(messages: Iterable[BaseMessage]) -> bool:
    """Tell whether any message carries an image."""
    return any(
        isinstance(block, Mapping) and block.get("type") in {"image", "image_url", "input_image"}
        for message in messages
        if isinstance(message.content, list)
        for block in message.content
    )


def _append(entries: list[dict[str, Any]], entry: dict[str, Any]) -> None:
    last = entries[-1] if entries else None
    if last and last["role"] == entry["role"] and _plain(last) and _plain(entry):  # 2
        last["content"] = _joined([*last["content"], *entry["content"]])
    else:
        entries.append(entry)


def _plain(entry: Mapping[str, Any]) -> bool:
    return all(part["type"] in {"text", "file", "image"} for part in entry["content"])


def _joined(parts: Sequence[Part]) -> list[Part]:
    joined: list[Part] = []
    for part in parts:
        if joined and part["type"] == joined[-1]["type"] == "text":
            text = "\n\n".join(filter(None, (joined[-1]["text"], part["text"])))
            joined[-1] = {"type": "text", "text": text}
        else:
            joined.append(part)
    return joined


def _entry(message: BaseMessage) -> dict[str, Any]:
    match message:
        case ToolMessage():
            result = {"type": "toolCallResult", "content": _tool_text(message)}
            return {"role": "tool", "content": [result | {"toolCallId": message.tool_call_id}]}
        case AIMessage():
            calls = [_tool_call(call) for call in message.tool_calls]
            text = _joined(_parts(message)) or [{"type": "text", "text": ""}]  # 3
            return {"role": "assistant", "content": [*text, *calls]}
        case HumanMessage():
            return {"role": "user", "content": _joined(_parts(message))}
        case ChatMessage() if message.role in {"user", "assistant"}:
            return {"role": message.role, "content": _joined(_parts(message))}
    msg = f"A message of type {message.type!r} cannot be sent; use system, human, ai or tool."
    raise InvalidRequest(msg)


def _tool_call(call: Mapping[str, Any]) -> Part:
    request = {"type": "function", "name": call["name"], "arguments": dict(call["args"])}
    if call.get("id"):
        request["id"] = call["id"]
    return {"type": "toolCallRequest", "toolCallRequest": request}


def _tool_text(message: ToolMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    return "\n".join(
        part["text"] if part["type"] == "text" else "[image]" for part in _parts(message)
    )


def _parts(message: BaseMessage) -> list[Part]:
    return _content_parts(message) or [{"type": "text", "text": ""}]


def _content_parts(message: BaseMessage) -> list[Part]:
    content = message.content
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    blocks = [_block_part(block) for block in content]
    return [part for part in blocks if part is not None]


def _block_part(block: str | Mapping[str, Any]) -> Part | None:
    if isinstance(block, str):
        return {"type": "text", "text": block}
    if block.get("type") in _NOT_SENT:
        return None
    if part := _text_part(block) or _image_part(block):
        return part
    msg = f"A content block of type {block.get('type')!r} cannot be sent to a local model."
    raise InvalidRequest(msg)


def _text_part(block: Mapping[str, Any]) -> Part | None:
    match block:
        case {"type": "text" | "input_text" | "output_text", "text": str(text)}:
            return {"type": "text", "text": text}
        case {"type": "json", "json": value}:
            return {"type": "text", "text": json.dumps(value, ensure_ascii=False)}
        case _:
            return None


def _image_part(block: Mapping[str, Any]) -> Part | None:
    match block:
        case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
            return _data_url(url)
        case {"type": "image", "url": str(url)}:
            return _data_url(url)
        case {"type": "image", "base64": str(data)} | {"type": "image", "data": str(data)}:
            return _image(data, str(block.get("mime_type", "image/png")))
        case _:
            return None


def _data_url(url: str) -> Part:
    head, comma, data = url.partition(",")
    if not (comma and head.startswith("data:image/") and head.endswith(";base64")):
        msg = "Images are sent as base64 data URLs; remote addresses are not fetched."
        raise InvalidRequest(msg)
    return _image(data, head.removeprefix("data:").removesuffix(";base64"))


def _image(base64: str, mime_type: str) -> Part:
    name = f"image.{mime_type.removeprefix('image/').split('+')[0]}"
    return {"type": "image", "name": name, "base64": base64}
