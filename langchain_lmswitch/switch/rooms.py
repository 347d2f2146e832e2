"""Making room for one load: who has to leave, who has left, and their memory."""

from collections.abc import Callable, Sequence
from functools import partial

from langchain_lmswitch.machine.neighbors import Neighbors
from langchain_lmswitch.policy.admission import Occupant, keep_apart
from langchain_lmswitch.switch.leases import Leases
from langchain_lmswitch.switch.loader import Loader, OnEvent
from langchain_lmswitch.switch.release import Release, holds
from langchain_lmswitch.switch.surveyor import Survey, Surveyor
from langchain_lmswitch.switch.turns import Turn
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.plans import Load


class Room:
    """The room for one load, and the marks of all that leave for it.

    Args:
        plan: The load; its victims are marked already.
        survey: The facts it was planned from.
    """

    def __init__(
        self,
        plan: Load,
        survey: Survey,
        *,
        loader: Loader,
        surveyor: Surveyor,
        leases: Leases,
        turn: Turn,
        neighbors: Neighbors,
        clock: Callable[[], float],
    ) -> None:
        self._plan = plan
        self._victims = _victims(plan, survey)
        self._loader = loader
        self._surveyor = surveyor
        self._leases = leases
        self._turn = turn
        self._neighbors = neighbors
        self._clock = clock
        self._release: Release  # it begins to measure just before the first one leaves
        self.leaving: set[str] = {one.identifier for one in plan.evict}
        """Identifiers of all that leave, or have left, for this load."""

    async def make(self, tell: OnEvent) -> None:
        """Unload what the plan says, and wait for its memory, or for as much as is needed."""
        self._release = Release(self._surveyor.snapshot, self._clock)
        await self._evict(self._victims, tell)
        await self._release.wait(
            enough=partial(
                holds,
                footprint=self._plan.footprint,
                headroom_bytes=self._surveyor.settings.headroom_bytes,
            )
        )

    async def widen(self, tell: OnEvent) -> tuple[Resident, ...]:
        """Unload whatever else is idle, and wait for all memory: the estimate was too low."""
        idle = await self._mark_idle()
        await self._evict(idle, tell)
        await self._release.wait()
        return tuple(one.resident for one in idle)

    async def _evict(self, victims: Sequence[Occupant], tell: OnEvent) -> None:
        await self._loader.evict(victims, self._release, tell, room_for=self._plan.spec.key)

    async def _mark_idle(self) -> list[Occupant]:
        survey = await self._surveyor.survey()
        apart = not self._surveyor.settings.evict_helpers
        kind = self._plan.spec.kind
        occupants = keep_apart(survey.occupants, kind) if apart else survey.occupants
        return [one for one in occupants if not one.keep and await self._mark(one.resident)]

    async def _mark(self, resident: Resident) -> bool:
        """Mark one as leaving, unless somebody is using it, in whatever process."""
        identifier = resident.identifier
        if not await self._loader.idle(resident):
            return False
        if not self._neighbors.close([identifier]):
            return False
        if marked := self._leases.start_leaving({identifier}):
            self.leaving.add(identifier)
            self._turn.claim({identifier})
        return marked


def _victims(plan: Load, survey: Survey) -> tuple[Occupant, ...]:
    """Give what a plan evicts, with what each of them holds."""
    leaving = {one.identifier for one in plan.evict}
    return tuple(one for one in survey.occupants if one.resident.identifier in leaving)
