"""Files that clients have sent, for the prompts to come."""

import base64
import binascii
import mimetypes
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_lmswitch.errors import InvalidRequest

MAX_TOTAL_BYTES = 256 * 2**20
"""Of all uploads together, as base64; beyond it the oldest go."""

_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_FILE_TYPES = {
    "text/plain": "text/plain",
    "application/pdf": "application/pdf",
    "application/msword": "application/word",
    _WORD: "application/word",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file."""

    identifier: str
    client: str
    name: str
    base64: str
    size_bytes: int
    file_type: str


class Uploads:
    """Uploaded files, each seen only by the client that sent it."""

    def __init__(self, *, max_total_bytes: int = MAX_TOTAL_BYTES) -> None:
        self._max_total_bytes = max_total_bytes
        self._files: OrderedDict[str, Upload] = OrderedDict()

    def add(self, client: str, *, name: str, content: str) -> Upload:
        """Keep a file under a new identifier.

        Raises:
            InvalidRequest: The content is not base64, or larger than all that may be kept.
        """
        if len(content) > self._max_total_bytes:
            raise InvalidRequest(f"The file is larger than {self._max_total_bytes} bytes.")
        try:
            size_bytes = len(base64.b64decode(content, validate=True))
        except binascii.Error as error:
            raise InvalidRequest("The file's content is not base64.") from error
        upload = Upload(
            identifier=secrets.token_hex(12),
            client=client,
            name=name,
            base64=content,
            size_bytes=size_bytes,
            file_type=file_type(name),
        )
        self._files[upload.identifier] = upload
        self._make_room()
        return upload

    def get(self, client: str, identifier: str) -> Upload:
        """Find a file of this client.

        Raises:
            InvalidRequest: It has none of that identifier.
        """
        upload = self._files.get(identifier)
        if upload is None or upload.client != client:
            raise InvalidRequest(f"No uploaded file {identifier!r}; upload it again.")
        return upload

    def forget(self, client: str) -> None:
        """Drop all files of a client that has gone."""
        for upload in [one for one in self._files.values() if one.client == client]:
            del self._files[upload.identifier]

    def _make_room(self) -> None:
        total = sum(len(upload.base64) for upload in self._files.values())
        while total > self._max_total_bytes:
            _, oldest = self._files.popitem(last=False)
            total -= len(oldest.base64)


def file_type(name: str) -> str:
    """Say of which of LM Studio's kinds a file is, by its name."""
    mime, _ = mimetypes.guess_type(name)
    match (mime or "").partition("/")[0]:
        case "image":
            return "image"
        case "text":
            return _FILE_TYPES.get(mime or "", "text/other")
        case _:
            return _FILE_TYPES.get(mime or "", "unknown")


def with_images(
    messages: list[Any], uploads: Uploads, *, client: str, vision: bool
) -> list[dict[str, Any]]:
    """Put the bytes of uploaded images where a conversation refers to them.

    Raises:
        InvalidRequest: A file is unknown or no image, or the model has no eyes.
    """
    return [_with_images(message, uploads, client=client, vision=vision) for message in messages]


def _with_images(message: Any, uploads: Uploads, *, client: str, vision: bool) -> dict[str, Any]:
    match message:
        case {"role": str(), "content": list(parts)}:
            seen = [_part(part, uploads, client=client, vision=vision) for part in parts]
            return {**message, "content": seen}
        case _:
            raise InvalidRequest("A message of the history has no role or no content parts.")


def _part(part: Any, uploads: Uploads, *, client: str, vision: bool) -> Any:
    match part:
        case {"type": "file", "identifier": str(identifier)}:
            upload = uploads.get(client, identifier)
            if upload.file_type != "image":
                raise InvalidRequest(
                    f"{upload.name!r} is not an image; put its text into the prompt."
                )
            if not vision:
                raise InvalidRequest("Image input is not supported: the model has no vision.")
            return {"type": "image", "name": upload.name, "base64": upload.base64}
        case Mapping():
            return part
        case _:
            raise InvalidRequest("A part of a message is not an object.")
