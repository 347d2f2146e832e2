"""Images fetched from URLs, over real sockets."""

import asyncio
import base64
import logging
import re
import sys
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.hosts.attachments import with_attachments
from langchain_lmswitch.hosts.downloads import is_private

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
GIF = b"GIF89a" + bytes(58)
PUBLIC = "http://93.184.215.14"
"""Never reached: a proxy of ours answers in its place."""


def inline(content: bytes, kind: str = "image/png") -> dict[str, Any]:
    return {"type": "image", "base64": base64.b64encode(content).decode(), "mime_type": kind}


async def fetch(url: str, *, max_bytes: int = 1000, timeout_s: float = 20.0) -> Any:
    message = HumanMessage(content=[{"type": "image", "url": url}])
    [found] = await with_attachments(
        [message], allow_url_fetch=True, max_bytes=max_bytes, timeout_s=timeout_s
    )
    return found.content[0]


class Web:
    """An HTTP server, and a proxy that answers for others: what is asked for is its script."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.endless: set[str] = set()
        self.silent: set[str] = set()
        self.cut = asyncio.Event()
        self.address = ""

    def show(self, target: str, content: bytes, *, status: str = "200 OK", head: str = "") -> None:
        self.pages[target] = (
            f"HTTP/1.1 {status}\r\nConnection: close\r\n{head}\r\n".encode() + content
        )

    def redirect(self, target: str, to: str) -> None:
        self.show(target, b"", status="302 Found", head=f"Location: {to}\r\n")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        target = head.split()[1]
        self.asked.append(target)
        try:
            writer.write(self.pages.get(target, b""))
            while target in self.endless and not reader.at_eof():
                writer.write(bytes(2**16))
                await writer.drain()
            if target in self.silent:
                await reader.read()
                self.cut.set()
        except ConnectionError:
            self.cut.set()
        finally:
            writer.close()


@pytest.fixture
async def web(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Web, None]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    web = Web()
    async with await asyncio.start_server(web.serve, "127.0.0.1", 0) as server:
        web.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield web


@pytest.fixture
def proxy(web: Web, monkeypatch: pytest.MonkeyPatch) -> Web:
    """Everything is asked of it, as behind a company's proxy."""
    monkeypatch.setenv("HTTP_PROXY", web.address)
    return web


async def test_a_url_is_fetched_once_for_all_places(web: Web) -> None:
    web.show("/a.png?key=secret", PNG, head="Content-Type: text/html\r\n")
    url = f"{web.address}/a.png?key=secret"
    messages = [
        HumanMessage(
            content=[{"type": "image_url", "image_url": url}, {"type": "image", "url": url}]
        ),
        HumanMessage(content=[{"type": "input_image", "image_url": url}]),
    ]
    found = await with_attachments(messages, allow_url_fetch=True)

    assert [one.content for one in found] == [[inline(PNG), inline(PNG)], [inline(PNG)]]
    assert web.asked == ["/a.png?key=secret"]


async def test_nothing_is_fetched_unless_asked(web: Web) -> None:
    block = {"type": "image", "url": f"{web.address}/a.png?key=secret"}
    messages = [HumanMessage(content=[block])]
    with pytest.raises(InvalidRequest, match="pass allow_url_fetch=True") as caught:
        await with_attachments(messages, allow_url_fetch=False)

    assert f"{web.address}/a.png'" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert web.asked == []


