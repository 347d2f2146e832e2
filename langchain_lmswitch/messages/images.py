"""The forms in which LangChain's users write images. Pure: nothing is read or fetched here."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from langchain_lmswitch.errors import InvalidRequest

FORMATS: Final = "PNG, JPEG, GIF, WebP or BMP"
"""What `media_type` knows, in words."""

_HEAD_CHARS: Final = 16
"""Base64 of the 12 bytes that `media_type` needs to see."""

_DATA_URL: Final = re.compile(r"data:(image/[^;,]+)(?:;[^;,]*)*;base64", re.IGNORECASE)
_DRIVE: Final = re.compile(r"/[A-Za-z]:")
_NO_SOURCE: Final = (
    "has none that can be used. Give it `base64` and `mime_type`, a `url`, or the `path` of a "
    "local file; file ids of other services mean nothing to a local model."
)


@dataclass(frozen=True, slots=True)
class Inline:
    """An image that is here."""

    base64: str
    media_type: str


@dataclass(frozen=True, slots=True)
class OnDisk:
    """An image in a file of this computer."""

    path: str


@dataclass(frozen=True, slots=True)
class Remote:
    """An image at an http or https URL."""

    url: str

    @property
    def shown(self) -> str:
        """The URL as errors may show it: without credentials, query and fragment."""
        return shown_url(self.url)


Source = Inline | OnDisk | Remote


def is_image(block: object) -> bool:
    """Tell whether a content block is an image, readable or not."""
    match block:
        case {"type": "image" | "image_url" | "input_image"}:
            return True
        case _:
            return False


def source_of(block: Mapping[str, Any]) -> Source:
    """Tell where the image of a block is.

    1. `image_url` and `input_image` as OpenAI has them, the URL in an object or bare.
    2. `source` as Anthropic has it.
    3. `path`, a string or a `pathlib` path.
    4. LangChain's own: `url`, and `base64` (v1) or `data` (v0).

    A URL is a data URL, a `file:` URL, an http or https URL, or, as Ollama's users write it, bare
    base64.

    Raises:
        InvalidRequest: The block tells none of these.
    """
    match block:
        case {"image_url": {"url": str(url)} | str(url)}:  # 1
            return _of_url(url)
        case {"source": {"type": "base64", "data": str(data), **more}}:  # 2
            return _inline(data, more.get("media_type"))
        case {"source": {"type": "url", "url": str(url)}}:
            return _of_url(url)
        case {"path": str() | PurePath() as path}:  # 3
            text = str(path)
            return _of_url(text) if text.lower().startswith("file:") else OnDisk(text)
        case {"url": str(url)}:  # 4
            return _of_url(url)
        case {"base64": str(data)} | {"data": str(data)}:
            is_url = data[:5].lower() == "data:"
            return _of_url(data) if is_url else _inline(data, block.get("mime_type"))
        case _:
            msg = f"The source of an image block of type {block.get('type')!r} {_NO_SOURCE}"
            raise InvalidRequest(msg)


def block_of(content: bytes, media_type: str) -> dict[str, Any]:
    """Write an image as LangChain's standard block."""
    text = base64.b64encode(content).decode("ascii")
    return {"type": "image", "base64": text, "mime_type": media_type}


def media_type(head: bytes) -> str | None:
    """Name an image's format by its first bytes, which outrank any name or header."""
    if head.startswith(b"RIFF"):
        return "image/webp" if head[8:12] == b"WEBP" else None
    if head.startswith(b"BM"):  # two letters begin many a text; a bitmap goes on with zeros
        return "image/bmp" if head[6:10] == bytes(4) else None
    magics = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif"}
    return next((f"image/{name}" for magic, name in magics.items() if head.startswith(magic)), None)


def shown_url(url: str) -> str:
    """Give a URL without what may be secret or long: credentials, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("?")[0]
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def _of_url(text: str) -> Source:
    url = text.strip()
    scheme = url.partition(":")[0].lower()
    match scheme:
        case "data":
            return _of_data_url(url)
        case "file":
            return _of_file_url(url)
        case "http" | "https":
            return Remote(url)
        case _ if _head_of(url) is not None:
            return _inline(url, None)
        case _:
            raise InvalidRequest(
                f"{url[:40]!r} is no URL of an image; give a data, http, https or file URL. A "
                'path of this computer is sent as {"type": "image", "path": "..."}.'
            )


def _of_data_url(url: str) -> Inline:
    head, _, data = url.partition(",")
    found = _DATA_URL.fullmatch(head)
    if found is None:
        raise InvalidRequest(
            f"A data URL that begins with {head[:40]!r} cannot be sent as an image; it has to "
            "begin as 'data:image/png;base64,' does."
        )
    return _inline(data, found[1])


def _of_file_url(url: str) -> OnDisk:
    host, _, rest = url[len("file:") :].removeprefix("//").partition("/")
    if host not in {"", "localhost"}:
        raise InvalidRequest(
            f"The file URL {shown_url(url)!r} names another computer; write file:///path, with "
            "three slashes, for a file of this one."
        )
    path = unquote(f"/{rest}")
    return OnDisk(path[1:] if _DRIVE.match(path) else path)


def _inline(data: str, said: object) -> Inline:
    text = data.strip()
    if "\n" in text[:100]:  # as `base64.encodebytes` breaks lines
        text = "".join(text.split())
    named = said if isinstance(said, str) and said.startswith("image/") else "image/png"
    return Inline(text, _head_of(text) or named)


def _head_of(text: str) -> str | None:
    """Name the format of base64 text by its first bytes; `None` if it is no image we know."""
    try:
        return media_type(base64.b64decode(text[:_HEAD_CHARS], validate=True))
    except ValueError:
        return None
