"""One connection to a host, held by one task.

The SDK's client must be entered and left by the same task, cannot be entered twice and does not
notice when its sockets have died. So a link is made for one connection and thrown away with it.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from contextvars import Context
from typing import Any, Final

from langchain_lmswitch.errors import HostLost, LMSwitchError
from langchain_lmswitch.hosts.lmstudio.client import Client
from langchain_lmswitch.hosts.lmstudio.failures import Call, translate_connecting

_CLOSE_S: Final = 5.0
"""Longest wait for the sockets of a host that is frozen to close."""


_owners: Final[set[asyncio.Task[None]]] = set()
"""An event loop holds its tasks only weakly."""


class Link:
    """A client of the SDK that connects at once, on the running loop."""

    def __init__(self, address: str, *, auth: Mapping[str, Any], within_s: float) -> None:
        self._address = address
        self._auth = auth
        self._within_s = within_s
        self._loop = asyncio.get_running_loop()
        self._settled = asyncio.Event()
        self._leave = asyncio.Event()
        self._client: Client | None = None
        self._failure: LMSwitchError | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self.answering: set[str] = set()
        """Endpoints that have answered."""
        self.silent: set[str] = set()
        """Endpoints that this host turned out not to know."""
        self.uploads: dict[str, Mapping[str, Any]] = {}
        """Images the host has for us, by digest; it forgets them with the connection."""
        # In an empty context: a caller's context variables must not live as long as a connection.
        self._owner = self._loop.create_task(self._own(), context=Context())
        _owners.add(self._owner)
        self._owner.add_done_callback(_owners.discard)

    @property
    def usable(self) -> bool:
        """Whether it is, or may soon be, connected, for a caller on the running loop."""
        return not self._leave.is_set() and self._loop is asyncio.get_running_loop()

    async def client(self) -> Client:
        """Give the connected client.

        Raises:
            HostLost: Nothing answers, or the link has been dropped.
            HostRejected: The host refused the credentials.
            HostTimeout: It did not answer within the deadline.
        """
        await self._settled.wait()
        if self._failure is not None:
            raise self._failure
        if self._client is None or self._leave.is_set():
            raise HostLost(self._address, reason="the connection was closed")
        return self._client

    def drop(self) -> None:
        """Give up the connection; every open call on it fails with `HostLost`."""
        self._leave.set()

    async def aclose(self) -> None:
        """Let what is being cancelled finish, then close the connection."""
        if self._loop is not asyncio.get_running_loop():
            return
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE_S)
        self.drop()
        await asyncio.wait({self._owner})

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something that must come to its end even if its caller is cancelled."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Unread, it would be logged by asyncio, with whatever it quotes.
            task.exception()

    async def _own(self) -> None:
        client = Client(self._address, auth=self._auth)
        try:
            await self._connect(client)
            await self._leave.wait()
        finally:
            self._leave.set()
            self._settled.set()
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_CLOSE_S):
                    await client.aclose()

    async def _connect(self, client: Client) -> None:
        call = Call(address=self._address, doing="connecting", within_s=self._within_s)
        try:
            async with asyncio.timeout(self._within_s):
                await client.__aenter__()
        except Exception as error:  # noqa: BLE001 - the SDK lets httpx's and its own bugs through
            self._failure = translate_connecting(error, call)
            self._leave.set()
        else:
            self._client = client
        self._settled.set()
