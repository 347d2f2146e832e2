"""Images that a conversation only points at: read from files, fetched from URLs, put inline."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.hosts.downloads import download
from langchain_lmswitch.messages.images import (
    FORMATS,
    Inline,
    OnDisk,
    Remote,
    block_of,
    is_image,
    media_type,
    source_of,
)
from langchain_lmswitch.messages.parts import blocks_of

Block = dict[str, Any]


async def with_attachments(
    messages: Sequence[BaseMessage],
    *,
    allow_url_fetch: bool,
    max_bytes: int = 20 * 2**20,
    timeout_s: float = 20.0,
) -> list[BaseMessage]:
    """Give the messages with every image they point at in its place, as base64.

    1. Messages that point at none are returned as they are, the same objects; none is changed.
    2. Each file and each URL is read once, however often a conversation shows it.
    3. What an image is, its first bytes tell: neither its name nor a header is asked.
    4. A path is read with the rights of this process, and only an image ever leaves it. Whoever
       serves strangers should drop `path` blocks and `file:` URLs from what they send.

    Args:
        messages: The conversation.
        allow_url_fetch: Whether http and https URLs may be fetched; see `hosts.downloads`.
        max_bytes: The most that one image may have.
        timeout_s: How long fetching one image may take.

    Raises:
        InvalidRequest: An image is missing, too large, none at all, or may not be fetched.
    """
    sources = dict.fromkeys(_outside(messages))
    files = [one for one in sources if isinstance(one, OnDisk)]
    urls = [one for one in sources if isinstance(one, Remote)]
    if urls and not allow_url_fetch:
        raise _not_allowed(urls[0])
    blocks: dict[OnDisk | Remote, Block] = {
        one: await asyncio.to_thread(_read, one.path, max_bytes) for one in files
    }
    fetched = await download(urls, max_bytes=max_bytes, timeout_s=timeout_s)
    blocks |= {one: _checked(content, one.shown) for one, content in fetched.items()}
    return [_inlined(message, blocks) for message in messages]


def _outside(messages: Sequence[BaseMessage]) -> Iterator[OnDisk | Remote]:
    for message in messages:
        for block in blocks_of(message):
            source = _source(block)
            if source is not None:
                yield source


def _source(block: Any) -> OnDisk | Remote | None:
    if not is_image(block):
        return None
    source = source_of(block)
    return None if isinstance(source, Inline) else source


def _inlined(message: BaseMessage, blocks: Mapping[OnDisk | Remote, Block]) -> BaseMessage:
    if not any(_source(block) for block in blocks_of(message)):
        return message
    content = [blocks[source] if (source := _source(block)) else block for block in message.content]
    return message.model_copy(update={"content": content})


def _read(said: str, max_bytes: int) -> Block:
    try:
        path = Path(said).expanduser().absolute()
        content = _begin(path, max_bytes + 1) if path.is_file() else None
    except (OSError, RuntimeError, ValueError) as error:  # the last two: no home, a null byte
        raise InvalidRequest(
            f"The image file {said!r} cannot be read: {type(error).__name__}. Check the path and "
            "its permissions, or send the image as base64."
        ) from error
    if content is None:
        raise _no_file(said, path)
    if len(content) > max_bytes:
        raise InvalidRequest(
            f"The image file {said!r} is larger than {max_bytes:,} bytes, the most that is sent. "
            "Send a smaller one."
        )
    return _checked(content, said)


def _begin(path: Path, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size_bytes)


def _no_file(said: str, path: Path) -> InvalidRequest:
    if path.is_dir():
        return InvalidRequest(f"{said!r} is a directory; give the path of one image file in it.")
    if path.exists():
        return InvalidRequest(f"{said!r} is a device or pipe; give the path of an image file.")
    return InvalidRequest(
        f"There is no image file {said!r}; it was looked for at '{path}'. Check the path, or send "
        "the image as base64."
    )


def _checked(content: bytes, shown: str) -> Block:
    kind = media_type(content)
    if kind is None:
        raise InvalidRequest(
            f"{shown!r} is not a {FORMATS} image, as its first bytes show. Convert it, or check "
            "that it is the right one."
        )
    return block_of(content, kind)


def _not_allowed(url: Remote) -> InvalidRequest:
    return InvalidRequest(
        f"The image at {url.shown!r} was not fetched, since nothing is fetched unless asked: pass "
        "allow_url_fetch=True, or send the image as base64."
    )
