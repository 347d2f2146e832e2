"""Models that leave because somebody says so, or because this process ends."""

import logging
from collections.abc import Callable
from contextlib import suppress

from langchain_lmswitch.errors import LMSwitchError
from langchain_lmswitch.machine.lists import SharedList
from langchain_lmswitch.machine.neighbors import Neighbors, TurnTimeout
from langchain_lmswitch.switch.changes import Changes
from langchain_lmswitch.switch.leases import Leases
from langchain_lmswitch.switch.sharing import turn_of_ours
from langchain_lmswitch.switch.surveyor import OURS, Surveyor
from langchain_lmswitch.types.models import Resident

log: logging.Logger = logging.getLogger(__name__)

_LAST_TURN_S = 0.5
"""A process that ends does not wait long for another one's load."""


class Departures:
    """Unloads instances that no request of ours uses; confined to the portal's loop.

    Args:
        moved: Is told before anything is unloaded.
        loaded_by_hand: References of the loads that the user made by hand.
        left: Is told what was unloaded.
    """

    def __init__(
        self,
        surveyor: Surveyor,
        leases: Leases,
        changes: Changes,
        neighbors: Neighbors,
        *,
        moved: Callable[[], None],
        loaded_by_hand: SharedList,
        left: Callable[[str], None],
    ) -> None:
        self._host = surveyor.host
        self._surveyor = surveyor
        self._leases = leases
        self._changes = changes
        self._neighbors = neighbors
        self._moved = moved
        self._loaded_by_hand = loaded_by_hand
        self._left = left

    async def unload(self, identifier: str) -> None:
        """Unload an instance, once no request of ours uses it, in any process.

        A user may hold it for as long as they like: nobody's load waits for that meanwhile.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
            HostTimeout: Another process has been loading all the time.
        """
        while True:
            while self._in_use(identifier):
                await self._changes.next()
            async with turn_of_ours(self._neighbors, self._surveyor):
                if self._mark(identifier):
                    await self._unload(identifier)
                    return

    async def unload_now(self, identifier: str) -> None:
        """Unload an instance, though another process is using it: its answer breaks off.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
            HostTimeout: Another process has been loading all the time.
        """
        async with turn_of_ours(self._neighbors, self._surveyor):
            self._mark(identifier)
            await self._unload(identifier)

    def keep(self, resident: Resident) -> None:
        """Leave an instance in memory for its time, though processes end that have used it."""
        try:
            self._loaded_by_hand.add(_reference(resident))
        except OSError as error:
            log.warning(
                "The last process of yours that uses %s will unload it as it ends: %s. "
                "See that it can be written, or set LMSWITCH_HOME.",
                resident.identifier,
                error,
            )

    def used_elsewhere(self, identifier: str) -> bool:
        """Tell whether another process of ours is using an instance, or holds it."""
        return self._neighbors.used(identifier) or self._neighbors.held(identifier)

    async def leave(self) -> None:
        """Unload what is ours as this process ends.

        1. What somebody else loaded stays, and what is in use by anybody outside.
        2. What this process has neither loaded nor used stays: it is another one's.
        3. While another process of ours uses the host, all stays: the last one unloads.
        4. What the user loaded or pinned for more than one process stays.
        """
        if not self._surveyor.settings.unload_at_exit:
            return
        with suppress(LMSwitchError, TurnTimeout):
            async with self._neighbors.turn(within_s=_LAST_TURN_S):
                if self._neighbors.alone:  # 3
                    await self._unload_ours()

    def _mark(self, identifier: str) -> bool:
        return self._neighbors.close([identifier]) and self._leases.start_leaving({identifier})

    async def _unload(self, identifier: str) -> None:
        self._moved()
        try:
            await self._host.unload(identifier)
            self._left(identifier)
        finally:
            self._surveyor.forget()
            self._leases.stop_leaving({identifier})
            self._changes.tell()

    def _in_use(self, identifier: str) -> bool:
        return self.used_elsewhere(identifier) or self._leases.held(identifier)

    def _stays(self, resident: Resident) -> bool:
        by_hand = _reference(resident) in self._loaded_by_hand.names
        return by_hand or self._surveyor.pins.lasting(resident.key)

    async def _unload_ours(self) -> None:
        for resident in await self._host.residents():
            identifier = resident.identifier
            if not identifier.startswith(OURS) or identifier not in self._leases.ever:  # 1, 2
                continue
            if self._stays(resident):  # 4
                continue
            state = None
            if not self._leases.held(identifier):  # else it is this process that is using it
                state = await self._host.state(identifier)
            if state is None or state.idle:  # 1
                await self._host.unload(identifier)


def _reference(resident: Resident) -> str:
    """Name this very load; a host that does not is given the benefit of the doubt."""
    return resident.reference or resident.identifier
