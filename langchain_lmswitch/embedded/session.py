"""One socket: admits the client, runs what it asks for, and stops all of it when it goes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Protocol

from langchain_lmswitch.embedded.channel import Channel
from langchain_lmswitch.embedded.endpoints.table import Call, Namespace, Stream
from langchain_lmswitch.embedded.protocol import events
from langchain_lmswitch.embedded.protocol.connection import Connection, rejection, warning
from langchain_lmswitch.embedded.protocol.failures import WireError, to_wire
from langchain_lmswitch.embedded.services import Request, Services
from langchain_lmswitch.errors import LMSwitchError

_log = logging.getLogger(__name__)


class Socket(Protocol):
    """The part of a websocket that a session uses."""

    async def send(self, message: str) -> None:
        """Send a text frame."""

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Iterate over the frames until the peer has gone."""


class Session:
    """The work of one socket.

    Frames leave in the order they were posted, through one task; so an endpoint posts without
    waiting, from a progress callback too.
    """

    def __init__(self, namespace: Namespace, services: Services) -> None:
        self._namespace = namespace
        self._services = services
        self._connection = Connection()
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._channels: dict[int, Channel] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = ""
        self.onlooker: bool = False
        """Whether the client only looks, so that the host need not stay for it."""

    async def shake_hands(
        self, socket: Socket, *, admits: Callable[[str, str], bool]
    ) -> str | None:
        """Read the authentication packet; return the client's identity if it is admitted."""
        async for text in socket:
            (event,) = self._connection.receive(text if isinstance(text, str) else "")
            match event:
                case events.Presented(identifier=name, passkey=passkey) if admits(name, passkey):
                    self._client = name
                    self.onlooker = event.onlooker
                    await socket.send(self._connection.accept())
                    return name
                case events.Broken(frame=frame):
                    await socket.send(frame)
                case _:
                    await socket.send(rejection("The token is not the one of this host."))
            break
        return None

    async def run(self, socket: Socket) -> None:
        """Serve until the client goes; then stop whatever is still under way for it."""
        self._spawn(self._write(socket))
        try:
            async for text in socket:
                if isinstance(text, str):
                    for event in self._connection.receive(text):
                        self._act(event)
                else:
                    self._post(warning("Binary messages mean nothing here."))
        finally:
            await self._stop()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _write(self, socket: Socket) -> None:
        while True:
            await socket.send(await self._outbox.get())

    def _act(self, event: events.Event) -> None:
        match event:
            case events.Called():
                self._call(event)
            case events.Opened():
                self._open(event)
            case events.Received(channel_id=channel_id, message={"type": "cancel"}):
                self._channels[channel_id].canceled.set()
            case events.Received(channel_id=channel_id):
                self._post(warning(f"Unknown packet on channel {channel_id}."))
            case events.Reply(frame=frame):
                self._post(frame)
            case events.Presented() | events.Broken():
                raise AssertionError("a connection shakes hands once")

    def _call(self, event: events.Called) -> None:
        if (endpoint := self._namespace.calls.get(event.endpoint)) is None:
            self._post(self._connection.unknown_call(event.call_id, event.endpoint))
            return
        self._spawn(self._answer(event, endpoint))

    def _open(self, event: events.Opened) -> None:
        channel_id = event.channel_id
        if (endpoint := self._namespace.channels.get(event.endpoint)) is None:
            self._post(self._connection.unknown_channel(channel_id, event.endpoint))
            return
        channel = Channel(lambda packet: self._post(self._connection.packet(channel_id, packet)))
        self._channels[channel_id] = channel
        self._spawn(self._stream(event, endpoint, channel))

    async def _answer(self, event: events.Called, endpoint: Call) -> None:
        try:
            result = await endpoint(self._request(event.parameter))
        except Exception as error:  # noqa: BLE001 - whatever it is, the client waits for an answer
            _note(event.endpoint, error)
            self._post(self._connection.call_error(event.call_id, to_wire(error)))
        else:
            self._post(self._connection.result(event.call_id, result))

    async def _stream(self, event: events.Opened, endpoint: Stream, channel: Channel) -> None:
        try:
            await endpoint(self._request(event.parameter), channel)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client waits for an answer
            _note(event.endpoint, error)
            self._post(self._connection.channel_error(event.channel_id, to_wire(error)))
        else:
            self._post(self._connection.close(event.channel_id))
        finally:
            del self._channels[event.channel_id]

    def _request(self, parameter: Any) -> Request:
        return Request(services=self._services, client=self._client, parameter=parameter)

    def _post(self, frame: str) -> None:
        self._outbox.put_nowait(frame)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.debug("A task of a socket ended: %r", error)


def _note(endpoint: str, error: Exception) -> None:
    """Log a failure: ours in a word, a bug of this host with its traceback."""
    match error:
        case WireError() | LMSwitchError():
            _log.debug("%s failed: %s", endpoint, error)
        case _:
            _log.error("%s failed by a fault of this host", endpoint, exc_info=error)
