"""What each load took, and what it holds once it has answered, for the ledger."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from langchain_lmswitch.errors import LMSwitchError, LoadFailed
from langchain_lmswitch.machine.scales import Scales, Tare
from langchain_lmswitch.switch.loader import Loader, OnEvent
from langchain_lmswitch.switch.release import free_bytes
from langchain_lmswitch.switch.surveyor import Surveyor
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.plans import Load
from langchain_lmswitch.types.readings import Observation, Unusable


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """A load that has not answered yet."""

    record: LoadRecord
    tare: Tare
    size_bytes: int
    others: frozenset[str]
    """References of all else that was in memory."""


class Weighing:
    """Makes loads, and remembers what they took; confined to the portal's loop.

    1. A load is weighed when it is done, and again when its first lease ends: an engine takes more
       while it computes. What was more counts; but not if anything else has come or gone meanwhile,
       by whatever process.
    2. It is remembered then, or before this process loads or unloads the next.
    3. A load that fails is remembered at once, with what was free for it.
    4. On a host that cannot be weighed, what it took is unknown, and its time is remembered.

    Args:
        scales: Weighs the host's processes; `None` if they are not here.
    """

    def __init__(
        self,
        surveyor: Surveyor,
        loader: Loader,
        scales: Scales | None,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._surveyor = surveyor
        self._loader = loader
        self._scales = scales
        self._clock = clock
        self._pending: dict[str, _Pending] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self, plan: Load, card: ModelCard, tell: OnEvent) -> Resident:
        """Load what is planned; its victims have left.

        Raises:
            LoadFailed: The host could not load it.
        """
        self.moved()
        before = await self._others(plan.spec.identifier) if self._scales else frozenset()
        tare = await self._scales.before() if self._scales else None
        started_s, free = self._clock(), free_bytes(self._surveyor.snapshot())
        try:
            resident = await self._loader.load(plan, tell)
        except LoadFailed as failure:
            self._note(self._record(plan, card, started_s, free, failure=failure))  # 3
            raise
        loaded = replace(plan, spec=replace(plan.spec, context_tokens=resident.context_tokens))
        record = self._record(loaded, card, started_s, free)
        if self._scales and tare:
            pending = _Pending(record=record, tare=tare, size_bytes=card.size_bytes, others=before)
            found = await self._weigh(self._scales, resident.identifier, pending)  # 1
            self._pending[resident.identifier] = found
        else:
            self._note(record)  # 4
        return resident

    def moved(self) -> None:
        """Note that something is about to be loaded or unloaded."""
        if self._scales:
            self._scales.moved()
        self.settle()  # 2

    def answered(self, identifier: str) -> None:
        """Note that an instance has given an answer."""
        if (pending := self._pending.pop(identifier, None)) and self._scales:
            task = asyncio.create_task(self._weigh_again(self._scales, identifier, pending))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def forget(self, identifier: str) -> None:
        """Remember nothing of a load: somebody else measures it."""
        self._pending.pop(identifier, None)

    def settle(self) -> None:
        """Remember what has not answered yet as it was when it was loaded."""
        for identifier in tuple(self._pending):
            self._note(self._pending.pop(identifier).record)

    async def finish(self) -> None:
        """Remember what there is to remember of loads: this process ends."""
        self.settle()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _weigh_again(self, scales: Scales, identifier: str, pending: _Pending) -> None:
        found = pending
        try:
            with suppress(LMSwitchError):  # the host does not answer: what was seen before stays
                found = await self._weigh(scales, identifier, pending)
        finally:  # cut off, too
            self._note(found.record)

    async def _weigh(self, scales: Scales, identifier: str, pending: _Pending) -> _Pending:
        tare, size_bytes = pending.tare, pending.size_bytes
        overlapped = await self._others(identifier) != pending.others
        seen = await scales.after(tare, size_bytes=size_bytes, overlapped=overlapped)
        return _weighed(pending, seen)

    async def _others(self, identifier: str | None) -> frozenset[str]:
        residents = await self._surveyor.host.residents()
        return frozenset(
            one.reference or one.identifier for one in residents if one.identifier != identifier
        )

    def _record(
        self,
        plan: Load,
        card: ModelCard,
        started_s: float,
        free: int | None,
        *,
        failure: LoadFailed | None = None,
    ) -> LoadRecord:
        return self._surveyor.learning.record(
            plan.spec,
            card,
            load_s=self._clock() - started_s,
            expected_bytes=self._surveyor.expected_bytes(card, plan.spec),
            free_bytes=free,
            failure=failure,
        )

    def _note(self, record: LoadRecord) -> None:
        self._surveyor.learning.note(record)


def _weighed(pending: _Pending, seen: Observation | Unusable) -> _Pending:
    """Put in what was seen, if it is more than before."""
    if isinstance(seen, Unusable) or seen.total_bytes <= (pending.record.observed_bytes or 0):
        return pending
    record = replace(
        pending.record, observed_bytes=seen.total_bytes, observed_vram_bytes=seen.vram_bytes
    )
    return replace(pending, record=record)
