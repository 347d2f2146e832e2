"""The switchboard: the one place that loads, unloads and hands out models of a host."""

import time
from collections.abc import Callable
from dataclasses import replace

from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.ledger.base import Ledger
from langchain_lmswitch.ledger.memory import MemoryLedger
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.changes import Changes
from langchain_lmswitch.switch.flights import Flights
from langchain_lmswitch.switch.leases import Held, Leases
from langchain_lmswitch.switch.loader import OnEvent
from langchain_lmswitch.switch.loads import Loads, Wish
from langchain_lmswitch.switch.surveyor import Surveyor
from langchain_lmswitch.switch.threads import Threads
from langchain_lmswitch.switch.waiting import Queue
from langchain_lmswitch.types.events import Queued
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.plans import Use

__all__ = ["Held", "Switchboard"]


class Switchboard:
    """Leases, loads and evictions of one host.

    Confined to the portal's loop: there are no locks but the one that makes loads take turns.
    """

    def __init__(
        self,
        host: Host,
        monitor: Monitor,
        settings: Settings,
        *,
        ledger: Ledger | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.host = host
        self.ledger: Ledger = ledger or MemoryLedger()
        self.settings = settings
        self._clock = clock
        self.threads = Threads()
        self._leases = Leases()
        self._changes = Changes()
        self.surveyor = Surveyor(
            host,
            monitor,
            settings,
            leased=self._leases.held,
            loading=lambda: self._loads.coming,
            clock=clock,
        )
        self._loads = Loads(self.surveyor, self._leases, self._changes, clock=clock)
        self._queue = Queue(settings.queue_limit)
        self._flights: Flights[Held] = Flights()
        self._joining: dict[str, set[str]] = {}

    async def acquire(
        self, card: ModelCard, *, call: str, needed_tokens: int, on_event: OnEvent
    ) -> Held:
        """Get a loaded instance of `card` and lease it to `call`.

        1. A resident one is leased at once.
        2. Who has to wait takes a place in the queue, and has it until the end.
        3. A load under way is joined; else one is started, when its turn comes. It leases to
           all who joined before the next load gets its turn, which might evict it unused.
        4. What was found may be closed for a load that was passed too often, or be on its way
           out, and then cannot be leased: from the start, when that is over.

        The lease lasts until `release(call)`.

        Raises:
            NotEnoughMemory: It does not fit, and nobody is about to make room.
            LoadFailed: The host could not load it, or could not for memory a while ago.
            QueueFull: Too many wait already.
        """
        resident = await self._find(card, needed_tokens)
        if resident and self.lease(resident, call):  # 1
            return Held(resident=resident)
        wish = Wish(card=card, needed_tokens=needed_tokens, tell=on_event)
        with self._queue.place():  # 2
            return await self._wait(wish, call, resident)

    def lease(self, resident: Resident, call: str) -> bool:
        """Lease an instance that was seen a moment ago.

        1. One that this call has already stays with it.
        2. `False` if it is closed for a load that was passed too often; see `Turns`.
        3. `False` if it is on its way out.
        """
        identifier = resident.identifier
        if self._leases.holds(identifier, call):  # 1
            return True
        if self._loads.turns.closed(identifier):  # 2
            return False
        if taken := self._leases.take(identifier, call):  # 3
            self._loads.turns.note_lease(identifier)
        return taken

    def release(self, call: str) -> None:
        """End the leases of a call; safe to repeat."""
        if self._leases.release(call):
            self._changes.tell()

    @property
    def busy(self) -> bool:
        """Whether any request of ours is using any instance now."""
        return self._leases.any_held

    def leased(self, identifier: str) -> bool:
        """Tell whether a request of ours is using an instance now."""
        return self._leases.held(identifier)

    async def unload(self, identifier: str) -> None:
        """Unload an instance, once no request of ours is using it.

        Raises:
            UnknownModel: Nothing is loaded under this identifier.
        """
        while not self._leases.start_leaving({identifier}):
            await self._changes.next()
        try:
            await self.host.unload(identifier)
        finally:
            self.surveyor.forget()
            self._leases.stop_leaving({identifier})
            self._changes.tell()

    async def aclose(self) -> None:
        """Drop the connection to the host; loaded models stay."""
        await self.host.aclose()

    async def _wait(self, wish: Wish, call: str, resident: Resident | None) -> Held:
        started_s = self._clock()
        while True:
            waited_s = self._clock() - started_s
            if resident is None:
                held = await self._join(wish, call)  # 3
                resident = held.resident
                if self.lease(resident, call):
                    return replace(held, queued_s=waited_s + held.queued_s)
            await self._until_open(resident, wish)  # 4
            resident = await self._find(wish.card, wish.needed_tokens)
            if resident and self.lease(resident, call):
                return Held(resident=resident, queued_s=self._clock() - started_s)

    async def _find(self, card: ModelCard, needed_tokens: int) -> Resident | None:
        """Look for an instance in memory; `None` if it is to be loaded.

        A listing during which one of ours was unloaded may be out of date, and is read again.

        Raises:
            LoadFailed: It would have to be loaded, and that failed for memory a while ago.
        """
        departures = -1
        while departures != self._leases.departures:
            departures = self._leases.departures
            survey = await self.surveyor.survey()
        plan = self.surveyor.plan(card, None, survey, needed_tokens=needed_tokens)
        if isinstance(plan, Use):
            return plan.resident
        self._loads.quarantines.check(self.surveyor.spec(card))
        return None

    async def _join(self, wish: Wish, call: str) -> Held:
        key = wish.card.key
        joining = self._joining.setdefault(key, set())
        joining.add(call)
        try:
            return await self._flights.join(
                key, lambda tell: self._load(replace(wish, tell=tell)), listener=wish.tell
            )
        except BaseException:
            self.release(call)  # it may be leased already, just before its caller was cancelled
            raise
        finally:
            joining.discard(call)

    async def _load(self, wish: Wish) -> Held:
        async with self._loads.made(wish) as held:
            for call in self._joining[wish.card.key]:
                self._leases.take(held.resident.identifier, call)
        return held

    async def _until_open(self, resident: Resident, wish: Wish) -> None:
        if self._loads.turns.claimed(resident.identifier):
            wish.tell(Queued(key=resident.key, reason="another model takes its place first"))
            await self._loads.turns.over()
        else:
            await self._changes.next()
