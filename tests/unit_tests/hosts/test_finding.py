"""Which host is found, among servers that answer well, badly, late or not at all."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from unit_tests.hosts.peer import Peer

from langchain_lmswitch.embedded import presence
from langchain_lmswitch.embedded.presence import PortFile
from langchain_lmswitch.errors import HostNotFound, InvalidRequest
from langchain_lmswitch.hosts.finding import (
    SDK_PORTS,
    Found,
    find_host,
    first_greeting,
    lmstudio_ports,
    look,
)
from langchain_lmswitch.settings import Settings

GREETING = b'{"lmstudio":true}'
NOWHERE = "127.0.0.1:9"

Serve = Callable[..., Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncGenerator[Serve, None]:
    """Start a tiny HTTP server that gives every request the same answer."""
    async with AsyncExitStack() as stack:
        over = asyncio.Event()

        async def start(body: bytes, *, status: int = 200, silent: bool = False) -> str:
            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n")
                if silent:
                    await over.wait()
                head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                writer.close()

            server = await stack.enter_async_context(
                await asyncio.start_server(answer, "127.0.0.1", 0)
            )
            return f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

        yield start
        over.set()


async def test_the_first_in_order_wins_not_the_first_in_time(serve: Serve) -> None:
    first, second = await serve(GREETING), await serve(GREETING)
    assert await first_greeting([NOWHERE, first, second], within_s=2) == first
    assert await first_greeting([second, first], within_s=2) == second


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>some other server</html>", 200),
        (b'{"lmstudio":false}', 200),
        (b'{"lmstudio":"yes"}', 200),
        (b"[1]", 200),
        (b"\xff\xfe", 200),
        (GREETING, 404),
        (GREETING, 302),
    ],
)
async def test_a_server_that_does_not_greet_is_passed_over(
    serve: Serve, body: bytes, status: int
) -> None:
    other, wanted = await serve(body, status=status), await serve(GREETING)
    assert await first_greeting([other, wanted], within_s=2) == wanted


async def test_a_server_that_never_answers_is_passed_over(serve: Serve) -> None:
    silent, wanted = await serve(GREETING, silent=True), await serve(GREETING)
    assert await first_greeting([silent, wanted], within_s=0.5) == wanted
    assert await first_greeting([silent], within_s=0.2) is None


async def test_proxies_of_the_environment_have_no_say(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{NOWHERE}")
    wanted = await serve(GREETING)
    assert await first_greeting([wanted], within_s=2) == wanted


def test_the_port_that_the_app_has_written_down_goes_first(tmp_path: Path) -> None:
    assert lmstudio_ports(tmp_path) == [*SDK_PORTS, 1234]
    noted = tmp_path / ".lmstudio" / ".internal" / "http-server.json"
    noted.parent.mkdir(parents=True)
    noted.write_text('{"port": 4321}')
    assert lmstudio_ports(tmp_path) == [4321, *SDK_PORTS, 1234]
    noted.write_text('{"port": 1234}')
    assert lmstudio_ports(tmp_path) == [1234, *SDK_PORTS]


@pytest.mark.parametrize("text", ["", "[]", '{"port": "1"}', '{"port": 70000}'])
def test_a_note_that_makes_no_sense_is_ignored(tmp_path: Path, text: str) -> None:
    noted = tmp_path / ".lmstudio" / ".internal" / "http-server.json"
    noted.parent.mkdir(parents=True)
    noted.write_text(text)
    assert lmstudio_ports(tmp_path) == [*SDK_PORTS, 1234]


async def test_an_explicit_address_wins_over_a_running_lm_studio(
    peer: Peer, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(tmp_path, monkeypatch, peer.port)
    wanted = await serve(GREETING)
    settings = Settings(base_url=f"http://{wanted}/v1", home=tmp_path)
    assert await look(settings) == Found(address=wanted, kind="explicit")
    assert (await find_host(settings)).address == wanted


async def test_an_explicit_address_that_is_silent_is_not_replaced(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(tmp_path, monkeypatch, peer.port)
    settings = Settings(base_url=NOWHERE, home=tmp_path)
    for find in (find_host, look):
        with pytest.raises(HostNotFound) as caught:
            await find(settings)
        assert caught.value.tried == (NOWHERE,)


async def test_an_explicit_address_with_tls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="TLS"):
        await find_host(Settings(base_url="https://box:1234", home=tmp_path))


async def test_a_running_lm_studio_wins_over_the_embedded_host(
    peer: Peer, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(tmp_path, monkeypatch, peer.port)
    settings = Settings(home=tmp_path)
    embedded = await serve(GREETING)
    announce(settings, int(embedded.rpartition(":")[2]))
    assert await look(settings) == Found(address=peer.address, kind="lmstudio")


async def test_an_embedded_host_on_a_known_port_gets_its_own_token(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path)
    token = announce(settings, peer.port)
    note(tmp_path, monkeypatch, peer.port)
    assert await look(settings) == Found(address=peer.address, kind="embedded", token=token)
    host = await find_host(settings)
    await host.cards()
    assert peer.handshakes[0]["clientIdentifier"] == token[6:14]
    await host.aclose()


def note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Write a port down as LM Studio does."""
    path = tmp_path / "http-server.json"
    path.write_text(json.dumps({"port": port}))
    monkeypatch.setenv("LMS_API_SERVER_INFO_PATH", str(path))


def announce(settings: Settings, port: int) -> str:
    """Write down what a running embedded host does; give its token."""
    presence.make_home(settings.run_home)
    token = presence.read_or_make_token(settings.run_home)
    path = str(presence.token_path(settings.run_home))
    presence.write_port(settings.run_home, PortFile(port=port, pid=os.getpid(), token_file=path))
    return token
