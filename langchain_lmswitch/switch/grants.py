"""Who gets a lease on a loaded model, at once or after a wait."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from langchain_lmswitch.errors import HostTimeout
from langchain_lmswitch.machine.neighbors import Neighbors
from langchain_lmswitch.switch.changes import Changes
from langchain_lmswitch.switch.flights import Flights
from langchain_lmswitch.switch.leases import Held, Leases
from langchain_lmswitch.switch.loads import Loads
from langchain_lmswitch.switch.patience import patient
from langchain_lmswitch.switch.slots import AHEAD, Slots
from langchain_lmswitch.switch.surveyor import LATELY_S, OURS, Surveyor
from langchain_lmswitch.switch.waiting import Queue
from langchain_lmswitch.switch.watch import Watch
from langchain_lmswitch.switch.wishes import Wish
from langchain_lmswitch.types.events import Queued
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.plans import Use


class Grants:
    """Grants leases on the instances of one host; confined to the portal's loop."""

    def __init__(
        self,
        surveyor: Surveyor,
        leases: Leases,
        loads: Loads,
        changes: Changes,
        *,
        neighbors: Neighbors,
        watch: Watch,
        clock: Callable[[], float],
    ) -> None:
        self._surveyor = surveyor
        self._leases = leases
        self._loads = loads
        self._changes = changes
        self._neighbors = neighbors
        self._watch = watch
        self._clock = clock
        settings = surveyor.settings
        self._slots = Slots(self._limit, leases.answering)
        self._queue = Queue(settings.queue_limit)
        self._flights: Flights[Held] = Flights()
        self._joining: defaultdict[str, dict[str, Wish]] = defaultdict(dict)

    async def acquire(self, wish: Wish) -> Held:
        """Get a loaded instance and lease it.

        1. A resident one is leased at once, or when a slot of it becomes free.
        2. Who has to wait for a load takes a place in the queue, and has it until the end.
        3. A load under way is joined; else one is started, when its turn comes. It leases to
           all who joined before the next load gets its turn, which might evict it unused.
        4. What was found may be closed for a load that was passed too often, or be on its way
           out, and then cannot be leased: from the start, when that is over.

        Raises:
            NotEnoughMemory: It does not fit, and nobody is about to make room.
            LoadFailed: The host could not load it, or could not for memory a while ago.
            QueueFull: Too many wait already.
            HostTimeout: Its turn did not come in time.
        """
        host, settings = self._surveyor.host, self._surveyor.settings
        try:
            async with patient(
                wish, limit_s=settings.queue_timeout_s, address=host.address
            ) as waiting:
                return await self._acquire(waiting)
        except HostTimeout:
            self.release(wish.call)  # it may be leased, just before its time was over
            raise
        finally:
            self._slots.leave(wish.call)

    async def _acquire(self, wish: Wish) -> Held:
        started_s = self._clock()
        resident, in_line = await self._stand_in_line(wish)  # 1
        if resident and self.lease(resident, wish.call, hold=wish.hold):
            return Held(resident=resident, queued_s=self._clock() - started_s)
        with self._queue.place(always=in_line), self._watch.waiting(wish.tell):  # 2
            return await self._wait(wish, resident, started_s)

    def lease(self, resident: Resident, call: str, *, hold: bool = False) -> bool:
        """Lease an instance that was seen a moment ago.

        1. One that this call has already stays with it.
        2. `False` if it is closed for a load that was passed too often; see `Turns`.
        3. `False` if all its slots are taken, or promised to others; see `Slots`.
        4. `False` if it is on its way out, by our doing or by another process of ours.
        """
        identifier = resident.identifier
        if self._leases.holds(identifier, call):  # 1
            return True
        if self._loads.turns.closed(identifier):  # 2
            return False
        if not hold and self._full(resident, call):  # 3
            return False
        if taken := self._leases.take(identifier, call, hold=hold):  # 4
            self._slots.leave(call)
            self._loads.turns.note_lease(identifier)
        return taken

    def release(self, call: str) -> None:
        """End the leases of a call; safe to repeat."""
        if leased := self._leases.release(call):
            for identifier in leased:
                self._loads.weighing.answered(identifier)
                self._slots.freed(identifier)
            self._changes.tell()

    @property
    def waiting(self) -> int:
        """How many requests wait for a load."""
        return self._queue.waiting

    @property
    def idle(self) -> bool:
        """Whether no request is using anything, or waits for anything."""
        return not (self._leases.any_held or self._queue.waiting or self._loads.turns.taken)

    def _limit(self, identifier: str) -> int:
        """Count the slots of an instance of ours."""
        return self._surveyor.parallel(identifier.removeprefix(OURS)) + AHEAD

    def _full(self, resident: Resident, call: str) -> bool:
        # How many requests somebody else's answers at a time is not known to us.
        limited = resident.kind == "llm" and resident.identifier.startswith(OURS)
        return limited and not self._slots.open(resident.identifier, call)

    async def _stand_in_line(self, wish: Wish) -> tuple[Resident | None, bool]:
        """Find an instance, and wait for a slot of it; `True` if that took a while."""
        resident, told = await self._find(wish), False
        while resident and not wish.hold and self._full(resident, wish.call):
            if self._loads.turns.closed(resident.identifier):
                return resident, told
            if not told:
                before = self._slots.waiting(resident.identifier)
                reason = f"it is answering, and {before} more are to be answered first"
                wish.tell(Queued(key=resident.key, reason=reason))
                told = True
            await self._slots.next(resident.identifier, wish.call)
            resident = await self._find(wish, max_age_s=LATELY_S)
        return resident, told

    async def _wait(self, wish: Wish, resident: Resident | None, started_s: float) -> Held:
        while True:
            waited_s = self._clock() - started_s
            if resident is None:
                held = await self._join(wish)  # 3
                resident = held.resident
                if self.lease(resident, wish.call, hold=wish.hold):
                    return replace(held, queued_s=waited_s + held.queued_s)
            await self._until_open(resident, wish)  # 4
            resident = await self._find(wish)
            if resident and self.lease(resident, wish.call, hold=wish.hold):
                return Held(resident=resident, queued_s=self._clock() - started_s)

    async def _find(self, wish: Wish, *, max_age_s: float = 0.0) -> Resident | None:
        """Look for an instance in memory; `None` if it is to be loaded.

        A listing during which one of ours was unloaded may be out of date, and is read again.

        Raises:
            LoadFailed: It would have to be loaded, and that failed for memory a while ago.
        """
        departures = -1
        while departures != self._leases.departures:
            departures = self._leases.departures
            survey = await self._surveyor.survey(max_age_s=max_age_s)
        spec = self._surveyor.spec(wish.card)
        plan = self._surveyor.plan(spec, None, survey, needed_tokens=wish.needed_tokens)
        if isinstance(plan, Use):
            return plan.resident
        self._loads.quarantines.check(spec)
        return None

    async def _join(self, wish: Wish) -> Held:
        joining = self._joining[wish.card.key]
        joining[wish.call] = wish
        try:
            return await self._flights.join(
                wish.card.key,
                lambda tell: self._load(replace(wish, tell=tell)),
                listener=wish.tell,
            )
        except BaseException:
            self.release(wish.call)  # it may be leased, just before its caller was cancelled
            raise
        finally:
            joining.pop(wish.call, None)

    async def _load(self, wish: Wish) -> Held:
        async with self._loads.made(wish) as held:
            for one in self._joining[wish.card.key].values():
                self._leases.take(held.resident.identifier, one.call, hold=one.hold)
        return held

    async def _until_open(self, resident: Resident, wish: Wish) -> None:
        identifier = resident.identifier
        if self._loads.turns.claimed(identifier):
            wish.tell(Queued(key=resident.key, reason="another model takes its place first"))
            await self._loads.turns.over()
        elif self._neighbors.closed(identifier):
            wish.tell(Queued(key=resident.key, reason="another process needs its place first"))
            await self._neighbors.opened(identifier)
        elif not wish.hold and self._full(resident, wish.call):
            await self._slots.next(identifier, wish.call)
        else:
            await self._changes.next()
