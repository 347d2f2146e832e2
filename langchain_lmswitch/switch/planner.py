"""How a model gets into memory, planned when it is its turn."""

from collections.abc import Callable, Iterable, Sequence

from langchain_lmswitch.machine.neighbors import Neighbors
from langchain_lmswitch.policy.admission import not_enough
from langchain_lmswitch.policy.planning import Survey, planned, sparing
from langchain_lmswitch.switch.changes import Changes
from langchain_lmswitch.switch.leases import Leases
from langchain_lmswitch.switch.surveyor import Surveyor
from langchain_lmswitch.switch.turns import Turn
from langchain_lmswitch.switch.wishes import Wish
from langchain_lmswitch.types.events import Queued
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import LoadSpec
from langchain_lmswitch.types.plans import Load, Plan, Refusal


class Planner:
    """Plans the load whose turn it is; confined to the portal's loop."""

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

    async def plan(self, wish: Wish, turn: Turn) -> tuple[Plan, Survey]:
        """Plan with fresh facts, and again whenever somebody makes room; victims are marked.

        1. With our context, and whoever may leave for it.
        2. Else when those have become idle that would have to leave.
        3. Else with less context, as long as the request can be answered in it.
        4. Else there is not enough memory.

        Raises:
            NotEnoughMemory: It does not fit, and nobody is about to make room.
        """
        deadline_s = self._clock() + self._surveyor.settings.load_timeout_s
        specs = self._surveyor.specs(wish.card, least_tokens=wish.least_tokens)
        tried = 0
        while True:
            footprint = await self._surveyor.footprint(wish.card, specs[tried])
            survey = await self._survey(wish)
            facts = self._surveyor.facts(
                specs[tried], footprint, survey, needed_tokens=wish.needed_tokens
            )
            plan = planned(facts)  # 1
            if not isinstance(plan, Refusal):
                if self._mark(plan, turn):
                    self._surveyor.learning.note_plan(facts, plan)
                    return plan, survey
                continue
            awaited = self._awaited(wish, specs[tried], footprint, survey)
            if awaited and self._clock() <= deadline_s:  # 2
                await self._wait(wish, plan, awaited, turn)
                tried = 0
            elif tried + 1 < len(specs):  # 3
                tried += 1
            else:  # 4
                raise not_enough(plan)

    async def _survey(self, wish: Wish) -> Survey:
        survey = await self._surveyor.survey()
        return sparing(survey, self._leases.lately(self._clock())) if wish.ahead else survey

    def _awaited(
        self, wish: Wish, spec: LoadSpec, footprint: Footprint, survey: Survey
    ) -> Sequence[str]:
        """Say who would have to become idle and leave; none if even that would not help."""
        if wish.ahead:
            return ()
        plan = self._surveyor.plan(
            spec, footprint, survey, needed_tokens=wish.needed_tokens, patient=True
        )
        return [one.identifier for one in plan.evict] if isinstance(plan, Load) else ()

    async def _wait(self, wish: Wish, plan: Refusal, awaited: Iterable[str], turn: Turn) -> None:
        self._claim(awaited, turn)
        wish.tell(Queued(key=plan.key, reason=f"{plan.reason}; waiting for an answer"))
        await self._changes.next()

    def _mark(self, plan: Plan, turn: Turn) -> bool:
        """Mark the victims of a plan as leaving; `False` if one of them has been leased."""
        leaving = {one.identifier for one in plan.evict} if isinstance(plan, Load) else set()
        self._claim(leaving, turn)
        if any(self._neighbors.used(one) or self._neighbors.held(one) for one in leaving):
            return False
        return self._leases.start_leaving(leaving)

    def _claim(self, identifiers: Iterable[str], turn: Turn) -> None:
        named = frozenset(identifiers)
        turn.claim(named)
        self._neighbors.close(named)
