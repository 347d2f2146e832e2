"""How a model gets into memory, planned when it is its turn."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from langchain_lmswitch.machine.neighbors import Neighbors
from langchain_lmswitch.policy.admission import not_enough
from langchain_lmswitch.policy.planning import Survey, planned, sparing
from langchain_lmswitch.switch.changes import Changes
from langchain_lmswitch.switch.leases import Leases
from langchain_lmswitch.switch.surveyor import Surveyor
from langchain_lmswitch.switch.turns import MOST_PASSES, Turn
from langchain_lmswitch.switch.wishes import Wish
from langchain_lmswitch.types.events import Queued
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import LoadSpec
from langchain_lmswitch.types.plans import Load, Plan, Refusal

_SOON: Final = 1 / (4 * MOST_PASSES)
"""Visits for each request, from which a model is wanted too soon to leave at once."""
_PATIENCE: Final = 1.5
"""For how long a load stands back at most, as a multiple of what it takes."""


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

        1. With our context, and whoever may leave for it; it may stand back for a moment.
        2. Else when those have become idle that would have to leave.
        3. Else with less context, as long as the request can be answered in it.
        4. Else there is not enough memory.

        Raises:
            NotEnoughMemory: It does not fit, and nobody is about to make room.
        """
        begun_s = self._clock()
        deadline_s = begun_s + self._surveyor.settings.load_timeout_s
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
                if self._stands_back(wish, plan, turn, since_s=begun_s):
                    await self._wait(wish, "models in use go first", _leaving(plan), turn)
                elif self._mark(plan, turn):
                    self._surveyor.learning.note_plan(facts, plan)
                    return plan, survey
                continue
            awaited = self._awaited(wish, specs[tried], footprint, survey)
            if awaited and self._clock() <= deadline_s:  # 2
                await self._wait(wish, f"{plan.reason}; waiting for an answer", awaited, turn)
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
        return () if isinstance(plan, Refusal) else _leaving(plan)

    def _stands_back(self, wish: Wish, plan: Plan, turn: Turn, *, since_s: float) -> bool:
        """Tell whether requests for loaded models are let pass, though there could be room now.

        Many at work on a few models would else take them from one another all the time. It costs
        waiting, and so it is done only while all of these hold:

        1. Others are being answered, so that others will ask.
        2. One of the models that would leave is expected among the next requests.
        3. The load has been passed less often than it may be.
        4. It has stood back for less than half as long again as it takes.
        """
        evict = plan.evict if isinstance(plan, Load) else ()
        rates = [self._surveyor.demand.rate(one.key) for one in evict]
        load_s = self._surveyor.learning.load_s(wish.card.key, wish.card.size_bytes)
        return (
            self._leases.any_answering  # 1
            and max(rates, default=0.0) >= _SOON  # 2
            and turn.passes < MOST_PASSES  # 3
            and self._clock() - since_s < _PATIENCE * load_s  # 4
        )

    async def _wait(self, wish: Wish, reason: str, awaited: Iterable[str], turn: Turn) -> None:
        self._claim(awaited, turn)
        wish.tell(Queued(key=wish.card.key, reason=reason))
        await self._changes.next()

    def _mark(self, plan: Plan, turn: Turn) -> bool:
        """Mark the victims of a plan as leaving; `False` if one of them has been leased."""
        leaving = frozenset(_leaving(plan))
        return self._claim(leaving, turn) and self._leases.start_leaving(leaving)

    def _claim(self, identifiers: Iterable[str], turn: Turn) -> bool:
        """Say what has to leave; `False` if another process is using one of them."""
        named = frozenset(identifiers)
        turn.claim(named)
        return self._neighbors.close(named)


def _leaving(plan: Plan) -> Sequence[str]:
    """Name who would leave."""
    return [one.identifier for one in plan.evict] if isinstance(plan, Load) else ()
