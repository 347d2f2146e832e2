"""Loads, one after the other: planned when it is their turn, made, and tried again for memory."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import assert_never

from langchain_lmswitch.errors import HostTimeout, LoadFailed
from langchain_lmswitch.machine.neighbors import Neighbors, TurnTimeout
from langchain_lmswitch.policy.admission import not_enough
from langchain_lmswitch.policy.planning import sparing
from langchain_lmswitch.switch.changes import Changes
from langchain_lmswitch.switch.leases import Held, Leases
from langchain_lmswitch.switch.loader import Loader, OnEvent
from langchain_lmswitch.switch.quarantines import Quarantines
from langchain_lmswitch.switch.rooms import Room
from langchain_lmswitch.switch.surveyor import Survey, Surveyor
from langchain_lmswitch.switch.turns import Turn, Turns
from langchain_lmswitch.types.events import Queued
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.plans import Load, Plan, Refusal, Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A model that somebody waits for."""

    card: ModelCard
    needed_tokens: int
    tell: OnEvent
    call: str = ""
    """Names the lease that is wanted."""
    hold: bool = False
    """Whether it is kept for as long as a user wants."""
    ahead: bool = False
    """Whether nobody waits for it yet: it makes nobody leave who was used lately."""


class Loads:
    """Plans and makes the loads of one host; confined to the portal's loop."""

    def __init__(
        self,
        surveyor: Surveyor,
        leases: Leases,
        changes: Changes,
        neighbors: Neighbors,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._surveyor = surveyor
        self._leases = leases
        self._changes = changes
        self._neighbors = neighbors
        self._clock = clock
        self._loader = Loader(surveyor.host, surveyor.settings, clock=clock)
        self.turns = Turns()
        self.quarantines = Quarantines(clock)
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
        async with self.turns.next() as turn, self._alone(wish):
            plan, survey = await self._wait_for_plan(wish, turn)
            queued_s = self._clock() - started_s
            match plan:
                case Use(resident=resident):
                    yield Held(resident=resident, queued_s=queued_s)
                case Load():
                    held = await self._make(plan, survey, turn, wish.tell)
                    yield replace(held, queued_s=queued_s)
                case _:
                    assert_never(plan)

    @asynccontextmanager
    async def _alone(self, wish: Wish) -> AsyncGenerator[None, None]:
        """Keep other processes from loading and unloading."""
        within_s = self._surveyor.settings.load_timeout_s
        reason = "another process of yours is loading a model"
        try:
            async with self._neighbors.turn(
                within_s=within_s,
                waiting=lambda: wish.tell(Queued(key=wish.card.key, reason=reason)),
            ):
                yield
        except TurnTimeout:
            doing = "waiting for another process of yours to load a model"
            address = self._surveyor.host.address
            raise HostTimeout(address, doing=doing, after_s=within_s) from None

    async def _wait_for_plan(self, wish: Wish, turn: Turn) -> tuple[Plan, Survey]:
        """Plan with fresh facts, and again whenever somebody makes room; victims are marked."""
        deadline_s = self._clock() + self._surveyor.settings.load_timeout_s
        while True:
            footprint = await self._surveyor.footprint(wish.card)
            survey = await self._survey(wish)
            plan = self._surveyor.plan(
                wish.card, footprint, survey, needed_tokens=wish.needed_tokens
            )
            if isinstance(plan, Refusal):
                awaited = self._awaited(wish, footprint, survey)
                if not awaited or self._clock() > deadline_s:
                    raise not_enough(plan)
                self._claim(awaited, turn)
                wish.tell(Queued(key=plan.key, reason=f"{plan.reason}; waiting for an answer"))
                await self._changes.next()
            elif self._mark(plan, turn):
                return plan, survey

    async def _survey(self, wish: Wish) -> Survey:
        survey = await self._surveyor.survey()
        return sparing(survey, self._leases.lately(self._clock())) if wish.ahead else survey

    def _awaited(self, wish: Wish, footprint: Footprint, survey: Survey) -> frozenset[str]:
        """Say who would have to become idle and leave; none if even that would not help."""
        if wish.ahead:
            return frozenset()
        plan = self._surveyor.plan(
            wish.card, footprint, survey, needed_tokens=wish.needed_tokens, patient=True
        )
        evict = plan.evict if isinstance(plan, Load) else ()
        return frozenset(one.identifier for one in evict)

    def _mark(self, plan: Plan, turn: Turn) -> bool:
        """Mark the victims of a plan as leaving; `False` if one of them has been leased."""
        leaving = {one.identifier for one in plan.evict} if isinstance(plan, Load) else set()
        self._claim(leaving, turn)
        if any(self._neighbors.used(one) or self._neighbors.held(one) for one in leaving):
            return False
        return self._leases.start_leaving(leaving)

    def _claim(self, identifiers: Iterable[str], turn: Turn) -> None:
        turn.claim(identifiers)
        self._neighbors.close(identifiers)

    async def _make(self, plan: Load, survey: Survey, turn: Turn, tell: OnEvent) -> Held:
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
            resident = await self._load(plan, room, tell)
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

    async def _load(self, plan: Load, room: Room, tell: OnEvent) -> Resident:
        """Load, for memory twice.

        1. The victims leave, and their memory is waited for.
        2. If it fails for memory all the same, everything of ours that is idle leaves, too.
        3. Then it is tried once more; but not if nothing has left for it at all: that would be
           the same load again.
        """
        await room.make(tell)  # 1
        try:
            return await self._loader.load(plan, tell)
        except LoadFailed as failure:
            if not failure.for_memory:
                raise
            idle = await room.widen(tell)  # 2
            if not room.leaving:  # 3
                raise
        return await self._loader.load(replace(plan, evict=idle), tell)
