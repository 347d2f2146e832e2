"""Images fetched from URLs, within limits.

Whoever writes a URL makes this computer fetch it, so:

1. Proxies of the environment are used, as by every other client.
2. Redirects are followed by hand, at most five, to http and https only.
3. One that begins at a public address may not lead to a private, loopback or link-local one:
   the page that redirects is not the user, and must not reach into the user's network. A URL
   that begins there is the user's own wish. A name counts by the addresses it has here and now;
   one that only a proxy can look up counts as public.
4. Nothing is unpacked, and reading stops at the limit, whatever the headers say.
5. httpx logs every URL with its query; it is kept from logging these.
"""

import asyncio
import logging
import socket
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Final

import httpx

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.messages.images import Remote, shown_url

_REDIRECTS: Final = 5
_HEADERS: Final = {"Accept": "image/*", "Accept-Encoding": "identity"}
_REMEDY: Final = "Check the URL, or send the image as base64."

_fetching: ContextVar[bool] = ContextVar("fetching", default=False)


async def download(
    urls: Sequence[Remote], *, max_bytes: int, timeout_s: float
) -> dict[Remote, bytes]:
    """Fetch one URL after the other.

    Args:
        urls: What to fetch.
        max_bytes: The most that one may have.
        timeout_s: How long each may take, redirects included.

    Raises:
        InvalidRequest: One cannot be fetched, is too large, or leads where it may not; or the
            proxy of the environment cannot be used.
    """
    if not urls:
        return {}  # making a client takes longer than reading a file
    async with _client(timeout_s) as client:
        return {
            url: await _fetch(client, url, max_bytes=max_bytes, timeout_s=timeout_s) for url in urls
        }


def _client(timeout_s: float) -> httpx.AsyncClient:
    """Make a client for the public internet.

    Raises:
        InvalidRequest: The environment names a proxy that cannot be used.
    """
    try:
        return httpx.AsyncClient(timeout=timeout_s)
    except ImportError as error:
        raise InvalidRequest(
            "The image cannot be fetched: the environment names a SOCKS proxy, and a package for "
            "that is missing. Run: pip install 'httpx[socks]', or send the image as base64."
        ) from error
    except (ValueError, httpx.InvalidURL) as error:
        raise InvalidRequest(
            "The image cannot be fetched: the environment names a proxy whose address is none. "
            "Run `lmswitch doctor`, which tells the variable, or send the image as base64."
        ) from error


async def _fetch(
    client: httpx.AsyncClient, url: Remote, *, max_bytes: int, timeout_s: float
) -> bytes:
    before = _fetching.set(True)  # 5
    try:
        async with asyncio.timeout(timeout_s):
            return await _follow(client, url.url, max_bytes)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise InvalidRequest(
            f"The image at {url.shown!r} did not arrive within {timeout_s:g} s. {_REMEDY}"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InvalidRequest(
            f"The image at {url.shown!r} could not be fetched: {type(error).__name__}. {_REMEDY}"
        ) from error
    finally:
        _fetching.reset(before)


async def _follow(client: httpx.AsyncClient, url: str, max_bytes: int) -> bytes:
    request = client.build_request("GET", url, headers=_HEADERS)
    public = not is_private(await _addresses(request.url))
    for _ in range(_REDIRECTS + 1):
        response = await client.send(request, stream=True)
        async with aclosing(response):
            if response.next_request is None:
                return await _content(response, max_bytes)
            request = response.next_request
        await _check_hop(shown_url(url), request.url, public=public)
    raise InvalidRequest(
        f"The image at {shown_url(url)!r} is behind more than {_REDIRECTS} redirects. {_REMEDY}"
    )


async def _check_hop(shown: str, target: httpx.URL, *, public: bool) -> None:
    if target.scheme not in {"http", "https"}:  # 2
        raise InvalidRequest(
            f"{shown!r} redirects to a {target.scheme!r} URL; only http and https are followed. "
            f"{_REMEDY}"
        )
    if public and is_private(await _addresses(target)):  # 3
        raise InvalidRequest(
            f"{shown!r} redirects to {target.host!r}, an address of a private network. Give that "
            "URL itself if you mean it, or send the image as base64."
        )


async def _content(response: httpx.Response, max_bytes: int) -> bytes:
    shown = shown_url(str(response.url))
    if not response.is_success:
        raise InvalidRequest(
            f"The image at {shown!r} could not be fetched: HTTP status {response.status_code}. "
            f"{_REMEDY}"
        )
    content = bytearray()
    async for piece in response.aiter_raw():  # 4
        content += piece
        if len(content) > max_bytes:
            raise InvalidRequest(
                f"The image at {shown!r} is larger than {max_bytes:,} bytes, the most that is "
                "fetched. Send a smaller one."
            )
    return bytes(content)


def is_private(addresses: Iterable[str]) -> bool:
    """Tell whether any of a name's addresses is not one of the public internet."""
    return any(not ip_address(one.partition("%")[0]).is_global for one in addresses)


async def _addresses(url: httpx.URL) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        host = url.raw_host.decode("ascii")
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # only a proxy can look it up, or nobody
        return []
    return [str(address[0]) for *_, address in found]


def _loggable(_record: logging.LogRecord) -> bool:
    return not _fetching.get()


logging.getLogger("httpx").addFilter(_loggable)
