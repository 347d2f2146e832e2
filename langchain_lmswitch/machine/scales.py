"""Weighing a load: what its host held before, and holds after."""

import asyncio
from dataclasses import dataclass

from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.machine.processes import Processes
from langchain_lmswitch.policy.weighing import observe
from langchain_lmswitch.types.readings import Observation, Reading, Unusable


@dataclass(frozen=True, slots=True, kw_only=True)
class Tare:
    """What there was before a load."""

    reading: Reading
    moves: int
    """How often anything had been loaded or unloaded by then."""


class Scales:
    """Weighs the loads of one host on this computer; confined to one event loop.

    Readings are taken in a thread. Of a host elsewhere, or one whose port is unknown, everything
    is unusable.

    Args:
        port: Where the host listens; `None` if that is unknown, or not on this computer.
        monitor: Measures this computer.
        processes: Finds the host's processes.
    """

    def __init__(
        self, port: int | None, monitor: Monitor, *, processes: Processes | None = None
    ) -> None:
        self._port = port
        self._monitor = monitor
        self._processes = processes or Processes()
        self._moves = 0

    def moved(self) -> None:
        """Note that something is being loaded or unloaded: what is on the scales is spoiled."""
        self._moves += 1

    async def before(self) -> Tare:
        """Read what there is, just before a load; any other one under way is spoiled by it."""
        self.moved()
        moves = self._moves
        return Tare(reading=await self._read(), moves=moves)

    async def after(
        self, tare: Tare, *, size_bytes: int, overlapped: bool = False
    ) -> Observation | Unusable:
        """Tell what the load took by now: when it is done, and again after the first answer.

        Args:
            tare: What `before` gave.
            size_bytes: Of the model's files; 0 if unknown.
            overlapped: Whether another process loaded or unloaded something, as far as is known.
        """
        reading = await self._read()
        spoiled = overlapped or tare.moves != self._moves
        return observe(tare.reading, reading, size_bytes=size_bytes, overlapped=spoiled)

    async def _read(self) -> Reading:
        return await asyncio.to_thread(self._reading)

    def _reading(self) -> Reading:
        tree = None if self._port is None else self._processes.tree(self._port)
        return Reading(tree=tree, snapshot=self._monitor.snapshot())
