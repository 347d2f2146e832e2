"""The switchboard: the one place that loads, unloads and hands out models of a host."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.ledger.base import Ledger
from langchain_lmswitch.ledger.memory import MemoryLedger
from langchain_lmswitch.machine.lists import SharedList
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.machine.neighbors import Neighbors
from langchain_lmswitch.machine.scales import Scales
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.changes import Changes
from langchain_lmswitch.switch.contexts import close_contexts, contexts_in
from langchain_lmswitch.switch.departures import Departures
from langchain_lmswitch.switch.embedders import Embedders
from langchain_lmswitch.switch.grants import Grants
from langchain_lmswitch.switch.habits import Habits
from langchain_lmswitch.switch.history import History
from langchain_lmswitch.switch.learning import Learning
from langchain_lmswitch.switch.leases import Held, Leases
from langchain_lmswitch.switch.loader import OnEvent
from langchain_lmswitch.switch.loads import Loads
from langchain_lmswitch.switch.prefetching import Prefetching
from langchain_lmswitch.switch.summarizing import Summarizing
from langchain_lmswitch.switch.surveyor import Surveyor
from langchain_lmswitch.switch.threads import Threads
from langchain_lmswitch.switch.watch import OnMemory, Watch
from langchain_lmswitch.switch.wishes import Wish
from langchain_lmswitch.types.models import ModelCard, Resident

if TYPE_CHECKING:
    from langchain_lmswitch.context.cache import ContextCache

__all__ = ["Held", "Switchboard"]


class Switchboard:
    """Leases, loads and evictions of one host.

    Confined to the portal's loop: there are no locks but the one that makes loads take turns, and
    the one between processes.

    Args:
        host: Whose models it hands out.
        monitor: Measures the machine the host is on, if that is this one.
        settings: The knobs.
        ledger: Remembers loads and decisions; if it is left out, for as long as this object lives.
        neighbors: Other processes that use the host; none if it is left out.
        pinned: Keys that are pinned for all processes; for as long as this object lives.
        loaded_by_hand: References of loads that the user made by hand; in the same way.
        scales: Weighs the host's processes, if they are on this computer.
        clock: Monotonic seconds.
        wall_clock: Unix time in seconds.
    """

    def __init__(
        self,
        host: Host,
        monitor: Monitor,
        settings: Settings,
        *,
        ledger: Ledger | None = None,
        neighbors: Neighbors | None = None,
        pinned: SharedList | None = None,
        loaded_by_hand: SharedList | None = None,
        scales: Scales | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.host = host
        self.ledger: Ledger = ledger or MemoryLedger()
        self.settings = settings
        self.threads: Threads = Threads()
        self.contexts: ContextCache = contexts_in(settings.context_store)
        self.habits: Habits = Habits(clock=clock)
        self.history: History = History(
            host.address, budget_bytes=settings.budget_bytes, clock=wall_clock
        )
        self._neighbors = neighbors or Neighbors(None)
        self._leases = Leases(self._neighbors, clock=clock)
        changes = Changes()
        self._watch = Watch(
            monitor,
            local=host.scope == "local",
            wake=changes.tell,
            list_residents=lambda: self.surveyor.residents(),  # noqa: PLW0108 - made below
            measured=self.history.measured,
        )
        self.surveyor: Surveyor = Surveyor(
            host,
            monitor,
            settings,
            learning=Learning(host, self.ledger, learn=settings.learn, wall_clock=wall_clock),
            leased=self._is_leased,
            held=self._is_held,
            loading=lambda: self._loads.coming,
            noted=self._note_residents,
            pinned=pinned,
            measured=self.history.measured,
            clock=clock,
        )
        self._loads = Loads(
            self.surveyor,
            self._leases,
            changes,
            self._neighbors,
            history=self.history,
            scales=scales,
            clock=clock,
        )
        self._grants = Grants(
            self.surveyor,
            self._leases,
            self._loads,
            changes,
            neighbors=self._neighbors,
            watch=self._watch,
            clock=clock,
        )
        self._prefetching = Prefetching(
            self._grants, self._loads, is_idle=lambda: self._grants.idle
        )
        self.summarizing: Summarizing = Summarizing(
            self.surveyor, is_idle=lambda: self._grants.idle, leased=self._is_leased
        )
        self.embedders: Embedders = Embedders(
            self.surveyor, is_idle=lambda: self._grants.idle, clock=clock
        )
        self.departures: Departures = Departures(
            self.surveyor,
            self._leases,
            changes,
            self._neighbors,
            moved=self._loads.weighing.moved,
            loaded_by_hand=SharedList(None) if loaded_by_hand is None else loaded_by_hand,
            left=self.history.left,
        )

    async def acquire(
        self,
        card: ModelCard,
        *,
        call: str,
        needed_tokens: int,
        on_event: OnEvent,
        least_tokens: int = 0,
        hold: bool = False,
    ) -> Held:
        """Get a loaded instance of `card` and lease it to `call`; see `Grants.acquire`.

        The lease lasts until `release(call)`. With `hold` it takes no slot, and nobody waits for
        its end: a load that needs the place is refused.

        Raises:
            NotEnoughMemory: It does not fit, and nobody is about to make room.
            LoadFailed: The host could not load it, or could not for memory a while ago.
            QueueFull: Too many wait already.
        """
        self.surveyor.demand.note(card.key)
        self._give_way(card.key)
        with self.history.waiting(card.key, on_event) as tell:
            wish = Wish(
                card=card,
                needed_tokens=needed_tokens,
                least_tokens=least_tokens,
                tell=tell,
                call=call,
                hold=hold,
            )
            held = await self._grants.acquire(wish)
        if held.load_s:
            self.habits.note_load(card.key)
        return held

    def lease(self, resident: Resident, call: str) -> bool:
        """Lease an instance that was seen a moment ago; see `Grants.lease`."""
        self._give_way(resident.key)
        if leased := self._grants.lease(resident, call):
            self.surveyor.demand.note(resident.key)
        return leased

    def prefetch(self, card: ModelCard) -> bool:
        """Load a model in the background, unless there is other work; see `Prefetching`."""
        if started := self._prefetching.start(card):
            self.summarizing.give_way()
        return started

    def release(self, call: str) -> None:
        """End the leases of a call; safe to repeat."""
        self._grants.release(call)

    @property
    def busy(self) -> bool:
        """Whether any request of ours is using any instance now."""
        return self._leases.any_held

    @property
    def most_passes(self) -> int:
        """How many requests passed the load that was passed most; see `Turns`."""
        return self._loads.turns.most_passes

    @property
    def waiting(self) -> int:
        """How many requests wait for a load now."""
        return self._grants.waiting

    def leased(self, identifier: str) -> bool:
        """Tell whether a request of this process is using an instance now."""
        return self._leases.held(identifier)

    def measured_by_caller(self, identifier: str) -> None:
        """Leave it to the caller to remember what a load took that has just been made."""
        self._loads.weighing.forget(identifier)

    async def unload(self, identifier: str) -> None:
        """Unload an instance, once no request of ours is using it; see `Departures.unload`."""
        await self.departures.unload(identifier)

    def part(self) -> None:
        """Tell other processes that nothing is used here any more."""
        self._neighbors.leave()

    async def leave(self) -> None:
        """Unload what is ours and drop the connection: this process ends."""
        self._give_way("")
        await self._loads.weighing.finish()
        try:
            await self.departures.leave()
        finally:
            self.part()
            await self.aclose()

    def subscribe(self, listener: OnMemory) -> Callable[[], None]:
        """Tell `listener` of this computer's memory; see `Watch.subscribe`."""
        return self._watch.subscribe(listener)

    async def aclose(self) -> None:
        """Drop the connection to the host; loaded models stay."""
        self._watch.stop()
        await self.summarizing.finish()
        await self.embedders.finish()
        close_contexts(self.contexts)
        await self.host.aclose()

    def _give_way(self, key: str) -> None:
        """End what is done while there is nothing to do, for a request that wants a model."""
        self._prefetching.give_way(key)
        self.summarizing.give_way()

    def _note_residents(self, residents: Sequence[Resident] | None) -> None:
        if residents is not None and not self._loads.coming:  # a load notes who comes and goes
            self.history.listed(residents, self.surveyor.share)
        self._watch.note_residents(residents)

    def _is_leased(self, identifier: str) -> bool:
        here = self._leases.answering(identifier) > 0
        return here or self._neighbors.used(identifier)

    def _is_held(self, identifier: str) -> bool:
        return self._leases.holding(identifier) or self._neighbors.held(identifier)
