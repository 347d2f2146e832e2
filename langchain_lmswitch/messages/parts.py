"""Content blocks of any provider as the parts that LM Studio knows: text and images."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from langchain_core.messages import BaseMessage

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.messages.images import Inline, OnDisk, Remote, is_image, source_of

Part = dict[str, Any]

_THINKING: Final = frozenset({"reasoning", "thinking", "redacted_thinking", "reasoning_content"})
_CALLS: Final = frozenset(
    {
        "tool_call",
        "tool_call_chunk",
        "invalid_tool_call",
        "tool_use",
        "function_call",
        "input_json_delta",
    }
)
"""Read from `tool_calls` and `invalid_tool_calls`, where LangChain has them too."""

_MEDIA: Final = frozenset(
    {"file", "input_file", "document", "audio", "input_audio", "video", "media", "pdf"}
)


def text(said: str) -> Part:
    """Make a text part."""
    return {"type": "text", "text": said}


def blocks_of(message: BaseMessage) -> list[Any]:
    """Give the content of a message as blocks: mappings, and strings for bare text."""
    # A message built without validation may hold `None`, as OpenAI's do.
    content: Any = message.content or []
    return [content] if isinstance(content, str) else list(content)


def parts_of(message: BaseMessage) -> list[Part]:
    """Give what a message says, in order: text and images.

    Thinking and calls are left out: neither is content.

    Raises:
        InvalidRequest: A block is neither, or its image has not been read.
    """
    blocks = _sent(message)
    return [_image(block) if is_image(block) else text(_text_of(block)) for block in blocks]


def text_of(message: BaseMessage) -> str:
    """All text of a message, without images and other blocks.

    Raises:
        InvalidRequest: A block is neither text nor an image.
    """
    return "\n".join(_text_of(block) for block in _sent(message) if not is_image(block))


def has_images(messages: Iterable[BaseMessage]) -> bool:
    """Tell whether any message carries an image, in whatever form."""
    return any(is_image(block) for message in messages for block in blocks_of(message))


def reasoning_of(message: BaseMessage) -> str:
    """Give what a model thought before it said `message`.

    Blocks come first; some integrations have it in `additional_kwargs` as well.
    """
    found = [_thought(block) for block in blocks_of(message) if _type(block) in _THINKING]
    said = "\n\n".join(filter(None, found)) or message.additional_kwargs.get("reasoning_content")
    return said if isinstance(said, str) else ""


def joined(parts: Iterable[Part], *, between: str = "\n\n") -> list[Part]:
    """Join neighboring texts, and leave out empty ones where there is another."""
    found: list[Part] = []
    for part in parts:
        if found and part["type"] == found[-1]["type"] == "text":
            said = filter(None, (found[-1]["text"], part["text"]))
            found[-1] = text(between.join(said))
        else:
            found.append(part)
    return found


def _sent(message: BaseMessage) -> list[Any]:
    return [block for block in blocks_of(message) if _type(block) not in _THINKING | _CALLS]


def _type(block: Any) -> str | None:
    kind = block.get("type") if isinstance(block, Mapping) else None
    return kind if isinstance(kind, str) else None


def _text_of(block: Any) -> str:
    match block:
        case str():
            return block
        case {"type": "text" | "input_text" | "output_text" | "text-plain", "text": str(said)}:
            return said
        case {"type": "file", "source_type": "text", "text": str(said)}:
            return said
        case {"type": "refusal", "refusal": str(said)}:
            return said
        case {"type": "json", "json": value}:
            return json.dumps(value, ensure_ascii=False)
        case _:
            raise InvalidRequest(_why_not(block))


def _why_not(block: Any) -> str:
    kind = _type(block)
    if kind in _MEDIA:
        return (
            f"A content block of type {kind!r} cannot be sent: local models take text and images "
            "only. Send its text, or its pages or frames as images."
        )
    if kind == "non_standard":
        value = block.get("value")
        kind = f"non_standard: {_type(value) or 'unnamed'}"
    return (
        f"A content block of type {kind!r} cannot be sent to a local model; send blocks of type "
        "'text', 'image' or 'image_url'."
    )


def _image(block: Mapping[str, Any]) -> Part:
    match source_of(block):
        case Inline(base64, media_type):
            extension = media_type.removeprefix("image/").partition("+")[0]
            return {"type": "image", "name": f"image.{extension}", "base64": base64}
        case OnDisk(path):
            where = path
        case Remote() as remote:
            where = remote.shown
    raise InvalidRequest(
        f"The image {where!r} has not been read: turning messages into a prompt reads no file and "
        "fetches nothing. Pass them through `with_attachments` first, or send base64."
    )


def _thought(block: Any) -> str:
    match block:
        case {"reasoning": str(said)} | {"thinking": str(said)}:
            return said
        case {"reasoning_content": {"text": str(said)} | str(said)}:
            return said
        case {"summary": list(steps)}:
            return "\n\n".join(str(step["text"]) for step in steps if "text" in step)
        case _:
            return ""
