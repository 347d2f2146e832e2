"""One switchboard per host, whoever asks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from langchain_lmswitch.errors import HostNotFound
from langchain_lmswitch.machine.neighbors import Neighbors
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.boards import Boards, boards
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.testing import FixedMachine, ScriptedHost

SETTINGS = Settings()
GREETING = b'{"lmstudio":true}'


def test_same_host_same_board() -> None:
    """Two chat models of one host must see each other's leases."""
    host, all_boards = ScriptedHost(), Boards()
    board = all_boards.given(host, None, SETTINGS)

    assert all_boards.given(host, FixedMachine(), Settings(parallel=2)) is board
    assert all_boards.given(ScriptedHost(), None, SETTINGS) is not board


def test_another_host_at_the_same_address() -> None:
    """An address may be used again; the board of the old host is not the new one's."""
    all_boards = Boards()
    first, second = ScriptedHost(address="here:1"), ScriptedHost(address="here:1")
    all_boards.given(first, None, SETTINGS)

    assert all_boards.given(second, None, SETTINGS).host is second


def test_forgotten_board_is_made_anew() -> None:
    host, all_boards = ScriptedHost(), Boards()
    board = all_boards.given(host, None, SETTINGS)
    all_boards.forget(board)
    all_boards.forget(board)

    anew = all_boards.given(host, None, SETTINGS)
    assert anew is not board
    all_boards.forget(board)
    assert all_boards.given(host, None, SETTINGS) is anew


async def test_release_ends_leases_wherever_they_are() -> None:
    all_boards = Boards()
    hosts = [ScriptedHost(["tiny"]) for _ in range(2)]
    found = [all_boards.given(host, host, SETTINGS) for host in hosts]
    for host, board in zip(hosts, found, strict=True):
        await board.acquire(
            host.disk["tiny"], call="call", needed_tokens=1, on_event=lambda _: None
        )
    all_boards.release("call")
    all_boards.release("call")

    assert not any(board.leased("lmswitch/tiny") for board in found)


async def test_what_a_forgotten_board_says_it_uses_ends_with_its_last_lease(
    tmp_path: Path,
) -> None:
    """Else other processes would take its models for used as long as this process lives."""
    host, all_boards, elsewhere = ScriptedHost(["tiny"]), Boards(), Neighbors(tmp_path)
    board = Switchboard(host, host, SETTINGS, neighbors=Neighbors(tmp_path))
    all_boards._by_address[host.address] = board
    await board.acquire(host.disk["tiny"], call="call", needed_tokens=1, on_event=lambda _: None)
    all_boards.forget(board)
    assert elsewhere.used("lmswitch/tiny")

    all_boards.release("call")
    assert not elsewhere.used("lmswitch/tiny")
    assert elsewhere.alone


async def test_close_drops_all_connections() -> None:
    class Broken(ScriptedHost):
        async def aclose(self) -> None:
            await super().aclose()
            raise HostNotFound(["it"], remedy="Start it.")

    all_boards, hosts = Boards(), [Broken(), ScriptedHost()]
    for host in hosts:
        all_boards.given(host, None, SETTINGS)
    await all_boards.aclose()

    assert [len(host.called("aclose")) for host in hosts] == [1, 1]


async def test_portal_has_its_boards() -> None:
    async def find() -> Boards:
        return boards()

    assert await portal().acall(find()) is await portal().acall(find())


@pytest.fixture
async def greeting_port() -> AsyncIterator[int]:
    """Serve LM Studio's greeting, and nothing else, on this machine."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(GREETING)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + GREETING)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_search_is_made_once(greeting_port: int, tmp_path: Path) -> None:
    """Who asks at the same time, or later, or in other words, gets the same board."""
    all_boards = Boards()
    settings = Settings(base_url=f"127.0.0.1:{greeting_port}", home=tmp_path)
    in_other_words = Settings(base_url=f"http://127.0.0.1:{greeting_port}/v1", home=tmp_path)
    found = await asyncio.gather(*(all_boards.find(settings) for _ in range(3)))
    found += [await all_boards.find(settings), await all_boards.find(in_other_words)]

    assert len({id(board) for board in found}) == 1
    assert found[0].host.address == f"127.0.0.1:{greeting_port}"
    await all_boards.aclose()


async def test_search_that_fails_is_made_again(tmp_path: Path, unused_tcp_port: int) -> None:
    all_boards = Boards()
    settings = Settings(base_url=f"127.0.0.1:{unused_tcp_port}", home=tmp_path)
    for _ in range(2):
        with pytest.raises(HostNotFound):
            await all_boards.find(settings)


async def test_found_host_that_is_lost_is_looked_for_anew(
    greeting_port: int, tmp_path: Path
) -> None:
    """It may have come back on another port."""
    all_boards = Boards()
    settings = Settings(base_url=f"127.0.0.1:{greeting_port}", home=tmp_path)
    board = await all_boards.find(settings)
    all_boards.lost(board)

    assert await all_boards.find(settings) is not board
    await all_boards.aclose()


def test_given_host_that_is_lost_keeps_its_leases() -> None:
    host, all_boards = ScriptedHost(), Boards()
    board = all_boards.given(host, None, SETTINGS)
    all_boards.lost(board)

    assert all_boards.given(host, None, SETTINGS) is board
