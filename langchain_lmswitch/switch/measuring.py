"""One load under the eyes of gpu-tracker and on the scales."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.machine.brands import Brand
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.machine.peaks import PeakProbe, ProbeFailed
from langchain_lmswitch.machine.processes import Processes
from langchain_lmswitch.machine.scales import Scales
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.leases import Held
from langchain_lmswitch.switch.news import Tell
from langchain_lmswitch.types.models import ModelCard, Resident
from langchain_lmswitch.types.readings import Observation, Peak, Unusable
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

_QUESTION: Final[JsonObject] = {"role": "user", "content": [{"type": "text", "text": "Say hi."}]}
_REQUEST: Final = PredictRequest(messages=(_QUESTION,), max_tokens=16, temperature=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was seen of a load."""

    held: Held
    weighed: Observation | Unusable
    """What the host held after the first answer, beyond what it held before."""
    peak: Peak | None
    why_no_peak: str = ""
    """Why gpu-tracker measured nothing; empty if it did."""


class Measuring:
    """Loads models and lets them answer, measured; lives on the portal's loop.

    Args:
        board: The host's switchboard.
        monitor: Measures this computer.
        processes: Finds the host's processes.
        port: Where the host listens.
        brand: Says whose GPUs gpu-tracker can be asked about; may block.
    """

    def __init__(
        self,
        board: Switchboard,
        monitor: Monitor,
        processes: Processes,
        *,
        port: int,
        brand: Callable[[], Brand | None],
    ) -> None:
        self._board = board
        self._monitor = monitor
        self._processes = processes
        self._port = port
        self._brand = brand

    async def load(self, card: ModelCard, *, root: int, call: str, tell: Tell) -> Measured:
        """Load a model and lease it to `call`; without gpu-tracker, if that does not run.

        Raises:
            NotEnoughMemory: It does not fit.
            LoadFailed: The host could not load it.
        """
        brand = await asyncio.to_thread(self._brand)
        try:
            async with PeakProbe(root, brand=brand) as probe:
                return await self._load(card, call, tell, probe)
        except ProbeFailed as failure:  # before anything was loaded
            return await self._load(card, call, tell, None, why=str(failure))

    async def _load(
        self, card: ModelCard, call: str, tell: Tell, probe: PeakProbe | None, *, why: str = ""
    ) -> Measured:
        scales = Scales(self._port, self._monitor, processes=self._processes)
        tare = await scales.before()
        held = await self._board.acquire(card, call=call, needed_tokens=0, on_event=tell)
        self._board.measured_by_caller(held.resident.identifier)
        await self._use(held.resident)
        weighed = await scales.after(tare, size_bytes=card.size_bytes)
        peak = None
        try:
            peak = await probe.peak() if probe else None
        except ProbeFailed as failure:
            why = str(failure)
        return Measured(held=held, weighed=weighed, peak=peak, why_no_peak=why)

    async def _use(self, resident: Resident) -> None:
        """Let it work a little: an engine takes more while it computes."""
        host = self._board.host
        if resident.kind == "embedding":
            await host.embed(resident.identifier, ["Say hi."])
            return
        async for _ in host.predict(resident.identifier, _REQUEST):
            pass
