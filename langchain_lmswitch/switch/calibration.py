"""Loading a model to measure what it takes."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from langchain_lmswitch.errors import HostFailed, InvalidRequest, LMSwitchError
from langchain_lmswitch.machine.brands import Brand, gpu_brand
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.machine.processes import Processes
from langchain_lmswitch.policy.admission import not_enough
from langchain_lmswitch.policy.weighing import Taken, taken
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.measuring import Measured, Measuring
from langchain_lmswitch.switch.news import Tell
from langchain_lmswitch.switch.release import free_bytes
from langchain_lmswitch.switch.surveyor import OURS
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.plans import Load, Refusal, Use
from langchain_lmswitch.types.readings import Observation, Unusable

_SETTLE_S: Final = 2.0
"""Until a driver has given back what was unloaded: 0.5 to 1.5 s as a rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """What a load took that was made to measure it."""

    resident: Resident
    load_s: float
    expected_bytes: int
    """The estimate before it."""
    free_bytes: int | None
    """What was free just before, in main memory and on GPUs."""
    taken: Taken
    weighed: Observation | Unusable
    """What the host held after the first answer, beyond what it held before."""
    why_no_peak: str = ""
    """Why gpu-tracker measured nothing; empty if it did."""


class Calibration:
    """Measures what the models of a host on this computer take; lives on the portal's loop.

    Args:
        board: The host's switchboard.
        monitor: Measures this computer.
        brand: Says whose GPUs gpu-tracker can be asked about.

    Raises:
        InvalidRequest: The host is on another computer, or our view of this one is not its own.
    """

    def __init__(
        self,
        board: Switchboard,
        monitor: Monitor,
        *,
        brand: Callable[[], Brand | None] = gpu_brand,
    ) -> None:
        if board.host.scope != "local":
            raise InvalidRequest(
                f"The model host at {board.host.address} is not on this computer, and what it "
                "takes there cannot be measured from here. Run `lmswitch calibrate` where it runs."
            )
        self._board = board
        self._monitor = monitor
        self._processes = Processes()
        self._port = int(board.host.address.rpartition(":")[2])
        self._measuring = Measuring(board, monitor, self._processes, port=self._port, brand=brand)

    async def calibrate(self, card: ModelCard, tell: Tell) -> Calibrated:
        """Load a model, let it answer, and measure what that took.

        1. What must leave for it leaves first, the model itself included: nothing else may move
           while it is measured.
        2. It is unloaded again if it was not loaded before.
        3. What it took is remembered: the next estimate is put right by it.

        Raises:
            InvalidRequest: It was loaded by somebody else.
            HostFailed: The host's process is not found, or belongs to another user.
            NotEnoughMemory: It does not fit.
            LoadFailed: The host could not load it.
        """
        root = await self._root()
        was_loaded = await self._make_room(card)  # 1
        footprint = await self._board.surveyor.footprint(card)
        before = await self._others(card)
        snapshot = self._monitor.snapshot()
        async with self._measured(card, root, tell, stays=was_loaded) as measured:  # 2
            overlapped = before != await self._others(card)
        found = Calibrated(
            resident=measured.held.resident,
            load_s=measured.held.load_s,
            expected_bytes=footprint.total_bytes,
            free_bytes=free_bytes(snapshot),
            taken=taken(
                measured.peak,
                measured.weighed,
                snapshot.gpus,
                size_bytes=card.size_bytes,
                overlapped=overlapped,
            ),
            weighed=measured.weighed,
            why_no_peak=measured.why_no_peak,
        )
        self._remember(card, found)  # 3
        return found

    def _remember(self, card: ModelCard, found: Calibrated) -> None:
        surveyor = self._board.surveyor
        asked = surveyor.spec(card)
        record = surveyor.learning.record(
            replace(asked, context_tokens=found.resident.context_tokens),
            card,
            load_s=found.load_s,
            expected_bytes=surveyor.expected_bytes(card, asked),
            free_bytes=found.free_bytes,
        )
        measured = replace(
            record,
            observed_bytes=found.taken.total_bytes,
            observed_vram_bytes=found.taken.vram_bytes,
            source="calibration",
        )
        surveyor.learning.note(measured)

    async def _root(self) -> int:
        root = await asyncio.to_thread(self._processes.root, self._port)
        if root is None:
            raise HostFailed(
                self._board.host.address,
                doing="looking for its process",
                reason="nobody of ours listens there. Run it, or this command, as the same user.",
                retryable=False,
            )
        return root

    async def _make_room(self, card: ModelCard) -> bool:
        """Unload what has to leave, and say whether the model itself was loaded."""
        surveyor = self._board.surveyor
        footprint, survey = await surveyor.footprint(card), await surveyor.survey()
        plan = surveyor.plan(surveyor.spec(card), footprint, survey, needed_tokens=0)
        match plan:
            case Refusal():
                raise not_enough(plan)
            case Use(resident=resident) if not resident.identifier.startswith(OURS):
                raise InvalidRequest(f"{card.key!r} is loaded by somebody else. Unload it first.")
            case Use(resident=resident):
                leaving: tuple[Resident, ...] = (resident,)
            case Load(evict=evict):
                leaving = evict
        for one in leaving:
            await self._board.unload(one.identifier)
        if leaving:
            await asyncio.sleep(_SETTLE_S)
        return isinstance(plan, Use)

    async def _others(self, card: ModelCard) -> frozenset[str]:
        residents = await self._board.surveyor.residents()
        return frozenset(
            one.reference or one.identifier for one in residents if one.key != card.key
        )

    @asynccontextmanager
    async def _measured(
        self, card: ModelCard, root: int, tell: Tell, *, stays: bool
    ) -> AsyncGenerator[Measured, None]:
        """Load and measure; the model is still there while inside."""
        call = uuid.uuid4().hex
        try:
            yield await self._measuring.load(card, root=root, call=call, tell=tell)
        finally:
            self._board.release(call)
            if not stays:
                with suppress(LMSwitchError):
                    await self._board.unload(self._board.surveyor.spec(card).identifier or "")
