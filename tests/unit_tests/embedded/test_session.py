"""One socket's work, over a scripted socket and scripted endpoints."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from langchain_lmswitch.embedded.channel import Channel
from langchain_lmswitch.embedded.endpoints.table import Namespace
from langchain_lmswitch.embedded.protocol.failures import CanceledError, model_unloaded
from langchain_lmswitch.embedded.services import Request, Services
from langchain_lmswitch.embedded.session import Session
from langchain_lmswitch.errors import InvalidRequest

HELLO = {"authVersion": 1, "clientIdentifier": "abcdefgh", "clientPasskey": "secret"}


class ScriptedSocket:
    """A socket whose peer is the test."""

    def __init__(self) -> None:
        self._inbox: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send(self, message: str) -> None:
        self.sent.put_nowait(json.loads(message))

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while (message := await self._inbox.get()) is not None:
            yield message

    def say(self, message: Any) -> None:
        self._inbox.put_nowait(message if isinstance(message, bytes) else json.dumps(message))

    def drop(self) -> None:
        self._inbox.put_nowait(None)

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            return await self.sent.get()


class Endpoints:
    """Endpoints that do what a test needs of them."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()

    def namespace(self) -> Namespace:
        calls = {"echo": self.echo, "void": self.void, "fail": self.fail, "bug": self.bug}
        return Namespace(calls=calls, channels={"count": self.count, "wait": self.wait})

    async def echo(self, request: Request) -> Any:
        return {"text": request.text("text"), "client": request.client}

    async def void(self, _: Request) -> None:
        return None

    async def fail(self, _: Request) -> None:
        raise model_unloaded()

    async def bug(self, _: Request) -> None:
        raise ZeroDivisionError("secret")

    async def count(self, request: Request, channel: Channel) -> None:
        for number in range(request.get("to")):
            channel.post({"type": "number", "number": number})
        if request.get("fail"):
            raise InvalidRequest("enough")

    async def wait(self, _: Request, channel: Channel) -> None:
        channel.post({"type": "waiting"})
        try:
            await channel.until_canceled(asyncio.sleep(1000))
        except CanceledError:
            channel.post({"type": "success"})
        finally:
            self.stopped.set()


class Peer:
    """A session that was admitted, and its socket."""

    def __init__(self) -> None:
        self.endpoints = Endpoints()
        self.socket = ScriptedSocket()
        self._session = Session(self.endpoints.namespace(), cast("Services", None))

    async def start(self) -> asyncio.Task[None]:
        self.socket.say(HELLO)
        name = await self._session.shake_hands(self.socket, admits=lambda *_: True)
        assert name == "abcdefgh"
        assert await self.socket.hear() == {"success": True}
        return asyncio.create_task(self._session.run(self.socket))

    def call(self, endpoint: str, parameter: Any = None) -> None:
        message = {"type": "rpcCall", "endpoint": endpoint, "callId": 1}
        self.socket.say({**message, "parameter": parameter})

    def create(self, endpoint: str, parameter: Any = None) -> None:
        message = {"type": "channelCreate", "endpoint": endpoint, "channelId": 1}
        self.socket.say({**message, "creationParameter": parameter})

    def packet(self, message: Any) -> None:
        self.socket.say({"type": "channelSend", "channelId": 1, "message": message})


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    running = await peer.start()
    yield peer
    peer.socket.drop()
    await running


@pytest.mark.parametrize("hello", [HELLO, {"type": "rpcCall"}, b"binary"])
async def test_who_is_not_admitted_hears_why_and_nothing_else(hello: Any) -> None:
    socket = ScriptedSocket()
    socket.say(hello)
    session = Session(Endpoints().namespace(), cast("Services", None))
    assert await session.shake_hands(socket, admits=lambda *_: False) is None
    answer = await socket.hear()
    assert answer["success"] is False
    assert isinstance(answer["error"], str)


async def test_a_call_is_answered_with_its_result(peer: Peer) -> None:
    peer.call("echo", {"text": "hi"})
    result = {"text": "hi", "client": "abcdefgh"}
    assert await peer.socket.hear() == {"type": "rpcResult", "callId": 1, "result": result}
    peer.call("void")
    assert await peer.socket.hear() == {"type": "rpcResult", "callId": 1}


@pytest.mark.parametrize("parameter", [None, [], {"text": 7}, {}])
async def test_a_wrong_parameter_is_an_error_and_no_silence(peer: Peer, parameter: Any) -> None:
    peer.call("echo", parameter)
    assert (await peer.socket.hear())["type"] == "rpcError"


async def test_a_failure_has_its_code_and_a_bug_tells_nothing(peer: Peer) -> None:
    peer.call("fail")
    error = (await peer.socket.hear())["error"]
    assert error["displayData"]["code"] == "generic.specificModelUnloaded"
    peer.call("bug")
    error = (await peer.socket.hear())["error"]
    assert "ZeroDivisionError" in error["title"]
    assert "secret" not in str(error)


async def test_a_channel_gives_its_packets_in_order_and_closes(peer: Peer) -> None:
    peer.create("count", {"to": 3})
    heard = [await peer.socket.hear() for _ in range(4)]
    assert [one["message"]["number"] for one in heard[:3]] == [0, 1, 2]
    assert heard[3] == {"type": "channelClose", "channelId": 1}


async def test_a_failing_channel_ends_with_its_error_and_without_a_close(peer: Peer) -> None:
    peer.create("count", {"to": 1, "fail": True})
    heard = [await peer.socket.hear() for _ in range(2)]
    assert [one["type"] for one in heard] == ["channelSend", "channelError"]
    peer.call("void")
    assert (await peer.socket.hear())["type"] == "rpcResult"


async def test_a_cancel_stops_the_work_of_its_channel(peer: Peer) -> None:
    peer.create("wait")
    await peer.socket.hear()
    peer.packet({"type": "cancel"})
    assert (await peer.socket.hear())["message"] == {"type": "success"}
    assert (await peer.socket.hear())["type"] == "channelClose"


async def test_an_unknown_packet_or_frame_gets_one_warning(peer: Peer) -> None:
    peer.create("wait")
    await peer.socket.hear()
    peer.packet({"type": "dance"})
    assert (await peer.socket.hear())["type"] == "communicationWarning"
    peer.socket.say(b"binary")
    assert (await peer.socket.hear())["type"] == "communicationWarning"
    peer.call("fly")
    assert "fly" in (await peer.socket.hear())["warning"]
    assert peer.socket.sent.empty()


async def test_a_socket_that_drops_stops_its_work() -> None:
    peer = Peer()
    running = await peer.start()
    peer.create("wait")
    await peer.socket.hear()
    peer.socket.drop()
    await running
    assert peer.endpoints.stopped.is_set()
    assert peer.socket.sent.empty()
