"""The switchboard: the one place that loads, unloads and hands out models of a host."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from langchain_lmswitch.errors import NotEnoughMemory
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.flights import Flights
from langchain_lmswitch.switch.leases import Leases
from langchain_lmswitch.switch.loader import POLL_S, Loader, OnEvent
from langchain_lmswitch.switch.surveyor import Surveyor
from langchain_lmswitch.switch.threads import Threads
from langchain_lmswitch.types.events import (
    Queued,
)
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.plans import Load, Plan, Refusal, Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A leased instance and what it took to get it."""

    resident: Resident
    evicted: tuple[str, ...] = ()
    load_s: float = 0.0
    queued_s: float = 0.0


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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.host = host
        self.settings = settings
        self._clock = clock
        self.threads = Threads()
        self._leases = Leases()
        self._loader = Loader(host, settings, clock=clock)
        self._loading: Load | None = None
        self.surveyor = Surveyor(
            host,
            monitor,
            settings,
            leased=self._leases.held,
            loading=lambda: self._loading,
            clock=clock,
        )
        self._flights: Flights[Held] = Flights()
        self._joining: dict[str, set[str]] = {}
        self._departures = 0
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    async def acquire(
        self, card: ModelCard, *, call: str, needed_tokens: int, on_event: OnEvent
    ) -> Held:
        """Get a loaded instance of `card` and lease it to `call`.

        1. A resident one is leased at once; a listing during which one of ours was unloaded
           may be out of date, and is read again.
        2. A load under way is joined; else one is started, when its turn comes. It leases to
           all who joined before the next load gets its turn, which might evict it unused.
        3. What was found may be on its way out, and then cannot be leased: from the start.

        The lease lasts until `release(call)`.

        Raises:
            NotEnoughMemory: It does not fit, and nobody is about to make room.
            LoadFailed: The host could not load it.
        """
        while True:
            departures = self._departures
            survey = await self.surveyor.survey()
            if departures != self._departures:  # 1
                continue
            plan = self.surveyor.plan(card, None, survey, needed_tokens=needed_tokens)
            if isinstance(plan, Use):
                held = Held(resident=plan.resident)
            else:
                held = await self._join(card, call, needed_tokens, on_event)  # 2
            if self.lease(held.resident, call):  # 3
                return held
            await self._next_change()

    def lease(self, resident: Resident, call: str) -> bool:
        """Lease an instance that was seen a moment ago; `False` if it is on its way out."""
        return self._leases.take(resident.identifier, call)

    def release(self, call: str) -> None:
        """End the leases of a call; safe to repeat."""
        if self._leases.release(call):
            self._tell_changed()

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
            await self._next_change()
        try:
            await self.host.unload(identifier)
        finally:
            self._departures += 1
            self.surveyor.forget()
            self._leases.stop_leaving({identifier})
            self._tell_changed()

    async def aclose(self) -> None:
        """Drop the connection to the host; loaded models stay."""
        await self.host.aclose()

    async def _join(
        self, card: ModelCard, call: str, needed_tokens: int, on_event: OnEvent
    ) -> Held:
        joining = self._joining.setdefault(card.key, set())
        joining.add(call)
        try:
            return await self._flights.join(
                card.key,
                lambda tell: self._take_turn(card, needed_tokens, tell),
                listener=on_event,
            )
        except BaseException:
            self.release(call)  # it may be leased already, just before its caller was cancelled
            raise
        finally:
            joining.discard(call)

    async def _take_turn(self, card: ModelCard, needed_tokens: int, tell: OnEvent) -> Held:
        started_s = self._clock()
        if self._turn.locked():
            tell(Queued(key=card.key, reason="another model is being loaded"))
        async with self._turn:
            plan = await self._wait_for_plan(card, needed_tokens, tell)
            queued_s = self._clock() - started_s
            match plan:
                case Use(resident=resident):
                    held = Held(resident=resident, queued_s=queued_s)
                case Load():
                    held = replace(await self._make_room_and_load(plan, tell), queued_s=queued_s)
            for call in self._joining[card.key]:
                self._leases.take(held.resident.identifier, call)
            return held

    async def _make_room_and_load(self, plan: Load, tell: OnEvent) -> Held:
        started_s = self._clock()
        evicted = {one.identifier for one in plan.evict}
        self._loading = plan
        try:
            loaded = await self._loader.carry_out(plan, tell)
            self.surveyor.learn(plan.spec, loaded)
        finally:
            self._loading = None
            self._departures += len(evicted)
            self.surveyor.forget()
            self._leases.stop_leaving(evicted)
            self._tell_changed()
        load_s = self._clock() - started_s
        return Held(resident=loaded, evicted=tuple(sorted(evicted)), load_s=load_s)

    async def _wait_for_plan(self, card: ModelCard, needed_tokens: int, tell: OnEvent) -> Plan:
        """Plan with fresh facts, and again whenever somebody makes room; victims are marked."""
        deadline_s = self._clock() + self.settings.load_timeout_s
        while True:
            footprint = await self.surveyor.footprint(card)
            survey = await self.surveyor.survey()
            plan = self.surveyor.plan(card, footprint, survey, needed_tokens=needed_tokens)
            match plan:
                case Use():
                    return plan
                case Load(evict=evict):
                    if self._leases.start_leaving({one.identifier for one in evict}):
                        return plan
                case Refusal():
                    self._raise_unless_room_may_come(plan, deadline_s)
                    tell(Queued(key=card.key, reason=f"{plan.reason}; waiting for an answer"))
                    await self._next_change()

    def _raise_unless_room_may_come(self, refusal: Refusal, deadline_s: float) -> None:
        answering = any(self._leases.held(blocker) for blocker in refusal.blockers)
        if not answering or self._clock() > deadline_s:
            raise NotEnoughMemory(
                refusal.key,
                needed_bytes=refusal.needed_bytes,
                free_bytes=refusal.free_bytes,
                blockers=refusal.blockers,
            )

    async def _next_change(self) -> None:
        """Wait until a lease ended or a load was finished; or a poll, for other processes."""
        try:
            async with asyncio.timeout(POLL_S * 10):
                await self._changed.wait()
        except TimeoutError:
            return

    def _tell_changed(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
