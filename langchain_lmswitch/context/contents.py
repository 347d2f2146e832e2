"""What of a message counts: its text, its images, who says it and when."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

IMAGE_TOKENS: Final = 1024
"""Kept free for each image: what it really costs is known to its projector only."""
_SPEAKERS: Final = {"human": "user", "ai": "assistant", "tool": "tool"}
_THOUGHTS: Final = frozenset({"reasoning", "thinking", "redacted_thinking", "reasoning_content"})
_DATES: Final = ("date", "timestamp", "created_at")


def text_of(message: BaseMessage) -> str:
    """Give all text of a message; neither what was thought nor calls are text."""
    content: Any = message.content
    if isinstance(content, str):
        return content
    return "\n".join(_texts(content or ()))


def images_of(message: BaseMessage) -> int:
    """Count the blocks of a message that are neither text, thoughts nor calls."""
    content: Any = message.content
    if isinstance(content, str) or not content:
        return 0
    return sum(is_media(block) for block in content)


def calls_of(message: BaseMessage) -> str:
    """Give the tool calls of a message as a tokenizer might see them; empty if there are none."""
    if not isinstance(message, AIMessage):
        return ""
    calls = [{"name": one["name"], "arguments": one["args"]} for one in message.tool_calls]
    written = json.dumps(calls, ensure_ascii=False, default=str) if calls else ""
    wrong = (f"{one['name'] or ''} {one['args'] or ''}" for one in message.invalid_tool_calls)
    return "\n".join(filter(None, (written, *wrong)))


def speaker_of(message: BaseMessage) -> str:
    """Name who says a message, on one line: by name, else by role."""
    name = " ".join((message.name or "").split())
    return name or _SPEAKERS.get(message.type, message.type)


def date_of(message: BaseMessage) -> str:
    """Tell when a message was said, as its `additional_kwargs` have it; empty if they do not."""
    told = (message.additional_kwargs.get(name) for name in _DATES)
    return next((" ".join(str(one).split()) for one in told if one), "")


def digest_of(message: BaseMessage) -> bytes:
    """Tell a message from all others by what it says.

    Ids, usage and what was thought are left out: the caller may drop or add them between turns.
    """
    role = getattr(message, "role", message.type)
    said: list[Any] = [role, message.name, date_of(message), _essence(message.content)]
    if isinstance(message, AIMessage):
        calls = (*message.tool_calls, *message.invalid_tool_calls)
        said.append([(one["name"], one["args"], one["id"]) for one in calls])
    if isinstance(message, ToolMessage):
        said += [message.tool_call_id, message.status]
    told = json.dumps(said, default=str, ensure_ascii=False)
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _essence(content: Any) -> Any:
    if isinstance(content, str):
        return content
    return [one for one in content or () if _kind(one) not in _THOUGHTS]


def _texts(blocks: Any) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, str):
            yield block
        elif isinstance(block, Mapping) and isinstance(block.get("text"), str):
            yield block["text"]


def _kind(block: Any) -> str:
    return str(block.get("type", "")) if isinstance(block, Mapping) else "text"


def is_media(block: Any) -> bool:
    """Tell whether a block is neither text, thoughts nor a call."""
    if not isinstance(block, Mapping) or isinstance(block.get("text"), str):
        return False
    kind = _kind(block)
    return kind not in _THOUGHTS and "call" not in kind and kind not in {"tool_use", "json"}