async def test_a_query_reaches_neither_errors_nor_logs(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    web.redirect("/a.png?key=secret", "/b.png?key=secret")
    web.show("/b.png?key=secret", b"gone", status="410 Gone")
    with (
        caplog.at_level(logging.INFO),
        pytest.raises(InvalidRequest, match=r"/b.png' .* HTTP status 410. Check the URL") as caught,
    ):
        await fetch(f"{web.address}/a.png?key=secret")

    assert "secret" not in str(caught.value)
    assert "secret" not in caplog.text


async def test_httpx_still_logs_for_others(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    web.show("/a.png", PNG)
    await fetch(f"{web.address}/a.png")
    with caplog.at_level(logging.INFO):
        logging.getLogger("httpx").info("somebody else's request")

    assert "somebody else's request" in caplog.text


async def test_a_page_is_no_image(web: Web) -> None:
    web.show("/a.png", b"<html>", head="Content-Type: image/png\r\n")

    with pytest.raises(InvalidRequest, match=r"/a.png' is not a PNG"):
        await fetch(f"{web.address}/a.png")


async def test_a_download_stops_at_the_limit(web: Web) -> None:
    web.show("/a.png", PNG)
    web.endless.add("/a.png")

    with pytest.raises(InvalidRequest, match=r"/a.png' is larger than 100,000 bytes"):
        await fetch(f"{web.address}/a.png", max_bytes=100_000)
    await web.cut.wait()


async def test_a_server_that_does_not_answer(web: Web) -> None:
    web.silent.add("/a.png")

    with pytest.raises(InvalidRequest, match=r"/a.png' did not arrive within 0.2 s"):
        await fetch(f"{web.address}/a.png", timeout_s=0.2)
    await web.cut.wait()


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://a b/", "http://host:x/a.png"])
async def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(InvalidRequest, match="could not be fetched"):
        await fetch(url)


async def test_a_server_that_is_not_there(web: Web) -> None:
    with pytest.raises(InvalidRequest, match=r"fetched: \w+Error. Check the URL"):
        await fetch(f"{web.address}/unscripted")


async def test_redirects_are_followed(web: Web) -> None:
    """To a private address too: the user's own URL is one."""
    web.redirect("/1", "/2")
    web.redirect("/2", f"{web.address.replace('127.0.0.1', 'localhost')}/3")
    web.show("/3", PNG)

    assert await fetch(f"{web.address}/1") == inline(PNG)
    assert web.asked == ["/1", "/2", "/3"]


async def test_redirects_end(web: Web) -> None:
    web.redirect("/1", "/1")

    with pytest.raises(InvalidRequest, match="more than 5 redirects"):
        await fetch(f"{web.address}/1")
    assert len(web.asked) == 6


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("file:///etc/passwd", "redirects to a 'file' URL"),
        ("ftp://example.com/a.png", "redirects to a 'ftp' URL"),
        ("http://[::1", "could not be fetched"),
    ],
)
async def test_redirects_to_no_web_address(web: Web, to: str, why: str) -> None:
    web.redirect("/1", to)

    with pytest.raises(InvalidRequest, match=why):
        await fetch(f"{web.address}/1")
    assert web.asked == ["/1"]


async def test_the_proxy_of_the_environment_is_used(proxy: Web) -> None:
    proxy.redirect(f"{PUBLIC}/1", "/2")
    proxy.show(f"{PUBLIC}/2", GIF)

    assert await fetch(f"{PUBLIC}/1") == inline(GIF, "image/gif")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "[fe80::1]", "127.1"]
)
async def test_a_public_page_leads_into_no_private_network(proxy: Web, host: str) -> None:
    proxy.redirect(f"{PUBLIC}/1", f"http://{host}/secret.png")

    with pytest.raises(InvalidRequest, match=re.escape(host.strip("[]"))):
        await fetch(f"{PUBLIC}/1")
    assert proxy.asked == [f"{PUBLIC}/1"]


@pytest.mark.parametrize(
    ("addresses", "private"),
    [
        ([], False),
        (["93.184.215.14"], False),
        (["93.184.215.14", "192.168.0.1"], True),
        (["::ffff:127.0.0.1"], True),
        (["fe80::1%eth0"], True),
        (["100.64.0.1"], True),
        (["0.0.0.0"], True),  # noqa: S104
    ],
)
def test_private_addresses(addresses: list[str], private: bool) -> None:  # noqa: FBT001
    assert is_private(addresses) == private


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("socks5://127.0.0.1:1080", "names a SOCKS proxy.* pip install 'httpx\\[socks\\]'"),
        ("nonsense://127.0.0.1:1080", "names a proxy whose address is none.*`lmswitch doctor`"),
    ],
)
async def test_proxy_that_cannot_be_used(
    proxy: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the package for SOCKS is installed here or not."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", proxy)

    with pytest.raises(InvalidRequest, match=said):
        await fetch(f"{PUBLIC}/a.png")
