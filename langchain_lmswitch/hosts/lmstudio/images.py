"""Images in a conversation: uploaded, and put back as the file parts the host knows."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from langchain_lmswitch.hosts.lmstudio.connection import Connection
from langchain_lmswitch.types.requests import JsonObject

_KEPT: Final = 64
"""Uploads remembered for one connection; a conversation sends its images again every turn."""


async def upload(connection: Connection, messages: Sequence[JsonObject]) -> list[JsonObject]:
    """Upload every `image` part and give the messages with `file` parts in their place."""
    return [await _message(connection, message) for message in messages]


async def _message(connection: Connection, message: JsonObject) -> JsonObject:
    content = message.get("content")
    parts = content if isinstance(content, list | tuple) else ()
    if not any(_is_image(part) for part in parts):
        return message
    files = [await _file(connection, part) if _is_image(part) else part for part in parts]
    return {**message, "content": files}


async def _file(connection: Connection, part: Mapping[str, Any]) -> Mapping[str, Any]:
    name, content = str(part.get("name") or "image.png"), str(part["base64"])
    digest = hashlib.sha256(f"{name}\n{content}".encode()).hexdigest()
    if known := connection.link().uploads.get(digest):
        return known
    params = {"name": name, "contentBase64": content}
    handle = await connection.ask(("files", "uploadFileBase64"), params, doing="uploading an image")
    file = {
        "type": "file",
        "name": name,
        "identifier": handle["identifier"],
        "sizeBytes": handle["sizeBytes"],
        "fileType": handle["fileType"],
    }
    uploads = connection.link().uploads
    if len(uploads) >= _KEPT:
        uploads.pop(next(iter(uploads)))
    uploads[digest] = file
    return file


def _is_image(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "image"
