"""Measures a machine four times a second, and tells when something has changed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from langchain_lmswitch.machine.changes import differs
from langchain_lmswitch.machine.monitor import Monitor
from langchain_lmswitch.types.machine import Snapshot

_logger = logging.getLogger(__name__)

PERIOD_S: Final = 0.25
DEADLINE_S: Final = 3.0
"""Longer than a command-line tool may take."""

Listener = Callable[[Snapshot], None]
"""Is told of a change, on the sampler's loop; must return at once."""

Ask = Callable[[Callable[[], Snapshot]], Awaitable[Snapshot]]
"""Runs what may block, without blocking the loop."""


async def in_thread(measure: Callable[[], Snapshot]) -> Snapshot:
    """Run it in a thread of the loop's own pool; see `Ask`."""
    return await asyncio.to_thread(measure)


class Sampler:
    """Publishes the snapshots of a monitor that differ; decides nothing.

    It lives on one event loop, as one task from `start` to `stop`. Never more than one measurement
    is under way: one that hangs delays the next, and after its deadline `latest` is unknown.

    Args:
        monitor: Measures the machine; may block.
        period_s: Seconds between measurements.
        deadline_s: Seconds after which one that is not done is given up on.
        ask: How to call the monitor.
    """

    def __init__(
        self,
        monitor: Monitor,
        *,
        period_s: float = PERIOD_S,
        deadline_s: float = DEADLINE_S,
        ask: Ask = in_thread,
    ) -> None:
        self._monitor = monitor
        self._period_s = period_s
        self._deadline_s = deadline_s
        self._ask = ask
        self._listeners: list[Listener] = []
        self._told: Snapshot | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._probe: asyncio.Task[Snapshot] | None = None
        self._probe_is_valid = True
        self.latest: Snapshot | None = None
        """The last measurement, whether published or not; `None` if it is unknown or invalid."""

    @property
    def is_running(self) -> bool:
        """Whether it has been started and not stopped, nor ended with its loop."""
        return self._task is not None and not self._task.done()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every change from now on, until what this returns is called."""
        self._listeners.append(listener)
        return lambda: self._forget(listener)

    def start(self) -> None:
        """Measure from now on; does nothing if it does already.

        The first measurement is published in any case.
        """
        if not self.is_running:
            self._wake = asyncio.Event()  # An old one belongs to the loop of an earlier start.
            self._told = None
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Measure no more, and wait for the task to end; does nothing if it is not running.

        A measurement that hangs in a thread is left to end by itself.
        """
        task, self._task = self._task, None
        self.latest = None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def invalidate(self) -> None:
        """Measure at once: something has just been loaded or unloaded.

        A measurement that is under way began before that, and is thrown away.
        """
        self.latest = None
        self._probe_is_valid = False
        self._wake.set()

    async def _run(self) -> None:
        try:
            while True:
                self._wake.clear()
                await self._look()
                await self._rest()
        finally:
            await self._give_up()

    async def _give_up(self) -> None:
        probe, self._probe = self._probe, None
        if probe is not None:
            probe.cancel()
            await asyncio.wait({probe})

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._period_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _look(self) -> None:
        if self._probe is None:
            self._probe_is_valid = True
            self._probe = asyncio.create_task(self._measure())
        done, _ = await asyncio.wait({self._probe}, timeout=self._deadline_s)
        if not done:
            self.latest = None
            return
        probe, self._probe = self._probe, None
        if self._probe_is_valid:
            self._take(probe)

    async def _measure(self) -> Snapshot:
        return await self._ask(self._monitor.snapshot)

    def _take(self, probe: asyncio.Task[Snapshot]) -> None:
        if (error := probe.exception()) is not None:
            _logger.debug("The monitor raised %r", error)
            self.latest = None
            return
        self.latest = now = probe.result()
        if self._told is None or differs(self._told, now):
            self._told = now
            self._publish(now)

    def _publish(self, snapshot: Snapshot) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(snapshot)
            except Exception as error:  # noqa: BLE001 - one listener's fault is not the others'
                kind = type(error).__name__
                _logger.warning("A listener to the machine's memory failed: %s", kind)

    def _forget(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)
