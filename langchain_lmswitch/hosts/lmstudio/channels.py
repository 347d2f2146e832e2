"""One stream of packets, which is never left without telling the server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

from langchain_lmswitch.hosts.lmstudio.client import AsyncChannel
from langchain_lmswitch.hosts.lmstudio.failures import Call, cause, read_report, translate
from langchain_lmswitch.hosts.lmstudio.link import Link
from langchain_lmswitch.hosts.lmstudio.packets import TERMINAL

LEAVE_S: Final = 5.0
"""Longest wait for the last packet of a channel that was cancelled."""

JsonObject = Mapping[str, Any]
Undo = Callable[[JsonObject], Awaitable[None]]


class Channel:
    """A channel, open while it is entered.

    Leaving before the last packet sends the server a cancel and reads on until it has stopped:
    the SDK does neither, and logs what then comes, with its text. Opening and leaving run to
    their end even if the caller is cancelled in the middle.
    """

    def __init__(
        self,
        link: Link,
        call: Call,
        *,
        endpoint: tuple[str, str],
        params: JsonObject,
        undo: Undo | None = None,
    ) -> None:
        self._link = link
        self._call = call
        self._endpoint = endpoint
        self._params = params
        self._undo = undo
        """Takes back what was done all the same after a cancel, given the last packet."""
        self._stack = contextlib.AsyncExitStack()
        self._opening: asyncio.Task[AsyncChannel[None]] | None = None
        self._stream: AsyncIterator[Any] | None = None
        self._ended = False

    async def __aenter__(self) -> Self:
        self._opening = self._link.spawn(self._open())
        try:
            async with asyncio.timeout(self._call.within_s):
                await asyncio.shield(self._opening)
        except BaseException as error:
            await self._leave_safely()
            if isinstance(error, Exception):
                raise translate(error, self._call) from cause(error)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._leave_safely()

    async def packet(self) -> JsonObject | None:
        """Wait for the next packet; `None` after the last.

        Raises:
            HostLost: The connection broke.
            HostTimeout: No packet came within the call's deadline.
            HostFailed: The host ended the channel with an error; or another error it names.
        """
        if self._ended:
            return None
        try:
            async with asyncio.timeout(self._call.within_s):
                packet = await self._next()
        except Exception as error:  # noqa: BLE001 - the SDK lets others' errors through
            # After a timeout the server is still at work.
            self._ended = not isinstance(error, TimeoutError)
            raise translate(error, self._call) from cause(error)
        if packet is not None and packet.get("type") == "error":
            raise read_report(_error_of(packet), self._call)
        return packet

    async def _open(self) -> AsyncChannel[None]:
        client = await self._link.client()
        namespace, name = self._endpoint
        return await self._stack.enter_async_context(client.channel(namespace, name, self._params))

    async def _next(self) -> JsonObject | None:
        if self._stream is None:
            if self._opening is None:
                return None
            self._stream = (await self._opening).rx_stream()
        packet: JsonObject | None = await anext(self._stream, None)
        self._ended = packet is None or packet.get("type") in TERMINAL
        return packet

    async def _leave_safely(self) -> None:
        await asyncio.shield(self._link.spawn(self._leave()))

    async def _leave(self) -> None:
        last: JsonObject | None = None
        # Whatever goes wrong here, the error that made us leave is the one to tell.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(LEAVE_S):
                last = await self._stop()
        with contextlib.suppress(Exception):
            await self._stack.aclose()
            if last is not None and self._undo is not None:
                await self._undo(last)

    async def _stop(self) -> JsonObject | None:
        if self._ended or self._opening is None:
            return None
        channel = await self._opening
        # A read that was cancelled has ended the old stream; what came since waits in its queue.
        self._stream = channel.rx_stream()
        await channel.cancel()
        packet: JsonObject | None = {}
        while packet is not None and not self._ended:
            packet = await self._next()
        return packet


def _error_of(packet: JsonObject) -> JsonObject:
    error = packet.get("error")
    return error if isinstance(error, Mapping) else {"title": str(error)}
