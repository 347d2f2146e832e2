"""Loads, one after the other: planned when it is their turn, made, and tried again for memory."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import assert_never

from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.machine.neighbors import Neighbors
from langchain_lmswitch.machine.scales import Scales
from langchain_lmswitch.policy.planning import Survey
from langchain_lmswitch.switch.changes import Changes
from langchain_lmswitch.switch.history import History
from langchain_lmswitch.switch.leases import Held, Leases
from langchain_lmswitch.switch.loader import Loader
from langchain_lmswitch.switch.planner import Planner
from langchain_lmswitch.switch.quarantines import Quarantines
from langchain_lmswitch.switch.rooms import Room
from langchain_lmswitch.switch.sharing import turn_of_ours
from langchain_lmswitch.switch.surveyor import Surveyor
from langchain_lmswitch.switch.turns import Turn, Turns
from langchain_lmswitch.switch.weighing import Weighing
from langchain_lmswitch.switch.wishes import Wish
from langchain_lmswitch.types.events import Queued
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.plans import Load, Use


class Loads:
    """Plans and makes the loads of one host; confined to the portal's loop."""

    def __init__(
        self,
        surveyor: Surveyor,
        leases: Leases,
        changes: Changes,
        neighbors: Neighbors,
        *,
        history: History,
        scales: Scales | None,
        clock: Callable[[], float],
    ) -> None:
        self._surveyor = surveyor
        self._leases = leases
        self._changes = changes
        self._neighbors = neighbors
        self._clock = clock
        self._loader = Loader(surveyor.host, surveyor.settings, history, clock=clock)
        self._planner = Planner(surveyor, leases, changes, neighbors, clock=clock)
        self.weighing: Weighing = Weighing(surveyor, self._loader, scales, clock=clock)
        self.turns: Turns = Turns()
        self.quarantines: Quarantines = Quarantines(clock)
        self.coming: Load | None = None
        """The load under way."""

    @asynccontextmanager
    async def made(self, wish: Wish) -> AsyncGenerator[Held, None]:
        """Wait for a turn and load; while inside, no other load may evict it.

        Raises:
            NotEnoughMemory: It does not fit, and nobody is about to make room.
            LoadFailed: The host could not load it.
        """
        started_s = self._clock()
        if self.turns.taken:
            wish.tell(Queued(key=wish.card.key, reason="another model is being loaded"))
        elsewhere = Queued(key=wish.card.key, reason="another process of yours is loading a model")
        alone = turn_of_ours(self._neighbors, self._surveyor, waiting=lambda: wish.tell(elsewhere))
        async with self.turns.next() as turn, alone:
            plan, survey = await self._planner.plan(wish, turn)
            queued_s = self._clock() - started_s
            match plan:
                case Use(resident=resident):
                    yield Held(resident=resident, queued_s=queued_s)
                case Load():
                    held = await self._make(plan, survey, turn, wish)
                    yield replace(held, queued_s=queued_s)
                case _:
                    assert_never(plan)

    async def _make(self, plan: Load, survey: Survey, turn: Turn, wish: Wish) -> Held:
        started_s = self._clock()
        room = Room(
            plan,
            survey,
            loader=self._loader,
            surveyor=self._surveyor,
            leases=self._leases,
            turn=turn,
            neighbors=self._neighbors,
            clock=self._clock,
        )
        self.coming = plan
        try:
            resident = await self._load(plan, room, wish)
        except LoadFailed as failure:
            self.quarantines.note_failure(plan.spec, failure)
            raise
        finally:
            self.coming = None
            self._surveyor.forget()
            self._leases.stop_leaving(room.leaving)
            self._changes.tell()
        self.quarantines.note_success(plan.spec)
        self._surveyor.learn(plan.spec, resident)
        load_s = self._clock() - started_s
        return Held(resident=resident, evicted=tuple(sorted(room.leaving)), load_s=load_s)

    async def _load(self, plan: Load, room: Room, wish: Wish) -> Resident:
        """Load, for memory twice.

        1. The victims leave, and their memory is waited for.
        2. If it fails for memory all the same, everything of ours that is idle leaves, too.
        3. Then it is tried once more; but not if nothing has left for it at all: that would be
           the same load again.
        """
        self.weighing.moved()
        await room.make(wish.tell)  # 1
        try:
            return await self.weighing.load(plan, wish.card, wish.tell)
        except LoadFailed as failure:
            if not failure.for_memory:
                raise
            idle = await room.widen(wish.tell)  # 2
            if not room.leaving:  # 3
                raise
        return await self.weighing.load(replace(plan, evict=idle), wish.card, wish.tell)
