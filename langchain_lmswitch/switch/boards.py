"""The process's switchboards: one per host, whoever asks."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.errors import HostLost
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.hosts.finding import find_host
from langchain_lmswitch.ledger.base import Ledger
from langchain_lmswitch.ledger.sqlite import SqliteLedger
from langchain_lmswitch.machine.lists import SharedList
from langchain_lmswitch.machine.monitor import Monitor, SystemMonitor
from langchain_lmswitch.machine.neighbors import Neighbors, meeting_place
from langchain_lmswitch.machine.scales import Scales
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.flights import Flights
from langchain_lmswitch.switch.pinning import pinned
from langchain_lmswitch.switch.portal import Portal, portal

if TYPE_CHECKING:
    from pathlib import Path

OpenBoard = Callable[[], Awaitable[Switchboard]]
"""Gives the switchboard to use; called for every step."""

_MOST_LOADED: Final = 64
"""Loads by hand that are remembered: more are not in memory at the same time."""


class Boards:
    """Finds hosts and keeps one switchboard for each; confined to the portal's loop.

    Two chat models that reach one host must share its leases, or one would unload what the other
    is using. The settings of the first one that asks are those of the host and its board.
    """

    def __init__(self) -> None:
        self._searches: Flights[Switchboard] = Flights()
        self._found: dict[Settings, Switchboard] = {}
        self._by_address: dict[str, Switchboard] = {}
        self._forgotten: list[Switchboard] = []
        self._ledgers: dict[Path, Ledger] = {}

    async def of(
        self,
        host: Host | None,
        monitor: Monitor | None,
        settings: Settings,
        *,
        ledger: Ledger | None = None,
    ) -> Switchboard:
        """Give the switchboard of `host`, or of the one that `settings` lead to.

        Raises:
            HostNotFound: None is given, none answers and none can be started.
        """
        if host is None:
            return await self.find(settings)
        return self.given(host, monitor, settings, ledger=ledger)

    async def find(self, settings: Settings) -> Switchboard:
        """Give the switchboard of the host that `settings` lead to.

        Raises:
            HostNotFound: No host answers and none can be started.
        """
        if settings not in self._found:
            self._found[settings] = await self._searches.join(
                settings, lambda _: self._search(settings), listener=lambda _: None
            )
        return self._found[settings]

    def given(
        self,
        host: Host,
        monitor: Monitor | None,
        settings: Settings,
        *,
        ledger: Ledger | None = None,
    ) -> Switchboard:
        """Give the switchboard of a host object that the caller made.

        Nothing is written to disk for it, unless the caller brings a ledger that does.
        """
        board = self._by_address.get(host.address)
        if board is None or board.host is not host:
            board = Switchboard(host, monitor or SystemMonitor(), settings, ledger=ledger)
            self._by_address[host.address] = board
        return board

    def all(self) -> tuple[Switchboard, ...]:
        """List the switchboards in use."""
        return tuple(self._by_address.values())

    def ledger(self, settings: Settings) -> Ledger:
        """Give the ledger that these settings name; the same one to all."""
        path = settings.ledger_path
        if path not in self._ledgers:
            self._ledgers[path] = SqliteLedger(path)
        return self._ledgers[path]

    def forget(self, board: Switchboard) -> None:
        """Look for the host anew at the next request: this one does not answer any more."""
        if self._by_address.get(board.host.address) is board:  # others may have found it anew
            del self._by_address[board.host.address]
        for settings in [key for key, found in self._found.items() if found is board]:
            del self._found[settings]
        if board not in self._forgotten:
            self._forgotten.append(board)
        self._part()

    def lost(self, board: Switchboard) -> None:
        """Note that a connection broke: a host that was found may be somewhere else by now.

        One that the caller made stays; it may come back, and its leases are those of others.
        """
        if board in self._found.values():
            self.forget(board)

    def release(self, call: str) -> None:
        """End the leases of a call, wherever they are; safe to repeat."""
        for board in (*self._by_address.values(), *self._forgotten):
            board.release(call)
        self._part()

    async def aclose(self) -> None:
        """Leave all hosts: this process ends."""
        boards = tuple(self._by_address.values())
        await asyncio.gather(*(board.leave() for board in boards), return_exceptions=True)
        for ledger in self._ledgers.values():
            await asyncio.to_thread(ledger.close)

    def _part(self) -> None:
        """Let go of forgotten boards once nobody uses them: what they say they use, stays."""
        for board in [one for one in self._forgotten if not one.busy]:
            board.part()
            self._forgotten.remove(board)

    async def _search(self, settings: Settings) -> Switchboard:
        host = await find_host(settings)
        board = self._by_address.get(host.address)
        if board is None:
            board = self._by_address[host.address] = self._made(host, settings)
        return board

    def _made(self, host: Host, settings: Settings) -> Switchboard:
        monitor = SystemMonitor()
        local = host.scope == "local"
        return Switchboard(
            host,
            monitor,
            settings,
            ledger=self.ledger(settings) if settings.remember else None,
            neighbors=Neighbors(meeting_place(settings.run_home, host.address)),
            pinned=pinned(settings, host.address),
            loaded_by_hand=SharedList(settings.loaded_by_hand_path, most=_MOST_LOADED),
            scales=Scales(int(host.address.rpartition(":")[2]), monitor) if local else None,
        )


@asynccontextmanager
async def watched(open_board: OpenBoard) -> AsyncGenerator[Switchboard, None]:
    """Give a board to work with; if its connection breaks, the next one looks for the host anew."""
    board = await open_board()
    try:
        yield board
    except HostLost:
        boards().lost(board)
        raise


_boards: dict[Portal, Boards] = {}


def boards() -> Boards:
    """Give the boards of this process's portal; a fork has its own."""
    here = portal()
    if here not in _boards:
        _boards.clear()
        _boards[here] = Boards()
        here.closers.append(_boards[here].aclose)
    return _boards[here]
