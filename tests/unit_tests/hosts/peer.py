"""A scripted model server that speaks LM Studio's wire protocol over real sockets."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Json = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - part of a script, not a failure
    """Makes the peer answer a call with this error report."""

    def __init__(self, **report: Any) -> None:
        self.report = report


class Silence(Exception):  # noqa: N818 - part of a script, not a failure
    """Makes the peer answer a call with a `communicationWarning` only, as LM Studio does."""


@dataclass
class PeerChannel:
    """The peer's end of one channel."""

    socket: ServerConnection
    number: int
    params: Json
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, **packet: Any) -> None:
        await self._frame(type="channelSend", message=packet)

    async def say(self, text: str, **more: Any) -> None:
        fragment = {"content": text, "tokensCount": 1, "reasoningType": "none", **more}
        await self.send(type="fragment", fragment=fragment)

    async def finish(self, stop_reason: str, **stats: Any) -> None:
        await self.send(type="success", stats={"stopReason": stop_reason, **stats})
        await self._frame(type="channelClose")

    async def fail(self, **report: Any) -> None:
        await self._frame(type="channelError", error=report)

    async def close(self) -> None:
        await self._frame(type="channelClose")

    async def _frame(self, **frame: Any) -> None:
        await self.socket.send(json.dumps({**frame, "channelId": self.number}))


Script = Callable[[PeerChannel], Awaitable[None]]


@dataclass
class Peer:
    """Answers by script: `calls` by endpoint name, `channels` by endpoint name."""

    calls: dict[str, Any] = field(default_factory=dict)
    """Results, exceptions of this module, or functions of the parameters giving either."""
    channels: dict[str, Script] = field(default_factory=dict)
    refuse: Any = None
    """What to answer every handshake with; `None` admits all."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    frozen: bool = False
    """Reads nothing more and answers nothing more."""
    handshakes: list[Json] = field(default_factory=list)
    received: list[Json] = field(default_factory=list)
    sockets: set[ServerConnection] = field(default_factory=set)
    port: int = 0
    scripts: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def asked(self, endpoint: str) -> list[Any]:
        """The parameters of every call of an endpoint so far."""
        return [
            one.get("parameter", one.get("creationParameter"))
            for one in self.received
            if one.get("endpoint") == endpoint
        ]

    def cancels(self) -> int:
        return sum(one.get("message") == {"type": "cancel"} for one in self.received)

    async def drop(self) -> None:
        """Break every connection."""
        await asyncio.gather(*(socket.close() for socket in tuple(self.sockets)))

    async def handle(self, socket: ServerConnection) -> None:
        self.handshakes.append(json.loads(await socket.recv()))
        if self.refuse is not None:
            await socket.send(json.dumps({"success": False, "error": self.refuse}))
            return
        await socket.send(json.dumps({"success": True}))
        self.sockets.add(socket)
        try:
            await self._serve(socket)
        except ConnectionClosed:
            pass
        finally:
            self.sockets.discard(socket)

    async def _serve(self, socket: ServerConnection) -> None:
        open_channels: dict[int, PeerChannel] = {}
        async for text in socket:
            if self.frozen:
                await self.over.wait()
                return
            frame = json.loads(text)
            self.received.append(frame)
            match frame:
                case {"type": "rpcCall"}:
                    await self._answer(socket, frame)
                case {"type": "channelCreate", "endpoint": endpoint, "channelId": number}:
                    channel = PeerChannel(socket, number, frame["creationParameter"])
                    open_channels[number] = channel
                    self._run(self.channels[endpoint](channel))
                case {"type": "channelSend", "channelId": number, "message": {"type": "cancel"}}:
                    open_channels[number].cancelled.set()
                case _:
                    raise AssertionError(frame)

    def _run(self, script: Awaitable[None]) -> None:
        async def run() -> None:
            with contextlib.suppress(ConnectionClosed):
                await script

        task = asyncio.create_task(run())
        self.scripts.add(task)

    async def _answer(self, socket: ServerConnection, frame: Json) -> None:
        answer: Json = {"type": "rpcResult", "callId": frame["callId"]}
        try:
            result = self.calls[frame["endpoint"]]
            if callable(result):
                result = result(frame.get("parameter"))
            if isinstance(result, Exception):
                raise result
            answer |= {} if result is None else {"result": result}
        except Refusal as refusal:
            answer = {"type": "rpcError", "callId": frame["callId"], "error": refusal.report}
        except (Silence, KeyError):
            warning = f"Unknown endpoint in {json.dumps(frame)}"
            answer = {"type": "communicationWarning", "warning": warning}
        await socket.send(json.dumps(answer))


def greet(connection: ServerConnection, request: Request) -> Response | None:
    """Answer the greeting, and let everything else become a websocket."""
    if request.path == "/lmstudio-greeting":
        return connection.respond(HTTPStatus.OK, '{"lmstudio":true}')
    return None


def info(key: str = "tiny", **more: Any) -> Mapping[str, Any]:
    """A model on disk, in the full shape that LM Studio sends."""
    return {
        "type": "llm",
        "modelKey": key,
        "format": "gguf",
        "displayName": key.title(),
        "publisher": "pub",
        "path": f"pub/{key}/{key}.gguf",
        "sizeBytes": 91_000_000,
        "indexedModelIdentifier": f"pub/{key}/{key}.gguf",
        "deviceIdentifier": None,
        "paramsString": "135M",
        "architecture": "llama",
        "quantization": {"name": "Q4_1", "bits": 4},
        "vision": False,
        "trainedForToolUse": True,
        "maxContextLength": 2048,
        **more,
    }


def loaded(key: str = "tiny", **more: Any) -> Mapping[str, Any]:
    """A loaded model, in the full shape that LM Studio sends."""
    return info(
        key,
        **{
            "identifier": key,
            "instanceReference": "xJZs==",
            "ttlMs": 60_000,
            "lastUsedTime": None,
            "contextLength": 2048,
            **more,
        },
    )
